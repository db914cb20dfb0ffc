// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/profile.h"

#include "base/array.h"
#include "dhcp/class.h"

static void add(struct dhcp_profile *p, const char *what, const char *name, const struct dhcp_settings *says)
{
	struct dhcp_layer *layer = &p->layer[p->n++];

	*layer = (struct dhcp_layer){ what, name, says };
	if (says->refuse && !p->refused)
		p->refused = layer;
}

void profile_make(struct dhcp_profile *p, enum option_family family, const struct dhcp_sayers *sayers, const struct guest_traits *t)
{
	p->family = family;
	p->n = p->pool = 0;
	p->refused = NULL;
	p->reservation = reservations_match(sayers->reservations, &t->id);
	if (p->reservation)
		add(p, "reservation", p->reservation->name, &p->reservation->says);
	for (unsigned i = 0; i < MIN_OF(sayers->nclasses, (unsigned)DHCP_CLASSES_MAX); i++) {
		const struct dhcp_class *c = &sayers->classes[i];

		if (!class_matches(&c->match, t))
			continue;
		add(p, "class", c->name, &c->says);
		if (!p->pool)
			p->pool = c->pool;
	}
	add(p, "network", "", sayers->network);
}

void profile_copy(struct dhcp_profile *to, const struct dhcp_profile *from)
{
	*to = *from;
	if (from->refused)
		to->refused = to->layer + (from->refused - from->layer);
}

static void told_by(const struct dhcp_layer **by, const struct dhcp_layer *layer)
{
	if (by)
		*by = layer;
}

const struct option_set *layer_options(const struct dhcp_profile *p, const struct dhcp_layer *layer)
{
	return p->family == OPTIONS6 ? &layer->says->options6 : &layer->says->options;
}

const struct option_item *profile_option(const struct dhcp_profile *p, uint16_t code, const struct dhcp_layer **by)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct option_item *item = option_set_find(layer_options(p, &p->layer[i]), code);

		if (item) {
			told_by(by, &p->layer[i]);
			return item;
		}
	}
	return NULL;
}

uint32_t profile_lease_s(const struct dhcp_profile *p, const struct dhcp_layer **by)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->layer[i].says->lease_s) {
			told_by(by, &p->layer[i]);
			return p->layer[i].says->lease_s;
		}
	return 0;
}

const struct dhcp_boot *profile_boot(const struct dhcp_profile *p, const struct dhcp_layer **by)
{
	for (unsigned i = 0; i < p->n; i++) {
		const struct dhcp_boot *boot = &p->layer[i].says->boot;

		if (boot->server || boot->server_name[0] || boot->file[0]) {
			told_by(by, &p->layer[i]);
			return boot;
		}
	}
	return NULL;
}
