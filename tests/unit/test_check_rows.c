// SPDX-License-Identifier: GPL-2.0-or-later
/* The contract as `lanyard check` has it, against the table of modes written out cell by cell; and the requests to its outside host. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "ctl/check_answer.h"
#include "ctl/check_rows.h"

/* One line per row: nat, nat-network, host-only, internal, bridged, routed, with host_access own, DHCP, DNS, addresses of both families.
 * A "-" says that the mode promises nothing. */
static const char *const contract[CHECK_ROWS] = {
	"yes yes no no yes yes",				/* the host's own address */
	"- - yes no - yes",
	"no no - - - -",					/* loopback, not asked for */
	"- - - - - -",
	"no no yes no yes yes",
	"no yes yes yes yes yes",				/* guest to guest */
	"no yes yes yes yes yes",
	"yes yes no no yes yes",				/* outside */
	"yes yes no no yes yes",
	"yes yes no no yes yes",
	"no no no no yes yes",
	"by forward|by forward|refused|refused|-|-",
	"by forward|by forward|refused|refused|-|-",
	"-|by forward|-|-|-|-",
	"no no no no yes -",					/* another network */
	"yes yes yes yes no yes",				/* DHCP */
	"yes yes no no - yes",
	"yes yes yes yes - yes",
	"yes yes - - no no",					/* whom the outside sees */
	"- - - - yes -",
	"no no yes no yes yes",
	"yes yes yes yes yes yes",
	"yes yes yes yes yes yes",
	"- yes yes yes - yes",					/* a peer */
	"- yes yes yes - yes",					/* a delegated prefix */
};

static struct check_terms terms(unsigned mode)
{
	return (struct check_terms){
		.mode = (enum check_mode)mode, .access = CHECK_ACCESS_OWN, .dhcp = true, .dns = true, .addressed = true, .ip6 = true, .peered = true, .delegates = true,
	};
}

/* cell() - the text of column @mode; columns are parted by blanks, or by bars where a cell has blanks itself */
static void cell(const char *line, unsigned mode, char text[16])
{
	char copy[80], *save = NULL, *word;

	snprintf(copy, sizeof(copy), "%s", line);
	word = strtok_r(copy, strchr(line, '|') ? "|" : " ", &save);
	while (mode--)
		word = strtok_r(NULL, strchr(line, '|') ? "|" : " ", &save);
	snprintf(text, 16, "%s", word);
}

static void test_contract(void **state)
{
	char want[16];

	(void)state;
	for (unsigned i = 0; i < CHECK_ROWS; i++) {
		assert_int_equal(check_rows[i].number, i + 1);
		assert_int_equal(strlen(check_rows[i].modes), CHECK_MODES);
		for (unsigned mode = 0; mode < CHECK_MODES; mode++) {
			struct check_terms t = terms(mode);

			cell(contract[i], mode, want);
			print_message("  row %u, mode %u\n", i + 1, mode);
			assert_string_equal(check_want_name(check_want(&check_rows[i], &t)), want);
		}
	}
}

/* What settings change of it */
static const struct {
	const char *what;
	unsigned row;
	struct check_terms terms;
	const char *want;
} settings[] = {
	{ "host_access none closes the host's address", 1, { .mode = CHECK_NAT_NETWORK, .access = CHECK_ACCESS_NONE }, "no" },
	{ "loopback asked for", 4, { .mode = CHECK_NAT, .access = CHECK_ACCESS_LOOPBACK }, "yes" },
	{ "then it cannot be closed", 3, { .mode = CHECK_NAT, .access = CHECK_ACCESS_LOOPBACK }, "-" },
	{ "host_access none closes loopback", 3, { .mode = CHECK_NAT_NETWORK, .access = CHECK_ACCESS_NONE }, "no" },
	{ "and what is forwarded there", 14, { .mode = CHECK_NAT_NETWORK, .access = CHECK_ACCESS_NONE }, "no" },
	{ "loopback leaves the own address open", 1, { .mode = CHECK_NAT_NETWORK, .access = CHECK_ACCESS_LOOPBACK }, "yes" },
	{ "DHCP switched off", 16, { .mode = CHECK_NAT_NETWORK, .addressed = true }, "no" },
	{ "no addresses, no DHCP", 16, { .mode = CHECK_INTERNAL, .dhcp = true }, "no" },
	{ "no offer, no router in it", 17, { .mode = CHECK_NAT_NETWORK, .addressed = true }, "-" },
	{ "DNS switched off", 18, { .mode = CHECK_NAT_NETWORK, .dhcp = true, .addressed = true }, "no" },
	{ "kernel NAT has an interface of the host", 21, { .mode = CHECK_NAT_NETWORK, .kernel = true }, "yes" },
	{ "no IPv6", 10, { .mode = CHECK_NAT_NETWORK, .addressed = true }, "-" },
	{ "frames of a guest for whom the kernel translates", 21, { .mode = CHECK_NAT_NETWORK, .kernel = true }, "yes" },
	{ "nothing is delegated", 25, { .mode = CHECK_ROUTED, .ip6 = true }, "-" },
	{ "the LAN's IPv6", 10, { .mode = CHECK_BRIDGED }, "yes" },
};

