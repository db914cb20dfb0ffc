// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap/vhost_message.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"

enum { VERSION = 1, VERSION_MASK = 3, FLAG_REPLY = 4, FLAG_NEED_REPLY = 8, FILE_INDEX = 0xff, FILE_NONE = 0x100 };

enum shape { NONE, U64, STATE, ADDR, TABLE, REGION, LOG, INFLIGHT, FILE_OF_RING };

/* The shapes' sizes. A table is as long as its number of regions says, or whole. The inflight description is 20 bytes in the
 * text, and 24 in the structure that QEMU and DPDK send. */
static const struct {
	uint16_t min, max;
} shapes[] = {
	[NONE] = { 0, 0 },		[U64] = { 8, 8 },		[STATE] = { 8, 8 },
	[ADDR] = { 40, 40 },		[TABLE] = { 8 + 32, 8 + 32 * VHOST_TABLE_REGIONS },
	[REGION] = { 40, 40 },		[LOG] = { 16, 16 },		[INFLIGHT] = { 20, 24 },
	[FILE_OF_RING] = { 8, 8 },
};

#define ANY (-1)

static const struct rule {
	const char *name;
	enum shape shape;
	uint8_t min_fds, max_fds;
	enum vhost_answer answer;
	int8_t needs;			/* protocol feature, or ANY */
} rules[VHOST_REQUESTS] = {
	[VHOST_GET_FEATURES] =		{ "GET_FEATURES", NONE, 0, 0, VHOST_ANSWER_OWN, ANY },
	[VHOST_SET_FEATURES] =		{ "SET_FEATURES", U64, 0, 0, VHOST_ANSWER_ACK, ANY },
	[VHOST_SET_OWNER] =		{ "SET_OWNER", NONE, 0, 0, VHOST_ANSWER_ACK, ANY },
	[VHOST_RESET_OWNER] =		{ "RESET_OWNER", NONE, 0, 0, VHOST_ANSWER_ACK, ANY },
	[VHOST_SET_MEM_TABLE] =		{ "SET_MEM_TABLE", TABLE, 1, VHOST_TABLE_REGIONS, VHOST_ANSWER_ACK, ANY },
	[VHOST_SET_LOG_BASE] =		{ "SET_LOG_BASE", LOG, 1, 1, VHOST_ANSWER_ALWAYS, VHOST_PROTOCOL_LOG_SHMFD },
	[VHOST_SET_LOG_FD] =		{ "SET_LOG_FD", NONE, 1, 1, VHOST_ANSWER_ACK, ANY },
	[VHOST_SET_VRING_NUM] =		{ "SET_VRING_NUM", STATE, 0, 0, VHOST_ANSWER_ACK, ANY },
	[VHOST_SET_VRING_ADDR] =	{ "SET_VRING_ADDR", ADDR, 0, 0, VHOST_ANSWER_ACK, ANY },
	[VHOST_SET_VRING_BASE] =	{ "SET_VRING_BASE", STATE, 0, 0, VHOST_ANSWER_ACK, ANY },
	[VHOST_GET_VRING_BASE] =	{ "GET_VRING_BASE", STATE, 0, 0, VHOST_ANSWER_OWN, ANY },
	[VHOST_SET_VRING_KICK] =	{ "SET_VRING_KICK", FILE_OF_RING, 0, 1, VHOST_ANSWER_ACK, ANY },
	[VHOST_SET_VRING_CALL] =	{ "SET_VRING_CALL", FILE_OF_RING, 0, 1, VHOST_ANSWER_ACK, ANY },
	[VHOST_SET_VRING_ERR] =		{ "SET_VRING_ERR", FILE_OF_RING, 0, 1, VHOST_ANSWER_ACK, ANY },
	[VHOST_GET_PROTOCOL_FEATURES] =	{ "GET_PROTOCOL_FEATURES", NONE, 0, 0, VHOST_ANSWER_OWN, ANY },
	[VHOST_SET_PROTOCOL_FEATURES] =	{ "SET_PROTOCOL_FEATURES", U64, 0, 0, VHOST_ANSWER_ACK, ANY },
	/* It may be asked once GET_PROTOCOL_FEATURES has shown MQ. */
	[VHOST_GET_QUEUE_NUM] =		{ "GET_QUEUE_NUM", NONE, 0, 0, VHOST_ANSWER_OWN, ANY },
	/* QEMU sends it before SET_FEATURES too, when the guest has not chosen its queues yet. */
	[VHOST_SET_VRING_ENABLE] =	{ "SET_VRING_ENABLE", STATE, 0, 0, VHOST_ANSWER_ACK, ANY },
	[VHOST_SEND_RARP] =		{ "SEND_RARP", U64, 0, 0, VHOST_ANSWER_ACK, VHOST_PROTOCOL_RARP },
	[VHOST_NET_SET_MTU] =		{ "NET_SET_MTU", U64, 0, 0, VHOST_ANSWER_ACK, VHOST_PROTOCOL_NET_MTU },
	[VHOST_SET_BACKEND_REQ_FD] =	{ "SET_BACKEND_REQ_FD", NONE, 1, 1, VHOST_ANSWER_ACK, VHOST_PROTOCOL_BACKEND_REQ },
	[VHOST_GET_INFLIGHT_FD] =	{ "GET_INFLIGHT_FD", INFLIGHT, 0, 0, VHOST_ANSWER_OWN, VHOST_PROTOCOL_INFLIGHT_SHMFD },
	[VHOST_SET_INFLIGHT_FD] =	{ "SET_INFLIGHT_FD", INFLIGHT, 1, 1, VHOST_ANSWER_ACK, VHOST_PROTOCOL_INFLIGHT_SHMFD },
	[VHOST_RESET_DEVICE] =		{ "RESET_DEVICE", NONE, 0, 0, VHOST_ANSWER_ACK, VHOST_PROTOCOL_RESET_DEVICE },
	[VHOST_GET_MAX_MEM_SLOTS] =	{ "GET_MAX_MEM_SLOTS", NONE, 0, 0, VHOST_ANSWER_OWN,
					  VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS },
	[VHOST_ADD_MEM_REG] =		{ "ADD_MEM_REG", REGION, 1, 1, VHOST_ANSWER_ACK, VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS },
	/* Front-ends that send a descriptor with it exist; it is closed. */
	[VHOST_REM_MEM_REG] =		{ "REM_MEM_REG", REGION, 0, 1, VHOST_ANSWER_ACK, VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS },
	[VHOST_SET_STATUS] =		{ "SET_STATUS", U64, 0, 0, VHOST_ANSWER_ACK, VHOST_PROTOCOL_STATUS },
	[VHOST_GET_STATUS] =		{ "GET_STATUS", NONE, 0, 0, VHOST_ANSWER_OWN, VHOST_PROTOCOL_STATUS },
};

