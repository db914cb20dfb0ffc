/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/model.h - the one validated model: what networks there are, with their ports, forwards and names
 *
 * JSON from the API, YAML from a file and rows of the state store become one jansson tree, and model_parse() is the
 * only way from a tree to a struct model. What it returns has passed every check that needs no host: types,
 * ranges, names, addresses inside their subnet, nothing used twice. docs/lanyard.yaml.5 describes the tree.
 *
 * A model is immutable once parsed and may be read from any thread; parsing and exporting take the tree, which
 * belongs to the control thread. IPv4 addresses are in host order.
 */
#ifndef CTL_MODEL_H
#define CTL_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <jansson.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/text.h"
#include "dhcp/boot.h"
#include "dhcp/reservation.h"
#include "switch/peer.h"
#include "switch/rate.h"

struct line_map;
struct rule;

enum {
	MODEL_NETWORKS_MAX = 1024,
	MODEL_SHAPERS_MAX = 256,	/* of one network */
	MODEL_PORTS_MAX = 4096,		/* of one network */
	MODEL_FORWARDS_MAX = 32768,	/* of one network */
	MODEL_RECORDS_MAX = 16384,	/* of one network */
	MODEL_GROUPS_MAX = 256,		/* of one network */
	MODEL_SEGMENTS_MAX = 256,	/* of one network */
	FORWARD_LISTEN_MAX = 8,
	UPSTREAMS_MAX = 8,
	DNS_LISTEN_MAX = 4,
	DNS_ROUTES_TEXT = 4096,
	DOMAIN_TEXT = 254,		/* longest name, RFC 1035 2.3.4, and its end */
	RECORD_VALUE_TEXT = 512,
	MODEL_PATH_TEXT = 108,		/* sun_path */
	MODEL_VLANS = 4096,		/* bits of a trunk's list */
	IFNAME_TEXT = 16,		/* IFNAMSIZ */
	MODEL_PAIRS_MAX = 16,		/* queue pairs of a vhost-user port */
};

enum net_mode { NET_NAT_NETWORK, NET_INTERNAL, NET_NAT, NET_HOST_ONLY, NET_BRIDGED, NET_ROUTED };
enum nat_kind { NAT_KIND_USER, NAT_KIND_KERNEL };
enum nat_filter { NAT_FILTER_ADDRESS, NAT_FILTER_ANY };
enum net_one_mac { ONE_MAC_AUTO, ONE_MAC_ON, ONE_MAC_OFF };
enum net_host_access { HOST_ACCESS_NONE, HOST_ACCESS_OWN, HOST_ACCESS_LOOPBACK };
enum port_kind { PORT_KIND_STREAM, PORT_KIND_TAP, PORT_KIND_NETNS, PORT_KIND_ATTACHED, PORT_KIND_VHOST_USER, PORT_KIND_DGRAM,
		 PORT_KIND_UDP, PORT_KIND_VMM_TAP, PORT_KIND_HOST, PORT_KIND_UPLINK };
enum port_role { PORT_ROLE_SERVER, PORT_ROLE_CLIENT };
enum forward_source { FORWARD_SOURCE_CLIENT, FORWARD_SOURCE_GATEWAY };	/* from which address the guest sees clients come */
enum port_vlan { PORT_VLAN_ACCESS, PORT_VLAN_TRUNK, PORT_VLAN_TUNNEL };
enum port_frames { PORT_FRAMES_ALL, PORT_FRAMES_TAGGED, PORT_FRAMES_UNTAGGED };	/* which a trunk takes */
enum port_tags { PORT_TAGS_CUSTOMER, PORT_TAGS_SERVICE };	/* a trunk's: 0x8100 or 0x88a8 */

/* endpoint - an address of either family, and a port where one was given (else 0) */
struct endpoint {
	uint16_t port;		/* host order */
	uint16_t v6;		/* 0: ip[0..3] counts, the rest is zero; 1: ip[0..15]; as on the wire */
	uint8_t ip[16];		/* no padding: endpoints are compared by memcmp() */
};

/* HOST_PORT - the host's end of a network, of kind PORT_KIND_HOST: it is there in modes host-only, routed and bridged and not otherwise
 * UPLINK_PORT - the host's interface by which a bridged network is part of a LAN, of kind PORT_KIND_UPLINK
 */
