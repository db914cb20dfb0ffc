// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/recorder_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "switch/recorder.h"

enum { WORKERS = 2, PAGE = 4096, LEN = 60 };

/* put() - a frame of LEN bytes, all of them @byte */
static void put(struct recorder *r, unsigned worker, uint8_t byte)
{
	struct sighting s = { .wall_ns = byte, .way = CAPTURE_IN, .verdict = VERDICT_DROP_VLAN };
	uint8_t data[LEN];
	struct frame f;

	memset(data, byte, sizeof(data));
	frame_init(&f, data, sizeof(data));
	recorder_put(r, worker, &(struct wire){ .frame = &f, .len = LEN }, &s);
}

static struct recorder *take(struct recorder_file *f, const char *port, uint32_t nslots)
{
	struct recorder_owner of = { .net = "lab", .uid = 7 };
	struct recorder *r;

	snprintf(of.port, sizeof(of.port), "%s", port);
	r = recorder_file_take(f, &of, nslots, WORKERS);
	assert_non_null(r);
	return r;
}

/* found - what recorder_file_read() shows, as text: "web1:3+1 db1:0+0 " */
struct found {
	char text[400];
	struct record last;
};

static void on_recorder(void *arg, const struct recorder_owner *of, struct recorder *r)
{
	struct found *found = arg;
	size_t n = strlen(found->text);

	assert_string_equal(of->net, "lab");
	assert_int_equal(of->uid, 7);
	snprintf(found->text + n, sizeof(found->text) - n, "%s:%u+%u ", of->port, recorder_kept(r, 0), recorder_kept(r, 1));
	for (unsigned i = 0; i < r->nparts; i++)
		recorder_copy(r, i, &found->last, 1);
	recorder_free(r);
}

static const char *read_all(int fd, struct found *found)
{
	*found = (struct found){ .text = "" };
	recorder_file_read(fd, on_recorder, found);
	return found->text;
}

static void test_outlives(void **state)
{
	struct recorder_file *f = recorder_file_new();
	int fd = dup(recorder_file_fd(f));	/* the keeper's */
	struct recorder *web, *db;
	struct found found;

	(void)state;
	assert_false(recorder_file_has(fd));
	web = take(f, "web1", RECORDS_OF_DROPS);
	db = take(f, "db1", RECORDS_OF_ALL);
	assert_string_equal(read_all(fd, &found), "web1:0+0 db1:0+0 ");
	assert_false(recorder_file_has(fd));
	for (uint8_t i = 1; i <= 3; i++)
		put(web, 0, i);
	put(web, 1, 9);
	assert_true(recorder_file_has(fd));
	assert_string_equal(read_all(fd, &found), "web1:3+1 db1:0+0 ");
	assert_int_equal(found.last.s.wall_ns, 9);
	assert_int_equal(found.last.s.verdict, VERDICT_DROP_VLAN);
	assert_int_equal(found.last.bytes[LEN - 1], 9);
	print_message("  more than there is room for: the last of them\n");
	for (unsigned i = 0; i < 1000; i++)
		put(db, 0, 5);
	assert_string_equal(read_all(fd, &found), "web1:3+1 db1:512+0 ");
	recorder_free(db);
	recorder_free(web);
	recorder_file_free(f);
	print_message("  who holds it has it still\n");
	assert_false(recorder_file_has(fd));
	close(fd);
}

static void test_given_back(void **state)
{
	struct recorder_file *f = recorder_file_new();
	struct recorder *r[3];
	struct found found;
	uint64_t at;

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(r); i++) {
		r[i] = take(f, "web1", i == 1 ? RECORDS_OF_ALL : RECORDS_OF_DROPS);
		put(r[i], 0, 1);
	}
	at = r[0]->at;
	recorder_free(r[0]);
	assert_string_equal(read_all(recorder_file_fd(f), &found), "web1:1+0 web1:1+0 ");
	print_message("  its place is the next one's of that size, and nothing of it is there any more\n");
	r[0] = take(f, "big", RECORDS_OF_ALL);
	assert_true(r[0]->at > r[2]->at);
	recorder_free(r[0]);
	r[0] = take(f, "db1", RECORDS_OF_DROPS);
	assert_int_equal(r[0]->at, at);
	assert_string_equal(read_all(recorder_file_fd(f), &found), "db1:0+0 web1:1+0 web1:1+0 ");
	for (unsigned i = 0; i < ARRAY_SIZE(r); i++)
		recorder_free(r[i]);
	assert_string_equal(read_all(recorder_file_fd(f), &found), "");
	recorder_file_free(f);
}

