/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/nat_bed.h - a network with a gateway and NAT in front of real loopback sockets, and guests made by the test
 *
 * Network 1 is 10.0.0.0/24 and fd00::/64 (gateway .1, ::1) with guest ports 1 and 2, network 2 is 10.9.0.0/24 and fd00:9::/64. The gateway's address
 * leads to 127.0.0.1 (::1), where the test has its servers. With BED_IP6 defined, guests and servers speak IPv6. Each frame that goes to a guest is checked as a port would check it, and queued.
 */
#ifndef TESTS_NAT_BED_H
#define TESTS_NAT_BED_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "nat/gateway.h"
#include "nat/nat.h"
#include "switch/build.h"
#include "switch/offload.h"
#include "switch/packet.h"
#include "switch/port.h"
#include "switch/service.h"
#include "switch/snapshot.h"
#include "switch/station.h"
#include "tests/packet/fake_worker.h"

#define MAYBE_UNUSED __attribute__((unused))

enum {
	BED_GATEWAY = 0x0a000001, BED_GUEST = 0x0a00000f, BED_GUEST2 = 0x0a000010, BED_MTU = 1500, BED_PORTS = 4,
	BED_LOOPBACK = 0x7f000001,
};

static const uint8_t bed_gateway_mac[6] = { 2, 0, 0, 0, 0, 1 };
static const uint8_t bed_guest_mac[6] = { 2, 0, 0, 0, 0, 15 };

#ifdef BED_IP6
enum { bed_ip6 = 1 };
#else
enum { bed_ip6 = 0 };
#endif

/* bed_address() - fd00::@low */
static MAYBE_UNUSED struct addr bed_address(uint8_t low)
{
	return (struct addr){ .bytes = { 0xfd, [15] = low } };
}

static MAYBE_UNUSED struct addr bed_guest_address(void)
{
	return bed_ip6 ? bed_address(15) : addr4(BED_GUEST);
}

static MAYBE_UNUSED struct addr bed_gateway_address(void)
{
	return bed_ip6 ? bed_address(1) : addr4(BED_GATEWAY);
}

struct bed_frame {
	struct bed_frame *next;
	uint32_t len;
	struct offload offload;
	uint8_t data[];
};

struct bed {
	struct worker *workers[2];
	struct worker *w;		/* workers[0] */
	unsigned nworkers;
	struct snapshot *snap;
	struct port ports[BED_PORTS];
	struct port_queue queues[BED_PORTS];
	struct gateway *gateway;
	struct nat *nat;
	struct nat_conf conf;
	struct bed_frame *first, **last;
	unsigned queued;
	bool (*lose)(struct bed *bed, const struct frame *frame);	/* taken, but it never arrives */
	bool full;			/* the port takes nothing */
	struct trial *trial;		/* what is put in is not real; or NULL */
	unsigned bad;			/* frames that no port would have accepted */
	unsigned verdicts[VERDICT_COUNT];
	uint64_t random;
};

static MAYBE_UNUSED uint32_t bed_random(struct bed *bed)
{
	bed->random ^= bed->random << 13;
	bed->random ^= bed->random >> 7;
	bed->random ^= bed->random << 17;
	return (uint32_t)(bed->random >> 16);
}

static bool bed_good(const struct bed_frame *f)
{
	struct frame frame;
	struct packet p;
	enum verdict v;

	frame_init(&frame, (void *)(uintptr_t)f->data, f->len);
	frame.offload = f->offload;
	if (get_u16(f->data + 12) == ETHERTYPE_IP4 && (get_u16(f->data + 20) & 0x3fff))
		return f->len <= ETH_HEADER + BED_MTU;		/* fragments are looked at by their test */
	if (get_u16(f->data + 12) == ETHERTYPE_IP6 && f->data[20] == 44)
		return f->len <= ETH_HEADER + BED_MTU;
	if (offload_check(&frame, BED_MTU) != VERDICT_FORWARDED)
		return false;
	v = packet_parse(f->data, f->len, &f->offload, &p);
	return v == VERDICT_FORWARDED;
}

static bool bed_take(void *context, struct worker *w, uint32_t from, const struct frame *frame)
{
	struct bed *bed = context;
	struct bed_frame *f;

	(void)w;
	if (from != 0 || frame->vid != 1)
		bed->bad++;
	if (bed->full)
		return false;
	f = malloc(sizeof(*f) + frame->len);
	frame_linear(frame, f->data);
	f->len = frame->len;
	f->offload = frame->offload;
	f->next = NULL;
	if (!bed_good(f))
		bed->bad++;
	if (bed->lose && bed->lose(bed, frame)) {
		free(f);
		return true;
	}
	*bed->last = f;
	bed->last = &f->next;
	bed->queued++;
	return true;
}

