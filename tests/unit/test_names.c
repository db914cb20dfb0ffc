// SPDX-License-Identifier: GPL-2.0-or-later
/* dhcp/names: the name table, alone and with readers beside the writer. IDs are those of the conformance
 * statements.
 */
#include "dhcp/names.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>
#include <cmocka.h>

static struct dns_name origin;

static int setup(void **state)
{
	urcu_qsbr_register_thread();
	dns_name_from_text(&origin, "Lab.internal");
	*state = names_new(&origin);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	names_free(*state);
	urcu_qsbr_barrier();
	urcu_qsbr_unregister_thread();
	return 0;
}

static const struct name_set *look(struct names *t, const char *text)
{
	struct dns_name n;

	assert_int_equal(dns_name_from_text(&n, text), 0);
	dns_name_lower(&n);
	return names_find(t, &n);
}

static int add(struct names *t, const char *owner, uint16_t type, const char *value)
{
	struct dns_record record;
	struct dns_name n;

	assert_int_equal(dns_owner_parse(&n, owner, &origin), 0);
	assert_int_equal(dns_record_parse(&record, type, value, &origin), 0);
	return names_add(t, &n, &record);
}

static int take(struct names *t, const char *owner, uint16_t type)
{
	struct dns_name n;

	assert_int_equal(dns_owner_parse(&n, owner, &origin), 0);
	return names_remove(t, &n, type);
}

static void test_dns_30_host(void **state)
{
	struct names *t = *state;
	const struct name_set *s;

	assert_int_equal(names_set_host(t, "web1", 0x0a4d0032), 0);
	s = look(t, "WEB1.lab.internal");
	assert_int_equal(s->n, 1);
	assert_int_equal(s->records[0].type, DNS_A);
	assert_memory_equal(s->records[0].rdata, "\12\115\0\62", 4);
	s = look(t, "50.0.77.10.in-addr.arpa");
	assert_int_equal(s->records[0].type, DNS_PTR);
	assert_memory_equal(s->records[0].rdata, "\4web1\3lab\10internal", 19);
	assert_int_equal(names_count(t), 2);

	assert_int_equal(names_set_host(t, "web1", 0x0a4d0032), 0);
	assert_ptr_equal(look(t, "50.0.77.10.in-addr.arpa"), s);		/* nothing is made anew */
	names_remove_host_at(t, "web1", 0x0a4d0099);
	names_remove_host_at(t, "a.b", 0x0a4d0032);
	assert_non_null(look(t, "web1.lab.internal"));
	assert_int_equal(names_set_host(t, "web1", 0x0a4d0033), 0);	/* it moves */
	assert_null(look(t, "50.0.77.10.in-addr.arpa"));
	assert_non_null(look(t, "51.0.77.10.in-addr.arpa"));
	assert_int_equal(look(t, "web1.lab.internal")->n, 1);

	assert_int_equal(names_set_host(t, "web2", 0x0a4d0033), 0);	/* another takes its address over */
	names_remove_host(t, "web1");
	assert_null(look(t, "web1.lab.internal"));
	assert_memory_equal(look(t, "51.0.77.10.in-addr.arpa")->records[0].rdata, "\4web2", 5);
	names_remove_host_at(t, "web2", 0x0a4d0033);
	names_remove_host(t, "web2");
	assert_int_equal(names_count(t), 0);
	assert_null(look(t, "51.0.77.10.in-addr.arpa"));
}

/* test_further_name() - two names of one address: it leads back to the first */
static void test_further_name(void **state)
{
	struct names *t = *state;
	struct names *own = names_new_within(t, false);
	const struct name_set *s;

	assert_int_equal(names_set_host(own, "desk", 0x0a4d0032), 0);
	assert_int_equal(names_point_host(own, "web1", 0x0a4d0032), 0);
	assert_memory_equal(look(own, "web1.lab.internal")->records[0].rdata, "\12\115\0\62", 4);
	s = look(own, "50.0.77.10.in-addr.arpa");
	assert_int_equal(s->n, 1);
	assert_memory_equal(s->records[0].rdata, "\4desk", 5);
	names_set_host(own, "desk", 0x0a4d0032);
	names_point_host(own, "web1", 0x0a4d0032);
	assert_ptr_equal(look(own, "50.0.77.10.in-addr.arpa"), s);	/* nothing is made anew */
	names_remove_host_at(own, "web1", 0x0a4d0032);
	assert_non_null(look(own, "50.0.77.10.in-addr.arpa"));
	assert_int_equal(names_set_host(own, "web1", 0x0a4d0033), 0);
	assert_int_equal(names_point_host(own, "web1", 0x0a4d0034), 0);
	assert_null(look(own, "51.0.77.10.in-addr.arpa"));
	assert_int_equal(names_point_host(own, "a.b", 0x0a4d0034), -EINVAL);
	assert_false(names_has_users(own, "web1"));
	assert_int_equal(add(t, "db", DNS_A, "10.77.0.9"), 0);
	assert_true(names_has_users(own, "db"));
	assert_false(names_has_users(own, "a.b"));
	names_free(own);
}

