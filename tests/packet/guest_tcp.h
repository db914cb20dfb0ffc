/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/guest_tcp.h - a small TCP of its own for a guest in tests: go-back-N, no congestion control
 *
 * It believes nothing: whatever is wrong with a segment that comes is counted in `wrong`.
 */
#ifndef TESTS_GUEST_TCP_H
#define TESTS_GUEST_TCP_H

#include "tests/packet/nat_bed.h"

enum { GUEST_SCALE = 4, GUEST_ISS = 0xffff0000, GUEST_RTO_MS = 200 };

struct guest_tcp {
	struct bed *bed;
	uint32_t port_id;
	struct addr ip, remote;
	uint16_t sport, dport;
	bool scale;			/* offer window scaling */
	bool listening, refuse, silent;	/* what to do with a SYN: answer it, refuse it, leave it */
	bool connected, reset, unreachable;
	uint8_t icmp_code;
	bool want_fin, fin_sent, fin_acked, fin_seen;
	const uint8_t *out;		/* all that is to be sent */
	size_t out_size;
	uint8_t *in;			/* what came, in order */
	size_t in_size, in_room;
	uint32_t iss, snd_una, snd_nxt, rcv_nxt, irs;
	uint32_t peer_window;
	int peer_scale;
	uint16_t peer_mss;
	uint32_t window;		/* told to the peer, bytes */
	uint64_t rto_ms;		/* when to send again; 0: nothing in flight */
	unsigned backoff, dupacks;
	unsigned wrong;
	unsigned syns_acked;		/* SYN-ACKs seen */
	unsigned segments;
	bool use_gso;
	/* wire() - takes the guest's frames, where they do not reach the NAT at once; may be NULL */
	void (*wire)(struct guest_tcp *g, uint8_t *data, uint32_t len, const struct offload *offload);
};

static void guest_put(struct guest_tcp *g, uint8_t flags, uint32_t seq, const uint8_t *data, uint32_t size)
{
	static uint8_t frame[66000];
	uint8_t *t, *o;
	uint32_t options = flags & TCP_SYN ? (g->scale ? 8 : 4) : 0;
	struct offload offload = { 0 };
	uint32_t l4 = TCP_HEADER + options + size, window = g->window >> (g->scale && !(flags & TCP_SYN) ? GUEST_SCALE : 0);
	uint32_t head = build_headers(g->ip), mss = BED_MTU + ETH_HEADER - head - TCP_HEADER;

	t = build_ip(frame, bed_gateway_mac, bed_guest_mac, g->ip, g->remote, PROTO_TCP, 64, l4);
	memset(t, 0, TCP_HEADER + options);
	put_u16(t, g->sport);
	put_u16(t + 2, g->dport);
	put_u32(t + 4, seq);
	put_u32(t + 8, flags & TCP_ACK ? g->rcv_nxt : 0);
	t[12] = (uint8_t)((TCP_HEADER + options) / 4 << 4);
	t[13] = flags;
	put_u16(t + 14, (uint16_t)(window > 65535 ? 65535 : window));
	o = t + TCP_HEADER;
	if (options) {
		memcpy(o, "\x02\x04\x05\xb4", 4);
		if (g->scale)
			memcpy(o + 4, (uint8_t[]){ 1, 3, 3, GUEST_SCALE }, 4);
	}
	if (size)
		memcpy(t + TCP_HEADER + options, data, size);
	if (size > mss)
		offload = (struct offload){ .flags = 1, .gso_type = addr_is4(g->ip) ? 1 : 4, .gso_size = (uint16_t)mss,
					    .hdr_len = (uint16_t)(head + TCP_HEADER), .csum_start = (uint16_t)head, .csum_offset = 16 };
	else
		put_u16(t + 16, checksum_finish(checksum_add(build_pseudo(g->ip, g->remote, PROTO_TCP, l4), t, l4)));
	if (g->wire)
		g->wire(g, frame, head + l4, &offload);
	else
		bed_input_from(g->bed, g->port_id, frame, head + l4, &offload);
}

static MAYBE_UNUSED void guest_init(struct guest_tcp *g, struct bed *bed, uint16_t sport, uint16_t dport)
{
	memset(g, 0, sizeof(*g));
	g->bed = bed;
	g->port_id = 1;
	g->ip = bed_guest_address();
	g->remote = bed_gateway_address();
	g->sport = sport;
	g->dport = dport;
	g->scale = true;
	g->window = 256 * 1024;
	g->iss = GUEST_ISS + sport;
	g->snd_una = g->iss;
	g->snd_nxt = g->iss + 1;
	g->in_room = 12 << 20;
	g->in = malloc(g->in_room);
}

static MAYBE_UNUSED void guest_fini(struct guest_tcp *g)
{
	free(g->in);
}

static MAYBE_UNUSED void guest_connect(struct guest_tcp *g)
{
	guest_put(g, TCP_SYN, g->iss, NULL, 0);
	g->rto_ms = g->bed->w->now_ms + 1000;
}

