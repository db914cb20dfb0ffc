// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/error.h"

/* captured() - what @speak wrote to standard error; the pipe holds it */
static const char *captured(void (*speak)(void))
{
	static char text[8192];
	int ends[2], old = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	speak();
	dup2(old, STDERR_FILENO);
	close(old);
	close(ends[1]);
	n = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void say_some(void)
{
	log_info("net=%s event=attach n=%d", "lab", 7);
	log_debug("event=detail");
	log_error("event=broken");
}

static void say_all(void)
{
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("event=detail");
	log_set_level(LOG_LEVEL_ERROR);
	log_warn("event=hm");
	log_set_level(LOG_LEVEL_INFO);
}

static size_t long_size;

static void say_long(void)
{
	char line[4096];

	memset(line, 'x', long_size);
	line[long_size] = '\0';
	log_warn("%s", line);
}

static void test_lines(void **state)
{
	(void)state;
	assert_string_equal(captured(say_some), "info net=lab event=attach n=7\nerror event=broken\n");
	assert_string_equal(captured(say_all), "debug event=detail\n");
	for (long_size = 1000; long_size < 1100; long_size++) {
		const char *line = captured(say_long);
		size_t n = strlen(line);

		assert_memory_equal(line, "warn xxx", 8);	/* cut, and a line all the same */
		assert_in_range(n, 1006, 1024);
		assert_int_equal(line[n - 1], '\n');
		assert_int_equal(strcspn(line, "\n"), n - 1);
	}
}

static const struct {
	const char *from;
	size_t size, room;
	const char *to;
} cleans[] = {
	{ "web1", 4, 64, "web1" }, { "", 0, 64, "" }, { "a b~", 4, 64, "a b~" },
	{ "a\nb", 3, 64, "a\\x0ab" }, { "\"\\", 2, 64, "\\x22\\x5c" }, { "\x1b[2J\x7f\xff", 6, 64, "\\x1b[2J\\x7f\\xff" },
	{ "a\0b", 3, 64, "a\\x00b" }, { "abcdefgh", 8, 8, "abcd" }, { "\n\n\n", 3, 9, "\\x0a\\x0a" }, { "\n\n\n", 3, 8, "\\x0a" },
	{ "abc", 3, 4, "" }, { "abc", 3, 1, "" },
};

static void test_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cleans); i++) {
		char *exact = malloc(cleans[i].room);

		assert_ptr_equal(log_clean(exact, cleans[i].room, cleans[i].from, cleans[i].size), exact);
		assert_string_equal(exact, cleans[i].to);
		free(exact);
	}
}

static struct log_limit limit;

static void flood_and_wait(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < 1000; i++)
		n += log_allowed(&limit, 50000 + i);
	assert_int_equal(n, 10);
	assert_false(log_allowed(&limit, 59999));
	assert_true(log_allowed(&limit, 60000));
	assert_true(log_allowed(&limit, 60001));
}

static void test_limit(void **state)
{
	(void)state;
	assert_string_equal(captured(flood_and_wait), "info event=log-suppressed lines=991\n");
}

static void test_error(void **state)
{
	struct error e = { 0 };
	char big[1000];

	(void)state;
	assert_int_equal(error_set(NULL, -EIO, "x"), -EIO);
	error_code(NULL, "x");
	error_hint(NULL, "x");
	error_prefix(NULL, "x");
	error_hint(&e, "of another error");
	assert_int_equal(error_set(&e, -EADDRINUSE, "forward %d", 8080), -EADDRINUSE);
	assert_int_equal(e.rc, -EADDRINUSE);
	assert_string_equal(e.code, "port-in-use");
	assert_string_equal(e.message, "forward 8080");
	assert_string_equal(e.hint, "");
	error_prefix(&e, "network %s", "lab");
	assert_string_equal(e.message, "network lab: forward 8080");
	error_code(&e, "busy");
	error_hint(&e, "lanyard %s", "ps");
	assert_string_equal(e.code, "busy");
	assert_string_equal(e.hint, "lanyard ps");
	assert_int_equal(error_set(&e, -EXDEV, "x"), -EXDEV);
	assert_string_equal(e.code, "failed");
	print_message("  long texts are cut\n");
	memset(big, 'y', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	error_set(&e, -EINVAL, "%s", big);
	assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
	error_prefix(&e, "%s", big);
	error_hint(&e, "%s", big);
	error_code(&e, big);
	assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
	assert_int_equal(strlen(e.hint), sizeof(e.hint) - 1);
	assert_int_equal(strlen(e.code), sizeof(e.code) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines), cmocka_unit_test(test_clean), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
