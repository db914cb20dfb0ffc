// SPDX-License-Identifier: GPL-2.0-or-later
/* What a frame tells guards, and what of it is IGMP or MLD.
 * covers: switch/told.c switch/snoop_parse.c
 * Input: a byte of flags, a byte that says how much of the frame is private, the frame. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "switch/frame.h"
#include "switch/packet.h"
#include "switch/snoop.h"
#include "switch/told.h"

enum { FIX_SUMS = 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		__builtin_trap();
}

static void fix_igmp(uint8_t *ip, size_t n)
{
	size_t head = (ip[0] & 15) * 4u, total = n >= 20 ? get_u16(ip + 2) : 0;

	if (n < 20 || head < 20 || head > n || total > n || total < head + 4)
		return;
	put_u16(ip + 10, 0);
	put_u16(ip + 10, checksum_finish(checksum_add(0, ip, head)));
	put_u16(ip + head + 2, 0);
	put_u16(ip + head + 2, checksum_finish(checksum_add(0, ip + head, total - head)));
}

static void fix_mld(uint8_t *ip, size_t n)
{
	size_t payload = n >= 48 ? get_u16(ip + 4) : 0, options = n >= 48 ? ip[41] * 8u + 8 : 0;
	uint8_t *m = ip + 40 + options;

	if (payload > n - 40 || payload < options + 4 || n < 48)
		return;
	put_u16(m + 2, 0);
	put_u16(m + 2, checksum_finish(checksum_add(checksum_pseudo6(ip + 8, ip + 24, PROTO_ICMP6, (uint32_t)(payload - options)), m,
						    payload - options)));
}

/* fix() - make checksums right, which mutation alone would hardly find */
static void fix(uint8_t *f, size_t n)
{
	if (n > 34 && get_u16(f + 12) == ETHERTYPE_IP4)
		fix_igmp(f + ETH_HEADER, n - ETH_HEADER);
	else if (n > 54 && get_u16(f + 12) == ETHERTYPE_IP6)
		fix_mld(f + ETH_HEADER, n - ETH_HEADER);
}

/* check_told() - no kind without the protocol that tells it, nothing claimed but by neighbours, and less seen never tells more */
static void check_told(uint8_t *bytes, uint32_t n, uint32_t head)
{
	struct frame whole, part;
	struct told a, b;

	frame_init(&whole, bytes, n);
	part = whole;
	part.head_len = head;
	told_parse(&whole, &a);
	told_parse(&part, &b);
	must(a.kind != TOLD_ARP || get_u16(bytes + 12) == ETHERTYPE_ARP4);
	must(addr_is_none(a.claim) || a.kind == TOLD_NEIGHBOUR || a.kind == TOLD_HIDDEN);
	must(b.kind == a.kind || b.kind == TOLD_NOTHING || b.kind == TOLD_HIDDEN || b.kind == TOLD_DHCP_CLIENT);
	must(!b.ip || a.ip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct snoop_message m;
	uint8_t *bytes;
	uint32_t head;

	if (size < 2 || size > 4096)
		return 0;
	head = data[1];
	bytes = malloc(size - 2 ? size - 2 : 1);
	must(bytes);
	memcpy(bytes, data + 2, size - 2);
	if (data[0] & FIX_SUMS)
		fix(bytes, size - 2);
	snoop_parse(bytes, size - 2, &m);
	must(m.n <= SNOOP_GROUPS && (!m.n || m.kind == SNOOP_REPORT));
	for (unsigned i = 0; i < m.n; i++)
		must(addr_is_multicast(m.groups[i]));
	check_told(bytes, (uint32_t)size - 2, head < size - 2 ? head : (uint32_t)size - 2);
	free(bytes);
	return 0;
}
