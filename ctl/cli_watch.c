// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/cli_watch.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/array.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_blocks.h"
#include "ctl/cli_output.h"
#include "switch/frame.h"
#include "switch/heading.h"
#include "switch/packet.h"

enum { PAIRS_MAX = 65536, SNAPLEN = 192, LONGEST_S = 3600, ENDPOINT = ADDR_TEXT + 10, ECHO = 8, ECHO6 = 128 };

/* pair - two endpoints, compared as bytes: padding is zero. The lesser is first, so that both ways are one pair */
struct pair_key {
	struct addr at[2];
	uint16_t port[2];
	uint8_t proto, zero[3];
};

struct pair {
	struct pair_key key;
	uint64_t frames[2], bytes[2];	/* from each */
	uint64_t first_ns[2];		/* when each was heard first */
	unsigned asked;			/* 1 or 2: the first or the second sent an echo request; 0: neither was seen to */
	UT_hash_handle hh;
};

struct watch {
	struct cli *cli;
	struct block_reader blocks;
	struct pair *pairs;		/* uthash */
	json_t *names;			/* by address */
	uint64_t lost;			/* frames, and those that found no place */
};

/* ---- frames ---- */

/* untagged() - the frame without the tags it came with, in @to. Return: bytes, or 0 when there are no addresses */
static uint32_t untagged(const struct pcapng_packet *p, uint8_t to[SNAPLEN])
{
	enum { ADDRESSES = 12, TAG = 4 };
	uint32_t at = ADDRESSES, rest;

	if (p->kept < ADDRESSES + 2)
		return 0;
	while (at + TAG + 2 <= p->kept && (get_u16(p->bytes + at) == ETHERTYPE_CTAG || get_u16(p->bytes + at) == ETHERTYPE_STAG))
		at += TAG;
	rest = MIN_OF(p->kept - at, (uint32_t)SNAPLEN - ADDRESSES);
	memcpy(to, p->bytes, ADDRESSES);
	memcpy(to + ADDRESSES, p->bytes + at, rest);
	return ADDRESSES + rest;
}

/* key_of() - Return: which end sent it */
static unsigned key_of(const struct heading *h, struct pair_key *key)
{
	bool ports = heading_has_ports(h);
	struct pair_key k = { .at = { h->src, h->dst }, .port = { ports ? h->sport : 0, ports ? h->dport : 0 }, .proto = h->proto };
	int order = memcmp(&k.at[0], &k.at[1], sizeof(k.at[0]));

	memset(key, 0, sizeof(*key));
	if (order < 0 || (!order && k.port[0] <= k.port[1])) {
		*key = k;
		return 0;
	}
	*key = (struct pair_key){ .at = { h->dst, h->src }, .port = { k.port[1], k.port[0] }, .proto = h->proto };
	return 1;
}

static struct pair *pair_of(struct watch *w, const struct pair_key *key)
{
	struct pair *pair;

	HASH_FIND(hh, w->pairs, key, sizeof(*key), pair);
	if (pair || HASH_COUNT(w->pairs) >= PAIRS_MAX)
		return pair;
	pair = calloc(1, sizeof(*pair));
	if (!pair)
		return NULL;
	pair->key = *key;
	HASH_ADD(hh, w->pairs, key, sizeof(pair->key), pair);
	return pair;
}

static void on_block(void *arg, const struct pcapng_block *b)
{
	struct watch *w = arg;
	uint8_t bytes[SNAPLEN];
	struct frame f;
	struct pair_key key;
	struct heading h;
	struct pair *pair;
	unsigned from;

	if (b->type != PCAPNG_PACKET)
		return;
	w->lost += b->packet.lost;
	frame_init(&f, bytes, untagged(&b->packet, bytes));
	if (!f.len || heading_read(&f, &h) != VERDICT_FORWARDED || !h.ip)
		return;
	from = key_of(&h, &key);
	pair = pair_of(w, &key);
	if (!pair) {
		w->lost++;
		return;
	}
	if (!pair->frames[from]++)
		pair->first_ns[from] = b->packet.wall_ns;
	pair->bytes[from] += b->packet.len;
	if (!pair->asked && (h.proto == PROTO_ICMP ? h.icmp_type == ECHO : h.proto == PROTO_ICMP6 && h.icmp_type == ECHO6))
		pair->asked = from + 1;
}

static int on_bytes(void *arg, const uint8_t *data, size_t size)
{
	struct watch *w = arg;

	return blocks_take(&w->blocks, data, size, &w->cli->err);
}

/* ---- what is shown ---- */

static const char *endpoint(const struct pair *p, unsigned end, char text[ENDPOINT])
{
	char ip[ADDR_TEXT];

	addr_format(p->key.at[end], ip);
	if (!p->key.port[end])
		snprintf(text, ENDPOINT, "%s", ip);
	else
		snprintf(text, ENDPOINT, addr_is4(p->key.at[end]) ? "%s:%u" : "[%s]:%u", ip, p->key.port[end]);
	return text;
}

static json_t *name_of(const struct watch *w, struct addr a)
{
	char ip[ADDR_TEXT];

	return json_incref(json_object_get(w->names, addr_format(a, ip)));
}

static const char *proto_word(const struct pair *p, char text[8])
{
	switch (p->key.proto) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	}
	snprintf(text, 8, "ip-%u", p->key.proto);
	return text;
}

/* began_by() - who asked for an echo, or spoke first; within a moment, in which the gateway's answer may be seen before the question, the end without the
 * well-known port */
