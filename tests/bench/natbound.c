// SPDX-License-Identifier: GPL-2.0-or-later
/* tests/bench/natbound.c - the least that a NAT of ordinary sockets can do: a bound for the figures of one
 *
 *	natbound NETNS INTERFACE MTU
 *
 * Makes a TAP in the namespace and serves the one guest behind it until it is killed: ARP, UDP by one socket to one remote, and TCP as long as all
 * goes well. No frame is checked, no table, timer, quota, error or retransmission is kept; what is left are the system calls without
 * which no byte comes through. For a short connection these are reads of the guest's four or five segments, socket(), connect(), epoll_ctl(),
 * send(), recv() and close(), and writes of two; a NAT that comes near cannot become much faster by doing less. IPv4, for root.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	VNET = sizeof(struct virtio_net_hdr_v1), ETH = 14, IP = VNET + ETH, L4 = IP + 20, TCP = 20, UDP = 8,
	FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, SCALE = 7, EVENTS = 64, BUFFER = L4 + 65536, TAP = 0, DATAGRAMS = 1,
};

/* flow - by the guest's port, which is all that tells connections to one remote apart */
static struct flow {
	int fd;			/* 0: none */
	uint32_t sent, received;	/* sequence numbers toward the guest, and of it */
	uint32_t peeked;	/* bytes that the guest has and the socket, too: while there are some, closing it is a reset */
	uint16_t remote;
	bool open;
} flows[65536];

static uint8_t guest[BUFFER], back[BUFFER];	/* a frame of the guest's; one for it, whose addresses are always the same */
static int tap, poll_fd, udp_fd = -1;
static unsigned mtu;
static uint16_t udp_ports[2];		/* of the remote, of the guest */

static uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
static uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }
static void put16(uint8_t *p, uint32_t v) { p[0] = (uint8_t)(v >> 8); p[1] = (uint8_t)v; }
static void put32(uint8_t *p, uint32_t v) { put16(p, v >> 16); put16(p + 2, v); }

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static void must(const char *what, int rc)
{
	if (rc < 0)
		die(what);
}

static uint32_t sum16(uint32_t sum, const uint8_t *p, unsigned size)
{
	for (unsigned i = 0; i < size; i += 2)
		sum += get16(p + i);
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* turn_round() - addresses of what goes back are those of what came */
static void turn_round(void)
{
	memcpy(back + VNET, guest + VNET + 6, 6);
	memcpy(back + VNET + 6, "\2\0\0\0\0\1", 6);
	put16(back + VNET + 12, 0x800);
	back[IP] = 0x45;
	back[IP + 8] = 64;
	memcpy(back + IP + 12, guest + IP + 16, 4);
	memcpy(back + IP + 16, guest + IP + 12, 4);
}

/* write_back() - the headers' rest, and the frame; the transport's checksum is left to who reads it, if anybody does */
static void write_back(uint8_t proto, unsigned headers, unsigned size, unsigned gso)
{
	struct virtio_net_hdr_v1 h = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = ETH + 20 };
	uint8_t *at = back + L4 + (proto == IPPROTO_TCP ? 16 : 6);

	h.csum_offset = (uint16_t)(at - back - L4);
	if (gso && size > gso) {
		h.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
		h.gso_size = (uint16_t)gso;
		h.hdr_len = (uint16_t)(ETH + 20 + headers);
	}
	memcpy(back, &h, sizeof(h));
	back[IP + 9] = proto;
	put16(back + IP + 2, 20 + headers + size);
	put16(back + IP + 10, 0);
	put16(back + IP + 10, ~sum16(0, back + IP, 20));
	put16(at, sum16(proto + headers + size, back + IP + 12, 8));
	(void)!write(tap, back, L4 + headers + size);
}

static void tcp_back(struct flow *f, uint16_t port, uint8_t flags, unsigned size)
{
	static const uint8_t options[] = { 2, 4, 0, 0, 1, 3, 3, SCALE };
	unsigned more = flags & SYN ? sizeof(options) : 0;
	uint8_t *t = back + L4;

	put16(t, f->remote);
	put16(t + 2, port);
	put32(t + 4, f->sent);
	put32(t + 8, f->received);
	put16(t + 12, (TCP + more) / 4 << 12 | flags);
	put16(t + 14, 65535 >> (flags & SYN ? 0 : 2));
	put32(t + 16, 0);
	if (more) {
		memcpy(t + TCP, options, more);
		put16(t + TCP + 2, mtu - 40);
	}
	write_back(IPPROTO_TCP, TCP + more, size, mtu - 40);
	f->sent += size + !!(flags & (SYN | FIN));
}

