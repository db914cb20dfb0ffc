// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests and the outside plugged in: TAPs, interfaces of namespaces, uplinks, raw sockets for ICMP. */
#include "ctl/act_plug.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/netns.h"
#include "ctl/netns_link.h"

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

int plug_run(const void *request, struct host_reply *r)
{
	const struct host_header *head = request;

	switch (head->type) {
	case HOST_OPEN_TAP:
		return open_tap(request, r);
	case HOST_OPEN_NETNS:
		return open_netns(request, r);
	case HOST_OPEN_VMM_TAP:
		return open_vmm_tap(request, r);
	case HOST_OPEN_UPLINK:
		return uplink_open(request, r);
	case HOST_OPEN_ICMP:
		return icmp_open(request);
	default:
		return -EPROTO;
	}
}

static int run(const struct act_call *call, const struct act_about *about, struct host_reply *r)
{
	(void)about;
	return plug_run(call->request, r);
}

static int undo(const struct act_call *call, const struct act_about *about)
{
	const struct host_link *link = about->request;

	(void)call;
	if (link->head.type == HOST_OPEN_NETNS)
		remove_veth(about->fd, link->ifname);
	else if (link->head.type == HOST_OPEN_VMM_TAP)
		vmm_undo(about);
	return 0;
}

const struct act_program act_plug = { .name = "lanyard-plug", .run = run, .undo = undo };
