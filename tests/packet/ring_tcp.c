// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/ring_tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/tcp_wire.h"
#include "switch/build.h"

enum {
	SCALE = 7, WINDOW_MAX = 65535, CHECKSUM_AT = 16, SYN_OPTIONS = 8, PORT_FIRST = 16384, TTL = 64,
	RTO_NS = 200000000, RETRIES_LOG2 = 6, ACK_EVERY = 2, DUPACKS = 3, PARTING_MS = 500, PATTERN = 251,
	FRAME_PAYLOAD = 65535 - IP6_HEADER - TCP_HEADER,
};

static bool before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

/* ---- out ---- */

/* segment() - a frame with @size bytes of payload, whatever lies there. Return: false when the ring is full */
static bool segment(struct ring_tcp *t, struct ring_flow *f, uint8_t flags, uint32_t seq, const uint8_t *options, uint32_t noptions,
		    uint32_t size)
{
	struct ring_link *l = &t->link;
	uint32_t l4_size = TCP_HEADER + noptions + size, window = MIN_OF(t->conf.window >> (flags & TCP_SYN ? 0 : SCALE), (uint32_t)WINDOW_MAX);
	uint16_t l4 = (uint16_t)build_headers(l->ip);
	uint8_t *frame = ring_link_room(l, f->pair), *h;

	if (!frame)
		return false;
	h = build_ip(frame, l->gateway_mac, l->mac, l->ip, t->conf.remote, PROTO_TCP, TTL, l4_size);
	put_u16(h, f->sport);
	put_u16(h + 2, t->conf.port);
	put_u32(h + 4, seq);
	put_u32(h + 8, flags & TCP_ACK ? f->rcv_nxt : 0);
	h[12] = (uint8_t)((TCP_HEADER + noptions) / 4 << 4);
	h[13] = flags;
	put_u16(h + 14, (uint16_t)window);
	put_u16(h + CHECKSUM_AT, checksum_fold(build_pseudo(l->ip, t->conf.remote, PROTO_TCP, l4_size)));
	put_u16(h + 18, 0);
	if (noptions)
		memcpy(h + TCP_HEADER, options, noptions);
	ring_link_put(l, f->pair, l4 + l4_size, l4, (uint16_t)(l4 + TCP_HEADER + noptions), f->mss);
	if (flags & TCP_ACK) {
		f->unacked = 0;
		f->ack_now = false;
	}
	return true;
}

static bool control(struct ring_tcp *t, struct ring_flow *f, uint8_t flags, uint32_t seq)
{
	return segment(t, f, flags, seq, NULL, 0, 0);
}

static void arm(struct ring_tcp *t, struct ring_flow *f)
{
	f->deadline_ns = t->now_ns + ((uint64_t)RTO_NS << MIN_OF(f->retries, (unsigned)RETRIES_LOG2));
}

/* next_port() - not one that another flow has, and the one before comes again late */
static uint16_t next_port(const struct ring_tcp *t, const struct ring_flow *f)
{
	unsigned rounds = (WINDOW_MAX - PORT_FIRST) / t->conf.flows;

	return (uint16_t)(PORT_FIRST + f->index + f->turn % rounds * t->conf.flows);
}

static void send_syn(struct ring_tcp *t, struct ring_flow *f)
{
	uint8_t options[SYN_OPTIONS] = { 2, 4, (uint8_t)(t->conf.mss >> 8), (uint8_t)t->conf.mss, 1, 3, 3, SCALE };

	if (segment(t, f, TCP_SYN, f->iss, options, SYN_OPTIONS, 0))
		arm(t, f);
}

static void connect_flow(struct ring_tcp *t, struct ring_flow *f)
{
	f->turn++;
	f->state = RING_SYN_SENT;
	f->sport = next_port(t, f);
	f->iss = (uint32_t)(t->now_ns >> 6);
	f->snd_una = f->iss;
	f->snd_nxt = f->snd_max = f->iss + 1;
	f->mss = t->conf.mss;
	f->retries = f->unacked = f->dupacks = 0;
	send_syn(t, f);
}

/* begin_again() - the connection is over; with CONNECT the next one begins at once */
static void begin_again(struct ring_tcp *t, struct ring_flow *f)
{
	f->state = RING_IDLE;
	f->deadline_ns = 0;
	if (t->conf.load == RING_CONNECT)
		connect_flow(t, f);
}

static uint32_t in_flight(const struct ring_flow *f)
{
	return f->snd_nxt - f->snd_una;
}

