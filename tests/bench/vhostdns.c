// SPDX-License-Identifier: GPL-2.0-or-later
/* tests/bench/vhostdns.c - DNS queries from a virtual machine that is only its network device, and a look at each answer
 *
 *	vhostdns [OPTION]... SOCKET
 *
 * SOCKET is a path where the switch listens. Asked are the names h0 to hN-1 of a domain in random order, and one time in ten a name x0 to xN-1
 * that is not there. h<i> has the address BASE + i. So many queries are under way at once; one that is not answered for a second is lost.
 *
 *	--ip A          the guest's address (10.77.0.9)     --gateway A     whom it asks (10.77.0.1)
 *	--domain D      (lab.internal)                      --base A        of h0 (10.77.1.0)
 *	--names N       (10000)                             --flight N      queries under way (512)
 *	--seconds N     of measuring (2)                    --cpu N         where to run (1)
 *
 * Prints one JSON object. `right` are answers to what was asked, with the address or with NXDOMAIN; all others are `wrong`.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "dhcp/dns_message.h"
#include "switch/build.h"
#include "tests/packet/ring_link.h"

enum { NAMES_MAX = 60000, FLIGHT_MAX = 8192, QUERY_MAX = 96, MISSING_EVERY = 10, PORT = 4000, WARM_MS = 300, PATIENCE_MS = 1000 };

static struct {
	struct addr ip, gateway, base;
	const char *domain;
	unsigned names, flight, cpu;
	double seconds;
} opt = { .domain = "lab.internal", .names = 10000, .flight = 512, .cpu = 1, .seconds = 2 };

/* question - a query as it is sent, headers in front; made once */
struct question {
	uint16_t len;			/* of the frame */
	uint16_t size;			/* of the question within */
	uint8_t frame[QUERY_MAX];
};

static struct ring_link guest;
static struct question *questions;	/* those that have answers, then as many that have none */
static uint32_t asked[FLIGHT_MAX];	/* by the id of a query on its way: its question, and one more; 0: none */
static uint16_t idle[FLIGHT_MAX];	/* ids that are on no way */
static unsigned nidle;
static uint64_t right, wrong, lost, random_state = 1;

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "vhostdns: %s: %s\n", what, why);
	exit(1);
}

/* ---- options ---- */

static unsigned number(const char *text, unsigned min, unsigned max)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || end == text || n < min || n > max)
		die(text, "not a number that may be");
	return (unsigned)n;
}

static struct addr address(const char *text)
{
	struct addr a;

	if (addr_parse(text, &a) < 0 || !addr_is4(a))
		die(text, "not an IPv4 address");
	return a;
}

static void options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ip", 1, NULL, 'i' }, { "gateway", 1, NULL, 'g' }, { "domain", 1, NULL, 'd' }, { "base", 1, NULL, 'b' },
		{ "names", 1, NULL, 'n' }, { "flight", 1, NULL, 'f' }, { "seconds", 1, NULL, 't' }, { "cpu", 1, NULL, 'c' }, { 0 },
	};

	opt.ip = address("10.77.0.9"), opt.gateway = address("10.77.0.1"), opt.base = address("10.77.1.0");
	for (int o; (o = getopt_long(argc, argv, "", longs, NULL)) >= 0;) {
		switch (o) {
		case 'i': opt.ip = address(optarg); break;
		case 'g': opt.gateway = address(optarg); break;
		case 'd': opt.domain = optarg; break;
		case 'b': opt.base = address(optarg); break;
		case 'n': opt.names = number(optarg, 1, NAMES_MAX); break;
		case 'f': opt.flight = number(optarg, 1, FLIGHT_MAX); break;
		case 't': opt.seconds = number(optarg, 1, 3600); break;
		case 'c': opt.cpu = number(optarg, 0, CPU_SETSIZE - 1); break;
		default: exit(2);
		}
	}
	if (argc - optind != 1)
		die("usage", "vhostdns [OPTION]... SOCKET");
}

/* ---- queries ---- */

static void make_question(struct question *q, char letter, unsigned i)
{
	uint8_t query[QUERY_MAX];
	struct writer w = writer_init(query, sizeof(query));
	struct dns_name name;
	char text[64];

	snprintf(text, sizeof(text), "%c%u.%.30s", letter, i, opt.domain);
	if (dns_name_from_text(&name, text) < 0 || ETH_HEADER + IP4_HEADER + UDP_HEADER + DNS_HEADER_SIZE + name.size + 4u > QUERY_MAX)
		die(text, "not a name, or too long");
	write_u16(&w, 0);
	write_u16(&w, DNS_FLAG_RD);
	write_u16(&w, 1);
	write_zeros(&w, 6);
	write_bytes(&w, name.wire, name.size);
	write_u16(&w, DNS_A);
	write_u16(&w, DNS_CLASS_IN);
	q->size = (uint16_t)(name.size + 4);
	q->len = (uint16_t)build_udp_frame(q->frame, guest.gateway_mac, guest.mac, opt.ip, PORT, opt.gateway, DNS_PORT, query, (uint32_t)w.pos);
	put_u16(q->frame + ETH_HEADER + IP4_HEADER + 6, 0);	/* RFC 768: no checksum, for the id differs each time */
}

