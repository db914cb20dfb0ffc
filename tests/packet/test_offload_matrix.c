// SPDX-License-Identifier: GPL-2.0-or-later
/* Every kind of port to every other, with every set of offloads: the receiver sees what scapy says it must
 * (tests/packet/offload_matrix.py). Ports are real: rings, TAP, veth and sockets, in a namespace of the test's own. */
#include "switch/offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/array.h"
#include "base/clock.h"
#include "tests/packet/matrix_bed.h"
#include "tests/packet/matrix_case.h"
#include "tests/unit/far_end.h"

enum { PATIENCE_MS = 5000, TCP_ALL = PORT_CSUM | PORT_TSO4 | PORT_TSO6 | PORT_ECN, ALL = TCP_ALL | PORT_USO };

static const char fixture[] = "tests/packet/offload_matrix.txt";
static struct matrix_case cases[MATRIX_CASES];
static unsigned ncases;
static bool kernel_ends;		/* a namespace could be had */
static struct matrix_bed *b;		/* of all tests but the first */

/* ---- the fixture ---- */

static void test_fixture_is_current(void **state)
{
	static const char command[] =
		"for p in python3 /usr/bin/python3; do if $p -c 'import scapy' 2>/dev/null; then "
		"$p tests/packet/offload_matrix.py | cmp - tests/packet/offload_matrix.txt; exit; fi; done; exit 77";
	int rc = system(command);

	(void)state;
	if (WIFEXITED(rc) && WEXITSTATUS(rc) == 77) {
		print_message("  no scapy: the fixture is believed\n");
		skip();
	}
	assert_int_equal(rc, 0);
}

/* ---- the ports ---- */

static const struct matrix_vhost guests[] = {
	{ .guest = 0, .host = 0 },
	{ .guest = 0, .host = ALL, .legacy = true },
	{ .guest = PORT_CSUM, .host = PORT_CSUM, .packed = true },
	{ .guest = PORT_CSUM, .host = ALL, .mergeable = true },
	{ .guest = PORT_CSUM | PORT_TSO4 | PORT_TSO6, .host = PORT_CSUM | PORT_TSO4 | PORT_TSO6 },
	{ .guest = PORT_CSUM | PORT_TSO4, .host = TCP_ALL, .mergeable = true, .event_idx = true },
	{ .guest = PORT_CSUM | PORT_TSO6, .host = TCP_ALL, .mergeable = true, .packed = true },
	{ .guest = TCP_ALL, .host = TCP_ALL, .mergeable = true, .legacy = true },
	{ .guest = PORT_CSUM | PORT_USO, .host = PORT_CSUM | PORT_USO, .packed = true, .event_idx = true },
	{ .guest = ALL, .host = ALL },
	{ .guest = ALL, .host = ALL, .packed = true },
	{ .guest = ALL, .host = ALL, .mergeable = true, .in_order = true },
	{ .guest = ALL, .host = ALL, .mergeable = true, .packed = true, .in_order = true, .event_idx = true },
	{ .guest = 0, .host = ALL, .mergeable = true, .packed = true },
};

static int all_kinds(void **state)
{
	(void)state;
	b = matrix_bed_new();
	for (unsigned i = 0; i < ARRAY_SIZE(guests); i++) {
		matrix_vhost(&b->ends[b->n], &guests[i]);
		matrix_bed_add(b);
	}
	for (unsigned i = 0; i < 2; i++) {
		matrix_stream(&b->ends[b->n]);
		matrix_bed_add(b);
	}
	matrix_dgram(&b->ends[b->n]);
	matrix_bed_add(b);
	if (!kernel_ends)
		return 0;
	matrix_udp(&b->ends[b->n]);
	matrix_bed_add(b);
	for (unsigned i = 0; i < 2; i++) {
		matrix_tap(&b->ends[b->n], i ? "mt1" : "mt0", i ? 0 : ALL);
		matrix_bed_add(b);
		matrix_packet(&b->ends[b->n], i ? "mv1" : "mv0", i ? 0 : ALL);
		matrix_bed_add(b);
	}
	matrix_vmm_tap(&b->ends[b->n], "mw0");
	matrix_bed_add(b);
	return 0;
}

