/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/engine.h - the running engine, as its parts see it (control thread only)
 *
 *	engine.c	start, event loop, stop			change.c	one change after another
 *	apply.c		model -> running objects -> snapshot	live.c		what the API is told
 *	apply_view.c	a network in the snapshot
 *	live_net.c	a network: gateway, services, names	attach.c	attach.sock
 *	live_port.c	a port: open, redial, close		live_settle.c	ports that left the snapshot let go
 *	guest.c		requests from workers: leases, relayed names
 *	live_stream.c	finding a peer: listen or dial		live_vhost.c	vhost-user connections
 *	live_dgram.c	finding a peer: unix datagrams, UDP
 *	live_hostif.c	the host's end of a network		live_kernel.c	NAT by the host's kernel
 *	live_kernel_forwards.c	what it is to lead		live_kernel_watch.c	somebody else changes its table
 *	live_wire.c	a bridged network's uplink, and the host beside it
 *	live_open.c	what a port has open			live_tap.c	a TAP's further queues
 *	live_look.c	has the other side gone without a word?	live_host.c	what changes on the host
 *	live_forward.c	a forward: listen, wait for a port	lease_store.c	leases on disk; lease_names.c, lease6_names.c: what they are called
 *	live_clash.c	a subnet that the host has, too		live_clock.c	the wall clock is set
 *	guest6.c	DHCPv6 messages			lease6_store.c	the same of IPv6
 *	live_lease6.c	its leases as shown		live_lease6_explain.c	what it would give, and why
 *	live_listen.c	its sockets, many by one request	live_icmp.c	by what pings leave
 *	live_flows.c	who talks to whom
 *	explain.c	what becomes of a guest's attempt (why)
 *	live_metrics.c	counters for /metrics			live_events.c	counters that are events
 *	live_segment.c	stations, leases and names of a segment	live_segments.c	which there are
 *	live_policy.c	rules of ports			live_policy_names.c	names that they are about
 *	live_shape.c	rates of ports			live_denied.c	what rules refused lately
 *	live_peer.c	networks that reach one another
 *	live_capture.c	who looks at frames			live_boot.c	files that guests boot from
 *	live_conflict.c	addresses that are taken
 *	live_recorder.c	the last frames of ports	live_past.c	shown after the fault
 */
#ifndef CTL_ENGINE_H
#define CTL_ENGINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <event2/event.h>
#include <jansson.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "ctl/confine.h"
#include "ctl/live.h"
#include "ctl/live_ra.h"
#include "ctl/live_segment.h"
#include "ctl/model.h"
#include "switch/stats.h"

struct answers;
struct api;
struct attach;
struct dns_zone;
struct ended_shape;
struct engine;
struct fdb;
struct forward_counts;
struct forward_target;
struct gateway;
struct forward;
struct host;
struct host_gateway;
struct host_watch;
struct live_kernel;
struct lease_record;
struct lease_table;
struct lease_waiting;
struct lease6_waiting;
struct live_boot;
struct live_capture;
struct live_denied;
struct live_dgram;
struct guard;
struct guard_retired;
struct live_loop;
struct snoop;
struct live_policy;
struct live_shape;
struct live_shaper;
struct live_vhost;
struct live_wire;
struct names;
struct nat;
struct net_policy;
struct peer_service;
struct port;
struct recorder;
struct recorder_file;
struct requests;
struct retired;
struct service;
struct snapshot;
struct state;
struct stations;
struct relay;
struct upstream;
struct worker;

enum live_state { LIVE_UP, LIVE_DOWN, LIVE_PENDING, LIVE_FAILED };

