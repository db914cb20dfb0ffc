// SPDX-License-Identifier: GPL-2.0-or-later
/* What /metrics tells of running objects (ctl/live.h): one table of families, each filled from counters that are there anyway.
 *
 * Labels are names of configured objects and words of ours, so that no guest can make a new series. */
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/engine.h"
#include "ctl/live_dns_listen.h"
#include "ctl/live_dns_validate.h"
#include "ctl/metrics.h"
#include "ctl/version.h"
#include "dhcp/lease.h"
#include "dhcp/relay.h"
#include "dhcp/upstream.h"
#include "dhcp/validation.h"
#include "nat/forward.h"
#include "nat/nat.h"
#include "switch/port.h"
#include "switch/worker.h"

/* page - one answer, and who reads it */
struct page {
	FILE *to;
	struct engine *e;
	uid_t uid;
	bool all;			/* an administrator, who sees every network */
};

/* family - a metric and where its samples come from; @at: of the counter within the structure that fill() knows */
struct family {
	struct metric metric;
	void (*fill)(const struct page *page, const struct family *f);
	size_t at;
};

#define FOR_EACH_NET(page, net)                                                        \
	for (struct live_net *net = (page)->e->nets; net; net = net->hh.next)          \
		if ((page)->all || net->owner == (page)->uid)

static uint64_t count_at(const void *counts, size_t at)
{
	return *(const uint64_t *)((const char *)counts + at);
}

/* ---- the daemon ---- */

static void fill_build(const struct page *page, const struct family *f)
{
	metric_sample(page->to, &f->metric, (struct metric_label[]){ { "version", LANYARD_VERSION }, { 0 } }, 1);
}

static void fill_uptime(const struct page *page, const struct family *f)
{
	metric_sample(page->to, &f->metric, NULL, (clock_now_ms() - page->e->started_ms) / 1000);
}

static void fill_restarts(const struct page *page, const struct family *f)
{
	metric_sample(page->to, &f->metric, NULL, (uint64_t)page->e->restarts);
}

static void fill_store(const struct page *page, const struct family *f)
{
	metric_sample(page->to, &f->metric, NULL, page->e->store_ok);
}

static void fill_workers(const struct page *page, const struct family *f)
{
	char index[16];

	for (unsigned i = 0; i < page->e->nworkers; i++) {
		snprintf(index, sizeof(index), "%u", i);
		metric_sample(page->to, &f->metric, (struct metric_label[]){ { "worker", index }, { 0 } },
			      worker_nqueues(page->e->workers[i]));
	}
}

/* ---- ports ---- */

/* port_count() - one counter of a port: of devices that are gone, and of each worker */
static uint64_t port_count(const struct live_port *p, size_t at)
{
	uint64_t sum = counter_get((const counter *)((const char *)&p->past + at));

	for (unsigned i = 0; p->port && i < p->port->nstats; i++)
		sum += counter_get((const counter *)((const char *)&p->port->stats[i] + at));
	return sum;
}

static void port_sample(const struct page *page, const struct family *f, const struct live_port *p, const char *verdict, uint64_t value)
{
	struct metric_label labels[METRIC_LABELS] = { { "network", p->net->name }, { "port", p->name }, { "verdict", verdict } };

	metric_sample(page->to, &f->metric, labels, value);
}

static void fill_port(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net)
		for (const struct live_port *p = net->ports; p; p = p->hh.next)
			port_sample(page, f, p, NULL, port_count(p, f->at));
}

static void fill_port_up(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net)
		for (const struct live_port *p = net->ports; p; p = p->hh.next)
			port_sample(page, f, p, NULL, p->state == LIVE_UP);
}

/* verdict_samples() - those that ever were; a verdict that shows up later begins with its first count */
static void verdict_samples(const struct page *page, const struct family *f, const struct live_port *p)
{
	for (size_t v = 0; v < VERDICT_COUNT; v++) {
		uint64_t n = port_count(p, f->at + v * sizeof(counter));

		if (n)
			port_sample(page, f, p, verdict_name((enum verdict)v), n);
	}
}

static void fill_verdicts(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net)
		for (const struct live_port *p = net->ports; p; p = p->hh.next)
			verdict_samples(page, f, p);
}

static void net_sample(const struct page *page, const struct family *f, const struct live_net *net, const char *label, const char *word,
		       uint64_t value)
{
	metric_sample(page->to, &f->metric, (struct metric_label[]){ { "network", net->name }, { label, word }, { 0 } }, value);
}

static void fill_made(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net)
		net_sample(page, f, net, NULL, NULL, port_count(&net->local, offsetof(struct port_stats, made)));
}

