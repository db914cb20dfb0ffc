/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/explain_target.h - whom `lanyard why` asks about: DESTINATION[:PORT[/tcp|udp|icmp]]. Pure. */
#ifndef CTL_EXPLAIN_TARGET_H
#define CTL_EXPLAIN_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"

struct error;

enum { EXPLAIN_TEXT = 300 };		/* a domain name, a port and a protocol */

struct explain_target {
	char host[EXPLAIN_TEXT];	/* as it was written, without port and protocol */
	bool is_addr;			/* addr holds; else host is a name, or: */
	struct addr addr;
	char net[NAME_MAX_SIZE], guest[NAME_MAX_SIZE];	/* NET/NAME; else "" */
	uint8_t proto;			/* IPPROTO_TCP, IPPROTO_UDP; IPPROTO_ICMP: a ping, of either family */
	uint16_t port;			/* 0 of a ping */
};

/* explain_target_parse() - an IPv6 address with a port stands in brackets; without a port and a protocol it is a ping
 * Return: 0, or -EINVAL with @err.
 */
int explain_target_parse(const char *text, struct explain_target *target, struct error *err);

#endif
