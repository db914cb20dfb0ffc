// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* preadv2() */
#include "ctl/live_boot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/engine.h"
#include "ctl/guest_in.h"
#include "ctl/host_client.h"
#include "dhcp/tftp.h"
#include "dhcp/tftp_message.h"
#include "switch/build.h"
#include "switch/request.h"

enum { FILES_MAX = 1024, READ_AHEAD = 1 << 20 };

enum boot_end { BOOT_SERVED, BOOT_REFUSED, BOOT_BROKEN, BOOT_ENDS };

struct live_boot {
	struct live_net *net;
	struct tftp *tftp;
	struct event *timer;
	char dir[BOOT_DIR_SIZE];
	uint64_t over[BOOT_ENDS];
	struct log_limit log_limit;
};

/* ---- what the protocol needs ---- */

static void tell(struct live_boot *b, const struct tftp_peer *who, const char *name, const char *event, const char *key, const char *value)
{
	const struct live_port *p = b->net->engine->by_id[who->port];
	char file[TFTP_NAME_SIZE], said[200];

	if (log_allowed(&b->log_limit, clock_now_ms()))
		log_info("net=%s port=%s event=%s file=\"%s\" %s=\"%s\"", b->net->name, p ? p->name : "-", event,
			 log_clean(file, sizeof(file), name, strlen(name)), key, log_clean(said, sizeof(said), value, strlen(value)));
}

static int open_file(void *arg, const struct tftp_peer *who, const char *name, uint64_t *size)
{
	struct live_boot *b = arg;
	struct engine *e = b->net->engine;
	struct live_port *p = e->by_id[who->port];
	struct error err = { .rc = 0 };
	struct stat st;
	int fd;

	if (e->nlent >= FILES_MAX || !p || !tftp_may_open(&p->boot_paid_us, &e->boot_paid_us, clock_now_ms()))
		return -EAGAIN;
	fd = host_open_file(e->host, b->dir, name, b->net->owner, &err);
	if (fd < 0) {
		tell(b, who, name, "tftp-refused", "reason", err.message);
		return fd == -ETIMEDOUT ? -EAGAIN : fd;
	}
	if (fstat(fd, &st) < 0) {
		close(fd);
		return -EIO;
	}
	*size = (uint64_t)st.st_size;
	e->nlent++;
	return fd;
}

static long read_file(void *arg, int file, uint64_t at, uint8_t *to, size_t size)
{
	struct iovec room = { to, size };
	ssize_t n = preadv2(file, &room, 1, (off_t)at, RWF_NOWAIT);
	struct stat st;

	(void)arg;
	if (n < 0 && errno == EOPNOTSUPP)	/* a file system that cannot say whether it would wait */
		n = pread(file, to, size, (off_t)at);
	if (n < 0 && errno != EAGAIN)
		return -errno;
	if (n >= 0 && ((size_t)n == size || fstat(file, &st) < 0 || (off_t)at + n >= st.st_size))
		return n;
	posix_fadvise(file, (off_t)at, READ_AHEAD, POSIX_FADV_WILLNEED);	/* only so much of it is in memory */
	return -EAGAIN;
}

static void close_file(void *arg, int file)
{
	struct live_boot *b = arg;

	b->net->engine->nlent--;
	close(file);
}

static void send_packet(void *arg, const struct tftp_peer *to, const uint8_t *data, size_t size)
{
	struct live_boot *b = arg;

	guest_send_udp(b->net, to->port, to->vid, to->mac, to->dst, PORT_TFTP, to->src, to->sport, data, size);
}

static void on_ended(void *arg, const struct tftp_peer *who, const char *name, uint64_t bytes, int rc)
{
	struct live_boot *b = arg;
	char text[64];

	b->over[rc == 0 ? BOOT_SERVED : bytes ? BOOT_BROKEN : BOOT_REFUSED]++;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	if (rc == 0)
		tell(b, who, name, "tftp-served", "bytes", text);
	else if (bytes)
		tell(b, who, name, "tftp-broken-off", "reason", strerror(-rc));
}

/* ---- time ---- */

static void arm(struct live_boot *b, uint64_t at_ms)
{
	uint64_t now = clock_now_ms(), left = at_ms > now ? at_ms - now : 1;
	struct timeval tv = { .tv_sec = (time_t)(left / 1000), .tv_usec = (suseconds_t)(left % 1000 * 1000) };

	if (at_ms != TFTP_NEVER)
		event_add(b->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct live_boot *b = arg;

	(void)fd, (void)what;
	arm(b, tftp_tick(b->tftp, clock_now_ms()));
}

/* ---- life ---- */

static struct live_boot *boot_new(struct live_net *net)
{
	static const struct tftp_ops ops = { .open = open_file, .read = read_file, .close = close_file, .send = send_packet, .ended = on_ended };
	struct live_boot *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->net = net;
	b->tftp = tftp_new(&ops, b);
	b->timer = evtimer_new(net->engine->base, on_timer, b);
	if (b->tftp && b->timer)
		return b;
	tftp_free(b->tftp);
	if (b->timer)
		event_free(b->timer);
	free(b);
	return NULL;
}

void live_boot_free(struct live_net *net)
{
	struct live_boot *b = net->boot;

	if (!b)
		return;
	tftp_free(b->tftp);
	event_free(b->timer);
	free(b);
	net->boot = NULL;
}

void live_boot_configure(struct live_net *net)
{
	const struct boot_conf *conf = net_boot(net->conf);

	if (!conf || !conf->tftp[0]) {
		live_boot_free(net);
		return;
	}
	if (!net->boot)
		net->boot = boot_new(net);
	if (!net->boot) {
		log_error("net=%s event=tftp-failed reason=\"out of memory\"", net->name);
		return;
	}
	if (strcmp(net->boot->dir, conf->tftp))
		tftp_forget_all(net->boot->tftp);
	memcpy(net->boot->dir, conf->tftp, sizeof(net->boot->dir));
}

void live_boot_request(struct live_net *net, const struct request *r)
{
	struct live_boot *b = net->boot;
	struct tftp_peer who = { .port = r->port, .vid = r->vid, .sport = r->sport, .src = r->src, .dst = r->dst };
	uint32_t headers = build_headers(r->src) - ETH_HEADER + UDP_HEADER + TFTP_HEADER;

	if (!b)
		return;			/* nothing is lent any more */
	memcpy(who.mac, r->src_mac, MAC_SIZE);
	arm(b, tftp_input(b->tftp, &who, r->data, r->size, net->conf->mtu - headers, clock_now_ms()));
}

void live_boot_forget(const struct live_port *p)
{
	if (p->net->boot)
		tftp_forget_port(p->net->boot->tftp, p->id);
}

json_t *live_boot_show(const struct live_net *net)
{
	const struct live_boot *b = net->boot;

	return b ? json_pack("{s:i s:I s:I s:I}", "active", (int)tftp_active(b->tftp, UINT32_MAX), "served", (json_int_t)b->over[BOOT_SERVED],
			     "refused", (json_int_t)b->over[BOOT_REFUSED], "broken_off", (json_int_t)b->over[BOOT_BROKEN]) : NULL;
}
