// SPDX-License-Identifier: GPL-2.0-or-later
/* TAPs of the calling thread's namespace. */
#include "ctl/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/netns_link.h"

#ifndef TUN_F_USO4		/* Linux 6.2; Debian 12 has older headers */
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

int netns_medium_fill(struct netns_medium *m, int fd, const char *name, const char *ifname)
{
	memset(m, 0, sizeof(*m));
	m->fd = fd;
	m->medium = name;
	snprintf(m->ifname, sizeof(m->ifname), "%s", ifname);
	m->ifindex = (int)if_nametoindex(ifname);
	return 0;
}

int netns_ifname_check(const char *ifname, size_t max, struct error *err)
{
	size_t n = strlen(ifname);

	if (n < 1 || n > max || strpbrk(ifname, "/ :%") || !strcmp(ifname, ".") || !strcmp(ifname, ".."))
		return error_set(err, -EINVAL, "interface %.20s: not a name of 1 to %zu bytes", ifname, max);
	return 0;
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

int netns_tap_open(const char *ifname, unsigned mtu, struct netns_medium *out, struct error *err)
{
	int rc = netns_ifname_check(ifname, IFNAMSIZ - 1, err);
	int fd = rc < 0 ? rc : tap_open(ifname, false, err);

	if (fd < 0)
		return fd;
	rc = mtu ? netns_set_link(ifname, NULL, mtu, false, err) : 0;
	if (rc < 0) {
		close(fd);
		return rc;
	}
	return netns_medium_fill(out, fd, "tap", ifname);
}

int netns_tap_queue(const char *ifname, struct netns_medium *out, struct error *err)
{
	int rc = netns_ifname_check(ifname, IFNAMSIZ - 1, err);
	int fd = rc < 0 ? rc : tap_open(ifname, true, err);

	return fd < 0 ? fd : netns_medium_fill(out, fd, "tap", ifname);
}

int netns_tap_make(const char *ifname, bool many, struct error *err)
{
	int rc = netns_ifname_check(ifname, IFNAMSIZ - 1, err);
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
