// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* memfd_create() */
/* What the host resolves by: resolv.conf, or, where that says no more than "ask systemd-resolved", what resolved has, link by link. As text
 * for dhcp/resolvers.h, so that guests' names are asked where the host's would be, and what resolved makes of a name itself (the host's
 * hosts file, LLMNR) stays the host's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "ctl/act_bus.h"
#include "ctl/act_guests.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLVED_DIR "/run/systemd/resolve/"

enum { SERVERS_MAX = 64, TEXT_MAX = 60000, FILE_MAX = 16384 };

/* server - of a link, or with number 0 of all */
struct server {
	int link;
	char address[INET6_ADDRSTRLEN + IF_NAMESIZE + 8];
};

struct state {
	struct bus bus;
	struct server servers[SERVERS_MAX];
	unsigned n;
	int catch_all[SERVERS_MAX];	/* links that are asked for every name ("~.") */
	unsigned ncatch_all;
	char text[TEXT_MAX + 1];
	size_t size;
};

/* ---- is resolved asked at all? ---- */

/* names_stub() - does every nameserver of the file lead to resolved, and is there one? */
static bool names_stub(const char *text)
{
	unsigned all = 0, stub = 0;
	char address[64];

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		if (sscanf(text, "nameserver %63s", address) != 1)
			continue;
		all++;
		stub += !strcmp(address, "127.0.0.53") || !strcmp(address, "127.0.0.54");
	}
	return all && all == stub;
}

/* read_conf() - the text of the file that @fd has open; Return: false when it cannot be read */
static bool read_conf(int fd, char text[FILE_MAX + 1])
{
	ssize_t n = pread(fd, text, FILE_MAX, 0);

	text[n < 0 ? 0 : n] = '\0';
	return n >= 0;
}