/* bed_next() - the oldest frame toward guests; the caller frees it */
static struct bed_frame *bed_next(struct bed *bed)
{
	struct bed_frame *f = bed->first;

	if (!f)
		return NULL;
	bed->first = f->next;
	bed->queued--;
	if (!bed->first)
		bed->last = &bed->first;
	return f;
}

static MAYBE_UNUSED void bed_flush(struct bed *bed)
{
	for (struct bed_frame *f = bed_next(bed); f; f = bed_next(bed))
		free(f);
}

/* bed_input_from() - a frame from the guest at port @id, as the local port would offer it */
static enum verdict bed_input_from(struct bed *bed, uint32_t id, uint8_t *data, uint32_t len, const struct offload *offload)
{
	static const struct offload none;
	const struct segment *seg = &bed->snap->nets[0].segments[0];
	const struct net_view *net = &bed->snap->nets[0];
	struct frame frame;
	struct arrival a = { .segment = &net->segments[0], .from = &bed->snap->ports[id], .frame = &frame, .trial = bed->trial };
	struct packet p;
	enum verdict v = packet_parse(data, len, offload ? offload : &none, &p);

	if (v == VERDICT_DROP_FRAGMENT) {	/* as local_input() does */
		struct service *nat = seg->services[1];
		const uint8_t *whole;

		frame_init(&frame, data, len);
		whole = nat->ops->assemble(nat, bed->workers[bed->queues[id].worker], &a, data, &len, &v);
		if (whole) {
			data = (uint8_t *)(uintptr_t)whole;
			v = packet_parse(data, len, &none, &p);
		}
	}
	frame_init(&frame, data, len);
	frame.offload = offload ? *offload : none;
	if (v == VERDICT_FORWARDED) {
		v = VERDICT_DROP_NO_ROUTE;
		for (unsigned i = 0; i < net->segments[0].nservices; i++)
			if (net->segments[0].services[i]->ops->input(net->segments[0].services[i],
								     bed->workers[bed->queues[id].worker], &a, &p, &v))
				break;
	}
	bed->verdicts[v] += !bed->trial;
	return v;
}

static MAYBE_UNUSED enum verdict bed_input(struct bed *bed, uint8_t *data, uint32_t len)
{
	return bed_input_from(bed, 1, data, len, NULL);
}

/* bed_udp() - a datagram from the guest */
static MAYBE_UNUSED enum verdict bed_udp(struct bed *bed, uint16_t sport, uint32_t dst, uint16_t dport, const void *payload,
					 uint32_t size)
{
	static uint8_t data[66000];

	return bed_input(bed, data, build_udp_frame(data, bed_gateway_mac, bed_guest_mac, addr4(BED_GUEST), sport, addr4(dst), dport, payload, size));
}

static void bed_net(struct bed *bed, unsigned i, uint32_t net_id, uint32_t subnet)
{
	struct net_view *net = &bed->snap->nets[i];

	net->net_id = net_id;
	net->mtu = BED_MTU;
	net->segments = calloc(1, sizeof(*net->segments));
	net->nsegments = 1;
	net->members = calloc(BED_PORTS, sizeof(*net->members));
	net->segments[0] = (struct segment){
		.net = net, .vid = 1, .has_subnet = true, .subnet = { subnet, 24 }, .gateway = subnet + 1,
		.has_subnet6 = true, .subnet6 = { bed_address(0), 64 }, .gateway6_link = addr_link_local(bed_gateway_mac),
		.router = true, .resolver = true,
	};
	net->segments[0].subnet6.addr.bytes[3] = (uint8_t)(subnet >> 16);
	net->segments[0].gateway6 = net->segments[0].subnet6.addr;
	net->segments[0].gateway6.bytes[15] = 1;
	memcpy(net->segments[0].gateway_mac, bed_gateway_mac, 6);
}

