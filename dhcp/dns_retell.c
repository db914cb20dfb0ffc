// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dns_retell.h"

#include <errno.h>

#include "base/array.h"
#include "dhcp/dns_message.h"

enum { QUESTION_FIXED = 4 };

/* Types whose data may hold compressed names, and how: RFC 1035 3.3; others may not be compressed (RFC 3597 4) */
static const struct {
	uint16_t type;
	uint8_t before, names;		/* plain bytes, then names; plain ones follow */
} compressed[] = {
	{ DNS_NS, 0, 1 }, { DNS_CNAME, 0, 1 }, { DNS_SOA, 0, 2 }, { DNS_PTR, 0, 1 }, { DNS_MX, 2, 1 },
	{ 3, 0, 1 }, { 4, 0, 1 }, { 7, 0, 1 }, { 8, 0, 1 }, { 9, 0, 1 }, { 14, 0, 2 },		/* MD, MF, MB, MG, MR, MINFO */
};

static bool proves(uint16_t type)
{
	return type == DNS_RRSIG || type == DNS_NSEC || type == DNS_NSEC3;
}

/* write_whole() - a record's data with its names in full. Return: 0 or -EPROTO */
static int write_whole(struct writer *w, const struct dns_rr *rr, const uint8_t *answer)
{
	size_t pos = rr->data, end = rr->data + rr->size;
	unsigned before = 0, names = 0;
	struct dns_name name;

	for (size_t i = 0; i < ARRAY_SIZE(compressed); i++)
		if (compressed[i].type == rr->type) {
			before = compressed[i].before;
			names = compressed[i].names;
		}
	if (before > rr->size)
		return -EPROTO;
	write_bytes(w, answer + pos, before);
	for (pos += before; names; names--) {
		if (dns_name_read(&name, answer, end, &pos) < 0)
			return -EPROTO;
		write_bytes(w, name.wire, name.size);
	}
	write_bytes(w, answer + pos, end - pos);
	return w->overrun ? -EPROTO : 0;
}

/* retell_one() - Return: 0 or -EPROTO */
static int retell_one(struct dns_reply *r, bool authority, const uint8_t *answer, size_t size, size_t *pos, bool signatures)
{
	static _Thread_local uint8_t data[DNS_TCP_MAX];
	struct writer w = writer_init(data, sizeof(data));
	struct dns_name owner;
	struct dns_rr rr;
	size_t at = *pos;

	if (dns_name_read(&owner, answer, size, &at) < 0 || dns_rr_read(&rr, answer, size, pos) < 0)
		return -EPROTO;
	if (rr.class != DNS_CLASS_IN || rr.type == DNS_OPT || (proves(rr.type) && !signatures && r->q->type != rr.type && r->q->type != DNS_ANY))
		return 0;
	if (write_whole(&w, &rr, answer) < 0)
		return -EPROTO;
	dns_reply_record(r, authority, &owner, rr.type, rr.ttl, data, w.pos);
	return 0;
}

size_t dns_retell(const struct dns_query *q, const uint8_t *answer, size_t size, bool signatures, uint8_t *reply, size_t room)
{
	struct dns_query whole = *q;
	struct dns_reply r;
	size_t pos = DNS_HEADER_SIZE;
	unsigned answers, n;

	if (room < DNS_UDP_PLAIN || size < DNS_HEADER_SIZE || get_u16(answer + 4) != 1 || dns_name_skip(answer, size, &pos) < 0 ||
	    size - pos < QUESTION_FIXED)
		return 0;
	pos += QUESTION_FIXED;
	whole.stream = true;		/* no limit but the room's */
	dns_reply_begin(&r, &whole, reply, room);
	r.rcode = get_u16(answer + 2) & DNS_RCODE_MASK;
	r.truncated = get_u16(answer + 2) & DNS_FLAG_TC;
	answers = get_u16(answer + 6);
	n = answers + get_u16(answer + 8);
	for (unsigned i = 0; i < n; i++)
		if (retell_one(&r, i >= answers, answer, size, &pos, signatures) < 0)
			return 0;
	return dns_reply_end(&r);
}