bool resolv_is_stub(void)
{
	int fd = open(RESOLV_CONF, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char text[FILE_MAX + 1];
	bool stub = fd >= 0 && read_conf(fd, text) && names_stub(text);

	if (fd >= 0)
		close(fd);
	return stub;
}

/* is_resolveds() - one of its own files, or one that names nobody but it; one that the administrator wrote counts as it stands */
static bool is_resolveds(int fd)
{
	char path[PATH_MAX], text[FILE_MAX + 1];

	if (realpath(RESOLV_CONF, path) && !strncmp(path, RESOLVED_DIR, strlen(RESOLVED_DIR)))
		return true;
	return read_conf(fd, text) && names_stub(text);
}

/* ---- what it has ---- */

static void add_line(struct state *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add_line(struct state *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s->text + s->size, TEXT_MAX - s->size, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < TEXT_MAX - s->size)
		s->size += (size_t)n;
	s->text[s->size] = '\0';	/* a line that does not fit is left out */
}

/* is_ours() - an interface of a network of ours: what resolved knows by it are the names of its guests, which are not for others */
static bool is_ours(int link)
{
	char name[IF_NAMESIZE];

	return link > 0 && if_indextoname((unsigned)link, name) && !strncmp(name, HOST_IFACE_PREFIX, strlen(HOST_IFACE_PREFIX));
}

static void add_server(struct state *s, int link, int family, const void *address, size_t size, uint16_t port)
{
	struct server *to = &s->servers[s->n];
	char ip[INET6_ADDRSTRLEN], way[IF_NAMESIZE + 1] = "", at[8] = "";

	if (s->n == SERVERS_MAX || size != (family == AF_INET ? 4 : 16) || (family != AF_INET && family != AF_INET6) || is_ours(link))
		return;
	inet_ntop(family, address, ip, sizeof(ip));
	if (link > 0)
		snprintf(way, sizeof(way), "%%%d", link);
	if (port)
		snprintf(at, sizeof(at), "#%u", port);
	to->link = link;
	snprintf(to->address, sizeof(to->address), "%s%s%s", ip, way, at);
	s->n++;
}

static int read_servers(struct state *s)
{
	const struct bus_functions *f = &s->bus.f;
	sd_bus_message *m = NULL;
	int32_t link, family;
	int rc = bus_property(&s->bus, "", "Manager", "DNSEx", "a(iiayqs)", &m);

	if (rc < 0)
		return rc;
	rc = f->sd_bus_message_enter_container(m, 'a', "(iiayqs)");
	while (rc >= 0 && (rc = f->sd_bus_message_enter_container(m, 'r', "iiayqs")) > 0) {
		const void *address;
		const char *name;
		uint16_t port;
		size_t size;

		rc = f->sd_bus_message_read(m, "ii", &link, &family);
		if (rc >= 0)
			rc = f->sd_bus_message_read_array(m, 'y', &address, &size);
		if (rc >= 0)
			rc = f->sd_bus_message_read(m, "qs", &port, &name);
		if (rc >= 0)
			add_server(s, link, family, address, size, port);
		if (rc >= 0)
			rc = f->sd_bus_message_exit_container(m);
	}
	f->sd_bus_message_unref(m);
	return rc;
}

static void add_routes(struct state *s, int link, const char *domain)
{
	if (!strcmp(domain, ".")) {
		if (s->ncatch_all < SERVERS_MAX)
			s->catch_all[s->ncatch_all++] = link;
		return;
	}
	if (strpbrk(domain, " \t\r\n#;"))
		return;
	for (unsigned i = 0; i < s->n; i++)
		if (s->servers[i].link == link)
			add_line(s, "route %s %s\n", domain, s->servers[i].address);
}

static int read_domains(struct state *s)
{
	const struct bus_functions *f = &s->bus.f;
	sd_bus_message *m = NULL;
	const char *domain;
	int32_t link, route_only;
	int rc = bus_property(&s->bus, "", "Manager", "Domains", "a(isb)", &m);

	if (rc < 0)
		return rc;
	rc = f->sd_bus_message_enter_container(m, 'a', "(isb)");
	while (rc >= 0 && (rc = f->sd_bus_message_read(m, "(isb)", &link, &domain, &route_only)) > 0)
		add_routes(s, link, domain);
	f->sd_bus_message_unref(m);
	return rc;
}

/* is_default() - is a link asked for names that nobody claims? A link that is gone by now is not. */
static bool is_default(struct state *s, int link)
{
	sd_bus_message *m = NULL;
	int32_t yes = 0;
	char path[32];

	if (link <= 0)
		return true;
	snprintf(path, sizeof(path), "/link/_3%d", link);	/* the first digit is escaped, as it may not begin a name (sd_bus_path_encode(3)) */
	if (bus_property(&s->bus, path, "Link", "DefaultRoute", "b", &m) < 0)
		return false;
	if (s->bus.f.sd_bus_message_read(m, "b", &yes) < 0)
		yes = 0;
	s->bus.f.sd_bus_message_unref(m);
	return yes;
}

static bool catches_all(const struct state *s, int link)
{
	for (unsigned i = 0; i < s->ncatch_all; i++)
		if (s->catch_all[i] == link)
			return true;
	return false;
}

static void add_nameservers(struct state *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->ncatch_all ? catches_all(s, s->servers[i].link) : is_default(s, s->servers[i].link))
			add_line(s, "nameserver %s\n", s->servers[i].address);
}

/* as_file() - Return: a descriptor to read the text by, or negative errno */
static int as_file(const struct state *s)
{
	int fd = memfd_create("resolvers", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (pwrite(fd, s->text, s->size, 0) == (ssize_t)s->size)
		return fd;
	close(fd);
	return -EIO;
}

static int ask_resolved(void)
{
	struct state *s = calloc(1, sizeof(*s));
	int rc = s ? bus_open(&s->bus) : -ENOMEM;

	if (rc >= 0)
		rc = read_servers(s);
	if (rc >= 0)
		rc = read_domains(s);
	if (rc >= 0) {
		add_nameservers(s);
		rc = as_file(s);
	}
	if (s)
		bus_close(&s->bus);
	free(s);
	return rc;
}

int resolv_open(struct host_reply *r)
{
	int fd = open(RESOLV_CONF, O_RDONLY | O_NONBLOCK | O_CLOEXEC), other;
	struct error err;

	if (fd < 0) {
		error_set(&err, -errno, RESOLV_CONF ": %s", strerror(errno));
		return act_refuse(r, err.rc, &err);
	}
	other = is_resolveds(fd) ? ask_resolved() : -ENOENT;
	if (other < 0)
		return fd;		/* its stub does as well */
	close(fd);
	return other;
}
