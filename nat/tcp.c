// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/tcp.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/array.h"
#include "nat/answer.h"
#include "switch/packet.h"
#include "switch/service.h"

enum { ESTABLISHED_S = 7440, TRANSITORY_S = 240, BACKOFF_MAX = 9, RESEND_HINT = 4, QUICK_ACKS = 250 };

/* ---- from the guest ---- */

static struct flow_key key_of(const struct nat_port *port, const struct packet *p)
{
	return (struct flow_key){
		.port = port->id, .guest = p->src, .remote = p->dst, .guest_port = p->sport, .remote_port = p->dport,
		.proto = IPPROTO_TCP,
	};
}

/* opens_again() - a new connection from the same port of a guest, while the old one is kept for late segments
 * (RFC 9293 3.6.1, RFC 6191: a higher sequence number shows that it is new) */
static bool opens_again(const struct flow *f, const struct packet *p)
{
	return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN && seq_before(f->tcp.rcv_nxt, p->seq + 1);
}

static enum verdict to_closed(struct flow *f, const struct packet *p)
{
	struct site site;

	if (p->tcp_flags & TCP_RST) {
		if (p->seq == f->tcp.rcv_nxt)
			flow_free(f);
		return VERDICT_DROP_NO_SESSION;
	}
	if ((packet_payload_len(p) || (p->tcp_flags & (TCP_FIN | TCP_SYN))) && shard_site(f->shard, f->key.port, f->key.guest, &site))
		tcp_send_control(f, &site, TCP_ACK, f->tcp.snd_nxt);
	return VERDICT_CONSUMED_NAT;
}

/* to_connecting() - until the host socket is connected there is nothing to say but goodbye */
static enum verdict to_connecting(struct flow *f, const struct packet *p)
{
	if (!(p->tcp_flags & TCP_RST) || p->seq != f->tcp.rcv_nxt)
		return VERDICT_CONSUMED_NAT;
	counter_add(&f->shard->counts.resets, 1);
	flow_abort(f);
	return VERDICT_CONSUMED_NAT;
}

static enum verdict opened(struct flow *f, const struct packet *p)
{
	tcp_opened(f, p);
	return tcp_segment(f, p);
}

/* opened_by_syn() - by a SYN-ACK, which is to be acknowledged */
static void opened_by_syn(struct flow *f, const struct packet *p)
{
	tcp_opened(f, p);
	f->tcp.acks_due = 1;
	flow_defer(f);
}

/* to_answered() - RFC 9293 3.10.7.4, SYN-RECEIVED */
static enum verdict to_answered(struct flow *f, const struct packet *p)
{
	struct tcp *t = &f->tcp;
	struct site site;

	if (p->tcp_flags & TCP_RST)
		return tcp_segment(f, p);
	if (!shard_site(f->shard, f->key.port, f->key.guest, &site))
		return VERDICT_DROP_NO_SESSION;
	if ((p->tcp_flags & TCP_ACK) && p->ack != t->snd_nxt) {
		tcp_send_control(f, &site, TCP_RST, p->ack);	/* nothing counts before our SYN is acknowledged */
		return VERDICT_DROP_NO_SESSION;
	}
	if (!(p->tcp_flags & TCP_SYN))
		return p->tcp_flags & TCP_ACK ? opened(f, p) : VERDICT_DROP_NO_SESSION;
	if (p->seq + 1 != t->rcv_nxt)
		tcp_send_control(f, &site, TCP_ACK, t->snd_nxt);	/* is it a new one? Then a reset comes, and the SYN again */
	else if (p->tcp_flags & TCP_ACK)
		opened_by_syn(f, p);		/* the SYNs crossed */
	else
		tcp_send_control(f, &site, TCP_SYN | TCP_ACK, t->snd_una);	/* it was lost */
	return VERDICT_CONSUMED_NAT;
}

/* to_calling() - the guest answers a forward's SYN (RFC 9293 3.10.7.3) */
static enum verdict to_calling(struct flow *f, const struct packet *p)
{
	struct tcp *t = &f->tcp;

	if ((p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN) {
		tcp_crossed(f, p);
		return VERDICT_CONSUMED_NAT;
	}
	if (!(p->tcp_flags & TCP_ACK) || p->ack != t->snd_nxt)
		return VERDICT_DROP_NO_SESSION;
	if (p->tcp_flags & TCP_RST) {
		tcp_call_refused(f);
		return VERDICT_CONSUMED_NAT;
	}
	if (!(p->tcp_flags & TCP_SYN))
		return VERDICT_DROP_NO_SESSION;
	t->rcv_nxt = t->rcv_adv = p->seq + 1;
	opened_by_syn(f, p);
	return VERDICT_CONSUMED_NAT;
}

enum verdict tcp_input(struct nat_shard *s, struct nat_port *port, const struct arrival *a, const struct packet *p)
{
	static enum verdict (*const by_phase[])(struct flow *f, const struct packet *p) = {
		[TCP_PHASE_CONNECTING] = to_connecting, [TCP_PHASE_ANSWERED] = to_answered,
		[TCP_PHASE_CALLING] = to_calling, [TCP_PHASE_OPEN] = tcp_segment, [TCP_PHASE_CLOSED] = to_closed,
	};
	struct flow_key key = key_of(port, p);
	struct flow *f = flow_find(s, &key);