static void guest_ack(struct guest_tcp *g)
{
	guest_put(g, TCP_ACK, g->snd_nxt, NULL, 0);
}

/* guest_send() - what the peer's window allows */
static void guest_send(struct guest_tcp *g)
{
	uint32_t end = g->iss + 1 + (uint32_t)g->out_size;

	while (g->connected && (int32_t)(end - g->snd_nxt) > 0) {
		uint32_t room = g->peer_window - (g->snd_nxt - g->snd_una), size = end - g->snd_nxt;

		if ((int32_t)room <= 0)
			break;
		if (size > room)
			size = room;
		if (size > (g->use_gso ? 43800u : 1460u))
			size = g->use_gso ? 43800 : 1460;
		guest_put(g, TCP_ACK | TCP_PSH, g->snd_nxt, g->out + (g->snd_nxt - g->iss - 1), size);
		g->snd_nxt += size;
	}
	if (g->connected && g->want_fin && g->snd_nxt == end && !g->fin_sent) {
		guest_put(g, TCP_ACK | TCP_FIN, g->snd_nxt, NULL, 0);
		g->snd_nxt++;
		g->fin_sent = true;
	}
	if (!g->rto_ms && (g->snd_nxt != g->snd_una || (int32_t)(end - g->snd_nxt) > 0))
		g->rto_ms = g->bed->w->now_ms + (GUEST_RTO_MS << g->backoff);
}

static void guest_rewind(struct guest_tcp *g)
{
	g->snd_nxt = g->snd_una;
	g->fin_sent = false;
	g->dupacks = 0;
	g->rto_ms = 0;
}

static MAYBE_UNUSED void guest_timer(struct guest_tcp *g)
{
	if (!g->rto_ms || g->bed->w->now_ms < g->rto_ms || g->reset)
		return;
	g->rto_ms = 0;
	if (g->backoff < 8)
		g->backoff++;
	if (!g->connected && g->snd_una == g->iss) {
		guest_put(g, TCP_SYN, g->iss, NULL, 0);
		g->rto_ms = g->bed->w->now_ms + (1000u << g->backoff);
		return;
	}
	guest_rewind(g);
	if (!g->peer_window && g->snd_una - g->iss - 1 < g->out_size)	/* one byte as a window probe */
		guest_put(g, TCP_ACK, g->snd_una, g->out + (g->snd_una - g->iss - 1), 1);
	guest_send(g);
}

static void guest_synack(struct guest_tcp *g, const struct packet *p)
{
	const uint8_t *o = p->data + p->l4 + TCP_HEADER, *end = p->data + p->payload;

	g->syns_acked++;
	if (g->connected) {
		guest_ack(g);
		return;
	}
	if (p->ack != g->iss + 1)
		g->wrong++;
	g->peer_scale = 0;
	while (o < end) {
		if (*o == 1) {
			o++;
			continue;
		}
		if (*o == 2)
			g->peer_mss = get_u16(o + 2);
		if (*o == 3)
			g->peer_scale = o[2];
		o += o[1];
	}
	if (g->peer_scale && !g->scale)
		g->wrong++;
	g->irs = p->seq;
	g->rcv_nxt = p->seq + 1;
	g->snd_una = g->snd_nxt = p->ack;
	g->peer_window = p->tcp_window;
	g->connected = true;
	g->backoff = 0;
	g->rto_ms = 0;
	guest_ack(g);
}

/* guest_called() - a SYN comes in (a forward's client) */
static void guest_called(struct guest_tcp *g, const struct packet *p)
{
	g->dport = p->sport;
	g->remote = p->src;
	g->rcv_nxt = p->seq + 1;
	g->syns_acked++;
	if (g->silent)
		return;
	if (g->refuse) {
		guest_put(g, TCP_RST | TCP_ACK, 0, NULL, 0);
		return;
	}
	g->peer_mss = get_u16(p->data + p->l4 + TCP_HEADER + 2);
	g->peer_scale = p->data[p->l4 + TCP_HEADER + 7];
	guest_put(g, TCP_SYN | TCP_ACK, g->iss, NULL, 0);
	g->listening = false;
}

/* guest_answered() - the third segment of the handshake: connected */
static void guest_answered(struct guest_tcp *g, const struct packet *p)
{
	if (p->ack != g->iss + 1 || p->seq != g->rcv_nxt)
		g->wrong++;
	g->snd_una = g->snd_nxt = p->ack;
	g->peer_window = (uint32_t)p->tcp_window << g->peer_scale;
	g->connected = true;
}

