// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/route_get.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* question - a request with room for two addresses and an interface */
struct question {
	struct nlmsghdr h;
	struct rtmsg m;
	uint8_t attributes[96];
};

static void put(struct question *q, uint16_t type, const void *data, uint16_t size)
{
	struct rtattr *a = (struct rtattr *)(void *)((uint8_t *)q + NLMSG_ALIGN(q->h.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	q->h.nlmsg_len = NLMSG_ALIGN(q->h.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static void put_addr(struct question *q, uint16_t type, struct addr a)
{
	bool four = addr_is4(a);

	put(q, type, a.bytes + (four ? 12 : 0), four ? 4 : ADDR_SIZE);	/* a mapped address ends with the IPv4 one */
}

static void read_answer(const struct nlmsghdr *h, struct route_got *got)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	int left = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*m));
	uint32_t index;

	*got = (struct route_got){ .local = m->rtm_type == RTN_LOCAL };
	for (const struct rtattr *a = RTM_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof(index)) {
			memcpy(&index, RTA_DATA(a), sizeof(index));
			if_indextoname(index, got->ifname);
		} else if (a->rta_type == RTA_GATEWAY && RTA_PAYLOAD(a) == ADDR_SIZE) {
			got->via = addr6(RTA_DATA(a));
		} else if (a->rta_type == RTA_GATEWAY && RTA_PAYLOAD(a) == 4) {
			memcpy(&index, RTA_DATA(a), sizeof(index));
			got->via = addr4(ntohl(index));
		}
	}
}

/* refusal() - of a route that is there to say no (rtnetlink(7)); 0 of one that leads on */
static int refusal(const struct nlmsghdr *h)
{
	const struct rtmsg *m = NLMSG_DATA(h);

	switch (m->rtm_type) {
	case RTN_BLACKHOLE:
		return -EINVAL;
	case RTN_UNREACHABLE:
		return -EHOSTUNREACH;
	case RTN_PROHIBIT:
		return -EACCES;
	default:
		return 0;
	}
}

static int ask(int fd, const struct question *q, struct route_got *got)
{
	union {
		struct nlmsghdr h;
		uint8_t bytes[4096];
	} answer;
	const struct nlmsgerr *e;
	ssize_t n;

	if (send(fd, q, q->h.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	if (!NLMSG_OK(&answer.h, (size_t)n))
		return -EPROTO;
	if (answer.h.nlmsg_type == NLMSG_ERROR) {
		e = NLMSG_DATA(&answer.h);
		return answer.h.nlmsg_len >= NLMSG_LENGTH(sizeof(*e)) && e->error < 0 ? e->error : -EPROTO;
	}
	if (answer.h.nlmsg_type != RTM_NEWROUTE || answer.h.nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg)))
		return -EPROTO;
	read_answer(&answer.h, got);
	return refusal(&answer.h);
}

int route_get(struct addr src, struct addr dst, const char *iif, const char *oif, struct route_got *got)
{
	uint32_t in = iif ? if_nametoindex(iif) : 0, out = *oif ? if_nametoindex(oif) : 0;
	uint8_t bits = addr_is4(dst) ? 32 : 128;
	struct question q = {
		.h = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.m)), .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST },
		.m = { .rtm_family = (unsigned char)addr_family(dst), .rtm_dst_len = bits, .rtm_src_len = addr_is_none(src) ? 0 : bits },
	};
	int fd, rc;

	if ((iif && !in) || (*oif && !out))
		return -ENODEV;
	put_addr(&q, RTA_DST, dst);
	if (!addr_is_none(src))
		put_addr(&q, RTA_SRC, src);
	if (in)
		put(&q, RTA_IIF, &in, sizeof(in));
	if (out)
		put(&q, RTA_OIF, &out, sizeof(out));
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	rc = ask(fd, &q, got);
	close(fd);
	return rc;
}
