// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/host_routes.h"

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

enum { ANSWER_ROOM = 32768 };		/* the kernel fills no message of a dump beyond this */

struct search {
	struct prefix4 prefix;
	const char *except;
	struct host_route *found;
	bool any;
	bool leads_out;			/* the default route is sought, and nothing else */
	uint32_t metric;
};

static bool overlap(struct prefix4 a, struct prefix4 b)
{
	return a.len <= b.len ? prefix4_has(a, b.addr) : prefix4_has(b, a.addr);
}

/* read_route() - Return: is it one that leads somewhere? */
static bool read_route(const struct nlmsghdr *h, struct host_route *r, uint32_t *metric)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	int left = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*m));

	*r = (struct host_route){ .prefix.len = m->rtm_dst_len };
	*metric = 0;
	if (m->rtm_family != AF_INET || m->rtm_type == RTN_BROADCAST || m->rtm_type == RTN_MULTICAST)
		return false;
	for (const struct rtattr *a = RTM_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		uint32_t word;

		if (RTA_PAYLOAD(a) != sizeof(word))
			continue;
		memcpy(&word, RTA_DATA(a), sizeof(word));
		if (a->rta_type == RTA_DST)
			r->prefix.addr = ntohl(word);
		else if (a->rta_type == RTA_PRIORITY)
			*metric = word;
		else if (a->rta_type == RTA_OIF)
			if_indextoname(word, r->ifname);
	}
	return true;
}

/* look_for_default() - of the main table; others are for some traffic only */
static void look_for_default(struct search *s, const struct nlmsghdr *h, const struct host_route *r, uint32_t metric)
{
	const struct rtmsg *m = NLMSG_DATA(h);

	if (r->prefix.len || m->rtm_table != RT_TABLE_MAIN || !r->ifname[0] || (s->any && metric >= s->metric))
		return;
	*s->found = *r;
	s->metric = metric;
	s->any = true;
}

static void look_at(struct search *s, const struct nlmsghdr *h)
{
	struct host_route r;
	uint32_t metric;

	if (h->nlmsg_type != RTM_NEWROUTE || !read_route(h, &r, &metric))
		return;
	if (s->leads_out)
		look_for_default(s, h, &r, metric);
	if (s->leads_out || !r.prefix.len || !overlap(s->prefix, r.prefix))
		return;
	if (s->except && !strcmp(r.ifname, s->except))
		return;
	if (!s->any || r.prefix.len > s->found->prefix.len)
		*s->found = r;
	s->any = true;
}

/* read_answers() - Return: was that the last of them? */
static bool read_answers(int fd, char *room, struct search *s)
{
	ssize_t n = recv(fd, room, ANSWER_ROOM, 0);
	int left = (int)n;

	if (n <= 0)
		return !(n < 0 && errno == EINTR);
	for (struct nlmsghdr *h = (struct nlmsghdr *)(void *)room; left > 0 && NLMSG_OK(h, (unsigned)left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return true;
		look_at(s, h);
	}
	return false;
}

/* A kernel that does not answer has nothing to compare with. */
static bool find(struct search *s)
{
	struct {
		struct nlmsghdr head;
		struct rtmsg route;
	} ask = {
		{ .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)), .nlmsg_type = RTM_GETROUTE, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		{ .rtm_family = AF_INET },
	};
	char *room = malloc(ANSWER_ROOM);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (room && fd >= 0 && send(fd, &ask, sizeof(ask), 0) == sizeof(ask))
		while (!read_answers(fd, room, s))
			;
	if (fd >= 0)
		close(fd);
	free(room);
	return s->any;
}

bool host_routes_find(struct prefix4 prefix, const char *except, struct host_route *found)
{
	struct search s = { .prefix = prefix, .except = except, .found = found };

	return find(&s);
}

bool host_routes_default(char ifname[16])
{
	struct host_route found;
	struct search s = { .found = &found, .leads_out = true };

	if (!find(&s))
		return false;
	memcpy(ifname, found.ifname, sizeof(found.ifname));
	return true;
}

bool host_routes_free(struct prefix4 prefix)
{
	struct host_route found;

	return !host_routes_find(prefix, NULL, &found);
}
