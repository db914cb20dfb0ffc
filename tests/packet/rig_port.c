// SPDX-License-Identifier: GPL-2.0-or-later
/* The rig's kind of port: receives what the test offered, keeps what it was given to send. */
#include "tests/packet/rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/array.h"
#include "tests/packet/rig_kind.h"

enum { GAP = 24, ALIGN = 64 };

static struct rig_port *rig_port_of(struct port *port)
{
	return container_of(port, struct rig_port, port);
}

static struct rig_frame *append(struct rig_frame **list, unsigned *n, unsigned *room)
{
	if (*n == *room) {
		*room = *room ? 2 * *room : 64;
		*list = realloc(*list, *room * sizeof(**list));
		must(*list);
	}
	(*list)[*n] = (struct rig_frame){ 0 };
	return &(*list)[(*n)++];
}

static uint8_t *copy_of(const void *data, uint32_t len)
{
	uint8_t *to = malloc(len ? len : 1);

	must(to);
	if (len)
		memcpy(to, data, len);
	return to;
}

/* lay() - the frame at @at, its head first; the rest as pieces of memory that the frame borrows, with other bytes between them
 * Return: behind the last piece. */
static uint8_t *lay(const struct rig_port *p, const struct rig_frame *from, uint8_t *at, struct frame *f,
		    struct iovec *body)
{
	uint32_t head = p->head_max && p->head_max < from->len ? p->head_max : from->len;

	memcpy(at, from->data, head);
	frame_init(f, at, from->len);
	f->head_len = head;
	f->body = body;
	at += head;
	for (uint32_t done = head; done < from->len; f->nbody++) {
		uint32_t n = MIN_OF(p->piece_max, from->len - done);

		if (f->nbody == FRAME_BODY_MAX - 1)
			n = from->len - done;
		memset(at, 0xdb, GAP);
		memcpy(at + GAP, from->data + done, n);
		body[f->nbody] = (struct iovec){ at + GAP, n };
		at += GAP + n;
		done += n;
	}
	f->offload = from->offload;
	f->tag_present = from->tag_present;
	f->vid = from->tci & 0x0fff;
	f->pcp_dei = (uint8_t)(from->tci >> 12);
	return at;
}

static int rig_rx(struct port_queue *q, struct rx_space *space, struct frame *frames, unsigned n)
{
	struct rig_port *p = rig_port_of(q->port);
	uint8_t *at = space->data, *end = at + space->size;
	unsigned i = 0;

	for (; i < n && p->wire_at < p->nwire && end - at >= FRAME_MAX + FRAME_BODY_MAX * GAP + ALIGN; i++, p->wire_at++) {
		struct rig_frame *f = &p->wire[p->wire_at];
		size_t size;

		if (p->received)
			p->received(p, f);
		p->rig->burst[i].at = at;
		p->rig->burst[i].serial = f->serial;
		size = (size_t)(lay(p, f, at, &frames[i], p->rig->burst[i].body) - at);
		at += (size + ALIGN) & ~(size_t)(ALIGN - 1);
		free(f->data);
	}
	p->rig->nburst = i;
	if (p->wire_at == p->nwire)
		p->wire_at = p->nwire = 0;
	return i ? (int)i : p->gone;
}

static void keep(struct rig_port *p, const struct tx_frame *tx)
{
	struct rig_frame *f = append(&p->sent, &p->nsent, &p->sent_room);

	f->len = tx->frame->len;
	f->data = copy_of(NULL, 0);
	f->data = realloc(f->data, f->len + 1);
	must(f->data);
	frame_linear(tx->frame, f->data);
	f->offload = tx->frame->offload;
	f->tag_present = tx->tci != 0;
	f->tci = tx->tci;
	f->service = tx->tci && tx->service;
	f->inner = tx->inner;
	f->serial = rig_serial(p->rig, tx->frame);
}

static uint64_t rig_tx(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n, uint64_t *segments)
{
	struct rig_port *p = rig_port_of(q->port);
	uint64_t taken = 0;

	(void)w, (void)segments;
	for (unsigned i = 0; i < n; i++) {
		if (p->takes && !p->takes(p, &frames[i], i))
			continue;
		taken |= 1ull << i;
		if (!p->forgets)
			keep(p, &frames[i]);
	}
	return taken;
}

static void rig_writable(struct port_queue *q)
{
	rig_port_of(q->port)->writable++;
}

static void frames_free(struct rig_frame *list, unsigned from, unsigned n)
{
	for (unsigned i = from; i < n; i++)
		free(list[i].data);
}

static void rig_port_free(struct port *port)
{
	port_fini(port);
	free(rig_port_of(port));
}

static const struct port_ops rig_ops = {
	.kind = "rig", .rx = rig_rx, .tx = rig_tx, .writable = rig_writable, .free = rig_port_free,
};

static void on_gone(struct port *port, int rc)
{
	rig_port_of(port)->told = rc;
}

struct rig_port *rig_kind_new(struct rig *rig)
{
	struct rig_port *p = calloc(1, sizeof(*p));
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	must(p && fd >= 0);
	must(port_init(&p->port, &rig_ops, 1, 1) == 0);
	p->port.queues[0].fd = fd;
	p->port.notify = on_gone;
	p->rig = rig;
	p->piece_max = 4096;
	return p;
}

struct rig_frame *rig_offer(struct rig_port *p, const void *data, uint32_t len)
{
	struct rig_frame *f = append(&p->wire, &p->nwire, &p->wire_room);
	uint64_t one = 1;

	f->data = copy_of(data, len);
	f->len = len;
	f->serial = ++p->rig->serial;
	if (p->nwire == 1) {
		ssize_t rc = write(port_fd(&p->port), &one, sizeof(one));

		must(rc == sizeof(one));
	}
	return f;
}

void rig_kind_clear(struct rig_port *p)
{
	frames_free(p->sent, 0, p->nsent);
	p->nsent = 0;
}

void rig_kind_drop(struct rig_port *p)
{
	frames_free(p->wire, p->wire_at, p->nwire);
	frames_free(p->sent, 0, p->nsent);
	free(p->wire);
	free(p->sent);
	p->wire = p->sent = NULL;
	p->wire_at = p->nwire = p->wire_room = p->nsent = p->sent_room = 0;
}

uint32_t rig_serial(const struct rig *rig, const struct frame *f)
{
	for (unsigned i = rig->nburst; i-- > 0;)
		if (f->head >= rig->burst[i].at)
			return f->head < rig->burst[i].at + FRAME_MAX ? rig->burst[i].serial : 0;
	return 0;
}
