// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/check_host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/own_addr.h"
#include "ctl/check.h"
#include "ctl/check_trial.h"
#include "ctl/host.h"

enum { BACKLOG = 16, RESIDUE_MAX = 256 * 1024, TRIES = 16 };

/* --- addresses ------------------------------------------------------------------------------------------- */

static bool is_ordinary(struct addr a)
{
	return addr_4(a) && !addr_is_loopback(a) && !addr_is_link_local(a);
}

static bool is_in(const void *subnet, struct addr a)
{
	return is_ordinary(a) && prefix4_has(*(const struct prefix4 *)subnet, addr_4(a));
}

/* is_gateway() - of a network: guests of others are not to reach it, so it stands for none of the host's own */
static bool is_gateway(struct addr a)
{
	struct ifaddrs *list;
	bool found = false;

	if (getifaddrs(&list) < 0)
		return false;
	for (const struct ifaddrs *i = list; i && !found; i = i->ifa_next)
		found = !strncmp(i->ifa_name, HOST_IFACE_PREFIX, strlen(HOST_IFACE_PREFIX)) && i->ifa_addr &&
			i->ifa_addr->sa_family == addr_family(a) && addr_equal(addr_from_sock((const union sock_addr *)i->ifa_addr), a);
	freeifaddrs(list);
	return found;
}

static bool is_elsewhere(const void *subnet, struct addr a)
{
	return is_ordinary(a) && !prefix4_has(*(const struct prefix4 *)subnet, addr_4(a)) && !is_gateway(a);
}

struct addr check_host_address_in(struct prefix4 subnet)
{
	return own_addr_of_interface(AF_INET, is_in, &subnet);
}

struct addr check_host_own_address(struct prefix4 except)
{
	return own_addr_find(AF_INET, is_elsewhere, &except);
}

static bool is_elsewhere6(const void *subnet, struct addr a)
{
	const struct prefix6 *p = subnet;

	return !addr_is_none(a) && !addr_is_loopback(a) && !addr_is_link_local(a) && !(p->len && addr_in(*p, a)) && !is_gateway(a);
}

struct addr check_host_own_address6(struct prefix6 except)
{
	return own_addr_find(AF_INET6, is_elsewhere6, &except);
}

