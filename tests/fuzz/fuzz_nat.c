// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* covers: nat/tcp_in.c nat/tcp.c nat/tcp_wire.c nat/tcp_out.c nat/tcp_open.c nat/answer.c nat/policy.c nat/gateway.c nat/gateway6.c nat/echo.c nat/rawicmp.c nat/guesterror.c nat/quoted.c nat/neterror.c nat/fragment.c nat/cut.c nat/hold.c nat/flow.c nat/datagram.c */
/* max_len: 2048 */
/* The input plays a guest, the remote ends and the clock, whole conversations deep, on sockets that lead nowhere
 * (tests/fuzz/fake_sockets.h). What must hold whatever happens: each frame to the guest is one that a port accepts, each byte in
 * either direction stands where it belongs, nothing that was not sent is acknowledged, and in the end no descriptor and no flow is left.
 */
#include <netinet/udp.h>

#include "base/array.h"
#include "nat/budget.h"
#include "nat/forward.h"
#include "tests/fuzz/fake_sockets.h"
#include "tests/fuzz/guest_packets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CONNS = 6, SERVER_PORT = 7000, GUEST_PORT = 40000, WILD = 16 << 20 };

static unsigned stopping;		/* forwards, since the last barrier */

/* ---- the guest ---- */

struct conn {
	bool used;
	struct addr guest, remote;
	uint16_t sport, dport;
	uint32_t iss, sent;		/* first sequence number; highest that went out */
	uint32_t irs, next;		/* theirs; what the guest expects next */
	bool synced;
};

static struct conn conns[CONNS];

static void segment(struct conn *c, uint8_t flags, uint32_t seq, uint32_t ack, uint16_t window, uint32_t size, uint32_t options)
{
	static uint8_t frame[70000];
	uint32_t header = TCP_HEADER + (flags & TCP_SYN ? 8 : 0), l4 = header + size, head = build_headers(c->guest);
	uint8_t *t = build_ip(frame, bed_gateway_mac, bed_guest_mac, c->guest, c->remote, PROTO_TCP, 64, l4);
	struct offload gso = {
		.flags = 1, .gso_type = addr_is4(c->guest) ? 1 : 4, .gso_size = 1400, .csum_start = (uint16_t)head, .csum_offset = 16,
	};
	struct offload none = { 0 };
	uint32_t end = seq + size + !!(flags & TCP_SYN) + !!(flags & TCP_FIN);

	memset(t, 0, header);
	put_u16(t, c->sport);
	put_u16(t + 2, c->dport);
	put_u32(t + 4, seq);
	put_u32(t + 8, ack);
	t[12] = (uint8_t)(header / 4 << 4);
	t[13] = flags;
	put_u16(t + 14, window);
	if (flags & TCP_SYN) {
		memcpy(t + 20, "\x02\x04\x05\xb4\x01\x03\x03\x02", 8);
		put_u32(t + 20, get_u32(t + 20) ^ (options & 0xff00ff));
		t[27] ^= (uint8_t)(options >> 8);
	}
	for (uint32_t i = 0; i < size; i++)
		t[header + i] = to_remote_byte(seq + i - c->iss - 1);
	if (size <= 1440)
		put_u16(t + 16, checksum_finish(checksum_add(build_pseudo(c->guest, c->remote, PROTO_TCP, l4), t, l4)));
	if ((int32_t)(end - c->sent) > 0 && end - c->sent < WILD)
		c->sent = end;		/* what is farther away must not be believed, and so not be acknowledged */
	next_conn = (int)(c - conns);
	bed_input_from(&bed, 1, frame, head + l4, size > 1440 ? &gso : &none);
}