static int no_kinds(void **state)
{
	(void)state;
	matrix_bed_free(b);
	return 0;
}

/* ---- what is sent ---- */

/* request_needs() - the features of a guest that may ask for this */
static uint32_t request_needs(const struct offload *o)
{
	uint32_t set = o->flags ? PORT_CSUM : 0;

	switch (o->gso_type & 0x7f) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		set |= PORT_TSO4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		set |= PORT_TSO6;
		break;
	case OFFLOAD_GSO_UDP_L4:
		set |= PORT_USO;
	}
	return set | (o->gso_type & 0x80 ? PORT_ECN : 0);
}

/* send_case() - Return: false where this sender cannot send such a thing */
static bool send_case(const struct matrix_case *c, struct matrix_end *from)
{
	uint64_t before = matrix_bed_received(from);

	if (request_needs(&c->asked) & ~from->host ||
	    !from->send(from, c->in.data, c->in.len, c->asked.flags ? &c->asked : NULL))
		return false;
	if (!matrix_bed_settle(b, from, before, 1))
		fail_msg("%s: %s did not receive it", c->name, from->name);
	return true;
}

/* make_case() - the same, made by the network's own port as the gateway makes frames; those are never tagged */
static bool make_case(const struct matrix_case *c)
{
	static uint8_t bytes[MATRIX_ROOM];
	struct frame f;

	if (c->from_trunk)
		return false;
	memcpy(bytes, c->in.data, c->in.len);	/* a checksum may be completed where it lies */
	frame_init(&f, bytes, c->in.len);
	f.vid = MATRIX_VID;
	f.offload = c->seen;
	if (f.offload.flags && c->to_trunk) {	/* the fixture counts from the tagged frame that will be seen */
		f.offload.csum_start -= VLAN_TAG;
		f.offload.hdr_len -= f.offload.gso_type ? VLAN_TAG : 0;
	}
	worker_emit(b->w, b->local->id, &f, 1);
	return true;
}

/* ---- what is seen ---- */

static bool next_seen(struct matrix_end *to, struct matrix_seen *seen)
{
	uint64_t end = clock_now_ms() + PATIENCE_MS;

	while (!to->recv(to, seen))
		if (clock_now_ms() > end)
			return false;
	return true;
}

/* header_wrong() - all bytes of a guest's header; Return: NULL or what is wrong */
static const char *header_wrong(const struct matrix_end *to, const struct matrix_seen *seen, const struct offload *want)
{
	uint8_t h[12] = { want->flags, want->gso_type };
	const uint16_t words[4] = { want->hdr_len, want->gso_size, want->csum_start, want->csum_offset };

	for (unsigned i = 0; i < 4; i++) {
		h[2 + 2 * i] = (uint8_t)words[i];
		h[3 + 2 * i] = (uint8_t)(words[i] >> 8);
	}
	h[10] = to->header_size == 10 ? 0 : to->mergeable ? (uint8_t)seen->buffers : 1;
	return memcmp(h, seen->header, sizeof(h)) ? "virtio-net header" : NULL;
}

static const char *offload_wrong(const struct offload *o, const struct offload *want)
{
	if (o->flags != want->flags || o->gso_type != want->gso_type || o->gso_size != want->gso_size)
		return "request";
	return want->flags && (o->csum_start != want->csum_start || o->csum_offset != want->csum_offset) ? "checksum's place" : NULL;
}

/* wrong() - Return: NULL when @seen is what was wanted */
static const char *wrong(const struct matrix_end *to, const struct matrix_seen *seen, const struct matrix_bytes *bytes,
			 const struct offload *want)
{
	if (seen->len != bytes->len)
		return "length";
	if (memcmp(bytes->data, seen->data, seen->len))
		return "bytes";
	if (seen->has_header)
		return header_wrong(to, seen, want);
	return offload_wrong(&seen->offload, want);
}

/* expect() - the frame whole, or the pieces, and nothing more
 * @whole: what this receiver shall see; @either: or the frame with its checksum complete */
