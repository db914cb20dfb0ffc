// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* memfd_create(), close_range() */
#include "ctl/start.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/log.h"

int start_path(const char *name, char *to, size_t room)
{
	static const char *const places[] = { "", "../libexec/lanyard/" };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[n < 0 ? 0 : n] = '\0';
	slash = strrchr(self, '/');
	for (size_t i = 0; slash && i < ARRAY_SIZE(places); i++)
		if (snprintf(to, room, "%.*s/%s%s", (int)(slash - self), self, places[i], name) < (int)room && access(to, X_OK) == 0)
			return 0;
	return -ENOENT;
}

int start_engine_path(char *to, size_t room)
{
	const char *given = getenv("LANYARD_ENGINE");

	if (given)
		return snprintf(to, room, "%s", given) < (int)room ? 0 : -ENAMETOOLONG;
	return start_path("lanyard-engine", to, room);
}

/* write_arguments() - the engine's */
static void write_arguments(const struct start_conf *conf, struct started *s)
{
	char uid[16], admins[16], workers[16], *to = s->message.arguments, *end = to + sizeof(s->message.arguments) - 1;
	const struct {
		bool given;
		const char *option, *value;
	} all[] = {
		{ true, "--runtime-dir", s->message.runtime_dir }, { true, "--state-dir", s->engine_dir }, { true, "--uid", uid },
		{ s->has_admins, "--admins", admins }, { s->message.config[0], "--config", s->message.config }, { conf->workers, "--workers", workers },
	};

	snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
	snprintf(admins, sizeof(admins), "%u", s->admins);
	snprintf(workers, sizeof(workers), "%u", conf->workers);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].given) {
			to += snprintf(to, (size_t)(end - to), "%s", all[i].option) + 1;
			to += snprintf(to, (size_t)(end - to), "%s", all[i].value) + 1;
		}
}

static int write_message(const struct started *s)
{
	size_t given = s->message.ngiven * sizeof(*s->given);
	int fd = memfd_create("lanyard start", MFD_CLOEXEC);

	if (fd < 0 || pwrite(fd, &s->message, sizeof(s->message), 0) != (ssize_t)sizeof(s->message) ||
	    (given && pwrite(fd, s->given, given, sizeof(s->message)) != (ssize_t)given))
		return -ENOMEM;
	return fd;
}

/* put_all() - in two steps, as one's number may be another's descriptor */
static int put_all(int *fds, unsigned n)
{
	int first_free = START_MESSAGE_FD + (int)n;

	for (unsigned i = 0; i < n; i++)
		if (fds[i] < first_free && (fds[i] = fcntl(fds[i], F_DUPFD, first_free)) < 0)
			return -errno;
	for (unsigned i = 0; i < n; i++)
		if (dup2(fds[i], START_MESSAGE_FD + (int)i) < 0)
			return -errno;
	return close_range((unsigned)first_free, ~0u, 0) < 0 ? -errno : 0;
}

/* become_keeper() - Return: negative errno */
static int become_keeper(const struct start_conf *conf, struct started *s)
{
	char *const argv[] = { (char *)"lanyard-keeper", NULL };
	const int first[] = { write_message(s), s->lock, s->api, s->attach, s->journal, s->users };
	unsigned n = ARRAY_SIZE(first) + s->message.ngiven;
	int *fds = malloc(n * sizeof(*fds)), rc;

	if (!fds || first[0] < 0)
		return -ENOMEM;
	memcpy(fds, first, sizeof(first));
	if (s->message.ngiven)
		memcpy(fds + ARRAY_SIZE(first), s->given_fds, s->message.ngiven * sizeof(*fds));
	rc = put_all(fds, n);
	if (rc < 0)
		return rc;
	execv(conf->keeper, argv);
	return -errno;
}

int start_run(const struct start_conf *conf)
{
	struct started s = { .message.size = sizeof(s.message), .lock = -1, .journal = -1, .users = -1, .api = -1, .attach = -1 };
	struct start_message *m = &s.message;
	int rc;

	umask(077);
	given_take(&s);
	snprintf(m->runtime_dir, sizeof(m->runtime_dir), "%s", conf->runtime_dir);
	snprintf(m->config, sizeof(m->config), "%s", conf->config ? conf->config : "");
	snprintf(m->host_domains, sizeof(m->host_domains), "%s", conf->host_domains ? conf->host_domains : "");
	rc = setup_open(conf, &s);
	if (rc < 0)
		return rc;
	write_arguments(conf, &s);
	rc = become_keeper(conf, &s);
	log_error("event=start-failed what=\"cannot start the keeper\" path=%s reason=\"%s\"", conf->keeper, strerror(-rc));
	return rc;
}
