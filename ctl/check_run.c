// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/check_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/check.h"
#include "ctl/check_delegated.h"
#include "ctl/check_forward.h"
#include "ctl/check_lease.h"
#include "ctl/check_other.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"
#include "ctl/paths.h"

/* What succeeds does so within a millisecond or two, so little time proves that nothing comes; what must succeed may be held up. */
enum { YES_MS = 2000, NO_MS = 300 };
enum { ATTACH_MS = 8000, GONE_MS = 3000, LOOK_MS = 20 };

/* Fixed names have fixed MAC addresses, and so the same lease each time: checks do not use up the pool. */
static const char *const names[CHECK_GUESTS] = { "lanyard-check-1", "lanyard-check-2", "lanyard-check-3", "lanyard-check-4" };

/* --- the network ----------------------------------------------------------------------------------------- */

static void read_addr(const json_t *net, const char *field, struct addr *a)
{
	if (addr_parse(row_text(net, field), a) < 0)
		*a = (struct addr){ 0 };
}

static int expect(struct cli *cli, struct check_terms *t, const char *mode, const char *access)
{
	int m = check_mode_parse(mode), a = check_access_parse(access);

	if (m < 0 || a < 0) {
		error_set(&cli->err, -EINVAL, m < 0 ? "%.40s: not a mode that can be checked" : "%.40s: not none, own or loopback",
			  m < 0 ? mode : access);
		error_code(&cli->err, "usage");
		return -EINVAL;
	}
	t->mode = (enum check_mode)m;
	t->access = (enum check_access)a;
	return 0;
}

static int read_net(struct check *c, const struct check_conf *conf, const json_t *tree)
{
	struct check_net *n = &c->net;
	const char *access = row_text(tree, "host_access");
	struct prefix6 prefixes;

	snprintf(n->called, sizeof(n->called), "%s", conf->net);
	snprintf(n->name, sizeof(n->name), "%.*s", (int)strcspn(conf->net, ":"), conf->net);
	snprintf(n->mode, sizeof(n->mode), "%s", conf->mode ? conf->mode : row_text(tree, "mode"));
	snprintf(n->access, sizeof(n->access), "%s", conf->access ? conf->access : access[0] ? access : "own");
	snprintf(n->domain, sizeof(n->domain), "%s", row_text(tree, "domain"));
	n->terms.addressed = prefix4_parse(row_text(tree, "subnet"), &n->subnet) == 0;
	n->terms.ip6 = prefix6_parse(row_text(tree, "subnet6"), &n->subnet6) == 0;
	n->terms.delegates = n->terms.ip6 && prefix6_parse(row_text(tree, "dhcp6.prefixes"), &prefixes) == 0;
	n->terms.dhcp = !json_is_false(row_get(tree, "dhcp.enabled"));
	n->terms.dns = !json_is_false(row_get(tree, "dns.enabled"));
	n->terms.kernel = !strcmp(row_text(tree, "nat"), "kernel");
	n->uplink = row_text(tree, "uplink")[0] != '\0';
	read_addr(tree, "gateway", &n->gateway);
	read_addr(tree, "gateway6", &n->gateway6);
	mac_parse(row_text(tree, "gateway_mac"), n->gateway_mac);
	return expect(c->cli, &n->terms, n->mode, n->access);
}

/* --- guests ---------------------------------------------------------------------------------------------- */

