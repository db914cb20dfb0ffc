// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/host.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/array.h"
#include "base/hash.h"
#include "base/text.h"

/* What a request of each type looks like: its size, whether a descriptor belongs to it, and where its strings are. */
#define TEXT(type, field) { offsetof(struct type, field), sizeof(((struct type *)0)->field) }

static const struct shape {
	size_t size;
	bool fd;
	struct {
		size_t at, room;
	} texts[3];		/* the first one is the name */
} shapes[HOST_TYPES] = {
	[HOST_READY] = { .size = sizeof(struct host_header) },
	[HOST_HOLD] = { sizeof(struct host_named), true, { TEXT(host_named, name) } },
	[HOST_DROP] = { sizeof(struct host_named), false, { TEXT(host_named, name) } },
	[HOST_RECALL] = { sizeof(struct host_recall), false, { TEXT(host_recall, name) } },
	[HOST_OPEN_TAP] = { sizeof(struct host_link), false,
			    { TEXT(host_link, name), TEXT(host_link, ifname), TEXT(host_link, netns) } },
	[HOST_OPEN_NETNS] = { sizeof(struct host_link), false,
			      { TEXT(host_link, name), TEXT(host_link, ifname), TEXT(host_link, netns) } },
	[HOST_OPEN_VMM_TAP] = { sizeof(struct host_link), false,
				{ TEXT(host_link, name), TEXT(host_link, ifname), TEXT(host_link, netns) } },
	[HOST_LISTEN] = { sizeof(struct host_listen), false, { TEXT(host_listen, name) } },
	[HOST_UNIX_LISTEN] = { sizeof(struct host_unix), false, { TEXT(host_unix, name), TEXT(host_unix, path) } },
	[HOST_UNIX_CONNECT] = { sizeof(struct host_unix), false, { TEXT(host_unix, name), TEXT(host_unix, path) } },
	[HOST_UNIX_BIND] = { sizeof(struct host_unix), false, { TEXT(host_unix, name), TEXT(host_unix, path) } },
	[HOST_UNIX_PEER] = { sizeof(struct host_unix), false, { TEXT(host_unix, name), TEXT(host_unix, path) } },
	[HOST_REPLACE] = { sizeof(struct host_named), true, { TEXT(host_named, name) } },
	[HOST_OPEN_ICMP] = { .size = sizeof(struct host_icmp) },
	[HOST_OPEN_IFACE] = { sizeof(struct host_iface), false,
			      { TEXT(host_iface, name), TEXT(host_iface, ifname), TEXT(host_iface, uplink) } },
	[HOST_OPEN_UPLINK] = { sizeof(struct host_uplink), false, { TEXT(host_uplink, name), TEXT(host_uplink, ifname) } },
	[HOST_WIRE] = { sizeof(struct host_wire), false, { TEXT(host_wire, name) } },
	[HOST_NAT] = { sizeof(struct host_nat), true, { TEXT(host_nat, name), TEXT(host_nat, out) } },
	[HOST_NAT_WATCH] = { .size = sizeof(struct host_header) },
	[HOST_NAMES] = { sizeof(struct host_names), true, { TEXT(host_names, name), TEXT(host_names, domain), TEXT(host_names, ifname) } },
	[HOST_RULESET] = { .size = sizeof(struct host_header) },
	[HOST_DELEGATED] = { sizeof(struct host_delegated), true, { TEXT(host_delegated, name) } },
	[HOST_FLOWS] = { sizeof(struct host_named), false, { TEXT(host_named, name) } },
	[HOST_CHANGES] = { .size = sizeof(struct host_header) },
	[HOST_OPEN_FILE] = { sizeof(struct host_file), false, { TEXT(host_file, name), TEXT(host_file, dir), TEXT(host_file, file) } },
	[HOST_OPEN_RESOLV] = { .size = sizeof(struct host_header) },
	[HOST_VALIDATOR] = { .size = sizeof(struct host_header) },
	[HOST_CLIENT] = { .size = sizeof(struct host_header), .fd = true },
};

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int) * HOST_LISTEN_MAX)];
};

int host_send_many(int sock, const void *message, size_t size, const int *fds, unsigned count)
{
	struct iovec iov = { (void *)message, size };
	union control control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (count) {
		memset(&control, 0, sizeof(control.align));
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * count);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * count);
		memcpy(CMSG_DATA(&control.align), fds, sizeof(int) * count);
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	return 0;
}

int host_send(int sock, const void *message, size_t size, int fd)
{
	return host_send_many(sock, message, size, &fd, fd >= 0);
}

/* take_fds() - those that came along, at most @room. There may be room for one more (CMSG_SPACE is padded): it is closed. */
static bool take_fds(struct msghdr *msg, int *fds, unsigned room, unsigned *count)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	unsigned n = 0;
	int fd;

	*count = 0;
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len < CMSG_LEN(0))
		return true;
	n = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	for (unsigned i = 0; i < n; i++) {
		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
		if (*count < room)
			fds[(*count)++] = fd;
		else
			close(fd);
	}
	return n <= room;
}

