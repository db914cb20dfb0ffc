// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/error.h"
#include "ctl/cli_output.h"
#include "ctl/netns.h"
#include "ctl/netns_link.h"
#include "ctl/run_attach.h"
#include "ctl/run_dhcp.h"
#include "ctl/run_space.h"
#include "ctl/run_wire.h"

enum { ATTACH_LIMIT_MS = 10000, DHCP_LIMIT_MS = 15000, DHCP_ROOM = 600 };

struct run {
	const struct run_conf *conf;
	struct netns_medium medium;
	struct attachment attach;
	bool leasing;			/* dhcp runs */
	struct dhcp_client dhcp;
	int wire_fd;			/* open while an answer is expected, else -1 */
	uint8_t server_mac[MAC_SIZE];	/* of the last answer */
	struct dhcp_binding used;	/* what the interface has now; ip 0: nothing */
	int signal_fd;			/* -1 until the command runs */
	pid_t child;
	int status;			/* of the child, once child is 0 again */
};

/* --- the lease ---------------------------------------------------------------------------------------- */

static bool has_route(const struct dhcp_binding *b, size_t i, const struct dhcp_binding *other)
{
	for (size_t k = 0; k < other->nroutes; k++)
		if (other->routes[k].to.addr == b->routes[i].to.addr && other->routes[k].to.len == b->routes[i].to.len &&
		    other->routes[k].by == b->routes[i].by)
			return true;
	return false;
}

/* use_routes() - those that are new, and no more those that are not told any longer */
static int use_routes(struct run *r, const struct dhcp_binding *old, const struct dhcp_binding *now, struct error *err)
{
	int rc = 0;

	for (size_t i = 0; i < old->nroutes; i++)
		if (!has_route(old, i, now))
			netns_del_route(r->conf->ifname, old->routes[i].to, old->routes[i].by);
	for (size_t i = 0; rc == 0 && i < now->nroutes; i++)
		rc = netns_route(r->conf->ifname, now->routes[i].to, now->routes[i].by, err);
	return rc;
}

/* use_binding() - give the interface what the lease says; a lease that was prolonged prolongs the address */
static void use_binding(struct run *r)
{
	const struct dhcp_binding *b = &r->dhcp.binding, old = r->used;
	struct error err = { .rc = 0 };

	if (r->used.ip && (r->used.ip != b->ip || r->used.len != b->len))
		netns_del_address(r->conf->ifname, r->used.ip, r->used.len, NULL);
	r->used = *b;
	if (netns_add_address(r->conf->ifname, b->ip, b->len, b->lease_s, &err) < 0 ||
	    (b->router && netns_default_route(r->conf->ifname, b->router, &err) < 0) || use_routes(r, &old, b, &err) < 0)
		output_note("%s/%s: %s", r->conf->name.net, r->conf->name.port, err.message);
}

static void drop_binding(struct run *r)
{
	if (r->used.ip)
		netns_del_address(r->conf->ifname, r->used.ip, r->used.len, NULL);
	r->used.ip = 0;
}

static void take_news(struct run *r, enum dhcp_news news)
{
	if (news == DHCP_BOUND)
		use_binding(r);
	else if (news == DHCP_LOST)
		drop_binding(r);
}

/* send_dhcp() - to everybody, or to the server that answered before */
static void send_dhcp(struct run *r, const uint8_t *payload, size_t size)
{
	struct wire_route route = { .to_mac = { 255, 255, 255, 255, 255, 255 }, .to = 0xffffffff, .from = r->used.ip };

	memcpy(route.from_mac, r->dhcp.mac, MAC_SIZE);
	if (dhcp_client_unicast(&r->dhcp)) {
		memcpy(route.to_mac, r->server_mac, MAC_SIZE);
		route.to = r->dhcp.server_id;
	}
	if (r->wire_fd < 0)
		r->wire_fd = wire_open(r->conf->ifname);
	if (r->wire_fd >= 0)
		wire_send(r->wire_fd, &route, payload, size);	/* what is lost is sent again */
}