static void connect_out(struct flow *f, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u32 = port };
	int on = 1;

	memcpy(&to.sin_addr, guest + IP + 16, 4);
	memcpy(&to.sin_port, guest + L4 + 2, 2);
	*f = (struct flow){ .remote = get16(guest + L4 + 2), .received = get32(guest + L4 + 4) + 1 };
	f->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	must("socket", f->fd);
	setsockopt(f->fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &on, sizeof(on));	/* a packet less: the ACK goes along with the data */
	if (connect(f->fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		die("connect");
	must("epoll_ctl", epoll_ctl(poll_fd, EPOLL_CTL_ADD, f->fd, &event));
}

static void consume(struct flow *f)
{
	if (f->peeked)
		(void)!recv(f->fd, NULL, f->peeked, MSG_TRUNC);
	f->peeked = 0;
}

/* send_out() - all of it: with one flow there is nothing else to do when the socket is full */
static void send_out(struct flow *f, const uint8_t *data, unsigned size)
{
	struct pollfd space = { .fd = f->fd, .events = POLLOUT };

	consume(f);
	f->received += size;
	while (size) {
		ssize_t n = send(f->fd, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno != EAGAIN)
			return;
		if (n < 0)
			poll(&space, 1, -1);
		data += n > 0 ? n : 0;
		size -= n > 0 ? (unsigned)n : 0;
	}
}

static void from_guest_tcp(unsigned size)
{
	uint16_t port = get16(guest + L4);
	const uint8_t *data = guest + L4 + (guest[L4 + 12] >> 4) * 4;
	struct flow *f = &flows[port];
	uint8_t flags = guest[L4 + 13];

	size -= (unsigned)(data - guest);
	if (flags & SYN) {
		connect_out(f, port);
	} else if (f->fd && flags & (RST | FIN)) {
		close(f->fd);
		f->received += size + 1;
		if (flags & FIN)
			tcp_back(f, port, FIN | ACK, 0);
		f->fd = 0;
	} else if (f->fd && size) {
		bool again = get32(guest + L4 + 4) != f->received;

		if (!again)
			send_out(f, data, size);
		if (again || size > 1)
			tcp_back(f, port, ACK, 0);	/* of a single byte: along with the answer */
	}
}

static void from_guest_udp(unsigned size)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u32 = DATAGRAMS };

	if (udp_fd < 0) {
		memcpy(&to.sin_addr, guest + IP + 16, 4);
		memcpy(&to.sin_port, guest + L4 + 2, 2);
		udp_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		must("socket", udp_fd);
		must("connect", connect(udp_fd, (struct sockaddr *)&to, sizeof(to)));
		must("epoll_ctl", epoll_ctl(poll_fd, EPOLL_CTL_ADD, udp_fd, &event));
	}
	udp_ports[0] = get16(guest + L4 + 2);
	udp_ports[1] = get16(guest + L4);
	(void)!send(udp_fd, guest + L4 + UDP, size - L4 - UDP, 0);
}

static void answer_arp(unsigned size)
{
	uint8_t reply[BUFFER] = { 0 }, *arp = reply + IP;

	memcpy(reply + VNET, guest + VNET + 6, 6);
	memcpy(reply + VNET + 6, "\2\0\0\0\0\1", 6);
	put16(reply + VNET + 12, 0x806);
	memcpy(arp, guest + IP, 6);
	put16(arp + 6, 2);
	memcpy(arp + 8, "\2\0\0\0\0\1", 6);
	memcpy(arp + 14, guest + IP + 24, 4);
	memcpy(arp + 18, guest + IP + 8, 10);
	(void)!write(tap, reply, size);
}

static void from_guest(unsigned size)
{
	if (get16(guest + VNET + 12) == 0x806) {
		answer_arp(size);
	} else if (get16(guest + VNET + 12) == 0x800) {
		turn_round();
		if (guest[IP + 9] == IPPROTO_TCP)
			from_guest_tcp(size);
		else if (guest[IP + 9] == IPPROTO_UDP)
			from_guest_udp(size);
	}
}

static void from_outside(uint16_t port, uint32_t events)
{
	struct flow *f = &flows[port];
	ssize_t n;

	if (!f->fd)
		return;
	if (!f->open) {
		f->open = true;
		f->sent = f->received;
		tcp_back(f, port, SYN | ACK, 0);
		return;
	}
	if (!(events & EPOLLIN))
		return;
	consume(f);
	n = recv(f->fd, back + L4 + TCP, 65536 - 40 - 64, MSG_PEEK);
	if (n > 0) {
		f->peeked = (uint32_t)n;
		tcp_back(f, port, PSH | ACK, (unsigned)n);
	}
}

static void datagrams_from_outside(void)
{
	ssize_t n = recv(udp_fd, back + L4 + UDP, 65536 - 28, 0);

	if (n < 0)
		return;
	put16(back + L4, udp_ports[0]);
	put16(back + L4 + 2, udp_ports[1]);
	put16(back + L4 + 4, UDP + (unsigned)n);
	put16(back + L4 + 6, 0);
	write_back(IPPROTO_UDP, UDP, (unsigned)n, 0);
}

static void tap_open(const char *netns, const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int own = open("/proc/self/ns/net", O_RDONLY), there = open(netns, O_RDONLY), size = VNET;

	must(netns, there);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	must("setns", setns(there, CLONE_NEWNET));
	tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
	must("/dev/net/tun", tap);
	must("TUNSETIFF", ioctl(tap, TUNSETIFF, &ifr));
	must("TUNSETVNETHDRSZ", ioctl(tap, TUNSETVNETHDRSZ, &size));
	must("TUNSETOFFLOAD", ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4));
	must("setns", setns(own, CLONE_NEWNET));
	close(own);
	close(there);
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS], own = { .events = EPOLLIN | EPOLLET, .data.u32 = TAP };
	ssize_t n;

	if (argc != 4) {
		fputs("usage: natbound NETNS INTERFACE MTU\n", stderr);
		return 2;
	}
	mtu = (unsigned)atoi(argv[3]);
	tap_open(argv[1], argv[2]);
	poll_fd = epoll_create1(0);
	must("epoll_ctl", epoll_ctl(poll_fd, EPOLL_CTL_ADD, tap, &own));
	for (;;) {
		int ready = epoll_wait(poll_fd, events, EVENTS, -1);

		for (int i = 0; i < ready; i++) {
			if (events[i].data.u32 == DATAGRAMS)
				datagrams_from_outside();
			else if (events[i].data.u32 != TAP)
				from_outside((uint16_t)events[i].data.u32, events[i].events);
			else
				while ((n = read(tap, guest, sizeof(guest))) > L4)
					from_guest((unsigned)n);
		}
	}
}
