// SPDX-License-Identifier: GPL-2.0-or-later
/* attach.sock: a client hands over a descriptor that it opened with its own rights, and gets a port (docs/api.md).
 *
 * One message asks, one answers. The port of a transient client lives as long as its connection; otherwise the keeper takes a copy
 * of the descriptor and the port stays. Messages are small and their JSON is flat; clients are bounded in number. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/attach_message.h"
#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live.h"

enum { CLIENTS_MAX = 4096, PAUSE_MS = 200 };

struct attach {
	struct engine *engine;
	int listener;
	struct event *event;
	unsigned nclients;
};

/* client - one connection */
struct client {
	struct attach *attach;
	struct engine *engine;
	int fd;
	uid_t uid;
	struct event *event;
	struct attach_message m;
	int given;			/* the descriptor that came along, until the port has it; or -1 */
	bool too_many;			/* more than one came along */
	bool busy;			/* its change is under way, and it is not listened to */
	bool attached;			/* it owns a transient port */
	bool gone;			/* nobody hears its answers any more */
};

static void client_free(struct client *c)
{
	c->attach->nclients--;
	if (c->attach->event)
		event_add(c->attach->event, NULL);
	if (c->event)
		event_free(c->event);
	if (c->given >= 0)
		close(c->given);
	close(c->fd);
	free(c);
}

