// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets that the daemon was started with: the keeper hands over all of them, and the message that says what they are (ctl/start.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/act_paths.h"
#include "ctl/start.h"

static struct start_given *given;
static unsigned ngiven;

int given_read(unsigned n)
{
	ssize_t size = (ssize_t)(n * sizeof(*given));

	if (n == ngiven)
		return 0;
	given = n <= START_GIVEN_MAX ? malloc((size_t)size) : NULL;
	if (!given)
		return -ENOMEM;
	if (pread(ACT_GIVEN_FD, given, (size_t)size, sizeof(struct start_message)) != size)
		return -EPROTO;
	for (unsigned i = 0; i < n; i++)
		if (!memchr(given[i].label, '\0', sizeof(given[i].label)))
			return -EPROTO;
	ngiven = n;
	return 0;
}

/* is_for() - the engine's name is forward:NET/ID/...; a label is NET/ID, or ID alone */
static bool is_for(const char *label, const char *name)
{
	static const char kind[] = "forward:";
	const char *slash, *end;
	size_t n = strlen(label);

	if (!n || strncmp(name, kind, sizeof(kind) - 1))
		return false;
	name += sizeof(kind) - 1;
	slash = strchr(name, '/');
	end = slash ? strrchr(slash + 1, '/') : NULL;
	if (!end)
		return false;
	return (n == (size_t)(end - name) && !strncmp(label, name, n)) ||
	       (n == (size_t)(end - slash - 1) && !strncmp(label, slash + 1, n));
}

/* One that was given by name serves where the forward has an address of its family, whichever address it is. */
static bool fits(const struct start_given *g, const struct host_listen *m, uint16_t port)
{
	if (g->family != m->family || g->proto != m->proto)
		return false;
	return (m->count == 1 && is_for(g->label, m->name)) ||
	       (g->port == port && !memcmp(g->addr, m->addr, sizeof(g->addr)));
}

int given_find(const struct host_listen *m, uint16_t port)
{
	for (unsigned i = 0; i < ngiven; i++) {
		int fd = ACT_GIVEN_FD + 1 + (int)i;

		if (!fits(&given[i], m, port))
			continue;
		if (m->proto == HOST_TCP && listen(fd, LISTEN_BACKLOG) < 0)	/* again, where an earlier use has ended it */
			return -errno;
		fd = dup(fd);
		return fd < 0 ? -errno : fd;
	}
	return -ENOENT;
}
