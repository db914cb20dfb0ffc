// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_dgram.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/host_client.h"

/* live_dgram - the peer that a unix socket is connected to */
struct live_dgram {
	int file;			/* of its socket, O_PATH */
};

/* ---- opening ---- */

static int connect_udp(int fd, const char *remote, struct error *err)
{
	struct sockaddr_storage ss;
	struct endpoint at;
	socklen_t size;
	int rc;

	if (endpoint_parse(remote, &at) < 0)
		return error_set(err, -EINVAL, "%s is not ADDRESS:PORT", remote);
	size = endpoint_sockaddr(&at, at.port, &ss);
	if (connect(fd, (struct sockaddr *)&ss, size) == 0)
		return 0;
	rc = -errno;
	return error_set(err, rc, "udp %s: cannot be reached: %s", remote, strerror(-rc));
}

static int open_udp(struct engine *e, const struct port_conf *conf, uid_t uid, struct opened *to, struct error *err)
{
	struct endpoint at;
	int rc;

	if (endpoint_parse(conf->local, &at) < 0)
		return error_set(err, -EINVAL, "%s is not ADDRESS:PORT", conf->local);
	to->fd = host_listen(e->host, to->held, at.v6 ? 6 : 4, HOST_UDP, at.ip, at.port, uid, NULL, err);
	rc = to->fd < 0 ? to->fd : connect_udp(to->fd, conf->remote, err);
	if (rc < 0 && to->fd >= 0) {
		close(to->fd);
		host_drop(e->host, to->held);
		to->fd = -1;
	}
	return rc;
}

int live_dgram_open(struct engine *e, const char *net, const struct port_conf *conf, uid_t uid, struct opened *to,
		    struct error *err)
{
	to->medium = conf->kind == PORT_KIND_UDP ? "udp" : "dgram";
	live_port_held(to, to->medium, net, conf);
	if (conf->kind == PORT_KIND_UDP)
		return open_udp(e, conf, uid, to, err);
	to->fd = host_unix_bind(e->host, to->held, conf->local, uid, err);
	return to->fd;
}

/* ---- peers that come and go ---- */

bool live_dgram_gone(const struct live_port *p)
{
	struct stat st;

	return fstat(p->dgram->file, &st) < 0 || !st.st_nlink;
}

static int watch_peer(struct live_port *p, int file)
{
	p->dgram = calloc(1, sizeof(*p->dgram));
	if (!p->dgram)
		return -ENOMEM;
	p->dgram->file = file;
	return 0;
}

/* find_peer() - connect our socket, which the keeper holds, to the peer's. Return: 0 or negative errno */
static int find_peer(struct live_port *p, struct error *err)
{
	int file = host_unix_peer(p->net->engine->host, p->held, p->conf->remote, p->net->conf->owner, err);
	int rc = file < 0 ? file : watch_peer(p, file);

	if (file >= 0 && rc < 0) {
		close(file);
		error_set(err, rc, "out of memory");
	}
	return rc;
}

void live_dgram_start(struct live_port *p, int fd)
{
	bool unix_socket = p->conf->kind == PORT_KIND_DGRAM;
	enum live_state without = unix_socket ? LIVE_PENDING : LIVE_FAILED;
	struct error err = { 0 };

	if ((!unix_socket || find_peer(p, &err) == 0) && live_port_attach(p, fd, unix_socket ? "dgram" : "udp", &err) == 0)
		return;
	live_dgram_stop(p);
	close(fd);
	live_port_retry(p, without, err.message);
}

void live_dgram_stop(struct live_port *p)
{
	if (!p->dgram)
		return;
	close(p->dgram->file);
	free(p->dgram);
	p->dgram = NULL;
}
