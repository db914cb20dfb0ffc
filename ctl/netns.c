// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* setns() */
#include "ctl/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "base/text.h"
#include "ctl/netns_link.h"

enum {
	BUFFER_SIZE = 4 << 20,	/* a burst of 64 frames of 64 KiB */
};

/* --- entering ---------------------------------------------------------------------------------------- */

static int namespace_path(const char *where, char path[PATH_MAX], unsigned long *pid)
{
	*pid = 0;
	if (strchr(where, '/'))
		return snprintf(path, PATH_MAX, "%s", where) < PATH_MAX ? 0 : -ENAMETOOLONG;
	if (number_parse(where, 1, INT_MAX, pid) == 0)
		snprintf(path, PATH_MAX, "/proc/%lu/ns/net", *pid);
	else
		snprintf(path, PATH_MAX, "/run/netns/%s", where);
	return 0;
}

static bool is_same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* enter_owner() - enter the user namespace that owns @netns, where that is another one than ours
 *
 * Without this an ordinary user has no rights in the network namespace of a rootless container.
 */
static void enter_owner(int netns)
{
	int owner = ioctl(netns, NS_GET_USERNS);
	int ours = open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC);

	if (owner >= 0 && ours >= 0 && !is_same_file(owner, ours))
		(void)!setns(owner, CLONE_NEWUSER);	/* a refusal shows at the next setns(), with its reason */
	if (owner >= 0)
		close(owner);
	if (ours >= 0)
		close(ours);
}

int netns_enter(const char *where, struct error *err)
{
	char path[PATH_MAX];
	unsigned long pid;
	int fd, rc;

	if (namespace_path(where, path, &pid) < 0)
		return error_set(err, -EINVAL, "namespace %.60s...: the path is too long", where);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		rc = -errno;
		error_set(err, rc, "namespace %s: cannot open %.200s: %s", where, path, strerror(-rc));
		if (rc == -ENOENT)
			error_hint(err, "ip netns ls");
		return rc;
	}
	enter_owner(fd);
	rc = setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;
	close(fd);
	return rc < 0 ? error_set(err, rc, "namespace %s: cannot enter it: %s", where, strerror(-rc)) : 0;
}

/* --- veth pair behind a packet socket ---------------------------------------------------------------- */

static void set_int(int fd, int level, int option, int value)
{
	(void)!setsockopt(fd, level, option, &value, sizeof(value));
}

/* tune_packet_socket() - what the engine relies on is checked, the rest is taken where the kernel gives it */
static int tune_packet_socket(int fd)
{
	int on = 1;

	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0)
		return -errno;
	/* A veth has no queue of its own to wait in: the queueing layer would only cost a lock for each frame. */
	set_int(fd, SOL_PACKET, PACKET_QDISC_BYPASS, 1);
	set_int(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_SIZE);
	set_int(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_SIZE);
	set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_SIZE);	/* above net.core.rmem_max, for the privileged */
	set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_SIZE);
	return 0;
}

/* keep_order() - have the peer receive through its NAPI queue, which GRO switches on (Linux 5.13)
 *
 * Without it each CPU that sends has a backlog of its own, and frames of one flow that were sent on two CPUs overtake one
 * another before anybody sees them. Where the kernel cannot, they do.
 */
static void keep_order(int fd, const char *peer)
{
	struct ethtool_value gro = { .cmd = ETHTOOL_SGRO, .data = 1 };
	struct ifreq ifr = { .ifr_data = (char *)&gro };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", peer);
	(void)!ioctl(fd, SIOCETHTOOL, &ifr);
}

/* The socket is made for no protocol and hears nothing until it is bound: no frame of another interface gets in. */
int netns_packet_socket(const char *ifname)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(ifname),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	rc = tune_packet_socket(fd);
	if (rc == 0 && bind(fd, (struct sockaddr *)&ll, sizeof(ll)) < 0)
		rc = -errno;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return fd;
}

/* pair_open() - make the pair, and the socket on its far end. Return: the socket, or negative errno */
static int pair_open(const char *ifname, const char *peer, unsigned mtu, struct error *err)
{
	int rc = netns_add_veth(ifname, peer, err), fd;
	char sysctl[64];

	if (rc < 0)
		return rc;
	snprintf(sysctl, sizeof(sysctl), "net/ipv6/conf/%s/disable_ipv6", peer);
	netns_sysctl(sysctl, "1");	/* where /proc/sys is closed, the missing address generation has to do */
	if (mtu)
		rc = netns_set_link(ifname, NULL, mtu, false, err);
	if (rc < 0)
		return rc;
	fd = netns_packet_socket(peer);
	if (fd < 0)
		return error_set(err, fd, "interface %s: cannot open a packet socket: %s", peer, strerror(-fd));
	keep_order(fd, peer);
	return fd;
}

int netns_packet_open(const char *ifname, unsigned mtu, struct netns_medium *out, struct error *err)
{
	char peer[IFNAMSIZ];
	int rc = netns_ifname_check(ifname, NETNS_IFNAME_MAX, err);
	bool made;
	int fd;

	if (rc < 0)
		return rc;
	snprintf(peer, sizeof(peer), "ly-%s", ifname);
	made = !if_nametoindex(peer);
	fd = pair_open(ifname, peer, mtu, err);
	if (fd < 0) {
		if (made)
			netns_del_link(peer);
		return fd;
	}
	netns_medium_fill(out, fd, "packet", ifname);
	out->made = made;
	return 0;
}

int netns_medium_open(const char *ifname, unsigned mtu, struct netns_medium *out, struct error *err)
{
	struct error tap = { .rc = 0 };

	if (netns_tap_open(ifname, mtu, out, &tap) == 0)
		return 0;
	return netns_packet_open(ifname, mtu, out, err);
}