static void test_settings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		print_message("  %s\n", settings[i].what);
		assert_string_equal(check_want_name(check_want(&check_rows[settings[i].row - 1], &settings[i].terms)), settings[i].want);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(check_mode_parse("natnetwork"), CHECK_NAT_NETWORK);
	assert_int_equal(check_mode_parse("intnet"), CHECK_INTERNAL);
	assert_int_equal(check_mode_parse("hostonly"), CHECK_HOST_ONLY);
	assert_int_equal(check_mode_parse("routed"), CHECK_ROUTED);
	assert_int_equal(check_mode_parse(""), -1);
	assert_int_equal(check_access_parse("loopback"), CHECK_ACCESS_LOOPBACK);
	assert_int_equal(check_access_parse("all"), -1);
}

/* --- requests to the outside host -------------------------------------------------------------------------- */

static const struct {
	const char *what, *text;
	int rc;
	bool knock, tcp;
	uint16_t port;
} requests[] = {
	{ "a hello", "lanyard-check 0123abcd", 0, false, false, 0 },
	{ "a knock", "lanyard-check 0123abcd knock tcp 10.77.0.5 8080", 0, true, true, 8080 },
	{ "by UDP, IPv6", "lanyard-check 0123abcd knock udp fd00::5 1", 0, true, false, 1 },
	{ "nothing", "", -EBADMSG, false, false, 0 },
	{ "another word", "lanyard-chick 0123abcd", -EBADMSG, false, false, 0 },
	{ "no number", "lanyard-check 0123abc", -EBADMSG, false, false, 0 },
	{ "no digits", "lanyard-check 0123ABCD", -EBADMSG, false, false, 0 },
	{ "more than a number", "lanyard-check 0123abcde", -EBADMSG, false, false, 0 },
	{ "no port", "lanyard-check 0123abcd knock tcp 10.77.0.5", -EBADMSG, false, false, 0 },
	{ "port zero", "lanyard-check 0123abcd knock tcp 10.77.0.5 0", -EBADMSG, false, false, 0 },
	{ "a word too many", "lanyard-check 0123abcd knock tcp 10.77.0.5 80 now", -EBADMSG, false, false, 0 },
	{ "another protocol", "lanyard-check 0123abcd knock sctp 10.77.0.5 80", -EBADMSG, false, false, 0 },
	{ "another verb", "lanyard-check 0123abcd break tcp 10.77.0.5 80", -EBADMSG, false, false, 0 },
	{ "only blanks", "lanyard-check 0123abcd     ", -EBADMSG, false, false, 0 },
	{ "its own loopback", "lanyard-check 0123abcd knock tcp 127.0.0.1 80", -EBADMSG, false, false, 0 },
	{ "the same of IPv6", "lanyard-check 0123abcd knock tcp ::1 80", -EBADMSG, false, false, 0 },
	{ "any address", "lanyard-check 0123abcd knock tcp 0.0.0.0 80", -EBADMSG, false, false, 0 },
	{ "everybody", "lanyard-check 0123abcd knock udp 255.255.255.255 80", -EBADMSG, false, false, 0 },
	{ "a group", "lanyard-check 0123abcd knock udp 224.0.0.1 80", -EBADMSG, false, false, 0 },
	{ "secrets of a cloud", "lanyard-check 0123abcd knock tcp 169.254.169.254 80", -EBADMSG, false, false, 0 },
};

static void test_requests(void **state)
{
	struct answer_request q;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		print_message("  %s\n", requests[i].what);
		assert_int_equal(answer_parse(&q, requests[i].text, strlen(requests[i].text)), requests[i].rc);
		if (requests[i].rc < 0)
			continue;
		assert_string_equal(q.number, "0123abcd");
		assert_int_equal(q.knock, requests[i].knock);
		assert_int_equal(q.tcp, requests[i].tcp);
		assert_int_equal(q.port, requests[i].port);
	}
	assert_int_equal(answer_parse(&q, "lanyard-check 0123abcd\0", 23), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contract),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
