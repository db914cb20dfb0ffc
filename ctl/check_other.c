// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/check_other.h"

#include <string.h>

#include "ctl/check.h"
#include "ctl/check_lease.h"
#include "ctl/cli.h"
#include "ctl/cli_api.h"
#include "ctl/cli_output.h"

enum peering { STRANGERS, LIMITED, OPEN };

static enum peering named(const json_t *net, const char *other)
{
	const json_t *peer = json_object_get(json_object_get(net, "peers"), other);

	return !peer ? STRANGERS : json_array_size(json_object_get(peer, "allow")) ? LIMITED : OPEN;
}

static enum peering peering(const json_t *a, const json_t *b)
{
	enum peering there = named(a, row_text(b, "name")), back = named(b, row_text(a, "name"));

	return there > back ? there : back;
}

/* settle() - give it time for a lease, and the IPv6 address that it makes of the prefix */
static void settle(struct check *c, struct check_guest *g, const json_t *net)
{
	struct prefix6 subnet6;

	check_lease_wait(c, g, row_text(net, "subnet")[0] && !json_is_false(row_get(net, "dhcp.enabled")));
	if (prefix6_parse(row_text(net, "subnet6"), &subnet6) == 0) {
		g->ip6 = subnet6.addr;
		g->ip6.halves[1] = addr_link_local(g->mac).halves[1];
	}
}

void others_plug(struct check *c, const json_t *self, const char *wanted, int (*plug)(struct check *c, unsigned which, const char *net))
{
	json_t *answer = NULL, *net;
	size_t i;

	if (cli_get(c->cli, "/v1/networks", &answer) == 0) {
		json_array_foreach(json_object_get(answer, "networks"), i, net) {
			const char *name = row_text(net, "name");
			enum peering p = peering(self, net);
			unsigned which = p == OPEN ? CHECK_P1 : CHECK_B1;

			if (!strcmp(name, c->net.name) || p == LIMITED || c->guests[which].fd >= 0)
				continue;
			if (which == CHECK_B1 && (wanted ? strcmp(name, wanted) != 0 : !strcmp(row_text(net, "mode"), "bridged")))
				continue;
			if (plug(c, which, name) == 0)
				settle(c, &c->guests[which], net);
		}
	}
	json_decref(answer);
	c->cli->err = (struct error){ 0 };
}