long host_receive_many(int sock, void *message, size_t room, int *fds, unsigned *count)
{
	struct iovec iov = { message, room };
	union control control;
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
			      .msg_controllen = CMSG_LEN(sizeof(int) * (*count < HOST_LISTEN_MAX ? *count : HOST_LISTEN_MAX)) };
	unsigned most = *count;
	bool fit;
	ssize_t n;

	*count = 0;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (n == 0 && msg.msg_controllen == 0)
		return -EPIPE;
	fit = take_fds(&msg, fds, most, count);
	if (n > 0 && fit && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)))
		return n;
	while (*count)
		close(fds[--*count]);
	return -EPROTO;
}

long host_receive(int sock, void *message, size_t room, int *fd)
{
	unsigned n = 1;
	long size;

	*fd = -1;
	size = host_receive_many(sock, message, room, fd, &n);
	if (!n)
		*fd = -1;
	return size;
}

static bool texts_end(const struct shape *shape, const char *message)
{
	for (size_t i = 0; i < ARRAY_SIZE(shape->texts) && shape->texts[i].room; i++)
		if (!memchr(message + shape->texts[i].at, '\0', shape->texts[i].room))
			return false;
	return true;
}

/* one_ifname() - a name that stands for one interface wherever it is used, in a path below /proc/sys, too */
static bool one_ifname(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..") && strcmp(name, "all") && strcmp(name, "default");
}

/* plain_ifname() - one that can stand in a rule as it is: whoever named it, there is nothing in it but what names are made of */
static bool plain_ifname(const char *name)
{
	return one_ifname(name) && !name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@:+")];
}

/* pool_fits() - a prefix that can be delegated from, and nothing behind its length */
static bool pool_fits(const struct host_iface *m)
{
	struct prefix6 pool = { addr6(m->pool6), m->pool6_len };

	return !m->zero[0] && !m->zero[1] && !m->zero[2] && m->pool6_len <= 64 && (m->len6 || !m->pool6_len) && addr_in(pool, pool.addr);
}

static bool iface_fits(const void *message)
{
	struct host_iface m;

	memcpy(&m, message, sizeof(m));
	if (!m.name[0] || m.uid || m.queues > 1 || m.localnet > m.routed || !m.mtu || m.mtu > 65535 || !plain_ifname(m.ifname) ||
	    strncmp(m.ifname, HOST_IFACE_PREFIX, strlen(HOST_IFACE_PREFIX)) || (m.uplink[0] && !one_ifname(m.uplink)) ||
	    (m.uplink_index && !(m.routed && m.uplink[0])) || !pool_fits(&m))
		return false;
	if (m.bridged)
		return m.bridged == 1 && !m.routed && !m.len4 && !m.len6 && m.uplink[0];
	return m.routed <= 1 && m.len4 && m.len4 <= 32 && m.len6 <= 128 && (m.routed || !m.uplink[0]);
}

static bool uplink_fits(const void *message)
{
	struct host_uplink m;

	memcpy(&m, message, sizeof(m));
	return m.name[0] && !m.uid && m.hears <= HOST_HEARS_ALL_ON_AIR && !m.zero[0] && !m.zero[1] && !m.zero[2] && one_ifname(m.ifname);
}