#define HOST_PORT "@host"
#define UPLINK_PORT "@uplink"

typedef uint64_t field_set;	/* a bit for each row of an object's table that was given (ctl/model_fields.h) */

enum { ENDPOINT_TEXT = 56 };	/* "[" 45 "]:65535" */

/* vlan_pair - a VLAN of the network that has another number on one port's wire */
struct vlan_pair {
	uint16_t wire, vid;
};

/* policy_conf - what a port's guest may begin, and others with it (switch/rule.h) */
struct policy_conf {
	uint8_t deny;			/* bits of enum rule_direction: which way the default denies */
	uint32_t nrules;
	struct rule *rules;		/* of the port, or else of its group; those of the network are asked after them */
	field_set set;
};

/* policy_has_own_rules() - of the object itself: not those of the group that a port follows */
bool policy_has_own_rules(const struct policy_conf *p);

/* guards_conf - what a port may send, and what it is shown (ctl/model_guard.c); rates are frames per second, 0: no limit */
enum { GUARD_LISTED_MAX = 16 };
enum guard_when { GUARD_WHEN_AUTO, GUARD_WHEN_ON, GUARD_WHEN_OFF };
struct guards_conf {
	bool own_mac, own_ip, isolated, promiscuous, loop;
	uint8_t dhcp, router;		/* enum guard_when */
	uint32_t max_macs;		/* 0: any number */
	uint32_t broadcast, multicast, unknown;
	struct guard_list {
		struct addr of[GUARD_LISTED_MAX];
		unsigned n;
	} addresses;			/* its own besides what is leased to it or reserved for it */
	struct mac_list {
		uint8_t of[GUARD_LISTED_MAX][MAC_SIZE];
		unsigned n;
	} macs;				/* further ones of its own, which live nowhere else */
	field_set set;
};

/* shape_conf - how fast what the guest sends may come, and what it is sent may go */
struct shape_conf {
	struct rate_conf egress, ingress;
	field_set set;
};

/* recorder_keep - of which frames a port keeps the last ones (switch/recorder.h) */
enum recorder_keep { RECORDER_DROPS, RECORDER_ALL, RECORDER_OFF };

/* mirror_conf - whose frames a port gets copies of; it takes part in nothing else */
enum { MIRROR_FROM_MAX = 16 };
struct mirror_conf {
	struct mirror_from {
		bool all;			/* every port of the network, the gateway and the services among them */
		unsigned n;
		char names[MIRROR_FROM_MAX][NAME_MAX_SIZE];	/* they need not be there now */
	} from;
	uint8_t direction;			/* enum capture_way */
	bool some_vlans;			/* only frames in: */
	uint64_t vlans[MODEL_VLANS / 64];
	field_set set;
};

struct port_conf {
	char name[NAME_MAX_SIZE];
	enum port_kind kind;
	bool transient;			/* made by attach.sock for as long as its client lives, or by the mode; never stored */
	uint8_t mac[MAC_SIZE];		/* mac_from_names() unless given */
	bool link_up;
	enum port_vlan vlan_mode;
	uint16_t pvid;			/* access, tunnel: its VID, 1..4094 */
	uint16_t tunnel;		/* the same as it was written for a tunnel; 0: it is none */
	uint16_t native;		/* trunk: VID of untagged frames, or 0 for none */
	bool native_tagged;		/* trunk: they leave with a tag, all the same */
	enum port_frames frames;	/* trunk */
	enum port_tags tags;		/* trunk */
	struct vlan_pair *translate;	/* trunk: by the number on the wire; owned */
	unsigned ntranslate;
	bool translate_given;
	uint64_t trunk[MODEL_VLANS / 64];	/* trunk: bit VID is set for each VID carried tagged */
	char path[MODEL_PATH_TEXT];	/* stream, vhost-user: unix socket; stream: or ADDRESS:PORT; empty (server): the engine's choice */
	enum port_role role;		/* stream, vhost-user */
	uint32_t queues;		/* vhost-user: pairs that a guest may use, 1..MODEL_PAIRS_MAX; uplink: enum net_one_mac */
	char local[MODEL_PATH_TEXT];	/* dgram: path of our socket, udp: ADDRESS:PORT */
	char remote[MODEL_PATH_TEXT];	/* the peer's, likewise */
	char ifname[IFNAME_TEXT];	/* tap, vmm-tap, netns, attached */
	char netns[MODEL_PATH_TEXT];	/* netns: a name, a pid or a path */
	char group[NAME_MAX_SIZE];	/* of the network's, whose settings hold where the port itself says nothing; or empty */
	struct guards_conf guard;
	struct policy_conf policy;
	uint8_t recorder;		/* enum recorder_keep */
	bool recorder_given;
	struct mirror_conf *mirror;	/* owned; NULL: it is a port like any other */
	struct shape_conf shape;
	char shaper[NAME_MAX_SIZE];	/* of the network's, which several ports share; or empty */
	bool relay;			/* a DHCP relay there speaks for guests of every segment, not of its own alone */
	field_set set;			/* what the port itself was given */
	char aliases[192];		/* further names of the guest, as model_list_next() reads them */
};

