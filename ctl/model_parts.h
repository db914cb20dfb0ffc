/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/model_parts.h - how ctl/model.c puts a model together from its objects
 *
 * Each *_read() fills one object from its tree, knowing only its network; model_check() then looks at what must not
 * happen twice. Return: 0, or a negative errno after ctx_fail(). Only ctl/model*.c includes this.
 */
#ifndef CTL_MODEL_PARTS_H
#define CTL_MODEL_PARTS_H

#include "ctl/model_fields.h"

/* net_read() - the network's own settings; what depends on its subnet follows with net_complete() */
int net_read(struct model_ctx *ctx, const json_t *object, struct net_conf *net);
int net_complete(struct model_ctx *ctx, const json_t *object, struct net_conf *net);

/* net_modes - their words; net_mode_has() - has the table of networks a setting @key in this mode? Also of settings that it does not know */
extern const struct word net_modes[];
bool net_mode_has(enum net_mode mode, const char *key);

/* addressing_complete() - what follows from net->subnet: gateway, IPv6 subnet, address for DNS and pool, as far as they were not given
 * dhcp_rows, dhcp_nrows - the table of `dhcp: {...}`
 * dns_rows, dns_nrows - that of `dns: {...}`; dns_mode_has() - as net_mode_has()
 * mapping_read() - `key: {...}` of @object by a table of its own into @net; mapping_read_over(): over what @below says, which has no row
 *	that is given, too, and may be NULL; mapping_fail() - an error in it; Return: -EINVAL
 */
int addressing_complete(struct model_ctx *ctx, const json_t *object, struct net_conf *net, bool gateway_given, bool subnet6_given);
extern const struct field dhcp_rows[];
extern const size_t dhcp_nrows;
extern const struct field dns_rows[];
extern const size_t dns_nrows;
bool dns_mode_has(enum net_mode mode, const char *key);

/* check_aliases() - a guest's further names are nobody else's */
int check_aliases(struct model_ctx *ctx, const struct net_conf *net, const json_t *networks);
int mapping_read(struct model_ctx *ctx, const json_t *object, const char *key, const struct field *table, size_t n, struct net_conf *net,
		 field_set *set);
int mapping_read_over(struct model_ctx *ctx, const json_t *below, const json_t *object, const char *key, const struct field *table, size_t n,
		      struct net_conf *net, field_set *set);
int mapping_fail(struct model_ctx *ctx, const json_t *object, const char *group, const char *key, const char *what);

/* port_part - something written inside a port that is more than a field of it: a mapping with a table of its own, or a list
 *
 * A group may have each part, too, and so may (@network) the network itself: what one says holds for the ports below it that say nothing
 * else. Each is a row of port_parts[] in ctl/model_port_parts.c, besides one of type field_members in the tables of ports and networks.
 */
struct port_part {
	const char *key;
	bool network;			/* may a network have it? Then its own is in net->defaults */

	/* read() - into @to, zeroed; NULL layers say nothing. A mapping is layers_read(), a list is the last that is there */
	int (*read)(struct model_ctx *ctx, const struct net_conf *net, const struct layers *layers, struct port_conf *to);

	/* write() - what was given in the last layer, or (MODEL_EFFECTIVE) all; new reference, or NULL out of memory; empty: nothing */
	json_t *(*write)(const struct net_conf *net, const struct port_conf *port, unsigned flags);

	void (*free)(struct port_conf *port);	/* what read() allocated, also when it failed; may be NULL */
};

/* port_parts_read() - of a port of group @group (either may be NULL); net_parts_read() - the network's own
 * port_parts_write() - add them to @object; net_parts_write()
 * port_parts_free() - of a port, or of net->defaults
 */
int port_parts_read(struct model_ctx *ctx, const struct net_conf *net, const json_t *group, const json_t *object, struct port_conf *to);
int net_parts_read(struct model_ctx *ctx, const json_t *object, struct net_conf *net);
int port_parts_write(json_t *object, const struct net_conf *net, const struct port_conf *port, unsigned flags);
int net_parts_write(json_t *object, const struct net_conf *net, unsigned flags);
void port_parts_free(struct port_conf *port);

/* group_read() - a set of port settings
 * groups_write() - those of @net into @object, or nothing when there are none
 * group_tree() - of the network that is being read, borrowed, or NULL when there is none of this name
 */
int groups_write(json_t *object, const struct net_conf *net, unsigned flags);
const json_t *group_tree(const struct model_ctx *ctx, const char *name);
int group_read(struct model_ctx *ctx, const struct net_conf *net, const char *name, const json_t *object, void *group);
int port_read(struct model_ctx *ctx, const struct net_conf *net, const char *name, const json_t *object, void *port);

/* segment_read() - what was given for one; segments_complete() - what follows from it once every subnet is known
 * segments_write() - those of @net into @object, or nothing when there are none
 */
int segment_read(struct model_ctx *ctx, const struct net_conf *net, const char *id, const json_t *object, void *segment);
int segments_complete(struct model_ctx *ctx, const json_t *object, struct net_conf *net);
int segments_write(json_t *object, const struct net_conf *net, unsigned flags);

