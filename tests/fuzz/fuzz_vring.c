// SPDX-License-Identifier: GPL-2.0-or-later
/* Rings of two guests on one switch: one whose memory, rings, descriptors, tables, headers and frames come from the input, and a good
 * one that frames go to and come from. Split and packed, all features, regions that are wrong or cut, a dirty log.
 * covers: tap/virtq.c tap/virtq_chain.c tap/vhost_rx.c tap/vhost_tx.c tap/vhost.c
 * max_len: 1024
 * Input: five bytes that say what was negotiated, then steps of a byte for what and what it takes. The good guest is the strict driver of
 * tests/packet/vring_driver.h: whatever comes to it must be right, and no frame of the other may be one that no guest may send. */
#define _GNU_SOURCE
#include "base/array.h"
#include "base/bytes.h"
#include "switch/offload.h"
#include "tests/fuzz/vring_bed.h"

enum {
	DESC, ENTRY, CHAIN, LIST, POST, FRAME, POKE, AVAIL, TURN, ANSWER, AGAIN, ENABLE, SHARE, CUT, ANNOUNCE, STEPS,
	STEPS_MAX = 64, HERE = 64 * 1024, LIST_MAX = 600, GROUP = 1, ETH = 14,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void post_good(unsigned n)
{
	must(driver_post(t.good.d, RX, n, t.good.features & BIT(VIRTIO_NET_F_MRG_RXBUF) ? 1000 : 2000, &DRIVER_PLAIN) >= 0);
}

static void open_guests(struct reader *r)
{
	uint8_t ring = read_u8(r), net = read_u8(r), shape = read_u8(r), other = read_u8(r), size = read_u8(r);
	struct driver_conf conf = { .features = features(ring, net), .room = 64, .spare = 3 * HERE, .regions = 1u + shape % 4,
				    .gap = shape & 4 ? 3 * PAGE : 0, .file_offset = shape & 8 ? 5 * PAGE : 0 };
	struct driver_conf good = { .features = features(other, (uint8_t)(other * 31)), .size = 32, .room = 2048 };
	struct driver_region at[DRIVER_REGIONS_MAX];
	unsigned n;

	t.cut = t.twisted = false;
	t.packed = conf.features & BIT(VIRTIO_F_RING_PACKED);
	t.logs = shape & 16;
	conf.size = (uint16_t)(t.packed ? 1 + size % 65 : 1 << size % 8);
	open_guest(&t.good, &good, false);
	post_good(32);
	open_guest(&t.evil, &conf, t.logs);
	n = driver_regions(t.evil.d, at);
	t.frames = driver_alloc(t.evil.d, HERE + PAGE, 64);
	t.table = driver_alloc(t.evil.d, LIST_MAX * 16, 16);
	t.border = at[0].gpa + at[0].size;
	t.end = at[n - 1].gpa + at[n - 1].size;
	memset(vhost_mapping_at(t.log), 0, LOG_SIZE);
}

/* ---- the hostile guest writes ---- */

static void put(uint64_t gpa, const void *from, uint64_t n)
{
	const uint8_t *p = from;
	uint64_t room;
	uint8_t *to;

	for (; n > 0 && !t.cut && (to = driver_at(t.evil.d, gpa, &room)); n -= room, gpa += room, p += room) {
		room = MIN_OF(room, n);
		memcpy(to, p, room);
	}
}

/* address() - somewhere that means something, or not */
static uint64_t address(struct reader *r)
{
	uint8_t kind = read_u8(r);
	uint64_t v = read_u16(r);
	const struct driver_ring *ring = driver_ring(t.evil.d, kind >> 7);

	switch (kind % 16) {
	case 8:
		return t.table + v % 2048;
	case 9:
		return t.border - v % 2048;
	case 10:
		return t.end - v % 2048;
	case 11:
		return ~0ull - v;
	case 12:
		return v << (kind >> 4) * 4;
	case 13:
		return ring->desc_gpa + v % 2048;
	case 14:
		return ring->driver_gpa + v % 256;
	case 15:
		return ring->device_gpa + v % 1024;
	default:
		return t.frames + v;
	}
}

static uint32_t length(struct reader *r)
{
	static const uint32_t odd[] = { 0, 1, 10, 11, 12, 13, 25, 26, 1526, 1527, 65566, 65567, 0x7fffffff, 0xfffffff4, 0xffffffff, 16 };
	uint8_t v = read_u8(r);

	return v < 208 ? v * 8u : v < 224 ? odd[v - 208] : (uint32_t)(v - 223) * 2100;
}

/* desc() - anything: flags and next, or flags and id */
static struct driver_desc desc(struct reader *r)
{
	struct driver_desc d = { .addr = address(r), .len = length(r), .flags = read_u8(r) & 7, .next = read_u8(r) };

