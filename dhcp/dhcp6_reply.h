/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dhcp6_reply.h - what a DHCPv6 server's answer says; for dhcp6_server.c and the answer's own parts. Pure; any thread. */
#ifndef DHCP_DHCP6_REPLY_H
#define DHCP_DHCP6_REPLY_H

#include "dhcp/dhcp6_server.h"

struct dhcp_profile;
struct guest_traits;
struct writer;

enum dhcp6_status {
	STATUS6_SUCCESS, STATUS6_UNSPECIFIED, STATUS6_NO_ADDRESSES, STATUS6_NO_BINDING, STATUS6_NOT_ON_LINK, STATUS6_USE_MULTICAST,
	STATUS6_NO_PREFIX,
	STATUS6_NONE = 0xffff,		/* no option at all */
};

/* dhcp6_given - an item of an answer's IA with its times; valid_s 0: the guest is to stop using it */
struct dhcp6_given {
	struct prefix6 place;
	uint32_t valid_s;
};

/* dhcp6_ia_answer - what becomes of one IA */
struct dhcp6_ia_answer {
	uint16_t type;			/* OPTION6_IA_NA, _TA or _PD */
	uint32_t iaid;
	enum dhcp6_status status;
	struct dhcp6_given given[DHCP6_IA_ITEMS + 1];
	unsigned ngiven;
};

/* dhcp6_answer - the answer that was decided on */
struct dhcp6_answer {
	enum dhcp6_type type;		/* DHCP6_ADVERTISE or DHCP6_REPLY; 0 for silence */
	bool rapid_commit;
	bool settings;			/* with what the guest asks for beside its IAs */
	bool information;		/* it asked for nothing else */
	enum dhcp6_status status;	/* of the whole */
	struct dhcp6_ia_answer ia[DHCP6_IAS_MAX];
	unsigned nias;
	const char *name;		/* by which others find the guest */
	const struct guest_traits *traits;
	const struct dhcp_profile *profile;
};

/* dhcp6_reply_build() - write the answer, wrapped for the relays that it goes back by. Return: bytes written, or -EMSGSIZE. */
int dhcp6_reply_build(const struct dhcp6_conf *conf, const struct dhcp6_message *m, const struct dhcp6_relays *relays,
		      const struct dhcp6_answer *a, uint8_t *reply, size_t room);

/* dhcp6_settings_write() - its part that is not of IAs: what the guest asks for, and what is forced. What has no room is left out. */
void dhcp6_settings_write(struct writer *w, const struct dhcp6_conf *conf, const struct dhcp6_message *m, const struct dhcp6_answer *a);

#endif
