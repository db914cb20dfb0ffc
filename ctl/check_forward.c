// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/check_forward.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/check.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

static const struct {
	const char *name, *proto;
	bool loopback, v6;
	uint8_t count;			/* of ports */
} kinds[CHECK_FORWARDS] = {
	[CHECK_OWN_TCP] = { "lanyard-check-tcp", "tcp", false, false, 1 },
	[CHECK_OWN_UDP] = { "lanyard-check-udp", "udp", false, false, 1 },
	[CHECK_OWN_RANGE] = { "lanyard-check-range", "tcp", false, false, 2 },
	[CHECK_LOOP_TCP] = { "lanyard-check-loopback", "tcp", true, false, 1 },
	[CHECK_OWN6_TCP] = { "lanyard-check-tcp6", "tcp", false, true, 1 },
	[CHECK_LOOP6_TCP] = { "lanyard-check-loopback6", "tcp", true, true, 1 },
};

static const struct addr loopback6 = { .bytes = { [15] = 1 } };

/* --- the guard --------------------------------------------------------------------------------------------- */

static void remove_all(struct client *client, const char *net)
{
	char path[CLI_PATH_MAX];
	struct error err;

	for (unsigned i = 0; i < CHECK_FORWARDS; i++) {
		cli_path(path, "networks", net, "forwards", kinds[i].name, NULL);
		client_json(client, "DELETE", path, NULL, 0, NULL, &err);	/* one that is not there is as it should be */
	}
}

/* keep_watch() - until the other end of @fd is closed; one byte there says that there is nothing to do */
static void keep_watch(int fd, const char *socket, const char *net)
{
	struct error err;
	struct client *client;
	char byte;

	setsid();			/* what the terminal sends to the check is not for us; nor are its descriptors, which keep ports */
	dup2(fd, STDIN_FILENO);
	dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
	dup2(STDOUT_FILENO, STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0u, 0);
	if (read(STDIN_FILENO, &byte, 1) == 0 && (client = client_new(socket, &err)))
		remove_all(client, net);
	_exit(0);
}

static void guard_begin(struct check *c)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	fflush(stdout);
	c->guard.pid = fork();
	if (c->guard.pid == 0) {
		close(ends[1]);
		keep_watch(ends[0], c->cli->socket, c->net.name);
	}
	close(ends[0]);
	c->guard.fd = ends[1];
	if (c->guard.pid < 0) {
		close(ends[1]);
		c->guard.pid = 0;
	}
}

static void guard_end(struct check_guard *g)
{
	if (!g->pid)
		return;
	while (write(g->fd, "", 1) < 0 && errno == EINTR)
		;
	close(g->fd);
	waitpid(g->pid, NULL, 0);
	g->pid = 0;
}

/* --- the forwards -------------------------------------------------------------------------------------------- */

static int add_one(struct check *c, unsigned i, struct addr listen, json_t **answer)
{
	char collection[CLI_PATH_MAX], object[CLI_PATH_MAX], at[ADDR_TEXT];
	struct check_forward *f = &c->forwards[i];
	json_t *body = json_pack("{s:s s:[s] s:i s:i s:s s:s s:i}", "name", kinds[i].name, "listen", addr_format(listen, at), "port", f->port, "count", kinds[i].count,
				 "proto", kinds[i].proto, "to", c->guests[CHECK_A1].name.port, "to_port", f->at_port);
	int rc;

	cli_path(collection, "networks", c->net.name, "forwards", NULL);
	cli_path(object, "networks", c->net.name, "forwards", kinds[i].name, NULL);
	rc = cli_add(c->cli, collection, object, body, true, answer);
	json_decref(body);
	return rc;
}

/* listens_at() - none: where host or guest has no IPv6 there is no such forward */
static struct addr listens_at(const struct check *c, unsigned i)
{
	if (!kinds[i].v6)
		return kinds[i].loopback ? addr4(0x7f000001) : c->host.own;
	if (addr_is_none(c->guests[CHECK_A1].ip6))
		return (struct addr){ 0 };
	return kinds[i].loopback ? loopback6 : c->host.own6;
}

/* add_checked() - and see that it is served */
static bool add_checked(struct check *c, unsigned i)
{
	struct addr at = listens_at(c, i);
	json_t *answer = NULL;
	bool served;

	if (addr_is_none(at))
		return true;
	c->forwards[i] = (struct check_forward){ .port = kinds[i].count > 1 ? check_host_free_pair(at) : check_host_free_port(at),
						 .at_port = c->next_port };
	c->next_port += kinds[i].count;
	served = add_one(c, i, at, &answer) == 0 && strcmp(row_text(answer, "state"), "failed");
	if (!served)
		snprintf(c->forwards_why, sizeof(c->forwards_why), "%.110s", answer ? row_text(answer, "reason") : c->cli->err.message);
	json_decref(answer);
	return served;
}

void forwards_add(struct check *c)
{
	if (addr_is_none(c->host.own)) {
		snprintf(c->forwards_why, sizeof(c->forwards_why), "this host has no address but loopback");
		return;
	}
	guard_begin(c);
	c->forwarding = c->guard.pid != 0;
	if (!c->forwarding)
		snprintf(c->forwards_why, sizeof(c->forwards_why), "no process to watch over it: %s", strerror(errno));
	for (unsigned i = 0; i < CHECK_FORWARDS && c->forwarding; i++)
		c->forwarding = add_checked(c, i);
}

void forwards_remove(struct check *c)
{
	if (!c->guard.pid)
		return;
	remove_all(c->cli->client, c->net.name);
	guard_end(&c->guard);
	c->forwarding = false;
}

int forwards_try(struct check *c)
{
	json_t *answer = NULL;
	int rc;

	c->forwards[CHECK_LOOP_TCP] = (struct check_forward){ .port = check_host_free_port(addr4(0x7f000001)), .at_port = c->next_port++ };
	rc = add_one(c, CHECK_LOOP_TCP, addr4(0x7f000001), &answer);
	if (rc == 0)
		remove_all(c->cli->client, c->net.name);
	json_decref(answer);
	return rc;
}