	if (d.next >= 0xf0)
		d.next = (uint16_t)(0xff00 | d.next);
	return d;
}

static void put_desc(uint64_t gpa, const struct driver_desc *d, uint16_t more_flags)
{
	const struct vring_desc split = { d->addr, d->len, d->flags, d->next };
	const struct vring_packed_desc packed = { d->addr, d->len, d->next, (uint16_t)(d->flags | more_flags) };

	put(gpa, t.packed ? (const void *)&packed : (const void *)&split, 16);
}

/* bits() - of a packed descriptor, which may make it available in this lap or in another */
static uint16_t bits(uint8_t v)
{
	return (uint16_t)((v & 1) << VRING_PACKED_DESC_F_AVAIL | (v >> 1 & 1) << VRING_PACKED_DESC_F_USED);
}

/* pieces() - a good buffer of @len bytes at @gpa in up to @n descriptors */
static unsigned pieces(struct driver_desc *d, unsigned n, uint64_t gpa, uint32_t len, uint16_t flags)
{
	uint32_t each = len / n;

	for (unsigned i = 0; i < n; i++) {
		bool last = i + 1 == n;

		d[i] = (struct driver_desc){ gpa + (uint64_t)i * each, last ? len - i * each : each, flags, DRIVER_NEXT };
		if (!last)
			d[i].flags |= VRING_DESC_F_NEXT;
		else if (t.packed)
			d[i].next = (uint16_t)(i % driver_ring(t.evil.d, TX)->size);
	}
	return n;
}

static void chain(unsigned ring, uint8_t how, uint64_t gpa, uint32_t len)
{
	struct driver_desc d[64];
	unsigned n = pieces(d, 1 + how % 16 * (how & 64 ? 3 : 1), gpa, len, ring == RX ? VRING_DESC_F_WRITE : 0);

	if (!t.cut)
		driver_put(t.evil.d, ring, d, MIN_OF(n, driver_ring(t.evil.d, ring)->size));
}

/* list() - the same in an indirect table */
static void list(unsigned ring, uint16_t how, uint64_t gpa, uint32_t len)
{
	static struct driver_desc d[LIST_MAX];
	unsigned n = pieces(d, 1 + how % LIST_MAX, gpa, len, ring == RX ? VRING_DESC_F_WRITE : 0);
	struct driver_desc table = { t.table, 16 * n, VRING_DESC_F_INDIRECT, t.packed ? (uint16_t)(how % driver_ring(t.evil.d, ring)->size) : 0 };

	for (unsigned i = 0; i < n; i++) {
		d[i].next = (uint16_t)(i + 1);
		if (t.packed)
			d[i].flags &= (uint16_t)~VRING_DESC_F_NEXT;
		put_desc(t.table + 16ull * i, &d[i], 0);
	}
	if (!t.cut)
		driver_put(t.evil.d, ring, &table, 1);
}

/* ---- frames ---- */

enum { OTHER, UDP4, TCP4, TCP6, UDP6, TAGGED, REQUEST_CSUM = 1, REQUEST_GSO = 2, REQUEST_ECN = 4 };

static uint32_t put_ip(uint8_t *ip, unsigned kind, uint32_t len)
{
	bool four = kind == UDP4 || kind == TCP4, tcp = kind == TCP4 || kind == TCP6;

	if (four) {
		ip[0] = 0x45;
		put_u16(ip + 2, (uint16_t)len);
		ip[8] = 64;
	} else {
		ip[0] = 0x60;
		put_u16(ip + 4, (uint16_t)(len - 40));
		ip[7] = 64;
	}
	ip[four ? 9 : 6] = tcp ? 6 : 17;
	ip[four ? 12 : 8] = ip[four ? 16 : 24] = 10;
	return four ? 20 : 40;
}

/* make_frame() - @kind: what is in it, and to whom; @request: what its header asks for. Return: bytes */
static uint32_t make_frame(uint8_t *f, const struct guest *from, const struct guest *to, uint8_t kind, uint8_t request, uint32_t len,
			   uint8_t header[DRIVER_HEADER])
{
	static const uint8_t gso[8] = { 0, OFFLOAD_GSO_UDP_L4, VIRTIO_NET_HDR_GSO_TCPV4, VIRTIO_NET_HDR_GSO_TCPV6, OFFLOAD_GSO_UDP_L4 };
	bool tcp = kind % 8 == TCP4 || kind % 8 == TCP6;
	uint32_t at, l4 = tcp ? 20 : 8;

	len = MIN_OF(MAX_OF(len, 100u), (uint32_t)HERE);
	for (uint32_t i = 0; i < len; i++)
		f[i] = (uint8_t)i;
	memset(f, 0, 80);
	memset(header, 0, DRIVER_HEADER);
	memcpy(f, to->mac, 6);
	memcpy(f + 6, from->mac, 6);
	f[0] |= kind >> 3 & 1;
	f[6] |= kind >> 4 & kind >> 5 & kind >> 6 & 1;
	put_u16(f + 12, kind % 8 == TAGGED ? 0x8100 : kind % 8 == OTHER || kind % 8 > TAGGED ? 0x88b5 : kind % 8 <= TCP4 ? 0x0800 : 0x86dd);
	if (kind % 8 == OTHER || kind % 8 >= TAGGED)
		return len;
	at = ETH + put_ip(f + ETH, kind % 8, len - ETH);
	if (tcp)
		f[at + 12] = 5 << 4;
	else
		put_u16(f + at + 4, (uint16_t)(len - at));
	if (!(request & (REQUEST_CSUM | REQUEST_GSO)))
		return len;
	header[0] = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	header[6] = (uint8_t)at;
	header[8] = tcp ? 16 : 6;
	if (!(request & REQUEST_GSO))
		return len;
	header[1] = gso[kind % 8] | (request & REQUEST_ECN ? VIRTIO_NET_HDR_GSO_ECN : 0);
	header[2] = (uint8_t)(at + l4);
	header[4] = (uint8_t)(request << 1);
	header[5] = request >> 4;
	return len;
}

static uint8_t bytes[DRIVER_FRAME_MAX];

/* write_frame() - where the hostile guest's buffers are; then a byte of it may be changed */
static void write_frame(struct reader *r)
{
	uint8_t kind = read_u8(r), request = read_u8(r), header[DRIVER_HEADER];
	uint64_t at = t.frames + read_u8(r) * 64u;
	unsigned size = t.evil.features & (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MRG_RXBUF)) ? 12 : 10;
	uint32_t len = make_frame(bytes, &t.evil, &t.good, kind, request, length(r) - size, header);