/* shaper_conf - a rate that all ports which name it have together */
struct shaper_conf {
	char name[NAME_MAX_SIZE];
	struct shape_conf shape;
};

/* group_conf - a named set of port settings */
struct group_conf {
	char name[NAME_MAX_SIZE];
	struct port_conf settings;	/* only those that set, and its parts, say were given; the rest means nothing */
};

struct forward_conf {
	char id[NAME_MAX_SIZE];		/* the name, or PORT/PROTO: "8080/tcp", "8000-8099/udp" */
	char name[NAME_MAX_SIZE];	/* empty when it has none */
	struct endpoint listen[FORWARD_LISTEN_MAX];	/* addresses only, port 0; 127.0.0.1 and ::1 unless given */
	unsigned nlisten;
	uint16_t port, count;		/* on the host: the first, and how many from there on, at least 1 */
	uint8_t proto;			/* IPPROTO_TCP or IPPROTO_UDP */
	char to[NAME_MAX_SIZE];		/* guest's port name, or empty when to_ip holds */
	uint32_t to_ip;
	uint16_t to_port;		/* to which the first leads; the next to the next */
	uint8_t source;			/* enum forward_source */
	bool listen_given;
};

/* reservation_conf - what is set aside for one guest (ctl/model_reservation.c) */
struct reservation_conf {
	struct dhcp_reservation of;	/* begins with its name; the options in it are owned */
	char aliases[192];		/* further names of the guest in DNS, as model_list_next() reads them */
	field_set set;
};

/* pool_conf - ranges of addresses, by address */
enum { POOL_RANGES_MAX = 16 };
struct pool_conf {
	struct address_range { uint32_t first, last; } of[POOL_RANGES_MAX];
	unsigned n;
};

/* class_conf - guests who have something in common (ctl/model_class.c) */
struct class_conf {
	struct dhcp_class class;	/* begins with its name; without a pool's number; the options in it are owned */
	struct pool_conf pool;
	field_set set;
};

struct class_list {
	struct class_conf *of;		/* by name; owned */
	size_t n;
};

/* peer_conf - a segment whose guests those of this one reach (ctl/model_peer.c) */
struct peer_conf {
	char name[SEGMENT_NAME_TEXT];	/* "lab", "lab:20" */
	struct peer_rules allow;	/* what may be opened there; .all: no list was given, and then so may they here */
};

enum record_type { RECORD_A = 1, RECORD_CNAME = 5, RECORD_PTR = 12, RECORD_MX = 15, RECORD_TXT = 16, RECORD_AAAA = 28,
		   RECORD_SRV = 33 };	/* the numbers of the DNS (IANA) */

struct record_conf {
	char name[DOMAIN_TEXT];	/* lower case; one label: below the domain; with a dot: whole; "@": the domain */
	enum record_type type;
	char value[RECORD_VALUE_TEXT];	/* canonical text: an address, a name, or the words of an MX, SRV or TXT */
};

struct segment_conf;

/* net_boot - what guests that boot from the network are told */
struct net_boot {
	struct boot_conf conf;
	field_set set;
};