static void answer(struct client *c, json_t *o)
{
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;

	if (text && send(c->fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		c->gone = true;		/* nobody reads it; the end of the connection will tell */
	free(text);
	json_decref(o);
}

static void answer_error(struct client *c, const struct error *err)
{
	answer(c, json_pack("{s:{s:s s:s s:s}}", "error", "code", err->code, "message", err->message, "hint", err->hint));
}

static void answer_attached(struct client *c)
{
	const struct net_conf *net = model_net(c->engine->model, c->m.network);
	const struct port_conf *port = net_port(net, c->m.port);
	char mac[MAC_TEXT], subnet[PREFIX4_TEXT] = "", gateway[IP4_TEXT] = "";

	if (!port)
		return;
	if (net->has_subnet) {
		prefix4_format(net->subnet, subnet);
		ip4_format(net->gateway, gateway);
	}
	answer(c, json_pack("{s:s s:s s:s s:i s:s s:s s:s}", "network", net->name, "port", port->name, "mac",
			    mac_format(port->mac, mac), "mtu", (int)net->mtu, "subnet", subnet, "gateway", gateway, "domain",
			    net->domain));
}

/* ---- the port goes with its client ---- */

/* edit_remove() - unless it was removed meanwhile, and what has its name now is to stay */
static int edit_remove(void *arg, json_t *tree, struct error *err)
{
	struct client *c = arg;
	json_t *net = json_object_get(json_object_get(tree, "networks"), c->m.network);
	const struct port_conf *port = net_port(model_net(c->engine->model, c->m.network), c->m.port);

	(void)err;
	if (!port || port->kind != PORT_KIND_ATTACHED || port->transient != c->m.transient)
		return 0;
	json_object_del(json_object_get(net, "ports"), c->m.port);
	return 0;
}

static void removed(void *arg, const struct error *err)
{
	(void)err;
	client_free(arg);
}

static void client_end(struct client *c)
{
	if (!c->attached) {
		client_free(c);
		return;
	}
	event_del(c->event);
	c->busy = true;
	live_change(c->engine, edit_remove, removed, c);
}

/* ---- attaching ---- */

static bool may_change(const struct client *c, const struct net_conf *net)
{
	return c->uid == 0 || c->uid == c->engine->uid || c->uid == net->owner;
}

static int edit_add(void *arg, json_t *tree, struct error *err)
{
	struct client *c = arg;
	const struct net_conf *net = model_net(c->engine->model, c->m.network);
	json_t *ports, *port, *tnet = json_object_get(json_object_get(tree, "networks"), c->m.network);
	const struct port_conf *old = net_port(net, c->m.port);
	struct live_port *live = NULL;
	struct live_net *ln = live_net_find(c->engine, c->m.network);

	if (!net || !tnet)
		return error_set(err, -ENOENT, "network %s: no such network", c->m.network);
	if (!may_change(c, net))
		return error_set(err, -EPERM, "network %s: belongs to another user", c->m.network);
	if (ln)
		HASH_FIND_STR(ln->ports, c->m.port, live);
	if (old && (old->kind != PORT_KIND_ATTACHED || (live && live->port)))
		return error_set(err, -EEXIST, "port %s/%s: is there already", c->m.network, c->m.port);
	ports = json_object_get(tnet, "ports");
	if (!ports) {
		ports = json_object();
		json_object_set_new(tnet, "ports", ports);
	}
	port = json_pack("{s:s s:b}", "kind", "attached", "transient", c->m.transient);
	if (c->m.ifname[0])
		json_object_set_new(port, "ifname", json_string(c->m.ifname));
	if (c->m.mac[0])
		json_object_set_new(port, "mac", json_string(c->m.mac));
	if (c->m.vlan)
		json_object_set_new(port, "vlan", json_integer(c->m.vlan));
	return json_object_set_new(ports, c->m.port, port);
}

/* give() - put the descriptor where live_port_start() will find it, and a copy with the keeper if it is to stay */
static int give(struct client *c, struct error *err)
{
	struct opened *o = calloc(1, sizeof(*o));
	int rc = 0;

	if (!o)
		return error_set(err, -ENOMEM, "out of memory");
	snprintf(o->net, sizeof(o->net), "%s", c->m.network);
	snprintf(o->port, sizeof(o->port), "%s", c->m.port);
	o->fd = c->given;
	o->medium = attach_medium_name(c->m.medium);
	if (!c->m.transient && c->m.medium != ATTACH_STREAM) {
		snprintf(o->held, sizeof(o->held), "attached-%s:%s/%s", o->medium, o->net, o->port);
		host_drop(c->engine->host, o->held);	/* what was there before is dead, or we would not be here */
		rc = host_hold(c->engine->host, o->held, c->given, err);
	}
	if (rc < 0) {
		free(o);
		return rc;
	}
	c->given = -1;
	LIST_INSERT_HEAD(&c->engine->opened, o, link);
	return 0;
}

static int edit_attach(void *arg, json_t *tree, struct error *err)
{
	int rc = edit_add(arg, tree, err);

	return rc < 0 ? rc : give(arg, err);
}

static void forget_given(struct client *c)
{
	if (c->given >= 0)
		close(c->given);
	c->given = -1;
	c->too_many = false;
}

static void attached(void *arg, const struct error *err)
{
	struct client *c = arg;
	struct error failed = { 0 };
	struct live_net *net = live_net_find(c->engine, c->m.network);
	struct live_port *p = NULL;
	bool made = c->busy;		/* by a change, not there before as with reattach() */

	if (made)
		event_add(c->event, NULL);	/* it may be heard again */
	c->busy = false;
	if (err->rc == 0 && net)
		HASH_FIND_STR(net->ports, c->m.port, p);
	c->attached = err->rc == 0 && c->m.transient;
	if (err->rc < 0) {
		answer_error(c, err);
		forget_given(c);	/* the client may try again */
	} else if (!p || !p->port) {
		error_set(&failed, -EINVAL, "port %s/%s: %s", c->m.network, c->m.port, p ? p->reason : "not made");
		answer_error(c, &failed);
		c->attached = c->gone = made;	/* it must not stay in the model */
	} else {
		answer_attached(c);
	}
	if (c->gone)
		client_end(c);
}

/* reattach() - a port that is in the model already, without its descriptor: no change of the model */
static bool reattach(struct client *c)
{
	struct live_net *net = live_net_find(c->engine, c->m.network);
	struct error err = { 0 };
	struct live_port *p = NULL;

	if (net)
		HASH_FIND_STR(net->ports, c->m.port, p);
	if (!p || p->port || p->conf->kind != PORT_KIND_ATTACHED || p->conf->transient != c->m.transient ||
	    !may_change(c, net->conf))
		return false;
	if (give(c, &err) == 0) {
		live_port_start(p, opened_find(c->engine, c->m.network, c->m.port));
		apply_publish(c->engine);
		attached(c, &err);
	} else {
		answer_error(c, &err);
	}
	return true;
}

/* receive() - one message and at most one descriptor. Return: bytes, 0 at the end, negative errno */
static ssize_t receive(struct client *c, char *text, size_t room)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * 4)];
	} control;
	struct iovec iov = { text, room - 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return -errno;
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(&m); cm; cm = CMSG_NXTHDR(&m, cm)) {
		size_t count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cm) + i * sizeof(int), sizeof(fd));
			if (c->given >= 0) {
				close(fd);
				c->too_many = true;
			} else {
				c->given = fd;
			}
		}
	}
	text[n] = '\0';
	return m.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

