// SPDX-License-Identifier: GPL-2.0-or-later
/* The TFTP server in conversations: what RFC 1350, 2347, 2348, 2349 and 7440 say, and what clients and their losses make of it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/bytes.h"
#include "dhcp/service.h"
#include "dhcp/tftp_message.h"
#include "switch/build.h"
#include "tests/packet/rig.h"
#include "tests/packet/tftp_talk.h"

enum { LINES_MAX = 40 };

#define CANCELED "125"
#define TIMEDOUT "110"
#define IO "5"

static const struct {
	const char *what;
	const char *lines[LINES_MAX];
} conversations[] = {
	{ "what the disk has not is waited for, and then comes at once",
	  { "> rrq cold octet blksize=8 windowsize=4", "< oack blksize=8 windowsize=4", "> ack 0", "< -", "~ 16", "+ 10", "< data 1 8", "< data 2 8", "< -", "+ 10", "< -",
	    "~ 999", "+ 10", "< data 3 8", "< data 4 8", "< -", "> ack 4", "< data 5 8", "< data 6 0", "> ack 6", "! 0 1" } },
	{ "and is not waited for as one that does not answer",
	  { "> rrq cold octet", "< -", "+ 2000", "< -", "+ 4000", "< -", "+ 3900", "< -", "~ 999", "+ 10", "< data 1 40", "+ 1000", "< data 1 40", "> ack 1", "! 0 1" } },
	{ "acknowledged in part meanwhile",
	  { "~ 16", "> rrq cold octet blksize=8 windowsize=4", "< oack blksize=8 windowsize=4", "> ack 0", "< data 1 8", "< data 2 8", "< -", "> ack 1", "< data 2 8", "< -", "~ 999",
	    "+ 10", "< data 3 8", "< data 4 8", "< data 5 8", "< -", "> error" } },
	{ "but not for ever", { "> rrq cold octet", "< -", "+ 10", "+ 9989", "< -", "+ 10", "< error 0", "< -", "! 11 1" } },
	{ "one block", { "> rrq eight octet", "< data 1 8", "< -", "> ack 1", "< -", "! 0 1" } },
	{ "blocks, the last of which is short", { "> rrq more octet", "< data 1 512", "> ack 1", "< data 2 512", "> ack 2", "< data 3 276", "> ack 3", "< -", "! 0 1" } },
	{ "a last block that is empty", { "> rrq block octet", "< data 1 512", "> ack 1", "< data 2 0", "> ack 2", "! 0 1" } },
	{ "an empty file", { "> rrq empty octet", "< data 1 0", "> ack 1", "! 0 1" } },
	{ "a name from the root", { "> rrq //eight octet", "< data 1 8", "> ack 1", "! 0 1" } },
	{ "modes in any case", { "> rrq eight OcTeT", "< data 1 8", "> ack 1", "! 0 1" } },
	{ "netascii: a line ends with two, a CR alone is two", { "> rrq text netascii", "< data 1 21", "> ack 1", "! 0 1" } },
	{ "netascii: a pair across two blocks, and again when the second is lost",
	  { "> rrq text netascii blksize=8", "< oack blksize=8", "> ack 0", "< data 1 8", "> ack 1", "< data 2 8", "+ 1000", "< data 2 8", "> ack 2",
	    "< data 3 5", "> ack 3", "! 0 1" } },
	{ "netascii: nobody knows how long it will be", { "> rrq text netascii tsize=0", "< data 1 21", "> ack 1", "! 0 1" } },

	{ "options that are granted",
	  { "> rrq many octet tsize=0 blksize=1432 timeout=3 windowsize=2", "< oack tsize=600000 blksize=1432 timeout=3 windowsize=2", "< -", "> ack 0",
	    "< data 1 1432", "< data 2 1432", "< -", "> error", "! " CANCELED " 1" } },
	{ "option names in any case, unknown ones, and a request that is padded",
	  { "> rrq eight octet BLKSIZE=8 multicast=1", "< oack blksize=8", "> ack 0", "< data 1 8", "> ack 1", "< data 2 0", "> ack 2", "! 0 1",
	    "> raw 000165696768740" "06f6374657400" "00", "< data 1 8", "> ack 1" } },
	{ "what an option may not be is as if it were not asked for",
	  { "> rrq eight octet blksize=7 timeout=0 windowsize=0 tsize=1", "< data 1 8", "> error", "> rrq eight octet blksize=65465 timeout=256", "< data 1 8", "> error",
	    "> rrq eight octet blksize=9999999999999999999999 timeout=x windowsize=-1", "< data 1 8", "> error", "! " CANCELED " 3" } },
	{ "no block is longer than fits a packet, no window longer than ours",
	  { "> rrq many octet blksize=65464 windowsize=1000", "< oack blksize=1468 windowsize=32", "> error", "! " CANCELED " 1" } },
	{ "the answer with options is lost", { "> rrq eight octet tsize=0", "< oack tsize=8", "+ 1000", "< oack tsize=8", "> ack 0", "< data 1 8", "> ack 1", "! 0 1" } },
	{ "a client that does not want what was granted", { "> rrq eight octet tsize=0", "< oack tsize=8", "> error", "< -", "+ 9000", "< -", "! " CANCELED " 1" } },

	{ "a window whose middle is lost: from there on again",
	  { "> rrq many octet blksize=8 windowsize=4", "< oack blksize=8 windowsize=4", "> ack 0", "< data 1 8", "< data 2 8", "< data 3 8", "< data 4 8", "> ack 2",
	    "< data 3 8", "< data 4 8", "< data 5 8", "< data 6 8", "< -", "> error" } },
	{ "a window whose beginning is lost: again, but once",
	  { "> rrq many octet blksize=8 windowsize=2", "< oack blksize=8 windowsize=2", "> ack 0", "< data 1 8", "< data 2 8", "> ack 0", "< data 1 8", "< data 2 8", "> ack 0",
	    "< -", "> ack 2", "< data 3 8", "< data 4 8", "> error" } },
	{ "an acknowledgement that comes twice doubles nothing (RFC 1123 4.2.3.1)",
	  { "> rrq more octet", "< data 1 512", "> ack 1", "< data 2 512", "> ack 1", "< -", "> ack 2", "< data 3 276", "> ack 2", "> ack 1", "< -", "> ack 3", "! 0 1" } },
	{ "an acknowledgement of what was not sent", { "> rrq more octet", "< data 1 512", "> ack 2", "> ack 65535", "< -", "> ack 1", "< data 2 512", "> error" } },

	{ "a lost block: after one second, two, four, eight, and then no more",
	  { "> rrq eight octet", "< data 1 8", "+ 999", "< -", "+ 1", "< data 1 8", "+ 1999", "< -", "+ 1", "< data 1 8", "+ 4000", "< data 1 8", "+ 8000", "< data 1 8",
	    "+ 7999", "! 0 0", "+ 1", "< -", "! " TIMEDOUT " 1" } },
	{ "the client's own time", { "> rrq eight octet timeout=5", "< oack timeout=5", "> ack 0", "< data 1 8", "+ 4999", "< -", "+ 1", "< data 1 8", "+ 5000", "< data 1 8", "> ack 1", "! 0 1" } },
	{ "the time of one client is not another's",
	  { "> rrq more octet timeout=255", "< oack timeout=255", "@ 21", "> rrq more octet", "< data 1 512", "+ 1000", "< data 1 512", "< -", "@ 11", "> ack 0", "< data 1 512",
	    "@ 21", "+ 2000", "< data 1 512", "> ack 1", "< data 2 512", "> error", "@ 11", "> error", "! " CANCELED " 2" } },
	{ "patience begins anew with each block", { "> rrq more octet", "< data 1 512", "+ 1000", "< data 1 512", "+ 2000", "< data 1 512", "> ack 1", "< data 2 512", "+ 1000", "< data 2 512", "> error" } },
	{ "a request that comes again", { "> rrq more octet", "< data 1 512", "> rrq more octet", "< data 1 512", "> ack 1", "< data 2 512", "< -", "> error", "! " CANCELED " 1" } },
	{ "another request from there is another transfer", { "> rrq more octet", "< data 1 512", "> rrq eight octet", "< data 1 8", "! " CANCELED " 1", "> ack 1", "! 0 1" } },
	{ "and so is the same one in the middle", { "> rrq more octet", "< data 1 512", "> ack 1", "< data 2 512", "> rrq more octet", "< data 1 512", "> error" } },

	{ "no such file, none that may be read, and one for another time",
	  { "> rrq none octet", "< error 1", "! -1 1", "> rrq closed octet", "< error 2", "! -1 1", "> rrq busy octet", "< -", "! -1 0" } },
	{ "names that no file has", { "> rrq / octet", "< error 1", "> raw 0001" "0a" "00" "6f6374657400", "< error 1", "> raw 0001" "00" "6f6374657400", "< error 1", "< -" } },
	{ "requests that are none", { "> rrq eight mail", "< error 4", "> raw 000161", "< -", "> raw 00016162", "< error 4", "> raw 0001616200", "< error 4", "> raw 00", "< -", "> raw 0007000000", "< error 4" } },
	{ "nothing can be written", { "> wrq new octet", "< error 2", "> data 1", "< error 5", "< -" } },
	{ "no transfer, and errors are not answered with errors", { "> ack 1", "< error 5", "> error", "< -", "> raw 0000000000", "< -" } },
	{ "a file that cannot be read to its end", { "> rrq broken octet", "< data 1 512", "> ack 1", "< data 2 512", "> ack 2", "< error 0", "< -", "! " IO " 1" } },

	{ "two clients at once, each its own", { "> rrq more octet", "< data 1 512", "@ 21", "> rrq more octet", "< data 1 512", "> ack 1", "< data 2 512", "@ 11", "> ack 1", "< data 2 512", "> error", "@ 21", "> ack 2", "< data 3 276", "> ack 3", "! 0 2" } },
	{ "nobody ends another's", { "> rrq more octet", "< data 1 512", "@ 21", "> error", "> ack 1", "< error 5", "@ 11", "> ack 1", "< data 2 512", "> error" } },
};

static void test_conversations(void **state)
{
	static struct talk t;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(conversations); i++) {
		print_message("  %s\n", conversations[i].what);
		talk_begin(&t);
		for (unsigned j = 0; j < LINES_MAX && conversations[i].lines[j]; j++)
			talk_line(&t, conversations[i].lines[j]);
		talk_end(&t);
	}
}

/* A file of 75,000 blocks: their numbers start over, twice as far as sixteen bits go. */
static void test_many_blocks(void **state)
{
	static struct talk t;
	char line[64];

	(void)state;
	talk_begin(&t);
	talk_line(&t, "> rrq many octet blksize=8");
	talk_line(&t, "< oack blksize=8");
	talk_line(&t, "> ack 0");
	for (unsigned i = 1; i <= 75000; i++) {
		snprintf(line, sizeof(line), "< data %u 8", i);
		talk_line(&t, line);
		snprintf(line, sizeof(line), "> ack %u", i & 0xffff);
		talk_line(&t, line);
	}
	talk_line(&t, "< data 75001 0");
	talk_line(&t, "> ack 9465");
	talk_line(&t, "! 0 1");
	talk_end(&t);
}

