// SPDX-License-Identifier: GPL-2.0-or-later
/* Of which frames a port, a group's ports or a network's ports keep the last ones. */
#include "ctl/model_parts.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

static const struct word keeps[] = { { "drops", RECORDER_DROPS }, { "all", RECORDER_ALL }, { "off", RECORDER_OFF }, { NULL, 0 } };

static int read_keep(struct model_ctx *ctx, const json_t *value, uint8_t *keep)
{
	const char *text = json_string_value(value);

	if (json_is_false(value))	/* what YAML makes of `off` */
		text = "off";
	for (size_t i = 0; text && keeps[i].text; i++)
		if (!strcmp(text, keeps[i].text)) {
			*keep = (uint8_t)keeps[i].value;
			return 0;
		}
	return ctx_fail(ctx, NULL, NULL, -EINVAL, "is none of drops, all and off");
}

static int read_recorder(struct model_ctx *ctx, const struct net_conf *net, const struct layers *layers, struct port_conf *port)
{
	int rc = 0;

	(void)net;
	for (unsigned i = 0; rc == 0 && i < layers->n; i++)
		if (layers->of[i] && !json_is_null(layers->of[i])) {
			rc = read_keep(ctx, layers->of[i], &port->recorder);
			port->recorder_given = i + 1 == layers->n;
		}
	return rc;
}

static json_t *write_recorder(const struct net_conf *net, const struct port_conf *port, unsigned flags)
{
	(void)net;
	return port->recorder_given || flags & MODEL_EFFECTIVE ? json_string(word_of(keeps, port->recorder)) : json_object();
}

const struct port_part recorder_part = { "recorder", true, read_recorder, write_recorder, NULL };