static void fill_served(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net)
		for (size_t v = 0; v < VERDICT_COUNT; v++) {
			uint64_t n = port_count(&net->local, offsetof(struct port_stats, served) + v * sizeof(counter));

			if (n)
				net_sample(page, f, net, "verdict", verdict_name((enum verdict)v), n);
		}
}

/* ---- services ---- */

static void fill_dhcp(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net)
		for (int i = 0; i < DHCP_OUT_COUNT; i++)
			if (net->dhcp_outcomes[i])
				net_sample(page, f, net, "outcome", dhcp_outcome_name((enum dhcp_outcome)i), net->dhcp_outcomes[i]);
}

static void fill_conflicts(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net)
		if (net->dhcp)
			net_sample(page, f, net, NULL, NULL, net->conflicts);
}

static void fill_leases(const struct page *page, const struct family *f)
{
	const struct live_segment *seg;

	FOR_EACH_NET(page, net) {
		size_t n = 0;

		if (!net->dhcp)
			continue;
		LIST_FOREACH(seg, &net->segments, link)
			n += seg->leases ? lease_count_active(seg->leases) : 0;
		net_sample(page, f, net, NULL, NULL, n);
	}
}

static void fill_dns(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net)
		if (net->upstream)
			net_sample(page, f, net, NULL, NULL, count_at(upstream_stats(net->upstream), f->at));
}

static void fill_cache(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net)
		if (net->relay)
			net_sample(page, f, net, NULL, NULL, count_at(relay_stats(net->relay), f->at));
}

static void fill_validation(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net) {
		const struct validation_stats *stats = live_dns_validate_stats(net);

		if (stats)
			net_sample(page, f, net, NULL, NULL, count_at(stats, f->at));
	}
}

static void fill_listen(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net)
		if (net->dns_listens)
			net_sample(page, f, net, NULL, NULL, live_dns_listen_pauses(net));
}

static void fill_nat(const struct page *page, const struct family *f)
{
	struct nat_counts counts;

	FOR_EACH_NET(page, net) {
		if (!net->nat_state)
			continue;
		nat_count(net->nat_state, &counts);
		net_sample(page, f, net, NULL, NULL, count_at(&counts, f->at));
	}
}

static void fill_forward(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net)
		for (const struct live_forward *fw = net->forwards; fw; fw = fw->hh.next) {
			struct forward_counts sum;

			live_forward_sum(fw, &sum);
			net_sample(page, f, net, "forward", fw->id, count_at(&sum, f->at));
		}
}

static void fill_forward_up(const struct page *page, const struct family *f)
{
	FOR_EACH_NET(page, net)
		for (const struct live_forward *fw = net->forwards; fw; fw = fw->hh.next)
			net_sample(page, f, net, "forward", fw->id, !fw->reason);
}

/* ---- the page ---- */

#define PORT(word, unit, help, member) \
	{ { "lanyard_port_" word, METRIC_COUNTER, unit, help }, fill_port, offsetof(struct port_stats, member) }
#define DNS(word, help, member) \
	{ { "lanyard_dns_relay_" word, METRIC_COUNTER, NULL, help }, fill_dns, offsetof(struct upstream_stats, member) }
#define CACHE(word, help, member) \
	{ { "lanyard_dns_cache_" word, METRIC_COUNTER, NULL, help }, fill_cache, offsetof(struct relay_stats, member) }
#define VALIDATION(word, help, member) \
	{ { "lanyard_dns_validation_" word, METRIC_COUNTER, NULL, help }, fill_validation, offsetof(struct validation_stats, member) }
#define NAT(word, type, help, member) { { "lanyard_nat_" word, type, NULL, help }, fill_nat, offsetof(struct nat_counts, member) }
#define FORWARD(word, type, help, member) \
	{ { "lanyard_forward_" word, type, NULL, help }, fill_forward, offsetof(struct forward_counts, member) }

