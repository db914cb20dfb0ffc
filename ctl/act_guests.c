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
#include "ctl/act_resolved.h"

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

/* note() - before the first change of @target, once. Return: 0 or negative errno */
static int note(const struct host_names *m, const char *target)
{
	struct host_change c = { .kind = HOST_CHANGE_NAMES };

	if (journal_noted(m->name, target))
		return 0;
	snprintf(c.name, sizeof(c.name), "%s", m->name);
	snprintf(c.target, sizeof(c.target), "%s", target);
	snprintf(c.after, sizeof(c.after), "*.%.60s", m->domain);
	return journal_add(&c, 1);
}

/* ---- the two ways: systemd-resolved, or the hosts file ---- */

static bool is_names(const struct host_change *c)
{
	return c->kind == HOST_CHANGE_NAMES;
}

static bool is_link(const struct host_change *c)
{
	return is_names(c) && !strncmp(c->target, RESOLVED_HELD, strlen(RESOLVED_HELD));
}

static bool is_block(const struct host_change *c)
{
	return is_names(c) && !is_link(c);
}

static int undo(const struct host_change *c, int tap)
{
	int rc;

	(void)tap;
	if (is_link(c))
		return resolved_forget(c->target + strlen(RESOLVED_HELD));
	rc = names_block(c->target, c->name + strlen(NAMES_HELD), "");
	return rc == -ENOENT ? 0 : rc;
}

const struct journal_part journal_names = { .has = is_names, .undo = undo };
static const struct journal_part links = { .has = is_link, .undo = undo }, blocks = { .has = is_block, .undo = undo };

/* by_link() - Return: 0, or negative errno: it is not to be had, and nothing is left of it */
static int by_link(const struct host_names *m)
{
	char target[HOST_TARGET_SIZE];
	int rc;

	snprintf(target, sizeof(target), RESOLVED_HELD "%s", m->ifname);
	if (!journal_noted(m->name, target))
		journal_undo(&links, m->name, -1, false);	/* of another interface */
	rc = note(m, target);
	if (rc == 0)
		rc = resolved_tell(m->ifname, m->domain);
	journal_undo(rc == 0 ? &blocks : &links, m->name, -1, false);
	return rc;
}

static int by_block(const struct host_names *m, const char *lines)
{
	int rc = *lines ? note(m, NAMES_FILE) : 0;

	if (rc == 0 && *lines)
		rc = names_block(NAMES_FILE, m->name + strlen(NAMES_HELD), lines);
	else if (rc == 0)
		journal_undo(&blocks, m->name, -1, false);
	if (rc == 0)
		journal_undo(&links, m->name, -1, false);
	return rc;
}

int guests_tell(const struct host_names *m, const struct act_about *h, struct host_reply *r)
{
	char *lines = guest_lines(m, h->fd);
	struct error err = { .rc = 0 };
	int rc = lines ? 0 : -errno;

	r->value = resolv_is_stub() ? HOST_NAMES_STUB : 0;
	if (rc == 0 && r->value && m->ifname[0] && by_link(m) == 0)
		r->value |= HOST_NAMES_LINK;
	else if (rc == 0)
		rc = by_block(m, lines);
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

/* tell() - but not names below a domain that may be somebody's */
static int tell(const struct act_call *call, const struct act_about *about, struct host_reply *r)
{
	const struct host_names *m = (const void *)call->request;
	struct error err = { .rc = 0 };

	if ((!m->n && !m->ifname[0]) || domains_allow(call->domains, m->domain))
		return guests_tell(m, about, r);
	error_set(&err, -EPERM, "names below %.100s are not told to the host: the domain may be somebody's", m->domain);
	error_hint(&err, "a domain below .internal; or start lanyardd with --host-domains %.100s", m->domain);
	return act_refuse(r, -EPERM, &err);
}

static int run(const struct act_call *call, const struct act_about *about, struct host_reply *r)
{
	const struct host_header *head = (const void *)call->request;

	if (head->type == HOST_NAMES && about->fd >= 0)
		return tell(call, about, r);
	return head->type == HOST_OPEN_RESOLV ? resolv_open(r) : -EPROTO;
}

static void undo_all(void)
{
	journal_undo(&journal_names, NULL, -1, false);
}

const struct act_program act_names = { .name = "lanyard-names", .run = run, .undo_all = undo_all, .use_journal = journal_use };
