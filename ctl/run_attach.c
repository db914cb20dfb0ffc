// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/run_attach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "base/array.h"

enum {
	RETRY_MS = 75,		/* an engine is back within a second: this adds little to it, and costs little */
	REFUSED_RETRY_MS = 1000,
	ANSWER_MS = 5000,
	MESSAGE_MAX = 4096,
};

void attachment_init(struct attachment *a, const char *path, const struct port_name *name, const char *ifname,
		     const char *medium, int medium_fd)
{
	memset(a, 0, sizeof(*a));
	snprintf(a->path, sizeof(a->path), "%s", path);
	snprintf(a->ifname, sizeof(a->ifname), "%s", ifname);
	a->name = *name;
	a->medium = medium;
	a->medium_fd = medium_fd;
	a->fd = -1;
}

void attachment_fini(struct attachment *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

static void go_away(struct attachment *a, uint64_t again_ms)
{
	attachment_fini(a);
	a->state = ATTACH_AWAY;
	a->next_ms = again_ms;
}

/* --- asking ------------------------------------------------------------------------------------------- */

static char *request_text(const struct attachment *a)
{
	json_t *tree = json_pack("{s:s,s:s,s:s,s:s,s:s,s:b}", "op", "attach", "network", a->name.net, "port", a->name.port,
				 "medium", a->medium, "ifname", a->ifname, "transient", 1);
	char mac[MAC_TEXT], *text;

	if (tree && a->has_mac)
		json_object_set_new(tree, "mac", json_string(mac_format(a->mac, mac)));
	if (tree && a->vid)
		json_object_set_new(tree, "vlan", json_integer(a->vid));
	text = json_dumps(tree, JSON_COMPACT);
	json_decref(tree);
	return text;
}

static int connect_to(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return -errno;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

static int send_with_fd(int sock, const char *text, int fd)
{
	struct iovec iov = { (void *)(uintptr_t)text, strlen(text) };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control.room),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	return sendmsg(sock, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void ask(struct attachment *a, uint64_t now_ms)
{
	char *text = request_text(a);
	int rc = -ENOMEM;

	a->fd = text ? connect_to(a->path) : -1;
	if (text)
		rc = a->fd < 0 ? a->fd : send_with_fd(a->fd, text, a->medium_fd);
	free(text);
	if (rc < 0) {
		error_set(&a->err, rc, "daemon: cannot attach by %s: %s", a->path, strerror(-rc));
		if (rc == -ENOENT || rc == -ECONNREFUSED)
			error_code(&a->err, "unreachable");
		go_away(a, now_ms + RETRY_MS);
		return;
	}
	a->state = ATTACH_ASKED;
	a->next_ms = now_ms + ANSWER_MS;
}

/* --- the answer ---------------------------------------------------------------------------------------- */

static int read_answer(struct attachment *a, const json_t *tree)
{
	const char *mac = json_string_value(json_object_get(tree, "mac"));
	const char *gateway = json_string_value(json_object_get(tree, "gateway"));
	const char *domain = json_string_value(json_object_get(tree, "domain"));
	const char *subnet = json_string_value(json_object_get(tree, "subnet"));
	json_int_t mtu = json_integer_value(json_object_get(tree, "mtu"));

	if (!mac || mac_parse(mac, a->mac) < 0 || mtu < 0 || mtu > 65535)
		return -EBADMSG;
	a->has_mac = true;
	a->mtu = (uint32_t)mtu;
	a->has_subnet = subnet && subnet[0];
	if (!gateway || ip4_parse(gateway, &a->gateway) < 0)
		a->gateway = 0;
	snprintf(a->domain, sizeof(a->domain), "%s", domain ? domain : "");
	return 0;
}

/* take_error() - before the first answer a refusal is the end; after it, a daemon that starts may not be ready yet */
static void take_error(struct attachment *a, uint64_t now_ms)
{
	bool was_told = a->state == ATTACH_THERE;	/* of a port that was there: it was removed */

	go_away(a, now_ms + REFUSED_RETRY_MS);
	if (was_told || !a->was_there)
		a->state = ATTACH_REFUSED;
}

static void take_message(struct attachment *a, const char *text, uint64_t now_ms)
{
	json_t *tree = json_loads(text, 0, NULL);

	if (client_error(tree, &a->err)) {
		take_error(a, now_ms);
	} else if (a->state == ATTACH_ASKED) {
		if (read_answer(a, tree) < 0) {
			error_set(&a->err, -EBADMSG, "daemon: its answer on %s makes no sense", a->path);
			take_error(a, now_ms);
		} else {
			a->state = ATTACH_THERE;
			a->was_there = true;
			a->next_ms = UINT64_MAX;
		}
	}
	json_decref(tree);
}

static void listen_to(struct attachment *a, uint64_t now_ms)
{
	char text[MESSAGE_MAX + 1];
	ssize_t n = recv(a->fd, text, MESSAGE_MAX, 0);

	if (n > 0) {
		text[n] = '\0';
		take_message(a, text, now_ms);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	error_set(&a->err, -EPIPE, "daemon: closed the connection to %s", a->path);
	go_away(a, now_ms + RETRY_MS);
}

void attachment_poll(struct attachment *a, uint64_t now_ms)
{
	if (a->fd >= 0)
		listen_to(a, now_ms);
	if (a->state == ATTACH_ASKED && now_ms >= a->next_ms) {
		error_set(&a->err, -ETIMEDOUT, "daemon: no answer on %s", a->path);
		go_away(a, now_ms + RETRY_MS);
	}
	if (a->state == ATTACH_AWAY && now_ms >= a->next_ms)
		ask(a, now_ms);
}
