/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/fuzz/fake_sockets.h - socket(), connect() and their like as pairs of unix sockets, whose other ends the fuzzer holds
 *
 * To be included by one file. Errors of connect() and bind(), clients that wait for accept4() and what the network says about a datagram
 * (the error queue) are the input's to choose; a remote that is closed with unread data is seen as a reset.
 */
#ifndef TESTS_FAKE_SOCKETS_H
#define TESTS_FAKE_SOCKETS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <linux/errqueue.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/rawicmp.h"
#include "switch/build.h"
#include "switch/packet.h"

#define MUST(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), abort()))

enum { FDS = 4096, REMOTES = 64 };

static struct {
	int remote;			/* the other end, plus one */
	bool listener, stream, ip6;
	uint8_t sent[8];		/* the beginning of what was sent last: of a raw socket it is quoted in reports */
	bool raw;
	union sock_addr peer;		/* UDP: last destination */
	struct {			/* what the network says about the next thing sent */
		int error;		/* 0: nothing */
		struct sock_extended_err what;
		uint32_t offender;
	} report;
} fds[FDS];
static int remotes[REMOTES];		/* the test's ends, in the order in which they were made */
static int nat_ends[REMOTES];		/* the NAT's ends of them */
static bool remote_stream[REMOTES];
static uint64_t remote_sent[REMOTES], remote_got[REMOTES];
static int remote_conn[REMOTES];	/* which of the guest's connections, or -1 */
static unsigned nremotes;
static int connect_error, bind_error, next_conn;
static unsigned clients_waiting;

static uint8_t to_guest_byte(uint64_t at)
{
	return (uint8_t)(at * 7 + (at >> 8));
}

static uint8_t to_remote_byte(uint64_t at)
{
	return (uint8_t)(at * 13 + (at >> 7));
}

static int make_pair(int type, int conn)
{
	int pair[2];

	if (nremotes == REMOTES || socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
		errno = EMFILE;
		return -1;
	}
	MUST(pair[0] < FDS);
	memset(&fds[pair[0]], 0, sizeof(fds[0]));
	fds[pair[0]].remote = pair[1] + 1;
	fds[pair[0]].stream = type == SOCK_STREAM;
	remotes[nremotes] = pair[1];
	nat_ends[nremotes] = pair[0];
	remote_stream[nremotes] = type == SOCK_STREAM;
	remote_sent[nremotes] = remote_got[nremotes] = 0;
	remote_conn[nremotes++] = conn;
	return pair[0];
}

int socket(int domain, int type, int protocol)
{
	MUST(domain == AF_INET || domain == AF_INET6);
	if (connect_error == EACCES && (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)) {
		errno = EACCES;		/* a host that allows no ping sockets */
		return -1;
	}
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	protocol = make_pair(type, type == SOCK_STREAM ? next_conn : -1);
	if (protocol >= 0)
		fds[protocol].ip6 = domain == AF_INET6;
	return protocol;
}

int connect(int fd, const struct sockaddr *to, socklen_t size)
{
	(void)fd, (void)to, (void)size;
	errno = connect_error;
	return connect_error ? -1 : 0;
}

int bind(int fd, const struct sockaddr *to, socklen_t size)
{
	(void)fd, (void)to, (void)size;
	errno = bind_error;
	return bind_error ? -1 : 0;
}

int getsockname(int fd, struct sockaddr *addr, socklen_t *size)
{
	struct addr ip6 = { .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 2 } };
	union sock_addr a;

	MUST(fd >= 0);
	*size = addr_to_sock(fds[fd].ip6 ? ip6 : addr4(0xc0a80102), 8080, &a);
	memcpy(addr, &a, *size);
	return 0;
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	if (level == SOL_SOCKET && name == SO_ERROR && connect_error && connect_error != EINPROGRESS) {
		*(int *)value = connect_error;
		return 0;
	}
	return (int)syscall(SYS_getsockopt, fd, level, name, value, size);
}

int accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
	(void)addr, (void)size, (void)flags;
	MUST(fds[fd].listener);
	errno = EAGAIN;
	if (!clients_waiting)
		return -1;
	clients_waiting--;
	return make_pair(SOCK_STREAM, -1);
}

