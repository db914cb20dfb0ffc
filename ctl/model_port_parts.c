// SPDX-License-Identifier: GPL-2.0-or-later
/* What is written inside a port, a group of ports or a network besides their fields. */
#include "ctl/model_parts.h"

#include <errno.h>

static const struct port_part *const port_parts[] = {
	&vlan_translate_part,
	&guard_part,
	&policy_part,
	&shape_part,
	&mirror_part,
	&recorder_part,
	NULL,
};

static int read_part(struct model_ctx *ctx, const struct port_part *part, const struct net_conf *net, const json_t *object,
		     const struct layers *layers, struct port_conf *to)
{
	struct ctx_mark mark = ctx_enter(ctx, object, part->key, part->key, "");
	int rc = part->read(ctx, net, layers, to);

	ctx_leave(ctx, mark);
	return rc;
}

int port_parts_read(struct model_ctx *ctx, const struct net_conf *net, const json_t *group, const json_t *object, struct port_conf *to)
{
	int rc = 0;

	for (const struct port_part *const *p = port_parts; rc == 0 && *p; p++) {
		const struct port_part *part = *p;
		struct layers layers = { .n = 3 };

		layers.of[0] = part->network ? json_object_get(ctx->network, part->key) : NULL;
		layers.of[1] = json_object_get(group, part->key);
		layers.of[2] = json_object_get(object, part->key);
		rc = read_part(ctx, part, net, object, &layers, to);
	}
	return rc;
}

int net_parts_read(struct model_ctx *ctx, const json_t *object, struct net_conf *net)
{
	int rc = 0;

	for (const struct port_part *const *p = port_parts; rc == 0 && *p; p++) {
		const struct port_part *part = *p;
		struct layers layers = { { json_object_get(object, part->key) }, 1 };

		if (part->network)
			rc = read_part(ctx, part, net, object, &layers, &net->defaults);
	}
	return rc;
}

static int write_part(json_t *object, const struct port_part *part, json_t *value)
{
	int rc = value ? 0 : -ENOMEM;

	if (rc == 0 && (json_object_size(value) || json_array_size(value) || (!json_is_object(value) && !json_is_array(value))))
		rc = json_object_set(object, part->key, value);
	json_decref(value);
	return rc;
}

int port_parts_write(json_t *object, const struct net_conf *net, const struct port_conf *port, unsigned flags)
{
	int rc = 0;

	for (const struct port_part *const *p = port_parts; rc == 0 && *p; p++)
		rc = write_part(object, *p, (*p)->write(net, port, flags));
	return rc;
}

int net_parts_write(json_t *object, const struct net_conf *net, unsigned flags)
{
	int rc = 0;

	for (const struct port_part *const *p = port_parts; rc == 0 && *p; p++)
		if ((*p)->network)
			rc = write_part(object, *p, (*p)->write(net, &net->defaults, flags));
	return rc;
}

void port_parts_free(struct port_conf *port)
{
	for (const struct port_part *const *p = port_parts; *p; p++)
		if ((*p)->free)
			(*p)->free(port);
}
