// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tests/unit/far_end.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "switch/offload.h"

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

const char *wire_namespace(void)
{
	char uid[64], gid[64];

	snprintf(uid, sizeof(uid), "0 %u 1", geteuid());
	snprintf(gid, sizeof(gid), "0 %u 1", getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return "user namespaces are closed to this user";
	write_file("/proc/self/setgroups", "deny");
	if (!write_file("/proc/self/uid_map", uid) || !write_file("/proc/self/gid_map", gid))
		return "the user map of a namespace cannot be written";
	/* the kernel of an interface shall say nothing by itself */
	write_file("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	return wire_sh("ip link set lo up") ? NULL : "no ip(8), or it may not be used";
}

bool wire_sh(const char *command)
{
	return system(command) == 0;
}

int wire_raw(const char *name)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name),
	};

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror(name);
		abort();
	}
	return fd;
}

bool wire_put(int fd, const void *data, uint32_t len, const struct offload *o)
{
	uint8_t header[VNET_HEADER_LEGACY] = { 0 };
	struct iovec iov[2] = { { header, sizeof(header) }, { (void *)data, len } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

	if (o)
		offload_write(o, 0, header, sizeof(header));
	return sendmsg(fd, &m, 0) == (ssize_t)(sizeof(header) + len);
}

bool wire_wait(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, WIRE_PATIENCE_MS) == 1;
}

static void read_tag(struct wire_frame *f, struct msghdr *m)
{
	struct tpacket_auxdata aux;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(c), sizeof(aux));
		f->tagged = aux.tp_status & TP_STATUS_VLAN_VALID;
		f->tci = f->tagged ? aux.tp_vlan_tci : 0;
	}
}

bool wire_get(int fd, struct wire_frame *f)
{
	uint8_t header[VNET_HEADER_LEGACY];
	char control[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	struct iovec iov[2] = { { header, sizeof(header) }, { f->data, sizeof(f->data) } };
	struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2, .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t got;

	do {
		if (!wire_wait(fd))
			return false;
		got = recvmsg(fd, &m, MSG_DONTWAIT);
		if (got < (ssize_t)sizeof(header))
			return false;
	} while (got >= (ssize_t)sizeof(header) + ETH_HEADER && get_u16(f->data) == 0x3333);
	f->len = (uint32_t)got - sizeof(header);
	offload_read(&f->offload, header);
	read_tag(f, &m);
	return true;
}