static void guest_tcp(struct input *in)
{
	struct conn *c = &conns[take(in, 1) % CONNS];
	uint8_t flags = (uint8_t)take(in, 1);
	uint32_t how = take(in, 1), window = take(in, 2), size = take(in, 1), seq = c->sent, ack = c->next;

	if (!c->used || (how & 0xc0) == 0xc0) {
		/* a flow that is there ignores the SYN, and this file's count of its bytes is of no use from here on */
		for (unsigned i = 0; i < nremotes; i++)
			if (remote_conn[i] == c - conns)
				remote_stream[i] = false;
		c->used = true;
		c->synced = false;
		c->guest = how & 8 ? bed_address(15) : addr4(BED_GUEST);
		if (how & 8)
			c->remote = how & 32 ? far6 : bed_address(1);
		else
			c->remote = addr4(how & 32 ? 0xcb007105 : BED_GATEWAY);
		c->sport = (uint16_t)(GUEST_PORT + (c - conns));
		c->dport = SERVER_PORT;
		c->iss = c->sent = seq + (how & 16 ? 100000 : 0);
		segment(c, TCP_SYN, c->iss, 0, (uint16_t)window, 0, how & 64 ? take(in, 3) : 0);
		return;
	}
	if (how & 1)
		size *= 250;
	if (how & 2)
		seq += take(in, 2) - 0x8000;
	if (how & 4)
		ack += take(in, 2) - 0x8000;
	if (how & 8)
		seq += take(in, 4);
	if (flags & TCP_SYN)
		seq = c->iss;			/* from there on this file counts */
	segment(c, flags, seq, flags & TCP_ACK ? ack : 0, (uint16_t)window, flags & TCP_SYN ? 0 : size, how & 64 ? take(in, 3) : 0);
}

/* called() - a forward's SYN comes: a free connection answers to it from now on */
static struct conn *called(const struct packet *p)
{
	for (unsigned i = 0; i < CONNS; i++) {
		if (conns[i].used)
			continue;
		conns[i] = (struct conn){
			.used = true, .guest = p->dst, .remote = p->src, .sport = p->dport, .dport = p->sport, .iss = 1000000, .sent = 1000000,
		};
		return &conns[i];
	}
	return NULL;
}