/* live_port - a configured port, whether its device is there or not */
struct live_port {
	char name[NAME_MAX_SIZE];
	struct live_net *net;
	struct live_segment *segment;	/* its network's, or in mode nat its own */
	const struct port_conf *conf;	/* in engine->model */
	uint32_t id;			/* index into the snapshot; kept over reconnects */
	struct recorder *recorder;	/* likewise; or NULL (live_recorder.c) */
	struct port *port;		/* NULL while there is no device or peer */
	struct port_stats past;		/* counters of devices that are gone */
	uint64_t quota_told;		/* live_nat_tell_quotas() */
	uint64_t *drops_told;		/* live_events.c: by verdict, VERDICT_COUNT of them; or NULL */
	enum live_state state;
	char reason[320];
	const char *medium;		/* "tap", "packet", "stream", "dgram", "udp", or NULL */
	char held[160];			/* name under which the keeper holds its descriptor, or ""; further queues: and "#1" ... */
	unsigned nheld;			/* further queues */
	unsigned retries;		/* since it was last plugged in */
	bool served;			/* a worker has its queue */
	bool exclusive;			/* it leaves, and what it has open can be had once only: the next one must find it closed */
	int listener;			/* stream, vhost-user as server: where peers come, or -1 */
	struct live_vhost *vhost;	/* vhost-user: its connection, or NULL */
	struct live_dgram *dgram;	/* dgram: the peer it is connected to, or NULL */
	struct event *event;		/* on the listener, or the timer until the next try */
	unsigned acks;			/* DHCP replies that wait for the store */
	uint64_t boot_paid_us;		/* live_boot.c: when all files that it asked for would have come at its rate */
	struct guard *guard;		/* live_guard.c; NULL: it needs none */
	struct {
		uint64_t until_ms;	/* closed until then; 0: open */
		uint64_t last_ms;	/* when it was, or will be, opened the last time */
		uint32_t closed_ms;	/* how long it was closed the last time */
	} loop;				/* live_loop.c */
	struct live_policy *policy;	/* NULL: it never had rules */
	struct log_limit policy_log;
	struct live_denied *denied;	/* what they refused lately; or NULL (live_denied.c) */
	struct live_shape *shape;	/* NULL: no limit */
	struct log_limit log_limit;	/* a guest may start and stop its device as often as it likes */
	struct live_port *next_leaving;
	UT_hash_handle hh;
};

/* live_listen - the sockets of a forward that one request to the keeper brings: ports in a row at one address */
struct live_listen {
	uint16_t first, count;		/* host ports */
	uint16_t there;			/* how many of them we have */
	uint16_t nforwards;
	uint8_t at;			/* index of the address */
	uint8_t have[32];		/* a bit for each port */
	struct forward **forwards;	/* one for the ports that came together, as a rule all */
};

/* live_forward - a configured forward */
struct live_forward {
	char id[NAME_MAX_SIZE];
	struct live_net *net;
	const struct forward_conf *conf;	/* in engine->model */
	struct live_listen *listens;
	unsigned nlistens;
	char *reason;			/* why a socket is missing, or NULL */
	char *hint;			/* what helps, or NULL */
	uint64_t hits_told;		/* live_events.c */
	struct event *retry;
	bool as_before;			/* it was in the store when the engine started, and is the same still */
	UT_hash_handle hh;
};