/* Of a port's addresses some lead back to what a reservation calls the guest that has them. */
static void test_further_name6(void **state)
{
	struct names *t = *state;
	struct dns_name back[3];
	struct addr a[3];

	for (unsigned i = 0; i < 3; i++) {
		a[i] = (struct addr){ .bytes = { 0xfd, [15] = (uint8_t)(5 + i) } };
		dns_name_reverse(&back[i], a[i]);
	}
	assert_int_equal(names_set_host6(t, "web1", a, 2, 2), 0);
	assert_int_equal(names_add_host6(t, "desk-7", a[1]), 0);
	assert_int_equal(names_add_host6(t, "desk-7", a[1]), 0);
	assert_int_equal(names_add_host6(t, "desk-7", a[2]), 0);
	assert_int_equal(names_set_host6(t, "web1", a, 3, 1), 0);
	assert_int_equal(look(t, "web1.lab.internal")->n, 3);
	assert_int_equal(look(t, "desk-7.lab.internal")->n, 2);
	assert_memory_equal(names_find(t, &back[0])->records[0].rdata, "\4web1", 5);
	assert_memory_equal(names_find(t, &back[1])->records[0].rdata, "\6desk-7", 7);
	print_message("  one ends, and another is the port's again\n");
	names_remove_host6_at(t, "desk-7", a[2]);
	assert_null(names_find(t, &back[2]));
	assert_true(names_has_host6(t, "desk-7"));
	names_remove_host6_at(t, "desk-7", a[1]);
	assert_false(names_has_host6(t, "desk-7"));
	assert_null(look(t, "desk-7.lab.internal"));
	names_remove_host6_at(t, "desk-7", a[1]);
	assert_int_equal(names_set_host6(t, "web1", a, 2, 2), 0);
	assert_memory_equal(names_find(t, &back[1])->records[0].rdata, "\4web1", 5);
	print_message("  more than a name can have\n");
	for (unsigned i = 0; i < NAMES_HOST6_MAX; i++)
		assert_int_equal(names_add_host6(t, "desk-7", (struct addr){ .bytes = { 0xfd, 1, [15] = (uint8_t)i } }), 0);
	assert_int_equal(names_add_host6(t, "desk-7", a[0]), -ENOSPC);
	names_remove_host(t, "desk-7");
	names_remove_host(t, "web1");
	assert_int_equal(names_count(t), 0);
}

static void test_host6(void **state)
{
	static const char reverse[] = "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.d.f.ip6.arpa";
	struct names *t = *state;
	const struct name_set *s;
	struct addr a[2];

	assert_int_equal(addr_parse("fd01:2:3:4::5", &a[0]), 0);
	assert_int_equal(addr_parse("fd01:2:3:4::6", &a[1]), 0);
	assert_int_equal(names_set_host(t, "web1", 0x0a4d0032), 0);
	assert_int_equal(names_set_host6(t, "web1", a, 2, 2), 0);
	s = look(t, "web1.lab.internal");
	assert_int_equal(s->n, 3);
	assert_int_equal(s->records[1].type, DNS_AAAA);
	assert_memory_equal(s->records[1].rdata, a[0].bytes, ADDR_SIZE);
	assert_memory_equal(look(t, reverse)->records[0].rdata, "\4web1\3lab\10internal", 19);
	assert_int_equal(names_set_host6(t, "web1", (struct addr[]){ a[1], a[0] }, 2, 2), 0);
	assert_ptr_equal(look(t, "web1.lab.internal"), s);		/* nothing is made anew */
	assert_int_equal(names_set_host6(t, "web1", &a[1], 1, 1), 0);
	assert_null(look(t, reverse));
	assert_int_equal(look(t, "web1.lab.internal")->n, 2);
	names_remove_host_at(t, "web1", 0x0a4d0032);			/* its lease ends: the IPv6 address stays */
	assert_int_equal(look(t, "web1.lab.internal")->n, 1);
	names_remove_host(t, "web1");
	assert_int_equal(names_count(t), 0);
}

