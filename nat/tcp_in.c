// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/tcp.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/array.h"
#include "nat/answer.h"
#include "nat/quoted.h"
#include "switch/build.h"
#include "switch/packet.h"

enum { ACKS_DUE_MAX = 4, DUPACKS = 3, ACK_AGE_MAX = 64 << 20, LARGE = 12 * 1024 };

/* ack_gap() - for data behind a gap: as many duplicates as a receiver of the frame's segments would send one by one, so
 * that a guest whose super-frame was lost resends it at once (RFC 5681 3.2) and not after a timeout */
static void ack_gap(struct flow *f, uint32_t size)
{
	uint32_t segments = size / f->tcp.mss;

	f->tcp.acks_due = (uint8_t)MIN_OF(f->tcp.acks_due + MAX_OF(segments, 1u), (uint32_t)ACKS_DUE_MAX);
	flow_defer(f);
}

static void ack_soon(struct flow *f, bool one_each)
{
	struct tcp *t = &f->tcp;

	if (one_each && t->ack_ms)
		t->quick = MAX_OF(t->quick, (uint8_t)1);	/* the one that waits is sent now */
	else if (!t->acks_due || (one_each && t->acks_due < ACKS_DUE_MAX))
		t->acks_due++;
	flow_defer(f);
}

/* acceptable() - is any of the segment inside the window, or just below it? (RFC 9293 3.10.7.4) */
static bool acceptable(const struct tcp *t, const struct packet *p)
{
	uint32_t size = packet_payload_len(p) + !!(p->tcp_flags & TCP_FIN);
	int32_t window = MAX_OF((int32_t)(t->rcv_adv - t->rcv_nxt), 0);

	return (int32_t)(p->seq - t->rcv_nxt) <= window && (int32_t)(p->seq + size - t->rcv_nxt) >= 0;
}

/* take_reset() - only a reset that hits the next byte exactly is believed; others are asked back (RFC 5961 3.2) */
static enum verdict take_reset(struct flow *f, const struct packet *p)
{
	if (p->seq == f->tcp.rcv_nxt) {
		counter_add(&f->shard->counts.resets, 1);
		flow_abort(f);
		return VERDICT_CONSUMED_NAT;
	}
	if (acceptable(&f->tcp, p))
		ack_soon(f, false);
	return VERDICT_DROP_NO_SESSION;
}

/* ---- what the guest acknowledges ---- */

static void progress(struct flow *f, uint32_t ack)
{
	struct tcp *t = &f->tcp;
	uint64_t now = shard_now(f->shard);

	t->snd_una = ack;
	if (seq_before(t->snd_nxt, ack))
		t->snd_nxt = ack;		/* sent before a rewind, and it did arrive */
	if (t->eof && ack == t->fin_seq + 1)
		t->fin_sent = t->fin_acked = true;
	t->retries = t->probes = t->dupacks = 0;
	t->progress_ms = now;
	t->rto_ms = ack == t->snd_nxt ? 0 : now + TCP_RTO_MS;
	t->stall_ms = 0;
	if (t->recovering && !seq_before(ack, t->recover))
		t->recovering = false;
	else if (t->recovering)
		t->resend = true;		/* RFC 6582 3.2: the next hole begins here */
}

/* duplicate() - the guest asks a third time: resend, unless it answers to what we have just resent (RFC 6582 3.2) */
static void duplicate(struct tcp *t)
{
	if (t->recovering || ++t->dupacks < DUPACKS || !seq_before(t->recover, t->snd_una))
		return;
	t->dupacks = 0;
	t->recovering = t->resend = true;
	t->recover = t->snd_max;
}

/* take_ack() - Return: false when it acknowledges what was never sent, or is far too old (RFC 5961 5.2) */
static bool take_ack(struct flow *f, const struct packet *p)
{
	struct tcp *t = &f->tcp;
	uint32_t window = (uint32_t)p->tcp_window << t->snd_scale;
	bool opens = window > t->snd_wnd;

	if (seq_before(t->snd_max, p->ack))
		return false;
	if (seq_before(p->ack, t->snd_una))
		return t->snd_una - p->ack <= ACK_AGE_MAX;
	if (p->ack != t->snd_una)
		progress(f, p->ack);
	else if (window == t->snd_wnd && t->snd_max != t->snd_una && !packet_payload_len(p) && !(p->tcp_flags & TCP_FIN))
		duplicate(t);
	if (!seq_before(p->seq, t->snd_wl1)) {
		t->snd_wnd = window;
		t->snd_wl1 = p->seq;
	}
	if (opens && t->snd_una == t->snd_nxt) {
		t->probes = 0;			/* the guest lives, and its window is open */
		t->rto_ms = 0;
	}
	t->progress_ms = shard_now(f->shard);
	return true;
}

/* ---- what the guest sends ---- */

/* send_at_once() - the guest has done what Nagle's algorithm does, and it is done once. A first short write leaves at once anyway. */
static void send_at_once(struct tcp *t, int fd, uint32_t size)
{
	enum { SHORT = 500 };		/* a segment whatever the path (RFC 9293 3.7.1) */
	int on = 1;

	if (!t->no_delay && (t->wrote || size > SHORT))
		t->no_delay = setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0;
	t->wrote = true;
}