/* live_net - a network as it runs */
struct live_net {
	char name[NAME_MAX_SIZE];
	struct engine *engine;
	const struct net_conf *conf;	/* in engine->model */
	uint32_t net_id;
	uid_t owner;
	struct fdb *fdb;
	struct snoop *snoop;		/* NULL: groups are flooded; live_snoop.c */
	struct fdb *fdb_before;		/* of another size; workers may see it until live_net_settle(); or NULL */
	struct snoop *snoop_before;	/* likewise */
	struct event *query_timer;
	unsigned queries;		/* of the first few */
	struct live_loop *loop;		/* NULL: there can be none */
	struct fdb *owners;		/* of IPv6 addresses, where a guard asks for it; live_guard.c */
	struct live_port local;		/* gateway and services */
	uint8_t gateway_mac[MAC_SIZE];
	LIST_HEAD(, live_segment) segments;
	struct live_segment *segment;	/* of all its ports; NULL in mode nat, where each has its own */
	struct lease_waiting *waiting;	/* in mode nat, of ports that are not there */
	struct lease6_waiting *waiting6;
	struct event *ra_timer;		/* NULL without an IPv6 subnet */
	unsigned ra_sent;		/* of the first few */
	uint64_t ra_sent_ms;		/* when the last one was; 0: never */
	struct live_ra_old ra_old[LIVE_RA_OLD];
	bool ra_told;			/* mode nat: as live_segment.told6, of the one prefix that all of its segments have */
	struct names *names;		/* what all of its segments know; NULL without a subnet */
	uint64_t dhcp_outcomes[DHCP_OUT_COUNT], dhcp6_outcomes[DHCP6_OUT_COUNT];
	uint64_t conflicts;		/* addresses not given, for somebody was seen with them */
	bool replaced;			/* another of the same name follows, and inherits the leases */
	struct dns_zone *zone;
	struct answers *answers;	/* what relayed answers called whom; NULL until the first */
	struct record_conf *records;	/* the user's, as they stand in names */
	size_t nrecords;
	LIST_HEAD(, conversation) conversations;	/* guests' TCP connections for DNS (guest_dns.c) */
	struct relay *relay;		/* what of its queries is not answered here; NULL: nothing is relayed */
	struct live_dns_listens *dns_listens;	/* where the host's programs ask; NULL: nowhere */
	struct live_delegated *delegated;	/* where the host routes to what guests have; NULL: it need not */
	struct live_dns_host *dns_host;	/* what the host finds under guests' names; NULL: nothing */
	struct live_dns_validate *dns_validate;	/* judges their answers; NULL: nobody does */
	struct upstream *upstream;	/* the resolvers that its queries are relayed to; NULL: none are */
	struct gateway *gateway_state;
	struct host_gateway *host_gateway;	/* in its place where the host has its addresses */
	struct nat *nat_state;
	struct peer_service *peers;	/* live_peer.c; NULL until it has one */
	char uplink_was[IFNAME_TEXT];	/* live_hostif_follow(): as it was seen last */
	unsigned uplink_index;		/* 0: it was not there */
	bool clash;			/* live_clash.c: its subnet is another place to the host, too */
	struct prefix4 clash_route;
	uint64_t routes_told;		/* hash of those that its guests are told, for they have no default router */
	struct live_kernel *kernel;	/* what the host's kernel translates; NULL where it does not */
	struct service *dhcp, *tftp, *gateway, *nat;	/* the last two of the states above; DNS is the segments' */
	struct live_boot *boot;		/* live_boot.c; NULL: it lends no files */
	struct live_wire *wire;		/* mode bridged: live_wire.c; else NULL */
	struct net_policy *policy;	/* live_policy_names.c; NULL: its rules are about no names */
	struct live_shaper *shapers;	/* uthash by name; live_shape.c */
	struct live_port *ports;	/* uthash by name */
	struct live_forward *forwards;	/* uthash by id */
	struct log_limit log_limit;
	UT_hash_handle hh;
};

/* opened - a descriptor made ready for a port that is about to be added */
struct opened {
	char net[NAME_MAX_SIZE], port[NAME_MAX_SIZE];
	int fd;
	const char *medium;
	char held[160];
	LIST_ENTRY(opened) link;
};

struct change;
TAILQ_HEAD(change_queue, change_job);

