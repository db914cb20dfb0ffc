// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tap/packet.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "switch/offload.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/worker.h"

enum {
	OFFLOADS = PORT_CSUM | PORT_TSO4 | PORT_TSO6 | PORT_ECN,
	HEADER = VNET_HEADER_LEGACY,		/* what PACKET_VNET_HDR puts in front */
	STRIDE = 66048,				/* one frame's place in the receive space: header, frame, padding */
	BATCH = 31,				/* places that fit */
	ERRORS_MAX = 1024,			/* frames in a row that cannot be received, of a guest that sends nothing else */
	BAD_TAG_VID = 4095,			/* no port is a member: dropped by classification */
};

_Static_assert(BATCH * STRIDE <= RX_SPACE && STRIDE >= HEADER + FRAME_MAX, "a batch fits the receive space");

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

/* read_tag() - veth leaves the 802.1Q tag in the packet's metadata; put it into the frame's */
static void read_tag(struct frame *f, struct msghdr *m)
{
	struct tpacket_auxdata aux;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
			return;
		f->tag_present = true;
		f->vid = aux.tp_vlan_tci & 0x0fff;
		f->pcp_dei = (uint8_t)(aux.tp_vlan_tci >> 12);
		if (aux.tp_status & TP_STATUS_VLAN_TPID_VALID && aux.tp_vlan_tpid != ETHERTYPE_CTAG)
			f->vid = BAD_TAG_VID;
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
	uint8_t header[HEADER], tag[VLAN_TAG];
	struct iovec iov[FRAME_BODY_MAX + 4];
};

/* sending - one sendmmsg() in the making */
struct sending {
	struct outgoing out[BURST_MAX];
	struct mmsghdr messages[BURST_MAX];
	uint8_t frame[BURST_MAX];		/* which frame of the burst each belongs to */
	unsigned n;
};

static void add(struct sending *s, const struct frame *f, uint16_t tci, unsigned index)
{
	struct outgoing *o = &s->out[s->n];

	offload_write(&f->offload, tci, o->header, sizeof(o->header));
	o->iov[0] = (struct iovec){ o->header, sizeof(o->header) };
	s->messages[s->n] = (struct mmsghdr){ .msg_hdr.msg_iov = o->iov };
	s->messages[s->n].msg_hdr.msg_iovlen = 1 + frame_iov(f, tci, o->tag, o->iov + 1);
	s->frame[s->n++] = (uint8_t)index;
}

/* flush() - send what was gathered. A refused one (ENOBUFS, too long) is skipped, and the rest is offered again.
 * Return: bits of the frames of which something went. */
static uint64_t flush(struct sending *s, int fd)
{
	uint64_t taken = 0;
	unsigned i = 0;

	while (i < s->n) {
		int sent = sendmmsg(fd, s->messages + i, s->n - i, MSG_DONTWAIT);

		for (int j = 0; j < sent; j++)
			taken |= 1ull << s->frame[i + (unsigned)j];
		i += sent > 0 ? (unsigned)sent : 1;
	}
	s->n = 0;
	return taken;
}

static uint64_t packet_tx(struct port_queue *q, struct worker *w, const struct tx_frame *frames, unsigned n,
			  uint64_t *segments)
{
	uint8_t *space = worker_cut_space(w);
	size_t room = OFFLOAD_ROOM;
	struct sending s = { .n = 0 };
	uint64_t taken = 0;

	for (unsigned i = 0; i < n; i++) {
		struct frame *parts;
		unsigned nparts = offload_resolve(frames[i].frame, q->port->offloads, &space, &room, &parts);

		if (!nparts && room < OFFLOAD_ROOM) {	/* the space may just be full */
			taken |= flush(&s, q->fd);
			space = worker_cut_space(w);
			room = OFFLOAD_ROOM;
			nparts = offload_resolve(frames[i].frame, q->port->offloads, &space, &room, &parts);
		}
		for (unsigned j = 0; j < nparts; j++) {
			if (s.n == BURST_MAX)
				taken |= flush(&s, q->fd);
			add(&s, &parts[j], frames[i].tci, i);
		}
		*segments += nparts > 1 ? nparts : 0;
	}
	return taken | flush(&s, q->fd);
}

static void packet_free(struct port *port)
{
	port_fini(port);
	free(port);
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
	struct port *port = calloc(1, sizeof(*port));
	int rc = port ? check(fd) : -ENOMEM;

	if (rc == 0)
		rc = port_init(port, &packet_ops, 1, nworkers);
	if (rc < 0) {
		free(port);
		errno = -rc;
		return NULL;
	}
	port->queues[0].fd = fd;
	port->offloads = OFFLOADS;
	getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &port->rx_room, &(socklen_t){ sizeof(port->rx_room) });
	return port;
}
