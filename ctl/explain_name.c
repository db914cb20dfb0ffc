// SPDX-License-Identifier: GPL-2.0-or-later
/* Names in `lanyard why` (ctl/explain.h): a guest's is looked up where leases are kept; any other the guest would ask DNS for, and so is it
 * here: the query's way first, then the network's own names by dns_answer(), then the resolvers that queries are relayed to. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-qsbr.h>

#include "base/bytes.h"
#include "ctl/explain.h"
#include "ctl/live_policy.h"
#include "dhcp/dns.h"
#include "dhcp/relay.h"
#include "switch/snapshot.h"

enum { SPORT = 61053, QUERY_MAX = DNS_HEADER_SIZE + DNS_NAME_MAX + 4, QUERY_ID = 0x6c79 };

/* ---- guests ---- */

static struct live_port *find_guest(const struct explain *x)
{
	struct live_net *net = live_net_find(x->e, x->to.net[0] ? x->to.net : x->net);
	struct live_port *p = NULL;

	if (net)
		HASH_FIND_STR(net->ports, x->to.net[0] ? x->to.guest : x->to.host, p);
	return p;
}

static int guest_stage(struct explain *x, const struct live_port *p, const struct live_port *guest)
{
	char ip[ADDR_TEXT], hint[200];
	struct station st;

	if (guest != p && guest->net == p->net && guest->segment && guest->segment->only)	/* its address may be the asker's own */
		return explain_block(x, "name", NULL, "guests of %s, of mode nat, are each alone with the gateway", guest->net->name);
	if (explain_station(guest, addr_family(x->self.ip), &st) || explain_station(guest, AF_UNSPEC, &st)) {
		x->dst = st.ip;
		return explain_pass(x, "name", "%s/%s has %s", guest->net->name, guest->name, addr_format(st.ip, ip));
	}
	snprintf(hint, sizeof(hint), "lanyard ip %s/%s --wait 30s", guest->net->name, guest->name);
	return explain_block(x, "name", hint, "%s/%s has no address: no lease, and none was seen", guest->net->name, guest->name);
}

/* ---- queries and answers ---- */

/* put_query() - for the addresses of @name in the guest's own family; Return: bytes */
static size_t put_query(uint8_t *to, const struct explain *x, const struct dns_name *name)
{
	struct writer w = writer_init(to, QUERY_MAX);

	write_u16(&w, QUERY_ID);
	write_u16(&w, DNS_FLAG_RD);
	write_u16(&w, 1);
	write_u16(&w, 0);
	write_u32(&w, 0);
	write_bytes(&w, name->wire, name->size);
	write_u16(&w, addr_is4(x->self.ip) ? DNS_A : DNS_AAAA);
	write_u16(&w, DNS_CLASS_IN);
	return w.pos;
}

/* read_answer() - the first address in the answer section. Return: 0 or the rcode as it is, -ENODATA for none, -EBADMSG */
static int read_answer(const uint8_t *reply, size_t size, struct addr *to)
{
	size_t pos = DNS_HEADER_SIZE;
	struct dns_rr rr;
	unsigned n;

	if (size < DNS_HEADER_SIZE)
		return -EBADMSG;
	if (get_u16(reply + 2) & DNS_RCODE_MASK)
		return get_u16(reply + 2) & DNS_RCODE_MASK;
	if (dns_name_skip(reply, size, &pos) < 0)
		return -EBADMSG;
	pos += 4;
	for (n = get_u16(reply + 6); n && pos < size; n--) {
		if (dns_rr_read(&rr, reply, size, &pos) < 0)
			return -EBADMSG;
		if (rr.type == DNS_A && rr.size == 4)
			return *to = addr4(get_u32(reply + rr.data)), 0;
		if (rr.type == DNS_AAAA && rr.size == ADDR_SIZE)
			return *to = addr6(reply + rr.data), 0;
	}
	return -ENODATA;
}