struct engine {
	struct confined confined;
	json_t *refused;		/* names of system calls that were, or NULL */
	uid_t uid;			/* whom the daemon serves: the keeper's user, which need not be this process's */
	struct event_base *base;
	struct host *host;
	struct state *state;
	struct api *api;
	struct attach *attach;
	unsigned nconversations;	/* of all networks */
	uint64_t boot_paid_us;		/* as of a port, of all of them */
	unsigned nlent;			/* files open for guests that boot, likewise */
	struct requests *requests;
	struct worker **workers;
	unsigned nworkers;
	struct snapshot *snapshot;	/* published; RCU */
	uint64_t generation;		/* of the snapshot */
	struct model *model;
	bool hostif_changed;		/* interfaces of the host are as the next model says, which may yet be refused */
	struct live_net *nets;		/* uthash by name */
	struct live_port **by_id;	/* PORT_IDS places */
	uint32_t next_id, next_net_id, next_plug;
	LIST_HEAD(, opened) opened;
	LIST_HEAD(, live_peering) peerings;	/* live_peer.c */
	struct recorder_file *recorder_file;	/* where they are; NULL: in this process alone */
	LIST_HEAD(, kept_recorder) recorders_kept;	/* live_recorder.c */
	LIST_HEAD(, live_capture) captures, captures_leaving;	/* those that left and may still be in the snapshot */
	struct live_port *leaving;	/* removed; they go when the next snapshot is out */
	struct guard_retired *guards_retired;	/* no longer in the snapshot to be published; live_guard.c */
	struct retired *policies_retired;	/* likewise; live_policy.c */
	struct ended_shape *shapes_ended;	/* likewise; live_shape.c */
	struct change_queue changes;
	bool changing;			/* the first of changes waits for the state thread */
	bool store_ok;			/* the last write to the store succeeded */
	uint64_t store_tried_ms;
	int64_t clock_ahead_ms;		/* of the wall clock, of the other; live_clock.c */
	unsigned acks;			/* DHCP replies that wait for the store, of all ports */
	char runtime_dir[1024], state_dir[1024];
	uint64_t started_ms;
	int restarts;			/* how often the keeper started the engine again */
	struct event *host_event, *requests_event, *sweep_timer, *signal_events[2];
	struct host_watch *host_watch;	/* live_host.c; NULL where the kernel refuses one */
	struct event *settle_timer;
	struct event *nft_watch;	/* live_kernel_watch.c; NULL until a network needs it */
	struct event *look_timer;	/* live_look.c; NULL until a port needs it */
};

/* change.c */
void changes_drop(struct engine *e);	/* at the end: nothing more is made */

/* apply.c */
/* apply_prepare() - open what ports that are new in @next need; what fails is an error and is closed again
 * apply_cancel() - close what was prepared; apply_commit() - make the running objects equal to @next (taken) and publish
 * apply_publish() - build and publish a snapshot of the running objects; after a port came or went. Return: was there memory?
 */
int apply_prepare(struct engine *e, const struct model *next, struct error *err);
void apply_cancel(struct engine *e);
void apply_commit(struct engine *e, struct model *next);
bool apply_publish(struct engine *e);

/* live_net.c */
struct live_net *live_net_new(struct engine *e, const struct net_conf *conf);
void live_net_configure(struct live_net *net, const struct net_conf *conf);	/* settings changed, or the model was replaced */
void live_net_settle(struct engine *e);	/* a snapshot was published: tables that it does without are gone */
void live_net_free(struct live_net *net);	/* after it left the published snapshot */
struct live_net *live_net_find(struct engine *e, const char *name);
struct live_net *live_net_by_id(struct engine *e, uint32_t net_id);

/* live_open.c */
int live_port_open(struct engine *e, const struct net_conf *net, const struct port_conf *conf, struct opened *to, struct error *err);
/* live_port_held() - fill in to->held, by which the keeper knows this device of this port: "stream:lab/web1@0123abcd" */
void live_port_held(struct opened *to, const char *what, const char *net, const struct port_conf *conf);
struct opened *opened_find(struct engine *e, const char *net, const char *port);
void opened_free(struct engine *e, struct opened *o, bool close_it);

