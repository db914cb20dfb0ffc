// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/dns_message.h"

#include <errno.h>

#include "base/array.h"
#include "dhcp/dns_opt.h"

enum { EDE_OPTION = 15, EDE_SIZE = 6 };			/* RFC 8914 2 */
enum { OPT_SIZE = 11 + EDE_SIZE, DO_BIT = 0x8000 };	/* at most; RFC 6891 6.1.2, RFC 3225 */

int dns_rr_read(struct dns_rr *rr, const uint8_t *message, size_t size, size_t *pos)
{
	struct reader r;

	if (dns_name_skip(message, size, pos) < 0)
		return -EPROTO;
	r = reader_init(message + *pos, size - *pos);
	rr->type = read_u16(&r);
	rr->class = read_u16(&r);
	rr->ttl_at = *pos + r.pos;
	rr->ttl = read_u32(&r);
	rr->size = read_u16(&r);
	rr->data = *pos + r.pos;
	read_bytes(&r, rr->size);
	*pos += r.pos;
	return r.overrun ? -EPROTO : 0;
}

/* take_options() - the data of an OPT record is a row of whole options (RFC 6891 6.1.2). We act on none; cookies, keep-alives and padding
 * (RFC 7873, 7828, 7830) say nothing of what is asked.
 */
static int take_options(struct dns_query *q, const uint8_t *data, size_t size)
{
	enum { COOKIE = 10, KEEPALIVE = 11, PADDING = 12 };
	struct reader r = reader_init(data, size);

	while (reader_left(&r)) {
		uint16_t code = read_u16(&r);

		read_bytes(&r, read_u16(&r));
		q->options = true;
		q->personal |= code != COOKIE && code != KEEPALIVE && code != PADDING;
	}
	return r.overrun ? -EPROTO : 0;
}

/* take_opt() - RFC 6891 6.1.1: one OPT record at most, owned by the root, in the additional section */
static int take_opt(struct dns_query *q, const struct dns_rr *rr, const uint8_t *data, bool additional, bool root)
{
	if (q->edns || !additional || !root)
		return -EPROTO;
	q->edns = true;
	q->edns_size = rr->class;
	q->edns_version = (uint8_t)(rr->ttl >> 16);
	q->dnssec_ok = rr->ttl & DO_BIT;
	q->personal |= (rr->ttl & ~(uint32_t)DO_BIT) != 0;
	return take_options(q, data + rr->data, rr->size);
}

/* is_bare() - nothing is said but the question, and how it may be answered. What else is said, a resolver may well refuse for: that answer
 * is for nobody but who said so.
 */
static bool is_bare(const struct dns_query *q, unsigned nrecords, size_t behind)
{
	return nrecords == q->edns && !behind && !(q->flags & ~(DNS_FLAG_RD | DNS_FLAG_AD | DNS_FLAG_CD));
}

/* Each record takes at least eleven bytes, so the counts cannot make this long: the message's size does. */
static int read_records(struct dns_query *q, const uint8_t *data, size_t size, size_t pos)
{
	unsigned before = get_u16(data + 6) + get_u16(data + 8), n = before + get_u16(data + 10);

	for (unsigned i = 0; i < n; i++) {
		bool root = pos < size && data[pos] == 0;
		struct dns_rr rr;
		int rc = dns_rr_read(&rr, data, size, &pos);

		if (!rc && rr.type == DNS_OPT)
			rc = take_opt(q, &rr, data, i >= before, root);
		if (rc < 0)
			return rc;
	}
	q->bare = is_bare(q, n, size - pos);
	return 0;
}

int dns_query_parse(struct dns_query *q, const uint8_t *data, size_t size)
{
	size_t pos = DNS_HEADER_SIZE;

	if (size < DNS_HEADER_SIZE)
		return -EBADMSG;
	q->id = get_u16(data);
	q->flags = get_u16(data + 2);
	q->stream = q->edns = q->dnssec_ok = q->bare = q->options = q->personal = false;
	q->edns_version = 0;
	q->edns_size = 0;
	if (q->flags & DNS_FLAG_QR)
		return -EBADMSG;
	if (q->flags & DNS_OPCODE_MASK)
		return -ENOTSUP;
	if (get_u16(data + 4) != 1 || dns_name_read(&q->name, data, size, &pos) < 0 || size - pos < 4)
		return -EPROTO;
	q->type = get_u16(data + pos);
	q->class = get_u16(data + pos + 2);
	pos += 4;
	q->question_size = pos - DNS_HEADER_SIZE;
	return read_records(q, data, size, pos);
}

bool dns_question_match(const uint8_t *query, const struct dns_query *q, const uint8_t *reply, size_t size)
{
	size_t pos = DNS_HEADER_SIZE;
	struct dns_name name;

	if (size < DNS_HEADER_SIZE + q->question_size || get_u16(reply + 4) != 1)
		return false;
	if ((get_u16(reply + 2) & (DNS_FLAG_QR | DNS_OPCODE_MASK)) != DNS_FLAG_QR)
		return false;
	if (dns_name_read(&name, reply, size, &pos) < 0 || !dns_name_equal(&name, &q->name))
		return false;
	/* type and class: the last four bytes of the question */
	return pos + 4 == DNS_HEADER_SIZE + q->question_size &&
	       !memcmp(reply + pos, query + pos, 4);
}

