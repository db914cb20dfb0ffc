// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tap/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/bytes.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/worker.h"
#include "tap/kernel.h"

enum {
	OFFLOADS = PORT_CSUM | PORT_TSO4 | PORT_TSO6 | PORT_ECN,
	HEADER = VNET_HEADER_LEGACY,		/* what PACKET_VNET_HDR puts in front */
	ADDRESSES = 12,
	STRIDE = 66048,				/* one frame's place in the receive space: header, frame, padding */
	BATCH = 31,				/* places that fit */
	ERRORS_MAX = 1024,			/* frames in a row that cannot be received, of a guest that sends nothing else */
	REFUSED_MS = 1000,			/* so long a kind of large frames is cut that the interface did not take */
};

_Static_assert(BATCH * STRIDE <= RX_SPACE && STRIDE >= HEADER + FRAME_MAX, "a batch fits the receive space");

/* A TAP whose VMM has not asked for large frames refuses them from a socket that sends past the queueing layer (ENOBUFS, as where it
 * has no room). What the VMM asks for changes with its guest, so it is found out by trying. */
struct packet_port {
	struct port port;
	uint32_t refused;		/* enum port_offload; by whoever has the transmit lock */
	uint64_t refused_until_ms;
};

static struct packet_port *packet_of(struct port *port)
{
	return container_of(port, struct packet_port, port);
}

/* batch - the arguments of one recvmmsg() */
struct batch {
	struct mmsghdr messages[BATCH];
	struct iovec iov[BATCH];
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control[BATCH];
};

static void batch_init(struct batch *b, uint8_t *space, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		b->iov[i] = (struct iovec){ space + (size_t)i * STRIDE, HEADER + FRAME_MAX };
		b->messages[i].msg_hdr = (struct msghdr){
			.msg_iov = &b->iov[i], .msg_iovlen = 1,
			.msg_control = &b->control[i], .msg_controllen = sizeof(b->control[i]),
		};
	}
}

/* put_back() - a service tag goes where it was: in front of the frame is the vnet header, which has been read */
static void put_back(struct frame *f, const struct tpacket_auxdata *aux)
{
	f->head -= VLAN_TAG;
	f->head_len += VLAN_TAG;
	f->len += VLAN_TAG;
	memmove(f->head, f->head + VLAN_TAG, ADDRESSES);
	put_u16(f->head + ADDRESSES, aux->tp_vlan_tpid);
	put_u16(f->head + ADDRESSES + 2, aux->tp_vlan_tci);
	f->offload.csum_start += VLAN_TAG;
}

/* read_tag() - veth leaves a tag in the packet's metadata; put it into the frame's */
static void read_tag(struct frame *f, struct msghdr *m)
{
	struct tpacket_auxdata aux;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
			return;
		if (aux.tp_status & TP_STATUS_VLAN_TPID_VALID && aux.tp_vlan_tpid != ETHERTYPE_CTAG) {
			put_back(f, &aux);
			return;
		}
		f->tag_present = true;
		f->vid = aux.tp_vlan_tci & 0x0fff;
		f->pcp_dei = (uint8_t)(aux.tp_vlan_tci >> 12);
	}
}

/* after_error() - Return: 0 when more may wait behind what went wrong, or negative errno
 * The kernel reports ENETDOWN once when the interface goes down and when it is deleted; then it is no longer bound. EINVAL is one
 * frame that the vnet header cannot tell of: UDP segments and SCTP, which Linux before 6.2 hands us from a veth. */
static int after_error(const struct port_queue *q, int err)
{
	struct sockaddr_ll at = { 0 };
	socklen_t size = sizeof(at);

	if (err == EINTR || err == EINVAL)
		return 0;
	if (err == ENETDOWN && getsockname(q->fd, (struct sockaddr *)&at, &size) == 0 && at.sll_ifindex > 0)
		return 0;
	return -err;
}

