// SPDX-License-Identifier: GPL-2.0-or-later
/* An interface of the host as the uplink of a bridged network. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "ctl/act_plug.h"
#include "ctl/netns.h"

static int refuse(struct host_reply *r, int rc, struct error *err)
{
	if (rc == -EPERM || rc == -EACCES) {
		error_set(err, rc, "an uplink takes a packet socket and an interface beside it, and lanyardd has no right to make them");
		rights_hint(err, 1 << CAP_NET_ADMIN | 1 << CAP_NET_RAW);
	}
	return act_refuse(r, rc, err);
}

/* only_others() - what is for the NIC's own address is the host's. By this, too, what the host is given by us (ctl/act_wire.h) does
 * not come back to us. */
static int only_others(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ? -errno : 0;
}

/* is_ethernet() - of other kinds of interfaces no frame could be a guest's */
static bool is_ethernet(const char *ifname)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_flags = 0 };
	bool is;

	memcpy(ifr.ifr_name, ifname, strlen(ifname) + 1);
	is = fd >= 0 && ioctl(fd, SIOCGIFHWADDR, &ifr) == 0 && ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER;
	if (fd >= 0)
		close(fd);
	return is;
}

/* hears_all() - on the air the NIC's own address is the guests', too */
static bool hears_all(const struct host_uplink *m)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s/phy80211", m->ifname);
	return m->hears == HOST_HEARS_ALL || (m->hears == HOST_HEARS_ALL_ON_AIR && access(path, F_OK) == 0);
}

int uplink_open(const struct host_uplink *m, struct host_reply *r)
{
	struct error err = { .rc = 0 };
	int fd, rc;

	if (!if_nametoindex(m->ifname))
		return refuse(r, error_set(&err, -ENODEV, "uplink %s: this host has no such interface", m->ifname), &err);
	if (!is_ethernet(m->ifname))
		return refuse(r, error_set(&err, -EINVAL, "uplink %s: is no Ethernet interface", m->ifname), &err);
	if (!rights_have(CAP_NET_ADMIN))
		return refuse(r, -EPERM, &err);
	fd = netns_packet_socket(m->ifname);
	r->value = hears_all(m);
	rc = fd < 0 || r->value ? fd : only_others(fd);
	if (rc >= 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return refuse(r, error_set(&err, rc, "uplink %s: cannot open a packet socket: %s", m->ifname, strerror(-rc)), &err);
}
