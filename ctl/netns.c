// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* setns() */
#include "ctl/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
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

#ifndef TUN_F_USO4		/* Linux 6.2; Debian 12 has older headers */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

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

int netns_sysctl(const char *path, const char *value)
{
	char full[PATH_MAX];
	ssize_t n;
	int fd, rc;

	if (snprintf(full, sizeof(full), "/proc/sys/%s", path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, value, strlen(value));
	rc = n < 0 ? -errno : 0;
	close(fd);
	return rc;
}

/* --- TAP --------------------------------------------------------------------------------------------- */

/* take_offloads() - large UDP segments came late to Linux; a kernel without them refuses the whole set */
static int take_offloads(int fd)
{
	const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	if (ioctl(fd, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6) == 0)
		return 0;
	return ioctl(fd, TUNSETOFFLOAD, tcp) < 0 ? -errno : 0;
}

static int tap_setup(int fd, const char *ifname, short many)
{
	struct ifreq ifr = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | many) };
	int header = NETNS_TAP_HEADER;

	memcpy(ifr.ifr_name, ifname, strlen(ifname) + 1);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return -errno;
	return take_offloads(fd);
}

/* tap_open() - as wished, or, where the TAP is there and was made otherwise (EINVAL), as that is */
static int tap_open(const char *ifname, bool many, struct error *err)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), rc;

	if (fd < 0)
		return error_set(err, -errno, "interface %s: cannot open /dev/net/tun: %s", ifname, strerror(errno));
	rc = tap_setup(fd, ifname, many ? IFF_MULTI_QUEUE : 0);
	if (rc == -EINVAL)
		rc = tap_setup(fd, ifname, many ? 0 : IFF_MULTI_QUEUE);
	if (rc == 0)
		return fd;
	close(fd);
	return error_set(err, rc, "interface %s: cannot make a TAP: %s", ifname, strerror(-rc));
}

static int finish_medium(struct netns_medium *m, int fd, const char *name, const char *ifname)
{
	memset(m, 0, sizeof(*m));
	m->fd = fd;
	m->medium = name;
	snprintf(m->ifname, sizeof(m->ifname), "%s", ifname);
	m->ifindex = (int)if_nametoindex(ifname);
	return 0;
}

static int check_ifname(const char *ifname, size_t max, struct error *err)
{
	size_t n = strlen(ifname);

	if (n < 1 || n > max || strpbrk(ifname, "/ :%") || !strcmp(ifname, ".") || !strcmp(ifname, ".."))
		return error_set(err, -EINVAL, "interface %.20s: not a name of 1 to %zu bytes", ifname, max);
	return 0;
}

int netns_tap_open(const char *ifname, unsigned mtu, struct netns_medium *out, struct error *err)
{
	int rc = check_ifname(ifname, IFNAMSIZ - 1, err);
	int fd = rc < 0 ? rc : tap_open(ifname, false, err);

	if (fd < 0)
		return fd;
	rc = mtu ? netns_set_link(ifname, NULL, mtu, false, err) : 0;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return finish_medium(out, fd, "tap", ifname);
}

int netns_tap_queue(const char *ifname, struct netns_medium *out, struct error *err)
{
	int rc = check_ifname(ifname, IFNAMSIZ - 1, err);
	int fd = rc < 0 ? rc : tap_open(ifname, true, err);

	return fd < 0 ? fd : finish_medium(out, fd, "tap", ifname);
}

int netns_tap_make(const char *ifname, bool many, struct error *err)
{
	int rc = check_ifname(ifname, IFNAMSIZ - 1, err);
	int fd = rc < 0 ? rc : open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (rc < 0)
		return rc;
	if (fd < 0)
		return error_set(err, -errno, "interface %s: cannot open /dev/net/tun: %s", ifname, strerror(errno));
	rc = tap_setup(fd, ifname, (short)(IFF_TUN_EXCL | (many ? IFF_MULTI_QUEUE : 0)));
	if (rc == 0)
		return fd;
	close(fd);
	return error_set(err, rc, "interface %s: cannot make a TAP: %s", ifname, strerror(-rc));
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
	int rc = check_ifname(ifname, NETNS_IFNAME_MAX, err);
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
	finish_medium(out, fd, "packet", ifname);
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