/* plug_in() - and wait for the daemon's word */
static int plug_in(struct check *c, unsigned which, const char *place)
{
	struct check_guest *g = &c->guests[which];
	uint64_t limit_ms = clock_now_ms() + ATTACH_MS;
	char path[CLIENT_PATH_MAX];
	int rc = client_sibling(c->cli->socket, PATHS_ATTACH_SOCKET, path, &c->cli->err);

	if (rc == 0)
		rc = guest_open(g, path, place, names[which], &c->cli->err);
	while (rc == 0 && !guest_is_there(g) && g->attach.state != ATTACH_REFUSED && clock_now_ms() < limit_ms)
		check_turn(c, limit_ms);
	if (rc < 0 || guest_is_there(g)) {
		memcpy(g->mac, g->attach.mac, MAC_SIZE);
		return rc;
	}
	c->cli->err = g->attach.err;
	if (c->cli->err.rc == 0)
		error_set(&c->cli->err, -ETIMEDOUT, "%s/%s: the daemon does not answer", g->name.net, names[which]);
	if (!strcmp(c->cli->err.code, "exists")) {
		error_code(&c->cli->err, "busy");
		error_hint(&c->cli->err, "another check of %.60s runs; wait until it has ended", g->name.net);
	}
	guest_close(g);
	return c->cli->err.rc;
}

/* find_way() - the next hop of guest @g: its router, else whoever has the gateway's address */
static void find_way(struct check *c, struct check_guest *g)
{
	uint32_t ip = g->router ? g->router : addr_is_none(c->net.gateway) ? 0 : addr_4(c->net.gateway);
	const uint8_t *mac = ip ? check_lease_resolve(c, g, ip, c->net.terms.addressed ? c->net.gateway_mac : NULL) : NULL;

	g->has_via = mac != NULL;
	if (mac)
		memcpy(g->via, mac, MAC_SIZE);
}

static bool routes(const struct check *c)
{
	return c->net.terms.mode == CHECK_NAT || c->net.terms.mode == CHECK_NAT_NETWORK || c->net.terms.mode == CHECK_ROUTED;
}

static void address(struct check *c, struct check_guest *g)
{
	check_lease_wait(c, g, (c->net.terms.dhcp && c->net.terms.addressed) || c->net.terms.mode == CHECK_BRIDGED);
	if (addr_is_none(g->ip) && c->net.terms.addressed && check_lease_pick(c, g) && routes(c))
		g->router = addr_is_none(c->net.gateway) ? 0 : addr_4(c->net.gateway);
	if (c->net.terms.ip6) {		/* RFC 4862 5.5.3: the interface identifier behind the prefix */
		g->ip6 = c->net.subnet6.addr;
		g->ip6.halves[1] = addr_link_local(g->mac).halves[1];
		guest_announce(g);
	}
	if (c->net.terms.addressed || g->router)
		find_way(c, g);
}

/* is_gone() - does the API know the port no more? */
static bool is_gone(struct check *c, const struct check_guest *g)
{
	char path[CLI_PATH_MAX];
	json_t *answer = NULL;
	int rc;

	cli_path(path, "networks", g->name.net, "ports", g->name.port, NULL);
	rc = cli_get(c->cli, path, &answer);
	json_decref(answer);
	c->cli->err = (struct error){ 0 };
	return rc != 0;
}

/* forget() - the lease of a port that is gone would be remembered, and be listed, until the pool needs it */
static void forget(struct check *c, const struct check_guest *g)
{
	char path[CLI_PATH_MAX], ip[ADDR_TEXT];
	json_t *lease = NULL;

	if (g->dhcp.state < DHCP_CLIENT_BOUND)
		return;
	cli_path(path, "networks", g->name.net, "leases", addr_format(g->ip, ip), NULL);
	if (cli_get(c->cli, path, &lease) == 0 && !strcmp(row_text(lease, "port"), g->name.port))
		cli_change(c->cli, "DELETE", path, NULL, NULL);
	json_decref(lease);
	c->cli->err = (struct error){ 0 };
}

/* unplug() - give back what was lent, and see the ports go */
static void unplug(struct check *c)
{
	uint64_t limit_ms = clock_now_ms() + GONE_MS;
	struct error why = c->cli->err;		/* it is done, if something failed; what fails on the way is nothing to tell */
	bool was[CHECK_GUESTS];

	forwards_remove(c);
	for (unsigned i = 0; i < CHECK_GUESTS; i++) {
		was[i] = c->guests[i].fd >= 0;
		check_lease_release(c, &c->guests[i]);
		check_delegated_release(&c->guests[i]);
		guest_close(&c->guests[i]);
	}
	for (unsigned i = 0; i < CHECK_GUESTS; i++) {
		while (was[i] && !is_gone(c, &c->guests[i]) && clock_now_ms() < limit_ms)
			check_turn(c, clock_now_ms() + LOOK_MS);
		if (was[i])
			forget(c, &c->guests[i]);
	}
	c->cli->err = why;
}

