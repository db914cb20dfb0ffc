// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules as a client writes them, frames of strangers that they are asked about, and answers of resolvers that they follow.
 * covers: switch/rule.c switch/rules.c switch/heading.c switch/port_policy.c switch/rate.c ctl/live_policy_names.c
 * Input: a byte of defaults; texts, one a line, to an empty line; then pieces, each a byte of kind, a byte of length, and its bytes: a frame
 * out of or into the port, or a DNS message. */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "ctl/engine.h"
#include "ctl/live_policy.h"
#include "switch/connection.h"
#include "switch/frame.h"
#include "switch/names_seen.h"
#include "switch/packet.h"
#include "switch/port_policy.h"
#include "switch/rate.h"
#include "switch/request.h"
#include "switch/snapshot.h"
#include "switch/station.h"

enum { RULES = 16, LINE = 400, VID = 1, PORT = 3, TURN_MS = 40000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		__builtin_trap();
}

struct world {
	struct engine engine;
	struct live_net live;
	struct live_port port;
	struct net_conf net_conf;
	struct port_conf port_conf;
	struct record_conf record;
	struct net_view net;
	struct segment segment;
	struct rule rules[RULES];
	unsigned nrules;
	struct rule_hits hits, *defaults[2];
	struct port_policy policy;
	uint64_t now_ms;
};

/* world_init() - a network 10.0.0.0/24 and fd00::/64 with a guest at .2 */
static void world_init(struct world *w)
{
	struct station s = { .ip = addr4(0x0a000002), .port = PORT, .source = STATION_ARP };

	w->live.engine = &w->engine;
	w->live.conf = &w->net_conf;
	w->engine.nets = NULL;
	w->net_conf = (struct net_conf){ .has_subnet = true, .subnet = { 0x0a000000, 24 }, .records = &w->record, .nrecords = 1 };
	strcpy(w->net_conf.domain, "lab.internal");
	w->record = (struct record_conf){ .name = "db", .type = RECORD_A, .value = "192.0.2.9" };
	w->port.net = &w->live;
	w->port.conf = &w->port_conf;
	w->segment = (struct segment){
		.net = &w->net, .vid = VID, .has_subnet = true, .subnet = { 0x0a000000, 24 }, .gateway = 0x0a000001, .has_subnet6 = true,
		.resolver = true, .stations = stations_new(8), .gateway_mac = { 2, 0, 0, 0, 0, 1 },
	};
	w->segment.subnet6 = (struct prefix6){ { .bytes = { 0xfd } }, 64 };
	w->segment.gateway6 = (struct addr){ .bytes = { 0xfd, [15] = 1 } };
	must(w->segment.stations);
	station_note(w->segment.stations, &s, true);
	w->defaults[0] = w->defaults[1] = &w->hits;
	w->now_ms = 1000;
}

/* check_rule() - what is accepted is written in one way, which is accepted as the same */
static void check_rule(const struct rule *r)
{
	char text[RULE_TEXT], again[RULE_TEXT];
	struct rule other;
	const char *why;

	rule_format(r, text);
	must(rule_parse(text, &other, &why) == 0);
	must(!strcmp(rule_format(&other, again), text));
}

static void check_rate(const char *line)
{
	char text[RATE_TEXT], again[RATE_TEXT];
	struct rate_conf rate, other;
	struct rate_meter m;
	const char *why;

	if (rate_parse(line, &rate, &why) < 0)
		return;
	must(rate_parse(rate_format(&rate, text), &other, &why) == 0);
	must(!strcmp(rate_format(&other, again), text));
	rate_meter_init(&m, &rate);
	rate_charge(&m, 1514, 1);
	must(rate_wait_ns(&m, 1) <= 3600ull * 1000000000u && rate_room(&m, 1) > 0);
}

