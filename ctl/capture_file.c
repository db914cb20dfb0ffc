// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/capture_file.h"

#include <errno.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/engine.h"
#include "ctl/pcapng.h"
#include "ctl/version.h"
#include "switch/capture.h"
#include "switch/forward.h"
#include "switch/packet.h"
#include "switch/vlan.h"

enum { FIRST_ROOM = 64 << 10 };

/* interface - one of the file; ports are numbered otherwise, and a number may be another port's later */
struct interface {
	char name[PCAPNG_NAME_TEXT];
	uint64_t received, lost;
};

struct capture_file {
	struct engine *engine;
	uint32_t snaplen;
	uint64_t begin_ns;
	struct interface *interfaces;
	unsigned ninterfaces;
	uint16_t of_port[PORT_IDS];		/* index plus one; 0: none yet */
	uint8_t *data;
	size_t size, room;
};

/* reserve() - a writer for one more block of at most @n bytes; false without memory */
static bool reserve(struct capture_file *f, size_t n, struct writer *w)
{
	size_t room = MAX_OF(f->room, (size_t)FIRST_ROOM);
	uint8_t *data;

	while (room < f->size + n)
		room *= 2;
	if (room > f->room) {
		data = realloc(f->data, room);
		if (!data)
			return false;
		f->data = data;
		f->room = room;
	}
	*w = writer_init(f->data + f->size, f->room - f->size);
	return true;
}

static bool written(struct capture_file *f, const struct writer *w)
{
	f->size += w->overrun ? 0 : w->pos;
	return !w->overrun;
}

struct capture_file *capture_file_new(struct engine *e, uint32_t snaplen)
{
	struct capture_file *f = calloc(1, sizeof(*f));
	struct writer w;

	if (!f || !reserve(f, PCAPNG_SLACK, &w)) {
		free(f);
		return NULL;
	}
	f->engine = e;
	f->snaplen = snaplen;
	f->begin_ns = clock_ns_of(CLOCK_REALTIME);
	pcapng_section(&w, "lanyard " LANYARD_VERSION);
	written(f, &w);
	return f;
}

void capture_file_free(struct capture_file *f)
{
	if (!f)
		return;
	free(f->interfaces);
	free(f->data);
	free(f);
}

const void *capture_file_bytes(const struct capture_file *f, size_t *size)
{
	*size = f->size;
	return f->data;
}

void capture_file_taken(struct capture_file *f)
{
	f->size = 0;
	if (f->room > FIRST_ROOM) {		/* after a burst */
		free(f->data);
		f->data = NULL;
		f->room = 0;
	}
}

/* ---- interfaces ---- */

/* port_name() - as it is written in commands; the services' port has no configuration, and a name that no guest can have */
static void port_name(const struct live_port *p, char name[PCAPNG_NAME_TEXT])
{
	snprintf(name, PCAPNG_NAME_TEXT, "%s/%s", p->net->name, p == &p->net->local ? "@gateway" : p->name);
}

static void describe(const struct live_port *p, char about[PCAPNG_COMMENT_TEXT])
{
	char mac[MAC_TEXT];

	if (p == &p->net->local)
		snprintf(about, PCAPNG_COMMENT_TEXT, "gateway and services");
	else
		snprintf(about, PCAPNG_COMMENT_TEXT, "%s port, MAC %s", port_kind_name(p->conf->kind), mac_format(p->conf->mac, mac));
}

static int add_interface(struct capture_file *f, const char *name, const char *about)
{
	struct interface *all = realloc(f->interfaces, (f->ninterfaces + 1) * sizeof(*all));
	struct pcapng_interface block = { .snaplen = f->snaplen };
	struct writer w;

	if (all)
		f->interfaces = all;
	if (!all || f->ninterfaces == UINT16_MAX || !reserve(f, PCAPNG_SLACK, &w))
		return -ENOMEM;
	snprintf(block.name, sizeof(block.name), "%s", name);
	snprintf(block.about, sizeof(block.about), "%s", about);
	pcapng_interface(&w, &block);
	if (!written(f, &w))
		return -ENOMEM;
	all = &all[f->ninterfaces];
	*all = (struct interface){ 0 };
	snprintf(all->name, sizeof(all->name), "%s", name);
	return (int)f->ninterfaces++;
}

int capture_file_interface(struct capture_file *f, const char *net, const char *port, const char *about)
{
	char name[PCAPNG_NAME_TEXT];

	snprintf(name, sizeof(name), "%s/%s", net, port);
	for (unsigned i = 0; i < f->ninterfaces; i++)
		if (!strcmp(f->interfaces[i].name, name))
			return (int)i;
	return add_interface(f, name, about);
}

