// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests' names in a hosts(5) file: what is put there, what is taken out, and that all else in it stays to the byte. */
#include "ctl/act_names.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "ctl/act_guests.h"
#include "ctl/act_resolved.h"

#define LAB_FIRST "# lanyard network lab: its guests\n"
#define LAB_JOINED "# lanyard network lab: its guests, behind a line without an end\n"
#define LAB_LAST "# lanyard network lab: end\n"
#define DMZ "# lanyard network dmz: its guests\n10.1.0.2\tw.dmz.internal\n# lanyard network dmz: end\n"

static char dir[64], path[96];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test_names.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/hosts", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void put(const char *text, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
}

static void holds(const char *text)
{
	char is[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, is, sizeof(is) - 1);

	close(fd);
	assert_true(n >= 0);
	is[n] = '\0';
	assert_string_equal(is, text);
}

static const struct {
	const char *what, *before, *lines, *after;
	const char *without;		/* when the block is taken out again; NULL: as before */
} cases[] = {
	{ "behind what is there", "127.0.0.1 localhost\n", "10.0.0.2\ta.lab\n", "127.0.0.1 localhost\n" LAB_FIRST "10.0.0.2\ta.lab\n" LAB_LAST, NULL },
	{ "a last line without an end", "127.0.0.1 localhost", "10.0.0.2\ta.lab\n", "127.0.0.1 localhost\n" LAB_JOINED "10.0.0.2\ta.lab\n" LAB_LAST, NULL },
	{ "an empty file", "", "10.0.0.2\ta.lab\n", LAB_FIRST "10.0.0.2\ta.lab\n" LAB_LAST, NULL },
	{ "in the place of others", "x\n" LAB_FIRST "old\n" LAB_LAST, "new\n", "x\n" LAB_FIRST "new\n" LAB_LAST, "x\n" },
	{ "beside another network's", "x\n" DMZ, "new\n", "x\n" DMZ LAB_FIRST "new\n" LAB_LAST, NULL },
	{ "before what was added since", "x\n" LAB_FIRST "old\n" LAB_LAST "y\n", "new\n", "x\ny\n" LAB_FIRST "new\n" LAB_LAST, "x\ny\n" },
	{ "joined, and something was added since", "x\n" LAB_JOINED "old\n" LAB_LAST "y\n", "", "x\ny\n", "x\ny\n" },
	{ "twice, for whatever reason", LAB_FIRST "1\n" LAB_LAST LAB_FIRST "2\n" LAB_LAST, "3\n", LAB_FIRST "3\n" LAB_LAST, "" },
	{ "one that has lost its end", LAB_FIRST "1\nx\n", "", LAB_FIRST "1\nx\n", NULL },
	{ "in the middle of a line it is none", "y " LAB_FIRST "1\n" LAB_LAST, "", "y " LAB_FIRST "1\n" LAB_LAST, NULL },
	{ "of a network whose name begins alike", "# lanyard network lab2: its guests\n1\n# lanyard network lab2: end\n", "",
	  "# lanyard network lab2: its guests\n1\n# lanyard network lab2: end\n", NULL },
};

static void test_blocks(void **state)
{
	struct stat st;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		print_message("  %s\n", cases[i].what);
		put(cases[i].before, strlen(cases[i].before));
		assert_int_equal(names_block(path, "lab", cases[i].lines), 0);
		holds(cases[i].after);
		assert_int_equal(names_block(path, "lab", cases[i].lines), 0);
		holds(cases[i].after);
		assert_int_equal(names_block(path, "lab", ""), 0);
		holds(cases[i].without ? cases[i].without : cases[i].before);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0644);
	}
}

