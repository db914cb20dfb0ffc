// SPDX-License-Identifier: GPL-2.0-or-later
/* The names that DNS answers gave addresses, for showing. */
#include "ctl/answers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "dhcp/dns_message.h"

/* answer() - "www.example", with an alias and one address */
static size_t answer(uint8_t *to, size_t room, const char *text, uint32_t ip)
{
	struct writer w = writer_init(to, room);
	struct dns_name name, alias;

	assert_int_equal(dns_name_from_text(&name, text), 0);
	assert_int_equal(dns_name_from_text(&alias, "alias.example"), 0);
	write_u16(&w, 1);
	write_u16(&w, DNS_FLAG_QR | DNS_FLAG_RA);
	write_u16(&w, 1);
	write_u16(&w, 2);
	write_u32(&w, 0);
	write_bytes(&w, name.wire, name.size);
	write_u16(&w, DNS_A);
	write_u16(&w, DNS_CLASS_IN);
	write_u16(&w, 0xc00c);
	write_u16(&w, DNS_CNAME);
	write_u16(&w, DNS_CLASS_IN);
	write_u32(&w, 60);
	write_u16(&w, alias.size);
	write_bytes(&w, alias.wire, alias.size);
	write_bytes(&w, alias.wire, alias.size);
	write_u16(&w, DNS_A);
	write_u16(&w, DNS_CLASS_IN);
	write_u32(&w, 60);
	write_u16(&w, 4);
	write_u32(&w, ip);
	assert_false(w.overrun);
	return w.pos;
}

static void test_names(void **state)
{
	struct answers *t = answers_new();
	uint8_t reply[512];

	(void)state;
	assert_non_null(t);
	assert_null(answers_name(NULL, addr4(1)));
	assert_null(answers_name(t, addr4(1)));
	answers_note(t, reply, answer(reply, sizeof(reply), "WWW.example", 0x01020304));
	print_message("  the name is the one that was asked for, in lower case, not the alias\n");
	assert_string_equal(answers_name(t, addr4(0x01020304)), "www.example");
	print_message("  what is told later holds\n");
	answers_note(t, reply, answer(reply, sizeof(reply), "other.example", 0x01020304));
	assert_string_equal(answers_name(t, addr4(0x01020304)), "other.example");
	assert_null(answers_name(t, addr4(0x01020305)));
	answers_free(t);
}

/* Answers of any number take what room there is, and those told last are the ones that stay. */
static void test_bounded(void **state)
{
	struct answers *t = answers_new();
	uint8_t reply[512];
	unsigned there = 0;

	(void)state;
	for (uint32_t i = 1; i <= 10 * ANSWERS_MAX; i++)
		answers_note(t, reply, answer(reply, sizeof(reply), "a.example", i));
	for (uint32_t i = 1; i <= 10 * ANSWERS_MAX; i++)
		there += answers_name(t, addr4(i)) != NULL;
	assert_true(there <= ANSWERS_MAX && there > ANSWERS_MAX / 2);
	assert_non_null(answers_name(t, addr4(10 * ANSWERS_MAX)));
	answers_free(t);
}

/* What is cut short or damaged anywhere is read as far as it goes, and never beyond. */
static void test_damaged(void **state)
{
	struct answers *t = answers_new();
	uint8_t whole[512], cut[512];
	size_t size = answer(whole, sizeof(whole), "www.example", 0x01020304);

	(void)state;
	for (size_t n = 0; n < size; n++) {
		uint8_t *exact = n ? memcpy(cut + sizeof(cut) - n, whole, n) : cut;

		answers_note(t, exact, n);
		assert_null(answers_name(t, addr4(0x01020304)));
	}
	for (size_t at = 0; at < size; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(cut, whole, size);
			cut[at] ^= (uint8_t)(1u << bit);
			answers_note(t, cut, size);
		}
	answers_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names), cmocka_unit_test(test_bounded), cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