/* answered() - Return: 1 or 0, as explain_name() */
static int answered(struct explain *x, const uint8_t *reply, size_t size, const char *who)
{
	const char *family = addr_is4(x->self.ip) ? "IPv4" : "IPv6";
	char ip[ADDR_TEXT], hint[200];
	int rc = size ? read_answer(reply, size, &x->dst) : -ETIMEDOUT;

	if (rc == 0)
		return explain_pass(x, "dns", "%s is %s, says %s", x->to.host, addr_format(x->dst, ip), who);
	if (rc == DNS_NXDOMAIN)
		return explain_block(x, "dns", NULL, "there is no name %s, says %s", x->to.host, who);
	if (rc == -ENODATA)
		return explain_block(x, "dns", NULL, "%s has no %s address, says %s", x->to.host, family, who);
	snprintf(hint, sizeof(hint), "lanyard net show %s", x->net);
	return explain_block(x, "dns", hint, "no usable answer about %s from %s", x->to.host, who);
}

static void on_relayed(void *arg, const uint8_t *reply, size_t size)
{
	struct explain *x = arg;

	answered(x, reply, size, "the host's resolver");
	explain_go_on(x);
}

static int ask_outside(struct explain *x, const struct live_port *p, const uint8_t *query, size_t size)
{
	char hint[200];
	int rc;

	snprintf(hint, sizeof(hint), "lanyard policy ls %s/%s", x->net, x->port);
	if (!live_policy_asks(p, query, size))
		return explain_block(x, "policy", hint, "the guest's rules name nothing for which it may ask so");
	if (!p->net->relay)
		return explain_block(x, "dns", NULL, "%s is no name of this network, which asks nobody else", x->to.host);
	rc = relay_query(p->net->relay, p->id, query, size, false, on_relayed, x);
	if (rc == 0)
		return -EINPROGRESS;
	return explain_block(x, "dns", NULL, "the query is not relayed: %s", strerror(-rc));
}

/* query_passes() - would the guest's query reach the responder at all? */
static bool query_passes(struct explain *x, const struct live_port *p, const struct segment *seg, const uint8_t *query, size_t size)
{
	struct explain_frame f = explain_frame_to(x, seg->gateway_mac);
	struct explained r;

	f.proto = IPPROTO_UDP;
	f.sport = SPORT;
	f.dport = DNS_PORT;
	f.dst = addr_is4(x->self.ip) ? addr4(seg->dns ? seg->dns : seg->gateway) : seg->gateway6;
	f.data = query;
	f.size = size;
	if (explain_try(p, &f, &r) < 0)
		return explain_block(x, "link", NULL, "the port has just gone");
	return r.trial.verdict == VERDICT_CONSUMED_DNS || explain_walk(x, p, &r, "the DNS query: ");
}

static int dns_stage(struct explain *x, const struct live_port *p, const struct segment *seg, const struct dns_name *name)
{
	uint8_t query[QUERY_MAX], reply[DNS_UDP_MAX];
	size_t size = put_query(query, x, name);
	const struct live_segment *at = explain_segment(x, p);
	enum dns_outcome outcome;
	int n;

	if (!query_passes(x, p, seg, query, size))
		return 0;
	n = dns_answer(at->zone, at->names, query, size, false, reply, sizeof(reply), &outcome);
	if (outcome == DNS_OUT_RELAY)
		return ask_outside(x, p, query, size);
	if (outcome == DNS_OUT_REFUSED)
		return explain_block(x, "dns", NULL, "%s is no name of this network, which asks nobody else", x->to.host);
	return answered(x, reply, n > 0 ? (size_t)n : 0, "the network's own DNS");
}

int explain_name(struct explain *x, const struct live_port *p)
{
	const struct segment *seg = segment_at(&x->e->snapshot->ports[p->id], x->vid);
	const struct live_segment *at = explain_segment(x, p);
	const struct live_port *guest = find_guest(x);
	struct dns_name name;
	char hint[200];
	int rc;

	if (guest)
		return guest_stage(x, p, guest);
	snprintf(hint, sizeof(hint), "lanyard ps %s", x->to.net[0] ? x->to.net : x->net);
	if (x->to.net[0])
		return explain_block(x, "name", hint, "there is no guest %s", x->to.host);
	if (!at || !at->zone || !at->names || !seg || !seg->resolver)
		return explain_block(x, "dns", NULL, "this network has no DNS, and no guest is called %s", x->to.host);
	rc = strchr(x->to.host, '.') ? dns_name_from_text(&name, x->to.host) : dns_owner_parse(&name, x->to.host, &at->zone->origin);
	if (rc < 0)
		return explain_block(x, "dns", NULL, "%s is no domain name", x->to.host);
	return dns_stage(x, p, seg, &name);
}
