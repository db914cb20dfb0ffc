// SPDX-License-Identifier: GPL-2.0-or-later
/* The modes by name, and which settings make no sense in which. */
#include "ctl/model_parts.h"

#include <string.h>

#include "base/array.h"

/* The first name of each is ours; then VirtualBox's, and those of libvirt's <forward mode>, whose open network is a routed one. */
const struct word net_modes[] = {
	{ "nat-network", NET_NAT_NETWORK }, { "natnetwork", NET_NAT_NETWORK },
	{ "internal", NET_INTERNAL }, { "intnet", NET_INTERNAL },
	{ "nat", NET_NAT },
	{ "host-only", NET_HOST_ONLY }, { "hostonly", NET_HOST_ONLY }, { "hostonlynet", NET_HOST_ONLY }, { "isolated", NET_HOST_ONLY },
	{ "bridged", NET_BRIDGED }, { "bridge", NET_BRIDGED },
	{ "routed", NET_ROUTED }, { "route", NET_ROUTED }, { "open", NET_ROUTED },
	{ NULL, 0 },
};

const char *net_mode_name(enum net_mode mode)
{
	return word_of(net_modes, mode);
}

int net_mode_parse(const char *text, enum net_mode *mode)
{
	for (const struct word *w = net_modes; w->text; w++)
		if (!strcmp(w->text, text)) {
			*mode = (enum net_mode)w->value;
			return 0;
		}
	return -1;
}

#define BIT(name) (1u << NET_##name)

/* those that every mode has in its table, and that are refused in some all the same */
static const struct {
	const char *key;
	unsigned lacking;		/* bits of modes */
} refused[] = {
	{ "subnet", BIT(BRIDGED) }, { "gateway", BIT(BRIDGED) }, { "subnet6", BIT(BRIDGED) }, { "dhcp", BIT(BRIDGED) }, { "dhcp6", BIT(BRIDGED) }, { "ra", BIT(BRIDGED) }, { "dns", BIT(BRIDGED) },
	{ "host_access", BIT(INTERNAL) | BIT(HOST_ONLY) | BIT(ROUTED) | BIT(BRIDGED) },
};

static bool is_lacking(enum net_mode mode, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (!strcmp(refused[i].key, key))
			return refused[i].lacking >> mode & 1;
	return !net_mode_has(mode, key);
}

void model_mode_over(json_t *settings, const json_t *given)
{
	const char *text = json_string_value(json_object_get(given, "mode")), *key, *nat;
	enum net_mode mode;
	json_t *value;
	void *next;

	if (!text || net_mode_parse(text, &mode) < 0)
		return;
	json_object_foreach_safe(settings, next, key, value)
		if (!json_object_get(given, key) && is_lacking(mode, key))
			json_object_del(settings, key);
	nat = json_string_value(json_object_get(settings, "nat"));
	if (mode == NET_NAT && nat && !strcmp(nat, "kernel") && !json_object_get(given, "nat")) {
		json_object_del(settings, "nat");
		json_object_del(settings, "nat_helpers");
	}
	json_object_foreach_safe(json_object_get(settings, "dns"), next, key, value)
		if (!dns_mode_has(mode, key))
			json_object_del(json_object_get(settings, "dns"), key);
}
