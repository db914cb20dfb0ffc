// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/fragment.h"

#include <string.h>
#include <sys/mman.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/packet.h"

/* A place is HEAD_ROOM bytes, at whose end the headers stand, and behind them the largest packet. */
enum {
	HEAD_ROOM = 64, PLACE = 68 * 1024, SPACE = FRAGMENT_PACKETS * PLACE, PACKET_MAX = 65535,
	MORE = 0x2000, OFFSET = 0x1fff, NEXT_FRAGMENT = 44, FRAGMENT_HEADER6 = 8, QUOTED = 64,
};

_Static_assert(HEAD_ROOM + PACKET_MAX <= PLACE, "a packet fits its place");

/* part - one fragment */
struct part {
	struct fragment_key key;
	const uint8_t *data;		/* what it carries */
	uint32_t at, size;
	uint32_t head;			/* headers of the frame that the whole packet will have */
	bool more;
	uint8_t next;			/* IPv6: the protocol of what is fragmented */
};

void fragments_init(struct fragments *fs)
{
	memset(fs, 0, sizeof(*fs));
	fs->given = FRAGMENT_NONE;
}

void fragments_fini(struct fragments *fs)
{
	if (fs->space)
		munmap(fs->space, SPACE);
	fs->space = NULL;
}

static bool map_space(struct fragments *fs)
{
	void *space;

	if (fs->space)
		return true;
	space = mmap(NULL, SPACE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	fs->space = space == MAP_FAILED ? NULL : space;
	return fs->space != NULL;
}

static uint8_t *place(const struct fragments *fs, const struct partial *p)
{
	return fs->space + (size_t)(p - fs->partials) * PLACE;
}

static void drop(struct fragments *fs, struct partial *p)
{
	p->since_ms = 0;
	if (!--fs->used && fs->space)
		madvise(fs->space, SPACE, MADV_DONTNEED);
}

/* ---- reading ---- */

static enum verdict read4(struct part *f, const uint8_t *ip, uint32_t size)
{
	uint32_t head = IP4_HEADER, total;

	if (size < head || ip[0] != 0x45)
		return VERDICT_DROP_MALFORMED;
	total = get_u16(ip + 2);
	if (total <= head || total > size)
		return VERDICT_DROP_MALFORMED;
	f->key.src = addr4(get_u32(ip + 12));
	f->key.dst = addr4(get_u32(ip + 16));
	f->key.id = get_u16(ip + 4);
	f->key.proto = ip[9];
	f->data = ip + head;
	f->size = total - head;
	f->at = (uint32_t)(get_u16(ip + 6) & OFFSET) * 8;
	f->more = get_u16(ip + 6) & MORE;
	f->head = ETH_HEADER + IP4_HEADER;
	return VERDICT_FORWARDED;
}

/* read6() - the fragment header has to follow the IPv6 header at once: nobody has a use for other headers in front of it */
static enum verdict read6(struct part *f, const uint8_t *ip, uint32_t size)
{
	const uint8_t *h = ip + IP6_HEADER;
	uint32_t total;

	if (size < IP6_HEADER + FRAGMENT_HEADER6 || ip[6] != NEXT_FRAGMENT)
		return VERDICT_DROP_FRAGMENT;
	total = IP6_HEADER + get_u16(ip + 4);
	if (total <= IP6_HEADER + FRAGMENT_HEADER6 || total > size)
		return VERDICT_DROP_MALFORMED;
	f->key.src = addr6(ip + 8);
	f->key.dst = addr6(ip + 24);
	f->key.id = get_u32(h + 4);
	f->next = h[0];
	f->data = h + FRAGMENT_HEADER6;
	f->size = total - IP6_HEADER - FRAGMENT_HEADER6;
	f->at = get_u16(h + 2) & ~7u;
	f->more = h[3] & 1;
	f->head = ETH_HEADER + IP6_HEADER;
	return VERDICT_FORWARDED;
}

/* read_part() - also what no packet can consist of: RFC 791 3.1, RFC 8200 4.5 */
static enum verdict read_part(struct part *f, const uint8_t *data, uint32_t size)
{
	bool ip6 = get_u16(data + 12) == ETHERTYPE_IP6;
	const uint8_t *ip = data + ETH_HEADER;
	enum verdict v = ip6 ? read6(f, ip, size - ETH_HEADER) : read4(f, ip, size - ETH_HEADER);

	if (v != VERDICT_FORWARDED)
		return v;
	if (f->at + f->size > PACKET_MAX - (ip6 ? 0 : IP4_HEADER) || (f->more && f->size % 8))
		return VERDICT_DROP_MALFORMED;
	return VERDICT_FORWARDED;
}

/* ---- places ---- */

static bool key_equal(const struct fragment_key *a, const struct fragment_key *b)
{
	return a->port == b->port && a->id == b->id && a->proto == b->proto && addr_equal(a->src, b->src) && addr_equal(a->dst, b->dst);
}

static unsigned held_by(const struct fragments *fs, uint32_t port)
{
	unsigned n = 0;

	for (unsigned i = 0; i < FRAGMENT_PACKETS; i++)
		n += fs->partials[i].since_ms && fs->partials[i].key.port == port;
	return n;
}

/* victim() - the oldest packet of the port that holds most */
static struct partial *victim(struct fragments *fs)
{
	struct partial *worst = NULL;
	unsigned most = 0;

	for (unsigned i = 0; i < FRAGMENT_PACKETS; i++) {
		struct partial *p = &fs->partials[i];
		unsigned n = held_by(fs, p->key.port);

		if (!worst || n > most || (n == most && p->since_ms < worst->since_ms)) {
			worst = p;
			most = n;
		}
	}
	return worst;
}

static struct partial *find(struct fragments *fs, const struct fragment_key *key)
{
	for (unsigned i = 0; i < FRAGMENT_PACKETS; i++)
		if (fs->partials[i].since_ms && key_equal(&fs->partials[i].key, key))
			return &fs->partials[i];
	return NULL;
}

/* begin() - a place for a packet of which nothing has come yet; NULL when its port has its share */
static struct partial *begin(struct fragments *fs, const struct fragment_key *key, uint64_t now_ms)
{
	struct partial *p = fs->partials;

	if (held_by(fs, key->port) >= FRAGMENT_PER_PORT)
		return NULL;
	if (fs->used == FRAGMENT_PACKETS)
		drop(fs, victim(fs));
	while (p->since_ms)
		p++;
	*p = (struct partial){ .key = *key, .since_ms = now_ms ? now_ms : 1 };
	fs->used++;
	return p;
}

/* ---- putting together ---- */

static bool has(const struct partial *p, uint32_t unit)
{
	return p->have[unit / 8] >> unit % 8 & 1;
}

/* known() - how many of the units of @f have come already */
static uint32_t known(const struct partial *p, const struct part *f)
{
	uint32_t n = 0;

	for (uint32_t u = f->at / 8; u < (f->at + f->size + 7) / 8; u++)
		n += has(p, u);
	return n;
}

/* fits() - the end that @f tells or reaches agrees with what is known of the packet's end */
static bool fits(const struct partial *p, const struct part *f)
{
	uint32_t end = f->at + f->size;

	if (!f->more)
		return p->total ? p->total == end : p->end <= end;
	return !p->total || end < p->total;
}

/* put() - Return: false when the fragment spoils the packet */
static bool put(struct fragments *fs, struct partial *p, const struct part *f)
{
	uint32_t units = (f->size + 7) / 8, old = known(p, f);
	uint8_t *to = place(fs, p) + HEAD_ROOM + f->at;

	if (!fits(p, f))
		return false;
	if (old)			/* RFC 8200 4.5: a repetition of the same bytes may be passed over */
		return old == units && memcmp(to, f->data, f->size) == 0;
	memcpy(to, f->data, f->size);
	for (uint32_t u = f->at / 8; u < f->at / 8 + units; u++)
		p->have[u / 8] |= (uint8_t)(1 << u % 8);
	p->units += units;
	p->end = MAX_OF(p->end, f->at + f->size);
	if (!f->more)
		p->total = f->at + f->size;
	return true;
}

/* keep_headers() - of the first fragment, as the whole packet has them but for its length (RFC 8200 4.5) */
static void keep_headers(struct fragments *fs, struct partial *p, const struct part *f, const uint8_t *frame)
{
	uint8_t *to = place(fs, p) + HEAD_ROOM - f->head, *ip = to + ETH_HEADER;

	memcpy(to, frame, f->head);
	p->head = f->head;
	if (f->head == ETH_HEADER + IP6_HEADER)
		ip[6] = f->next;
	else
		put_u16(ip + 6, 0);
}

/* finish() - the length, and what depends on it */
static const uint8_t *finish(struct fragments *fs, const struct partial *p, uint32_t total)
{
	uint8_t *frame = place(fs, p) + HEAD_ROOM - p->head, *ip = frame + ETH_HEADER;

	if (p->head == ETH_HEADER + IP6_HEADER) {
		put_u16(ip + 4, (uint16_t)total);
		return frame;
	}
	put_u16(ip + 2, (uint16_t)(IP4_HEADER + total));
	put_u16(ip + 10, 0);
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, IP4_HEADER)));
	return frame;
}

