// SPDX-License-Identifier: GPL-2.0-or-later
/* ctl/nft_notice.h: whose transactions are somebody else's doing at our table. Messages are built by hand from nfnetlink's layout. */
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ctl/nft_notice.h"

struct stream {
	uint8_t data[2048] __attribute__((aligned(4)));
	size_t size;
};

static void attribute(struct stream *s, uint16_t type, const void *value, size_t size)
{
	struct nlattr a = { .nla_len = (uint16_t)(sizeof(a) + size), .nla_type = type };

	memcpy(s->data + s->size, &a, sizeof(a));
	memcpy(s->data + s->size + sizeof(a), value, size);
	s->size += NLA_ALIGN(a.nla_len);
}

/* message() - with one attribute of text behind one of a number where @before is its type */
static void message(struct stream *s, int type, int family, int before, int attr, const char *text)
{
	size_t start = s->size;
	struct nlmsghdr h = { .nlmsg_type = (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type) };
	struct nfgenmsg g = { .nfgen_family = (uint8_t)family };
	uint32_t number = 7;

	s->size += NLMSG_HDRLEN + sizeof(g);
	if (before)
		attribute(s, (uint16_t)before, &number, sizeof(number));
	if (text)
		attribute(s, (uint16_t)attr, text, strlen(text) + 1);
	h.nlmsg_len = (uint32_t)(s->size - start);
	memcpy(s->data + start, &h, sizeof(h));
	memcpy(s->data + start + NLMSG_HDRLEN, &g, sizeof(g));
}

static void about(struct stream *s, int type, int family, const char *table)
{
	message(s, type, family, 0, 1, table);
}

static void end(struct stream *s, const char *by)
{
	message(s, NFT_MSG_NEWGEN, 0, NFTA_GEN_ID, NFTA_GEN_PROC_NAME, by);
}

static const struct {
	const char *what;
	int type, family;
	const char *table, *by;
	bool changed;
} cases[] = {
	{ "a table that is deleted", NFT_MSG_DELTABLE, NFPROTO_INET, "lanyard", "nft", true },
	{ "one of its chains", NFT_MSG_DELCHAIN, NFPROTO_INET, "lanyard", "nft", true },
	{ "a rule that is put in", NFT_MSG_NEWRULE, NFPROTO_INET, "lanyard", "firewalld", true },
	{ "elements", NFT_MSG_DELSETELEM, NFPROTO_INET, "lanyard", "nft", true },
	{ "by nobody who is named", NFT_MSG_DELTABLE, NFPROTO_INET, "lanyard", NULL, true },
	{ "by ourselves", NFT_MSG_DELTABLE, NFPROTO_INET, "lanyard", "lanyardd", false },
	{ "another table", NFT_MSG_DELTABLE, NFPROTO_INET, "lanyard2", "nft", false },
	{ "one of another family", NFT_MSG_DELTABLE, NFPROTO_IPV4, "lanyard", "nft", false },
	{ "no table at all", NFT_MSG_DELTABLE, NFPROTO_INET, NULL, "nft", false },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct nft_notice n = { 0 };
		struct stream s = { .size = 0 };

		print_message("  %s\n", cases[i].what);
		about(&s, cases[i].type, cases[i].family, cases[i].table);
		nft_notice_read(&n, s.data, s.size, "lanyardd");
		assert_false(n.changed);		/* who it was comes last */
		end(&s, cases[i].by);
		n = (struct nft_notice){ 0 };
		nft_notice_read(&n, s.data, s.size, "lanyardd");
		assert_int_equal(n.changed, cases[i].changed);
		if (n.changed)
			assert_string_equal(n.by, cases[i].by ? cases[i].by : "?");
	}
}

/* Two transactions, ours and another's about something else: neither makes the other one suspicious. */
static void test_transactions_apart(void **state)
{
	struct nft_notice n = { 0 };
	struct stream s = { .size = 0 };

	(void)state;
	about(&s, NFT_MSG_NEWTABLE, NFPROTO_INET, "lanyard");
	end(&s, "lanyardd");
	about(&s, NFT_MSG_DELTABLE, NFPROTO_IPV4, "nat");
	end(&s, "nft");
	nft_notice_read(&n, s.data, s.size, "lanyardd");
	assert_false(n.changed);
}

/* Cut anywhere, and with any length in it, nothing behind the end is read (the sanitizers see to that). */
static void test_cut_short(void **state)
{
	struct stream s = { .size = 0 };

	(void)state;
	about(&s, NFT_MSG_DELTABLE, NFPROTO_INET, "lanyard");
	end(&s, "nft");
	for (size_t size = 0; size < s.size; size++) {
		struct nft_notice n = { 0 };
		uint8_t *copy = test_malloc(size + 1);

		memcpy(copy, s.data, size);
		nft_notice_read(&n, copy, size, "lanyardd");
		assert_false(n.changed);
		for (size_t at = 0; at < size; at++) {
			copy[at] ^= 0xff;
			nft_notice_read(&n, copy, size, "lanyardd");
			copy[at] ^= 0xff;
		}
		test_free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_transactions_apart),
		cmocka_unit_test(test_cut_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
