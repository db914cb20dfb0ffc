// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/tcp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/array.h"
#include "nat/tcp_peek.h"
#include "nat/tcp_wire.h"
#include "switch/build.h"

enum {
	FLIGHT_MAX = 4 << 20,		/* most bytes in flight */
	SEGMENTS_MAX = 128,		/* segments of one large frame; a guest may choose a tiny MSS */
	PUSH_FRAMES = 16,		/* large frames per flow and turn: about 1 MB */
	RESEND_SEGMENTS = 16,
	STALL_MAX_LOG2 = 10,		/* longest pause, about a second */
};

/* ---- the guest's data: window ---- */

/* may_take() - payload for @room bytes of a send buffer of @size: the kernel counts its own overhead too, which is as much again for small
 * segments. The kernel lets a buffer grow once it was seen full (tcp(7), tcp_wmem), and a guest that keeps within a small one would never see
 * to that: large frames may run over it, and what does is held. */
static uint32_t may_take(const struct tcp *t, uint32_t size, uint32_t room)
{
	enum { OVER = 64 * 1024, GROWN = 512 * 1024 };

	if (!t->large)
		return room / 2;
	return room - room / 8 + (size < GROWN ? OVER : 0);
}

void tcp_ask_space(struct flow *f)
{
	struct tcp *t = &f->tcp;
	uint32_t mem[SK_MEMINFO_VARS] = { 0 }, room;
	socklen_t size = sizeof(mem);

	if (getsockopt(f->watch.fd, SOL_SOCKET, SO_MEMINFO, mem, &size) < 0)
		mem[SK_MEMINFO_SNDBUF] = 128 * 1024;
	room = mem[SK_MEMINFO_SNDBUF] > mem[SK_MEMINFO_WMEM_QUEUED] ?
		       mem[SK_MEMINFO_SNDBUF] - mem[SK_MEMINFO_WMEM_QUEUED] : 0;
	t->space = t->space_asked = may_take(t, mem[SK_MEMINFO_SNDBUF], room);
	if (room < mem[SK_MEMINFO_SNDBUF] / 4)
		tcp_want_space(f);		/* EPOLLOUT comes at a third */
}

void tcp_expect_space(struct flow *f)
{
	enum { FRESH_AGE_MS = 1000 };
	struct nat_shard *s = f->shard;
	struct tcp *t = &f->tcp;

	if (s->fresh.space && shard_now(s) - s->fresh.asked_ms < FRESH_AGE_MS) {
		t->space = t->space_asked = s->fresh.space;
		return;
	}
	tcp_ask_space(f);
	s->fresh.space = t->space;
	s->fresh.asked_ms = shard_now(s);
}

/* The socket reports space only after it was seen without, and it looks when the watch is set anew. */
void tcp_want_space(struct flow *f)
{
	struct worker *w = f->shard->worker;
	uint32_t events = f->watch.events;

	if (f->tcp.want_space)
		return;
	f->tcp.want_space = true;
	worker_rewatch(w, &f->watch, events & ~(uint32_t)EPOLLOUT);
	worker_rewatch(w, &f->watch, events | EPOLLOUT);
}

/* window() - what to tell the guest; never a little more than was told, which is a segment or half of what the socket takes
 * (RFC 9293 3.8.6.2.2), and never less unless the socket took less than we believed: then the guest had better wait */
static uint16_t window(struct tcp *t)
{
	enum { SHORT = 2048 };
	uint32_t room = MIN_OF(t->space, t->window_max), edge = t->rcv_nxt + room, told;
	uint32_t least = MIN_OF((uint32_t)t->mss, MAX_OF(t->space_asked / 2, (uint32_t)SHORT));

	if (t->blocked)
		return 0;
	if ((int32_t)(edge - t->rcv_adv) < (int32_t)least)
		edge = t->rcv_adv;
	if (seq_before(edge, t->rcv_nxt))
		edge = t->rcv_nxt;
	told = MIN_OF((edge - t->rcv_nxt) >> t->rcv_scale, 65535u);
	edge = t->rcv_nxt + (told << t->rcv_scale);
	if (seq_before(t->rcv_adv, edge))
		t->rcv_adv = edge;
	return (uint16_t)told;
}

static struct tcp_out segment(struct flow *f, uint8_t flags, uint32_t seq)
{
	struct tcp *t = &f->tcp;

	if (flags & TCP_ACK) {
		t->rcv_told = t->rcv_nxt;
		t->ack_ms = 0;
	}
	return (struct tcp_out){
		.src = f->key.remote, .dst = f->key.guest, .sport = f->key.remote_port, .dport = f->key.guest_port,
		.mac = f->mac, .seq = seq, .ack = flags & TCP_ACK ? t->rcv_nxt : 0, .flags = flags, .mss = t->mss, .scale = -1,
	};
}