/* read_lines() - Return: bytes up to behind the empty line */
static size_t read_lines(struct world *w, const uint8_t *data, size_t size)
{
	size_t at = 0;

	while (at < size) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t n = end ? (size_t)(end - data) - at : size - at;
		char line[LINE] = "";
		const char *why;

		memcpy(line, data + at, MIN_OF(n, (size_t)LINE - 1));
		at += n + 1;
		if (!n)
			break;
		check_rate(line);
		if (w->nrules == RULES || rule_parse(line, &w->rules[w->nrules], &why) < 0)
			continue;
		check_rule(&w->rules[w->nrules++]);
	}
	return MIN_OF(at, size);
}

static void compile(struct world *w, unsigned deny)
{
	struct rules_source source[RULES];

	for (unsigned i = 0; i < w->nrules; i++) {
		source[i] = (struct rules_source){ &w->rules[i], &w->hits, 0, w->rules[i].peer == RULE_GUEST ? PORT : RULES_NO_GUEST };
		if (w->rules[i].peer == RULE_DOMAIN)
			source[i].name = policy_names_number(&w->live, &w->rules[i]);
	}
	policy_names_settle(&w->live);
	w->port_conf.policy = (struct policy_conf){ .deny = (uint8_t)deny, .nrules = w->nrules, .rules = w->rules };
	rules_free(w->policy.rules);
	w->policy.rules = rules_new(source, w->nrules, (uint32_t)w->now_ms, deny, w->defaults);
	w->policy.names = policy_names_seen(&w->live);
	must(w->policy.rules);
}

static void frame(struct world *w, enum rule_direction direction, const uint8_t *bytes, size_t n)
{
	uint8_t *copy = malloc(n);
	struct policy_case c = { .direction = direction, .segment = &w->segment, .port = PORT, .now_ms = w->now_ms, .trial = true };
	struct policy_reason why;
	struct frame f;
	enum verdict trial, real;

	must(copy);
	memcpy(copy, bytes, n);
	frame_init(&f, copy, (uint32_t)n);
	f.vid = VID;
	c.frame = &f;
	trial = port_policy_judge(&w->policy, &c, &why);
	c.trial = false;
	real = port_policy_judge(&w->policy, &c, &why);
	must(trial == real || real == VERDICT_DROP_QUOTA);
	free(copy);
}

static void message(struct world *w, const uint8_t *bytes, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	must(copy);
	memcpy(copy, bytes, n);
	live_policy_asks(&w->port, copy, n);
	live_policy_answered(&w->live, copy, n);
	free(copy);
}

static void piece(struct world *w, unsigned deny, uint8_t kind, const uint8_t *bytes, size_t n)
{
	switch (kind % 5) {
	case 0:
	case 1:
		if (n >= ETH_HEADER)
			frame(w, kind % 5 ? RULE_INGRESS : RULE_EGRESS, bytes, n);
		break;
	case 2:
		message(w, bytes, n);
		break;
	case 3:
		w->now_ms += TURN_MS;
		break;
	case 4:				/* other rules: the last one goes */
		w->nrules -= w->nrules > 0;
		w->now_ms++;
		compile(w, deny);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *w = calloc(1, sizeof(*w));
	struct reader r;
	unsigned deny = size ? data[0] & RULE_BOTH : 0;

	must(w);
	world_init(w);
	w->policy.connections = connections_new();
	w->policy.requests = requests_new();
	must(w->policy.connections && w->policy.requests);
	r = reader_init(data, size);
	if (size)
		r.pos = 1 + read_lines(w, data + 1, size - 1);
	compile(w, deny);
	while (reader_left(&r) > 1) {
		uint8_t kind = read_u8(&r);
		size_t n = read_u8(&r);

		n = MIN_OF(n, reader_left(&r));
		piece(w, deny, kind, read_bytes(&r, n), n);
	}
	live_policy_net_free(&w->live);
	rules_free(w->policy.rules);
	connections_free(w->policy.connections);
	requests_free(w->policy.requests);
	stations_free(w->segment.stations);
	free(w);
	return 0;
}
