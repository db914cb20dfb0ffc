// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/udp_batch.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "nat/neterror.h"
#include "nat/shard.h"
#include "nat/udp.h"
#include "switch/packet.h"

enum { SEGMENTS = 64 /* UDP_MAX_SEGMENTS of older kernels */, EACH_MAX = 8960, ROOM = 65000 };

/* udp_batch - the shard's train; no flow: none pending */
struct udp_batch {
	struct flow *flow;
	struct addr dst;
	uint16_t port;
	uint8_t ttl, flags;		/* as the guest sent them */
	uint32_t each, size, n;		/* bytes of the first, of all; how many */
	uint8_t data[ROOM];
};

int udp_send(int fd, const union sock_addr *to, const uint8_t *data, uint32_t size, uint16_t gso_size)
{
	struct iovec iov = { (void *)(uintptr_t)data, size };
	union {
		char space[CMSG_SPACE(sizeof(uint16_t))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct msghdr msg = {
		.msg_name = (void *)(uintptr_t)to, .msg_iov = &iov, .msg_iovlen = 1,
		.msg_namelen = to->any.sa_family == AF_INET ? sizeof(to->in4) : sizeof(to->in6),
	};

	if (gso_size && size > gso_size) {
		struct cmsghdr *c = &control.align;

		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		c->cmsg_level = IPPROTO_UDP;
		c->cmsg_type = UDP_SEGMENT;
		c->cmsg_len = CMSG_LEN(sizeof(gso_size));
		memcpy(CMSG_DATA(c), &gso_size, sizeof(gso_size));
	}
	return sendmsg(fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* one_by_one() - Return: how many were not sent */
static uint32_t one_by_one(const struct udp_batch *b, int fd, const union sock_addr *to)
{
	uint32_t lost = 0;

	for (uint32_t at = 0; at < b->size; at += b->each)
		lost += udp_send(fd, to, b->data + at, MIN_OF(b->each, b->size - at), 0) < 0;
	return lost;
}

void udp_batch_flush(struct nat_shard *s)
{
	struct udp_batch *b = s->batch;
	struct flow *f = b ? b->flow : NULL;
	union sock_addr to;
	uint32_t lost = 0;
	int rc;

	if (!f)
		return;
	b->flow = NULL;
	addr_to_sock(b->dst, b->port, &to);
	rc = udp_send(f->watch.fd, &to, b->data, b->size, (uint16_t)b->each);
	if (rc < 0 && rc != -EAGAIN && rc != -ENOBUFS) {
		neterror_tell(f, NULL);		/* a send reports the error of an earlier one, and does nothing */
		f->udp.alone |= rc == -EINVAL || rc == -EIO || rc == -EMSGSIZE;
		lost = one_by_one(b, f->watch.fd, &to);
	} else if (rc < 0) {
		lost = b->n;
	}
	counter_add(&s->counts.lost, lost);
}

void udp_batch_flush_of(const struct flow *f)
{
	if (f->shard->batch && f->shard->batch->flow == f)
		udp_batch_flush(f->shard);
}

static uint8_t ip_flags(const struct packet *p)
{
	return packet_is_ip6(p) ? 0 : p->data[ETH_HEADER + 6];
}

static bool fits(const struct udp_batch *b, const struct flow *f, const struct packet *p, struct addr dst, uint32_t size)
{
	return b && b->flow == f && b->port == p->dport && addr_equal(b->dst, dst) && b->ttl == p->ttl && b->flags == ip_flags(p) &&
	       size <= b->each;
}

static struct udp_batch *begin(struct flow *f, const struct packet *p, struct addr dst, uint32_t size)
{
	struct nat_shard *s = f->shard;
	struct udp_batch *b = s->batch;

	if (!b)
		b = s->batch = malloc(sizeof(*b));
	if (!b)
		return NULL;
	b->flow = f;
	b->dst = dst;
	b->port = p->dport;
	b->ttl = p->ttl;
	b->flags = ip_flags(p);
	b->each = size;
	b->size = b->n = 0;
	return b;
}

bool udp_batch_put(struct flow *f, const struct packet *p, struct addr dst, bool routed)
{
	uint32_t size = packet_payload_len(p);
	struct udp_batch *b = f->shard->batch;
	bool first = !f->working;

	if (!size || !fits(b, f, p, dst, size)) {
		udp_batch_flush(f->shard);
		flow_defer(f);
		if (first || f->udp.alone || !size || size > EACH_MAX)
			return false;
		sock_follow(f->watch.fd, &f->udp.manner, p, routed);
		b = begin(f, p, dst, size);
		if (!b)
			return false;
	}
	memcpy(b->data + b->size, packet_payload(p), size);
	b->size += size;
	b->n++;
	if (size < b->each || b->n == SEGMENTS || b->size + b->each > ROOM)
		udp_batch_flush(f->shard);
	return true;
}
