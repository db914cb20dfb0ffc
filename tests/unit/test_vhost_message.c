// SPDX-License-Identifier: GPL-2.0-or-later
/* The wire format of vhost-user. Expected bytes are written by hand from the QEMU documentation's tables. */
#include "tap/vhost_message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/array.h"

static int parse_header(uint32_t request, uint32_t flags, uint32_t size, struct vhost_header *h, struct error *err)
{
	const uint32_t words[] = { request, flags, size };
	uint8_t data[VHOST_HEADER];

	memcpy(data, words, sizeof(data));
	return vhost_header_parse(data, h, err);
}

static const struct {
	const char *what;
	uint32_t request, flags, size;
	const char *why;		/* NULL: taken */
} headers[] = {
	{ "a request without payload",		1, 1, 0,	NULL },
	{ "it asks for a reply",		2, 9, 8,	NULL },
	{ "bits that are not defined",		2, 0xfffffff1, 8, NULL },
	{ "version 0",				1, 0, 0,	"GET_FEATURES: version 0" },
	{ "version 2",				1, 2, 0,	"version 2" },
	{ "version 3",				1, 3, 0,	"version 3" },
	{ "it says it is a reply",		1, 5, 0,	"marked as a reply" },
	{ "SET_OWNER with a number",		3, 1, 8,	NULL },
	{ "size 1 where 0 belongs",		1, 1, 1,	"a payload of 1 bytes" },
	{ "size 0 where 8 belongs",		2, 1, 0,	"SET_FEATURES: a payload of 0 bytes" },
	{ "size 7 where 8 belongs",		2, 1, 7,	"7 bytes" },
	{ "size 9 where 8 belongs",		2, 1, 9,	"9 bytes" },
	{ "size 4 GiB",				2, 1, 0xffffffff, "4294967295 bytes" },
	{ "size 1 GiB of a request unknown",	99, 1, 1 << 30,	"request 99: a payload" },
	{ "a request unknown",			99, 1, VHOST_PAYLOAD_MAX, NULL },
	{ "request 0",				0, 1, 0,	NULL },
	{ "request 0xffffffff",			0xffffffff, 1, 0, NULL },
	{ "a table of one region",		5, 1, 40,	NULL },
	{ "a table of eight",			5, 1, 264,	NULL },
	{ "a table of none",			5, 1, 8,	"8 bytes" },
	{ "a table of nine",			5, 1, 296,	"296 bytes" },
	{ "addresses",				9, 1, 40,	NULL },
	{ "addresses cut short",		9, 1, 36,	"36 bytes" },
	{ "in flight, as the text has it",	31, 1, 20,	NULL },
	{ "in flight, as QEMU sends it",	31, 1, 24,	NULL },
	{ "in flight, 22 bytes",		31, 1, 22,	"22 bytes" },
	{ "the log's descriptor, with a number", 7, 1, 8,	NULL },
	{ "the log's descriptor, bare",		7, 1, 0,	NULL },
};

static void test_headers(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		struct vhost_header h = { 0 };
		struct error err = { 0 };
		int rc = parse_header(headers[i].request, headers[i].flags, headers[i].size, &h, &err);

		print_message("  %s\n", headers[i].what);
		assert_int_equal(rc, headers[i].why ? -EBADMSG : 0);
		if (headers[i].why) {
			assert_non_null(strstr(err.message, headers[i].why));
			continue;
		}
		assert_int_equal(h.request, headers[i].request);
		assert_int_equal(h.size, headers[i].size);
		assert_int_equal(h.need_reply, headers[i].flags >> 3 & 1);
	}
}

static int parse(uint32_t request, const void *payload, uint32_t size, unsigned nfds, struct vhost_message *m, struct error *err)
{
	struct vhost_header h;

	assert_int_equal(parse_header(request, 1, size, &h, err), 0);
	return vhost_message_parse(&h, payload, nfds, m, err);
}

