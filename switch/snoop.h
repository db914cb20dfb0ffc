/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/snoop.h - IGMP and MLD snooping: frames of a multicast group go to the ports that have asked for it (RFC 4541)
 *
 * A table of one network, borrowed by its view. Workers note what hosts report and who queries while they flood the very frames; nothing is
 * looked at of frames to one station. Memberships are entries of a table like that of stations (switch/fdb.h): bounded, aged, and shared
 * fairly. Groups are told apart by VLAN and MAC address.
 *
 * Always flooded are frames that are no IP multicast, and the groups of the link: 224.0.0.x, ff02::xx and the solicited-node groups,
 * which hosts need before they report. Reports go to routers only, so that no host keeps quiet because another has spoken.
 */
#ifndef SWITCH_SNOOP_H
#define SWITCH_SNOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"

struct burst;
struct frame;
struct port_view;
struct segment;
struct snoop;

enum {
	SNOOP_AGE_MS = 260000,		/* RFC 3376 8.4: twice the query interval, and the time to answer */
	SNOOP_QUERY_S = 125, SNOOP_LAST_MS = 2000, SNOOP_QUERY_MAX = 90,
};

/* snoop_new() - @flood_unregistered: do groups that nobody asked for go to everybody (true), or to routers alone? NULL: no memory */
struct snoop *snoop_new(bool flood_unregistered);
void snoop_free(struct snoop *snoop);	/* after a grace period */
void snoop_unregistered(struct snoop *snoop, bool flood);	/* the same setting, for frames to come; control thread */
void snoop_forget_port(struct snoop *snoop, uint32_t port);

/* snoop_sort - what a parsed frame is about */
enum snoop_kind { SNOOP_NOTHING, SNOOP_REPORT, SNOOP_QUERY };
enum { SNOOP_GROUPS = 64 };

struct snoop_message {
	enum snoop_kind kind;
	bool router;			/* a query of somebody who has an address */
	unsigned n;			/* reports: the first SNOOP_GROUPS groups */
	struct addr groups[SNOOP_GROUPS];
	bool leaves[SNOOP_GROUPS];
};

/* snoop_parse() - IGMP or MLD in a contiguous frame; what breaks a rule of RFC 2236, 3376, 2710 or 3810 is nothing. Pure */
void snoop_parse(const uint8_t *data, size_t len, struct snoop_message *m);

/* snooped - who gets a flooded frame */
struct snooped {
	struct snoop *snoop;		/* NULL: all */
	uint64_t group;			/* 0: routers alone */
	uint64_t now_ms;
	uint16_t vid;
};

/* snoop_flood() - note what the frame says, and fill in who gets it; snoop_wants() - does this port? The worker that floods */
void snoop_flood(struct burst *b, const struct frame *f, struct snooped *s);
bool snoop_wants(const struct snooped *s, const struct port_view *to);

/* snoop_query() - a query of the segment's gateway: about @group, or (none) all groups of the family @ip6; into SNOOP_QUERY_MAX bytes; Return: length */
uint32_t snoop_query(uint8_t *to, const struct segment *seg, bool ip6, struct addr group);

#endif