/* may_send() - payload of the next frame: whole segments, or what there is room for when nothing else is under way */
static uint32_t may_send(const struct ring_flow *f)
{
	uint32_t flight = in_flight(f), room = f->snd_wnd > flight ? f->snd_wnd - flight : 0, most = FRAME_PAYLOAD - FRAME_PAYLOAD % f->mss;

	if (room >= most)
		return most;
	if (room >= f->mss)
		return room - room % f->mss;
	return flight ? 0 : room;
}

static bool send_data(struct ring_tcp *t, struct ring_flow *f, uint32_t size)
{
	uint8_t *frame = t->pattern ? ring_link_room(&t->link, f->pair) : NULL;

	if (frame)
		memcpy(frame + build_headers(t->link.ip) + TCP_HEADER, t->pattern + (f->snd_nxt - f->iss - 1) % PATTERN, size);
	if (!segment(t, f, TCP_ACK | TCP_PSH, f->snd_nxt, NULL, 0, size))
		return false;
	t->resent += before(f->snd_nxt, f->snd_max);
	f->snd_nxt += size;
	if (before(f->snd_max, f->snd_nxt))
		f->snd_max = f->snd_nxt;
	if (!f->deadline_ns)
		arm(t, f);
	return true;
}

static bool push(struct ring_tcp *t, struct ring_flow *f)
{
	bool sent = false;
	uint32_t size;

	if (t->conf.load == RING_CONNECT)
		return f->snd_nxt == f->iss + 1 && send_data(t, f, 1);
	while (t->conf.load == RING_UP && (size = may_send(f)) > 0 && send_data(t, f, size))
		sent = true;
	return sent;
}

/* late() - nothing was acknowledged for too long: the SYN, or all from the first byte on, once more */
static void late(struct ring_tcp *t, struct ring_flow *f)
{
	f->retries++;
	arm(t, f);
	if (f->state == RING_SYN_SENT)
		send_syn(t, f);
	else
		f->snd_nxt = f->snd_una;
}

/* ---- in ---- */

static void on_acknowledgement(struct ring_tcp *t, struct ring_flow *f, const struct packet *p)
{
	uint32_t window = (uint32_t)p->tcp_window << f->snd_scale, done = p->ack - f->snd_una;

	if (before(f->snd_una, p->ack) && !before(f->snd_max, p->ack)) {
		t->bytes += t->conf.load == RING_UP ? done : 0;
		f->snd_una = p->ack;
		if (before(f->snd_nxt, f->snd_una))
			f->snd_nxt = f->snd_una;
		f->dupacks = 0;
		f->retries = 0;
		f->deadline_ns = 0;
		if (in_flight(f))
			arm(t, f);
	} else if (done == 0 && in_flight(f) && window == f->snd_wnd && !packet_payload_len(p) && ++f->dupacks == DUPACKS) {
		f->snd_nxt = f->snd_una;
	}
	f->snd_wnd = window;
}

/* look() - is the payload what the remote sends? */
static void look(struct ring_tcp *t, const struct ring_flow *f, const struct packet *p, uint32_t size)
{
	t->bad += memcmp(packet_payload(p), t->pattern + (p->seq - f->rcv_first) % PATTERN, size) != 0;
}

static void on_data(struct ring_tcp *t, struct ring_flow *f, const struct packet *p)
{
	uint32_t size = packet_payload_len(p), old = f->rcv_nxt - p->seq;

	if (!size)
		return;
	if (t->pattern)
		look(t, f, p, size);
	if (before(f->rcv_nxt, p->seq) || old >= size) {
		f->ack_now = true;	/* a gap, or nothing new: say at once where we are */
		return;
	}
	f->rcv_nxt += size - old;
	f->unacked++;
	t->bytes += t->conf.load == RING_DOWN ? size - old : 0;
}

static void on_synack(struct ring_tcp *t, struct ring_flow *f, const struct packet *p)
{
	struct tcp_options o = tcp_wire_options(p);

	if (p->tcp_flags & TCP_ACK && p->ack != f->iss + 1)
		control(t, f, TCP_RST, p->ack);		/* of a connection before this one (RFC 9293 3.10.7.3) */
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK) || p->ack != f->iss + 1)
		return;
	f->state = RING_OPEN;
	f->snd_una = p->ack;
	f->rcv_nxt = f->rcv_first = p->seq + 1;
	f->snd_scale = o.scale < 0 ? 0 : (uint8_t)o.scale;
	f->snd_wnd = p->tcp_window;
	f->mss = MIN_OF(o.mss, t->conf.mss);
	f->deadline_ns = 0;
	f->retries = 0;
	f->ack_now = true;
}