	if (f && f->tcp.phase == TCP_PHASE_CLOSED && opens_again(f, p)) {
		flow_free(f);
		f = NULL;
	}
	if (f) {
		f->used_ms = shard_now(s);
		memcpy(f->mac, p->data + MAC_SIZE, MAC_SIZE);
		return by_phase[f->tcp.phase](f, p);
	}
	if ((p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN)
		return tcp_begin(s, port, a, p, &key);
	answer_reset(s->worker, a, p);		/* as after a restart: the guest learns that the connection is gone */
	return VERDICT_DROP_NO_SESSION;
}

/* ---- from the host socket ---- */

static void on_ready(struct worker *w, struct watch *watch, uint32_t events)
{
	struct flow *f = container_of(watch, struct flow, watch);
	struct tcp *t = &f->tcp;

	(void)w;
	t->readable |= (events & ~(uint32_t)EPOLLOUT) != 0;
	t->rdhup |= (events & (EPOLLRDHUP | EPOLLHUP)) != 0;
	t->urgent |= (events & EPOLLPRI) != 0;
	if (t->phase == TCP_PHASE_CONNECTING) {
		if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
			tcp_connected(f, events);
		return;
	}
	t->broken |= (events & EPOLLERR) != 0;
	if ((events & EPOLLOUT) && t->want_space) {
		t->want_space = t->blocked = false;
		tcp_ask_space(f);
		tcp_take_held(f);
		/* Three repetitions make the guest resend what was not taken, now and not at its timeout (RFC 5681 3.2) */
		t->acks_due = t->spilled ? RESEND_HINT : 1;
		t->spilled = false;
	}
	if (t->phase == TCP_PHASE_OPEN) {
		f->used_ms = shard_now(f->shard);
		tcp_work(f);
	}
}

/* ---- life ---- */

void tcp_reset(struct flow *f)
{
	struct site site;

	counter_add(&f->shard->counts.resets, 1);
	if (shard_site(f->shard, f->key.port, f->key.guest, &site))
		tcp_send_control(f, &site, TCP_RST | TCP_ACK, f->tcp.snd_nxt);
	flow_abort(f);
}

/* drained() - after the remote's reset: has the guest all that came before it? */
static bool drained(const struct tcp *t)
{
	return t->broken && t->eof && !seq_before(t->snd_una, t->fin_seq);
}

/* closed() - both sides have ended and know it; late segments find the flow for a while */
static void closed(struct flow *f)
{
	f->tcp.phase = TCP_PHASE_CLOSED;
	flow_close(f);
	flow_fresh(f, FLOW_CLOSED);
	f->used_ms = shard_now(f->shard);
	timer_cancel(worker_timers(f->shard->worker), &f->timer);
	flow_due(f, f->used_ms + TCP_CLOSED_MS);
}

void tcp_work(struct flow *f)
{
	struct tcp *t = &f->tcp;
	struct site site;

	if (t->phase != TCP_PHASE_OPEN)
		return;
	if (!shard_site(f->shard, f->key.port, f->key.guest, &site)) {
		flow_abort(f);
		return;
	}
	if (t->unconfirmed)
		tcp_confirm(f);
	tcp_push(f, &site);
	if (t->failed || drained(t)) {
		tcp_reset(f);
		return;
	}
	tcp_send_acks(f, &site);
	if (t->guest_fin && t->fin_acked)
		closed(f);
	else
		tcp_arm(f);
}

static void fini(struct flow *f)
{
	if (f->tcp.half_open)
		--*tcp_half_open(f);
	f->tcp.half_open = false;
	hold_drop_all(&f->shard->hold, &f->tcp.held);
}

/* ---- time ---- */

static uint64_t idle_limit_ms(const struct flow *f)
{
	const struct nat_conf *conf = shard_conf(f->shard);
	const struct tcp *t = &f->tcp;

	if (t->phase == TCP_PHASE_OPEN && !t->broken && !(t->guest_fin && t->eof))
		return 1000ull * (conf->established_s ? conf->established_s : ESTABLISHED_S);
	return 1000ull * (conf->transitory_s ? conf->transitory_s : TRANSITORY_S);
}

static uint64_t backoff_ms(uint32_t first_ms, unsigned n)
{
	return MIN_OF((uint64_t)first_ms << MIN_OF(n, (unsigned)BACKOFF_MAX), (uint64_t)TCP_RTO_MAX_MS);
}

/* wants_window() - is there something to send, nothing on its way, and no window to send it in? */
static bool wants_window(const struct tcp *t)
{
	return t->snd_una == t->snd_nxt && !t->snd_wnd && (t->readable || (t->eof && !t->fin_sent));
}

void tcp_arm(struct flow *f)
{
	struct tcp *t = &f->tcp;
	uint64_t now = shard_now(f->shard), due = f->used_ms + idle_limit_ms(f);

	if (t->phase == TCP_PHASE_OPEN && t->snd_una == t->snd_nxt && !wants_window(t)) {
		t->rto_ms = 0;
	} else if (t->phase == TCP_PHASE_OPEN && !t->rto_ms) {
		t->rto_ms = now + backoff_ms(TCP_RTO_MS, t->snd_una == t->snd_nxt ? t->probes : t->retries);
		if (!t->retries && !t->probes)
			t->progress_ms = now;
	}
	if (t->rto_ms)
		due = MIN_OF(due, t->rto_ms);
	if (t->stall_ms)
		due = MIN_OF(due, t->stall_ms);
	if (t->ack_ms)
		due = MIN_OF(due, t->ack_ms);
	flow_due(f, due);
}

/* timed_out() - nothing came from the guest: send again, or ask for a window (RFC 9293 3.8.6.1) */
static void timed_out(struct flow *f, const struct site *site)
{
	struct tcp *t = &f->tcp;

	t->rto_ms = 0;
	if (t->snd_una == t->snd_nxt) {
		t->probes += t->probes < UINT8_MAX;
		tcp_send_control(f, site, TCP_ACK, t->snd_una - 1);
		return;
	}
	t->retries += t->retries < UINT8_MAX;
	t->recover = t->snd_max;
	tcp_rewind(t);
	flow_defer(f);
}

/* answer_again() - SYN-ACK was lost, or the guest is gone. Return: false when it was given up */
static bool answer_again(struct flow *f, const struct site *site)
{
	struct tcp *t = &f->tcp;

	if (++t->retries >= TCP_ANSWERS) {
		counter_add(&f->shard->counts.expired, 1);
		flow_abort(f);
		return false;
	}
	t->rto_ms = shard_now(f->shard) + backoff_ms(TCP_SYN_RTO_MS, t->retries);
	tcp_send_control(f, site, TCP_SYN | TCP_ACK, t->snd_una);
	return true;
}

static void on_timer(struct flow *f, const struct site *site, uint64_t now_ms)
{
	struct tcp *t = &f->tcp;

	if (t->stall_ms && now_ms >= t->stall_ms) {
		t->stall_ms = 0;
		flow_defer(f);
	}
	if (t->ack_ms && now_ms >= t->ack_ms) {
		t->quick = QUICK_ACKS;
		t->ack_ms = 0;
		flow_defer(f);
	}
	if (t->rto_ms && now_ms >= t->rto_ms) {
		if (t->phase == TCP_PHASE_CALLING) {
			tcp_call_again(f);
			return;
		}
		if (t->phase == TCP_PHASE_ANSWERED && !answer_again(f, site))
			return;
		if (t->phase == TCP_PHASE_OPEN)
			timed_out(f, site);
	}
	tcp_arm(f);
}

static void expired(struct flow *f, uint64_t now_ms)
{
	const struct tcp *t = &f->tcp;
	struct site site;

	if (t->phase == TCP_PHASE_CLOSED) {
		flow_free(f);
		return;
	}
	if (!shard_site(f->shard, f->key.port, f->key.guest, &site)) {
		flow_abort(f);
		return;
	}
	if (now_ms >= f->used_ms + idle_limit_ms(f) ||
	    (t->phase == TCP_PHASE_OPEN && t->rto_ms && now_ms >= t->progress_ms + TCP_GIVE_UP_MS)) {
		counter_add(&f->shard->counts.expired, 1);
		tcp_reset(f);
		return;
	}
	on_timer(f, &site, now_ms);
}

static const char *state(const struct flow *f)
{
	static const char *const words[] = {
		[TCP_PHASE_CONNECTING] = "connecting", [TCP_PHASE_ANSWERED] = "answered", [TCP_PHASE_CALLING] = "calling",
		[TCP_PHASE_OPEN] = "open", [TCP_PHASE_CLOSED] = "closed",
	};
	const struct tcp *t = &f->tcp;

	return t->phase == TCP_PHASE_OPEN && (t->guest_fin || t->eof) ? "closing" : words[t->phase];
}

const struct flow_kind tcp_kind = {
	.class = FLOW_TCP, .ready = on_ready, .expired = expired, .work = tcp_work, .fini = fini, .state = state,
};