bool vhost_request_known(uint32_t request)
{
	return request < VHOST_REQUESTS && rules[request].name;
}

const char *vhost_request_name(uint32_t request, char text[32])
{
	if (vhost_request_known(request))
		return rules[request].name;
	snprintf(text, 32, "request %u", request);
	return text;
}

enum vhost_answer vhost_request_answer(uint32_t request)
{
	return vhost_request_known(request) ? rules[request].answer : VHOST_ANSWER_ACK;
}

int vhost_request_needs(uint32_t request)
{
	return vhost_request_known(request) ? rules[request].needs : ANY;
}

/* ---- reading ---- */

static uint32_t take_u32(struct reader *r)
{
	uint32_t v;

	read_copy(r, &v, sizeof(v));
	return v;
}

static uint64_t take_u64(struct reader *r)
{
	uint64_t v;

	read_copy(r, &v, sizeof(v));
	return v;
}

static struct vhost_region_message take_region(struct reader *r)
{
	struct vhost_region_message m;

	m.gpa = take_u64(r);
	m.size = take_u64(r);
	m.user = take_u64(r);
	m.offset = take_u64(r);
	return m;
}

static bool size_fits(uint32_t request, uint32_t size)
{
	if (!vhost_request_known(request))
		return size <= VHOST_PAYLOAD_MAX;
	/* Some front-ends send SET_LOG_FD or SET_OWNER with a number that nobody reads. */
	if ((request == VHOST_SET_LOG_FD || request == VHOST_SET_OWNER) && size == sizeof(uint64_t))
		return true;
	return size >= shapes[rules[request].shape].min && size <= shapes[rules[request].shape].max && size % 4 == 0;
}

int vhost_header_parse(const uint8_t data[VHOST_HEADER], struct vhost_header *header, struct error *err)
{
	struct reader r = reader_init(data, VHOST_HEADER);
	struct vhost_header h = { .request = take_u32(&r) };
	uint32_t flags = take_u32(&r);
	char text[32];

	h.size = take_u32(&r);
	h.need_reply = flags & FLAG_NEED_REPLY;
	if ((flags & VERSION_MASK) != VERSION)
		return error_set(err, -EBADMSG, "%s: version %u of the protocol; 1 is spoken here",
				 vhost_request_name(h.request, text), flags & VERSION_MASK);
	if (flags & FLAG_REPLY)
		return error_set(err, -EBADMSG, "%s: it is marked as a reply, and nothing was asked",
				 vhost_request_name(h.request, text));
	if (!size_fits(h.request, h.size))
		return error_set(err, -EBADMSG, "%s: a payload of %u bytes", vhost_request_name(h.request, text), h.size);
	*header = h;
	return 0;
}

static int take_table(struct reader *r, unsigned nfds, struct vhost_message *m, struct error *err)
{
	m->table.n = take_u32(r);
	take_u32(r);			/* padding */
	if (m->table.n == 0 || m->table.n > VHOST_TABLE_REGIONS)
		return error_set(err, -EBADMSG, "SET_MEM_TABLE: %u regions", m->table.n);
	if (m->size != 8 + 32 * m->table.n && m->size != 8 + 32 * VHOST_TABLE_REGIONS)
		return error_set(err, -EBADMSG, "SET_MEM_TABLE: a payload of %u bytes for %u regions", m->size, m->table.n);
	if (nfds != m->table.n)
		return error_set(err, -EBADMSG, "SET_MEM_TABLE: %u descriptors for %u regions", nfds, m->table.n);
	for (unsigned i = 0; i < m->table.n; i++)
		m->table.at[i] = take_region(r);
	return 0;
}

