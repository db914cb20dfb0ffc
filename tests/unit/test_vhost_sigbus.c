// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that its owner takes away while it is used (tap/vhost_sigbus.h through tap/vhost_memory.h) */
#define _GNU_SOURCE
#include "tap/vhost_sigbus.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/error.h"
#include "tap/vhost_memory.h"

enum { PAGE = 4096, PAGES = 64, MB = 1 << 20 };

/* cmocka puts handlers of its own in place around each test. */
static struct sigaction ours;

static void use_ours(void)
{
	assert_int_equal(sigaction(SIGBUS, &ours, NULL), 0);
}

/* guest - one region, of a memfd */
struct guest {
	int fd;
	uint8_t *at;
	struct vhost_memory *memory;
};

static struct guest guest(void)
{
	struct guest g = { .fd = memfd_create("guest", MFD_CLOEXEC) };
	struct vhost_region r = { .size = PAGES * PAGE };
	struct error err = { 0 };

	assert_int_equal(ftruncate(g.fd, PAGES * PAGE), 0);
	r.mapping = vhost_mapping_new(g.fd, 0, PAGES * PAGE, &err);
	assert_non_null(r.mapping);
	g.at = vhost_mapping_at(r.mapping);
	g.memory = vhost_memory_new(&r, 1, NULL, 0, &err);
	assert_non_null(g.memory);
	vhost_mapping_put(r.mapping);
	for (unsigned i = 0; i < PAGES; i++)
		g.at[i * PAGE] = 7;
	return g;
}

static void leave(struct guest *g)
{
	vhost_memory_free(g->memory);
	close(g->fd);
}

/* toucher - a worker: reads and writes each page, from its own end */
struct toucher {
	uint8_t *at;
	bool backwards;
	unsigned wrong;
	pthread_barrier_t *start;
};

static void *touch(void *arg)
{
	struct toucher *t = arg;

	pthread_barrier_wait(t->start);
	for (unsigned i = 0; i < PAGES; i++) {
		volatile uint8_t *byte = t->at + (t->backwards ? PAGES - 1 - i : i) * PAGE;

		t->wrong += byte[1] != 0;
		byte[t->backwards ? 2 : 3] = 1;
	}
	return NULL;
}

/* Two workers meet pages that are gone: zeros, a mark, and the neighbour's memory is as it was. */
static void test_truncated(void **state)
{
	struct guest bad = guest(), neighbour = guest();
	pthread_barrier_t start;
	struct toucher t[2] = { { bad.at, false, 0, &start }, { bad.at, true, 0, &start } };
	pthread_t thread[2];

	(void)state;
	use_ours();
	pthread_barrier_init(&start, NULL, 2);
	assert_false(vhost_memory_lost(bad.memory));
	assert_false(sigbus_any_lost());
	assert_int_equal(ftruncate(bad.fd, PAGE), 0);
	assert_false(vhost_memory_lost(bad.memory));		/* nobody has missed it yet */
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, touch, &t[i]), 0);
	for (unsigned i = 0; i < 2; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(t[i].wrong, 0);
	}
	assert_true(vhost_memory_lost(bad.memory));
	assert_int_equal(bad.at[0], 7);				/* the page that is still there */
	assert_int_equal(bad.at[PAGE], 0);
	assert_false(vhost_memory_lost(neighbour.memory));
	for (unsigned i = 0; i < PAGES; i++)
		assert_int_equal(neighbour.at[i * PAGE], 7);
	assert_int_equal(ftruncate(bad.fd, PAGES * PAGE), 0);	/* what comes back is not trusted again */
	bad.at[PAGE] = 9;
	assert_true(vhost_memory_lost(bad.memory));
	leave(&bad);
	assert_false(sigbus_any_lost());
	assert_false(vhost_memory_lost(neighbour.memory));
	leave(&neighbour);
	pthread_barrier_destroy(&start);
}

/* A hole reads as zeros and can be written: an owner's balloon is no fault. */
static void test_hole(void **state)
{
	struct guest g = guest();

	(void)state;
	assert_int_equal(fallocate(g.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGES * PAGE), 0);
	assert_int_equal(g.at[0], 0);
	g.at[PAGE] = 3;
	assert_int_equal(g.at[PAGE], 3);
	assert_false(vhost_memory_lost(g.memory));
	leave(&g);
}