bool tcp_send_control(struct flow *f, const struct site *site, uint8_t flags, uint32_t seq)
{
	struct tcp *t = &f->tcp;
	struct tcp_out out = segment(f, flags, seq);

	if (flags & TCP_SYN) {
		out.mss = (uint16_t)(site->mtu + ETH_HEADER - build_headers(f->key.guest) - TCP_HEADER);
		out.scale = t->rcv_scale ? t->rcv_scale : -1;
		out.window = (uint16_t)MIN_OF(t->space, 65535u);	/* never scaled (RFC 7323 2.2) */
		t->rcv_adv = t->rcv_nxt + out.window;
	} else if (!(flags & TCP_RST)) {
		out.window = window(t);
	}
	return tcp_wire_send(f->shard->worker, site, &out);
}

/* ack_waits() - may the ACK of a short segment go along with the answer to it? (RFC 9293 3.8.6.3) Not longer than ACK_DELAY_MS,
 * and not for a while once the remote was slower than that: a guest that waits for the ACK before it sends on would wait each time.
 * The delay is longer than a tick of the kernel's clock: a sleep that ends before the next tick makes it set its timer twice. */
static bool ack_waits(struct flow *f)
{
	enum { ACK_DELAY_MS = 10 };
	struct tcp *t = &f->tcp;
	uint32_t size = t->rcv_nxt - t->rcv_told;
	bool may_send_on = (int32_t)(t->rcv_adv - t->rcv_nxt) >= (int32_t)t->mss && t->space > t->space_asked / 2;

	if (t->quick || t->acks_due != 1 || !size || size >= t->mss || t->guest_fin || t->blocked || !may_send_on)
		return false;
	if (!t->ack_ms)
		t->ack_ms = shard_now(f->shard) + ACK_DELAY_MS;
	return true;
}

void tcp_send_acks(struct flow *f, const struct site *site)
{
	struct tcp *t = &f->tcp;

	if (!t->acks_due || ack_waits(f))
		return;
	if (!t->blocked && !t->guest_fin && t->space <= t->space_asked / 2)
		tcp_ask_space(f);
	t->quick -= t->quick > 0;
	for (; t->acks_due; t->acks_due--)
		tcp_send_control(f, site, TCP_ACK, t->snd_nxt);
}

/* ---- the remote's data ---- */

/* consume() - let go of what the guest has acknowledged */
static void consume(struct flow *f)
{
	struct tcp *t = &f->tcp;
	uint32_t end = t->eof && seq_before(t->fin_seq, t->snd_una) ? t->fin_seq : t->snd_una;

	while (seq_before(t->head, end)) {
		ssize_t n = tcp_discard(f, end - t->head);

		if (n <= 0) {
			t->failed = true;	/* what was peeked is gone: only an error does that */
			return;
		}
		t->head += (uint32_t)n;
		f->bytes_in += (uint64_t)n;
	}
	if (seq_before(t->peek, t->head))
		t->peek = t->head;
}

/* may_send() - payload bytes that the guest would take now; whole segments unless nothing is in flight */
static uint32_t may_send(const struct tcp *t)
{
	uint32_t flight = t->snd_nxt - t->snd_una, mss = t->mss, room, most;
	uint32_t limit = MIN_OF(t->snd_wnd, (uint32_t)(t->peek_offset ? FLIGHT_MAX : TCP_FLIGHT_REREAD));

	if (limit <= flight || (t->retries && flight))
		return 0;
	room = t->retries ? MIN_OF(limit, mss) : limit - flight;
	most = MIN_OF((uint32_t)TCP_PAYLOAD_MAX, SEGMENTS_MAX * mss);
	most = most > mss ? most - most % mss : most;
	if (room >= most)
		return most;
	if (room > mss)
		return room - room % mss;
	return room == mss || !flight ? room : 0;
}

/* stalled() - the guest's port is full: offer again soon; its own acknowledgements may come first */
static void stalled(struct flow *f)
{
	struct tcp *t = &f->tcp;

	t->stall_ms = shard_now(f->shard) + (1u << t->stalls);
	if (t->stalls < STALL_MAX_LOG2)
		t->stalls++;
}

/* send_waiting() - one frame of data that nobody has read. Return: as send_from(); -EAGAIN: read it first, whatever comes of that */
static ssize_t send_waiting(struct flow *f, const struct site *site, struct tcp_out *out, uint32_t size)
{
	struct tcp_waiting w;

	tcp_waiting_init(&w, f, out->seq, size);
	if (!w.size)
		return -EAGAIN;
	out->window = window(&f->tcp);
	if (tcp_wire_send_data(f->shard->worker, site, out, worker_scratch(f->shard->worker), w.size, &w.frame))
		return w.size;
	return w.missed ? -EAGAIN : -ENOBUFS;
}