static void bed_init(struct bed *bed, const struct nat_conf *conf, unsigned nworkers)
{
	struct segment *seg;

	memset(bed, 0, sizeof(*bed));
	bed->random = 88172645463325252ull;
	bed->last = &bed->first;
	bed->snap = snapshot_new(BED_PORTS, 2);
	bed_net(bed, 0, 1, 0x0a000000);
	bed_net(bed, 1, 2, 0x0a090000);
	seg = &bed->snap->nets[0].segments[0];
	for (unsigned i = 0; i < BED_PORTS - 1; i++) {
		bed->queues[i] = (struct port_queue){ .port = &bed->ports[i], .fd = -1, .worker = i == 2 ? nworkers - 1 : 0 };
		bed->ports[i] = (struct port){ .id = i, .nqueues = 1, .queues = &bed->queues[i] };
		bed->snap->ports[i] = (struct port_view){
			.port = &bed->ports[i], .net = &bed->snap->nets[0], .link_up = true, .vlan.pvid = 1, .local = i == 0,
		};
		bed->snap->nets[0].members[i] = &bed->snap->ports[i];
	}
	bed->snap->nets[0].nmembers = BED_PORTS - 1;
	bed->nworkers = nworkers;
	for (unsigned i = 0; i < nworkers; i++) {
		bed->workers[i] = worker_new(i, &bed->snap);
		bed->workers[i]->take = bed_take;
		bed->workers[i]->context = bed;
	}
	bed->w = bed->workers[0];
	bed->conf = *conf;
	bed->conf.net_id = 1;
	bed->gateway = gateway_new();
	bed->nat = nat_new(&bed->conf, bed->workers, nworkers);
	seg->stations = stations_new(64);
	seg->services[0] = gateway_service(bed->gateway);
	seg->services[1] = nat_service(bed->nat);
	seg->nservices = 2;
}

/* bed_station() - as if the guest at port @id had been seen */
static MAYBE_UNUSED void bed_station(struct bed *bed, uint32_t id, uint32_t ip)
{
	struct station s = { .ip = addr4(ip), .port = id, .source = STATION_ARP, .seen_ms = bed->w->now_ms };

	memcpy(s.mac, bed_guest_mac, 6);
	station_note(bed->snap->nets[0].segments[0].stations, &s, true);
}

static MAYBE_UNUSED unsigned bed_turn(struct bed *bed, int wait_ms)
{
	unsigned did = 0;

	for (unsigned i = 0; i < bed->nworkers; i++)
		did += fake_turn(bed->workers[i], i == 0 ? wait_ms : 0);
	return did;
}

static MAYBE_UNUSED void bed_advance(struct bed *bed, uint64_t ms)
{
	for (unsigned i = 0; i < bed->nworkers; i++)
		bed->workers[i]->now_ms += ms;
}

/* bed_skip() - let @ms pass in steps of at most @step, with all timers run on the way */
static MAYBE_UNUSED void bed_skip(struct bed *bed, uint64_t ms, uint64_t step)
{
	for (uint64_t left = ms; left;) {
		uint64_t n = left < step ? left : step;

		bed_advance(bed, n);
		left -= n;
		bed_turn(bed, 0);
	}
}

static MAYBE_UNUSED void bed_settle(struct bed *bed)
{
	while (bed_turn(bed, 1))
		;
}

static MAYBE_UNUSED void bed_fini(struct bed *bed)
{
	if (!nat_stop(bed->nat))
		abort();
	bed_settle(bed);
	if (!nat_stopped(bed->nat))
		abort();
	bed_flush(bed);
	urcu_qsbr_barrier();
	nat_free(bed->nat);
	gateway_free(bed->gateway);
	stations_free(bed->snap->nets[0].segments[0].stations);
	for (unsigned i = 0; i < bed->nworkers; i++)
		worker_free(bed->workers[i]);
	snapshot_free(bed->snap);
}

/* bed_descriptors() - how many this process has open */
static MAYBE_UNUSED unsigned bed_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* bed_listen() - a socket on 127.0.0.1 or ::1, listening if it is TCP; *port tells where */
static MAYBE_UNUSED int bed_listen(int type, uint16_t *port)
{
	union sock_addr a;
	socklen_t size = addr_to_sock(bed_ip6 ? (struct addr){ .bytes = { [15] = 1 } } : addr4(BED_LOOPBACK), 0, &a);
	int fd = socket(a.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, &a.any, size) < 0 || getsockname(fd, &a.any, &size) < 0)
		abort();
	if (type == SOCK_STREAM && listen(fd, 64) < 0)
		abort();
	*port = sock_addr_port(&a);
	return fd;
}

#endif