	put(at, header, size);
	put(at + size, bytes, len);
}

/* may_pass() - a frame of the hostile guest that has come to the good one */
static void may_pass(const struct driver_frame *f)
{
	uint16_t start, offset;

	memcpy(&start, f->header + 6, 2);
	memcpy(&offset, f->header + 8, 2);
	must(f->len >= ETH && !(f->data[6] & GROUP) && get_u16(f->data + 12) != 0x8100);
	must(!f->header[0] || (f->header[0] == VIRTIO_NET_HDR_F_NEEDS_CSUM && (uint32_t)start + offset + 2 <= f->len &&
			       t.good.features & BIT(VIRTIO_NET_F_GUEST_CSUM)));
	if (!f->header[1])
		must(f->len <= MTU + ETH);
	else
		must(f->header[0] && t.good.features & (BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) | USO));
}

/* answer() - the good guest takes what has come, and sends something */
static void answer(struct reader *r)
{
	static const struct driver_layout *const layouts[] = { &DRIVER_PLAIN, &DRIVER_HEADER_APART, &DRIVER_HEADER_SPLIT, &DRIVER_PLAIN };
	uint8_t kind = read_u8(r), request = read_u8(r), header[DRIVER_HEADER];
	uint32_t len = make_frame(bytes, &t.good, &t.evil, kind, request, length(r), header);
	struct driver_frame f;
	int rc;

	while ((rc = driver_take(t.good.d, RX, &f)) == 1) {
		may_pass(&f);
		post_good(f.buffers);
	}
	must(rc == 0 && driver_reap(t.good.d, TX) >= 0 && driver_check(t.good.d) == 0 && !vhost_fault(t.good.port));
	for (unsigned n = 1 + kind / 64; n > 0; n--)
		driver_send(t.good.d, TX, bytes, MIN_OF(len, 1900u), header, layouts[request % 4]);
	eventfd_write(t.good.kick, 1);
}

/* ---- turns ---- */