static ssize_t send_read(struct flow *f, const struct site *site, struct tcp_out *out, uint32_t size)
{
	uint8_t *buffer = worker_scratch(f->shard->worker);
	ssize_t n = tcp_peek(f, out->seq, buffer + TCP_OUT_HEADERS, size);

	if (n <= 0)
		return n;
	out->window = window(&f->tcp);
	return tcp_wire_send_data(f->shard->worker, site, out, buffer, (uint32_t)n, NULL) ? n : -ENOBUFS;
}

/* send_from() - one frame with data that begins at @seq. Return: bytes sent; 0 and less as tcp_peek(), -ENOBUFS when not taken */
static ssize_t send_from(struct flow *f, const struct site *site, uint32_t seq, uint32_t size)
{
	struct tcp *t = &f->tcp;
	struct tcp_out out = segment(f, TCP_ACK | TCP_PSH, seq);
	ssize_t n = tcp_goes_straight(f, site) ? send_waiting(f, site, &out, size) : -EAGAIN;

	if (n == -EAGAIN)
		n = send_read(f, site, &out, size);
	if (n == -ENOBUFS)
		stalled(f);
	if (n <= 0)
		return n;
	t->stalls = 0;
	if (t->acks_due == 1)
		t->acks_due = 0;		/* it went along */
	return n;
}

/* push_one() - one frame with new data. Return: true when there may be more to send now */
static bool push_one(struct flow *f, const struct site *site)
{
	struct tcp *t = &f->tcp;
	uint32_t size = may_send(t);
	ssize_t n;

	if (!t->readable || !size || (t->eof && !seq_before(t->snd_nxt, t->fin_seq)))
		return false;
	n = send_from(f, site, t->snd_nxt, size);
	if (n > 0) {
		if (seq_before(t->snd_nxt, t->snd_max))
			counter_add(&f->shard->counts.retransmits, 1);
		t->snd_nxt += (uint32_t)n;
		if (seq_before(t->snd_max, t->snd_nxt))
			t->snd_max = t->snd_nxt;
		/* A short read means an empty queue, and epoll tells when that changes - unless it has told already. */
		t->readable = (uint32_t)n == size || t->rdhup || t->urgent;
		return t->readable;
	}
	if (n == 0 || (n < 0 && n != -ENOBUFS && n != -EAGAIN)) {
		t->broken |= n < 0;
		t->eof = true;
		t->fin_seq = t->snd_nxt;
	}
	if (n != -ENOBUFS)
		t->readable = false;
	return false;
}

/* push_fin() - the remote's end, once all before it was sent */
static void push_fin(struct flow *f, const struct site *site)
{
	struct tcp *t = &f->tcp;

	if (!t->eof || t->broken || t->fin_sent || t->snd_nxt != t->fin_seq || (!t->snd_wnd && t->snd_nxt == t->snd_una))
		return;
	if (!tcp_send_control(f, site, TCP_FIN | TCP_ACK, t->snd_nxt)) {
		stalled(f);
		return;
	}
	t->fin_sent = true;
	t->snd_nxt = t->fin_seq + 1;
	if (seq_before(t->snd_max, t->snd_nxt))
		t->snd_max = t->snd_nxt;
	if (t->acks_due == 1)
		t->acks_due = 0;
}

/* resend_head() - fast retransmit: what the guest's repeated acknowledgements say is missing */
static void resend_head(struct flow *f, const struct site *site)
{
	struct tcp *t = &f->tcp;
	uint32_t end = t->eof && seq_before(t->fin_seq, t->snd_nxt) ? t->fin_seq : t->snd_nxt;
	uint32_t size = MIN_OF(end - t->snd_una, (uint32_t)RESEND_SEGMENTS * t->mss);

	t->resend = false;
	counter_add(&f->shard->counts.retransmits, 1);
	if (size)
		send_from(f, site, t->snd_una, MIN_OF(size, (uint32_t)TCP_PAYLOAD_MAX));
	else if (t->fin_sent)
		tcp_send_control(f, site, TCP_FIN | TCP_ACK, t->fin_seq);
}

void tcp_rewind(struct tcp *t)
{
	t->snd_nxt = t->snd_una;
	t->fin_sent = false;
	t->recovering = t->resend = false;
	t->dupacks = 0;
	t->readable = true;
}

void tcp_push(struct flow *f, const struct site *site)
{
	struct tcp *t = &f->tcp;

	consume(f);
	if (t->failed || t->stall_ms > shard_now(f->shard))
		return;
	t->stall_ms = 0;
	if (t->resend)
		resend_head(f, site);
	for (unsigned i = 0; push_one(f, site); i++) {
		if (i == PUSH_FRAMES) {
			flow_defer(f);		/* others first */
			break;
		}
	}
	push_fin(f, site);
}
