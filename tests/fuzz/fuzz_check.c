// SPDX-License-Identifier: GPL-2.0-or-later
/* A probe guest of `lanyard check` against whatever the network sends it, and its outside host against requests.
 * covers: ctl/check_packet.c ctl/check_guest.c ctl/check_dns.c */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "ctl/check.h"
#include "ctl/check_answer.h"
#include "ctl/check_dns.h"
#include "ctl/check_trial.h"
#include "switch/build.h"

enum { IP = 0x0a4d0005, PEER = 0x0a4d0001, TRIALS = 6, SPORT = 40000, DPORT = 53, AT_PORT = 41000, FRAME_ROOM = 2048 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t mac[MAC_SIZE] = { 2, 0, 0, 0, 1, 0 }, peer_mac[MAC_SIZE] = { 2, 0, 0, 0, 0, 1 };

/* begin() - one trial of each kind, under way; their numbers are known to the input */
static void begin(struct check *c, struct trial *t)
{
	static const enum trial_kind kinds[TRIALS] = { TRIAL_UDP, TRIAL_TCP, TRIAL_ECHO, TRIAL_ETHER, TRIAL_HOST_TCP, TRIAL_UDP };

	for (unsigned i = 0; i < TRIALS; i++) {
		bool six = i == 2;	/* the echo goes by IPv6 */

		trial_init(c, &t[i], "fuzz", kinds[i], true);
		t[i].nonce = 0x41414141;
		memcpy(t[i].payload + strlen(TRIAL_WORD), "41414141", 8);
		t[i].from = i == 4 ? NULL : &c->guests[CHECK_A1];
		t[i].to = i >= 3 && i < 5 ? &c->guests[CHECK_A1] : NULL;
		memcpy(t[i].mac, i == 3 ? mac : peer_mac, MAC_SIZE);
		t[i].src = six ? c->guests[CHECK_A1].ip6 : addr4(IP);
		t[i].dst = six ? addr_link_local(peer_mac) : addr4(PEER);
		t[i].sport = i == 5 ? SPORT + 1 : SPORT;
		t[i].dport = DPORT;
		t[i].at_port = AT_PORT;
		t[i].error = 3 << 8 | 3;
		t[i].ttl = 1;
		if (i == 5)
			check_dns_query(&t[i], "lab.internal");
		if (t[i].from)
			trial_send(&t[i]);
	}
	c->trials = t;
	c->ntrials = TRIALS;
}

/* seal() - make the sums of a frame right, so that more than the first of them is reached; the input's first byte of a piece says whether */
static void seal(uint8_t *frame, uint32_t size)
{
	bool v6 = size > ETH_HEADER + IP6_HEADER + 18 && get_u16(frame + 12) == ETHERTYPE_IP6;
	uint32_t l4 = ETH_HEADER + (v6 ? IP6_HEADER : IP4_HEADER), at;
	uint8_t proto;
	uint64_t sum;

	if (!v6 && (size < l4 + 18 || get_u16(frame + 12) != ETHERTYPE_IP4))
		return;
	proto = frame[ETH_HEADER + (v6 ? 6 : 9)];
	at = proto == PROTO_TCP ? 16 : proto == PROTO_UDP ? 6 : 2;
	put_u16(frame + ETH_HEADER + (v6 ? 4 : 2), (uint16_t)(size - (v6 ? l4 : ETH_HEADER)));
	if (proto == PROTO_UDP)
		put_u16(frame + l4 + 4, (uint16_t)(size - l4));
	if (!v6) {
		put_u16(frame + ETH_HEADER + 10, 0);
		put_u16(frame + ETH_HEADER + 10, checksum_finish(checksum_add(0, frame + ETH_HEADER, IP4_HEADER)));
	}
	sum = v6 ? checksum_pseudo6(frame + ETH_HEADER + 8, frame + ETH_HEADER + 24, proto, size - l4)
		 : proto == PROTO_ICMP ? 0 : checksum_pseudo4(frame + ETH_HEADER + 12, frame + ETH_HEADER + 16, proto, size - l4);
	put_u16(frame + l4 + at, 0);
	put_u16(frame + l4 + at, checksum_finish_udp(checksum_add(sum, frame + l4, size - l4)));
}

static void drain(int fd)
{
	uint8_t bytes[4096];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

/* An input is a row of frames, each behind a byte that says whether to seal it and two of its length. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct check c;
	struct check_guest *g = &c.guests[CHECK_A1];
	struct reader r = reader_init(data, size);
	struct answer_request q;
	struct trial t[TRIALS];
	char domain[256] = "";
	uint32_t n;

	memset(&c, 0, sizeof(c));
	if (guest_open(g, "/nowhere", "lab", "lanyard-check-1", NULL) < 0)
		return 0;
	g->ip = addr4(IP);
	g->ip6 = addr_link_local(mac);
	memcpy(g->mac, mac, MAC_SIZE);
	begin(&c, t);
	while (reader_left(&r) > 3) {
		uint8_t frame[FRAME_ROOM];
		bool sealed = read_u8(&r) & 1;
		size_t length = read_u16(&r);

		length = MIN_OF(length, MIN_OF(reader_left(&r), sizeof(frame)));
		read_copy(&r, frame, length);
		if (sealed)
			seal(frame, (uint32_t)length);
		check_input(&c, g, frame, (uint32_t)length);
		drain(g->theirs);
	}
	for (unsigned i = 0; i < TRIALS; i++)
		trial_hang_up(&t[i]);
	drain(g->theirs);
	if (send(g->theirs, data, size, MSG_DONTWAIT) > 0)
		guest_fill(g);
	while (guest_next(g, &n))
		if (n > GUEST_FRAME_MAX)
			abort();
	if (answer_parse(&q, (const char *)data, size) == 0 && q.knock && (!q.port || addr_is_loopback(q.to)))
		abort();
	memcpy(domain, data, MIN_OF(size, sizeof(domain) - 1));
	trial_init(&c, &t[0], "DNS", TRIAL_UDP, true);
	check_dns_query(&t[0], domain);
	if (t[0].size > TRIAL_PAYLOAD)
		abort();
	guest_close(g);
	return 0;
}
