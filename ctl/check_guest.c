// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/check_guest.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "switch/build.h"
#include "switch/nd.h"

int guest_open(struct check_guest *g, const char *attach_path, const char *place, const char *port, struct error *err)
{
	struct segment_name where;
	int pair[2], rc;

	memset(g, 0, sizeof(*g));
	g->fd = g->theirs = -1;
	g->len = 32;
	rc = segment_words_parse(place, &where, err);
	if (rc < 0)
		return rc;
	snprintf(g->place, sizeof(g->place), "%s", place);
	snprintf(g->name.net, sizeof(g->name.net), "%s", where.net);
	snprintf(g->name.port, sizeof(g->name.port), "%s", port);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return error_set(err, -errno, "%s/%s: no socket: %s", where.net, port, strerror(errno));
	g->fd = pair[0];
	g->theirs = pair[1];
	attachment_init(&g->attach, attach_path, &g->name, "", "stream", g->theirs);
	g->attach.vid = where.vid > 1 ? where.vid : 0;
	return 0;
}

void guest_close(struct check_guest *g)
{
	if (g->fd < 0)
		return;
	attachment_fini(&g->attach);
	g->attach.state = ATTACH_AWAY;
	close(g->fd);
	close(g->theirs);
	g->fd = g->theirs = -1;
}

void guest_send(struct check_guest *g, const uint8_t *frame, uint32_t size)
{
	uint8_t length[4];
	struct iovec iov[2] = { { length, sizeof(length) }, { (void *)(uintptr_t)frame, size } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t n;

	put_u32(length, size);
	n = sendmsg(g->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n >= 0 && (size_t)n < sizeof(length) + size)
		shutdown(g->fd, SHUT_WR);	/* half a frame: what follows would not be understood */
}

void guest_fill(struct check_guest *g)
{
	ssize_t n = recv(g->fd, g->in + g->have, sizeof(g->in) - g->have, MSG_DONTWAIT);

	if (n > 0)
		g->have += (size_t)n;
}

const uint8_t *guest_next(struct check_guest *g, uint32_t *size)
{
	static uint8_t frame[GUEST_FRAME_MAX];

	if (g->have < 4)
		return NULL;
	*size = get_u32(g->in);
	if (*size > GUEST_FRAME_MAX) {
		g->have = 0;		/* the daemon sends no such frame: this is not its stream any more */
		return NULL;
	}
	if (g->have < 4 + *size)
		return NULL;
	memcpy(frame, g->in + 4, *size);
	g->have -= 4 + *size;
	memmove(g->in, g->in + 4 + *size, g->have);
	return frame;
}

/* --- neighbours ------------------------------------------------------------------------------------------ */

const uint8_t *guest_neighbour(const struct check_guest *g, uint32_t ip)
{
	for (unsigned i = 0; i < g->nneighbours; i++)
		if (g->neighbours[i].ip == ip)
			return g->neighbours[i].mac;
	return NULL;
}

static void note_neighbour(struct check_guest *g, uint32_t ip, const uint8_t *mac)
{
	unsigned i = 0;

	while (i < g->nneighbours && g->neighbours[i].ip != ip)
		i++;
	if (i == GUEST_NEIGHBOURS)
		return;
	if (i == g->nneighbours)
		g->nneighbours++;
	g->neighbours[i].ip = ip;
	memcpy(g->neighbours[i].mac, mac, MAC_SIZE);
}

void guest_answer_arp(struct check_guest *g, const uint8_t *data, uint32_t size)
{
	uint8_t frame[64];
	struct packet p;

	if (packet_parse_arp(data, size, &p) != VERDICT_FORWARDED || !memcmp(data + MAC_SIZE, g->mac, MAC_SIZE))
		return;
	if (p.arp_op == ARP_REPLY && !memcmp(data, g->mac, MAC_SIZE))
		note_neighbour(g, addr_4(p.src), data + ETH_HEADER + 8);
	if (p.arp_op != ARP_REQUEST || addr_is_none(g->ip) || !addr_equal(p.dst, g->ip))
		return;
	guest_send(g, frame, build_arp(frame, ARP_REPLY, g->mac, addr_4(g->ip), data + ETH_HEADER + 8, addr_4(p.src),
				       data + MAC_SIZE));
}

void guest_announce(struct check_guest *g)
{
	static const struct addr all_nodes = { .bytes = { 0xff, 2, [15] = 1 } };
	uint8_t frame[ND_NEIGHBOUR_SIZE], mac[MAC_SIZE];

	nd_link_multicast(all_nodes, mac);
	guest_send(g, frame, nd_build_advertisement(frame, mac, g->mac, all_nodes, g->ip6, ND_OVERRIDE));
}

bool guest_answer_nd(struct check_guest *g, const struct packet *p)
{
	uint8_t frame[ND_NEIGHBOUR_SIZE];
	struct nd nd;

	if (!nd_is(p))
		return false;
	if (nd_parse(p, &nd) != VERDICT_FORWARDED || nd.type != ND_NEIGHBOUR_SOLICITATION || addr_is_none(g->ip6))
		return true;
	if (!addr_equal(nd.target, g->ip6) && !addr_equal(nd.target, addr_link_local(g->mac)))
		return true;
	if (!addr_is_none(p->src))
		guest_send(g, frame, nd_build_advertisement(frame, p->data + MAC_SIZE, g->mac, p->src, nd.target,
							    ND_SOLICITED | ND_OVERRIDE));
	return true;
}
