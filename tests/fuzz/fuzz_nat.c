// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* covers: nat/tcp_in.c nat/tcp.c nat/tcp_wire.c nat/tcp_out.c nat/tcp_open.c nat/answer.c nat/policy.c nat/gateway.c nat/gateway6.c */
/* max_len: 2048 */
/* The input plays a guest, the remote ends and the clock, whole conversations deep, on sockets that lead nowhere: socket(),
 * connect() and their like are this file's own and make pairs of unix sockets. What must hold whatever happens: each
 * frame to the guest is one that a port accepts, each byte in either direction stands where it belongs, nothing that was not sent
 * is acknowledged, and in the end no descriptor and no flow is left.
 */
#include <netinet/udp.h>
#include <sys/syscall.h>

#include "base/array.h"
#include "nat/budget.h"
#include "nat/forward.h"
#include "tests/packet/nat_bed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(x) ((x) ? (void)0 : (fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x), abort()))

enum { CONNS = 6, FDS = 4096, REMOTES = 64, SERVER_PORT = 7000, GUEST_PORT = 40000, WILD = 16 << 20 };

/* ---- sockets ---- */

static struct {
	int remote;			/* the other end, plus one */
	bool listener, stream;
	union sock_addr peer;		/* UDP: last destination */
} fds[FDS];
static int remotes[REMOTES];		/* the test's ends, in the order in which they were made */
static bool remote_stream[REMOTES];
static uint64_t remote_sent[REMOTES], remote_got[REMOTES];
static int remote_conn[REMOTES];	/* which of the guest's connections, or -1 */
static unsigned nremotes;
static int connect_error, next_conn;
static unsigned clients_waiting;
static unsigned stopping;		/* forwards, since the last barrier */

static uint8_t to_guest_byte(uint64_t at)
{
	return (uint8_t)(at * 7 + (at >> 8));
}

static uint8_t to_remote_byte(uint64_t at)
{
	return (uint8_t)(at * 13 + (at >> 7));
}

static int make_pair(int type, int conn)
{
	int pair[2];

	if (nremotes == REMOTES || socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
		errno = EMFILE;
		return -1;
	}
	MUST(pair[0] < FDS);
	memset(&fds[pair[0]], 0, sizeof(fds[0]));
	fds[pair[0]].remote = pair[1] + 1;
	fds[pair[0]].stream = type == SOCK_STREAM;
	remotes[nremotes] = pair[1];
	remote_stream[nremotes] = type == SOCK_STREAM;
	remote_sent[nremotes] = remote_got[nremotes] = 0;
	remote_conn[nremotes++] = conn;
	return pair[0];
}

int socket(int domain, int type, int protocol)
{
	(void)protocol;
	MUST(domain == AF_INET || domain == AF_INET6);
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	return make_pair(type, type == SOCK_STREAM ? next_conn : -1);
}

int connect(int fd, const struct sockaddr *to, socklen_t size)
{
	(void)fd, (void)to, (void)size;
	errno = connect_error;
	return connect_error ? -1 : 0;
}

int bind(int fd, const struct sockaddr *to, socklen_t size)
{
	(void)fd, (void)to, (void)size;
	errno = EADDRNOTAVAIL;
	return -1;
}

int getsockname(int fd, struct sockaddr *addr, socklen_t *size)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(8080), .sin_addr.s_addr = htonl(0xc0a80102) };

	MUST(fd >= 0);
	memcpy(addr, &a, sizeof(a));
	*size = sizeof(a);
	return 0;
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
	if (level == SOL_SOCKET && name == SO_ERROR && connect_error && connect_error != EINPROGRESS) {
		*(int *)value = connect_error;
		return 0;
	}
	return (int)syscall(SYS_getsockopt, fd, level, name, value, size);
}

int accept4(int fd, struct sockaddr *addr, socklen_t *size, int flags)
{
	(void)addr, (void)size, (void)flags;
	MUST(fds[fd].listener);
	errno = EAGAIN;
	if (!clients_waiting)
		return -1;
	clients_waiting--;
	return make_pair(SOCK_STREAM, -1);
}

