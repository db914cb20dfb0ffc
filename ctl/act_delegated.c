// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_delegated.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/array.h"
#include "base/error.h"

enum { ANSWER_ROOM = 32768, WAY_METRIC = 1024 /* as the kernel's own of IPv6 */ };

/* ways - of the host by one interface, or as they are wanted, in order */
struct ways {
	struct host_way *list;
	size_t n, room;
};

/* ---- one request to the kernel ---- */

/* request - a route, and room for its destination, gateway, interface and metric */
struct request {
	struct nlmsghdr h;
	struct rtmsg m;
	uint8_t attributes[80];
};

static void put(struct request *q, uint16_t type, const void *data, uint16_t size)
{
	struct rtattr *a = (struct rtattr *)(void *)((uint8_t *)q + NLMSG_ALIGN(q->h.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(size);
	memcpy(RTA_DATA(a), data, size);
	q->h.nlmsg_len = NLMSG_ALIGN(q->h.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

static struct request request_of(uint16_t type, uint16_t flags, uint8_t kind, const uint8_t prefix[16], uint8_t len, uint32_t metric)
{
	struct request q = {
		.h = { .nlmsg_len = NLMSG_LENGTH(sizeof(q.m)), .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags },
		.m = { .rtm_family = AF_INET6, .rtm_dst_len = len, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = DELEGATED_PROTOCOL, .rtm_type = kind },
	};

	put(&q, RTA_DST, prefix, 16);
	put(&q, RTA_PRIORITY, &metric, sizeof(metric));
	return q;
}

static int route_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return fd < 0 ? -errno : fd;
}

/* ask() - and wait for what the kernel says to it */
static int ask(int fd, const struct request *q)
{
	union {
		struct nlmsghdr h;
		uint8_t bytes[1024];
	} answer;
	const struct nlmsgerr *e = NLMSG_DATA(&answer.h);
	ssize_t n;

	if (send(fd, q, q->h.nlmsg_len, 0) < 0)
		return -errno;
	n = recv(fd, &answer, sizeof(answer), 0);
	if (n < 0)
		return -errno;
	if (!NLMSG_OK(&answer.h, (size_t)n) || answer.h.nlmsg_type != NLMSG_ERROR || answer.h.nlmsg_len < NLMSG_LENGTH(sizeof(*e)))
		return -EPROTO;
	return e->error;
}

static int change_way(int fd, uint16_t type, uint16_t flags, const struct host_way *way, uint32_t ifindex)
{
	struct request q = request_of(type, flags, RTN_UNICAST, way->prefix, way->len, WAY_METRIC);

	put(&q, RTA_GATEWAY, way->via, sizeof(way->via));
	put(&q, RTA_OIF, &ifindex, sizeof(ifindex));
	return ask(fd, &q);
}

/* ---- those that are there ---- */

static int add(struct ways *to, const struct host_way *way)
{
	if (to->n == to->room) {
		size_t room = to->room * 2 + 16;
		struct host_way *more = realloc(to->list, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		to->list = more;
		to->room = room;
	}
	to->list[to->n++] = *way;
	return 0;
}

/* read_route() - Return: is it one of ours, by the interface? */
static bool read_route(const struct nlmsghdr *h, uint32_t ifindex, struct host_way *way)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	int left = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*m));
	uint32_t out = 0;

	*way = (struct host_way){ .len = m->rtm_dst_len };
	for (const struct rtattr *a = RTM_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_DST && RTA_PAYLOAD(a) == sizeof(way->prefix))
			memcpy(way->prefix, RTA_DATA(a), sizeof(way->prefix));
		else if (a->rta_type == RTA_GATEWAY && RTA_PAYLOAD(a) == sizeof(way->via))
			memcpy(way->via, RTA_DATA(a), sizeof(way->via));
		else if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof(out))
			memcpy(&out, RTA_DATA(a), sizeof(out));
	}
	return m->rtm_family == AF_INET6 && m->rtm_protocol == DELEGATED_PROTOCOL && m->rtm_type == RTN_UNICAST && out == ifindex;
}

/* read_answers() - Return: 1 for more to come, 0 behind the last, or negative errno */
static int read_answers(int fd, char *room, uint32_t ifindex, struct ways *to)
{
	ssize_t n = recv(fd, room, ANSWER_ROOM, 0);
	int left = (int)n;
	struct host_way way;

	if (n <= 0)
		return n < 0 && errno != EINTR ? -errno : 1;
	for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)room; left > 0 && NLMSG_OK(h, (unsigned)left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return 0;
		if (h->nlmsg_type == RTM_NEWROUTE && read_route(h, ifindex, &way) && add(to, &way) < 0)
			return -ENOMEM;
	}
	return 1;
}

/* find_ways() - by the interface; the kernel looks for those of our protocol alone where it can */
static int find_ways(int fd, uint32_t ifindex, struct ways *to)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
	} q = {
		{ .nlmsg_len = sizeof(q), .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		{ .rtm_family = AF_INET6, .rtm_protocol = DELEGATED_PROTOCOL },
	};
	char *room = malloc(ANSWER_ROOM);
	int rc = room ? 1 : -ENOMEM, strict = 1;

	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict, sizeof(strict));
	if (room && send(fd, &q, sizeof(q), 0) < 0)
		rc = -errno;
	while (rc > 0)
		rc = read_answers(fd, room, ifindex, to);
	strict = 0;
	setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &strict, sizeof(strict));
	free(room);
	return rc;
}