/* live_port.c */
struct live_port *live_port_new(struct live_net *net, const struct port_conf *conf);
void live_port_start(struct live_port *p, struct opened *opened);	/* opened may be NULL: open now, or retry */
void live_port_remove(struct live_port *p);	/* leaves the snapshot at the next publication; frees @p */
int live_port_attach(struct live_port *p, int fd, const char *medium, struct error *err);	/* takes @fd on success */
void live_port_keep(struct live_port *p);	/* set its descriptor aside for a port of the same name that is to come */
void live_port_plug(struct live_port *p, struct port *port, const char *medium);	/* takes @port; visible with the next snapshot */
void live_port_carrier(const struct live_port *p);	/* show the guest whether its link is set up or down, where that can be shown */
void live_port_unplug(struct live_port *p);	/* the object leaves with the next snapshot, its counters stay */
void live_port_state(struct live_port *p, enum live_state state, const char *reason);	/* tells who listens, if it is new */
void live_port_retry(struct live_port *p, enum live_state state, const char *reason);	/* why it is not up; try again soon */
void live_port_sum(const struct live_port *p, struct port_stats *sum);	/* of live.c: its counters, past devices included */
void live_ports_settle(struct engine *e);	/* of live_settle.c: a snapshot was published: start new queues, let go of leaving ports */
void live_port_gone(struct engine *e, uint32_t id, uint32_t plug, int rc);	/* the peer of that object of the port is gone */
const char *live_state_name(enum live_state state);

/* lease_inherit() - of lease_store.c: what the network that went knew of its guests, as far as it fits the new one */
void lease_inherit(struct live_net *net, const struct live_net *from);

/* live_forward.c */
struct live_forward *live_forward_new(struct live_net *net, const struct forward_conf *conf);
void live_forward_start(struct live_forward *f);
void live_forward_retarget(struct live_forward *f);	/* the guest's port came, went, or the settings changed */
void live_forward_remove(struct live_forward *f);
bool live_forward_holds(struct engine *e, const char *name);	/* is what the keeper has under this name a forward's? */

/* live_forward_check() - are there descriptors enough for all forwards of @next? Return: 0 or -EMFILE with the number needed */
int live_forward_check(const struct model *next, struct error *err);

/* live_listen.c */
/* live_listen_new() - f->listens for f->conf; Return: was there memory?
 * live_listen_open() - what is missing of one. Return: how many of its sockets there are, with @err about the first that is
 *	missing, or negative errno
 * live_listen_close() - give up its sockets
 */
bool live_listen_new(struct live_forward *f);
int live_listen_open(struct live_forward *f, struct live_listen *l, struct error *err);
void live_listen_close(struct live_forward *f, struct live_listen *l);
char *live_listen_name(const struct live_forward *f, const struct live_listen *l, char *to, size_t room);	/* to the keeper */
struct forward_target live_forward_target(const struct live_forward *f);

/* live_forward_sum() - of live.c: what all sockets of it counted together */
void live_forward_sum(const struct live_forward *f, struct forward_counts *sum);

/* guest.c */
void guest_requests(evutil_socket_t fd, short what, void *engine);

/* lease_store.c */
void lease_store_load(struct engine *e);		/* at the start, before the networks serve */
void lease_store_put(struct live_segment *seg, const struct lease_record *record, void (*done)(void *arg, const struct error *err),
		     void *arg);
void lease_store_drop(struct live_segment *seg);	/* all of them, for good */
void lease_store_again(struct live_segment *seg);	/* all of them, of both families, as they are now */
void lease_store_recall(struct live_segment *seg);	/* what waited for the only port of a new segment */
void lease_store_shift(struct live_net *net, int64_t by_s);	/* the ends of what waits, for the clock was set */
void lease_store_forget(struct live_net *net);		/* what still waits, at the network's end */
void lease_changed(void *segment, const struct lease_record *record);	/* lease_changed_fn */