ssize_t recv(int fd, void *to, size_t size, int flags)
{
	static uint8_t waste[65536];
	size_t done = 0;

	if (!(flags & MSG_TRUNC))
		return (ssize_t)syscall(SYS_recvfrom, fd, to, size, flags, NULL, NULL);
	while (done < size) {		/* unix sockets cannot discard */
		size_t n = size - done < sizeof(waste) ? size - done : sizeof(waste);
		ssize_t got = (ssize_t)syscall(SYS_recvfrom, fd, waste, n, MSG_DONTWAIT, NULL, NULL);

		if (got <= 0)
			return done ? (ssize_t)done : got;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	struct msghdr plain = *msg;

	if (msg->msg_name)
		memcpy(&fds[fd].peer, msg->msg_name, msg->msg_namelen);
	plain.msg_name = NULL;
	plain.msg_namelen = 0;
	plain.msg_control = NULL;
	plain.msg_controllen = 0;
	return (ssize_t)syscall(SYS_sendmsg, fd, &plain, flags);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t to_size)
{
	memcpy(&fds[fd].peer, to, to_size < sizeof(fds[fd].peer) ? to_size : sizeof(fds[fd].peer));
	return (ssize_t)syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
}

ssize_t recvfrom(int fd, void *data, size_t size, int flags, struct sockaddr *from, socklen_t *from_size)
{
	memcpy(from, &fds[fd].peer, sizeof(fds[fd].peer));
	*from_size = sizeof(fds[fd].peer);
	return (ssize_t)syscall(SYS_recvfrom, fd, data, size, flags, NULL, NULL);
}

int recvmmsg(int fd, struct mmsghdr *msgs, unsigned n, int flags, struct timespec *timeout)
{
	int got = (int)syscall(SYS_recvmmsg, fd, msgs, n, flags, timeout);

	for (int i = 0; i < got; i++)
		memcpy(msgs[i].msg_hdr.msg_name, &fds[fd].peer, sizeof(fds[fd].peer));
	return got;
}

/* ---- the guest ---- */

struct conn {
	bool used;
	struct addr guest, remote;
	uint16_t sport, dport;
	uint32_t iss, sent;		/* first sequence number; highest that went out */
	uint32_t irs, next;		/* theirs; what the guest expects next */
	bool synced;
};

static struct bed bed;
static struct conn conns[CONNS];
static const struct addr far6 = { .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 5 } };

struct input {
	const uint8_t *at, *end;
};

static uint32_t take(struct input *in, unsigned n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | (in->at < in->end ? *in->at++ : 0);
	return v;
}

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

/* raw6() - the same bytes as IPv6; ICMPv6 with a right checksum, which discovery is not looked at without */
static void raw6(uint8_t *frame, uint32_t n, uint32_t keep)
{
	uint8_t *ip = frame + ETH_HEADER, *icmp = ip + IP6_HEADER;

	put_u16(frame + 12, ETHERTYPE_IP6);
	if (n < ETH_HEADER + IP6_HEADER + ICMP_HEADER)
		return;
	n -= ETH_HEADER + IP6_HEADER;
	if (keep & 2)
		build_ip6(ip, keep & 8 ? addr6(ip + 8) : keep & 32 ? addr_link_local(bed_guest_mac) : bed_address(15),
			  keep & 64 ? bed_address(1) : addr6(ip + 24), ip[6], ip[7], n);
	if (ip[6] != PROTO_ICMP6)
		return;
	put_u16(icmp + 2, 0);
	put_u16(icmp + 2, checksum_finish(checksum_add(checksum_pseudo6(ip + 8, ip + 24, PROTO_ICMP6, n), icmp, n)));
}

static void raw(struct input *in)
{
	uint8_t frame[512] = { 0 };
	uint32_t n = take(in, 1), keep = take(in, 1);

	memcpy(frame, bed_gateway_mac, 6);
	memcpy(frame + 6, bed_guest_mac, 6);
	put_u16(frame + 12, ETHERTYPE_IP4);
	for (uint32_t i = keep & 1 ? 14 : 0; i < n; i++)
		frame[i] = (uint8_t)take(in, 1);
	if (keep & 2 && n >= ETH_HEADER + IP4_HEADER) {		/* as it should be, but for what the input says */
		build_ip4(frame + ETH_HEADER, keep & 8 ? get_u32(frame + 26) : BED_GUEST, get_u32(frame + 30), frame[23], frame[22],
			  n - ETH_HEADER - IP4_HEADER);
	}
	if (keep & 16)
		raw6(frame, n, keep);
	bed_input_from(&bed, 1, frame, n, &(struct offload){ .flags = keep >> 2 & 1 });
}

static void guest_udp(struct input *in)
{
	static const uint32_t to[] = { BED_GATEWAY, 0xcb007105, 0x0a090001, 0x7f000001, 0xa9fea9fe, 0xe0000001, 0x08080808, BED_GUEST2 };
	static const struct addr to6[] = {
		{ .bytes = { 0xfd, [15] = 1 } }, { .bytes = { 0x20, 1, 0xd, 0xb8, [15] = 5 } }, { .bytes = { 0xfd, 0, 0, 9, [15] = 1 } },
		{ .bytes = { [15] = 1 } }, { .bytes = { 0xfe, 0x80, [15] = 1 } }, { .bytes = { 0xff, 2, [15] = 1 } },
	};
	static uint8_t payload[5000], frame[6000];
	uint32_t how = take(in, 1), size;

	if (how & 32) {
		size = take(in, 1) * (how & 64 ? 4u : 1u);
		bed_input(&bed, frame, build_udp_frame(frame, bed_gateway_mac, bed_guest_mac, bed_address(15), (uint16_t)(5000 + (how >> 3) % 4),
						       to6[how % 8 % ARRAY_SIZE(to6)], how & 128 ? 53 : 99, payload, size));
		return;
	}
	bed_udp(&bed, (uint16_t)(5000 + (how >> 3) % 4), to[how % 8], how & 128 ? 53 : 99, payload, take(in, 1) * (how & 64 ? 16 : 1));
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
		clients_waiting += clients_waiting < 4;
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
	int other;

	if (!registered)
		urcu_qsbr_register_thread();
	registered = true;
	nremotes = 0;
	connect_error = 0;
	clients_waiting = 0;
	memset(conns, 0, sizeof(conns));
	conf.no_peek_offset = take(&in, 1) & 1;
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