static int take_file(struct reader *r, unsigned nfds, struct vhost_message *m, struct error *err)
{
	uint64_t v = take_u64(r);

	if (v & ~(uint64_t)(FILE_INDEX | FILE_NONE))
		return error_set(err, -EBADMSG, "%s: unknown bits 0x%llx", rules[m->request].name, (unsigned long long)v);
	m->file.index = v & FILE_INDEX;
	m->file.none = v & FILE_NONE;
	if (nfds != !m->file.none)
		return error_set(err, -EBADMSG, "%s: %u descriptors where %u are announced", rules[m->request].name, nfds,
				 !m->file.none);
	return 0;
}

static void take_inflight(struct reader *r, struct vhost_message *m)
{
	m->inflight.size = take_u64(r);
	m->inflight.offset = take_u64(r);
	read_copy(r, &m->inflight.queues, sizeof(m->inflight.queues));
	read_copy(r, &m->inflight.queue_size, sizeof(m->inflight.queue_size));
}

static void take_addr(struct reader *r, struct vhost_message *m)
{
	m->addr.index = take_u32(r);
	m->addr.flags = take_u32(r);
	m->addr.desc = take_u64(r);
	m->addr.used = take_u64(r);
	m->addr.avail = take_u64(r);
	m->addr.log = take_u64(r);
}

static int take_payload(struct reader *r, unsigned nfds, struct vhost_message *m, struct error *err)
{
	switch (rules[m->request].shape) {
	case NONE:
		break;
	case U64:
		m->u64 = take_u64(r);
		break;
	case STATE:
		m->state.index = take_u32(r);
		m->state.num = take_u32(r);
		break;
	case ADDR:
		take_addr(r, m);
		break;
	case TABLE:
		return take_table(r, nfds, m, err);
	case REGION:
		take_u64(r);		/* padding */
		m->region = take_region(r);
		break;
	case LOG:
		m->log.size = take_u64(r);
		m->log.offset = take_u64(r);
		break;
	case INFLIGHT:
		take_inflight(r, m);
		break;
	case FILE_OF_RING:
		return take_file(r, nfds, m, err);
	}
	return 0;
}

int vhost_message_parse(const struct vhost_header *header, const uint8_t *payload, unsigned nfds,
			struct vhost_message *message, struct error *err)
{
	struct reader r = reader_init(payload, header->size);
	const struct rule *rule = &rules[header->request];
	struct vhost_message m;
	int rc;

	memset(&m, 0, sizeof(m));
	m.request = header->request;
	m.size = header->size;
	if (nfds > rule->max_fds)
		return error_set(err, -EBADMSG, "%s: %u descriptors where at most %u may come", rule->name, nfds, rule->max_fds);
	rc = take_payload(&r, nfds, &m, err);
	if (rc < 0)
		return rc;
	if (nfds < rule->min_fds)
		return error_set(err, -EBADMSG, "%s: it came without its descriptor", rule->name);
	assert(!r.overrun);		/* vhost_header_parse() has seen to the size */
	*message = m;
	return 0;
}

/* ---- replies ---- */

static struct writer reply_begin(uint8_t *to, uint32_t request, uint32_t size)
{
	struct writer w = writer_init(to, VHOST_HEADER + size);
	const uint32_t header[] = { request, VERSION | FLAG_REPLY, size };

	write_bytes(&w, header, sizeof(header));
	return w;
}

size_t vhost_reply_u64(uint8_t to[VHOST_REPLY_MAX], uint32_t request, uint64_t value)
{
	struct writer w = reply_begin(to, request, sizeof(value));

	write_bytes(&w, &value, sizeof(value));
	return w.pos;
}

size_t vhost_reply_state(uint8_t to[VHOST_REPLY_MAX], uint32_t request, uint32_t index, uint32_t num)
{
	struct writer w = reply_begin(to, request, 2 * sizeof(index));

	write_bytes(&w, &index, sizeof(index));
	write_bytes(&w, &num, sizeof(num));
	return w.pos;
}

size_t vhost_reply_inflight(uint8_t to[VHOST_REPLY_MAX], const struct vhost_message *m)
{
	struct writer w = reply_begin(to, m->request, MIN_OF(m->size, shapes[INFLIGHT].max));

	write_bytes(&w, &m->inflight.size, sizeof(m->inflight.size));
	write_bytes(&w, &m->inflight.offset, sizeof(m->inflight.offset));
	write_bytes(&w, &m->inflight.queues, sizeof(m->inflight.queues));
	write_bytes(&w, &m->inflight.queue_size, sizeof(m->inflight.queue_size));
	write_zeros(&w, w.room - w.pos);
	return w.pos;
}