/* The log is lost like memory. */
static void test_log_lost(void **state)
{
	struct guest g = guest(), other = guest();
	struct vhost_region r = g.memory->regions[0];
	struct vhost_mapping *log = vhost_mapping_new(other.fd, 0, PAGE, NULL);
	struct vhost_memory *logged = vhost_memory_new(&r, 1, log, PAGE, NULL);

	(void)state;
	use_ours();
	vhost_mapping_put(log);
	vhost_log_write(logged, 0, 1);
	assert_false(vhost_memory_lost(logged));
	assert_int_equal(ftruncate(other.fd, 0), 0);
	vhost_log_write(logged, 0, 1);
	assert_true(vhost_memory_lost(logged));
	assert_false(vhost_memory_lost(g.memory));
	vhost_memory_free(logged);
	assert_false(sigbus_any_lost());
	leave(&g);
	leave(&other);
}

static int hugetlb_file(void)
{
	int fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB);

	if (fd >= 0 && ftruncate(fd, 4 * MB) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool huge_pages_free(void)
{
	FILE *f = fopen("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "r");
	unsigned n = 0;

	if (f && fscanf(f, "%u", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n >= 2;
}

/* On hugetlbfs a page that is lost is a large one. */
static void test_huge(void **state)
{
	struct error err = { 0 };
	struct vhost_mapping *m;
	struct vhost_region r = { .gpa = 0, .size = 3 * MB, .user = 0x10000000 };
	struct vhost_memory *memory;
	int fd = hugetlb_file();

	(void)state;
	use_ours();
	if (fd < 0 || !huge_pages_free()) {
		if (fd >= 0)
			close(fd);
		print_message("  skipped: no huge pages are free (vm.nr_hugepages)\n");
		skip();
	}
	assert_null(vhost_mapping_new(fd, MB, 3 * MB + 1, &err));
	r.mapping = m = vhost_mapping_new(fd, MB, 3 * MB, &err);
	assert_non_null(m);
	memory = vhost_memory_new(&r, 1, NULL, 0, &err);
	assert_int_equal((uintptr_t)vhost_mapping_at(m) % (2 * MB), MB);
	vhost_mapping_at(m)[0] = 1;
	vhost_mapping_at(m)[3 * MB - 1] = 2;
	assert_int_equal(ftruncate(fd, 2 * MB), 0);
	assert_int_equal(vhost_mapping_at(m)[3 * MB - 1], 0);
	assert_int_equal(vhost_mapping_at(m)[MB], 0);
	assert_int_equal(vhost_mapping_at(m)[0], 1);
	assert_true(vhost_memory_lost(memory));
	vhost_memory_free(memory);
	vhost_mapping_put(m);
	close(fd);
}

static atomic_bool stop;

/* churn() - meanwhile the control thread maps and unmaps others, so that the handler reads ranges that change under it */
static void *churn(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		struct guest g[3] = { guest(), guest(), guest() };

		for (size_t i = 0; i < ARRAY_SIZE(g); i++)
			leave(&g[i]);
	}
	return NULL;
}

static void test_churn(void **state)
{
	enum { ROUNDS = 200 };
	struct guest bad[8], good = guest();
	pthread_barrier_t start;
	pthread_t thread[2], control;

	(void)state;
	use_ours();
	pthread_barrier_init(&start, NULL, 2);
	for (unsigned round = 0; round < ROUNDS; round += ARRAY_SIZE(bad)) {
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
			bad[i] = guest();
			assert_int_equal(ftruncate(bad[i].fd, 0), 0);
		}
		atomic_store(&stop, false);
		assert_int_equal(pthread_create(&control, NULL, churn, NULL), 0);	/* the only one to map, until it is joined */
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
			struct toucher t[2] = { { bad[i].at, false, 0, &start }, { bad[i].at, true, 0, &start } };

			for (unsigned j = 0; j < 2; j++)
				assert_int_equal(pthread_create(&thread[j], NULL, touch, &t[j]), 0);
			for (unsigned j = 0; j < 2; j++)
				pthread_join(thread[j], NULL);
			assert_true(vhost_memory_lost(bad[i].memory));
		}
		atomic_store(&stop, true);
		pthread_join(control, NULL);
		assert_false(vhost_memory_lost(good.memory));
		for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
			leave(&bad[i]);
		assert_false(sigbus_any_lost());
	}
	leave(&good);
	pthread_barrier_destroy(&start);
}

static unsigned pieces_of_address_space(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned n = 0;

	assert_non_null(f);
	for (int c; (c = getc(f)) != EOF;)
		n += c == '\n';
	fclose(f);
	return n;
}

/* Pages missed here and there cost each a piece of address space, of which there are few for the whole process: so not many do. */
static void test_scattered(void **state)
{
	enum { MANY = 4000 };
	int fd = memfd_create("guest", MFD_CLOEXEC);
	struct vhost_mapping *m;
	struct error err = { 0 };
	unsigned before;

	(void)state;
	use_ours();
	assert_int_equal(ftruncate(fd, MANY * PAGE), 0);
	m = vhost_mapping_new(fd, 0, MANY * PAGE, &err);
	assert_non_null(m);
	before = pieces_of_address_space();
	assert_int_equal(ftruncate(fd, 0), 0);
	for (unsigned i = 0; i < MANY; i += 2)
		assert_int_equal(*(volatile uint8_t *)(vhost_mapping_at(m) + i * PAGE), 0);
	assert_in_range(pieces_of_address_space(), before, before + 200);
	vhost_mapping_put(m);
	assert_false(sigbus_any_lost());
	close(fd);
}

/* More ranges than a chunk of the registry holds, and each is found. */
static void test_many(void **state)
{
	static struct guest all[700];

	(void)state;
	use_ours();
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = guest();
	for (size_t i = 0; i < ARRAY_SIZE(all); i += 23) {
		assert_int_equal(ftruncate(all[i].fd, 0), 0);
		assert_int_equal(*(volatile uint8_t *)all[i].at, 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		assert_int_equal(vhost_memory_lost(all[i].memory), i % 23 == 0);
		leave(&all[i]);
	}
}

/* The registry is full at its limit, not before, and what is removed is room again. */
static void test_full(void **state)
{
	static struct sigbus_range *all[SIGBUS_RANGES_MAX];
	uint8_t *at = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[i] = sigbus_add(at + i * PAGE, PAGE, PAGE);
		assert_non_null(all[i]);
	}
	assert_null(sigbus_add(at, PAGE, PAGE));
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		sigbus_remove(all[i]);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		all[0] = sigbus_add(at, PAGE, PAGE);
		assert_non_null(all[0]);
		sigbus_remove(all[0]);
	}
}

