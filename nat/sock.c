// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/sock.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nat/shard.h"
#include "switch/packet.h"

enum { DEVICE_AGE_MS = 1000 };

uint32_t sock_device(struct nat_shard *s)
{
	const struct nat_conf *conf = shard_conf(s);
	uint64_t now = shard_now(s);

	if (!conf->device[0])
		return 0;
	if (s->device.conf != conf || now - s->device.asked_ms >= DEVICE_AGE_MS) {
		uint32_t index = if_nametoindex(conf->device);

		s->device.index = index ? index : SOCK_DEVICE_GONE;
		s->device.conf = conf;
		s->device.asked_ms = now;
	}
	return s->device.index;
}

/* bind_device() - by its name, as it is now; the index that the kernel found is what counts */
static int bind_device(struct nat_shard *s, int fd, uint32_t *device)
{
	const char *name = shard_conf(s)->device;
	socklen_t size = sizeof(*device);

	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_BINDTOIFINDEX, device, &size) < 0)
		return -errno;
	if (s->device.index != *device)
		s->device.asked_ms = 0;		/* another interface of that name: look again */
	return 0;
}

int sock_open(struct nat_shard *s, struct addr like, int type, int proto, bool outside, uint32_t *device)
{
	int fd = socket(addr_family(like), type | SOCK_NONBLOCK | SOCK_CLOEXEC, proto), rc = 0;

	if (fd < 0)
		return -errno;
	*device = 0;
	if (outside && shard_conf(s)->device[0])
		rc = bind_device(s, fd, device);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

/* dont_cut() - or do: what does not fit the path is refused */
static void dont_cut(int fd, struct manner *m, bool ip6, bool dont)
{
	int how = dont ? (ip6 ? IPV6_PMTUDISC_DO : IP_PMTUDISC_DO) : (ip6 ? IPV6_PMTUDISC_WANT : IP_PMTUDISC_DONT), is = dont;

	if (setsockopt(fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER, &how, sizeof(how)) == 0)
		m->dont_fragment = dont;
	if (ip6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_DONTFRAG, &is, sizeof(is));
}

void sock_follow(int fd, struct manner *m, const struct packet *p, bool routed)
{
	int ttl = routed ? p->ttl - 1 : p->ttl;
	bool ip6 = packet_is_ip6(p);
	/* RFC 8200 5: only the guest itself may cut what does not fit the path, and then it has */
	bool dont = ip6 ? !p->assembled : p->data[ETH_HEADER + 6] & 0x40;

	if (ttl != m->ttl && setsockopt(fd, ip6 ? IPPROTO_IPV6 : IPPROTO_IP, ip6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, sizeof(ttl)) == 0)
		m->ttl = (uint8_t)ttl;
	if (dont != m->dont_fragment)
		dont_cut(fd, m, ip6, dont);
}

bool sock_stale(const struct flow *f)
{
	return f->outside && f->device != sock_device(f->shard);
}