/* ---- the prefix that all of them are inside of ---- */

/* rest() - what says that the rest of it leads nowhere */
static int rest(int fd, uint16_t type, uint16_t flags, const struct host_change *c)
{
	struct request q;
	struct prefix6 pool;

	if (prefix6_parse(c->after, &pool) < 0)
		return -EINVAL;
	q = request_of(type, flags, RTN_UNREACHABLE, pool.addr.bytes, pool.len, DELEGATED_REST_METRIC);
	return ask(fd, &q);
}

int delegated_begin(const struct host_change *c, struct error *err)
{
	int fd = route_socket(), rc = fd;

	if (fd >= 0) {
		rc = rest(fd, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, c);
		close(fd);
	}
	return rc < 0 ? error_set(err, rc, "cannot route %s: %s", c->after, strerror(-rc)) : 0;
}

int delegated_end(const struct host_change *c)
{
	uint32_t ifindex = if_nametoindex(c->target);
	struct ways is = { .list = NULL };
	int fd, rc, one;

	if (!ifindex && errno != ENODEV)
		return -errno;
	fd = route_socket();
	if (fd < 0)
		return fd;
	rc = ifindex ? find_ways(fd, ifindex, &is) : 0;		/* they went with the interface */
	for (size_t i = 0; i < is.n; i++) {
		one = change_way(fd, RTM_DELROUTE, 0, &is.list[i], ifindex);
		rc = one < 0 && one != -ESRCH ? one : rc;
	}
	one = rest(fd, RTM_DELROUTE, 0, c);
	rc = one < 0 && one != -ESRCH ? one : rc;
	free(is.list);
	close(fd);
	return rc;
}

/* ---- those that are wanted ---- */

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct host_way));
}

/* way_fits() - a part of the pool, by a guest of the interface: the engine may err, the host must not */
static bool way_fits(const struct host_way *way, const struct host_iface *m)
{
	static const uint8_t zero[sizeof(way->zero)];
	struct prefix6 pool = { addr6(m->pool6), m->pool6_len }, to = { addr6(way->prefix), way->len };
	struct addr via = addr6(way->via), own = addr6(m->addr6);

	return way->len >= m->pool6_len && way->len <= 64 && !memcmp(way->zero, zero, sizeof(zero)) && addr_in(pool, to.addr) &&
	       addr_in(to, to.addr) && (addr_is_link_local(via) || addr_in(prefix6_of(own, m->len6), via)) && !addr_equal(via, own);
}

/* read_ways() - a copy of what @fd has: the engine can still write there */
static int read_ways(const struct host_delegated *m, const struct host_iface *iface, int fd, struct ways *to)
{
	size_t size = m->n * sizeof(*to->list);

	to->list = malloc(size + 1);
	if (!to->list)
		return -ENOMEM;
	to->n = to->room = m->n;
	if (pread(fd, to->list, size, 0) != (ssize_t)size)
		return -EPROTO;
	for (size_t i = 0; i < to->n; i++)
		if (!way_fits(&to->list[i], iface))
			return -EPROTO;
	if (to->n)
		qsort(to->list, to->n, sizeof(*to->list), by_bytes);
	return 0;
}

static bool is_among(const struct ways *list, const struct host_way *way)
{
	return list->n && bsearch(way, list->list, list->n, sizeof(*way), by_bytes);
}

/* change_all() - from those that are there to those that are wanted; Return: how many the kernel refused */
static uint32_t change_all(int fd, struct ways *is, const struct ways *wanted, uint32_t ifindex, struct host_reply *r)
{
	uint32_t refused = 0;
	char ip[INET6_ADDRSTRLEN];

	if (is->n)
		qsort(is->list, is->n, sizeof(*is->list), by_bytes);
	for (size_t i = 0; i < is->n; i++)
		if (!is_among(wanted, &is->list[i]))
			change_way(fd, RTM_DELROUTE, 0, &is->list[i], ifindex);
	for (size_t i = 0; i < wanted->n; i++) {
		const struct host_way *way = &wanted->list[i];
		int rc = is_among(is, way) ? 0 : change_way(fd, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, way, ifindex);

		if (rc < 0 && !refused++)
			snprintf(r->message, sizeof(r->message), "%s/%u: %s", inet_ntop(AF_INET6, way->prefix, ip, sizeof(ip)), way->len, strerror(-rc));
	}
	return refused;
}

int delegated_tell(const struct host_delegated *m, const struct act_about *h, struct host_reply *r)
{
	const struct host_iface *iface = h->request;
	uint32_t ifindex = if_nametoindex(iface->ifname);
	struct ways is = { .list = NULL }, wanted = { .list = NULL };
	struct error err = { .rc = 0 };
	int fd = route_socket(), rc = fd < 0 ? fd : ifindex ? 0 : -ENODEV;

	if (rc == 0)
		rc = read_ways(m, iface, h->fd, &wanted);
	if (rc == 0)
		rc = find_ways(fd, ifindex, &is);
	if (rc == 0)
		r->value = change_all(fd, &is, &wanted, ifindex, r);
	free(is.list);
	free(wanted.list);
	if (fd >= 0)
		close(fd);
	if (rc == 0)
		return 0;
	error_set(&err, rc, "cannot route what is delegated by %s: %s", iface->ifname, strerror(-rc));
	return act_refuse(r, rc, &err);
}