bool check_host_has(struct addr a)
{
	int fd = socket(addr_family(a), SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union sock_addr at;
	socklen_t size = addr_to_sock(a, 0, &at);
	bool has = fd >= 0 && bind(fd, &at.any, size) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

/* --- listeners ------------------------------------------------------------------------------------------- */

static int open_at(struct addr at, uint16_t port, int type)
{
	int fd = socket(addr_family(at), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	union sock_addr to;
	socklen_t size = addr_to_sock(at, port, &to);

	if (fd >= 0 && bind(fd, &to.any, size) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static uint16_t port_of(int fd)
{
	union sock_addr at;
	socklen_t room = sizeof(at);

	return getsockname(fd, &at.any, &room) == 0 ? sock_addr_port(&at) : 0;
}

/* open_both() - one port of the kernel's choice for TCP, and the same for UDP */
static bool open_both(struct addr at, struct host_listener *l)
{
	for (unsigned i = 0; i < TRIES; i++) {
		l->tcp = open_at(at, 0, SOCK_STREAM);
		if (l->tcp < 0)
			return false;
		l->port = port_of(l->tcp);
		l->udp = open_at(at, l->port, SOCK_DGRAM);
		if (l->udp >= 0)
			return true;
		close(l->tcp);
	}
	return false;
}

const struct host_listener *check_host_listen(struct check_host *h, struct addr at)
{
	struct host_listener *l = &h->listeners[h->nlisteners];

	if (h->nlisteners == HOST_LISTENERS || !open_both(at, l))
		return NULL;
	l->at = at;
	if (listen(l->tcp, BACKLOG) < 0) {
		close(l->tcp);
		close(l->udp);
		return NULL;
	}
	h->nlisteners++;
	return l;
}

uint16_t check_host_free_port(struct addr at)
{
	struct host_listener l;

	if (!open_both(at, &l))
		return 0;
	close(l.tcp);
	close(l.udp);
	return l.port;
}

uint16_t check_host_free_pair(struct addr at)
{
	for (unsigned i = 0; i < TRIES; i++) {
		uint16_t port = check_host_free_port(at);
		int next = port && port < UINT16_MAX ? open_at(at, (uint16_t)(port + 1), SOCK_STREAM) : -1;

		if (next < 0)
			continue;
		close(next);
		return port;
	}
	return 0;
}

static void serve_listener(const struct host_listener *l)
{
	uint8_t data[TRIAL_PAYLOAD];
	union sock_addr from;
	socklen_t size = sizeof(from);
	int fd = accept4(l->tcp, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	ssize_t n = recvfrom(l->udp, data, sizeof(data), MSG_DONTWAIT, &from.any, &size);

	if (fd >= 0)
		close(fd);
	if (n > (ssize_t)strlen(TRIAL_WORD) && !memcmp(data, TRIAL_WORD, strlen(TRIAL_WORD)))
		sendto(l->udp, data, (size_t)n, MSG_DONTWAIT, &from.any, size);
}

static void serve_sniffer(struct check *c)
{
	uint8_t data[512];
	ssize_t n = recv(c->host.sniffer, data, sizeof(data), MSG_DONTWAIT);
	struct trial *t = n > 0 ? trial_of(c, data, (size_t)n) : NULL;

	if (t && !t->to)
		trial_arrived(t);
}

void check_host_serve(struct check *c)
{
	for (unsigned i = 0; i < c->host.nlisteners; i++)
		serve_listener(&c->host.listeners[i]);
	if (c->host.sniffer >= 0)
		serve_sniffer(c);
}

/* --- trials ---------------------------------------------------------------------------------------------- */

short check_host_trial_events(const struct trial *t)
{
	return t->kind == TRIAL_HOST_TCP && !t->answered ? POLLOUT : POLLIN;
}

/* open_trial() - from t->src where it is given, for that is what is tried */
static void open_trial(struct trial *t)
{
	bool tcp = t->kind == TRIAL_HOST_TCP;
	union sock_addr at;
	socklen_t size;

	t->fd = socket(addr_family(t->dst), (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd < 0) {
		trial_ended(t, TRIAL_REFUSED, "%s", strerror(errno));
		return;
	}
	size = addr_to_sock(t->src, 0, &at);
	if (!addr_is_none(t->src) && bind(t->fd, &at.any, size) < 0)
		trial_ended(t, TRIAL_REFUSED, "%s", strerror(errno));
	size = addr_to_sock(t->dst, t->dport, &at);
	if (connect(t->fd, &at.any, size) < 0 && errno != EINPROGRESS)
		trial_ended(t, TRIAL_REFUSED, "%s", strerror(errno));
}

void check_host_trial_send(struct trial *t)
{
	if (t->fd < 0)
		open_trial(t);
	if (t->kind == TRIAL_HOST_UDP && t->end == TRIAL_OPEN && send(t->fd, t->payload, t->size, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
		trial_ended(t, TRIAL_REFUSED, "port unreachable");
}

static void look_connected(struct trial *t)
{
	int error = 0;
	socklen_t size = sizeof(error);
	struct pollfd ready = { .fd = t->fd, .events = POLLOUT };

	if (t->answered || poll(&ready, 1, 0) <= 0)
		return;
	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error)
		trial_ended(t, TRIAL_REFUSED, "%s", strerror(error));
	else
		t->answered = true;	/* as far as the first that lets it in; the number must come yet */
}

void check_host_trial_look(struct trial *t)
{
	uint8_t data[TRIAL_PAYLOAD];
	ssize_t n;

	if (t->kind == TRIAL_HOST_TCP)
		look_connected(t);
	if (t->kind == TRIAL_HOST_TCP && !t->answered)
		return;
	n = recv(t->fd, data, sizeof(data), MSG_DONTWAIT);
	if (n > 0)
		trial_answer(t, data, (size_t)n);
	else if (n == 0 && t->kind == TRIAL_HOST_TCP)
		trial_ended(t, TRIAL_REFUSED, "closed without a word");
	else if (n < 0 && errno != EAGAIN)
		trial_ended(t, TRIAL_REFUSED, "%s", strerror(errno));
}

/* --- what is left ------------------------------------------------------------------------------------------ */

/* add_file() - the first @words words of each line of a file, for what follows are counters; only lines that begin with @start */
static void add_file(FILE *to, const char *path, unsigned words, const char *start)
{
	FILE *f = fopen(path, "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		char *save = NULL, *word;

		if (strncmp(line, start, strlen(start)))
			continue;
		word = strtok_r(line, " \t\n", &save);
		fprintf(to, "%s:", strrchr(path, '/') + 1);
		for (unsigned i = 0; word && i < words; i++, word = strtok_r(NULL, " \t\n", &save))
			fprintf(to, " %s", word);
		fputc('\n', to);
	}
	if (f)
		fclose(f);
}

/* read_residue() - interfaces, IPv4 routes, of IPv6 those into the network, and whether the host routes; a line each. Other routes of
 * IPv6 come and go by themselves, with addresses that others advertise. */
static char *read_residue(struct prefix6 subnet6)
{
	char *text = NULL, start[2 * ADDR_SIZE + 1] = "-";
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (unsigned i = 0; i < subnet6.len / 8; i++)
		snprintf(start + 2 * (size_t)i, 3, "%02x", subnet6.addr.bytes[i]);
	add_file(f, "/proc/net/dev", 1, "");
	add_file(f, "/proc/net/route", 3, "");
	add_file(f, "/proc/net/ipv6_route", 2, start);
	add_file(f, "/proc/sys/net/ipv4/ip_forward", 1, "");
	add_file(f, "/proc/sys/net/ipv6/conf/all/forwarding", 1, "");
	fclose(f);
	return text;
}

bool check_host_new_residue(const struct check_host *h, char *text, size_t room)
{
	char *now = read_residue(h->subnet6), *save = NULL;
	bool found = false;

	for (char *line = now ? strtok_r(now, "\n", &save) : NULL; line && h->residue && !found; line = strtok_r(NULL, "\n", &save)) {
		found = !strstr(h->residue, line);
		if (found)
			snprintf(text, room, "new: %s", line);
	}
	free(now);
	return found;
}

void check_host_init(struct check_host *h, struct prefix6 subnet6)
{
	memset(h, 0, sizeof(*h));
	h->subnet6 = subnet6;
	h->sniffer = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(TRIAL_ETHERTYPE));
	h->residue = read_residue(subnet6);
}

void check_host_fini(struct check_host *h)
{
	for (unsigned i = 0; i < h->nlisteners; i++) {
		close(h->listeners[i].tcp);
		close(h->listeners[i].udp);
	}
	if (h->sniffer >= 0)
		close(h->sniffer);
	free(h->residue);
}
