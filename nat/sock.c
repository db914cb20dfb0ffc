// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/sock.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "nat/shard.h"

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

bool sock_stale(const struct flow *f)
{
	return f->outside && f->device != sock_device(f->shard);
}