/* What a file says may be anything; where it says it is as in struct block of ctl/recorder_file.c. */
static void test_strange(void **state)
{
	static const struct {
		const char *what;
		off_t at;
		uint32_t word;
		const char *left;
	} cases[] = {
		{ "another layout", 0, 1, "" },
		{ "a size that no recorder has", 12, 0x7fffffff, "" },
		{ "no workers", 16, 0, "" },
		{ "more workers than there can be", 16, 65, "" },
		{ "one that is free", 8, 0, "db1:1+0 " },
		{ "more written than there is time for", PAGE, 0xffffffff, "web1:64+0 db1:1+0 " },
	};
	char name[NAME_MAX_SIZE];

	(void)state;
	memset(name, 'x', sizeof(name));
	for (size_t i = 0; i <= ARRAY_SIZE(cases); i++) {
		struct recorder_file *f = recorder_file_new();
		struct recorder *web = take(f, "web1", RECORDS_OF_DROPS), *db = take(f, "db1", RECORDS_OF_DROPS);
		bool names = i == ARRAY_SIZE(cases);
		struct found found;

		print_message("  %s\n", names ? "a name without an end" : cases[i].what);
		put(web, 0, 1);
		put(db, 0, 1);
		if (names)
			assert_int_equal(pwrite(recorder_file_fd(f), name, sizeof(name), 20), sizeof(name));
		else
			assert_int_equal(pwrite(recorder_file_fd(f), &cases[i].word, 4, cases[i].at), 4);
		assert_string_equal(read_all(recorder_file_fd(f), &found), names ? "" : cases[i].left);
		recorder_free(web);
		recorder_free(db);
		recorder_file_free(f);
	}
}

static void test_files(void **state)
{
	struct found found;
	int fd = memfd_create("short", MFD_ALLOW_SEALING);

	(void)state;
	print_message("  one that may shrink is not mapped\n");
	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_string_equal(read_all(fd, &found), "");
	print_message("  nor one of another size\n");
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_string_equal(read_all(fd, &found), "");
	assert_string_equal(read_all(-1, &found), "");
	close(fd);
}

static void test_sane(void **state)
{
	static const struct {
		struct sighting s;
		bool sane;
	} cases[] = {
		{ { .len = 60, .kept = 60, .way = CAPTURE_IN, .verdict = VERDICT_FORWARDED }, true },
		{ { .len = 60000, .kept = RECORD_BYTES, .way = CAPTURE_OUT, .verdict = VERDICT_DROP_TX }, true },
		{ { .len = 60000, .kept = RECORD_BYTES + 1, .way = CAPTURE_OUT, .verdict = VERDICT_DROP_TX }, false },
		{ { .len = 59, .kept = 60, .way = CAPTURE_IN, .verdict = VERDICT_FORWARDED }, false },
		{ { .len = 0x7fffffff, .kept = 60, .way = CAPTURE_IN, .verdict = VERDICT_FORWARDED }, false },
		{ { .len = 60, .kept = 60, .way = 3, .verdict = VERDICT_FORWARDED }, false },
		{ { .len = 60, .kept = 60, .way = CAPTURE_IN, .verdict = VERDICT_COUNT }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(record_is_sane(&(struct record){ .s = cases[i].s }), cases[i].sane);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outlives), cmocka_unit_test(test_given_back), cmocka_unit_test(test_strange),
		cmocka_unit_test(test_files), cmocka_unit_test(test_sane),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
