// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/live_kernel_watch.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "ctl/engine.h"
#include "ctl/host_client.h"
#include "ctl/live_kernel.h"
#include "ctl/nft_notice.h"

#define KEEPER "lanyard-nat"

enum { NOTICE_ROOM = 65536 };

/* read_notices() - Return: has the kernel told more than its socket holds? Then nobody knows what */
static bool read_notices(int fd, struct nft_notice *notice)
{
	static char room[NOTICE_ROOM];
	ssize_t n;

	while ((n = recv(fd, room, sizeof(room), 0)) > 0)
		nft_notice_read(notice, room, (size_t)n, KEEPER);
	return n < 0 && errno == ENOBUFS;
}

static void on_notice(evutil_socket_t fd, short what, void *arg)
{
	struct nft_notice notice = { 0 };
	bool lost = false;

	(void)what;
	while (read_notices(fd, &notice))
		lost = true;
	if (notice.changed || lost)
		live_kernel_restore(arg, notice.changed ? notice.by : "?");
}

void kernel_watch_own(struct engine *e)
{
	struct nft_notice notice = { 0 };

	if (!e->nft_watch)
		return;
	while (read_notices(event_get_fd(e->nft_watch), &notice))
		;
	if (notice.changed)
		live_kernel_restore(e, notice.by);
}

void kernel_watch(struct engine *e)
{
	int fd = e->nft_watch ? -1 : host_nat_watch(e->host);

	if (e->nft_watch)
		return;
	if (fd >= 0)
		e->nft_watch = event_new(e->base, fd, EV_READ | EV_PERSIST, on_notice, e);
	if (e->nft_watch)
		event_add(e->nft_watch, NULL);
	else
		log_warn("event=nat-rules-not-watched reason=\"%s\"", strerror(fd < 0 ? -fd : ENOMEM));
}