/* interface_of() - its index, or -ENOMEM */
static int interface_of(struct capture_file *f, const struct live_port *p)
{
	char name[PCAPNG_NAME_TEXT], about[PCAPNG_COMMENT_TEXT];
	int i = f->of_port[p->id] - 1;

	port_name(p, name);
	if (i >= 0 && !strcmp(f->interfaces[i].name, name))
		return i;
	describe(p, about);
	i = add_interface(f, name, about);
	if (i >= 0)
		f->of_port[p->id] = (uint16_t)(i + 1);
	return i;
}

bool capture_file_port(struct capture_file *f, const struct live_port *p)
{
	return interface_of(f, p) >= 0;
}

/* find_interface() - of a frame's port; one that was removed meanwhile is still in the file */
static int find_interface(struct capture_file *f, uint32_t id)
{
	const struct live_port *p = id < PORT_IDS ? f->engine->by_id[id] : NULL;

	if (p)
		return interface_of(f, p);
	return id < PORT_IDS ? f->of_port[id] - 1 : -ENOENT;
}

/* ---- frames ---- */

static void put_end(char *to, size_t room, struct addr a, uint16_t port)
{
	char text[ADDR_TEXT];

	addr_format(a, text);
	if (port)
		snprintf(to, room, addr_is4(a) ? "%s:%u" : "[%s]:%u", text, port);
	else
		snprintf(to, room, "%s", text);
}

/* comment_outside() - "nat: tcp 198.51.100.1:40000 to 203.0.113.5:443": as whom the world sees the guest, and to whom it speaks */
static void comment_outside(struct pcapng_packet *p, const struct outside *o)
{
	char local[ADDR_TEXT + 8], remote[ADDR_TEXT + 8];

	if (addr_is_none(o->local) || (addr_is4(o->local) && !addr_4(o->local)))
		snprintf(local, sizeof(local), "*:%u", o->local_port);	/* which address it has, the kernel decides for each datagram */
	else
		put_end(local, sizeof(local), o->local, o->local_port);
	put_end(remote, sizeof(remote), o->remote, o->remote_port);
	if (addr_is_none(o->remote))
		pcapng_comment(p, "nat: %s %s", proto_name(o->proto), local);
	else
		pcapng_comment(p, "nat: %s %s to %s", o->proto == IPPROTO_ICMP ? "icmp" : proto_name(o->proto), local, remote);
}

static void comment(struct pcapng_packet *p, const struct sighting *s)
{
	enum verdict v = (enum verdict)s->verdict;

	if (verdict_is_drop(v))
		pcapng_comment(p, "dropped: %s: %s", verdict_name(v), verdict_meaning(v));
	else
		pcapng_comment(p, "%s", s->way == CAPTURE_OUT && v == VERDICT_FORWARDED ? "sent" : verdict_name(v));
	if (s->outside.proto)
		comment_outside(p, &s->outside);
	if (s->vid != VID_DEFAULT && s->vid && s->vid < VID_ALONE_FIRST)
		pcapng_comment(p, "vlan %u", s->vid);
	if (s->gso_type)
		pcapng_comment(p, "to be cut into segments of %u bytes", s->gso_size);
	else if (s->csum)
		pcapng_comment(p, "its checksum is left to the receiver");
}

bool capture_file_put_at(struct capture_file *f, int interface, const struct sighting *s, uint64_t lost)
{
	struct pcapng_packet p = {
		.wall_ns = s->wall_ns, .kept = s->kept, .len = s->len, .bytes = (const uint8_t *)(s + 1), .lost = lost,
		.way = s->way == CAPTURE_IN ? PCAPNG_INBOUND : PCAPNG_OUTBOUND, .interface = (uint32_t)interface,
	};
	struct writer w;

	if (!reserve(f, s->kept + PCAPNG_SLACK, &w))
		return false;
	comment(&p, s);
	pcapng_packet(&w, &p);
	if (!written(f, &w))
		return false;
	f->interfaces[interface].received += 1 + lost;
	f->interfaces[interface].lost += lost;
	return true;
}

bool capture_file_put(struct capture_file *f, const struct sighting *s, uint64_t lost)
{
	int interface = find_interface(f, s->port);

	return interface >= 0 && capture_file_put_at(f, interface, s, lost);
}

void capture_file_end(struct capture_file *f, uint64_t lost)
{
	uint64_t now_ns = clock_ns_of(CLOCK_REALTIME);
	struct writer w;

	if (f->ninterfaces) {
		f->interfaces[0].received += lost;
		f->interfaces[0].lost += lost;
	}
	for (unsigned i = 0; i < f->ninterfaces && reserve(f, PCAPNG_SLACK, &w); i++) {
		struct pcapng_statistics s = {
			.interface = i, .begin_ns = f->begin_ns, .end_ns = now_ns, .received = f->interfaces[i].received,
			.lost = f->interfaces[i].lost,
		};

		pcapng_statistics(&w, &s);
		written(f, &w);
	}
}