static struct conn *conn_of(const struct packet *p)
{
	for (unsigned i = 0; i < CONNS; i++)
		if (conns[i].used && addr_equal(conns[i].remote, p->src) && conns[i].sport == p->dport && conns[i].dport == p->sport)
			return &conns[i];
	return (p->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN ? called(p) : NULL;
}

static void look_at_tcp(const struct packet *p)
{
	struct conn *c = conn_of(p);
	uint32_t end = p->seq + packet_payload_len(p) + !!(p->tcp_flags & TCP_FIN);

	if (!c || (p->tcp_flags & TCP_RST))
		return;
	if (p->tcp_flags & TCP_SYN) {
		c->irs = p->seq;
		c->next = p->seq + 1;
		c->synced = true;
	} else if (c->synced) {
		for (uint32_t i = 0; i < packet_payload_len(p); i++)
			MUST(packet_payload(p)[i] == to_guest_byte(p->seq + i - c->irs - 1));
		if ((int32_t)(p->seq - c->next) <= 0 && (int32_t)(end - c->next) > 0)
			c->next = end;
	}
	if (p->tcp_flags & TCP_ACK)
		MUST((int32_t)(p->ack - c->sent) <= 0);
}

static void look(void)
{
	for (struct bed_frame *f = bed_next(&bed); f; f = bed_next(&bed)) {
		struct packet p;

		if (packet_parse(f->data, f->len, &f->offload, &p) == VERDICT_FORWARDED && p.proto == PROTO_TCP)
			look_at_tcp(&p);
		free(f);
	}
	MUST(bed.bad == 0);
}

/* ---- the remote ends ---- */

static void remote_write(unsigned i, uint32_t size)
{
	static uint8_t buffer[65536];
	ssize_t n;

	for (uint32_t k = 0; k < size; k++)
		buffer[k] = to_guest_byte(remote_sent[i] + k);
	n = send(remotes[i], buffer, size, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		remote_sent[i] += (uint64_t)n;
}

static void remote_read(unsigned i)
{
	static uint8_t buffer[65536];
	ssize_t n = (ssize_t)syscall(SYS_recvfrom, remotes[i], buffer, sizeof(buffer), MSG_DONTWAIT, NULL, NULL);

	for (ssize_t k = 0; k < n && remote_stream[i]; k++)
		MUST(buffer[k] == to_remote_byte(remote_got[i] + (uint64_t)k));
	if (n > 0)
		remote_got[i] += (uint64_t)n;
}

static void remote(struct input *in)
{
	unsigned i = nremotes ? take(in, 1) % nremotes : 0, what = take(in, 1), size = take(in, 1);

	if (!nremotes || remotes[i] < 0)
		return;
	if (what % 8 < 4) {
		remote_write(i, what & 8 ? size * 250 : size);
	} else if (what % 8 < 6) {
		remote_read(i);
	} else if (what % 8 == 6) {
		shutdown(remotes[i], SHUT_WR);
	} else {
		close(remotes[i]);
		remotes[i] = -1;
	}
}

/* ---- the rest ---- */

/* report() - the network says something about what was sent last */
static void report(struct input *in)
{
	static const int errors[] = { EHOSTUNREACH, ENETUNREACH, ECONNREFUSED, EMSGSIZE, EACCES, EPROTO };
	unsigned i = nremotes ? take(in, 1) % nremotes : 0;
	uint32_t how = take(in, 1);

	if (!nremotes || remotes[i] < 0)
		return;
	fds[nat_ends[i]].report.error = errors[how % ARRAY_SIZE(errors)];
	fds[nat_ends[i]].report.offender = take(in, 4);
	fds[nat_ends[i]].report.what = (struct sock_extended_err){
		.ee_errno = (uint32_t)errors[how % ARRAY_SIZE(errors)], .ee_origin = (uint8_t)(how >> 4 & 3), .ee_type = (uint8_t)take(in, 1),
		.ee_code = (uint8_t)take(in, 1), .ee_info = take(in, 2), .ee_data = take(in, 1),
	};
}

/* polite() - some rounds of a conversation as it should be: all that came is acknowledged, and more is sent and read */
static void polite(struct input *in)
{
	uint32_t i = take(in, 1), how = take(in, 1), size = take(in, 1) * 20;
	struct conn *c = &conns[i % CONNS];

	if (!c->used || !c->synced)
		return;
	for (unsigned round = 0; round < how % 16; round++) {
		segment(c, how & 16 && round + 1 == how % 16 ? TCP_ACK | TCP_FIN : TCP_ACK, c->sent, c->next, (uint16_t)(how << 8), size, 0);
		bed_turn(&bed, 0);
		look();
		for (unsigned k = 0; k < nremotes; k++) {
			if (remotes[k] < 0 || remote_conn[k] != c - conns)
				continue;
			remote_read(k);
			if (how & 32)
				remote_write(k, size);
		}
	}
}

/* complain() - what the guest says by ICMP about a segment that it got, or should have got */
static void complain(struct input *in)
{
	const struct conn *c = &conns[take(in, 1) % CONNS];

	if (c->used)
		guest_segment_error(in, c->remote, c->guest, c->dport, c->sport, c->next);
}

static void icmp(struct input *in, uint32_t how)
{
	if (how & 128)
		answer(how);
	else if (how & 64)
		guest_error(in, how);
	else
		ping(in, how);
}

static void more(struct input *in, uint32_t what)
{
	switch (what) {
	case 0:
		clients_waiting += clients_waiting < 4;
		break;
	case 1:
		polite(in);
		break;
	case 2:
		complain(in);
		break;
	case 3: case 4:
		fragment(in);
		break;
	case 5:
		report(in);
		break;
	case 6:
		icmp(in, take(in, 1));
		break;
	default:
		bind_error = bind_error ? 0 : EADDRINUSE;
	}
}

static void set_conf(uint32_t bits)
{
	struct nat_conf conf = bed.conf;

	conf.host_access = bits % 3;
	conf.uplink = !(bits & 4);
	conf.filter_any = bits & 8;
	conf.flows_max = bits & 16 ? 3 : 0;
	conf.half_open_max = bits & 32 ? 1 : 0;
	conf.no_peek_offset = bits & 64;
	nat_set_conf(bed.nat, &conf);
}

static void step(struct input *in)
{
	static const int errors[] = { 0, EINPROGRESS, ECONNREFUSED, ENETUNREACH, EHOSTUNREACH, EACCES, ETIMEDOUT, EADDRNOTAVAIL };
	uint32_t op = take(in, 1), v;

	switch (op % 16) {
	case 0: case 1: case 2: case 3: case 4: case 5:
		guest_tcp(in);
		break;
	case 6: case 7: case 8:
		remote(in);
		break;
	case 9:
		v = take(in, 1);
		bed_advance(&bed, 1ull << v % 24);
		break;
	case 10:
		guest_udp(in);
		break;
	case 11:
		raw(in);
		break;
	case 12:
		connect_error = errors[take(in, 1) % ARRAY_SIZE(errors)];
		break;
	case 13:
		bed.full = take(in, 1) & 1;
		break;
	case 14:
		v = take(in, 1);
		if (v == 255)
			nat_forget_port(bed.nat, 1);
		else
			set_conf(v);
		break;
	default:
		more(in, op >> 5);
	}
	if (!(op & 16))
		bed_turn(&bed, 0);
	look();
}

static struct forward *listener(int *other)
{
	int pair[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
	memset(&fds[pair[0]], 0, sizeof(fds[0]));
	fds[pair[0]].listener = true;
	*other = pair[1];
	MUST(write(pair[1], "", 1) == 1);	/* readable for ever: level-triggered, as with clients in the queue */
	return forward_new(bed.nat, IPPROTO_TCP, pair[0], &(struct forward_target){ .port = 1, .ip = addr4(BED_GUEST), .to_port = 80 }, bed.w);
}

static void finish(struct forward *forward, int other)
{
	struct nat_counts counts;

	MUST(forward_stop(forward));
	MUST(nat_stop(bed.nat));
	bed_turn(&bed, 0);
	bed_turn(&bed, 0);
	MUST(nat_stopped(bed.nat));
	nat_count(bed.nat, &counts);
	MUST(counts.flows == 0);
	MUST(budget_used() <= ++stopping);	/* their listeners, until a grace period has passed */
	MUST(timers_next(&bed.w->timers) == UINT64_MAX && bed.w->watched == 0);
	rawicmp_give(0, 0, 0, -1, -1);
	bed_flush(&bed);
	urcu_qsbr_quiescent_state();
	nat_free(bed.nat);
	gateway_free(bed.gateway);
	stations_free(bed.snap->nets[0].segments[0].stations);
	worker_free(bed.w);
	snapshot_free(bed.snap);
	for (unsigned i = 0; i < nremotes; i++)
		if (remotes[i] >= 0)
			close(remotes[i]);
	close(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool registered;
	static unsigned runs;
	struct nat_conf conf = { .host_access = HOST_LOOPBACK, .uplink = true };
	struct input in = { data, data + size };
	struct forward *forward;
	uint32_t how;
	int other;

	if (!registered)
		urcu_qsbr_register_thread();
	registered = true;
	nremotes = 0;
	connect_error = bind_error = 0;
	clients_waiting = 0;
	memset(conns, 0, sizeof(conns));
	how = take(&in, 1);
	conf.no_peek_offset = how & 1;
	has_raw = false;
	if (how & 2)
		give_raw();
	bed_init(&bed, &conf, 1);
	bed_station(&bed, 1, BED_GUEST);
	forward = listener(&other);
	MUST(forward != NULL);
	while (in.at < in.end)
		step(&in);
	finish(forward, other);
	if (++runs % 256 == 0) {
		urcu_qsbr_barrier();		/* descriptors that wait for a grace period */
		stopping = 0;
		MUST(budget_used() == 0);
	}
	return 0;
}
