// SPDX-License-Identifier: GPL-2.0-or-later
/* What is asked of the keeper for the ports, forwards and services of the engine: interfaces and sockets that it opens. */
#include "ctl/host_client.h"

#include <errno.h>
#include <string.h>

#include "ctl/host_call.h"

static int link_call(struct host *host, struct host_link *m, const char *name, const char *ifname, const uint8_t *mac,
		     struct host_reply *reply, struct error *err)
{
	int rc = host_put(m->name, sizeof(m->name), name, err);

	if (rc == 0)
		rc = host_put(m->ifname, sizeof(m->ifname), ifname, err);
	if (rc < 0)
		return rc;
	if (mac)
		memcpy(m->mac, mac, sizeof(m->mac));
	return host_call_open(host, m, sizeof(*m), reply, err);
}

int host_open_tap(struct host *host, const char *name, const char *ifname, const uint8_t *mac, uint32_t mtu, bool queues,
		  uid_t uid, struct error *err)
{
	struct host_link m = { .head.type = HOST_OPEN_TAP, .uid = uid, .mtu = mtu, .queues = queues };
	struct host_reply reply;

	return link_call(host, &m, name, ifname, mac, &reply, err);
}

int host_open_vmm_tap(struct host *host, const char *name, const char *ifname, uid_t uid, struct error *err)
{
	struct host_link m = { .head.type = HOST_OPEN_VMM_TAP, .uid = uid };
	struct host_reply reply;

	return link_call(host, &m, name, ifname, NULL, &reply, err);
}

int host_open_netns(struct host *host, const char *name, const char *netns, const char *ifname, const uint8_t *mac,
		    uint32_t mtu, bool queues, uid_t uid, enum host_medium *medium, struct error *err)
{
	struct host_link m = { .head.type = HOST_OPEN_NETNS, .uid = uid, .mtu = mtu, .queues = queues };
	struct host_reply reply;
	int rc = host_put(m.netns, sizeof(m.netns), netns, err);

	if (rc < 0)
		return rc;
	rc = link_call(host, &m, name, ifname, mac, &reply, err);
	if (rc >= 0)
		*medium = reply.value == HOST_MEDIUM_PACKET ? HOST_MEDIUM_PACKET : HOST_MEDIUM_TAP;
	return rc;
}

int host_open_resolv(struct host *host)
{
	struct host_header m = { .type = HOST_OPEN_RESOLV };
	struct host_reply reply;

	return host_call_open(host, &m, sizeof(m), &reply, NULL);
}

int host_validator(struct host *host, struct error *err)
{
	struct host_header m = { .type = HOST_VALIDATOR };
	struct host_reply reply;

	return host_call_open(host, &m, sizeof(m), &reply, err);
}

int host_open_file(struct host *host, const char *dir, const char *file, uid_t uid, struct error *err)
{
	struct host_file m = { .head.type = HOST_OPEN_FILE, .uid = uid };
	struct host_reply reply;
	int rc = host_put(m.dir, sizeof(m.dir), dir, err);

	if (rc == 0)
		rc = host_put(m.file, sizeof(m.file), file, err);
	return rc < 0 ? rc : host_call_open(host, &m, sizeof(m), &reply, err);
}

/* spread() - the descriptors that came, to the ports they are of. Return: false when they are not as many as the reply says */
static bool spread(const struct host_reply *reply, unsigned count, const int *came, unsigned ncame, int *fds)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++)
		n += !host_listen_missing(reply, i);
	if (n != ncame)
		return false;
	n = 0;
	for (unsigned i = 0; i < count; i++)
		fds[i] = host_listen_missing(reply, i) ? -1 : came[n++];
	return true;
}

int host_listen_many(struct host *host, const char *name, int family, enum host_proto proto, const uint8_t *addr, uint16_t port,
		     unsigned count, uid_t uid, int *fds, struct error *err)
{
	struct host_listen m = { .head.type = HOST_LISTEN, .uid = uid, .family = (uint8_t)family, .proto = proto, .port = port,
				 .count = (uint16_t)count };
	struct host_reply reply = { .rc = 0 };
	int came[HOST_LISTEN_MAX], rc = host_put(m.name, sizeof(m.name), name, err);
	unsigned ncame = HOST_LISTEN_MAX;

	if (rc < 0)
		return rc;
	memcpy(m.addr, addr, family == 6 ? 16 : 4);
	rc = host_call_many(host, &m, sizeof(m), -1, &reply, came, &ncame);
	if (rc < 0)
		return host_call_failed(err, rc, &reply);
	if (!spread(&reply, count, came, ncame, fds)) {
		host_close_all(came, ncame);
		return host_call_failed(err, -EPROTO, &reply);
	}
	if (ncame < count)
		host_call_failed(err, -EADDRNOTAVAIL, &(struct host_reply){ .rc = -EADDRNOTAVAIL });
	if (ncame < count && reply.message[0]) {
		error_set(err, -EADDRNOTAVAIL, "%s", reply.message);
		error_hint(err, "%s", reply.hint);
	}
	return (int)ncame;
}

int host_listen(struct host *host, const char *name, int family, enum host_proto proto, const uint8_t *addr, uint16_t port,
		uid_t uid, uint16_t *next_port, struct error *err)
{
	struct host_listen m = { .head.type = HOST_LISTEN, .uid = uid, .family = (uint8_t)family, .proto = proto, .port = port,
				 .count = 1 };
	struct host_reply reply = { .rc = 0 };
	int rc = host_put(m.name, sizeof(m.name), name, err);

	if (rc < 0)
		return rc;
	memcpy(m.addr, addr, family == 6 ? 16 : 4);
	rc = host_call_open(host, &m, sizeof(m), &reply, err);
	if (next_port)
		*next_port = rc == -EADDRINUSE ? (uint16_t)reply.value : 0;
	return rc;
}

int host_open_icmp(struct host *host, int family, unsigned share, unsigned shares)
{
	struct host_icmp m = { .head.type = HOST_OPEN_ICMP, .family = (uint8_t)family, .share = (uint16_t)share, .shares = (uint16_t)shares };
	struct host_reply reply;

	return host_call_open(host, &m, sizeof(m), &reply, NULL);
}

static int unix_call(struct host *host, enum host_type type, const char *name, const char *path, uid_t uid, struct error *err)
{
	struct host_unix m = { .head.type = type, .uid = uid };
	struct host_reply reply;
	int rc = host_put(m.name, sizeof(m.name), name, err);

	if (rc == 0)
		rc = host_put(m.path, sizeof(m.path), path, err);
	return rc < 0 ? rc : host_call_open(host, &m, sizeof(m), &reply, err);
}

int host_unix_listen(struct host *host, const char *name, const char *path, uid_t uid, struct error *err)
{
	return unix_call(host, HOST_UNIX_LISTEN, name, path, uid, err);
}

int host_unix_connect(struct host *host, const char *name, const char *path, uid_t uid, struct error *err)
{
	return unix_call(host, HOST_UNIX_CONNECT, name, path, uid, err);
}

int host_unix_bind(struct host *host, const char *name, const char *path, uid_t uid, struct error *err)
{
	return unix_call(host, HOST_UNIX_BIND, name, path, uid, err);
}

int host_unix_peer(struct host *host, const char *name, const char *path, uid_t uid, struct error *err)
{
	return unix_call(host, HOST_UNIX_PEER, name, path, uid, err);
}
