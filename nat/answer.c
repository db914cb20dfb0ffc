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

enum { ICMP_ROOM = 128 };

struct site answer_site(const struct arrival *a)
{
	return (struct site){ a->segment, a->local_port, a->segment->net->mtu, port_window(a->from->port) };
}

/* RFC 1122 3.2.2: not about an ICMP error, nor about what was not addressed to one host or came from none */
static bool may_answer(const struct packet *p)
{
	if (p->proto == PROTO_ICMP && p->icmp_type != ICMP_ECHO_REQUEST)
		return false;
	return p->src && p->src >> 28 < 14 && p->src >> 24 != 127 && p->dst >> 28 != 14 && p->dst != 0xffffffff;
}

void answer_icmp(struct worker *w, const struct arrival *a, const struct packet *p, struct limit *limit, uint8_t type,
		 uint8_t code)
{
	const struct segment *seg = a->segment;
	uint8_t data[ICMP_ROOM];
	struct frame frame;

	if (!may_answer(p) || !limit_take(limit, worker_now_ms(w)))
		return;
	frame_init(&frame, data,
		   build_icmp_error(data, p->data + MAC_SIZE, seg->gateway_mac, seg->gateway, type, code, 0, p));
	frame.vid = seg->vid;
	worker_emit(w, a->local_port, &frame, 1);
}

void answer_reset(struct worker *w, const struct arrival *a, const struct packet *p)
{
	struct site site = answer_site(a);
	struct tcp_out out = {
		.src = p->dst, .dst = p->src, .sport = p->dport, .dport = p->sport, .mac = p->data + MAC_SIZE,
	};

	if (p->tcp_flags & TCP_RST)
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