enum dhcp6_mode { DHCP6_OFF, DHCP6_STATELESS, DHCP6_STATEFUL };

/* net_ip6 - what IPv6 guests are given and told beside the prefix (ctl/model_ip6.c); only where there is an IPv6 subnet */
struct net_ip6 {
	enum dhcp6_mode mode;		/* stateless: settings alone; stateful: addresses, too */
	struct addr pool[2];		/* the first and the last address of those */
	struct prefix6 prefixes;	/* prefixes of it are delegated to routers; len 0: none are */
	uint32_t prefix_length;		/* of each */
	struct endpoint ntp[4];
	struct option_set options;	/* of DHCPv6; owned */
	struct prefix6 pref64;		/* of a NAT64 (RFC 8781); len 0: there is none */
	char captive_portal[254];	/* the URI of its API (RFC 8910), or empty */
	field_set dhcp6_set, ra_set;
};

struct net_conf {
	char name[SEGMENT_NAME_TEXT];	/* a network's own has no VID */
	uid_t owner;
	enum net_mode mode;
	bool has_subnet;		/* false: no addressing, gateway or services at all */
	struct prefix4 subnet;
	uint32_t gateway;		/* the services' address; a router only where has_router */
	uint32_t dns;			/* where DNS is asked: the gateway's; in mode nat one of its own beside it */
	struct prefix6 subnet6;		/* a /64; len 0: none */
	struct addr gateway6;		/* its first address */
	struct net_ip6 ip6;
	bool has_nat;			/* guests reach the outside by translation, and forwards may exist */
	bool has_router;		/* guests reach the outside, by whatever means */
	unsigned nown;			/* ports that the mode brings along */
	bool has_host;			/* the gateway's addresses are the host's, on an interface that is the port HOST_PORT */
	enum nat_kind nat;
	char uplink[IFNAME_TEXT];	/* the host's interface that everything for the outside leaves by; empty: any. Where it routes: between which it does */
	enum net_one_mac one_mac;	/* bridged: do guests go by the uplink's MAC address? */
	enum nat_filter filtering;	/* who may answer a guest's datagrams */
	enum net_host_access host_access;
	uint8_t nat_helpers;		/* bits of enum host_nat_helper (ctl/host.h) */
	uint32_t mtu;
	bool snooping;			/* multicast goes to who asked for it */
	bool unregistered;		/* and what nobody asked for to everybody */
	uint32_t stations;		/* MAC addresses that the switch is to know at once */
	char domain[DOMAIN_TEXT];
	struct net_boot *boot;		/* NULL: nothing; a segment has its network's, which owns it */
	bool dhcp_enabled;
	struct pool_conf pool;
	uint32_t lease_s;		/* UINT32_MAX: infinite */
	struct {
		uint32_t min_s, max_s;	/* what a guest may ask for; 0: the server's usual */
		uint32_t probation_s;	/* how long an address rests that a guest found taken; 0: a day */
		bool rapid_commit, bootp;
		struct option_set options;	/* owned */
		struct class_list classes;
	} dhcp;
	uint32_t lease_quota, lease_declines, dhcp_rate;	/* of one port: addresses, those of them resting, messages a second (0: any) */
	bool dns_enabled;
	bool dns_host;			/* programs of the host find guests by their names */
	struct {
		bool case_random;	/* ask in letters of random case, and believe who repeats them */
		bool trust_ad;		/* pass on that a resolver calls an answer authenticated */
		bool validate;		/* believe only what is signed as it must be (DNSSEC), by these keys: */
		char trust_anchor[256];	/* a file; empty: the world's */
		bool rebind_protect;	/* private addresses in answers of others are left out, but for these domains: */
		char rebind_allow[512];	/* as model_list_next() reads them */
		uint32_t cache_kb;	/* memory for answers of others; 0: none is kept */
		uint32_t queries;	/* of one port that wait for resolvers */
	} relay;			/* of DNS */
	bool wire;			/* its two ports are the ends of a cable: nothing is looked at or held back */
	struct endpoint upstreams[UPSTREAMS_MAX];	/* none: the host's resolvers */
	unsigned nupstreams;
	char dns_routes[DNS_ROUTES_TEXT];	/* domains that others are asked for, as dhcp/resolvers.h reads them */
	struct endpoint dns_listen[DNS_LISTEN_MAX];	/* where programs of the host may ask for guests' names; ended by an unspecified one */
	struct {
		uint32_t flows, sockets, half_open, memory_kb;	/* what NAT gives to each port; sockets 0: half of what there is */
	} limits;
	field_set set, dhcp_set, dns_set, limits_set;
	struct port_conf defaults;	/* what holds for each port that says nothing else: its parts (ctl/model_parts.h) and nothing more */

