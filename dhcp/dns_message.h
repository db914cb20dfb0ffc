/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dns_message.h - DNS queries taken apart and answers put together
 *
 * RFC 1035 4, EDNS by RFC 6891, parsing with RFC 9267 in mind. Any thread; no allocation; nothing borrowed
 * after the call but where said.
 */
#ifndef DHCP_DNS_MESSAGE_H
#define DHCP_DNS_MESSAGE_H

#include "base/bytes.h"
#include "dhcp/dns_name.h"

enum { DNS_PORT = 53, DNS_HEADER_SIZE = 12, DNS_UDP_PLAIN = 512, DNS_UDP_MAX = 1232, DNS_TCP_MAX = 65535 };

enum dns_rcode {
	DNS_NOERROR, DNS_FORMERR, DNS_SERVFAIL, DNS_NXDOMAIN, DNS_NOTIMP, DNS_REFUSED,
	DNS_BADVERS = 16,		/* RFC 6891 9; its upper bits travel in the OPT record */
};

enum {
	DNS_FLAG_QR = 0x8000, DNS_OPCODE_MASK = 0x7800, DNS_FLAG_AA = 0x0400, DNS_FLAG_TC = 0x0200, DNS_FLAG_RD = 0x0100,
	DNS_FLAG_RA = 0x0080, DNS_FLAG_AD = 0x0020, DNS_FLAG_CD = 0x0010, DNS_RCODE_MASK = 0x000f,
};

enum dns_type {
	DNS_A = 1, DNS_NS = 2, DNS_CNAME = 5, DNS_SOA = 6, DNS_PTR = 12, DNS_HINFO = 13, DNS_MX = 15, DNS_TXT = 16,
	DNS_AAAA = 28, DNS_SRV = 33, DNS_OPT = 41, DNS_DS = 43, DNS_RRSIG = 46, DNS_NSEC = 47, DNS_DNSKEY = 48, DNS_NSEC3 = 50,
	DNS_IXFR = 251, DNS_AXFR = 252, DNS_ANY = 255,
};

enum { DNS_CLASS_IN = 1, DNS_CLASS_ANY = 255 };

struct dns_query {
	uint16_t id, flags;
	uint16_t type, class;
	struct dns_name name;		/* as asked: the case is kept */
	size_t question_size;		/* bytes of the question, which begins behind the header */
	bool edns;
	uint8_t edns_version;
	uint16_t edns_size;		/* UDP payload the client takes, as it said */
	bool dnssec_ok;
	bool stream;			/* it came over TCP; the user's to set */
	bool bare;			/* nothing but the question, flags that a query may have, and an OPT record at most */
	bool options;			/* that record says more than sizes and flags: ... */
	bool personal;			/* ... something that an answer for somebody else may not suit */
};

/* dns_rr - one record's fixed part, and where its data lies */
struct dns_rr {
	uint16_t type, class;
	uint32_t ttl;
	size_t ttl_at;			/* where the TTL stands in the message; the length of the data is four bytes on */
	uint16_t size;
	size_t data;
};

/* dns_rr_read() - the record at @pos, which is moved behind it. Return: 0, or -EPROTO when it is not whole. */
int dns_rr_read(struct dns_rr *rr, const uint8_t *message, size_t size, size_t *pos);

/* dns_query_parse() - check a query whole, down to its last record
 *
 * Return: 0, or what is to be done with it instead of answering:
 *   -EBADMSG	drop it: shorter than a header, or a response (two servers must not talk for ever)
 *   -ENOTSUP	answer NOTIMP: not a standard query
 *   -EPROTO	answer FORMERR
 * In the latter two cases id and flags are valid.
 */
int dns_query_parse(struct dns_query *q, const uint8_t *data, size_t size);

/* dns_question_match() - is @reply a response to the question of @query, as both stand on the wire? (RFC 5452 9.1)
 *
 * The ids are not looked at; names are compared without regard to case. @query has been through dns_query_parse().
 */
bool dns_question_match(const uint8_t *query, const struct dns_query *q, const uint8_t *reply, size_t size);

/* An answer under construction. */
struct dns_reply {
	struct writer w;
	const struct dns_query *q;	/* borrowed */
	uint16_t flags;
	uint16_t rcode;
	uint16_t answers, authority;
	bool truncated;
	int ede;			/* enum dns_ede, for who speaks EDNS (RFC 8914) */
};

enum { DNS_TO_QUESTION = DNS_HEADER_SIZE };	/* where the question's name is, for compression */

/* dns_reply_begin() - header and question, in the case in which it was asked
 * @room:	of @data, at least 512. By datagram the answer takes no more than the client can, nor than DNS_UDP_MAX.
 */
void dns_reply_begin(struct dns_reply *r, const struct dns_query *q, uint8_t *data, size_t room);

/* dns_reply_record() - one record, in the answer section, or in the authority section once @authority is set
 * @owner:	its name, or NULL for the name of the question. What the question ends with, too, is compressed to a pointer, as it is in
 *		names within @rdata where they may be.
 *
 * What does not fit sets TC, and nothing more is written.
 */
void dns_reply_record(struct dns_reply *r, bool authority, const struct dns_name *owner, uint16_t type,
		      uint32_t ttl_s, const uint8_t *rdata, size_t size);

/* dns_reply_end() - counts, flags and, if the query had one, the OPT record. Return: bytes of the answer. */
size_t dns_reply_end(struct dns_reply *r);

/* dns_reply_error() - an answer of just a header, for queries that cannot be quoted: FORMERR, NOTIMP
 * Return: its bytes, or 0 when @room is below 12.
 */
size_t dns_reply_error(const struct dns_query *q, enum dns_rcode rcode, uint8_t *data, size_t room);

/* dns_reply_limit() - most bytes of an answer: of a message by TCP, by UDP what the client said, between 512 and DNS_UDP_MAX; 512
 * without EDNS
 */
size_t dns_reply_limit(const struct dns_query *q);

#endif
