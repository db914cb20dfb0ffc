// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* O_PATH */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/keeper.h"
#include "ctl/keeper_delegated.h"
#include "ctl/keeper_journal.h"
#include "ctl/keeper_nat.h"
#include "ctl/netns.h"
#include "ctl/netns_link.h"

int act_refuse(struct host_reply *r, int rc, const struct error *err)
{
	r->rc = rc;
	snprintf(r->message, sizeof(r->message), "%.*s", (int)sizeof(r->message) - 1, err->message);
	snprintf(r->hint, sizeof(r->hint), "%s", err->hint);
	return rc;
}

/* set_link() - address, MTU and state of the interface just made */
static int set_link(const struct host_link *m, struct error *err)
{
	static const uint8_t none[6];

	return netns_set_link(m->ifname, memcmp(m->mac, none, 6) ? m->mac : NULL, m->mtu, true, err);
}

static int link_failed(struct host_reply *r, int rc, int fd, const struct error *err)
{
	if (fd >= 0)
		close(fd);
	return act_refuse(r, rc, err);
}

/* A user's TAP was prepared by root ("ip tuntap add ... user"), who set it up; only rights we have are used. */
static int open_tap(const struct host_link *m, struct host_reply *r)
{
	struct netns_medium medium = { .fd = -1 };
	struct error err = { .rc = 0 };
	int rc = m->queues ? netns_tap_queue(m->ifname, &medium, &err) : netns_tap_open(m->ifname, 0, &medium, &err);

	if (rc < 0 && (rc == -EPERM || rc == -EACCES))
		error_hint(&err, "once, as root: ip tuntap add %s mode tap vnet_hdr user %lu && chmod 666 /dev/net/tun", m->ifname,
			   (unsigned long)m->uid);
	if (rc == 0) {
		rc = set_link(m, &err);
		rc = rc == -EPERM ? 0 : rc;
	}
	if (rc < 0)
		return link_failed(r, rc, medium.fd, &err);
	r->value = HOST_MEDIUM_TAP;
	return medium.fd;
}

static int open_netns(const struct host_link *m, struct host_reply *r)
{
	struct netns_medium medium = { .fd = -1 };
	struct error err = { .rc = 0 };
	int rc = netns_enter(m->netns, &err);

	if (rc == -EPERM)
		error_hint(&err, "sudo lanyardd: root's daemon enters any namespace, a user's those that the user made");
	if (rc == 0 && !(m->queues && netns_tap_queue(m->ifname, &medium, NULL) == 0))
		rc = netns_medium_open(m->ifname, 0, &medium, &err);
	if (rc == 0)
		rc = set_link(m, &err);
	if (rc < 0 && medium.made)
		netns_del_link(m->ifname);
	if (rc < 0)
		return link_failed(r, rc, medium.fd, &err);
	r->value = !strcmp(medium.medium, "tap") ? HOST_MEDIUM_TAP : HOST_MEDIUM_PACKET;
	return medium.fd;
}

static int open_vmm_tap(const struct host_link *m, struct host_reply *r)
{
	struct error err = { .rc = 0 };
	int fd = vmm_open(m, r, &err);

	return fd < 0 ? act_refuse(r, fd, &err) : fd;
}