/* check_log() - what the device changed is marked, but for the words that say whether it wants to be kicked */
static void check_log(void)
{
	const uint8_t *log = vhost_mapping_at(t.log);
	struct driver_region r[DRIVER_REGIONS_MAX];
	unsigned n = driver_regions(t.evil.d, r);
	uint64_t copied = 0;

	for (unsigned i = 0; i < n; i++)
		for (uint64_t at = 0; at < r[i].size && copied < MEMORY_MAX; at += PAGE, copied += PAGE) {
			uint64_t gpa = r[i].gpa + at;
			bool events = gpa == driver_ring(t.evil.d, RX)->device_gpa || gpa == driver_ring(t.evil.d, TX)->device_gpa;

			if (!events && memcmp(t.before + copied, driver_at(t.evil.d, gpa, NULL), PAGE) != 0)
				must(log[gpa / PAGE / 8] >> gpa / PAGE % 8 & 1);
		}
}

static void copy_memory(void)
{
	struct driver_region r[DRIVER_REGIONS_MAX];
	unsigned n = driver_regions(t.evil.d, r);
	uint64_t copied = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t part = MIN_OF(r[i].size, MEMORY_MAX - copied);

		memcpy(t.before + copied, driver_at(t.evil.d, r[i].gpa, NULL), part);
		copied += part;
	}
}

static void turn(unsigned n)
{
	bool check = t.logs && !t.cut && !t.twisted;

	if (check)
		copy_memory();
	eventfd_write(t.evil.kick, 1);
	while (n--)
		worker_turn(t.w, 0);
	if (check)
		check_log();
	must(!vhost_fault(t.good.port));
}

static void step(struct reader *r)
{
	uint8_t what = read_u8(r), how;
	struct driver_desc d;
	uint64_t gpa;
	uint16_t n;

	switch (what % STEPS) {
	case DESC:
		how = read_u8(r);
		d = desc(r);
		gpa = driver_ring(t.evil.d, what >> 7)->desc_gpa + how % 65 * 16ull;
		return put_desc(gpa, &d, bits(how >> 6));
	case ENTRY:
		how = read_u8(r);
		d = desc(r);
		return put_desc(t.table + how * 16ull, &d, 0);
	case CHAIN:
		how = read_u8(r);
		gpa = address(r);
		return chain(TX, how, gpa, length(r));
	case LIST:
		n = read_u16(r);
		gpa = address(r);
		return list(n >> 15, n & 0x7fff, gpa, length(r));
	case POST:
		how = read_u8(r);
		gpa = address(r);
		for (unsigned i = 0, len = length(r); i < 1u + how / 4 % 32; i++)
			chain(RX, how & 3, gpa + i * 2048, len);
		return;
	case FRAME:
		return write_frame(r);
	case POKE:
		gpa = address(r);
		return put(gpa, read_bytes(r, 4), r->overrun ? 0 : 1 + what / 64);
	case AVAIL:		/* the index of a split ring, or what a packed one says about events */
		n = read_u16(r);
		return put(driver_ring(t.evil.d, what >> 7)->driver_gpa + (t.packed ? what >> 5 & 2 : 2), &n, 2);
	case TURN:
		return turn(1 + what / 64);
	case ANSWER:
		return answer(r);
	case AGAIN:
		n = read_u16(r);
		stop_rings(&t.evil);
		return start_rings(&t.evil, n);
	case ENABLE:
		how = read_u8(r);
		vhost_pause(t.evil.port);
		vhost_ring_enable(t.evil.port, how & 1, how & 2);
		vhost_ring_kick(t.evil.port, TX, how & 4 ? -1 : t.evil.kick);
		vhost_ring_call(t.evil.port, how & 1, how & 8 ? -1 : t.evil.call);
		return vhost_resume(t.evil.port);
	case SHARE:
		how = read_u8(r);
		gpa = address(r);
		stop_rings(&t.evil);
		share(&t.evil, how, gpa, t.logs);
		return start_rings(&t.evil, 0);
	case CUT:
		t.cut = true;
		must(ftruncate(driver_fd(t.evil.d), (off_t)read_u8(r) * PAGE) == 0);
		return;
	case ANNOUNCE:
		return vhost_announce(t.evil.port, t.evil.mac);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);

	make_switch();
	open_guests(&r);
	for (unsigned i = 0; i < STEPS_MAX && reader_left(&r); i++)
		step(&r);
	turn(2);
	answer(&r);
	turn(2);
	answer(&r);
	close_guest(&t.evil);
	close_guest(&t.good);
	return 0;
}