static void guest_take_ack(struct guest_tcp *g, const struct packet *p)
{
	uint32_t window = (uint32_t)p->tcp_window << g->peer_scale;

	if ((int32_t)(p->ack - g->snd_una) > 0) {
		if ((int32_t)(p->ack - (g->iss + 1 + (uint32_t)g->out_size + 1)) > 0)
			g->wrong++;	/* more than was ever sent */
		g->snd_una = p->ack;
		if ((int32_t)(g->snd_nxt - g->snd_una) < 0)
			g->snd_nxt = g->snd_una;
		g->backoff = g->dupacks = 0;
		g->rto_ms = 0;
		if (g->want_fin && p->ack == g->iss + 2 + (uint32_t)g->out_size)
			g->fin_sent = g->fin_acked = true;
	} else if (p->ack == g->snd_una && window == g->peer_window && g->snd_nxt != g->snd_una && !packet_payload_len(p)) {
		if (++g->dupacks == 3)
			guest_rewind(g);
	} else if (!g->peer_window && window) {
		g->backoff = 0;
		g->rto_ms = 0;
	}
	g->peer_window = window;
}

static void guest_take_data(struct guest_tcp *g, const struct packet *p)
{
	uint32_t size = packet_payload_len(p), old = g->rcv_nxt - p->seq;

	if (!size && !(p->tcp_flags & TCP_FIN)) {
		if (p->seq != g->rcv_nxt)
			guest_ack(g);	/* a window probe: outside the window (RFC 9293 3.10.7.4) */
		return;
	}
	g->segments++;
	if ((int32_t)old < 0 || old > size) {
		guest_ack(g);		/* a hole, or wholly old */
		return;
	}
	if (g->window && size - old > g->window)
		g->wrong++;
	if (!g->window) {
		guest_ack(g);
		return;
	}
	if (g->in_size + size - old > g->in_room)
		abort();
	memcpy(g->in + g->in_size, packet_payload(p) + old, size - old);
	g->in_size += size - old;
	g->rcv_nxt += size - old;
	if (p->tcp_flags & TCP_FIN) {
		g->fin_seen = true;
		g->rcv_nxt++;
	}
	guest_ack(g);
}

/* guest_input() - a frame toward guests; Return: was it for this connection? */
static MAYBE_UNUSED bool guest_input(struct guest_tcp *g, const struct bed_frame *f)
{
	struct packet p;

	if (packet_parse(f->data, f->len, &f->offload, &p) != VERDICT_FORWARDED || memcmp(f->data, bed_guest_mac, 6) != 0)
		return false;
	if (packet_is_icmp(&p) && p.icmp_type == (packet_is_ip6(&p) ? 1 : 3) &&
	    get_u16(packet_payload(&p) + build_headers(p.src) - ETH_HEADER) == g->sport) {
		g->unreachable = true;
		g->icmp_code = p.icmp_code;
		return true;
	}
	if (g->listening && p.proto == PROTO_TCP && p.dport == g->sport && addr_equal(p.dst, g->ip) &&
	    (p.tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
		guest_called(g, &p);
		return true;
	}
	if (p.proto != PROTO_TCP || !addr_equal(p.src, g->remote) || !addr_equal(p.dst, g->ip) || p.sport != g->dport || p.dport != g->sport)
		return false;
	if (p.tcp_flags & TCP_RST) {
		if (g->connected ? p.seq != g->rcv_nxt : p.ack != g->iss + 1)
			g->wrong++;
		g->reset = true;
		return true;
	}
	if ((p.tcp_flags & TCP_SYN) && !(p.tcp_flags & TCP_ACK)) {
		guest_put(g, TCP_SYN | TCP_ACK, g->iss, NULL, 0);
	} else if (p.tcp_flags & TCP_SYN) {
		guest_synack(g, &p);
	} else if (!g->connected && !addr_is_none(g->remote) && p.ack == g->iss + 1) {
		guest_answered(g, &p);
		guest_take_data(g, &p);
	} else if (g->connected) {
		guest_take_ack(g, &p);
		guest_take_data(g, &p);
	} else {
		g->wrong++;
	}
	guest_send(g);
	return true;
}

/* guests_step() - frames to the guests, their timers, a turn of the workers; time passes when nothing else does
 * Return: did anything move? */
static MAYBE_UNUSED bool guests_step(struct bed *bed, struct guest_tcp **guests, unsigned n)
{
	unsigned did = bed_turn(bed, 0);

	for (struct bed_frame *f = bed_next(bed); f; f = bed_next(bed)) {
		for (unsigned i = 0; i < n && !guest_input(guests[i], f); i++)
			;
		free(f);
		did++;
	}
	for (unsigned i = 0; i < n; i++)
		guest_timer(guests[i]);
	if (!did && !bed_turn(bed, 1))
		bed_advance(bed, 20);
	return did;
}

static MAYBE_UNUSED uint64_t real_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* UNTIL() - step until @cond, with a deadline in real time; fails the test when it passes */
#define UNTIL(bed, guests, n, body, cond)                                                                  \
	do {                                                                                               \
		uint64_t until_end_ = real_ms() + 20000;                                                   \
		while (!(cond)) {                                                                          \
			guests_step(bed, guests, n);                                                       \
			body;                                                                              \
			if (real_ms() > until_end_)                                                        \
				fail_msg("never: %s", #cond);                                              \
		}                                                                                          \
	} while (0)

#endif