static void poll_dhcp(struct run *r, uint64_t now_ms)
{
	uint8_t data[MAX_OF(DHCP_ROOM, 2048)];
	enum dhcp_news news;
	size_t size;
	int n;

	while (r->wire_fd >= 0 && (n = wire_receive(r->wire_fd, data, sizeof(data), r->server_mac)) >= 0)
		take_news(r, dhcp_client_input(&r->dhcp, now_ms, data, (size_t)n));
	size = dhcp_client_tick(&r->dhcp, now_ms, data, DHCP_ROOM, &news);
	take_news(r, news);
	if (size)
		send_dhcp(r, data, size);
	if (r->wire_fd >= 0 && !dhcp_client_listening(&r->dhcp)) {
		close(r->wire_fd);	/* an open packet socket costs a little for every frame of the command */
		r->wire_fd = -1;
	}
}

static void release(struct run *r)
{
	uint8_t data[DHCP_ROOM];
	size_t size = r->leasing ? dhcp_client_release(&r->dhcp, data, sizeof(data)) : 0;

	if (size)
		send_dhcp(r, data, size);
}

/* --- the command --------------------------------------------------------------------------------------- */

/* The terminal sends its signals to the command as well; what a process sent to us alone is passed on. */
static void on_signal(struct run *r)
{
	struct signalfd_siginfo info;
	int status;

	while (read(r->signal_fd, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD && info.ssi_code != SI_KERNEL && r->child > 0)
			kill(r->child, (int)info.ssi_signo);
	while (r->child > 0 && waitpid(r->child, &status, WNOHANG) == r->child) {
		r->child = 0;
		r->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	}
}

static void exec_command(const struct run_conf *conf, const sigset_t *mask)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* without us it has no network */
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	execvp(conf->argv[0], conf->argv);
	fprintf(stderr, "lanyard: %s: cannot start it: %s\n", conf->argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int start_command(struct run *r, struct error *err)
{
	static const int passed_on[] = { SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGWINCH };
	sigset_t ours, before;

	sigemptyset(&ours);
	for (size_t i = 0; i < ARRAY_SIZE(passed_on); i++)
		sigaddset(&ours, passed_on[i]);
	sigprocmask(SIG_BLOCK, &ours, &before);
	r->signal_fd = signalfd(-1, &ours, SFD_NONBLOCK | SFD_CLOEXEC);
	if (r->signal_fd < 0)
		return error_set(err, -errno, "%s: cannot watch for signals: %s", r->conf->argv[0], strerror(errno));
	fflush(stdout);
	r->child = fork();
	if (r->child < 0)
		return error_set(err, -errno, "%s: cannot start it: %s", r->conf->argv[0], strerror(errno));
	if (r->child == 0)
		exec_command(r->conf, &before);
	return 0;
}

/* --- waiting ------------------------------------------------------------------------------------------- */

static int timeout_until(uint64_t when_ms, uint64_t now_ms)
{
	return when_ms <= now_ms ? 0 : (int)MIN_OF(when_ms - now_ms, (uint64_t)3600000);
}

/* turn() - wait for the next thing to do, or until @limit_ms, and do it */
static void turn(struct run *r, uint64_t limit_ms)
{
	struct pollfd fds[3] = {
		{ .fd = r->attach.fd, .events = POLLIN },
		{ .fd = r->wire_fd, .events = POLLIN },
		{ .fd = r->signal_fd, .events = POLLIN },
	};
	uint64_t next_ms = limit_ms;

	if (r->attach.state != ATTACH_REFUSED)
		next_ms = MIN_OF(next_ms, r->attach.next_ms);
	if (r->leasing)
		next_ms = MIN_OF(next_ms, r->dhcp.next_ms);
	poll(fds, ARRAY_SIZE(fds), timeout_until(next_ms, clock_now_ms()));
	attachment_poll(&r->attach, clock_now_ms());
	if (r->leasing)
		poll_dhcp(r, clock_now_ms());
	if (r->signal_fd >= 0)
		on_signal(r);
}

/* wait_command() - until the command has ended; a port that was taken away is told once */
static void wait_command(struct run *r)
{
	bool told = false;

	while (r->child > 0) {
		turn(r, UINT64_MAX);
		if (r->attach.state != ATTACH_REFUSED || told)
			continue;
		output_note("%s/%s: %s", r->conf->name.net, r->conf->name.port, r->attach.err.message);
		told = true;
	}
}

/* --- step by step --------------------------------------------------------------------------------------- */

static int open_medium(struct run *r, struct error *err)
{
	const char *medium = r->conf->medium;

	if (medium && !strcmp(medium, "tap"))
		return netns_tap_open(r->conf->ifname, 0, &r->medium, err);
	if (medium && !strcmp(medium, "packet"))
		return netns_packet_open(r->conf->ifname, 0, &r->medium, err);
	return netns_medium_open(r->conf->ifname, 0, &r->medium, err);
}

/* hear_routes() - of advertised routes (RFC 4191) kernels believe none unless told so; without /proc/sys it has to go without */
static void hear_routes(const char *ifname)
{
	char path[80];

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/accept_ra_rt_info_max_plen", ifname);
	netns_sysctl(path, "64");
}

static int attach_first(struct run *r, struct error *err)
{
	uint64_t limit_ms = clock_now_ms() + ATTACH_LIMIT_MS;
	struct attachment *a = &r->attach;

	attachment_init(a, r->conf->attach_path, &r->conf->name, r->conf->ifname, r->medium.medium, r->medium.fd);
	if (r->conf->mac) {
		memcpy(a->mac, r->conf->mac, MAC_SIZE);
		a->has_mac = true;
	}
	while (a->state != ATTACH_THERE && a->state != ATTACH_REFUSED && clock_now_ms() < limit_ms)
		turn(r, limit_ms);
	if (a->state != ATTACH_THERE && a->err.rc == 0)
		error_set(&a->err, -ETIMEDOUT, "daemon: no answer on %s", a->path);
	if (a->state != ATTACH_THERE) {
		*err = a->err;
		if (!strcmp(err->code, "exists")) {	/* somebody is plugged in there: no matter of other settings */
			error_code(err, "busy");
			error_hint(err, "lanyard port show %.63s/%.63s", r->conf->name.net, r->conf->name.port);
		}
		return err->rc;
	}
	hear_routes(r->conf->ifname);
	return netns_set_link(r->conf->ifname, a->mac, a->mtu, true, err);
}

static int lease_first(struct run *r, struct error *err)
{
	const struct port_name *name = &r->conf->name;
	uint64_t limit_ms = clock_now_ms() + DHCP_LIMIT_MS;
	uint32_t seed = (uint32_t)getpid();

	(void)!getrandom(&seed, sizeof(seed), GRND_NONBLOCK);
	dhcp_client_init(&r->dhcp, r->attach.mac, name->port, seed, clock_now_ms());
	r->leasing = true;
	while (r->dhcp.state < DHCP_CLIENT_BOUND && clock_now_ms() < limit_ms)
		turn(r, limit_ms);
	if (r->dhcp.state >= DHCP_CLIENT_BOUND)
		return 0;
	error_set(err, -ETIMEDOUT, "%s/%s: no address: nobody answered by DHCP", name->net, name->port);
	error_hint(err, "lanyard lease ls %s, or lanyard run --dhcp none", name->net);
	return -ETIMEDOUT;
}

/* point_resolver() - at the nameservers of the lease, else at the gateway; without either the host's file stays */
static void point_resolver(struct run *r)
{
	const struct dhcp_binding *b = &r->used;
	const char *domain = b->domain[0] ? b->domain : r->attach.domain;
	char text[512] = "", ip[IP4_TEXT];
	struct error err = { .rc = 0 };
	size_t n = 0;

	for (unsigned i = 0; i < b->ndns; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "nameserver %s\n", ip4_format(b->dns[i], ip));
	if (!n && r->attach.gateway)
		n += (size_t)snprintf(text, sizeof(text), "nameserver %s\n", ip4_format(r->attach.gateway, ip));
	if (!n)
		return;
	if (domain[0])
		snprintf(text + n, sizeof(text) - n, "search %s\n", domain);
	if (space_resolv(text, &err) < 0)
		output_note("%s/%s: %s", r->conf->name.net, r->conf->name.port, err.message);
}

int run_command(const struct run_conf *conf, struct error *err)
{
	struct run r = { .conf = conf, .medium = { .fd = -1 }, .attach = { .fd = -1 }, .wire_fd = -1, .signal_fd = -1 };
	int rc = space_enter(err);

	if (rc == 0)
		rc = open_medium(&r, err);
	if (rc == 0)
		rc = attach_first(&r, err);
	if (rc == 0 && conf->dhcp && r.attach.has_subnet)
		rc = lease_first(&r, err);
	if (rc == 0) {
		point_resolver(&r);
		rc = start_command(&r, err);
	}
	if (rc == 0) {
		wait_command(&r);
		release(&r);
		rc = r.status;
	}
	attachment_fini(&r.attach);
	if (r.medium.fd >= 0)
		close(r.medium.fd);
	if (r.wire_fd >= 0)
		close(r.wire_fd);
	return rc;
}