/* --- the outside ------------------------------------------------------------------------------------------- */

/* ask_outside() - does it answer the host itself? */
static void ask_outside(struct check *c, struct check_outside *x, struct addr addr, uint16_t port)
{
	struct trial t;

	x->addr = addr;
	x->port = port;
	if (addr_is_none(addr))
		return;
	trial_init(c, &t, "UDP", TRIAL_HOST_UDP, true);
	t.dst = addr;
	t.dport = port;
	trials_run(c, &t, 1);
	x->answers = t.end == TRIAL_REACHED;
}

/* --- verdicts ---------------------------------------------------------------------------------------------- */

/* get_verdicts() - of the first guest's port: what became of the frames that it sent; new reference or NULL */
static json_t *get_verdicts(struct check *c)
{
	const struct check_guest *g = &c->guests[CHECK_A1];
	char path[CLI_PATH_MAX];
	json_t *port = NULL, *verdicts = NULL;

	if (g->fd < 0)
		return NULL;
	cli_path(path, "networks", g->name.net, "ports", g->name.port, NULL);
	if (cli_get(c->cli, path, &port) == 0)
		verdicts = json_incref(json_object_get(port, "verdicts"));
	json_decref(port);
	return verdicts;
}

/* add_verdicts() - to the note of a row that is not as expected: what its frames came to */
static void add_verdicts(struct check_result *r, const json_t *before, json_t *after)
{
	size_t n = strlen(r->note), words = 0;
	const char *name;
	json_t *value;

	json_object_foreach(after, name, value) {
		json_int_t more = json_integer_value(value) - json_integer_value(json_object_get(before, name));

		if (more <= 0 || n >= sizeof(r->note))
			continue;
		n += (size_t)snprintf(r->note + n, sizeof(r->note) - n, "%s%s %lld", words++ ? ", " : n ? "; its frames: " : "its frames: ",
				      name, (long long)more);
	}
}

/* --- all --------------------------------------------------------------------------------------------------- */

/* is_to_outside() - rows between guests and the outside */
static bool is_to_outside(unsigned row)
{
	return row >= 8 && row <= 11;
}

/* lacks_address() - on a LAN it is somebody else who gives addresses, by DHCP; a probe guest has no IPv6 there */
static bool lacks_address(const struct check *c, unsigned row)
{
	bool by_ip = row == 1 || row == 5 || row == 19 || is_to_outside(row);

	return c->net.terms.mode == CHECK_BRIDGED && by_ip && (row == 10 || addr_is_none(c->guests[CHECK_A1].ip));
}

static void probe(struct check *c, struct check_result *r)
{
	json_t *before, *after;

	if (r->want == WANT_NOTHING)
		return;
	if (lacks_address(c, r->row->number)) {
		snprintf(r->skipped, sizeof(r->skipped), "nobody on this LAN gave the probe guest an address");
		return;
	}
	before = get_verdicts(c);
	probe_row(c, r);
	if (!result_as_expected(r) && before) {
		if (c->net.terms.mode == CHECK_ROUTED && !c->net.uplink && is_to_outside(r->row->number))
			snprintf(r->note, sizeof(r->note), "this host routes by the network's uplink only, and it has none (net set --uplink)");
		after = get_verdicts(c);
		add_verdicts(r, before, after);
		json_decref(after);
	}
	json_decref(before);
}

enum { ROW_FORWARD = 12, ROW_RESIDUE = 22, ROW_CHANGE = 23 };	/* the first that needs forwards; those for which the ports are gone */

