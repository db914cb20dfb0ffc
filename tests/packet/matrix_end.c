// SPDX-License-Identifier: GPL-2.0-or-later
/* The kinds whose other side is a kernel or a socket. */
#define _GNU_SOURCE
#include "tests/packet/matrix_end.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "tap/dgram.h"
#include "tap/packet.h"
#include "tap/stream.h"
#include "tap/tap.h"
#include "tests/packet/matrix_end_parts.h"
#include "tests/unit/far_end.h"

enum { PREFIX = 4, TUN_USO4 = 0x20, TUN_USO6 = 0x40 };	/* newer than Debian 12's linux/if_tun.h */

/* ---- TAP: the far end is an AF_PACKET socket on its interface ---- */

static bool kernel_send(struct matrix_end *e, const uint8_t *data, uint32_t len, const struct offload *o)
{
	return wire_put(e->fd, data, len, o);
}

/* put_tag_back() - the kernel has taken the tag out, and counts from the untagged frame */
static void put_tag_back(struct matrix_seen *to, uint16_t tci)
{
	memmove(to->data + 16, to->data + 12, to->len - 12);
	put_u16(to->data + 12, ETHERTYPE_CTAG);
	put_u16(to->data + 14, tci);
	to->len += VLAN_TAG;
	if (to->offload.flags)
		to->offload.csum_start += VLAN_TAG;
}

static bool kernel_recv(struct matrix_end *e, struct matrix_seen *to)
{
	static struct wire_frame f;

	if (!matrix_waits(e->fd) || !wire_get(e->fd, &f))
		return false;
	to->len = f.len;
	memcpy(to->data, f.data, f.len);
	to->offload = f.offload;
	to->offload.hdr_len = 0;	/* the kernel's own idea */
	to->has_header = false;
	to->buffers = 0;
	if (f.tagged)
		put_tag_back(to, f.tci);
	return true;
}

static void kernel_end(struct matrix_end *e, const char *kind, struct port *port, uint32_t offloads, int far)
{
	matrix_must(port != NULL);
	*e = (struct matrix_end){
		.port = port, .speaks = true, .kernel = true, .fd = far, .kick = -1, .call = -1, .send = kernel_send, .recv = kernel_recv,
	};
	port->offloads &= offloads;
	e->host = PORT_CSUM | PORT_TSO4 | PORT_TSO6 | PORT_ECN | PORT_USO;
	snprintf(e->name, sizeof(e->name), "%s%s", kind, port->offloads ? "" : " without offloads");
}

/* tun() - a TAP that is up; whoever holds it takes all there is */
static int tun(const char *ifname)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC), size = VNET_HEADER;
	unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	matrix_must(fd >= 0 && ioctl(fd, TUNSETIFF, &ifr) == 0 && ioctl(fd, TUNSETVNETHDRSZ, &size) == 0);
	matrix_must(ioctl(fd, TUNSETOFFLOAD, tcp | TUN_USO4 | TUN_USO6) == 0 || ioctl(fd, TUNSETOFFLOAD, tcp) == 0);
	matrix_must(matrix_sh("ip link set %s mtu %u up", ifname, MATRIX_LONGEST));
	return fd;
}

void matrix_tap(struct matrix_end *e, const char *ifname, uint32_t offloads)
{
	int fd = tun(ifname);

	kernel_end(e, "TAP", tap_new(fd, 1), offloads, wire_raw(ifname));
}

/* ---- a TAP whose descriptor the far end holds ---- */

static bool vmm_send(struct matrix_end *e, const uint8_t *data, uint32_t len, const struct offload *o)
{
	uint8_t header[VNET_HEADER] = { 0 };
	struct iovec iov[2] = { { header, sizeof(header) }, { (void *)(uintptr_t)data, len } };

	if (o)
		offload_write(o, 0, header, sizeof(header));
	return writev(e->fd, iov, 2) == (ssize_t)(sizeof(header) + len);
}

static bool vmm_recv(struct matrix_end *e, struct matrix_seen *to)
{
	uint8_t header[VNET_HEADER];
	struct iovec iov[2] = { { header, sizeof(header) }, { to->data, sizeof(to->data) } };
	ssize_t got;

	if (!matrix_waits(e->fd))
		return false;
	got = readv(e->fd, iov, 2);
	matrix_must(got > (ssize_t)sizeof(header));
	to->len = (uint32_t)got - (uint32_t)sizeof(header);
	offload_read(&to->offload, header);
	to->offload.hdr_len = 0;
	to->has_header = false;
	to->buffers = 0;
	return true;
}