/* receive() - the next batch, past what cannot be received; 0 when nothing waits: no edge would tell of what still does */
static int receive(const struct port_queue *q, struct batch *b, uint8_t *space, unsigned want)
{
	for (unsigned tries = 0; tries < ERRORS_MAX; tries++) {
		int got, rc;

		batch_init(b, space, want);
		got = recvmmsg(q->fd, b->messages, want, MSG_DONTWAIT, NULL);
		if (got >= 0)
			return got;
		if (errno == EAGAIN)
			return 0;
		rc = after_error(q, errno);
		if (rc < 0)
			return rc;
	}
	return 0;	/* a flood of such frames, whose next one makes an edge */
}

static int packet_rx(struct port_queue *q, struct rx_space *space, struct frame *frames, unsigned n)
{
	struct batch b;
	unsigned used = 0;
	int got = receive(q, &b, space->data, n < BATCH ? n : BATCH);

	for (int i = 0; i < got; i++) {
		struct frame *f = &frames[used];
		uint8_t *at = b.iov[i].iov_base;

		if (b.messages[i].msg_len <= HEADER)
			continue;
		frame_init(f, at + HEADER, b.messages[i].msg_len - HEADER);
		offload_read(&f->offload, at);
		read_tag(f, &b.messages[i].msg_hdr);
		used++;
	}
	return got < 0 ? got : (int)used;
}

/* outgoing - one frame's pieces for sendmmsg() */
struct outgoing {
	uint8_t header[HEADER], tags[TAGS_MAX];
	struct iovec iov[FRAME_BODY_MAX + 4];
};

/* sending - one sendmmsg() in the making */
struct sending {
	struct worker *w;
	const struct tx_frame *burst;
	struct outgoing out[BURST_MAX];
	struct mmsghdr messages[BURST_MAX];
	uint8_t frame[BURST_MAX];		/* which frame of the burst each belongs to */
	unsigned n;
	uint8_t *space;				/* where segments' headers go */
	size_t room;
	uint64_t *segments;
};

static void space_init(struct sending *s)
{
	s->space = worker_cut_space(s->w);
	s->room = OFFLOAD_ROOM;
}

static void prepare(struct outgoing *o, struct mmsghdr *m, const struct frame *f, const struct tx_frame *tx)
{
	uint32_t size = tx_tags(tx, o->tags);

	offload_write(&f->offload, size, o->header, sizeof(o->header));
	o->iov[0] = (struct iovec){ o->header, sizeof(o->header) };
	*m = (struct mmsghdr){ .msg_hdr.msg_iov = o->iov };
	m->msg_hdr.msg_iovlen = 1 + frame_iov(f, o->tags, size, o->iov + 1);
}

static void add(struct sending *s, const struct frame *f, const struct tx_frame *tx, unsigned index)
{
	prepare(&s->out[s->n], &s->messages[s->n], f, tx);
	s->frame[s->n++] = (uint8_t)index;
}

/* gso_kind() - the enum port_offload that a frame needs to stay large; 0: it is not */
static uint32_t gso_kind(const struct offload *o)
{
	switch (o->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return 0;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return PORT_TSO4;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return PORT_TSO6;
	default:
		return PORT_USO;
	}
}

/* send_cut() - a large frame that was refused, in segments. When they are taken, the next ones of its kind are cut at once. */
static bool send_cut(struct packet_port *p, struct sending *s, const struct tx_frame *tx)
{
	uint32_t kind = gso_kind(&tx->frame->offload);
	struct outgoing o;
	struct frame *parts;
	unsigned n = kind ? offload_resolve(tx->frame, p->port.offloads & ~kind, &s->space, &s->room, &parts) : 0, sent = 0;

	while (sent < n) {
		struct mmsghdr m;

		prepare(&o, &m, &parts[sent], tx);
		if (sendmsg(p->port.queues[0].fd, &m.msg_hdr, MSG_DONTWAIT) < 0)
			break;
		sent++;
	}
	if (!sent)
		return false;
	*s->segments += sent;
	p->refused |= kind;
	p->refused_until_ms = worker_now_ms(s->w) + REFUSED_MS;
	return true;
}

