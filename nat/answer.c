// SPDX-License-Identifier: GPL-2.0-or-later
#include "nat/answer.h"

#include "base/bytes.h"
#include "nat/limit.h"
#include "nat/shard.h"
#include "nat/tcp_wire.h"
#include "switch/build.h"
#include "switch/service.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

struct site answer_site(const struct arrival *a)
{
	return (struct site){ a->segment, a->local_port, a->segment->net->mtu, port_window(a->from->port) };
}

/* RFC 1122 3.2.2: not about an ICMP error, nor about what was not addressed to one host or came from none */
static bool may_answer(const struct packet *p)
{
	if (packet_is_icmp(p) && p->icmp_type != (packet_is_ip6(p) ? ICMP6_ECHO_REQUEST : ICMP_ECHO_REQUEST))
		return false;
	if (packet_is_ip6(p))		/* RFC 4443 2.4e; a multicast destination may be answered in cases that are not ours */
		return !addr_is_none(p->src) && !addr_is_multicast(p->src) && !addr_is_multicast(p->dst);
	return addr_4(p->src) && addr_4(p->src) >> 28 < 14 && !addr_is_loopback(p->src) && !addr_is_multicast(p->dst) &&
	       addr_4(p->dst) != 0xffffffff;
}

void answer_as_icmp6(uint8_t *type, uint8_t *code)
{
	static const uint8_t codes[] = {
		[ICMP_UNREACHABLE_NET] = ICMP6_NO_ROUTE, [ICMP_UNREACHABLE_HOST] = ICMP6_ADDRESS_UNREACHABLE,
		[ICMP_UNREACHABLE_PORT] = ICMP6_PORT_UNREACHABLE, [ICMP_NET_PROHIBITED] = ICMP6_PROHIBITED,
		[ICMP_HOST_PROHIBITED] = ICMP6_PROHIBITED, [ICMP_ADMIN_PROHIBITED] = ICMP6_PROHIBITED,
	};
	bool next_header = *type == ICMP_UNREACHABLE && *code == ICMP_UNREACHABLE_PROTOCOL;

	if (*type == ICMP_UNREACHABLE)
		*code = next_header ? ICMP6_UNKNOWN_NEXT_HEADER : *code < sizeof(codes) ? codes[*code] : ICMP6_NO_ROUTE;
	*type = *type == ICMP_TIME_EXCEEDED ? ICMP6_TIME_EXCEEDED : next_header ? ICMP6_PARAMETER_PROBLEM : ICMP6_UNREACHABLE;
}

/* next_header_at() - offset in the IPv6 packet of the byte that names its transport protocol (RFC 4443 3.4) */
static uint32_t next_header_at(const struct packet *p)
{
	uint32_t named_at = ETH_HEADER + 6, at = ETH_HEADER + IP6_HEADER;

	while (at < p->l4) {
		named_at = at;
		at += 8 * (p->data[at + 1] + 1u);
	}
	return named_at - ETH_HEADER;
}

/* send_error() - @type and @code are of the packet's family; @word is what stands in the error's second half */
static void send_error(struct worker *w, const struct site *site, const uint8_t *mac, const struct packet *p, uint8_t type, uint8_t code,
		       uint32_t word)
{
	const struct segment *seg = site->segment;
	struct addr from = segment_gateway(seg, p->src);
	uint8_t data[ICMP_ERROR_ROOM];
	struct frame frame;

	frame_init(&frame, data, build_icmp_error(data, mac, seg->gateway_mac, from, type, code, word, p));
	frame.vid = seg->vid;
	worker_emit(w, site->local_port, &frame, 1);
}

void answer_error(struct worker *w, const struct site *site, const uint8_t *mac, const struct packet *p, struct limit *limit,
		  uint8_t type, uint8_t code)
{
	bool parameter;

	if (!may_answer(p) || !limit_take(limit, worker_now_ms(w)))
		return;
	if (packet_is_ip6(p))
		answer_as_icmp6(&type, &code);
	parameter = packet_is_ip6(p) && type == ICMP6_PARAMETER_PROBLEM;
	send_error(w, site, mac, p, type, code, parameter ? next_header_at(p) : 0);
}

void answer_too_big(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit, uint32_t mtu)
{
	struct site site = answer_site(a);
	bool ip6 = packet_is_ip6(p);

	if (!a->trial && may_answer(p) && limit_take(limit, worker_now_ms(w)))
		send_error(w, &site, p->data + MAC_SIZE, p, ip6 ? ICMP6_TOO_BIG : ICMP_UNREACHABLE, ip6 ? 0 : ICMP_FRAGMENTATION_NEEDED, mtu);
}

void answer_icmp(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit, uint8_t type,
		 uint8_t code)
{
	struct site site = answer_site(a);

	if (!a->trial)
		answer_error(w, &site, p->data + MAC_SIZE, p, limit, type, code);
}

void answer_reset(struct worker *w, const struct arrival *a, const struct packet *p)
{
	struct site site = answer_site(a);
	struct tcp_out out = {
		.src = p->dst, .dst = p->src, .sport = p->dport, .dport = p->sport, .mac = p->data + MAC_SIZE,
	};

	if (a->trial || p->tcp_flags & TCP_RST)
		return;
	if (p->tcp_flags & TCP_ACK) {
		out.flags = TCP_RST;
		out.seq = p->ack;
	} else {
		out.flags = TCP_RST | TCP_ACK;
		out.ack = p->seq + packet_payload_len(p) + !!(p->tcp_flags & TCP_SYN) + !!(p->tcp_flags & TCP_FIN);
	}
	tcp_wire_send(w, &site, &out);
}