static int check_given(const struct client *c, struct error *err)
{
	if (c->given < 0)
		return error_set(err, -EINVAL, "no descriptor came with the message");
	if (c->too_many)
		return error_set(err, -EINVAL, "more than one descriptor came with the message");
	return 0;
}

static void on_client(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;
	char text[ATTACH_TEXT_MAX];
	struct error err = { 0 };
	ssize_t n = receive(c, text, sizeof(text));

	(void)fd, (void)what;
	if (n == -EAGAIN)
		return;
	if (n <= 0 || c->attached) {	/* there is nothing to say on the connection of a transient port */
		client_end(c);
		return;
	}
	if (attach_parse(&c->m, text, (size_t)n, &err) < 0 || check_given(c, &err) < 0) {
		answer_error(c, &err);
		client_end(c);
		return;
	}
	if (reattach(c))
		return;
	c->busy = true;
	event_del(c->event);		/* one message at a time: the change under way reads this one, and ends with the client */
	live_change(c->engine, edit_attach, attached, c);
}

/* on_pause() - descriptors were used up a moment ago: look again */
static void on_pause(evutil_socket_t fd, short what, void *arg)
{
	struct attach *a = arg;

	(void)fd, (void)what;
	event_add(a->event, NULL);
}

/* pause_listening() - without a descriptor to accept with, the listener stays readable: do not spin on it */
static void pause_listening(struct attach *a)
{
	struct timeval tv = { .tv_usec = PAUSE_MS * 1000 };

	if (event_base_once(a->engine->base, -1, EV_TIMEOUT, on_pause, a, &tv) == 0)
		event_del(a->event);
}

static void on_connect(evutil_socket_t listener, short what, void *arg)
{
	struct attach *a = arg;
	struct ucred peer;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct client *c = fd >= 0 ? calloc(1, sizeof(*c)) : NULL;

	(void)what;
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		pause_listening(a);
	if (!c || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &(socklen_t){ sizeof(peer) }) < 0) {
		free(c);
		if (fd >= 0)
			close(fd);
		return;
	}
	live_client(a->engine, fd, peer.uid);
	*c = (struct client){ .attach = a, .engine = a->engine, .fd = fd, .uid = peer.uid, .given = -1 };
	c->event = event_new(a->engine->base, fd, EV_READ | EV_PERSIST, on_client, c);
	if (++a->nclients >= CLIENTS_MAX)
		event_del(a->event);	/* the next one waits until one has gone */
	if (!c->event || event_add(c->event, NULL) < 0)
		client_free(c);
}

struct attach *attach_new(struct engine *e, int listener)
{
	struct attach *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->engine = e;
	a->listener = listener;
	a->event = event_new(e->base, listener, EV_READ | EV_PERSIST, on_connect, a);
	if (!a->event || event_add(a->event, NULL) < 0) {
		attach_free(a);
		return NULL;
	}
	return a;
}

void attach_free(struct attach *a)
{
	if (!a)
		return;
	if (a->event)
		event_free(a->event);
	close(a->listener);
	free(a);
}