static uint32_t random_below(uint32_t n)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((random_state >> 32) * n >> 32);
}

/* ask_more() - as many as may be under way */
static void ask_more(void)
{
	uint8_t *to;

	while (nidle && (to = ring_link_room(&guest, 0))) {
		uint32_t i = random_below(opt.names) + (random_below(MISSING_EVERY) ? 0 : opt.names);
		uint16_t id = idle[--nidle];

		memcpy(to, questions[i].frame, QUERY_MAX);
		put_u16(to + ETH_HEADER + IP4_HEADER + UDP_HEADER, id);
		asked[id] = i + 1;
		ring_link_put(&guest, 0, questions[i].len, 0, 0, 0);
	}
}

/* is_right() - the answer to question @i */
static bool is_right(const uint8_t *data, uint32_t size, uint32_t i)
{
	const struct question *q = &questions[i];
	const uint8_t *question = q->frame + ETH_HEADER + IP4_HEADER + UDP_HEADER + DNS_HEADER_SIZE;
	bool missing = i >= opt.names;

	if (size < (uint32_t)DNS_HEADER_SIZE + q->size + 16 || memcmp(data + DNS_HEADER_SIZE, question, q->size) || !(data[2] & 0x80))
		return false;
	if ((data[3] & DNS_RCODE_MASK) != (missing ? DNS_NXDOMAIN : DNS_NOERROR) || get_u16(data + 6) != !missing)
		return false;
	return missing || get_u32(data + DNS_HEADER_SIZE + q->size + 12) == addr_4(opt.base) + i;
}

static void input(struct ring_link *l, unsigned pair, const struct packet *p)
{
	const uint8_t *data = packet_payload(p);
	uint32_t size = packet_payload_len(p);
	uint16_t id;

	(void)l, (void)pair;
	if (p->proto != PROTO_UDP || p->sport != DNS_PORT || size < DNS_HEADER_SIZE)
		return;
	id = get_u16(data);
	if (id >= opt.flight || !asked[id]) {
		wrong++;
		return;
	}
	if (is_right(data, size, asked[id] - 1))
		right++;
	else
		wrong++;
	asked[id] = 0;
	idle[nidle++] = id;
}

/* ---- measuring ---- */

static void give_up(void)
{
	for (unsigned id = 0; id < opt.flight; id++)
		if (asked[id]) {
			asked[id] = 0;
			idle[nidle++] = (uint16_t)id;
			lost++;
		}
}

/* run_for() - when nothing comes for a second, what is under way is lost */
static void run_for(uint64_t ms)
{
	uint64_t now = clock_now_ms(), end = now + ms, heard = now;

	for (; now < end; now = clock_now_ms()) {
		ask_more();
		ring_link_flush(&guest);
		if (ring_link_take(&guest))
			heard = now;
		else if (now - heard > PATIENCE_MS)
			give_up();
	}
}

static void resolve(void)
{
	uint64_t end = clock_now_ms() + 5 * PATIENCE_MS;

	while (!guest.resolved && clock_now_ms() < end) {
		ring_link_ask(&guest);
		ring_link_flush(&guest);
		ring_link_wait(&guest, 50);
		ring_link_take(&guest);
	}
	if (!guest.resolved)
		die("gateway", "does not answer");
}

int main(int argc, char **argv)
{
	struct vguest_conf conf = { .pairs = 1, .ring = 1024, .buffer = 2048, .mergeable = true };
	const char *why = NULL;
	cpu_set_t set;
	uint64_t before;

	options(argc, argv);
	CPU_ZERO(&set);
	CPU_SET(opt.cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	if (ring_link_open(&guest, conf, argv[optind], opt.ip, opt.gateway, &why) < 0)
		die(argv[optind], why);
	guest.input = input;
	resolve();
	questions = calloc(2 * opt.names, sizeof(*questions));
	for (unsigned i = 0; questions && i < 2 * opt.names; i++)
		make_question(&questions[i], i < opt.names ? 'h' : 'x', i % opt.names);
	for (unsigned id = 0; id < opt.flight; id++)
		idle[nidle++] = (uint16_t)id;
	run_for(WARM_MS);
	before = right;
	run_for((uint64_t)(opt.seconds * 1000));
	printf("{\"names\":%u,\"flight\":%u,\"seconds\":%.0f,\"right\":%llu,\"right_per_s\":%.0f,\"wrong\":%llu,\"lost\":%llu}\n", opt.names,
	       opt.flight, opt.seconds, (unsigned long long)right, (double)(right - before) / opt.seconds, (unsigned long long)wrong,
	       (unsigned long long)lost);
	ring_link_close(&guest);
	free(questions);
	return wrong ? 1 : 0;
}
