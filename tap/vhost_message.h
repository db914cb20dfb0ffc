/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost_message.h - the messages of vhost-user: bytes to a structure, and replies to bytes
 *
 * Source: QEMU documentation, interop/vhost-user. Numbers are in the machine's own order: both ends share its memory. Which
 * request has which size, how many descriptors and what answer stands in one table in the .c file. Pure functions, any thread.
 * Their errors read "SET_VRING_NUM: WHY".
 */
#ifndef TAP_VHOST_MESSAGE_H
#define TAP_VHOST_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum vhost_request {
	VHOST_GET_FEATURES = 1, VHOST_SET_FEATURES, VHOST_SET_OWNER, VHOST_RESET_OWNER, VHOST_SET_MEM_TABLE,
	VHOST_SET_LOG_BASE, VHOST_SET_LOG_FD, VHOST_SET_VRING_NUM, VHOST_SET_VRING_ADDR, VHOST_SET_VRING_BASE,
	VHOST_GET_VRING_BASE, VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL, VHOST_SET_VRING_ERR,
	VHOST_GET_PROTOCOL_FEATURES, VHOST_SET_PROTOCOL_FEATURES, VHOST_GET_QUEUE_NUM, VHOST_SET_VRING_ENABLE,
	VHOST_SEND_RARP, VHOST_NET_SET_MTU, VHOST_SET_BACKEND_REQ_FD,
	VHOST_GET_INFLIGHT_FD = 31, VHOST_SET_INFLIGHT_FD,
	VHOST_RESET_DEVICE = 34,
	VHOST_GET_MAX_MEM_SLOTS = 36, VHOST_ADD_MEM_REG, VHOST_REM_MEM_REG, VHOST_SET_STATUS, VHOST_GET_STATUS,
	VHOST_REQUESTS,				/* one more than the highest that is known */
};

enum vhost_protocol_feature {			/* bit numbers */
	VHOST_PROTOCOL_MQ = 0, VHOST_PROTOCOL_LOG_SHMFD = 1, VHOST_PROTOCOL_RARP = 2, VHOST_PROTOCOL_REPLY_ACK = 3,
	VHOST_PROTOCOL_NET_MTU = 4, VHOST_PROTOCOL_BACKEND_REQ = 5, VHOST_PROTOCOL_INFLIGHT_SHMFD = 12,
	VHOST_PROTOCOL_RESET_DEVICE = 13, VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS = 15, VHOST_PROTOCOL_STATUS = 16,
};

#define VHOST_F_LOG_ALL (1ull << 26)		/* among the device features: what is written is noted in the dirty log */
#define VHOST_F_PROTOCOL_FEATURES (1ull << 30)	/* likewise: protocol features can be asked for */
enum { VHOST_ADDR_LOG = 1 };			/* flag of SET_VRING_ADDR: writes to the used ring are noted as well */

enum {
	VHOST_HEADER = 12,			/* bytes: request, flags, size */
	VHOST_PAYLOAD_MAX = 4096,		/* of any message, known or not; a longer one cannot be skipped */
	VHOST_TABLE_REGIONS = 8,		/* in one SET_MEM_TABLE */
	VHOST_MESSAGE_FDS = 8,			/* with one message */
	VHOST_REPLY_MAX = VHOST_HEADER + 24,
};

enum vhost_answer {
	VHOST_ANSWER_ACK,			/* zero or not, where the front-end asked for it and may */
	VHOST_ANSWER_ALWAYS,			/* the same, asked for or not */
	VHOST_ANSWER_OWN,			/* a payload of the request's own, and never a second reply */
};

struct vhost_header {
	uint32_t request, size;
	bool need_reply;
};

struct vhost_region_message {
	uint64_t gpa, size, user, offset;
};

struct vhost_message {
	uint32_t request, size;			/* size: bytes of payload, as received */
	union {
		uint64_t u64;
		struct {
			uint32_t index, num;
		} state;
		struct {			/* flags: VHOST_ADDR_LOG */
			uint32_t index, flags;
			uint64_t desc, used, avail, log;
		} addr;
		struct {
			uint32_t n;
			struct vhost_region_message at[VHOST_TABLE_REGIONS];
		} table;
		struct vhost_region_message region;
		struct {
			uint64_t size, offset;
		} log;
		struct {
			uint64_t size, offset;
			uint16_t queues, queue_size;
		} inflight;
		struct {			/* of SET_VRING_KICK, _CALL and _ERR */
			uint32_t index;
			bool none;		/* no descriptor comes with it */
		} file;
	};
};

/* vhost_request_name() - "SET_MEM_TABLE", or "request 99" written to @text */
const char *vhost_request_name(uint32_t request, char text[32]);
bool vhost_request_known(uint32_t request);
enum vhost_answer vhost_request_answer(uint32_t request);

/* vhost_request_needs() - the protocol feature (bit number) that must have been negotiated for it, or -1 */
int vhost_request_needs(uint32_t request);

/* vhost_header_parse() - the first VHOST_HEADER bytes of a message
 * Return: 0, or -EBADMSG with @err: no front-end sends that, and what follows cannot be told apart. A request that is
 * not known is fine: it has to be skipped.
 */
int vhost_header_parse(const uint8_t data[VHOST_HEADER], struct vhost_header *header, struct error *err);

/* vhost_message_parse() - the payload of a known request, which came with @nfds descriptors; Return: 0, or -EBADMSG with @err */
int vhost_message_parse(const struct vhost_header *header, const uint8_t *payload, unsigned nfds,
			struct vhost_message *message, struct error *err);

/* Replies, written to @to. Return: bytes */
size_t vhost_reply_u64(uint8_t to[VHOST_REPLY_MAX], uint32_t request, uint64_t value);
size_t vhost_reply_state(uint8_t to[VHOST_REPLY_MAX], uint32_t request, uint32_t index, uint32_t num);

/* vhost_reply_inflight() - @message: what is answered, in the size that the front-end used itself */
size_t vhost_reply_inflight(uint8_t to[VHOST_REPLY_MAX], const struct vhost_message *message);

#endif
