// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* memfd_create() */
#include "ctl/act_look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"
#include "ctl/act.h"
#include "ctl/act_conntrack.h"
#include "ctl/act_nft.h"

int look_file(const void *data, size_t size)
{
	int fd = memfd_create("lanyard look", MFD_CLOEXEC);
	size_t done = 0;
	ssize_t n;
	int rc;

	while (fd >= 0 && done < size && (n = write(fd, (const uint8_t *)data + done, size - done)) > 0)
		done += (size_t)n;
	if (fd >= 0 && done == size && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* has_iptables() - does the kernel have tables of iptables that are not written by way of nftables? */
static bool has_iptables(void)
{
	static const char *const lists[] = { "/proc/net/ip_tables_names", "/proc/net/ip6_tables_names" };
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		int fd = open(lists[i], O_RDONLY | O_CLOEXEC);
		char c;

		any |= fd >= 0 && read(fd, &c, 1) == 1;
		if (fd >= 0)
			close(fd);
	}
	return any;
}

int ruleset_open(struct host_reply *r)
{
	struct error err = { .rc = 0 };
	char *text = nft_ruleset(&err);
	int fd;

	if (!text)
		return act_refuse(r, err.rc, &err);
	r->value = has_iptables();
	fd = look_file(text, strlen(text));
	free(text);
	return fd;
}

int flows_open(const struct host_iface *iface, struct host_reply *r)
{
	struct host_flow *list = calloc(HOST_FLOWS_MAX, sizeof(*list));
	long n = list ? conntrack_flows(iface, list, HOST_FLOWS_MAX) : -ENOMEM;
	int fd = n < 0 ? (int)n : look_file(list, MIN_OF((size_t)n, (size_t)HOST_FLOWS_MAX) * sizeof(*list));

	r->value = n > 0 ? (uint32_t)n : 0;
	free(list);
	return fd;
}
