// SPDX-License-Identifier: GPL-2.0-or-later
/* Groups: named sets of port settings, which hold for every port that names one and says nothing else itself. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <string.h>

const json_t *group_tree(const struct model_ctx *ctx, const char *name)
{
	return json_object_get(json_object_get(ctx->network, "groups"), name);
}

int group_read(struct model_ctx *ctx, const struct net_conf *net, const char *name, const json_t *object, void *to)
{
	struct group_conf *group = to;

	if (!name_valid(name))
		return ctx_fail(ctx, object, NULL, -EINVAL, "not a name: use a-z, 0-9 and - inside, at most 63 letters");
	strcpy(group->name, name);
	return port_settings_read(ctx, net, object, &group->settings);
}

json_t *group_export(const struct net_conf *net, const struct group_conf *group, unsigned flags)
{
	return port_settings_write(net, &group->settings, flags & ~(unsigned)MODEL_EFFECTIVE);	/* it has no other settings than given ones */
}

int groups_write(json_t *object, const struct net_conf *net, unsigned flags)
{
	json_t *all = net->ngroups ? json_object() : NULL;

	for (size_t i = 0; all && i < net->ngroups; i++)
		if (json_object_set_new(all, net->groups[i].name, group_export(net, &net->groups[i], flags)) < 0) {
			json_decref(all);
			return -ENOMEM;
		}
	return net->ngroups ? json_object_set_new(object, "groups", all) : 0;
}