static const struct {
	const char *what;
	uint32_t request, size;
	uint64_t first;			/* 8 bytes of payload; zeros follow */
	unsigned nfds;
	const char *why;
} payloads[] = {
	{ "features",				2, 8, 5, 0,	NULL },
	{ "features with a descriptor",		2, 8, 5, 1,	"SET_FEATURES: 1 descriptors where at most 0" },
	{ "owner with eight",			3, 0, 0, 8,	"8 descriptors" },
	{ "kick with its descriptor",		12, 8, 3, 1,	NULL },
	{ "kick without, as announced",		12, 8, 0x103, 0, NULL },
	{ "kick without",			12, 8, 3, 0,	"SET_VRING_KICK: 0 descriptors where 1" },
	{ "kick with, and bit 8",		12, 8, 0x103, 1, "1 descriptors where 0" },
	{ "kick with two",			12, 8, 3, 2,	"2 descriptors" },
	{ "kick with bits above",		12, 8, 0x203, 1, "unknown bits 0x203" },
	{ "call with bits far above",		13, 8, 1ull << 63, 1, "SET_VRING_CALL: unknown bits" },
	{ "table of one, one descriptor",	5, 40, 1, 1,	NULL },
	{ "table of one, sent whole",		5, 264, 1, 1,	NULL },
	{ "table of one, two descriptors",	5, 40, 1, 2,	"2 descriptors for 1 regions" },
	{ "table of one, none",			5, 40, 1, 0,	"0 descriptors for 1 regions" },
	{ "table of two, sent as one",		5, 40, 2, 2,	"40 bytes for 2 regions" },
	{ "table of none",			5, 40, 0, 1,	"SET_MEM_TABLE: 0 regions" },
	{ "table of nine",			5, 264, 9, 8,	"SET_MEM_TABLE: 9 regions" },
	{ "table of 0xffffffff",		5, 264, 0xffffffff, 8, "4294967295 regions" },
	{ "log with its descriptor",		6, 16, 4096, 1,	NULL },
	{ "log without",			6, 16, 4096, 0,	"SET_LOG_BASE: it came without" },
	{ "one region more",			37, 40, 0, 1,	NULL },
	{ "one region more, without",		37, 40, 0, 0,	"without" },
	{ "one region less",			38, 40, 0, 0,	NULL },
	{ "one region less, with one",		38, 40, 0, 1,	NULL },
	{ "area without descriptor",		32, 20, 0, 0,	"without" },
};

static void test_payloads(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(payloads); i++) {
		uint8_t data[264] = { 0 };
		struct vhost_message m = { .request = 77 };
		struct error err = { 0 };
		int rc;

		memcpy(data, &payloads[i].first, 8);
		rc = parse(payloads[i].request, data, payloads[i].size, payloads[i].nfds, &m, &err);
		print_message("  %s\n", payloads[i].what);
		assert_int_equal(rc, payloads[i].why ? -EBADMSG : 0);
		if (payloads[i].why) {
			assert_non_null(strstr(err.message, payloads[i].why));
			assert_int_equal(m.request, 77);	/* written only on success */
		}
	}
}

/* Each payload counts up from 1, so that every field is told from every other. */
static void test_fields(void **unused)
{
	uint8_t data[264];
	struct vhost_message m;
	struct error err;

	(void)unused;
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i + 1);
	assert_int_equal(parse(9, data, 40, 0, &m, &err), 0);
	assert_int_equal(m.addr.index, 0x04030201);
	assert_int_equal(m.addr.flags, 0x08070605);
	assert_int_equal(m.addr.desc, 0x100f0e0d0c0b0a09);
	assert_int_equal(m.addr.used, 0x1817161514131211);
	assert_int_equal(m.addr.avail, 0x201f1e1d1c1b1a19);
	assert_int_equal(m.addr.log, 0x2827262524232221);
	assert_int_equal(parse(37, data, 40, 1, &m, &err), 0);
	assert_int_equal(m.region.gpa, 0x100f0e0d0c0b0a09);
	assert_int_equal(m.region.size, 0x1817161514131211);
	assert_int_equal(m.region.user, 0x201f1e1d1c1b1a19);
	assert_int_equal(m.region.offset, 0x2827262524232221);
	assert_int_equal(parse(32, data, 24, 1, &m, &err), 0);
	assert_int_equal(m.inflight.size, 0x0807060504030201);
	assert_int_equal(m.inflight.queues, 0x1211);
	assert_int_equal(m.inflight.queue_size, 0x1413);
	data[0] = 2, data[1] = data[2] = data[3] = 0;
	assert_int_equal(parse(5, data, 72, 2, &m, &err), 0);
	assert_int_equal(m.table.n, 2);
	assert_int_equal(m.table.at[0].gpa, 0x100f0e0d0c0b0a09);
	assert_int_equal(m.table.at[1].offset, 0x4847464544434241);
}