size_t dns_reply_limit(const struct dns_query *q)
{
	if (q->stream)
		return DNS_TCP_MAX;
	if (!q->edns || q->edns_size < DNS_UDP_PLAIN)
		return DNS_UDP_PLAIN;
	return MIN_OF(q->edns_size, (size_t)DNS_UDP_MAX);
}

void dns_reply_begin(struct dns_reply *r, const struct dns_query *q, uint8_t *data, size_t room)
{
	size_t limit = MIN_OF(room, dns_reply_limit(q));

	*r = (struct dns_reply){ .q = q, .ede = DNS_EDE_NONE,
				 .flags = DNS_FLAG_QR | DNS_FLAG_RA | (q->flags & (DNS_FLAG_RD | DNS_FLAG_CD)) };
	r->w = writer_init(data, limit - (q->edns ? OPT_SIZE : 0));
	write_zeros(&r->w, DNS_HEADER_SIZE);
	write_bytes(&r->w, q->name.wire, q->name.size);
	write_u16(&r->w, q->type);
	write_u16(&r->w, q->class);
}

/* in_question() - where in the question the last @size bytes of @name stand, if that ends with them as with whole labels; 0 if not */
static size_t in_question(const struct dns_query *q, const uint8_t *end, size_t size)
{
	size_t at = 0, i = 0;

	while (q->name.size - at > size)
		at += 1u + q->name.wire[at];
	if (q->name.size - at != size)
		return 0;
	while (i < size && dns_lower(q->name.wire[at + i]) == dns_lower(end[i]))
		i++;
	return i == size ? DNS_TO_QUESTION + at : 0;
}

/* write_name() - its last labels as a pointer to the question, as many as that has, too (RFC 1035 4.1.4); to the root a pointer does not pay */
static void write_name(struct writer *w, const struct dns_query *q, const uint8_t *wire, size_t size)
{
	size_t head = 0, to = 0;

	while (size - head > 1 && !(to = in_question(q, wire + head, size - head)))
		head += 1u + wire[head];
	write_bytes(w, wire, to ? head : size);
	if (to)
		write_u16(w, (uint16_t)(0xc000 | to));
}

/* write_rdata() - with its length. Only names in types of RFC 1035 may be compressed (RFC 3597 4); one that begins with a pointer is already. */
static void write_rdata(struct writer *w, const struct dns_query *q, uint16_t type, const uint8_t *rdata, size_t size)
{
	size_t at = w->pos, plain = type == DNS_MX ? 2 : 0;

	write_u16(w, (uint16_t)size);
	if ((type != DNS_CNAME && type != DNS_PTR && type != DNS_NS && type != DNS_MX) || size <= plain || rdata[plain] >= 0xc0) {
		write_bytes(w, rdata, size);
		return;
	}
	write_bytes(w, rdata, plain);
	write_name(w, q, rdata + plain, size - plain);
	if (!w->overrun)
		put_u16(w->data + at, (uint16_t)(w->pos - at - 2));
}

void dns_reply_record(struct dns_reply *r, bool authority, const struct dns_name *owner, uint16_t type,
		      uint32_t ttl_s, const uint8_t *rdata, size_t size)
{
	struct writer before = r->w;

	if (r->truncated)
		return;
	if (owner)
		write_name(&r->w, r->q, owner->wire, owner->size);
	else
		write_u16(&r->w, 0xc000 | DNS_TO_QUESTION);
	write_u16(&r->w, type);
	write_u16(&r->w, DNS_CLASS_IN);
	write_u32(&r->w, ttl_s);
	write_rdata(&r->w, r->q, type, rdata, size);
	if (r->w.overrun) {
		r->w = before;
		r->truncated = true;
	} else if (authority) {
		r->authority++;
	} else {
		r->answers++;
	}
}

static void write_opt(struct writer *w, const struct dns_query *q, uint16_t rcode, int ede)
{
	w->room += OPT_SIZE;		/* dns_reply_begin() kept it */
	write_u8(w, 0);
	write_u16(w, DNS_OPT);
	write_u16(w, DNS_UDP_MAX);
	write_u8(w, (uint8_t)(rcode >> 4));
	write_u8(w, 0);			/* the version we speak */
	write_u16(w, q->dnssec_ok ? DO_BIT : 0);
	write_u16(w, ede < 0 ? 0 : EDE_SIZE);
	if (ede < 0)
		return;
	write_u16(w, EDE_OPTION);
	write_u16(w, 2);
	write_u16(w, (uint16_t)ede);
}

size_t dns_reply_end(struct dns_reply *r)
{
	uint8_t *h = r->w.data;

	if (r->q->edns)
		write_opt(&r->w, r->q, r->rcode, r->ede);
	put_u16(h, r->q->id);
	put_u16(h + 2, (uint16_t)(r->flags | (r->truncated ? DNS_FLAG_TC : 0) | (r->rcode & DNS_RCODE_MASK)));
	put_u16(h + 4, 1);
	put_u16(h + 6, r->answers);
	put_u16(h + 8, r->authority);
	put_u16(h + 10, r->q->edns ? 1 : 0);
	return r->w.pos;
}

size_t dns_reply_error(const struct dns_query *q, enum dns_rcode rcode, uint8_t *data, size_t room)
{
	if (room < DNS_HEADER_SIZE)
		return 0;
	memset(data, 0, DNS_HEADER_SIZE);
	put_u16(data, q->id);
	put_u16(data + 2, (uint16_t)(DNS_FLAG_QR | (q->flags & (DNS_OPCODE_MASK | DNS_FLAG_RD)) | rcode));
	return DNS_HEADER_SIZE;
}
