/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/attach_message.h - the message on attach.sock (docs/api.md): parsed and bounded; pure, any thread */
#ifndef CTL_ATTACH_MESSAGE_H
#define CTL_ATTACH_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"

enum { ATTACH_TEXT_MAX = 2048, ATTACH_IFNAME = 16 };

enum attach_medium { ATTACH_TAP, ATTACH_PACKET, ATTACH_STREAM };

struct attach_message {
	char network[NAME_MAX_SIZE], port[NAME_MAX_SIZE];
	enum attach_medium medium;
	char ifname[ATTACH_IFNAME];	/* or empty */
	char mac[MAC_TEXT];		/* or empty */
	uint16_t vlan;			/* or 0 */
	bool transient;
};

/* attach_parse() - Return: 0, or -EINVAL with @err */
int attach_parse(struct attach_message *m, const char *text, size_t size, struct error *err);

/* attach_medium_name() - "tap", "packet", "stream"; static text */
const char *attach_medium_name(enum attach_medium medium);

#endif