static void test_replies(void **unused)
{
	static const uint8_t number[] = { 1, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1 };
	static const uint8_t base[] = { 11, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 0, 1, 0, 0 };
	static const uint8_t area[] = { 31, 0, 0, 0, 5, 0, 0, 0, 24, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0,
					0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 1, 0, 0, 0, 0 };
	struct vhost_message m = { .request = 31, .size = 24, .inflight = { 4096, 0, 4, 256 } };
	uint8_t data[VHOST_REPLY_MAX];

	(void)unused;
	assert_int_equal(vhost_reply_u64(data, 1, 0x0102030405060708), sizeof(number));
	assert_memory_equal(data, number, sizeof(number));
	assert_int_equal(vhost_reply_state(data, 11, 3, 256), sizeof(base));
	assert_memory_equal(data, base, sizeof(base));
	assert_int_equal(vhost_reply_inflight(data, &m), sizeof(area));
	assert_memory_equal(data, area, sizeof(area));
	m.size = 20;
	assert_int_equal(vhost_reply_inflight(data, &m), 32);
	assert_int_equal(data[8], 20);
}

/* Numbers and needs as in the documentation, so that a slip in the enumeration shows. */
static void test_requests(void **unused)
{
	static const struct {
		uint32_t request;
		const char *name;
		int needs;
		enum vhost_answer answer;
	} known[] = {
		{ 1, "GET_FEATURES", -1, VHOST_ANSWER_OWN }, { 5, "SET_MEM_TABLE", -1, VHOST_ANSWER_ACK },
		{ 6, "SET_LOG_BASE", 1, VHOST_ANSWER_ALWAYS }, { 11, "GET_VRING_BASE", -1, VHOST_ANSWER_OWN },
		{ 14, "SET_VRING_ERR", -1, VHOST_ANSWER_ACK }, { 16, "SET_PROTOCOL_FEATURES", -1, VHOST_ANSWER_ACK },
		{ 18, "SET_VRING_ENABLE", -1, VHOST_ANSWER_ACK }, { 19, "SEND_RARP", 2, VHOST_ANSWER_ACK },
		{ 20, "NET_SET_MTU", 4, VHOST_ANSWER_ACK }, { 21, "SET_BACKEND_REQ_FD", 5, VHOST_ANSWER_ACK },
		{ 31, "GET_INFLIGHT_FD", 12, VHOST_ANSWER_OWN }, { 32, "SET_INFLIGHT_FD", 12, VHOST_ANSWER_ACK },
		{ 34, "RESET_DEVICE", 13, VHOST_ANSWER_ACK }, { 36, "GET_MAX_MEM_SLOTS", 15, VHOST_ANSWER_OWN },
		{ 37, "ADD_MEM_REG", 15, VHOST_ANSWER_ACK }, { 38, "REM_MEM_REG", 15, VHOST_ANSWER_ACK },
		{ 39, "SET_STATUS", 16, VHOST_ANSWER_ACK }, { 40, "GET_STATUS", 16, VHOST_ANSWER_OWN },
	};
	static const uint32_t unknown[] = { 0, 22, 23, 24, 25, 26, 27, 28, 29, 30, 33, 35, 41, 42, 43, 0xffffffff };
	char text[32];

	(void)unused;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		assert_string_equal(vhost_request_name(known[i].request, text), known[i].name);
		assert_int_equal(vhost_request_needs(known[i].request), known[i].needs);
		assert_int_equal(vhost_request_answer(known[i].request), known[i].answer);
	}
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		assert_false(vhost_request_known(unknown[i]));
		assert_int_equal(vhost_request_needs(unknown[i]), -1);
		assert_int_equal(vhost_request_answer(unknown[i]), VHOST_ANSWER_ACK);
	}
	assert_string_equal(vhost_request_name(22, text), "request 22");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers), cmocka_unit_test(test_payloads), cmocka_unit_test(test_fields),
		cmocka_unit_test(test_replies), cmocka_unit_test(test_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
