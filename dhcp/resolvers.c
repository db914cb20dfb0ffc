// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/resolvers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

enum { CHECK_MS = 1000, FRESH_MS = 2000, FILE_MAX = 65536, PORT = 53, ADDRESS_TEXT = INET6_ADDRSTRLEN + IF_NAMESIZE + 8 };

static int parse_port(const char *text, uint16_t *port)
{
	unsigned long v;

	if (number_parse(text, 1, UINT16_MAX, &v) < 0)
		return -EINVAL;
	*port = (uint16_t)v;
	return 0;
}

static uint32_t parse_scope(const char *text)
{
	unsigned long v;

	return number_parse(text, 1, UINT32_MAX, &v) == 0 ? (uint32_t)v : if_nametoindex(text);
}

static int parse4(struct resolver *r, const char *address, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1 || a.sin_addr.s_addr == INADDR_ANY)
		return -EINVAL;
	memcpy(&r->addr, &a, sizeof(a));
	r->size = sizeof(a);
	return 0;
}

static int parse6(struct resolver *r, char *address, uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	char *scope = strchr(address, '%');

	if (scope) {
		*scope++ = '\0';
		a.sin6_scope_id = parse_scope(scope);
		if (!a.sin6_scope_id)
			return -EINVAL;
	}
	if (inet_pton(AF_INET6, address, &a.sin6_addr) != 1 || IN6_IS_ADDR_UNSPECIFIED(&a.sin6_addr))
		return -EINVAL;
	memcpy(&r->addr, &a, sizeof(a));
	r->size = sizeof(a);
	return 0;
}

int resolver_parse(struct resolver *r, const char *text)
{
	struct resolver parsed = { .size = 0 };
	char address[ADDRESS_TEXT];
	uint16_t port = PORT;
	char *hash;
	int rc;

	if (strlen(text) >= sizeof(address))
		return -EINVAL;
	strcpy(address, text);
	hash = strchr(address, '#');
	if (hash) {
		*hash = '\0';
		if (parse_port(hash + 1, &port) < 0)
			return -EINVAL;
	}
	rc = strchr(address, ':') ? parse6(&parsed, address, port) : parse4(&parsed, address, port);
	if (!rc)
		*r = parsed;
	return rc;
}

/* parse_line() - "nameserver ADDRESS", with what resolv.conf(5) allows around it */
static int parse_line(struct resolver *r, const char *line, size_t size)
{
	static const char word[] = "nameserver";
	char address[ADDRESS_TEXT];
	size_t at = sizeof(word) - 1, n = 0;

	if (size <= at || memcmp(line, word, at) || (line[at] != ' ' && line[at] != '\t'))
		return -EINVAL;
	while (at < size && (line[at] == ' ' || line[at] == '\t'))
		at++;
	while (at + n < size && !strchr(" \t\r#;", line[at + n]))
		n++;
	if (!n || n >= sizeof(address))
		return -EINVAL;
	memcpy(address, line + at, n);
	address[n] = '\0';
	return resolver_parse(r, address);
}

void resolvers_parse(struct resolvers *r, const char *text)
{
	struct resolver list[RESOLVERS_MAX];
	unsigned n = 0;

	while (*text && n < RESOLVERS_MAX) {
		size_t size = strcspn(text, "\n");

		if (parse_line(&list[n], text, size) == 0)
			n++;
		text += size;
		text += *text == '\n';
	}
	if (n == r->n && memcmp(list, r->list, n * sizeof(*list)) == 0)
		return;
	memcpy(r->list, list, n * sizeof(*list));
	r->n = n;
	r->generation++;
}

void resolvers_init(struct resolvers *r, const char *path)
{
	memset(r, 0, sizeof(*r));
	snprintf(r->path, sizeof(r->path), "%s", path);
}

int resolvers_set(struct resolvers *r, const char *const *texts, unsigned n)
{
	struct resolver list[RESOLVERS_MAX];

	if (n > RESOLVERS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < n; i++)
		if (resolver_parse(&list[i], texts[i]) < 0)
			return -EINVAL;
	if (!n && !r->given)
		return 0;		/* it is the file's already */
	r->given = n != 0;
	r->read = false;		/* the file, when it is its turn again */
	if (n)
		memcpy(r->list, list, n * sizeof(*list));
	r->n = n;
	r->generation++;
	return 0;
}

static void read_file(struct resolvers *r)
{
	int fd = r->open ? r->open(r->open_arg, r->path) : open(r->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = fd < 0 ? NULL : malloc(FILE_MAX + 1);
	ssize_t n = text ? read(fd, text, FILE_MAX) : -1;

	if (n < 0)
		n = 0;
	if (text) {
		text[n] = '\0';
		resolvers_parse(r, text);
	} else {
		resolvers_parse(r, "");
	}
	free(text);
	if (fd >= 0)
		close(fd);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* fresh() - changed so lately that it may change again within the same tick of the file system's clock, in which both states look
 * the same */
static bool fresh(const struct stat *st)
{
	return clock_wall_ms() < (uint64_t)st->st_mtim.tv_sec * 1000 + (uint64_t)st->st_mtim.tv_nsec / 1000000 + FRESH_MS;
}

/* The state is taken before the file is read: what changes in between is seen as a change next time. */
void resolvers_update(struct resolvers *r, uint64_t now_ms)
{
	struct stat st;

	if (r->given || (r->read && now_ms - r->checked_ms < CHECK_MS))
		return;
	r->checked_ms = now_ms;
	if (stat(r->path, &st) < 0)
		memset(&st, 0, sizeof(st));
	if (r->read && !r->read_fresh && same_file(&st, &r->seen))
		return;
	r->seen = st;
	r->read = true;
	r->read_fresh = fresh(&st);
	read_file(r);
}