/* A reader that has the old file open reads it to its end; where the same says the same, nothing is written. */
static void test_replaced_as_a_whole(void **state)
{
	struct stat before, after;

	(void)state;
	put("x\n", 2);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(names_block(path, "lab", "1\n"), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino != after.st_ino);
	assert_int_equal(names_block(path, "lab", "1\n"), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_true(before.st_ino == after.st_ino);
}

/* One with a second name, as any that cannot be replaced, is written in place: longer, then shorter. */
static void test_in_place(void **state)
{
	char other[112];
	struct stat before, after;

	(void)state;
	snprintf(other, sizeof(other), "%s.link", path);
	put("x\n", 2);
	assert_int_equal(link(path, other), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(names_block(path, "lab", "1\n"), 0);
	holds("x\n" LAB_FIRST "1\n" LAB_LAST);
	assert_int_equal(names_block(path, "lab", ""), 0);
	holds("x\n");
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino == after.st_ino);
	unlink(other);
}

static void test_a_link_is_followed(void **state)
{
	char real[112];
	struct stat st;

	(void)state;
	put("x\n", 2);
	snprintf(real, sizeof(real), "%s.real", path);
	assert_int_equal(rename(path, real), 0);
	assert_int_equal(symlink(real, path), 0);
	assert_int_equal(names_block(path, "lab", "1\n"), 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	holds("x\n" LAB_FIRST "1\n" LAB_LAST);
	unlink(real);
}

static void test_refused(void **state)
{
	static char much[(16 << 20) + 1];

	(void)state;
	unlink(path);
	assert_int_equal(names_block(path, "lab", "1\n"), -ENOENT);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(names_block(path, "lab", "1\n"), -EINVAL);
	rmdir(path);
	memset(much, '#', sizeof(much));
	put(much, sizeof(much));
	assert_int_equal(names_block(path, "lab", "1\n"), -EFBIG);
	print_message("  what would grow so that it could not be taken out again\n");
	put("x\n", 2);
	much[sizeof(much) / 2] = '\0';
	assert_int_equal(names_block(path, "lab", much), -EFBIG);
	holds("x\n");
	assert_int_equal(names_block(path, "lab", "1\n"), 0);
	assert_int_equal(truncate(path, 12 << 20), 0);		/* somebody else has more to say */
	put("x\0y\n", 4);
	assert_int_equal(names_block(path, "lab", "1\n"), -EINVAL);
}

/* ---- what an engine may not have put there ---- */

static const struct {
	const char *what;
	uint8_t family;
	const char *name;
} strange[] = {
	{ "the domain itself", 4, "lab.internal" }, { "another's name", 4, "www.example.com" }, { "one that ends alike", 4, "web.xlab.internal" },
	{ "two words", 4, "a bank.lab.internal" }, { "two lines", 4, "a\n6.6.6.6 bank.lab.internal" }, { "a comment", 4, "#.lab.internal" },
	{ "capitals", 4, "A.lab.internal" }, { "nothing before it", 4, ".lab.internal" }, { "an empty label", 4, "a..lab.internal" },
	{ "no name", 4, "" }, { "no family", 5, "a.lab.internal" },
};

/* Without a journal nothing is done either, so that the file of the host that runs this is safe. */
static void test_strange_guests(void **state)
{
	struct host_names m = { .head.type = HOST_NAMES, .n = 1, .domain = "lab.internal", .name = NAMES_HELD "lab" };
	struct act_about h = { .fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(strange); i++) {
		struct host_guest g = { .family = strange[i].family, .addr = { 10 } };
		struct host_reply r = { .rc = 0 };

		print_message("  %s\n", strange[i].what);
		strcpy(g.name, strange[i].name);
		assert_int_equal(pwrite(h.fd, &g, sizeof(g), 0), sizeof(g));
		assert_int_equal(guests_tell(&m, &h, &r), -EPROTO);
		assert_non_null(strstr(r.message, "cannot write guests' names"));
		memset(g.name, 'a', sizeof(g.name));
		assert_int_equal(pwrite(h.fd, &g, sizeof(g), 0), sizeof(g));
		assert_int_equal(guests_tell(&m, &h, &r), -EPROTO);
	}
	m.n = 2;			/* of which there is one */
	assert_int_equal(guests_tell(&m, &h, &(struct host_reply){ 0 }), -EPROTO);
	m.n = 1;
	assert_int_equal(pwrite(h.fd, &(struct host_guest){ .family = 4, .name = "a.lab.internal" }, sizeof(struct host_guest), 0),
			 sizeof(struct host_guest));
	assert_int_equal(guests_tell(&m, &h, &(struct host_reply){ 0 }), -EBADF);	/* no journal */
	close(h.fd);
}

/* An engine may not choose whose names the host's programs find. */
static void test_domains(void **state)
{
	(void)state;
	assert_true(domains_allow("", "lab.internal") && domains_allow("", "internal") && domains_allow("", "x.home.arpa"));
	assert_false(domains_allow("", "example.com") || domains_allow("", "com") || domains_allow("", "notinternal") || domains_allow("", "localhost"));
	assert_false(domains_allow("", "arpa") || domains_allow("", "internal.com"));
	assert_true(domains_allow("corp.net,lab.org", "corp.net") && domains_allow("corp.net,lab.org", "x.lab.org"));
	assert_false(domains_allow("corp.net,lab.org", "xcorp.net") || domains_allow("corp.net,,lab.org", "net"));
	assert_false(domains_allow("corp.net", "corp.net,lab.org"));
}

/* ---- what systemd-resolved asks a network for ---- */

static const struct {
	const char *what;
	uint8_t addr[16];
	unsigned size, len, n;
	const char *first, *last;
} zones[] = {
	{ "a whole byte", { 10, 77, 3, 1 }, 4, 24, 1, "3.77.10.in-addr.arpa", "3.77.10.in-addr.arpa" },
	{ "less than one", { 10, 77, 6, 1 }, 4, 22, 4, "4.77.10.in-addr.arpa", "7.77.10.in-addr.arpa" },
	{ "no more than its own", { 10, 77, 3, 130 }, 4, 26, 64, "128.3.77.10.in-addr.arpa", "191.3.77.10.in-addr.arpa" },
	{ "one address", { 10, 77, 3, 1 }, 4, 32, 1, "1.3.77.10.in-addr.arpa", "1.3.77.10.in-addr.arpa" },
	{ "half a class A", { 200, 1, 1, 1 }, 4, 1, 128, "128.in-addr.arpa", "255.in-addr.arpa" },
	{ "IPv6", { 0xfd, 0x74, 0xab }, 16, 24, 1, "b.a.4.7.d.f.ip6.arpa", "b.a.4.7.d.f.ip6.arpa" },
	{ "an upper half of a byte", { 0xfd, 0x74, 0xab }, 16, 19, 2, "a.4.7.d.f.ip6.arpa", "b.4.7.d.f.ip6.arpa" },
	{ "a lower one", { 0xfd, 0x74, 0xab }, 16, 22, 4, "8.a.4.7.d.f.ip6.arpa", "b.a.4.7.d.f.ip6.arpa" },
	{ "everything", { 10 }, 4, 0, 0, NULL, NULL },
	{ "no prefix", { 10 }, 4, 33, 0, NULL, NULL },
};

static void test_reverse_zones(void **state)
{
	char to[RESOLVED_ZONES_MAX][RESOLVED_ZONE_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
		unsigned n = resolved_zones(zones[i].addr, zones[i].size, zones[i].len, to, ARRAY_SIZE(to));

		print_message("  %s\n", zones[i].what);
		assert_int_equal(n, zones[i].n);
		if (!n)
			continue;
		assert_string_equal(to[0], zones[i].first);
		assert_string_equal(to[n - 1], zones[i].last);
		assert_int_equal(resolved_zones(zones[i].addr, zones[i].size, zones[i].len, to, n - 1), 0);
	}
	print_message("  the longest\n");
	assert_int_equal(resolved_zones((const uint8_t[16]){ 0xfd, [15] = 1 }, 16, 128, to, 1), 1);
	assert_int_equal(strlen(to[0]), 32 * 2 + strlen("ip6.arpa"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks), cmocka_unit_test(test_replaced_as_a_whole), cmocka_unit_test(test_in_place),
		cmocka_unit_test(test_a_link_is_followed), cmocka_unit_test(test_refused), cmocka_unit_test(test_strange_guests), cmocka_unit_test(test_domains),
		cmocka_unit_test(test_reverse_zones),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