static int unix_connect(const struct sockaddr_un *at, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

/* clear_dead() - remove a socket that nobody listens on; anything else at the path is kept */
static int clear_dead(const struct sockaddr_un *at, int type)
{
	struct stat st;
	int fd;

	if (lstat(at->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = unix_connect(at, type);
	if (fd >= 0)
		close(fd);
	if (fd != -ECONNREFUSED)
		return -EADDRINUSE;
	return unlink(at->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

int act_unix_listen(const struct sockaddr_un *at, int type)
{
	int rc = clear_dead(at, type);
	mode_t before;
	int fd;

	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	before = umask(0177);
	rc = bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0 || (type != SOCK_DGRAM && listen(fd, SOMAXCONN) < 0) ? -errno : fd;
	umask(before);
	if (rc < 0)
		close(fd);
	return rc;
}

static int unix_failed(const struct host_unix *m, int rc, struct host_reply *r)
{
	const char *what = m->head.type == HOST_UNIX_CONNECT ? "connect" : m->head.type == HOST_UNIX_BIND ? "bind" : "listen";
	struct error err;

	error_set(&err, rc, "%s: cannot %s: %s", m->path, what, rc == -EEXIST ? "what is there is no socket" : strerror(-rc));
	return act_refuse(r, rc == -EEXIST ? -EADDRINUSE : rc, &err);
}

static int open_unix(const struct host_unix *m, struct host_reply *r)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int type = m->head.type == HOST_UNIX_BIND ? SOCK_DGRAM : SOCK_STREAM;
	bool server = m->head.type != HOST_UNIX_CONNECT;
	struct stat st;
	int fd;

	memcpy(at.sun_path, m->path, sizeof(at.sun_path));
	fd = server ? act_unix_listen(&at, type) : unix_connect(&at, type);
	if (fd < 0)
		return unix_failed(m, fd, r);
	if (server && lstat(m->path, &st) == 0)
		r->value = (uint32_t)st.st_ino;		/* act_undo() knows it again by this */
	return fd;
}

/* connect_file() - to the socket whose file @at is, whatever its path means by now */
static int connect_file(int fd, int at)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct stat st;

	if (fstat(at, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return S_ISLNK(st.st_mode) ? -ELOOP : -ENOTSOCK;
	snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d", at);
	return connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0 ? -errno : 0;
}

/* A client may have a path looked up, but not swap what is there between the look and the call, nor lead us on by a link. */
static int unix_peer(const struct host_unix *m, const struct held *h, struct host_reply *r)
{
	int at = open(m->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int rc = at < 0 ? -errno : connect_file(h->fd, at);
	struct error err;

	if (rc == 0)
		return at;
	error_set(&err, rc, "%s: cannot connect: %s", m->path, strerror(-rc));
	if (at >= 0)
		close(at);
	return act_refuse(r, rc, &err);
}

int act_run(const void *request, const struct held *h, struct host_reply *r)
{
	const struct host_header *head = request;

	switch (head->type) {
	case HOST_OPEN_TAP:
		return open_tap(request, r);
	case HOST_OPEN_NETNS:
		return open_netns(request, r);
	case HOST_OPEN_VMM_TAP:
		return open_vmm_tap(request, r);
	case HOST_UNIX_PEER:
		return unix_peer(request, h, r);
	case HOST_OPEN_IFACE:
		return iface_open(request, h, r);
	case HOST_OPEN_FILE:
		return file_open(request, r);
	case HOST_NAMES:
		return guests_tell(request, h, r);
	case HOST_DELEGATED:
		return delegated_tell(request, h, r);
	case HOST_OPEN_RESOLV:
		return resolv_open(r);
	case HOST_RULESET:
		return ruleset_open(r);
	case HOST_FLOWS:
		return flows_open(h->request, r);
	case HOST_OPEN_UPLINK:
		return uplink_open(request, r);
	case HOST_WIRE:
		return uplink_wire(request, h, r);
	default:
		return open_unix(request, r);
	}
}

/* remove_veth() - in the namespace that the packet socket @fd is in, whatever its name means today */
static void remove_veth(int fd, const char *ifname)
{
	char where[32], peer[HOST_IFNAME_SIZE + 4];
	int netns = ioctl(fd, SIOCGSKNS);

	snprintf(where, sizeof(where), "/proc/self/fd/%d", netns);
	snprintf(peer, sizeof(peer), "ly-%s", ifname);
	if (netns >= 0 && netns_enter(where, NULL) == 0)
		netns_del_link(peer);
}

void act_undo(const struct held *h)
{
	const struct host_header *head = h->request;
	const struct host_link *link = h->request;
	const struct host_unix *m = h->request;
	struct stat st;

	if (head->type == HOST_OPEN_IFACE) {
		nat_leave(h);
		journal_undo(h->name, h->fd, false);
	} else if (head->type == HOST_OPEN_NETNS)
		remove_veth(h->fd, link->ifname);
	else if (head->type == HOST_OPEN_VMM_TAP)
		vmm_undo(h);
	else if (lstat(m->path, &st) == 0 && S_ISSOCK(st.st_mode) && (uint32_t)st.st_ino == h->value)
		unlink(m->path);	/* ours still, not one that somebody put there since */
}