/* lease_names.c: lease_names() - names and stations follow a lease; lease_names_end() - those of one that ended
 * lease_names_forget(), lease_names_again() - what reservations call guests, before these change and after
 */
void lease_names(struct live_segment *seg, const struct lease_record *record);
void lease_names_end(struct live_segment *seg, const struct lease_record *record);
void lease_names_forget(struct live_segment *seg);
void lease_names_again(struct live_segment *seg);

/* lease_named_by() - the reservation that calls a guest something beside its port's name, or NULL: it says nothing, or that is somebody else's name
 * lease_names_expect() - that name has the addresses that the reservation (may be NULL) keeps, where its guest has none
 * lease6_names.c: lease6_names() - that name follows a binding of IPv6, which the guest (@has) has now, or has no more
 * lease6_named() - is there one, that this address leads back to? lease6_names_expect() - the part of IPv6 in lease_names_expect()
 * lease6_names_forget(), lease6_names_again() - as those of IPv4; @had: a reservation called guests something before
 */
struct dhcp_reservation;
struct guest_id;
const struct dhcp_reservation *lease_named_by(const struct live_segment *seg, const struct guest_id *who);
void lease_names_expect(struct live_segment *seg, const struct dhcp_reservation *of);
void lease6_names(struct live_segment *seg, const struct lease6_record *record, bool has);
bool lease6_named(const struct live_segment *seg, struct addr a);
void lease6_names_expect(struct live_segment *seg, const struct dhcp_reservation *of);
void lease6_names_forget(struct live_segment *seg);
void lease6_names_again(struct live_segment *seg, bool had);
/* lease_stored_as() - a segment's number in the store: its VID, or for that of one port (@seg may be NULL: it is not there) what stays
 * the port's from start to start, above every VID */
uint64_t lease_stored_as(const struct live_segment *seg, const char *port);

/* live_lease_tree() - of live.c: a lease of either family as the API shows it; live_leases6() - of live_lease6.c: those of a segment */
struct live_lease {
	const struct live_segment *seg;
	const char *ip, *port, *hostname;
	const uint8_t *mac, *id;	/* client-id or DUID */
	size_t id_size;
	unsigned state;
	int64_t expires_wall_s;
};
json_t *live_lease_tree(const struct live_lease *lease);
void live_leases6(const struct live_segment *seg, json_t *array);

/* lease6_store.c - the same of IPv6 */
struct lease6_record;
/* lease6_store_read() - at the start, before anything is written; lease6_store_place() - where it belongs; takes @rows, which may be NULL */
struct lease6_rows;
struct lease6_rows *lease6_store_read(struct engine *e);
void lease6_store_place(struct engine *e, struct lease6_rows *rows);
void lease6_store_put(struct live_segment *seg, const struct lease6_record *records, unsigned n, void (*done)(void *arg, const struct error *err),
		      void *arg);
void lease6_store_drop(struct live_segment *seg);
void lease6_store_again(struct live_segment *seg);
void lease6_inherit(struct live_net *net, const struct live_net *from);
void lease6_store_recall(struct live_port *p);		/* a port is there again: what its guest has, and what waited for it */
void lease6_store_shift(struct live_net *net, int64_t by_s);	/* as lease_store_shift(), lease_store_forget() */
void lease6_store_forget(struct live_net *net);
void lease6_changed(void *segment, const struct lease6_record *record);	/* lease6_changed_fn */
void lease6_follow(struct live_segment *seg, const struct lease6_record *record);	/* names, stations and routes follow a binding */
char *lease6_text(struct prefix6 place, char text[PREFIX6_TEXT]);	/* an address without its length */

/* live_confined.c */
void live_confined_look(struct engine *e);	/* was a system call refused? Tells each once */
json_t *live_confined(struct engine *e);	/* what the engine is shut in by; a new reference, or NULL */

/* attach.c */
struct attach *attach_new(struct engine *e, int listener);
void attach_free(struct attach *a);

#endif
