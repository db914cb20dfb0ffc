// SPDX-License-Identifier: GPL-2.0-or-later
/* Has systemd-resolved come or gone? With a file, a path and a listener of the test's own. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl/resolved_look.h"

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* listen_here() - at 127.0.0.53, on a port of the kernel's choice */
static int listen_here(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000035), .sin_port = htons(*port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	socklen_t size = sizeof(at);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	*port = ntohs(at.sin_port);
	return fd;
}

static void test_look(void **state)
{
	char dir[] = "/tmp/resolved.XXXXXX", conf[40], other[40], path[40];
	struct resolved_seen seen = { .conf = 0 };
	uint16_t port = 0;
	int fd = listen_here(&port);

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	snprintf(other, sizeof(other), "%s/stub", dir);
	snprintf(path, sizeof(path), "%s/socket", dir);
	close(fd);
	assert_false(resolved_look(conf, path, port, &seen));		/* nothing is there, and nothing comes */
	fd = listen_here(&port);
	assert_true(resolved_look(conf, path, port, &seen));
	assert_true(seen.listens);
	assert_false(resolved_look(conf, path, port, &seen));
	write_file(path, "");
	assert_true(resolved_look(conf, path, port, &seen));
	write_file(other, "nameserver 127.0.0.53\n");
	assert_int_equal(symlink(other, conf), 0);
	assert_true(resolved_look(conf, path, port, &seen));
	write_file(other, "nameserver 127.0.0.53\noptions edns0\n");	/* resolved's own doing */
	assert_false(resolved_look(conf, path, port, &seen));
	unlink(conf);
	assert_true(resolved_look(conf, path, port, &seen));
	close(fd);
	assert_true(resolved_look(conf, path, port, &seen));
	assert_false(seen.listens);
	unlink(other);
	unlink(path);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_look) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