	/* each sorted by its name, so that two models compare and search quickly */
	struct port_conf *ports;
	size_t nports;
	struct forward_conf *forwards;
	size_t nforwards;
	struct reservation_conf *reservations;
	size_t nreservations;
	struct record_conf *records;	/* by name and type */
	size_t nrecords;
	struct peer_conf *peers;	/* of its own segment, that this one names; the other side's settings may, too: peering_of() */
	size_t npeers;
	struct group_conf *groups;
	size_t ngroups;
	struct segment_conf *segments;	/* by their VIDs as texts */
	size_t nsegments;
	struct shaper_conf *shapers;
	size_t nshapers;
};

/* segment_conf - a VLAN of a network with addressing of its own */
struct segment_conf {
	char id[8];			/* its VID as text: "20" */
	uint16_t vid;			/* 2..4094 */
	char name[NAME_MAX_SIZE];	/* or empty */
	struct net_conf net;		/* the network as it is seen there: addressing, DHCP, DNS; without members, called "lab:20" */
	field_set set;
};

struct model {
	struct net_conf *networks;	/* by name */
	size_t nnetworks;
};

/* model_env - what a model needs to know of the world around it */
struct model_env {
	uid_t owner;			/* of networks that name none */
	bool transient;			/* may ports be transient? true only for the engine's own trees */
	bool (*subnet_free)(void *arg, struct prefix4 prefix);	/* no host address or route inside? NULL: all are free */
	void *arg;			/* of subnet_free() */
};

/* model_list_next() - take the first name off a list in one text, of which *name and *n are then a part; false: there is none
 * model_list_has() - is this name in it? */
bool model_list_next(const char **list, const char **name, size_t *n);
bool model_list_has(const char *list, const char *name, size_t n);

/* model_parse() - check @tree and build the model
 * @tree:	borrowed
 * @lines:	where the tree's nodes stood in their file, or NULL; then messages begin with FILE:LINE
 * @env:	or NULL for owner 0 and every subnet free
 *
 * Return: 0 and *@out for model_free(), or a negative errno and @err naming the object and the field.
 */
int model_parse(const json_t *tree, const struct line_map *lines, const struct model_env *env, struct model **out,
		struct error *err);
void model_free(struct model *model);

/* What model_export() tells beyond what was given by the user. */
enum {
	MODEL_TRANSIENT = 1,	/* ports that live as long as their client, too */
	MODEL_OWNER = 2,	/* the owner of each network */
	MODEL_EFFECTIVE = 4,	/* defaults too: every field with its value; to show and to compare */
};

/* model_export() - the canonical tree; model_parse() of it with the same flags' content gives an equal model
 *
 * Return: a new reference, or NULL when out of memory.
 */
json_t *model_export(const struct model *model, unsigned flags);

/* One object of the tree, in the API's shape (a forward's parts apart); new references, NULL when out of memory.
 * net_export() gives the network's own settings without ports, forwards, reservations and records.
 */
json_t *net_export(const struct net_conf *net, unsigned flags);
json_t *port_export(const struct net_conf *net, const struct port_conf *port, unsigned flags);
json_t *segment_export(const struct segment_conf *segment, unsigned flags);
json_t *group_export(const struct net_conf *net, const struct group_conf *group, unsigned flags);
json_t *forward_export(const struct forward_conf *forward);
json_t *forward_tree(const struct forward_conf *forward);	/* the file's shape, with its parts together */
json_t *reservation_export(const struct reservation_conf *reservation);
json_t *reservation_tree(const struct reservation_conf *reservation);	/* the file's shape: an address, or a mapping */
json_t *record_export(const struct record_conf *record);

