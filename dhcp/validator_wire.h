/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/validator_wire.h - what the engine and a network's validator say to each other
 *
 * The validator is a process of its own (ctl/validator.h), for it takes in what strangers signed. One message is one record of a
 * SOCK_SEQPACKET socket: a kind, a number, a body; in network byte order.
 *
 *	SETTINGS	to it	text of lines "anchor RECORD" (a DS or DNSKEY record as in a zone file) and "insecure DOMAIN". What it knows is
 *				forgotten, what it was asked before is not answered.
 *	ASK		to it	type (two bytes), name (uncompressed): what is true of this?
 *	VERDICT		back	to the ASK of that number: struct validator_verdict
 *	QUERY		back	a DNS query that it wants asked of the resolvers
 *	ANSWER		to it	what came to the QUERY of that number; nothing of it when nobody answered
 *	READY		back	once after SETTINGS: empty, or why nothing can be validated, as text
 *
 * Pure; any thread.
 */
#ifndef DHCP_VALIDATOR_WIRE_H
#define DHCP_VALIDATOR_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "dhcp/dns_name.h"

enum validator_kind { VALIDATOR_SETTINGS = 1, VALIDATOR_ASK, VALIDATOR_VERDICT, VALIDATOR_QUERY, VALIDATOR_ANSWER, VALIDATOR_READY, VALIDATOR_KINDS };

enum { VALIDATOR_HEAD = 5, VALIDATOR_WHY = 256, VALIDATOR_MESSAGE_MAX = VALIDATOR_HEAD + 4 + VALIDATOR_WHY + 65535 };

/* What is known of an answer (RFC 4035 4.3); nothing comes after FAILED but a reason, as after BOGUS. */
enum validator_state { VALIDATOR_INSECURE, VALIDATOR_BOGUS, VALIDATOR_SECURE, VALIDATOR_FAILED, VALIDATOR_STATES };

struct validator_message {
	enum validator_kind kind;
	uint32_t number;
	const uint8_t *body;		/* borrowed */
	size_t size;
};

struct validator_verdict {
	enum validator_state state;
	char why[VALIDATOR_WHY];	/* one line of printable text, or empty */
	const uint8_t *answer;		/* a DNS message with the signatures; borrowed */
	size_t size;
};

/* Each writes a message to @to, with room for VALIDATOR_MESSAGE_MAX bytes. Return: its bytes, or 0 when the body is too large. */
size_t validator_write(uint8_t *to, enum validator_kind kind, uint32_t number, const void *body, size_t size);
size_t validator_write_ask(uint8_t *to, uint32_t number, uint16_t type, const struct dns_name *name);
size_t validator_write_verdict(uint8_t *to, uint32_t number, const struct validator_verdict *verdict);

/* Each reads one that came. Return: 0, or -EPROTO: the other side is not what it should be */
int validator_read(struct validator_message *m, const uint8_t *data, size_t size);
int validator_read_ask(const struct validator_message *m, uint16_t *type, struct dns_name *name);
int validator_read_verdict(const struct validator_message *m, struct validator_verdict *verdict);

/* validator_text() - what a stranger may have had a part in, as one line of printable text that fits @to */
void validator_text(char to[VALIDATOR_WHY], const void *text, size_t size);

#endif
