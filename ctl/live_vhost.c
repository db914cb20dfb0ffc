// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_vhost.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/host_client.h"
#include "switch/local.h"
#include "switch/port.h"
#include "tap/vhost.h"
#include "tap/vhost_session.h"

_Static_assert((int)MODEL_PAIRS_MAX == (int)VHOST_PAIRS_MAX, "what a port may be given");

struct live_vhost {
	struct live_port *p;
	struct vhost_session *session;	/* NULL: no front-end is connected */
	struct event *input;		/* the connection is readable */
	struct event *timer;		/* a message that does not end, or more input that others were let in before */
	bool again;			/* it is the latter */
};

/* ---- what the keeper holds ---- */

static const char *held_name(const struct live_vhost *v, const char *name, char to[HOST_NAME_SIZE])
{
	snprintf(to, HOST_NAME_SIZE, "vhost:%s/%s:%s", v->p->net->name, v->p->name, name);
	return to;
}

static int hold(void *arg, const char *name, int fd)
{
	struct live_vhost *v = arg;
	char held[HOST_NAME_SIZE];
	struct error err = { 0 };
	int rc = host_replace(v->p->net->engine->host, held_name(v, name, held), fd, &err);

	if (rc < 0 && log_allowed(&v->p->log_limit, clock_now_ms()))
		log_warn("net=%s port=%s event=not-held name=%s reason=\"%s\"", v->p->net->name, v->p->name, name, err.message);
	return rc;
}

static void drop(void *arg, const char *name)
{
	struct live_vhost *v = arg;
	char held[HOST_NAME_SIZE];

	host_drop(v->p->net->engine->host, held_name(v, name, held));
}

static int recall(void *arg, const char *name)
{
	struct live_vhost *v = arg;
	char held[HOST_NAME_SIZE];

	return host_recall(v->p->net->engine->host, held_name(v, name, held), NULL);
}

bool live_vhost_holds(struct engine *e, const char *name)
{
	char net_name[NAME_MAX_SIZE], port_name[NAME_MAX_SIZE];
	struct live_port *p = NULL;
	struct live_net *net;

	if (sscanf(name, "vhost:%63[^/:]/%63[^/:]:", net_name, port_name) != 2)
		return false;
	net = live_net_find(e, net_name);
	if (net)
		HASH_FIND_STR(net->ports, port_name, p);
	return p && p->vhost && p->vhost->session && strchr(strchr(name, '/'), ':');
}

/* ---- a connection ---- */

/* end_session() - @leave: another takes over what is held */
static void end_session(struct live_vhost *v, bool leave)
{
	if (v->input)
		event_free(v->input);
	if (v->timer)
		event_free(v->timer);
	v->input = v->timer = NULL;
	if (leave)
		vhost_session_leave(v->session);
	else
		vhost_session_free(v->session);
	v->session = NULL;
}

/* hung_up() - the connection is of no use any more */
static void hung_up(struct live_port *p, const char *why)
{
	char reason[sizeof(p->reason)];

	snprintf(reason, sizeof(reason), "%s", why);	/* it is the session's */
	end_session(p->vhost, false);
	live_port_unplug(p);
	live_port_retry(p, LIVE_PENDING, reason);
	apply_publish(p->net->engine);
}

void live_vhost_look(struct live_port *p)
{
	const char *fault = vhost_fault(p->port);

	if (fault)
		live_port_state(p, LIVE_FAILED, fault);
	else if (vhost_session_running(p->vhost->session))
		live_port_state(p, p->conf->link_up ? LIVE_UP : LIVE_DOWN, "");
	else
		live_port_state(p, LIVE_PENDING, "waits for its driver");
}

/* A front-end that sends without end must let the others in: what more it has waits for the loop's next turn. */
static void on_input(evutil_socket_t fd, short what, void *arg)
{
	static const struct timeval soon = { 0, 0 }, limit = { VHOST_MESSAGE_MS / 1000, VHOST_MESSAGE_MS % 1000 * 1000 };
	struct live_vhost *v = arg;
	int rc = vhost_session_input(v->session);

	(void)fd, (void)what;
	if (rc < 0) {
		hung_up(v->p, vhost_session_reason(v->session));
		return;
	}
	if (rc == 0 || v->again)
		event_del(v->timer);
	v->again = rc == 2;
	if (v->again || (rc == 1 && !event_pending(v->timer, EV_TIMEOUT, NULL)))
		event_add(v->timer, v->again ? &soon : &limit);
	live_vhost_look(v->p);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct live_vhost *v = arg;

	if (v->again)
		on_input(fd, what, v);
	else
		hung_up(v->p, "the front-end began a message and did not end it");
}

/* plug() - a session becomes the port's; it may have been running before we were */
static int plug(struct live_vhost *v, struct vhost_session *session, struct port *port)
{
	struct live_port *p = v->p;
	struct event_base *base = p->net->engine->base;

	v->session = session;
	v->again = false;
	v->input = event_new(base, vhost_session_fd(session), EV_READ | EV_PERSIST, on_input, v);
	v->timer = evtimer_new(base, on_timer, v);
	if (!v->input || !v->timer || event_add(v->input, NULL) < 0) {
		end_session(v, false);
		port_release(port);
		return -ENOMEM;
	}
	live_port_plug(p, port, "vhost-user");
	live_vhost_look(p);
	return 0;
}

/* open_session() - with the front-end behind @fd (taken), or (-1) with the one that the keeper holds */
static int open_session(struct live_vhost *v, int fd, struct error *err)
{
	struct live_port *p = v->p;
	struct port *port = vhost_port_new(p->conf->queues, p->net->engine->nworkers);
	struct vhost_session_conf conf = {
		.port = port, .pairs = p->conf->queues, .mtu = (uint16_t)p->net->conf->mtu,
		.hold = hold, .drop = drop, .recall = recall, .arg = v,
	};
	struct vhost_session *session;

	if (!port) {
		if (fd >= 0)
			close(fd);
		return error_set(err, -errno, "cannot make a vhost-user port: %s", strerror(errno));
	}
	session = fd >= 0 ? vhost_session_new(&conf, fd, err) : vhost_session_restore(&conf, err);
	if (!session) {
		port_release(port);
		return err->rc ? err->rc : -ENOENT;
	}
	return plug(v, session, port) < 0 ? error_set(err, -ENOMEM, "out of memory") : 0;
}

void live_vhost_connected(struct live_port *p, int fd)
{
	struct error err = { 0 };

	if (p->vhost) {
		if (open_session(p->vhost, fd, &err) < 0)
			live_port_retry(p, LIVE_FAILED, err.message);
		return;
	}
	close(fd);
	live_port_retry(p, LIVE_FAILED, strerror(ENOMEM));
}

bool live_vhost_new(struct live_port *p)
{
	struct error err = { 0 };
	int rc;

	p->vhost = calloc(1, sizeof(*p->vhost));
	if (!p->vhost)
		return false;
	p->vhost->p = p;
	rc = open_session(p->vhost, -1, &err);
	if (rc < 0 && rc != -ENOENT)
		log_warn("net=%s port=%s event=not-resumed reason=\"%s\"", p->net->name, p->name, err.message);
	return rc == 0;
}

int live_vhost_leave(struct live_port *p)
{
	end_session(p->vhost, true);
	return p->listener;
}

void live_vhost_free(struct live_port *p)
{
	if (!p->vhost)
		return;
	if (p->vhost->session)
		end_session(p->vhost, false);
	free(p->vhost);
	p->vhost = NULL;
}