static const struct family families[] = {
	{ { "lanyard_build", METRIC_INFO, NULL, "The program that answers." }, fill_build, 0 },
	{ { "lanyard_uptime_seconds", METRIC_GAUGE, "seconds", "Since the engine started." }, fill_uptime, 0 },
	{ { "lanyard_engine_restarts", METRIC_COUNTER, NULL, "How often the keeper started the engine again." }, fill_restarts, 0 },
	{ { "lanyard_store_ok", METRIC_GAUGE, NULL, "1 if the last write to the store succeeded." }, fill_store, 0 },
	{ { "lanyard_worker_queues", METRIC_GAUGE, NULL, "Receive queues that a worker serves." }, fill_workers, 0 },
	{ { "lanyard_port_up", METRIC_GAUGE, NULL, "1 if the port's device or peer is there." }, fill_port_up, 0 },
	PORT("receive_frames", NULL, "Frames received from the guest.", rx_frames),
	PORT("receive_bytes", "bytes", "Bytes of these frames, from the Ethernet header on.", rx_bytes),
	PORT("transmit_frames", NULL, "Frames that the guest's port took.", tx_frames),
	PORT("transmit_bytes", "bytes", "Bytes of these frames, from the Ethernet header on.", tx_bytes),
	PORT("transmit_drops", NULL, "Frames that the guest's port did not take.", tx_drops),
	PORT("transmit_segments", NULL, "Segments cut because the port cannot take them whole.", segments),
	{ { "lanyard_port_frames", METRIC_COUNTER, NULL, "Frames received from the guest, by what became of them." }, fill_verdicts,
	  offsetof(struct port_stats, verdicts) },
	{ { "lanyard_service_made_frames", METRIC_COUNTER, NULL, "Frames that gateway and services made." }, fill_made, 0 },
	{ { "lanyard_service_frames", METRIC_COUNTER, NULL, "Frames that gateway and services were given, by what became of them." },
	  fill_served, 0 },
	{ { "lanyard_dhcp_messages", METRIC_COUNTER, NULL, "DHCP messages of guests, by what became of them." }, fill_dhcp, 0 },
	{ { "lanyard_address_conflicts", METRIC_COUNTER, NULL, "Addresses not leased, for somebody was seen with them." }, fill_conflicts, 0 },
	{ { "lanyard_leases", METRIC_GAUGE, NULL, "Addresses offered, leased or resting now." }, fill_leases, 0 },
	DNS("queries", "Queries of guests handed to a resolver.", queries),
	DNS("answers", "Answers relayed back.", answers),
	DNS("failures", "Queries answered SERVFAIL because no resolver did.", failures),
	DNS("mismatches", "Replies ignored: wrong id or question.", mismatches),
	DNS("refused", "Queries over a limit.", refused),
	CACHE("hits", "Queries of guests answered from the cache.", hits),
	CACHE("joined", "Queries that joined one that was being asked already.", joined),
	CACHE("cut", "Answers larger than their asker takes.", cut),
	CACHE("refused", "Queries over a limit.", refused),
	VALIDATION("secure", "Questions with an answer that is signed as it must be (DNSSEC).", secure),
	VALIDATION("insecure", "Questions with an answer that nobody signs.", insecure),
	VALIDATION("bogus", "Questions with an answer that is not signed as it must be, and not passed on.", bogus),
	VALIDATION("failed", "Questions that could not be judged, and so have failed.", failed),
	VALIDATION("restarts", "Times that the validator was started again.", restarts),
	{ { "lanyard_dns_listen_pauses", METRIC_COUNTER, NULL, "Times that connections for DNS waited for want of descriptors." }, fill_listen, 0 },
	CACHE("inside", "Answers left empty because they led to private addresses.", inside),
	NAT("flows", METRIC_GAUGE, "Flows that are translated now.", flows),
	NAT("opened", METRIC_COUNTER, "Flows opened.", opened),
	NAT("expired", METRIC_COUNTER, "Flows ended by a timeout.", expired),
	NAT("resets", METRIC_COUNTER, "Flows ended by a reset.", resets),
	NAT("retransmits", METRIC_COUNTER, "TCP segments sent to guests again.", retransmits),
	NAT("filtered", METRIC_COUNTER, "Datagrams from addresses that the guest had not talked to.", filtered),
	NAT("over_quota", METRIC_COUNTER, "Flows refused because the guest has all it may have.", over_quota),
	NAT("lost", METRIC_COUNTER, "Datagrams from outside that the guest's port did not take.", lost),
	{ { "lanyard_forward_up", METRIC_GAUGE, NULL, "1 if every socket of the forward listens." }, fill_forward_up, 0 },
	FORWARD("hits", METRIC_COUNTER, "Connections, or new UDP clients.", hits),
	FORWARD("active", METRIC_GAUGE, "Connections and UDP clients now.", active),
	FORWARD("refused", METRIC_COUNTER, "Clients that the guest refused or did not answer.", refused),
	FORWARD("no_address", METRIC_COUNTER, "Clients for whom the guest had no known address.", no_address),
};

char *live_metrics(struct engine *e, uid_t uid, bool all)
{
	char *text = NULL;
	size_t size = 0;
	struct page page = { .to = open_memstream(&text, &size), .e = e, .uid = uid, .all = all };
	bool good;

	if (!page.to)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		metric_family(page.to, &families[i].metric);
		families[i].fill(&page, &families[i]);
	}
	metrics_end(page.to);
	good = !ferror(page.to);
	if (fclose(page.to) == 0 && good)
		return text;
	free(text);
	return NULL;
}