static void test_bad_labels(void **state)
{
	struct names *t = *state;

	assert_int_equal(names_set_host(t, "", 1), -EINVAL);
	assert_int_equal(names_set_host(t, "a.b", 1), -EINVAL);
	assert_int_equal(names_set_host(t, "a b", 1), -EINVAL);
	names_remove_host(t, "a.b");
	assert_int_equal(names_count(t), 0);
}

static void test_records_of_the_user(void **state)
{
	struct names *t = *state;

	assert_int_equal(add(t, "db", DNS_A, "10.77.0.60"), 0);
	assert_int_equal(add(t, "DB", DNS_A, "10.77.0.60"), 0);		/* once */
	assert_int_equal(add(t, "db", DNS_A, "10.77.0.61"), 0);
	assert_int_equal(add(t, "db", DNS_TXT, "hello"), 0);
	assert_int_equal(look(t, "db.lab.internal")->n, 3);
	assert_int_equal(add(t, "db", DNS_CNAME, "web1"), -EEXIST);
	assert_int_equal(add(t, "www", DNS_CNAME, "db"), 0);
	assert_int_equal(add(t, "www", DNS_A, "10.77.0.1"), -EEXIST);
	assert_int_equal(take(t, "db", DNS_MX), -ENOENT);
	assert_int_equal(take(t, "db", DNS_A), 0);
	assert_int_equal(look(t, "db.lab.internal")->n, 1);
	assert_int_equal(take(t, "db", DNS_TXT), 0);
	assert_null(look(t, "db.lab.internal"));
	assert_int_equal(take(t, "db", DNS_TXT), -ENOENT);
}

/* DNS-37: all records of a name at once */
static void test_set_at_once(void **state)
{
	struct names *t = *state;
	struct dns_record two[2], many[NAMES_RECORDS_MAX + 1], alias;
	struct dns_name owner;

	assert_int_equal(dns_owner_parse(&owner, "Web1", &origin), 0);
	assert_int_equal(dns_record_parse(&two[0], DNS_A, "10.0.0.1", &owner), 0);
	assert_int_equal(dns_record_parse(&two[1], DNS_TXT, "text", &owner), 0);
	assert_int_equal(dns_record_parse(&alias, DNS_CNAME, "other", &owner), 0);
	for (unsigned i = 0; i <= NAMES_RECORDS_MAX; i++)
		many[i] = two[0];
	assert_int_equal(names_set_host(t, "web1", 7), 0);
	assert_int_equal(names_assign(t, &owner, two, 2), 0);
	assert_int_equal(look(t, "web1.lab.internal")->n, 3);
	assert_int_equal(names_assign(t, &owner, two + 1, 1), 0);
	assert_int_equal(look(t, "web1.lab.internal")->n, 2);		/* the guest's address stays */
	assert_int_equal(names_assign(t, &owner, &alias, 1), -EEXIST);
	assert_int_equal(names_assign(t, &owner, many, NAMES_RECORDS_MAX), -ENOSPC);
	assert_int_equal(look(t, "web1.lab.internal")->n, 2);
	assert_int_equal(names_assign(t, &owner, NULL, 0), 0);
	assert_int_equal(look(t, "web1.lab.internal")->n, 1);
	names_remove_host(t, "web1");
	assert_null(look(t, "web1.lab.internal"));
	assert_int_equal(names_assign(t, &owner, NULL, 0), 0);	/* no matter */
	assert_int_equal(names_assign(t, &owner, &alias, 1), 0);
}

/* The user's records and the lease of a guest share a name and do not disturb each other. */
static void test_two_sources(void **state)
{
	struct names *t = *state;

	names_set_host(t, "web1", 0x0a4d0032);
	assert_int_equal(add(t, "web1", DNS_A, "10.77.0.99"), 0);
	assert_int_equal(add(t, "web1", DNS_A, "10.77.0.50"), 0);	/* the same as the lease's, and yet another */
	assert_int_equal(look(t, "web1.lab.internal")->n, 3);
	names_remove_host(t, "web1");
	assert_int_equal(look(t, "web1.lab.internal")->n, 2);
	names_set_host(t, "web1", 0x0a4d0033);
	assert_int_equal(take(t, "web1", DNS_A), 0);
	assert_int_equal(look(t, "web1.lab.internal")->n, 1);
}