/* --- what is not ours --- */

static int ends_with(void (*crime)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit none = { 0 };

		use_ours();
		setrlimit(RLIMIT_CORE, &none);
		crime();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void beside(void)
{
	int fd = memfd_create("mine", 0);
	volatile uint8_t *at = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	(void)*at;		/* the file is empty */
}

static void sent(void)
{
	raise(SIGBUS);
}

static void removed(void)
{
	int fd = memfd_create("mine", 0);
	uint8_t *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	sigbus_remove(sigbus_add(at, PAGE, PAGE));
	*(volatile uint8_t *)at = 1;
}

/* A process can say that any address failed; memory is not taken away by that. */
static void forged(void)
{
	siginfo_t info = { .si_code = SI_QUEUE };
	uint8_t *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	sigbus_add(at, PAGE, PAGE);
	info.si_addr = at;
	syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGBUS, &info);
}

static void in_range(void)
{
	int fd = memfd_create("mine", 0);
	uint8_t *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	sigbus_add(at, PAGE, PAGE);
	*(volatile uint8_t *)at = 1;
}

/* Any other SIGBUS ends the process, as if we were not there. */
static void test_others(void **state)
{
	(void)state;
	assert_int_equal(ends_with(in_range), 0);
	assert_int_equal(ends_with(beside), SIGBUS);
	assert_int_equal(ends_with(sent), SIGBUS);
	assert_int_equal(ends_with(removed), SIGBUS);
	assert_int_equal(ends_with(forged), SIGBUS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_others),	  cmocka_unit_test(test_truncated), cmocka_unit_test(test_hole),
		cmocka_unit_test(test_log_lost), cmocka_unit_test(test_churn),	    cmocka_unit_test(test_many),
		cmocka_unit_test(test_scattered),
		cmocka_unit_test(test_huge),	  cmocka_unit_test(test_full),
	};

	signal(SIGBUS, SIG_DFL);		/* a sanitizer's own */
	if (sigbus_init() < 0)
		return 1;
	sigaction(SIGBUS, NULL, &ours);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