/* flush() - send what was gathered. A refused one (ENOBUFS, too long) is skipped, and the rest is offered again.
 * Return: bits of the frames of which something went. */
static uint64_t flush(struct packet_port *p, struct sending *s)
{
	uint64_t taken = 0;
	unsigned i = 0;

	while (i < s->n) {
		int sent = sendmmsg(p->port.queues[0].fd, s->messages + i, s->n - i, MSG_DONTWAIT);

		if (sent < 0 && errno == ENOBUFS)
			taken |= (uint64_t)send_cut(p, s, &s->burst[s->frame[i]]) << s->frame[i];
		for (int j = 0; j < sent; j++)
			taken |= 1ull << s->frame[i + (unsigned)j];
		i += sent > 0 ? (unsigned)sent : 1;
	}
	s->n = 0;
	return taken;
}

/* offloads_now() - what the interface takes as it is, as far as is known */
static uint32_t offloads_now(struct packet_port *p, struct worker *w)
{
	if (p->refused && worker_now_ms(w) >= p->refused_until_ms)
		p->refused = 0;
	return p->port.offloads & ~p->refused;
}

static uint64_t packet_tx(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n,
			  uint64_t *segments)
{
	struct packet_port *p = packet_of(q->port);
	uint32_t offloads = offloads_now(p, w);
	struct sending s;
	uint64_t taken = 0;

	s.w = w;
	s.burst = frames;
	s.segments = segments;
	s.n = 0;
	space_init(&s);
	for (unsigned i = 0; i < n; i++) {
		struct frame *parts;
		unsigned nparts = offload_resolve(frames[i].frame, offloads, &s.space, &s.room, &parts);

		if (!nparts && s.room < OFFLOAD_ROOM) {	/* the space may just be full */
			taken |= flush(p, &s);
			space_init(&s);
			nparts = offload_resolve(frames[i].frame, offloads, &s.space, &s.room, &parts);
		}
		for (unsigned j = 0; j < nparts; j++) {
			if (s.n == BURST_MAX)
				taken |= flush(p, &s);
			add(&s, &parts[j], &frames[i], i);
		}
		*segments += nparts > 1 ? nparts : 0;
	}
	return taken | flush(p, &s);
}

static void packet_free(struct port *port)
{
	port_fini(port);
	free(packet_of(port));
}

static const struct port_ops packet_ops = { .kind = "packet", .rx = packet_rx, .tx = packet_tx, .free = packet_free };

/* A descriptor that a client passed could be anything: ask the kernel what it is. */
static int check(int fd)
{
	struct sockaddr_ll at = { 0 };
	socklen_t size = sizeof(at);
	int domain = 0, type = 0, vnet = 0, aux = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &(socklen_t){ sizeof(domain) }) < 0 || domain != AF_PACKET ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){ sizeof(type) }) < 0 || type != SOCK_RAW)
		return -EINVAL;
	if (getsockname(fd, (struct sockaddr *)&at, &size) < 0 || at.sll_ifindex <= 0)
		return -EINVAL;
	if (getsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &vnet, &(socklen_t){ sizeof(vnet) }) < 0 || !vnet ||
	    getsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &aux, &(socklen_t){ sizeof(aux) }) < 0 || !aux)
		return -EINVAL;
	return fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0 ? -errno : 0;
}

struct port *packet_new(int fd, unsigned nworkers)
{
	struct packet_port *p = calloc(1, sizeof(*p));
	int rc = p ? check(fd) : -ENOMEM;

	if (rc == 0)
		rc = port_init(&p->port, &packet_ops, 1, nworkers);
	if (rc < 0) {
		free(p);
		errno = -rc;
		return NULL;
	}
	p->port.queues[0].fd = fd;
	p->port.offloads = OFFLOADS | (kernel_has_uso() ? PORT_USO : 0);
	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &p->port.rx_room, &(socklen_t){ sizeof(p->port.rx_room) });
	return &p->port;
}