static void test_limit_of_one_name(void **state)
{
	struct names *t = *state;
	char value[32];

	for (unsigned i = 0; i < NAMES_RECORDS_MAX; i++) {
		snprintf(value, sizeof(value), "10.0.0.%u", i);
		assert_int_equal(add(t, "many", DNS_A, value), 0);
	}
	assert_int_equal(add(t, "many", DNS_A, "10.0.1.1"), -ENOSPC);
	assert_int_equal(names_set_host(t, "many", 5), -ENOSPC);
	assert_int_equal(look(t, "many.lab.internal")->n, NAMES_RECORDS_MAX);
}

/* RFC 8020: a name with others below it exists, as long as there are any. */
static void test_dns_32_names_between(void **state)
{
	struct names *t = *state;

	assert_int_equal(add(t, "_sip._tcp.lab.internal", DNS_SRV, "0 0 5060 web1"), 0);
	assert_int_equal(look(t, "_tcp.lab.internal")->n, 0);
	assert_null(look(t, "lab.internal"));
	assert_int_equal(add(t, "_xmpp._tcp.lab.internal", DNS_SRV, "0 0 5222 web1"), 0);
	assert_int_equal(add(t, "_tcp", DNS_TXT, "x"), 0);
	assert_int_equal(look(t, "_tcp.lab.internal")->n, 1);
	assert_int_equal(take(t, "_sip._tcp.lab.internal", DNS_SRV), 0);
	assert_int_equal(take(t, "_tcp", DNS_TXT), 0);
	assert_int_equal(look(t, "_tcp.lab.internal")->n, 0);
	assert_int_equal(take(t, "_xmpp._tcp.lab.internal", DNS_SRV), 0);
	assert_null(look(t, "_tcp.lab.internal"));
	assert_int_equal(add(t, "a.b.c.d.lab.internal", DNS_A, "10.0.0.1"), 0);
	assert_int_equal(look(t, "c.d.lab.internal")->n, 0);
	assert_int_equal(take(t, "a.b.c.d.lab.internal", DNS_A), 0);
	assert_null(look(t, "d.lab.internal"));
	assert_int_equal(add(t, "www.example.com", DNS_A, "10.0.0.1"), 0);
	assert_null(look(t, "example.com"));		/* that is somebody else's */
	assert_int_equal(names_count(t), 1);
}

struct reading {
	struct names *t;
	bool stop;
	unsigned long reads;
	unsigned wrong;
};

/* whole() - what a reader may see of the host that moves: nothing, or exactly its one address with a TXT record
 * beside it
 */
static bool whole(const struct name_set *s)
{
	return s->n == 2 && s->records[0].type == DNS_TXT && s->records[0].rdata[0] == 4 &&
	       s->records[1].type == DNS_A && s->records[1].rdata[0] == 10 &&
	       s->records[1].rdata[3] == s->records[1].rdata[2];
}

static void *read_names(void *arg)
{
	struct reading *r = arg;
	struct dns_name n;

	urcu_qsbr_register_thread();
	dns_name_from_text(&n, "mover.lab.internal");
	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		const struct name_set *s = names_find(r->t, &n);

		if (s && !whole(s))
			r->wrong++;
		r->reads++;
		urcu_qsbr_quiescent_state();
	}
	urcu_qsbr_unregister_thread();
	return NULL;
}

static void test_dns_37_readers_beside_the_writer(void **state)
{
	struct reading r = { .t = *state };
	pthread_t thread;

	assert_int_equal(add(r.t, "mover", DNS_TXT, "text"), 0);
	assert_int_equal(names_set_host(r.t, "mover", 0x0a000000), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_names, &r), 0);
	for (unsigned i = 0; i < 5000; i++) {
		char host[16];

		snprintf(host, sizeof(host), "h%u", i);
		assert_int_equal(names_set_host(r.t, host, 0x0b000000 + i), 0);		/* the table grows meanwhile */
		assert_int_equal(names_set_host(r.t, "mover", 0x0a000000 | (i & 255) << 8 | (i & 255)), 0);
		urcu_qsbr_quiescent_state();
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	urcu_qsbr_thread_offline();
	pthread_join(thread, NULL);
	urcu_qsbr_thread_online();
	assert_int_equal(r.wrong, 0);
	assert_true(r.reads > 0);
	assert_int_equal(names_count(r.t), 2 * 5000 + 2);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(test_dns_30_host),
		CASE(test_further_name), CASE(test_further_name6), CASE(test_host6),
		CASE(test_bad_labels),
		CASE(test_records_of_the_user),
		CASE(test_set_at_once), CASE(test_two_sources),
		CASE(test_limit_of_one_name),
		CASE(test_dns_32_names_between),
		CASE(test_dns_37_readers_beside_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