/* net_defaults() - names of the network's fields that were not given: ["mtu","dhcp.lease"]; new reference */
json_t *net_defaults(const struct net_conf *net);

/* Look up by name; NULL when there is none. @net may be NULL. Borrowed from the model. */
const struct net_conf *model_net(const struct model *model, const char *name);
const struct port_conf *net_port(const struct net_conf *net, const char *name);
const struct forward_conf *net_forward(const struct net_conf *net, const char *id);
const struct reservation_conf *net_reservation(const struct net_conf *net, const char *name);
const struct reservation_conf *net_port_reservation(const struct net_conf *net, const char *port);	/* one of the whole port, with an address */
const char *reservation_host(const struct reservation_conf *r);	/* the name by which its guest is found: its hostname, or its port's */
const struct segment_conf *net_segment(const struct net_conf *net, const char *id);
const struct group_conf *net_group(const struct net_conf *net, const char *name);
const struct shaper_conf *net_shaper(const struct net_conf *net, const char *name);
const struct record_conf *net_record(const struct net_conf *net, const char *name, enum record_type type);

/* model_segment() - the settings of "lab", the network's own, or of "lab:20", its VLAN's; NULL: there is none
 * peering_of() - what may guests of @from open in @to, each a network or a segment, whichever of the two says so? Return: are they peers at all?
 */
const struct net_conf *model_segment(const struct model *model, const char *name);
bool peering_of(const struct net_conf *from, const struct net_conf *to, struct peer_rules *out);

/* model_forward_id() - the id of a forward without a name, "8080/tcp", from its settings in either shape; 0 or -EINVAL
 * model_record_id() - name and type as the model keeps them, from a record's settings; 0 or -EINVAL
 */
int model_forward_id(const json_t *settings, char id[NAME_MAX_SIZE]);
int model_record_id(const struct net_conf *net, const json_t *settings, char name[DOMAIN_TEXT], enum record_type *type);

/* The words of the file format for an enumerator; never NULL. */
const char *net_mode_name(enum net_mode mode);
int net_mode_parse(const char *text, enum net_mode *mode);	/* any of its names; 0 or -1 */
const char *port_kind_name(enum port_kind kind);
const char *record_type_name(enum record_type type);
const char *proto_name(uint8_t proto);
int record_type_parse(const char *text, enum record_type *type);	/* "A"; 0 or -EINVAL */

/* endpoint_parse() - "1.2.3.4", "1.2.3.4:53", "fd00::1", "[fd00::1]:53"; 0 or -EINVAL */
int endpoint_parse(const char *text, struct endpoint *endpoint);
char *endpoint_format(const struct endpoint *endpoint, char text[ENDPOINT_TEXT]);

/* endpoint_resolver() - as dhcp/resolvers.h reads it: "192.0.2.53", "2001:db8::53#5353" */
enum { RESOLVER_TEXT = 64 };
char *endpoint_resolver(const struct endpoint *endpoint, char text[RESOLVER_TEXT]);

/* endpoint_sockaddr() - as bind() and connect() want it, with @port; Return: the address's length */
socklen_t endpoint_sockaddr(const struct endpoint *endpoint, uint16_t port, struct sockaddr_storage *to);

/* model_mode_over() - take from a network's @settings what makes no sense in the mode that @given, which comes first, puts it in */
void model_mode_over(json_t *settings, const json_t *given);

/* net_boot() - what its guests boot, or NULL */
const struct boot_conf *net_boot(const struct net_conf *net);

/* net_with() - the settings of the segment, the network's own or another, whose subnet holds @ip; NULL: none does */
const struct net_conf *net_with(const struct net_conf *net, uint32_t ip);

/* model_vlan_over() - take from a port's @settings what of its VLANs contradicts @own, which comes first: another kind of membership */
void model_vlan_over(json_t *settings, const json_t *own);

/* mirror_looks_at() - does it get copies of what passes the port @name? */
bool mirror_looks_at(const struct mirror_conf *mirror, const char *name);

static inline bool port_carries(const struct port_conf *port, uint16_t vid)
{
	return port->trunk[vid / 64] >> (vid % 64) & 1;
}

#endif