/* A port has so many transfers, and its stalest goes for a new one; all together have a bound, too. */
static void test_bounds(void **state)
{
	static struct talk t;
	char line[64];

	(void)state;
	talk_begin(&t);
	for (unsigned i = 0; i < TFTP_PER_PORT; i++) {
		snprintf(line, sizeof(line), "@ %u", 10 + i);
		talk_line(&t, line);
		talk_line(&t, "> rrq more octet");
		talk_line(&t, "< data 1 512");
		t.now_ms += 10;
	}
	assert_int_equal(tftp_active(t.tftp, 1), TFTP_PER_PORT);
	talk_line(&t, "@ 10");
	talk_line(&t, "> ack 1");
	talk_line(&t, "< data 2 512");
	talk_line(&t, "@ 18");
	talk_line(&t, "> rrq more octet");	/* client 11 was heard of longest ago */
	talk_line(&t, "< data 1 512");
	talk_line(&t, "! " TIMEDOUT " 1");
	assert_int_equal(tftp_active(t.tftp, 1), TFTP_PER_PORT);
	talk_line(&t, "@ 11");
	talk_line(&t, "> ack 1");
	talk_line(&t, "< error 5");

	for (unsigned port = 2; tftp_active(t.tftp, UINT32_MAX) < TFTP_SESSIONS; port++)
		for (unsigned i = 0; i < TFTP_PER_PORT; i++) {
			snprintf(line, sizeof(line), "@ %u", port * 10 + i);
			talk_line(&t, line);
			talk_line(&t, "> rrq more octet");
			talk_line(&t, "< data 1 512");
		}
	talk_line(&t, "@ 5000");
	talk_line(&t, "> rrq more octet");
	talk_line(&t, "< -");
	tftp_forget_port(t.tftp, 2);
	assert_int_equal(tftp_active(t.tftp, 2), 0);
	assert_int_equal(tftp_active(t.tftp, UINT32_MAX), TFTP_SESSIONS - TFTP_PER_PORT);
	talk_line(&t, "> rrq more octet");
	talk_line(&t, "< data 1 512");
	tftp_forget_all(t.tftp);
	assert_int_equal(tftp_tick(t.tftp, t.now_ms + 100000), TFTP_NEVER);
	talk_end(&t);
}