static bool is_afterwards(const struct check_row *row)
{
	return row->number == ROW_RESIDUE || row->number == ROW_CHANGE;
}

static void probe_all(struct check *c, struct check_report *report, bool afterwards)
{
	for (unsigned i = 0; i < CHECK_ROWS; i++) {
		struct check_result *r = &report->rows[i];

		if (is_afterwards(&check_rows[i]) != afterwards)
			continue;
		r->row = &check_rows[i];
		r->want = check_want(r->row, &c->net.terms);
		probe(c, r);
		report->as_expected &= result_as_expected(r);
	}
}

/* still_same() - what was expected is of the network as it was: a change meanwhile makes the table worthless */
static int still_same(struct check *c, const struct check_conf *conf, const json_t *before)
{
	static const char *const fields[] = { "mode", "subnet", "gateway", "host_access", "dhcp", "dns", "nat", "uplink", "peers" };
	json_t *now = NULL;
	int rc = check_settings(c, conf->net, &now);

	for (unsigned i = 0; i < ARRAY_SIZE(fields) && rc == 0; i++) {
		const json_t *a = json_object_get(before, fields[i]), *b = json_object_get(now, fields[i]);

		if (a != b && !json_equal(a, b))
			rc = error_set(&c->cli->err, -EBUSY, "network %s: its %s was changed while it was checked", conf->net, fields[i]);
	}
	json_decref(now);
	return rc;
}

static int check_network(struct check *c, const struct check_conf *conf, struct check_report *report)
{
	static const struct prefix4 nowhere = { 0xffffffff, 32 };
	json_t *tree = NULL;
	int rc = check_settings(c, conf->net, &tree);

	if (rc == 0)
		rc = read_net(c, conf, tree);
	if (rc == 0) {
		check_host_init(&c->host, c->net.subnet6);
		c->host.own = check_host_own_address(c->net.terms.addressed ? c->net.subnet : nowhere);
		c->host.own6 = check_host_own_address6(c->net.subnet6);
		rc = plug_in(c, CHECK_A1, conf->net);
	}
	if (rc == 0)
		rc = plug_in(c, CHECK_A2, conf->net);
	if (rc == 0) {
		address(c, &c->guests[CHECK_A1]);
		address(c, &c->guests[CHECK_A2]);
		if (c->net.terms.delegates)
			check_delegated_wait(c, &c->guests[CHECK_A1]);
		rc = others_plug(c, tree, conf->other, plug_in);
	}
	if (rc == 0) {
		ask_outside(c, &c->outside, conf->outside, conf->port);
		ask_outside(c, &c->outside6, conf->outside6, conf->port6);
		if (check_want(&check_rows[ROW_FORWARD - 1], &c->net.terms) == WANT_FORWARD)
			forwards_add(c);
		report->as_expected = true;
		probe_all(c, report, false);
		unplug(c);
		probe_all(c, report, true);
		rc = still_same(c, conf, tree);
	}
	unplug(c);
	json_decref(tree);
	return rc;
}

int check_run(struct cli *cli, const struct check_conf *conf, struct check_report *report)
{
	struct check *c = calloc(1, sizeof(*c));
	uint16_t random = 0;
	int rc;

	if (!c)
		return error_set(&cli->err, -ENOMEM, "out of memory");
	(void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
	c->cli = cli;
	c->yes_ms = YES_MS;
	c->no_ms = NO_MS;
	c->next_port = (uint16_t)(TRIAL_PORTS + random % 16384);
	for (unsigned i = 0; i < CHECK_GUESTS; i++)
		c->guests[i].fd = -1;
	c->host.sniffer = -1;
	rc = check_network(c, conf, report);
	snprintf(report->mode, sizeof(report->mode), "%s", c->net.mode);
	snprintf(report->access, sizeof(report->access), "%s", c->net.access);
	check_host_fini(&c->host);
	free(c);
	return rc;
}