static unsigned began_by(const struct pair *p)
{
	enum { MOMENT_NS = 1000000 };
	int64_t later = (int64_t)(p->first_ns[0] - p->first_ns[1]);

	if (!p->frames[0] || !p->frames[1])
		return !p->frames[0];
	if (p->asked)
		return p->asked - 1;
	if (later > MOMENT_NS || later < -MOMENT_NS || p->key.port[0] == p->key.port[1])
		return later > 0;
	return p->key.port[1] > p->key.port[0];
}

static json_t *row_of(const struct watch *w, const struct pair *p)
{
	unsigned a = began_by(p), b = !a;
	char from[ENDPOINT], to[ENDPOINT], proto[8];

	return json_pack("{s:s s:o* s:s s:o* s:s s:I s:I s:I s:I}", "from", endpoint(p, a, from), "from_name", name_of(w, p->key.at[a]), "to",
			 endpoint(p, b, to), "to_name", name_of(w, p->key.at[b]), "proto", proto_word(p, proto), "frames",
			 (json_int_t)p->frames[a], "frames_back", (json_int_t)p->frames[b], "bytes", (json_int_t)p->bytes[a], "bytes_back",
			 (json_int_t)p->bytes[b]);
}

static uint64_t bytes_of(const struct pair *p)
{
	return p->bytes[0] + p->bytes[1];
}

static int busier(const struct pair *a, const struct pair *b)
{
	return bytes_of(a) < bytes_of(b) ? 1 : bytes_of(a) > bytes_of(b) ? -1 : 0;
}

static void show(struct watch *w)
{
	static const struct column columns[] = {
		{ "FROM", "from", NULL },     { "NAME", "from_name", NULL }, { "TO", "to", NULL },	       { "NAME", "to_name", NULL },
		{ "PROTO", "proto", NULL },   { "FRAMES", "frames", NULL },  { "BACK", "frames_back", NULL }, { "BYTES", "bytes", NULL },
		{ "BACK", "bytes_back", NULL }, { 0 },
	};
	json_t *rows = json_array();

	HASH_SORT(w->pairs, busier);
	for (struct pair *p = w->pairs; p; p = p->hh.next)
		json_array_append_new(rows, row_of(w, p));
	output_list(w->cli, "flows", columns, rows);
	if (w->lost && !w->cli->quiet)
		output_note("%" PRIu64 " frames were too many to be looked at", w->lost);
}

/* ---- the command ---- */

/* read_names() - of the network's guests, by their addresses; without them addresses are shown alone */
static void read_names(struct watch *w, const char *net)
{
	char path[CLI_PATH_MAX];
	struct error ignored;
	json_t *answer = NULL, *host;
	size_t i;

	cli_path(path, "networks", net, "hosts", NULL);
	client_json(w->cli->client, "GET", path, NULL, 0, &answer, &ignored);
	json_array_foreach(json_object_get(answer, "hosts"), i, host)
		if (row_text(host, "address")[0])
			json_object_set(w->names, row_text(host, "address"), json_object_get(host, "name"));
	json_decref(answer);
}

static int bad_usage(struct cli *cli, const char *message)
{
	error_set(&cli->err, -EINVAL, "flows: %s", message);
	error_code(&cli->err, "usage");
	return -EINVAL;
}

/* read_place() - NET, or NET/PORT with a port. Return: 0 or a negative errno */
static int read_place(struct cli *cli, const char *text, struct port_name *place)
{
	int rc;

	*place = (struct port_name){ .net = "" };
	if (!text)
		return bad_usage(cli, "--watch looks at one network: name it");
	if (strchr(text, '/'))
		return port_name_parse(text, place, &cli->err);
	rc = net_name_parse(text, &cli->err);
	if (rc == 0)
		snprintf(place->net, sizeof(place->net), "%.63s", text);
	return rc;
}

static int run(struct watch *w, const struct port_name *place, uint32_t seconds)
{
	char path[CLI_PATH_MAX] = "/v1/capture";
	bool fits = cli_query(path, sizeof(path), "net", place->net) &&
		    (!place->port[0] || cli_query(path, sizeof(path), "port", place->port)) && cli_query(path, sizeof(path), "snaplen", "192");
	int rc = fits ? 0 : bad_usage(w->cli, "the name is too long");

	if (rc < 0)
		return rc;
	read_names(w, place->net);		/* and once more: guests come and go meanwhile */
	alarm(seconds);
	rc = client_bytes(w->cli->client, path, on_bytes, w, &w->cli->err);
	alarm(0);
	read_names(w, place->net);
	return rc;
}

int flows_watch(struct cli *cli, const char *text, const char *time)
{
	struct watch w = { .cli = cli, .blocks = { .block = on_block, .arg = &w }, .names = json_object() };
	struct port_name place;
	struct pair *p, *next;
	uint32_t seconds;
	int rc = read_place(cli, text, &place);

	if (rc == 0 && (duration_parse(time, &seconds) < 0 || !seconds || seconds > LONGEST_S))
		rc = bad_usage(cli, "--watch: a time such as 5s, at most an hour");
	if (rc == 0)
		rc = blocks_init(&w.blocks, &cli->err);
	if (rc == 0)
		rc = cli_client(cli);
	if (rc == 0)
		rc = run(&w, &place, seconds);
	if (rc == 0)
		show(&w);
	HASH_ITER(hh, w.pairs, p, next) {
		HASH_DEL(w.pairs, p);
		free(p);
	}
	blocks_fini(&w.blocks);
	json_decref(w.names);
	return rc;
}