/* So many files are opened a second for a port, and for all of them; what is refused is not paid for. */
static void test_opens(void **state)
{
	enum { GREEDY = TFTP_OPENS_ALL_PER_S / TFTP_OPENS_PER_S, LATE = GREEDY };
	uint64_t own[GREEDY + 1] = { 0 }, all = 0, now = 5000000;
	unsigned n = 0;

	(void)state;
	print_message("  a second's worth at once for each, and then for all together\n");
	for (unsigned port = 0; port < GREEDY; port++) {
		for (unsigned i = 0; i < TFTP_OPENS_PER_S; i++)
			assert_true(tftp_may_open(&own[port], &all, now));
		assert_false(tftp_may_open(&own[port], &all, now));
	}
	for (unsigned i = 0; i < 1000; i++)
		assert_false(tftp_may_open(&own[LATE], &all, now));
	assert_int_equal(own[LATE], 0);
	now += 1000 / TFTP_OPENS_ALL_PER_S + 1;
	assert_false(tftp_may_open(&own[0], &all, now));
	assert_true(tftp_may_open(&own[LATE], &all, now));
	assert_false(tftp_may_open(&own[LATE], &all, now));
	print_message("  ten seconds of all that can be asked\n");
	for (unsigned ms = 0; ms < 10000; ms++)
		for (unsigned port = 0; port <= GREEDY; port++)
			n += tftp_may_open(&own[port], &all, now + ms);
	assert_in_range(n, 10 * TFTP_OPENS_ALL_PER_S - 2, 10 * TFTP_OPENS_ALL_PER_S + 2);
	print_message("  who asks too much takes nothing from who asks now and then\n");
	now += 20000;
	for (unsigned ms = 0; ms < 10000; ms++) {
		tftp_may_open(&own[0], &all, now + ms);
		if (ms % 100 == 0)
			assert_true(tftp_may_open(&own[1], &all, now + ms));
	}
}