static void take_back(struct fragments *fs)
{
	if (fs->given != FRAGMENT_NONE)
		drop(fs, &fs->partials[fs->given]);
	fs->given = FRAGMENT_NONE;
}

const uint8_t *fragments_take(struct fragments *fs, uint32_t port, uint64_t now_ms, const uint8_t *data, uint32_t size, uint32_t *len,
			      enum verdict *verdict)
{
	struct part f = { .key.port = port };
	struct partial *p;

	take_back(fs);
	*verdict = read_part(&f, data, size);
	if (*verdict != VERDICT_FORWARDED)
		return NULL;
	*verdict = VERDICT_DROP_NO_MEMORY;
	if (!map_space(fs))
		return NULL;
	*verdict = VERDICT_DROP_FRAGMENT;
	p = find(fs, &f.key);
	if (!p)
		p = begin(fs, &f.key, now_ms);
	if (!p || p->spoilt)
		return NULL;
	p->spoilt = !put(fs, p, &f);
	if (p->spoilt)
		return NULL;
	if (!f.at && !p->head)
		keep_headers(fs, p, &f, data);
	*verdict = VERDICT_CONSUMED_FRAGMENT;
	if (!p->head || !p->total || p->units != (p->total + 7) / 8)
		return NULL;
	fs->given = (int)(p - fs->partials);
	*len = p->head + p->total;
	return finish(fs, p, p->total);
}

