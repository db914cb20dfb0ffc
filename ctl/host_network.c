// SPDX-License-Identifier: GPL-2.0-or-later
/* What is asked of the keeper for networks that are a part of the host: what it changes there, and its journal of that. */
#define _GNU_SOURCE	/* memfd_create() */
#include "ctl/host_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ctl/host_call.h"

int host_open_iface(struct host *host, const char *name, struct host_iface *iface, struct error *err)
{
	struct host_reply reply;
	int rc = host_put(iface->name, sizeof(iface->name), name, err);

	iface->head.type = HOST_OPEN_IFACE;
	return rc < 0 ? rc : host_call_open(host, iface, sizeof(*iface), &reply, err);
}

int host_open_uplink(struct host *host, const char *name, const char *ifname, enum host_hears hears, bool *all, struct error *err)
{
	struct host_uplink m = { .head.type = HOST_OPEN_UPLINK, .hears = (uint8_t)hears };
	struct host_reply reply;
	int rc = host_put(m.ifname, sizeof(m.ifname), ifname, err);

	if (rc == 0)
		rc = host_put(m.name, sizeof(m.name), name, err);
	if (rc == 0)
		rc = host_call_open(host, &m, sizeof(m), &reply, err);
	if (rc >= 0)
		*all = reply.value == 1;
	return rc;
}

int host_wire(struct host *host, const char *name, struct host_wire *wire, struct error *err)
{
	struct host_reply reply;
	int rc = host_put(wire->name, sizeof(wire->name), name, err);

	wire->head.type = HOST_WIRE;
	if (rc < 0)
		return rc;
	rc = host_call(host, wire, sizeof(*wire), -1, &reply, NULL);
	return rc < 0 ? host_call_failed(err, rc, &reply) : 0;
}

int host_names(struct host *host, const char *net, const char *domain, const char *ifname, int fd, unsigned n, struct error *err)
{
	struct host_names m = { .head.type = HOST_NAMES, .n = n };
	struct host_reply reply;
	int rc = host_put(m.domain, sizeof(m.domain), domain, err);

	if (rc == 0)
		rc = host_put(m.ifname, sizeof(m.ifname), ifname, err);
	snprintf(m.name, sizeof(m.name), "names:%.63s", net);
	if (rc < 0)
		return rc;
	rc = host_call(host, &m, sizeof(m), fd, &reply, NULL);
	if (rc == 0)
		return (int)(reply.value & (HOST_NAMES_STUB | HOST_NAMES_LINK));
	return err ? host_call_failed(err, rc, &reply) : rc;
}

int host_delegated(struct host *host, const char *name, int fd, unsigned n, char refused[HOST_TEXT_SIZE], struct error *err)
{
	struct host_delegated m = { .head.type = HOST_DELEGATED, .n = n };
	struct host_reply reply = { .rc = 0 };
	int rc = host_put(m.name, sizeof(m.name), name, err);

	if (rc == 0)
		rc = host_call(host, &m, sizeof(m), fd, &reply, NULL);
	if (rc < 0)
		return host_call_failed(err, rc, &reply);
	memcpy(refused, reply.message, HOST_TEXT_SIZE);
	return (int)(reply.value & INT32_MAX);
}

/* forwards_file() - Return: a descriptor to be read from its beginning, or negative errno */
static int forwards_file(const struct host_forward *list, size_t n)
{
	ssize_t size = (ssize_t)(n * sizeof(*list));
	int fd = memfd_create("forwards", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (pwrite(fd, list, (size_t)size, 0) == size)
		return fd;
	close(fd);
	return -ENOSPC;
}

int host_nat(struct host *host, struct host_nat *nat, const struct host_forward *list, size_t n, char warning[HOST_TEXT_SIZE],
	     struct error *err)
{
	struct host_reply reply = { .rc = 0 };
	int fd = forwards_file(list, n), rc;

	if (fd < 0)
		return error_set(err, fd, "%zu forwards: %s", n, strerror(-fd));
	nat->head.type = HOST_NAT;
	nat->nforwards = (uint32_t)n;
	rc = host_call(host, nat, sizeof(*nat), fd, &reply, NULL);
	close(fd);
	if (rc < 0)
		return host_call_failed(err, rc, &reply);
	memcpy(warning, reply.message, HOST_TEXT_SIZE);
	return 0;
}

int host_nat_watch(struct host *host)
{
	struct host_header m = { .type = HOST_NAT_WATCH };
	struct host_reply reply;

	return host_call_open(host, &m, sizeof(m), &reply, NULL);
}

int host_changes(struct host *host, struct error *err)
{
	struct host_header m = { .type = HOST_CHANGES };
	struct host_reply reply;

	return host_call_open(host, &m, sizeof(m), &reply, err);
}

int host_ruleset(struct host *host, bool *more, struct error *err)
{
	struct host_header m = { .type = HOST_RULESET };
	struct host_reply reply = { .rc = 0 };
	int fd = host_call_open(host, &m, sizeof(m), &reply, err);

	*more = fd >= 0 && reply.value;
	return fd;
}

int host_flows(struct host *host, const char *name, uint32_t *n, struct error *err)
{
	struct host_named m = { .head.type = HOST_FLOWS };
	struct host_reply reply = { .rc = 0 };
	int fd;

	snprintf(m.name, sizeof(m.name), "%s", name);
	fd = host_call_open(host, &m, sizeof(m), &reply, err);
	*n = fd < 0 ? 0 : reply.value;
	return fd;
}