/* ---- on a worker: whose packets it is that get there ---- */

static const struct {
	const char *what, *src, *dst;
	uint16_t sport, dport;
	bool lent;
	enum verdict verdict;
} frames[] = {
	{ "a guest's, for the gateway",		"10.0.0.9", "10.0.0.1", 999, PORT_TFTP, true, VERDICT_CONSUMED_TFTP },
	{ "for another port",			"10.0.0.9", "10.0.0.1", 999, 70, true, VERDICT_DROP_NO_ROUTE },
	{ "for another address",		"10.0.0.9", "10.9.9.9", 999, PORT_TFTP, true, VERDICT_DROP_NO_ROUTE },
	{ "from outside of the subnet",		"10.9.9.9", "10.0.0.1", 999, PORT_TFTP, true, VERDICT_DROP_MARTIAN },
	{ "in the gateway's name",		"10.0.0.1", "10.0.0.1", 999, PORT_TFTP, true, VERDICT_DROP_MARTIAN },
	{ "from port 0",			"10.0.0.9", "10.0.0.1", 0, PORT_TFTP, true, VERDICT_DROP_MARTIAN },
};

static void test_service(void **state)
{
	static const uint8_t guest[6] = { 2, 0, 0, 0, 0, 9 };
	struct requests *requests = requests_new();
	struct service *service = tftp_service_new(requests);
	struct request r;

	(void)state;
	assert_true(requests && service);
	for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
		struct rig *rig = rig_new();
		struct segment *seg;
		struct rig_port *port;
		struct addr src, dst;
		uint8_t bytes[200];

		print_message("  %s\n", frames[i].what);
		rig_net(rig, 1500, true);
		seg = rig_segment(rig, 0, 1, service);
		port = rig_port(rig, 0, rig_access(1));
		rig_publish(rig);
		assert_int_equal(addr_parse(frames[i].src, &src) | addr_parse(frames[i].dst, &dst), 0);
		rig_offer(port, bytes, build_udp_frame(bytes, seg->gateway_mac, guest, src, frames[i].sport, dst, frames[i].dport, "\0\4\0\1", 4));
		rig_run(rig);
		assert_int_equal(rig_verdict(port, frames[i].verdict), 1);
		assert_int_equal(request_take(requests, &r), frames[i].verdict == VERDICT_CONSUMED_TFTP);
		if (frames[i].verdict == VERDICT_CONSUMED_TFTP) {
			assert_int_equal(r.kind, REQUEST_TFTP);
			assert_int_equal(r.size, 4);
			assert_int_equal(r.sport, 999);
			assert_memory_equal(r.src_mac, guest, 6);
		}
		rig_free(rig);
	}
	free(service);
	requests_free(requests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations), cmocka_unit_test(test_many_blocks), cmocka_unit_test(test_bounds), cmocka_unit_test(test_opens), cmocka_unit_test(test_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