static void expect(const struct matrix_case *c, const char *from, struct matrix_end *to, bool whole, bool either)
{
	static const struct offload none;
	static struct matrix_seen seen;
	const char *why = NULL;
	unsigned n = whole ? 1 : c->nout;

	for (unsigned i = 0; i < n && !why; i++) {
		if (!next_seen(to, &seen))
			fail_msg("%s: from %s to %s: frame %u of %u is missing", c->name, from, to->name, i + 1, n);
		why = wrong(to, &seen, whole ? &c->whole : &c->out[i], whole ? &c->seen : &none);
		if (why && whole && either && !wrong(to, &seen, &c->out[0], &none)) {
			whole = false;
			n = c->nout;
			why = NULL;
		}
		if (why)
			fail_msg("%s: from %s to %s: frame %u of %u: %s", c->name, from, to->name, i + 1, n, why);
	}
	if (to->recv(to, &seen))
		fail_msg("%s: from %s to %s: one frame too many", c->name, from, to->name);
}

static void no_fault(struct matrix_end *e)
{
	if (e && e->fault && e->fault(e))
		fail_msg("%s: %s", e->name, e->fault(e));
}

static bool takes(const struct matrix_end *to, const struct matrix_case *c)
{
	return (c->needs & ~to->port->offloads) == 0;
}

/* ---- pairs ---- */

static unsigned try_pair(struct matrix_end *from, struct matrix_end *to)
{
	struct matrix_end *const ends[2] = { to, from };
	const char *name = from ? from->name : "the network";
	unsigned n = 0;

	for (unsigned i = 0; i < ncases; i++) {
		const struct matrix_case *c = &cases[i];

		matrix_bed_join(b, c->mtu, ends, (const bool[2]){ c->to_trunk, c->from_trunk }, from ? 2 : 1);
		if (!(from ? send_case(c, from) : make_case(c)))
			continue;
		expect(c, name, to, takes(to, c), false);
		n++;
	}
	no_fault(to);
	no_fault(from);
	return n;
}

static void test_pairs(void **state)
{
	unsigned total = 0;

	(void)state;
	for (unsigned i = 0; i <= b->n; i++) {
		struct matrix_end *from = i < b->n ? &b->ends[i] : NULL;
		unsigned n = 0;

		for (unsigned j = 0; j < b->n; j++)
			if (j != i)
				n += try_pair(from, &b->ends[j]);
		print_message("  from %s: %u\n", from ? from->name : "the network", n);
		total += n;
	}
	print_message("  %u frames between %u ports\n", total, b->n);
}

/* ---- floods ---- */

/* One frame for everybody: a checksum completed for one port is complete for those who get the frame after it. */
static void test_floods(void **state)
{
	struct matrix_end *ends[MATRIX_ENDS];
	bool trunk[MATRIX_ENDS];
	unsigned total = 0;

	(void)state;
	for (unsigned i = 0; i < b->n; i++)
		ends[i] = &b->ends[i];
	for (unsigned i = 0; i < b->n; i++) {
		for (unsigned k = 0; k < ncases; k++) {
			const struct matrix_case *c = &cases[k];

			for (unsigned j = 0; j < b->n; j++)
				trunk[j] = j == i ? c->from_trunk : c->to_trunk;
			matrix_bed_join(b, c->mtu, ends, trunk, b->n);
			if (!send_case(c, ends[i]))
				continue;
			for (unsigned j = 0; j < b->n; j++)
				if (j != i)
					expect(c, ends[i]->name, ends[j], takes(ends[j], c), c->needs == PORT_CSUM);
			total += b->n - 1;
		}
	}
	for (unsigned i = 0; i < b->n; i++)
		no_fault(&b->ends[i]);
	print_message("  %u copies\n", total);
}

int main(void)
{
	const struct CMUnitTest before[] = { cmocka_unit_test(test_fixture_is_current) };
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pairs), cmocka_unit_test(test_floods) };
	const char *why;
	int failed;

	ncases = matrix_load(fixture, cases);
	failed = cmocka_run_group_tests_name("fixture", before, NULL, NULL);
	why = wire_namespace();
	kernel_ends = !why && access("/dev/net/tun", R_OK | W_OK) == 0;
	if (!kernel_ends)
		print_message("without TAP, packet and UDP ports: %s\n", why ? why : "/dev/net/tun is closed to this user");
	return failed + cmocka_run_group_tests(tests, all_kinds, no_kinds);
}
