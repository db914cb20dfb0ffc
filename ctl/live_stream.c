// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/live_stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/host_client.h"
#include "ctl/live_vhost.h"

enum { PATH_ROOM = 1200 };

/* stream_path() - the socket's path: as configured, or our choice in the runtime directory */
static const char *stream_path(struct engine *e, const char *net, const struct port_conf *conf, char *to, size_t room)
{
	if (conf->path[0])
		return conf->path;
	snprintf(to, room, "%s/%s.%s.sock", e->runtime_dir, net, conf->name);
	return to;
}

static bool is_tcp(const char *path, struct endpoint *at)
{
	return path[0] != '/' && endpoint_parse(path, at) == 0 && at->port;
}

int live_stream_open(struct engine *e, const char *net, const struct port_conf *conf, uid_t uid, struct opened *to,
		     struct error *err)
{
	char room[PATH_ROOM];
	const char *path = stream_path(e, net, conf, room, sizeof(room));
	bool vhost = conf->kind == PORT_KIND_VHOST_USER;
	struct endpoint at;

	to->medium = port_kind_name(conf->kind);
	if (conf->role == PORT_ROLE_CLIENT)
		return 0;
	live_port_held(to, vhost ? "vhost" : "stream", net, conf);
	if (is_tcp(path, &at))
		to->fd = host_listen(e->host, to->held, at.v6 ? 6 : 4, HOST_TCP, at.ip, at.port, uid, NULL, err);
	else
		to->fd = host_unix_listen(e->host, to->held, path, uid, err);
	return to->fd;
}

static void connected(struct live_port *p, int fd)
{
	struct error err = { 0 };
	int one = 1;

	if (p->conf->kind == PORT_KIND_VHOST_USER) {
		live_vhost_connected(p, fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));	/* a unix socket refuses, which is as well */
	if (live_port_attach(p, fd, "stream", &err) < 0) {
		close(fd);
		live_port_retry(p, LIVE_FAILED, err.message);
	}
}

/* One peer at a time: while one is connected, the next waits in the listener's queue. */
static void on_peer(evutil_socket_t listener, short what, void *arg)
{
	struct live_port *p = arg;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			live_port_retry(p, LIVE_PENDING, strerror(errno));	/* the listener stays readable: do not spin */
		return;
	}
	event_free(p->event);
	p->event = NULL;
	connected(p, fd);
	apply_publish(p->net->engine);
}

static void wait_for_peer(struct live_port *p)
{
	p->state = LIVE_PENDING;
	snprintf(p->reason, sizeof(p->reason), "waits for its %s to connect",
		 p->conf->kind == PORT_KIND_VHOST_USER ? "front-end" : "peer");
	p->event = event_new(p->net->engine->base, p->listener, EV_READ | EV_PERSIST, on_peer, p);
	if (p->event)
		event_add(p->event, NULL);
}

static void on_dialled(evutil_socket_t fd, short what, void *arg)
{
	struct live_port *p = arg;
	int err = ETIMEDOUT;

	if (!(what & EV_TIMEOUT))
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &(socklen_t){ sizeof(err) });
	event_free(p->event);
	p->event = NULL;
	if (err) {
		close(fd);
		live_port_retry(p, LIVE_PENDING, strerror(err));
		return;
	}
	connected(p, fd);
	apply_publish(p->net->engine);
}

static void dial_tcp(struct live_port *p, const struct endpoint *at)
{
	struct sockaddr_storage ss;
	socklen_t size = endpoint_sockaddr(at, at->port, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || (connect(fd, (struct sockaddr *)&ss, size) < 0 && errno != EINPROGRESS)) {
		live_port_retry(p, LIVE_PENDING, strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	p->event = event_new(p->net->engine->base, fd, EV_WRITE | EV_TIMEOUT, on_dialled, p);
	if (p->event) {
		event_add(p->event, &(struct timeval){ .tv_sec = 5 });
	} else {
		close(fd);
		live_port_retry(p, LIVE_PENDING, strerror(ENOMEM));
	}
}

static void dial_unix(struct live_port *p, const char *path)
{
	struct error err = { 0 };
	int fd = host_unix_connect(p->net->engine->host, "", path, p->net->conf->owner, &err);

	if (fd < 0)
		live_port_retry(p, LIVE_PENDING, err.message);
	else
		connected(p, fd);
}

void live_stream_start(struct live_port *p, int listener)
{
	struct engine *e = p->net->engine;
	char room[PATH_ROOM];
	const char *path = stream_path(e, p->net->name, p->conf, room, sizeof(room));
	struct endpoint at;

	if (p->listener >= 0 && listener >= 0) {
		close(listener);	/* the same one again, by way of the keeper */
		listener = p->listener;
	}
	p->listener = listener;
	if (p->conf->kind == PORT_KIND_VHOST_USER && !p->vhost && live_vhost_new(p))
		return;
	if (p->listener >= 0)
		wait_for_peer(p);
	else if (is_tcp(path, &at))
		dial_tcp(p, &at);
	else
		dial_unix(p, path);
}