/* ---- forgetting ---- */

void fragments_forget(struct fragments *fs, uint32_t port)
{
	take_back(fs);
	for (unsigned i = 0; i < FRAGMENT_PACKETS; i++)
		if (fs->partials[i].since_ms && fs->partials[i].key.port == port)
			drop(fs, &fs->partials[i]);
}

/* beginning() - as much of what came as has no hole in it and is worth quoting */
static uint32_t beginning(const struct partial *p)
{
	uint32_t n = 0;

	while (n < QUOTED / 8 && has(p, n))
		n++;
	return MIN_OF(n * 8, p->end);
}

int64_t fragments_late(struct fragments *fs, uint64_t now_ms, const uint8_t **data, uint32_t *len)
{
	take_back(fs);
	for (unsigned i = 0; i < FRAGMENT_PACKETS; i++) {
		struct partial *p = &fs->partials[i];

		if (!p->since_ms || now_ms < p->since_ms + FRAGMENT_AGE_MS)
			continue;
		*data = p->head && !p->spoilt ? finish(fs, p, beginning(p)) : NULL;
		*len = p->head + beginning(p);
		fs->given = (int)i;
		return p->key.port;
	}
	return FRAGMENT_NONE;
}

uint64_t fragments_next_late(const struct fragments *fs)
{
	uint64_t first = UINT64_MAX;

	for (unsigned i = 0; i < FRAGMENT_PACKETS; i++)
		if (fs->partials[i].since_ms && (int)i != fs->given)
			first = MIN_OF(first, fs->partials[i].since_ms + FRAGMENT_AGE_MS);
	return first;
}