/* to_socket() - hand over what is next in order. Return: bytes that the socket took */
static uint32_t to_socket(struct flow *f, const uint8_t *data, uint32_t size)
{
	struct tcp *t = &f->tcp;
	ssize_t n;

	if (t->blocked || t->broken)
		return 0;
	send_at_once(t, f->watch.fd, size);
	n = send(f->watch.fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		t->broken = t->readable = true;
		return 0;
	}
	n = MAX_OF(n, 0);
	f->bytes_out += (uint64_t)n;
	t->space -= MIN_OF(t->space, (uint32_t)n);
	if ((uint32_t)n < size) {
		t->blocked = true;
		tcp_want_space(f);
	}
	return (uint32_t)n;
}

/* hold() - keep a segment that the socket cannot have yet; where that is not possible the guest must send it again */
static bool hold(struct flow *f, const struct packet *p)
{
	struct tcp *t = &f->tcp;
	uint32_t size = packet_payload_len(p);

	if ((int32_t)(p->seq + size - t->rcv_adv) > 0)
		return false;		/* beyond the window that was told */
	return hold_put(&f->shard->hold, &t->held, &f->port->nheld, shard_conf(f->shard)->held_max, p->seq, packet_payload(p), size, p->tcp_flags & TCP_FIN);
}

static void take_fin(struct flow *f)
{
	struct tcp *t = &f->tcp;

	t->rcv_nxt++;
	t->guest_fin = true;
	shutdown(f->watch.fd, SHUT_WR);
}

void tcp_take_held(struct flow *f)
{
	struct hold *h = &f->shard->hold;
	struct tcp *t = &f->tcp;

	while (t->held != HOLD_NONE && !t->guest_fin && !t->broken) {
		const struct held *first = &h->held[t->held];
		uint32_t old = t->rcv_nxt - first->seq;

		if (seq_before(t->rcv_nxt, first->seq))
			return;
		if (old < first->size)
			t->rcv_nxt += to_socket(f, hold_data(h, t->held) + old, first->size - old);
		if (seq_before(t->rcv_nxt, first->seq + first->size))
			return;		/* the socket is full: the rest waits here */
		if (first->fin && t->rcv_nxt == first->seq + first->size)
			take_fin(f);
		hold_drop_first(h, &t->held);
	}
	hold_drop_all(h, &t->held);
}

/* take_data() - what is new of the segment, if it is next in order; anything else is told what we wait for */
static void take_data(struct flow *f, const struct packet *p)
{
	struct tcp *t = &f->tcp;
	uint32_t size = packet_payload_len(p), old = t->rcv_nxt - p->seq;
	bool fin = p->tcp_flags & TCP_FIN;

	if (size >= LARGE || size >= t->mss)
		t->large = size >= LARGE;
	if (!size && !fin && !old)
		return;
	if (!t->guest_fin && seq_before(t->rcv_nxt, p->seq)) {
		hold(f, p);
		ack_gap(f, size);
		return;
	}
	if (t->guest_fin || old > size) {
		ack_soon(f, true);
		return;
	}
	if (old < size)
		t->rcv_nxt += to_socket(f, packet_payload(p) + old, size - old);
	if (t->broken)
		return;			/* nobody is there who would take it */
	if (seq_before(t->rcv_nxt, p->seq + size))
		t->spilled |= !hold(f, p);
	else if (fin)
		take_fin(f);
	tcp_take_held(f);
	ack_soon(f, old == size && !fin);
}

enum verdict tcp_segment(struct flow *f, const struct packet *p)
{
	struct tcp *t = &f->tcp;

	if (p->tcp_flags & TCP_RST)
		return take_reset(f, p);
	if (!acceptable(t, p) || (p->tcp_flags & TCP_SYN) || !(p->tcp_flags & TCP_ACK) || !take_ack(f, p)) {
		ack_soon(f, true);
		return VERDICT_CONSUMED_NAT;
	}
	take_data(f, p);
	flow_defer(f);
	return VERDICT_CONSUMED_NAT;
}

/* ---- what the guest says by ICMP ---- */

/* smaller() - the way to whoever is behind the guest is narrow: from now on segments that fit it, beginning with those that did not arrive */
static void smaller(struct flow *f, uint32_t mtu)
{
	uint32_t mss = mtu + ETH_HEADER - build_headers(f->key.guest) - TCP_HEADER;
	struct tcp *t = &f->tcp;

	if (mss >= t->mss)
		return;
	t->mss = (uint16_t)mss;
	tcp_rewind(t);
	flow_defer(f);
}

bool tcp_guest_error(struct flow *f, uint32_t seq, const struct quoted_error *e)
{
	uint8_t unreachable = addr_is4(f->key.guest) ? ICMP_UNREACHABLE : ICMP6_UNREACHABLE;
	struct tcp *t = &f->tcp;

	if (seq_before(seq, t->snd_una) || !seq_before(seq, t->snd_max))
		return false;
	if (t->phase == TCP_PHASE_OPEN && e->mtu)
		smaller(f, e->mtu);
	else if (t->phase == TCP_PHASE_CALLING && !e->mtu && e->type == unreachable)
		tcp_call_refused(f);
	return true;
}