ssize_t recv(int fd, void *to, size_t size, int flags)
{
	static uint8_t waste[65536];
	size_t done = 0;

	if (!(flags & MSG_TRUNC))
		return (ssize_t)syscall(SYS_recvfrom, fd, to, size, flags, NULL, NULL);
	while (done < size) {		/* unix sockets cannot discard */
		size_t n = size - done < sizeof(waste) ? size - done : sizeof(waste);
		ssize_t got = (ssize_t)syscall(SYS_recvfrom, fd, waste, n, MSG_DONTWAIT, NULL, NULL);

		if (got <= 0)
			return done ? (ssize_t)done : got;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

/* refused_by_report() - the error of an earlier thing sent is told instead, as the kernel does */
static bool refused_by_report(int fd)
{
	errno = fds[fd].report.error;
	return errno != 0;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct msghdr plain = *msg;

	if (refused_by_report(fd))
		return -1;
	if (msg->msg_name)
		memcpy(&fds[fd].peer, msg->msg_name, msg->msg_namelen);
	if (fds[fd].raw)
		memcpy(fds[fd].sent, msg->msg_iov[0].iov_base, sizeof(fds[fd].sent));
	plain.msg_name = NULL;
	plain.msg_namelen = 0;
	plain.msg_control = NULL;
	plain.msg_controllen = 0;
	return (ssize_t)syscall(SYS_sendmsg, fd, &plain, flags);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_size)
{
	if (refused_by_report(fd))
		return -1;
	memcpy(&fds[fd].peer, to, to_size < sizeof(fds[fd].peer) ? to_size : sizeof(fds[fd].peer));
	return (ssize_t)syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
}

ssize_t recvfrom(int fd, void *data, size_t size, int flags, struct sockaddr *from, socklen_t *from_size)
{
	memcpy(from, &fds[fd].peer, sizeof(fds[fd].peer));
	*from_size = sizeof(fds[fd].peer);
	return (ssize_t)syscall(SYS_recvfrom, fd, data, size, flags, NULL, NULL);
}

int recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags, struct timespec *timeout)
{
	int got = (int)syscall(SYS_recvmmsg, fd, msgs, n, flags, timeout);

	for (int i = 0; i < got; i++)
		memcpy(msgs[i].msg_hdr.msg_name, &fds[fd].peer, sizeof(fds[fd].peer));
	return got;
}

/* read_report() - from the error queue: what the network said, with the beginning of what it is about */
static ssize_t read_report(int fd, struct msghdr *msg)
{
	bool ip6 = fds[fd].peer.any.sa_family == AF_INET6;
	struct {
		struct sock_extended_err error;
		union sock_addr offender;
	} told = { .error = fds[fd].report.what };
	size_t size = sizeof(told.error) + (ip6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
	struct cmsghdr *c = msg->msg_control;

	if (!fds[fd].report.error) {
		errno = EAGAIN;
		return -1;
	}
	fds[fd].report.error = 0;
	addr_to_sock(ip6 ? (struct addr){ .words = { htobe32(0x20010db8), 0, 0, fds[fd].report.offender } } : addr4(fds[fd].report.offender), 0,
		     &told.offender);
	MUST(msg->msg_controllen >= CMSG_SPACE(size));
	c->cmsg_level = ip6 ? IPPROTO_IPV6 : IPPROTO_IP;
	c->cmsg_type = ip6 ? IPV6_RECVERR : IP_RECVERR;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), &told, size);
	msg->msg_controllen = CMSG_SPACE(size);
	memcpy(msg->msg_name, &fds[fd].peer, sizeof(fds[fd].peer));
	memset(msg->msg_iov[0].iov_base, 8, msg->msg_iov[0].iov_len);
	if (fds[fd].raw)
		memcpy(msg->msg_iov[0].iov_base, fds[fd].sent, sizeof(fds[fd].sent));
	return (ssize_t)(fds[fd].report.what.ee_data * (1 + told.error.ee_info % 3) % (msg->msg_iov[0].iov_len + 1));
}

/* tell_ttl() - how many hops a datagram had left when it came: as many as it has bytes, and so at times nonsense */
static void tell_ttl(struct msghdr *msg, int ttl)
{
	struct cmsghdr *c = msg->msg_control;

	if (!c || msg->msg_controllen < CMSG_SPACE(sizeof(ttl)) || ttl % 16 == 0)
		msg->msg_controllen = 0;
	if (!c || !msg->msg_controllen)
		return;
	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(ttl)), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL };
	memcpy(CMSG_DATA(c), &ttl, sizeof(ttl));
	msg->msg_controllen = CMSG_SPACE(sizeof(ttl));
}

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	void *name = msg->msg_name;
	ssize_t n;

	if (flags & MSG_ERRQUEUE)
		return read_report(fd, msg);
	msg->msg_name = NULL;
	n = (ssize_t)syscall(SYS_recvmsg, fd, &(struct msghdr){ .msg_iov = msg->msg_iov, .msg_iovlen = msg->msg_iovlen }, flags);
	if (n >= 0)
		tell_ttl(msg, (int)n);
	if (n >= 0 && name)
		memcpy(name, &fds[fd].peer, msg->msg_namelen < sizeof(fds[fd].peer) ? msg->msg_namelen : sizeof(fds[fd].peer));
	return n;
}

/* ---- raw ICMP sockets: the first two remote ends, where the input has them ---- */

static bool has_raw;

static void give_raw(void)
{
	int fd[2];

	has_raw = true;
	for (unsigned i = 0; i < 2; i++) {
		fd[i] = make_pair(SOCK_DGRAM, -1);
		MUST(fd[i] >= 0);
		fds[fd[i]].raw = true;
		fds[fd[i]].ip6 = i;
	}
	rawicmp_give(0, 0, 1, fd[0], fd[1]);
}

/* answer() - to the oldest message that left by raw socket, as the kernel shows it: of IPv4 with its header */
static void answer(uint32_t how)
{
	enum { OPTIONS = 4 };
	static uint8_t packet[IP4_HEADER + OPTIONS + 65536];
	bool ip6 = how & 1;
	uint32_t header = ip6 ? 0 : how & 4 ? IP4_HEADER + OPTIONS : IP4_HEADER;
	uint8_t *m = packet + header;
	ssize_t n = has_raw && remotes[ip6] >= 0 ? (ssize_t)syscall(SYS_recvfrom, remotes[ip6], m, 65536, MSG_DONTWAIT, NULL, NULL) : -1;

	if (n < ICMP_HEADER)
		return;
	memset(packet, 0, header);
	packet[0] = (uint8_t)(ip6 ? packet[0] : 0x40 | header / 4);
	m[0] = ip6 ? 129 : how & 32 ? 14 : 0;
	m[4] ^= how & 16;
	put_u16(m + 2, 0);
	put_u16(m + 2, checksum_finish(checksum_add(0, m, (size_t)n)) ^ (how >> 1 & 1));
	(void)!send(remotes[ip6], packet, how & 8 ? header + 5 : header + (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

#endif
