// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/state.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <event2/event.h>
#include <sqlite3.h>

#include "base/array.h"
#include "ctl/changes.h"
#include "ctl/model.h"
#include "ctl/yaml.h"
#include "dhcp/lease6.h"

/* bench - a store in a directory of its own, and what its completions told */
struct bench {
	char dir[64], file[96];
	struct event_base *base;
	struct state *state;
	unsigned done, failed, lost;
	struct error last;
};

static void on_done(void *arg, const struct error *err)
{
	struct bench *b = arg;

	b->done++;
	b->failed += err->rc < 0;
	b->last = *err;
}

static void on_lost(void *arg)
{
	((struct bench *)arg)->lost++;
}

static void open_again(struct bench *b)
{
	const struct state_events events = { on_lost, b };
	struct error err = { 0 };

	b->state = state_open(b->dir, b->base, &events, &err);
	if (!b->state)
		print_message("    %s\n", err.message);
	assert_non_null(b->state);
}

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	strcpy(b->dir, "/tmp/lanyard-state-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->file, sizeof(b->file), "%s/lanyard.db", b->dir);
	b->base = event_base_new();
	open_again(b);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	static const char *const tails[] = { "", "-wal", "-shm", ".corrupt-1", ".corrupt-1-wal", ".corrupt-1-shm", ".corrupt-2" };
	struct bench *b = *state;
	char path[128];

	state_close(b->state);
	event_base_free(b->base);
	for (size_t i = 0; i < ARRAY_SIZE(tails); i++) {
		snprintf(path, sizeof(path), "%s%s", b->file, tails[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(b->dir), 0);	/* nothing else was left */
	free(b);
	return 0;
}

/* wait_done() - run the loop until @n completions came; ten seconds are for ever */
static void wait_done(struct bench *b, unsigned n)
{
	const struct timeval limit = { 10, 0 };

	event_base_loopexit(b->base, &limit);
	while (b->done < n && !event_base_got_exit(b->base))
		event_base_loop(b->base, EVLOOP_ONCE);
	assert_int_equal(b->done, n);
}

static struct model *parse(const char *yaml)
{
	json_t *tree = yaml_parse(yaml, strlen(yaml), "t", NULL, NULL);
	struct model *model = NULL;
	const struct model_env env = { .transient = true };
	struct error err;

	if (model_parse(tree, NULL, &env, &model, &err) < 0)
		print_message("    %s\n", err.message);
	assert_non_null(model);
	json_decref(tree);
	return model;
}

static void reopen(struct bench *b)
{
	state_close(b->state);
	open_again(b);
}

/* stored_equals() - what is loaded after a restart is @model in every letter */
static void stored_equals(struct bench *b, const struct model *model)
{
	json_t *tree, *want = model_export(model, MODEL_OWNER), *got;
	struct model *loaded = NULL;
	struct error err = { 0 };

	reopen(b);
	tree = state_load_model(b->state, &err);
	assert_non_null(tree);
	assert_int_equal(model_parse(tree, NULL, NULL, &loaded, &err), 0);
	got = model_export(loaded, MODEL_OWNER);
	assert_true(json_equal(got, want));
	json_decref(got);
	json_decref(want);
	json_decref(tree);
	model_free(loaded);
}

static const char *const models[] = {
	"networks: {}",
	"networks: {lab: {owner: 1000, subnet: 10.1.0.0/24, ports: {p: {kind: stream}, q: {kind: stream, trunk: '3,4'}},"
	" forwards: {f: {listen: 80, to: p}, 81/udp: {listen: 81, to: p, proto: udp}}, reservations: {p: 10.1.0.5},"
	" records: [{name: x, value: 10.0.0.1}, {name: x, type: TXT, value: hello}]}, zoo: {mode: internal}}",
	/* every member changed, one of each gone, a default written down */
	"networks: {lab: {owner: 1000, subnet: 10.1.0.0/24, mtu: 1500, ports: {q: {kind: stream, link: up}},"
	" forwards: {f: {listen: ['127.0.0.1:80', '[::1]:80'], to: q}}, reservations: {p: 10.1.0.6},"
	" records: [{name: x, type: TXT, value: bye}]}}",
	"networks: {}",
};

static void test_model(void **state)
{
	struct bench *b = *state;
	struct model *old = parse(models[0]);

	for (size_t i = 1; i < ARRAY_SIZE(models); i++) {
		struct model *new = parse(models[i]);

		b->done = 0;
		state_save_model(b->state, old, new, on_done, b);
		wait_done(b, 1);
		assert_int_equal(b->failed, 0);
		stored_equals(b, new);
		model_free(old);
		old = new;
	}
	model_free(old);
}

static void test_model_anew(void **state)
{
	struct bench *b = *state;
	struct model *before = parse(models[1]), *after = parse(models[2]);

	state_save_model(b->state, NULL, before, on_done, b);
	state_save_model(b->state, NULL, after, on_done, b);
	wait_done(b, 2);
	stored_equals(b, after);
	model_free(before);
	model_free(after);
}

static void test_transient_is_not_stored(void **state)
{
	struct bench *b = *state;
	struct model *none = parse("networks: {lab: {subnet: 10.1.0.0/24}}");
	struct model *some = parse("networks: {lab: {subnet: 10.1.0.0/24, ports: {p: {kind: attached, transient: true}}}}");

	state_save_model(b->state, NULL, none, on_done, b);
	state_save_model(b->state, none, some, on_done, b);
	wait_done(b, 2);
	stored_equals(b, none);
	model_free(none);
	model_free(some);
}

static struct state_lease lease(uint32_t ip, int64_t expires)
{
	struct state_lease l = { .net = "lab", .segment = 1, .ip = ip, .port = "vm1", .mac = { 2, 0, 0, 0, 0, 1 }, .state = 1,
				 .client_id_len = 3, .client_id = { 0, 'x', 0 }, .circuit_len = 2, .circuit = { 'e', 0 }, .hostname = "box", .expires_s = expires };

	return l;
}

static void same_lease(const struct state_lease *a, const struct state_lease *b)
{
	assert_string_equal(a->net, b->net);
	assert_int_equal(a->segment, b->segment);
	assert_int_equal(a->ip, b->ip);
	assert_string_equal(a->port, b->port);
	assert_memory_equal(a->mac, b->mac, MAC_SIZE);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->client_id_len, b->client_id_len);
	assert_memory_equal(a->client_id, b->client_id, a->client_id_len);
	assert_int_equal(a->circuit_len, b->circuit_len);
	assert_memory_equal(a->circuit, b->circuit, a->circuit_len);
	assert_string_equal(a->hostname, b->hostname);
	assert_true(a->expires_s == b->expires_s);
}

struct found {
	struct state_lease list[64];
	unsigned n;
};

static void on_lease(void *arg, const struct state_lease *l)
{
	struct found *found = arg;

	if (found->n < ARRAY_SIZE(found->list))
		found->list[found->n] = *l;
	found->n++;
}

static struct found *load_leases(struct bench *b)
{
	struct found *found = calloc(1, sizeof(*found));

	assert_int_equal(state_load_leases(b->state, on_lease, found, NULL), 0);
	return found;
}

static void test_leases(void **state)
{
	struct bench *b = *state;
	struct state_lease late = lease(0x0a000005, INT64_MAX), early = lease(0x0a000009, 100), gone = lease(0x0a000001, 50);
	struct found *found;

	state_put_lease(b->state, &late, on_done, b);
	state_put_lease(b->state, &gone, on_done, b);
	early.client_id_len = 0;
	state_put_lease(b->state, &early, NULL, NULL);
	state_remove_lease(b->state, "lab", 1, gone.ip, on_done, b);
	wait_done(b, 3);
	assert_int_equal(b->failed, 0);
	reopen(b);
	found = load_leases(b);
	assert_int_equal(found->n, 2);
	same_lease(&found->list[0], &early);
	same_lease(&found->list[1], &late);
	late.expires_s = 7;		/* replaced, not added */
	state_put_lease(b->state, &late, on_done, b);
	wait_done(b, 4);
	reopen(b);
	free(found);
	found = load_leases(b);
	assert_int_equal(found->n, 2);
	assert_int_equal(found->list[0].expires_s, 7);
	free(found);
}

static void test_leases_go_with_their_network(void **state)
{
	struct bench *b = *state;
	struct model *one = parse("networks: {lab: {}}"), *none = parse("networks: {}");
	struct state_lease l = lease(5, 5);
	struct found *found;

	state_save_model(b->state, NULL, one, on_done, b);
	state_put_lease(b->state, &l, on_done, b);
	strcpy(l.net, "other");
	state_put_lease(b->state, &l, on_done, b);
	state_save_model(b->state, one, none, on_done, b);
	wait_done(b, 4);
	reopen(b);
	found = load_leases(b);
	assert_int_equal(found->n, 1);
	assert_string_equal(found->list[0].net, "other");
	free(found);
	model_free(one);
	model_free(none);
}

static void sql(const char *file, const char *text)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* ---- IPv6 ---- */

static struct lease6_record lease6(uint8_t last, enum lease_state what, uint8_t len)
{
	struct lease6_record r = {
		.port = "web1", .mac = { 2, 0, 0, 0, 0, last }, .state = what, .duid_size = 3, .duid = { 0, 4, last }, .iaid = 0xfedcba98,
		.place = { { .bytes = { 0xfd, [15] = last } }, len }, .via = { .bytes = { 0xfe, 0x80, [15] = last } }, .expires_wall_s = LEASE_NEVER,
		.hostname = "box",
	};

	return r;
}

struct found6 {
	struct lease6_record list[8];
	unsigned n;
};

static void on_lease6(void *arg, const char *net, uint64_t segment, const struct lease6_record *r)
{
	struct found6 *found = arg;

	assert_string_equal(net, "lab");
	assert_int_equal(segment, 7);
	assert_true(found->n < ARRAY_SIZE(found->list));
	found->list[found->n++] = *r;
}

static void test_leases6(void **state)
{
	struct bench *b = *state;
	struct lease6_record put[] = { lease6(1, LEASE_BOUND, 128), lease6(2, LEASE_DECLINED, 128), lease6(3, LEASE_BOUND, 60), lease6(4, LEASE_BOUND, 128) };
	struct lease6_record over = lease6(4, LEASE_RELEASED, 128);
	struct found6 found = { .n = 0 };
	unsigned before = b->done;

	state_put_leases6(b->state, "lab", 7, put, ARRAY_SIZE(put), on_done, b);
	state_put_leases6(b->state, "lab", 7, &over, 1, on_done, b);
	wait_done(b, before + 2);
	assert_int_equal(b->failed, 0);
	reopen(b);
	assert_int_equal(state_load_leases6(b->state, on_lease6, &found, NULL), 0);
	assert_int_equal(found.n, 3);
	for (unsigned i = 0; i < found.n; i++)
		assert_memory_equal(&found.list[i], &put[i], sizeof(put[i]));
}

static void on_prefix(void *arg, const struct state_prefix *p)
{
	struct {
		unsigned n;
		struct state_prefix list[8];
	} *found = arg;

	assert_in_range(found->n, 0, 7);
	found->list[found->n++] = *p;
}

/* Prefixes that were told: put, put otherwise, forgotten, gone with their network. */
static void test_prefixes(void **state)
{
	struct bench *b = *state;
	struct state_prefix lab = { .net = "lab", .vid = 1, .prefix = { { .bytes = { 0xfd } }, 64 } }, other = lab, over = lab;
	struct {
		unsigned n;
		struct state_prefix list[8];
	} found = { 0 };

	other.vid = 20;
	other.until_s = 4000000000;
	over.prefix.addr.bytes[1] = 1;
	state_put_prefix(b->state, &lab, on_done, b);
	state_put_prefix(b->state, &over, on_done, b);
	state_put_prefix(b->state, &(struct state_prefix){ .net = "lab", .vid = 20, .prefix = lab.prefix }, on_done, b);
	state_put_prefix(b->state, &other, on_done, b);
	over.until_s = STATE_PREFIX_OVER;
	state_put_prefix(b->state, &over, on_done, b);
	reopen(b);
	assert_int_equal(b->failed, 0);
	assert_int_equal(state_load_prefixes(b->state, on_prefix, &found, NULL), 0);
	assert_int_equal(found.n, 2);
	assert_memory_equal(&found.list[0], &lab, sizeof(lab));
	assert_memory_equal(&found.list[1], &other, sizeof(other));
	sql(b->file, "INSERT INTO prefixes VALUES('lab', 0, x'00', 1), ('lab', 70000, zeroblob(17), 1), ('lab', 3, zeroblob(17), -7)");
	found.n = 0;
	assert_int_equal(state_load_prefixes(b->state, on_prefix, &found, NULL), 0);
	assert_int_equal(found.n, 2);		/* what makes no sense is passed over */
}

/* A store of the schema before IPv6, and before circuits, gets what it lacks, and keeps what it has. */
static void test_older_schema(void **state)
{
	struct bench *b = *state;
	struct state_lease l = lease(5, 5);
	struct found *found;

	state_put_lease(b->state, &l, on_done, b);
	wait_done(b, 1);
	state_close(b->state);
	sql(b->file, "DROP TABLE leases6; DROP TABLE prefixes; ALTER TABLE leases DROP COLUMN circuit; PRAGMA user_version = 1");
	open_again(b);
	found = load_leases(b);
	assert_int_equal(found->n, 1);
	free(found);
	test_leases6(state);
}

static void test_close_writes_what_waits(void **state)
{
	struct bench *b = *state;
	struct found *found;

	for (uint32_t i = 0; i < 1000; i++) {
		struct state_lease l = lease(i, i);

		state_put_lease(b->state, &l, on_done, b);
	}
	reopen(b);
	assert_int_equal(b->done, 1000);
	assert_int_equal(b->failed, 0);
	found = load_leases(b);
	assert_int_equal(found->n, 1000);
	free(found);
}

/* What the child was told to be durable before it was killed is there, whenever the kill comes. */
static void on_durable(void *arg, const struct error *err)
{
	static uint32_t count;

	if (err->rc == 0 && ++count && write(*(int *)arg, &count, sizeof(count)) < 0)
		_exit(1);
}

static __attribute__((noreturn)) void child(const char *dir, int fd)
{
	struct event_base *base = event_base_new();
	struct state *state = state_open(dir, base, NULL, NULL);

	if (!state)
		_exit(1);
	for (uint32_t i = 0;; i++) {
		struct state_lease l = lease(i + 1, i + 1);

		state_put_lease(state, &l, on_durable, &fd);
		event_base_loop(base, i % 7 ? EVLOOP_NONBLOCK : EVLOOP_ONCE);
	}
}

static void test_kill(void **state)
{
	struct bench *b = *state;

	state_close(b->state);
	for (uint32_t kill_at = 1; kill_at < 200; kill_at += 37) {
		uint32_t count = 0, got;
		struct found *found;
		int fds[2];
		pid_t pid;

		unlink(b->file);
		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (pid == 0)
			child(b->dir, fds[1]);
		close(fds[1]);
		while (count < kill_at && read(fds[0], &got, sizeof(got)) == sizeof(got))
			count = got;
		kill(pid, SIGKILL);
		while (read(fds[0], &got, sizeof(got)) == sizeof(got))
			count = got;
		waitpid(pid, NULL, 0);
		close(fds[0]);
		assert_true(count >= kill_at);
		open_again(b);
		found = load_leases(b);
		assert_true(found->n >= count);
		free(found);
		state_close(b->state);
	}
	open_again(b);
}

static void test_mode(void **state)
{
	struct bench *b = *state;
	struct stat st;

	assert_int_equal(stat(b->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_newer_schema(void **state)
{
	struct bench *b = *state;
	struct error err = { 0 };

	state_close(b->state);
	sql(b->file, "PRAGMA user_version = 999");
	b->state = state_open(b->dir, b->base, NULL, &err);
	assert_null(b->state);
	assert_string_equal(err.code, "unsupported");
	assert_non_null(strstr(err.message, "was written by a newer lanyard (schema 999; this one knows up to 4)"));
	sql(b->file, "PRAGMA user_version = 4");
	open_again(b);
}

static bool exists(const struct bench *b, const char *tail)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%s", b->file, tail);
	return access(path, F_OK) == 0;
}

static void spoil(const char *file, off_t from, size_t size)
{
	int fd = open(file, O_WRONLY);
	char junk[4096];

	memset(junk, 0xa5, sizeof(junk));
	for (; size >= sizeof(junk); size -= sizeof(junk), from += (off_t)sizeof(junk))
		assert_int_equal(pwrite(fd, junk, sizeof(junk), from), sizeof(junk));
	close(fd);
}

static void test_damage_at_start(void **state)
{
	struct bench *b = *state;
	struct error err = { 0 };
	json_t *tree;

	for (int i = 0; i < 2; i++) {
		state_close(b->state);
		spoil(b->file, i ? 4096 : 0, 8192);	/* not a database at all; a broken page */
		open_again(b);
		assert_true(exists(b, i ? ".corrupt-2" : ".corrupt-1"));
		tree = state_load_model(b->state, &err);
		assert_int_equal(json_object_size(json_object_get(tree, "networks")), 0);
		json_decref(tree);
	}
	assert_int_equal(b->lost, 0);	/* the start knows by itself that there is nothing */
}

static void test_damage_while_running(void **state)
{
	struct bench *b = *state;
	struct state_lease l = lease(1, 1);
	struct found *found;

	for (uint32_t i = 1; i <= 200; i++) {
		l.ip = i;
		state_put_lease(b->state, &l, on_done, b);
	}
	wait_done(b, 200);
	sql(b->file, "PRAGMA wal_checkpoint(TRUNCATE)");	/* another connection, so that ours reads the file again */
	spoil(b->file, 0, 8 * 4096);
	l.ip = 1000;
	state_put_lease(b->state, &l, on_done, b);
	wait_done(b, 201);
	assert_int_equal(b->failed, 0);		/* durable in the new file */
	assert_int_equal(b->lost, 1);		/* and told, so that the others can be saved again */
	assert_true(exists(b, ".corrupt-1"));
	reopen(b);
	found = load_leases(b);
	assert_int_equal(found->n, 1);
	free(found);
}

static void test_full_disk(void **state)
{
	struct bench *b = *state;
	struct rlimit before, tight;
	struct state_lease l = lease(1, 1);
	struct found *found;

	signal(SIGXFSZ, SIG_IGN);
	state_put_lease(b->state, &l, on_done, b);
	wait_done(b, 1);
	getrlimit(RLIMIT_FSIZE, &before);
	tight = before;
	tight.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
	for (l.ip = 2; l.ip <= 100; l.ip++)
		state_put_lease(b->state, &l, on_done, b);
	wait_done(b, 100);
	assert_true(b->failed > 0);
	assert_string_not_equal(b->last.message, "");
	b->failed = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	for (l.ip = 101; l.ip <= 110; l.ip++)
		state_put_lease(b->state, &l, on_done, b);
	wait_done(b, 110);
	assert_int_equal(b->failed, 0);
	reopen(b);
	found = load_leases(b);
	assert_true(found->n >= 11);
	assert_int_equal(b->lost, 0);
	assert_false(exists(b, ".corrupt-1"));
	free(found);
}

/* The clock is two days behind what the file says of its last write: ends come down with it, but for one that never comes. */
static void test_clock_set_back(void **state)
{
	struct bench *b = *state;
	int64_t now = time(NULL), late = now + 2 * 86400;
	struct timespec times[2] = { { .tv_sec = late }, { .tv_sec = late } };
	struct state_lease l = lease(1, late + 600), never = lease(2, INT64_MAX);
	struct found *found;

	state_put_lease(b->state, &l, on_done, b);
	state_put_lease(b->state, &never, on_done, b);
	wait_done(b, 2);
	state_close(b->state);
	assert_int_equal(utimensat(AT_FDCWD, b->file, times, 0), 0);
	open_again(b);
	assert_in_range(state_behind_s(b->state), 2 * 86400 - 60, 2 * 86400);
	found = load_leases(b);
	assert_int_equal(found->n, 2);
	assert_in_range(found->list[0].expires_s, now + 600, now + 660);
	assert_true(found->list[1].expires_s == INT64_MAX);
	free(found);
}

static void test_load_is_for_the_start(void **state)
{
	struct bench *b = *state;
	struct state_lease l = lease(1, 1);
	struct error err;

	state_put_lease(b->state, &l, on_done, b);
	wait_done(b, 1);
	assert_null(state_load_model(b->state, &err));
	assert_string_equal(err.code, "busy");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_model), TEST(test_model_anew), TEST(test_transient_is_not_stored), TEST(test_leases),
		TEST(test_leases_go_with_their_network), TEST(test_close_writes_what_waits), TEST(test_kill), TEST(test_mode),
		TEST(test_newer_schema), TEST(test_leases6), TEST(test_prefixes), TEST(test_older_schema), TEST(test_damage_at_start), TEST(test_damage_while_running), TEST(test_full_disk),
		TEST(test_clock_set_back), TEST(test_load_is_for_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