static void on_open(struct ring_tcp *t, struct ring_flow *f, const struct packet *p)
{
	if (p->tcp_flags & TCP_ACK)
		on_acknowledgement(t, f, p);
	on_data(t, f, p);
	if (t->conf.load == RING_CONNECT && f->unacked && control(t, f, TCP_RST | TCP_ACK, f->snd_nxt)) {
		t->connections++;
		begin_again(t, f);
	} else if (p->tcp_flags & TCP_FIN && !before(f->rcv_nxt, p->seq + packet_payload_len(p))) {
		t->reset++;		/* whoever serves does not end first */
		begin_again(t, f);
	}
}

static void input(struct ring_link *l, unsigned pair, const struct packet *p)
{
	struct ring_tcp *t = (struct ring_tcp *)l;
	struct ring_flow *f = &t->flows[(unsigned)(p->dport - PORT_FIRST) % t->conf.flows];

	if (p->proto != PROTO_TCP || p->sport != t->conf.port || p->dport != f->sport || f->state == RING_IDLE) {
		l->unknown++;
		return;
	}
	t->strayed += pair != f->pair;
	if (p->tcp_flags & TCP_RST) {
		t->reset++;
		begin_again(t, f);
	} else if (f->state == RING_SYN_SENT) {
		on_synack(t, f, p);
	} else {
		on_open(t, f, p);
	}
}

/* ---- turns ---- */

static bool work(struct ring_tcp *t, struct ring_flow *f, bool quiet)
{
	bool sent = false;

	if (f->state == RING_IDLE) {
		if (!f->turn)
			connect_flow(t, f);
		return f->state != RING_IDLE;
	}
	if (f->deadline_ns && f->deadline_ns <= t->now_ns)
		late(t, f);
	if (f->state != RING_OPEN)
		return false;
	sent = push(t, f);
	if (f->ack_now || f->unacked >= ACK_EVERY || (quiet && f->unacked))
		sent |= control(t, f, TCP_ACK, f->snd_nxt);
	return sent;
}

/* ask() - for the gateway, until it answers */
static void ask(struct ring_tcp *t)
{
	if (t->asked_ns && t->now_ns - t->asked_ns < RTO_NS)
		return;
	t->asked_ns = t->now_ns;
	ring_link_ask(&t->link);
}

bool ring_tcp_turn(struct ring_tcp *t, uint64_t now_ns)
{
	unsigned came;
	bool sent = false;

	t->now_ns = now_ns;
	came = ring_link_take(&t->link);
	if (!t->link.resolved)
		ask(t);
	for (unsigned i = 0; i < t->conf.flows && t->link.resolved; i++)
		sent |= work(t, &t->flows[i], !came);
	ring_link_flush(&t->link);
	return came || sent;
}

unsigned ring_tcp_connected(const struct ring_tcp *t)
{
	unsigned n = 0;

	for (unsigned i = 0; i < t->conf.flows; i++)
		n += t->flows[i].state == RING_OPEN;
	return n;
}

/* ---- life ---- */

int ring_tcp_open(struct ring_tcp *t, const struct ring_tcp_conf *conf, const struct vguest_conf *guest, const char *path,
		  struct addr ip, struct addr gateway, const char **why)
{
	int rc;

	*t = (struct ring_tcp){ .conf = *conf, .flows = calloc(conf->flows, sizeof(*t->flows)) };
	t->pattern = conf->verify ? malloc(65536 + PATTERN) : NULL;
	rc = ring_link_open(&t->link, *guest, path, ip, gateway, why);
	t->link.input = input;
	if (!t->flows || (conf->verify && !t->pattern)) {
		*why = "memory";
		return -ENOMEM;
	}
	for (uint32_t i = 0; t->pattern && i < 65536 + PATTERN; i++)
		t->pattern[i] = (uint8_t)(i % PATTERN);
	for (unsigned i = 0; i < conf->flows; i++) {
		t->flows[i].index = i;
		t->flows[i].pair = i % guest->pairs;
	}
	return rc;
}

void ring_tcp_close(struct ring_tcp *t)
{
	bool open = t->flows && ring_tcp_connected(t);

	for (unsigned i = 0; open && i < t->conf.flows; i++)
		if (t->flows[i].state == RING_OPEN)
			control(t, &t->flows[i], TCP_RST | TCP_ACK, t->flows[i].snd_nxt);
	if (open)
		ring_link_drain(&t->link, PARTING_MS);
	ring_link_close(&t->link);
	free(t->flows);
	free(t->pattern);
}