/* vlan_check() - what a port's settings of VLANs, as far as they were given, say together; sets vlan_mode and what follows from it
 * @given:	has this row been given, by the port or by its group?
 */
int vlan_check(struct model_ctx *ctx, const struct net_conf *net, const json_t *object, field_set given, struct port_conf *port);
extern const struct port_part vlan_translate_part;

/* policy, shape - ctl/model_policy.c, ctl/model_shape.c
 * shaper_read() - a rate that ports share; shapers_write() - those of @net into @object, or nothing when there are none
 * shaper_check() - is the shaper that a port names there?
 */
extern const struct port_part policy_part, shape_part;
extern const struct port_part recorder_part;	/* ctl/model_recorder.c */
extern const struct port_part mirror_part;	/* ctl/model_mirror.c */
int check_mirrors(struct model_ctx *ctx, const struct net_conf *net, const json_t *networks);
extern const struct port_part guard_part;	/* ctl/model_guard.c */
int shaper_read(struct model_ctx *ctx, const struct net_conf *net, const char *name, const json_t *object, void *shaper);
int shapers_write(json_t *object, const struct net_conf *net);
int shaper_check(struct model_ctx *ctx, const struct net_conf *net, const json_t *object, const struct port_conf *port);

/* port_rows, port_nrows - the table of a port's fields */
extern const struct field port_rows[];
extern const size_t port_nrows;

/* port_settings_read() - what a group has of a port; port_settings_write() */
int port_settings_read(struct model_ctx *ctx, const struct net_conf *net, const json_t *object, struct port_conf *to);
json_t *port_settings_write(const struct net_conf *net, const struct port_conf *port, unsigned flags);
/* own_ports_add() - those that the mode brings along, to net->ports, where there is room for OWN_PORTS_MAX more */
enum { OWN_PORTS_MAX = 2 };
void own_ports_add(struct net_conf *net);
int forward_read(struct model_ctx *ctx, const struct net_conf *net, const char *id, const json_t *object, void *forward);
int reservation_read(struct model_ctx *ctx, const struct net_conf *net, const char *port, const json_t *value,
		     void *reservation);
int record_read(struct model_ctx *ctx, const struct net_conf *net, const json_t *object, struct record_conf *record);

/* peer_read() - one of the segments that a network's own, or another, names as its peers; peers_tree() - all of them; check_peers() - are they there,
 * and can they be? */
int peer_read(struct model_ctx *ctx, const struct net_conf *net, const char *name, const json_t *object, void *peer);
json_t *peers_tree(const struct net_conf *net);
int check_peers(struct model_ctx *ctx, const struct model *model, const json_t *networks);

/* subnet_choose() - give a subnet to each NAT network, and segment of one, that has none
 *
 * A /24 of 10.64.0.0/10, first tried at a place that the network's name decides, so that it is the same again after
 * `rm` and `add` and rarely that of another host; in mode nat 10.0.2.0/24, which all such networks may have.
 */
int subnet_choose(struct model_ctx *ctx, struct model *model, const json_t *networks);

/* check_subnets() - of both families, of networks and segments: does one lie in another? */
int check_subnets(struct model_ctx *ctx, const struct model *model, const json_t *networks);

/* model_check() - subnets, listening addresses, MACs, paths and addresses that are used twice */
int model_check(struct model_ctx *ctx, const struct model *model, const json_t *networks);

/* check_listeners() - forwards that listen on the same port of the same address; a wildcard meets every address of its family */
int check_listeners(struct model_ctx *ctx, const struct model *model, const json_t *networks);

/* claimant - an object of a network that claims something which only one may have
 * written_after() - does @a stand behind @b? What is added last is the one that finds its thing taken.
 * clash() - @b has what @a has already; only who owns the other network is told its name; Return: @rc
 */
struct claimant {
	const struct net_conf *net;
	const char *object;
};
bool written_after(const json_t *networks, struct claimant a, struct claimant b, const char *group);
int clash(struct model_ctx *ctx, const json_t *networks, struct claimant a, struct claimant b, const char *group, const char *what,
	  const char *key, const char *text, int rc);

/* boot_read() - what guests boot, of a network's @object; boot_complete() - can it be told them? boot_tree() - new reference */
int boot_read(struct model_ctx *ctx, const json_t *object, struct net_conf *net);
int boot_complete(struct model_ctx *ctx, const json_t *object, const struct net_conf *net);
json_t *boot_tree(const struct net_conf *net);

/* ip6_read() - `dhcp6` and `ra` of a network or segment; ip6_complete() - what follows from its subnets; ip6_write() - add them to @object;
 * ip6_missing() - names of those that were not given */
int ip6_read(struct model_ctx *ctx, const json_t *object, struct net_conf *net);
int ip6_complete(struct model_ctx *ctx, const json_t *object, struct net_conf *net);
int ip6_write(json_t *object, const struct net_conf *net, unsigned flags);
int ip6_missing(const struct net_conf *net, json_t *list);

/* ifname_valid() - may it be an interface's name? */
bool ifname_valid(const char *text);

/* guest_address() - may @ip belong to a guest of this network: inside a segment of it, and neither its ends nor the gateway's? */
bool guest_address(const struct net_conf *net, uint32_t ip);

#endif