void matrix_vmm_tap(struct matrix_end *e, const char *ifname)
{
	int fd = tun(ifname);

	kernel_end(e, "vmm-tap", packet_new(wire_raw(ifname), 1), UINT32_MAX, fd);
	e->send = vmm_send;
	e->recv = vmm_recv;
}

/* ---- one end of a veth pair ---- */

void matrix_packet(struct matrix_end *e, const char *ifname, uint32_t offloads)
{
	char peer[IF_NAMESIZE];

	snprintf(peer, sizeof(peer), "%sp", ifname);
	matrix_must(matrix_sh("ip link add %s mtu %u type veth peer name %s mtu %u && ip link set %s up && ip link set %s up", ifname,
			      MATRIX_LONGEST, peer, MATRIX_LONGEST, ifname, peer));
	kernel_end(e, "packet", packet_new(wire_raw(ifname), 1), offloads, wire_raw(peer));
}

/* ---- sockets: a frame is bytes and nothing else ---- */

static bool stream_send(struct matrix_end *e, const uint8_t *data, uint32_t len, const struct offload *o)
{
	uint8_t prefix[PREFIX];
	struct iovec iov[2] = { { prefix, PREFIX }, { (void *)(uintptr_t)data, len } };

	(void)o;
	put_u32(prefix, len);
	return writev(e->fd, iov, 2) == (ssize_t)(PREFIX + len);
}

static bool read_whole(int fd, uint8_t *to, size_t n)
{
	while (n) {
		ssize_t got = recv(fd, to, n, MSG_WAITALL);

		if (got <= 0)
			return false;
		to += got;
		n -= (size_t)got;
	}
	return true;
}

static bool stream_recv(struct matrix_end *e, struct matrix_seen *to)
{
	uint8_t prefix[PREFIX];

	if (!matrix_waits(e->fd) || !read_whole(e->fd, prefix, PREFIX))
		return false;
	*to = (struct matrix_seen){ .len = get_u32(prefix) };
	matrix_must(to->len <= sizeof(to->data));
	return read_whole(e->fd, to->data, to->len);
}

static bool dgram_send(struct matrix_end *e, const uint8_t *data, uint32_t len, const struct offload *o)
{
	(void)o;
	return send(e->fd, data, len, 0) == (ssize_t)len;
}

static bool dgram_recv(struct matrix_end *e, struct matrix_seen *to)
{
	ssize_t got;

	if (!matrix_waits(e->fd))
		return false;
	*to = (struct matrix_seen){ 0 };
	got = recv(e->fd, to->data, sizeof(to->data), MSG_DONTWAIT);
	to->len = got > 0 ? (uint32_t)got : 0;
	return got > 0;
}

void matrix_stream(struct matrix_end *e)
{
	int fds[2];

	matrix_must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
	*e = (struct matrix_end){
		.name = "stream", .fd = fds[1], .kick = -1, .call = -1, .port = stream_new(fds[0], 1), .send = stream_send,
		.recv = stream_recv,
	};
	matrix_must(e->port != NULL);
}

/* sockets_of() - two datagram sockets, each bound and connected to the other */
static void sockets_of(int family, int fds[2])
{
	struct sockaddr_storage at[2];
	socklen_t size[2];

	for (unsigned i = 0; i < 2; i++) {
		struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		struct sockaddr_un un = { .sun_family = AF_UNIX };	/* autobind: an abstract name */

		fds[i] = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		matrix_must(fds[i] >= 0);
		matrix_must(family == AF_INET ? bind(fds[i], (struct sockaddr *)&in, sizeof(in)) == 0 :
						bind(fds[i], (struct sockaddr *)&un, sizeof(un.sun_family)) == 0);
		size[i] = sizeof(at[i]);
		matrix_must(getsockname(fds[i], (struct sockaddr *)&at[i], &size[i]) == 0);
	}
	for (unsigned i = 0; i < 2; i++)
		matrix_must(connect(fds[i], (struct sockaddr *)&at[!i], size[!i]) == 0);
}

static void dgram_end(struct matrix_end *e, const char *name, int family)
{
	int fds[2];

	sockets_of(family, fds);
	*e = (struct matrix_end){
		.fd = fds[1], .kick = -1, .call = -1, .port = dgram_new(fds[0], 1), .send = dgram_send, .recv = dgram_recv,
	};
	snprintf(e->name, sizeof(e->name), "%s", name);
	matrix_must(e->port != NULL);
}

void matrix_dgram(struct matrix_end *e)
{
	dgram_end(e, "dgram", AF_UNIX);
}

void matrix_udp(struct matrix_end *e)
{
	dgram_end(e, "udp", AF_INET);
}