/* names_fits() - a block for one network, by a name that is one, and a domain of at least one label */
static bool names_fits(const void *message)
{
	struct host_names m;

	memcpy(&m, message, sizeof(m));
	return !strncmp(m.name, "names:", 6) && name_valid(m.name + 6) && !m.uid && m.n <= HOST_NAMES_MAX && m.domain[0] && m.domain[0] != '.' &&
	       !m.domain[strspn(m.domain, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] &&
	       (!m.ifname[0] || (plain_ifname(m.ifname) && !strncmp(m.ifname, HOST_IFACE_PREFIX, strlen(HOST_IFACE_PREFIX))));
}

static bool delegated_fits(const void *message)
{
	struct host_delegated m;

	memcpy(&m, message, sizeof(m));
	return m.name[0] && !m.uid && m.n <= HOST_WAYS_MAX;
}

static bool wire_fits(const void *message)
{
	struct host_wire m;

	memcpy(&m, message, sizeof(m));
	return m.name[0] && !m.uid && m.nic && m.nic <= INT32_MAX && m.slot < HOST_WIRE_SLOTS && m.count <= HOST_WIRE_MACS;
}

static bool nat_fits(const void *message)
{
	struct host_nat m;

	memcpy(&m, message, sizeof(m));
	if (m.leave)
		return m.name[0] && m.leave == 1 && !(m.nforwards | m.access | m.again | m.helpers) && !m.out[0];
	return m.name[0] && m.nforwards <= HOST_FORWARDS_MAX && m.access <= HOST_NAT_LOOPBACK && m.again <= 1 && m.helpers <= HOST_NAT_HELPERS &&
	       (!m.out[0] || plain_ifname(m.out));
}

static bool icmp_fits(const void *message)
{
	struct host_icmp m;

	memcpy(&m, message, sizeof(m));
	return (m.family == 4 || m.family == 6) && !m.zero && !m.zero2 && m.share < m.shares && m.shares <= HOST_ICMP_SHARES &&
	       !(m.shares & (m.shares - 1));
}

static bool file_fits(const void *message)
{
	struct host_file m;

	memcpy(&m, message, sizeof(m));
	return !m.name[0] && m.dir[0] == '/' && m.file[0];
}

/* values_fit() - the ranges that ctl/host.h states */
static bool values_fit(const void *message, uint32_t type)
{
	static const uint8_t zero[16];

	if (type == HOST_HOLD || type == HOST_REPLACE || type == HOST_DROP || type == HOST_FLOWS)
		return *host_name_of(message) != '\0';
	if (type == HOST_OPEN_TAP || type == HOST_OPEN_NETNS || type == HOST_OPEN_VMM_TAP) {
		struct host_link m;

		memcpy(&m, message, sizeof(m));
		if (type == HOST_OPEN_VMM_TAP && (m.queues || m.mtu || memcmp(m.mac, zero, sizeof(m.mac))))
			return false;
		return m.ifname[0] && (type == HOST_OPEN_NETNS) == (m.netns[0] != '\0') && m.mtu <= 65535 &&
		       m.queues <= 1 && !m.zero;
	}
	if (type == HOST_LISTEN) {
		struct host_listen m;

		memcpy(&m, message, sizeof(m));
		return (m.proto == HOST_TCP || m.proto == HOST_UDP) && m.port && m.count && m.count <= HOST_LISTEN_MAX &&
		       m.port + m.count <= 65536 && !m.zero &&
		       (m.family == 6 || (m.family == 4 && !memcmp(m.addr + 4, zero, 12)));
	}
	if (type == HOST_RECALL) {
		struct host_recall m;

		memcpy(&m, message, sizeof(m));
		return m.next <= 1;
	}
	if (type == HOST_OPEN_FILE)
		return file_fits(message);
	if (type == HOST_OPEN_ICMP)
		return icmp_fits(message);
	if (type == HOST_OPEN_IFACE)
		return iface_fits(message);
	if (type == HOST_NAT)
		return nat_fits(message);
	if (type == HOST_OPEN_UPLINK)
		return uplink_fits(message);
	if (type == HOST_WIRE)
		return wire_fits(message);
	if (type == HOST_DELEGATED)
		return delegated_fits(message);
	if (type == HOST_NAMES)
		return names_fits(message);
	if (type == HOST_UNIX_PEER && !*host_name_of(message))
		return false;
	if (type == HOST_UNIX_LISTEN || type == HOST_UNIX_CONNECT || type == HOST_UNIX_BIND || type == HOST_UNIX_PEER)
		return ((const char *)message)[offsetof(struct host_unix, path)] == '/';
	return true;
}

int host_request_check(const void *message, size_t size, int fd)
{
	struct host_header head;
	const struct shape *shape;

	if (size < sizeof(head))
		return -EPROTO;
	memcpy(&head, message, sizeof(head));
	if (head.size != size || head.type >= HOST_TYPES || !shapes[head.type].size)
		return -EPROTO;
	shape = &shapes[head.type];
	if (shape->size != size || shape->fd != (fd >= 0) || !texts_end(shape, message))
		return -EPROTO;
	return values_fit(message, head.type) ? 0 : -EPROTO;
}

int host_reply_check(const void *message, size_t size, const struct host_header *request)
{
	struct host_reply r;

	if (size != sizeof(r))
		return -EPROTO;
	memcpy(&r, message, sizeof(r));
	if (r.head.size != size || r.head.type != request->type || r.head.serial != request->serial || r.rc > 0 ||
	    !memchr(r.name, '\0', sizeof(r.name)) || !memchr(r.message, '\0', sizeof(r.message)) ||
	    !memchr(r.hint, '\0', sizeof(r.hint)))
		return -EPROTO;
	return 0;
}

/* All that name a user have him at the same place. */
uint32_t host_uid_of(const void *message)
{
	uint32_t uid;

	memcpy(&uid, (const char *)message + offsetof(struct host_link, uid), sizeof(uid));
	return uid;
}
_Static_assert(offsetof(struct host_link, uid) == offsetof(struct host_unix, uid) && offsetof(struct host_link, uid) == offsetof(struct host_file, uid) &&
	       offsetof(struct host_link, uid) == offsetof(struct host_listen, uid), "host_uid_of()");

const char *host_name_of(const void *message)
{
	struct host_header head;

	memcpy(&head, message, sizeof(head));
	return shapes[head.type].texts[0].room ? (const char *)message + shapes[head.type].texts[0].at : "";
}

uint64_t host_change_sum(const struct host_change *change)
{
	return hash_bytes(&change->order, sizeof(*change) - offsetof(struct host_change, order), 0x6a6f75726e616cull);
}

bool host_change_check(const struct host_change *c)
{
	return c->kind > HOST_CHANGE_FREE && c->kind < HOST_CHANGE_KINDS && c->check == host_change_sum(c) && c->name[0] &&
	       memchr(c->name, '\0', sizeof(c->name)) && memchr(c->target, '\0', sizeof(c->target)) &&
	       memchr(c->before, '\0', sizeof(c->before)) && memchr(c->after, '\0', sizeof(c->after));
}
