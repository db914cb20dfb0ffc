// SPDX-License-Identifier: GPL-2.0-or-later
/* HOST_NAMES: what the engine may have the host resolve. It says which names, so each is looked at: an address and a name below the one
 * domain, which the journal tells. */
#define _GNU_SOURCE	/* F_DUPFD_CLOEXEC */
#include "ctl/act_guests.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/act_journal.h"
#include "ctl/act_names.h"

enum { LINE_MAX_SIZE = INET6_ADDRSTRLEN + HOST_DOMAIN_SIZE + 2 };

/* guest_line() - "10.77.0.100\tweb1.lab.internal\n"; Return: its size, or 0 for what may not stand there */
static size_t guest_line(const struct host_guest *g, const char *domain, char *to)
{
	char ip[INET6_ADDRSTRLEN];
	size_t n = strnlen(g->name, sizeof(g->name)), below = strlen(domain);

	if (n == sizeof(g->name) || n <= below + 1 || strcmp(g->name + n - below, domain) != 0 || g->name[n - below - 1] != '.' ||
	    g->name[strspn(g->name, "abcdefghijklmnopqrstuvwxyz0123456789-_.")] || g->name[0] == '.' || strstr(g->name, "..") ||
	    (g->family != 4 && g->family != 6) || !inet_ntop(g->family == 4 ? AF_INET : AF_INET6, g->addr, ip, sizeof(ip)))
		return 0;
	return (size_t)sprintf(to, "%s\t%s\n", ip, g->name);
}

/* guest_lines() - of a copy of what @fd has: the engine can still write there. Return: a text to be freed, or NULL with errno */
static char *guest_lines(const struct host_names *m, int fd)
{
	char *text = malloc((size_t)m->n * LINE_MAX_SIZE + 1);
	size_t size = 0, line;
	struct host_guest g;

	for (uint32_t i = 0; text && i < m->n; i++) {
		line = pread(fd, &g, sizeof(g), (off_t)(i * sizeof(g))) == sizeof(g) ? guest_line(&g, m->domain, text + size) : 0;
		if (!line) {
			free(text);
			errno = EPROTO;
			return NULL;
		}
		size += line;
	}
	if (text)
		text[size] = '\0';
	return text;
}

/* note() - before the first change, once. Return: 0 or negative errno */
static int note(const struct host_names *m)
{
	struct host_change c = { .kind = HOST_CHANGE_NAMES, .target = NAMES_FILE };

	if (journal_noted(m->name, NAMES_FILE))
		return 0;
	snprintf(c.name, sizeof(c.name), "%s", m->name);
	snprintf(c.after, sizeof(c.after), "*.%.60s", m->domain);
	return journal_add(&c, 1);
}

int guests_tell(const struct host_names *m, const struct act_about *h, struct host_reply *r)
{
	char *lines = guest_lines(m, h->fd);
	struct error err = { .rc = 0 };
	int rc = lines ? 0 : -errno;

	if (rc == 0 && !*lines) {
		journal_undo(&journal_names, m->name, -1, false);
	} else if (rc == 0) {
		rc = note(m);
		if (rc == 0)
			rc = names_block(NAMES_FILE, m->name + strlen(NAMES_HELD), lines);
	}
	free(lines);
	if (rc == 0)
		return 0;
	error_set(&err, rc, "cannot write guests' names to " NAMES_FILE ": %s", strerror(-rc));
	if (geteuid() != 0)
		error_hint(&err, "sudo lanyardd: only root's daemon changes the host; or tell a resolver of the host: lanyard net set %.60s --dns-listen 127.0.0.1:5353",
			   m->name + strlen(NAMES_HELD));
	return act_refuse(r, rc, &err);
}

/* ---- the program ---- */

static bool is_names(const struct host_change *c)
{
	return c->kind == HOST_CHANGE_NAMES;
}

static int undo_block(const struct host_change *c, int tap)
{
	int rc = names_block(c->target, c->name + strlen(NAMES_HELD), "");

	(void)tap;
	return rc == -ENOENT ? 0 : rc;
}

const struct journal_part journal_names = { .has = is_names, .undo = undo_block };

static int run(const struct act_call *call, const struct act_about *about, struct host_reply *r)
{
	const struct host_header *head = (const void *)call->request;

	if (head->type == HOST_NAMES && about->fd >= 0)
		return guests_tell((const void *)head, about, r);
	return head->type == HOST_OPEN_RESOLV ? resolv_open(r) : -EPROTO;
}

static void undo_all(void)
{
	journal_undo(&journal_names, NULL, -1, false);
}

const struct act_program act_names = { .name = "lanyard-names", .run = run, .undo_all = undo_all, .use_journal = journal_use };
