// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/act_plug.h"

#ifndef SOL_RAW
enum { SOL_RAW = 255 };
#endif

/* only_replies() - the kernel's filter by type: a set bit is a type that does not come */
static int only_replies(int fd, bool ip6)
{
	struct icmp_filter four = { .data = ~(1u << ICMP_ECHOREPLY) };
	struct icmp6_filter six;

	memset(&six, 0xff, sizeof(six));
	six.data[ICMPV6_ECHO_REPLY / 32] &= ~(1u << ICMPV6_ECHO_REPLY % 32);
	return ip6 ? setsockopt(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, &six, sizeof(six)) :
		     setsockopt(fd, SOL_RAW, ICMP_FILTER, &four, sizeof(four));
}

/* only_share() - by identifier, and locked: the host's own pings, and those of other workers, wake nobody
 * A raw socket for IPv4 sees packets with their IP header, one for IPv6 without. */
static int only_share(int fd, const struct host_icmp *m)
{
	bool ip6 = m->family == 6;
	struct sock_filter code[] = {
		BPF_STMT(BPF_LDX | (ip6 ? BPF_W | BPF_IMM : BPF_B | BPF_MSH), 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, m->shares - 1u),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, m->share, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { .len = ARRAY_SIZE(code), .filter = code };
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -1;
	return setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on));
}

int icmp_open(const struct host_icmp *m)
{
	bool ip6 = m->family == 6;
	int fd = socket(ip6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, ip6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP), rc;

	if (fd < 0)
		return -errno;
	if (only_replies(fd, ip6) == 0 && only_share(fd, m) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}
