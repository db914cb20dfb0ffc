/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nat/nat.h - user-mode NAT: the way out of a segment, through ordinary sockets of the host
 *
 * One struct nat per segment. It is a service (switch/service.h): guests' TCP, UDP and ping for the gateway's MAC
 * address is re-originated from host sockets. Each worker has a shard of its own with the flows of the guest ports whose receive
 * queues it owns; shards share nothing. RFC 4787, 5382, 7857: mapping endpoint-independent for UDP, filtering
 * address-dependent (or endpoint-independent by setting), refreshed by outbound packets only.
 *
 * Order of services: DHCP and DNS before it; the gateway (nat/gateway.h) on either side. What it claims: every TCP, UDP
 * and ICMP packet that was sent to the gateway's MAC address.
 *
 * Life (control thread): nat_new(), put nat_service() into a published snapshot, ... take it out again, nat_stop() until it says
 * true, and nat_free() once nat_stopped() and a grace period have passed.
 */
#ifndef NAT_NAT_H
#define NAT_NAT_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "nat/policy.h"

struct nat;
struct requests;
struct service;
struct worker;

struct nat_conf {
	uint32_t net_id;		/* fixed for the NAT's life */
	enum host_access host_access;
	bool uplink;			/* false: no way out but to the gateway's address */
	char device[IFNAMSIZ];		/* the interface that everything for the outside leaves by, or nothing does; "": any */
	bool filter_any;		/* UDP: let anybody answer (endpoint-independent filtering) */
	bool no_peek_offset;		/* do as before Linux 6.9, without SO_PEEK_OFF for TCP; for tests */
	struct requests *resolver;	/* to whom TCP connections for DNS at the gateway go; borrowed; NULL: to nobody */
	uint32_t flows_max;		/* per guest port, with and without sockets; 0: 65536 */
	uint32_t sockets_max;		/* per guest port; 0, and at most: half of the descriptor limit (nat/budget.h) */
	uint32_t half_open_max;		/* per guest port and worker, TCP connections being opened; 0: 256 */
	uint32_t held_max;		/* per guest port and worker, segments kept for a socket that cannot have them yet, of nat/hold.h; 0: half */
	uint32_t established_s;		/* idle time; 0: 7440 (RFC 5382 REQ-5) */
	uint32_t transitory_s;		/* TCP opening or closing; 0: 240 */
	uint32_t udp_s;			/* 0: 300 (RFC 4787 REQ-5) */
	uint32_t udp_dns_s;		/* mappings that only ever talked to port 53; 0: 30 */
};

/* nat_flow - one row for the API */
struct nat_flow {
	uint8_t proto;
	uint32_t port;			/* guest's port id */
	struct addr guest, remote;	/* of a UDP mapping whom the guest wrote to last; of a ping none */
	uint16_t guest_port, remote_port;
	const char *state;		/* a word of static text */
	bool forwarded;			/* opened from outside by a forward */
	uint32_t idle_s, age_s;
	uint64_t bytes_out, bytes_in;	/* payload, from the guest and to it */
};

struct nat_counts {
	uint64_t flows;			/* now */
	uint64_t opened;		/* ever */
	uint64_t expired;		/* ended by a timeout */
	uint64_t resets;		/* flows ended by a reset from either side */
	uint64_t retransmits;		/* TCP segments sent to a guest again */
	uint64_t filtered;		/* datagrams from addresses the guest had not talked to */
	uint64_t over_quota;		/* flows refused because the guest had all it may have */
	uint64_t lost;			/* datagrams from outside that the guest's port did not take */
};

/* nat_new() - a NAT; @workers: by index, borrowed, must outlive it. Return: NULL with errno ENOMEM. */
struct nat *nat_new(const struct nat_conf *conf, struct worker *const *workers, unsigned nworkers);
struct service *nat_service(struct nat *nat);

/* nat_set_conf() - new settings: for each new flow and each UDP datagram; TCP connections that are open stay so. net_id
 * stays. Control thread. Return: 0 or -ENOMEM. */
int nat_set_conf(struct nat *nat, const struct nat_conf *conf);

/* nat_host_changed() - the host's links, addresses or routes did: what was remembered of them is asked anew, and TCP connections
 * end, with a reset, whose socket is bound to an interface that the network is not pinned to now; with @addresses also those whose
 * own address has left the host. Also after a change of nat_conf.device. Control thread.
 * Return: false when a worker's inbox was full: call again.
 */
bool nat_host_changed(struct nat *nat, bool addresses);

/* nat_forget_port() - a guest's port is gone: end its flows; remote ends see a reset. Control thread.
 * Return: false when a worker's inbox was full: call again.
 */
bool nat_forget_port(struct nat *nat, uint32_t port_id);

/* nat_stop() - end all flows and take nothing more; false: a worker's inbox was full, call again
 * nat_stopped() - have all workers done so? Control thread. */
bool nat_stop(struct nat *nat);
bool nat_stopped(const struct nat *nat);
void nat_free(struct nat *nat);

/* nat_flows() - copy up to @n flows that live on worker @w to @to; on that worker's thread (worker_post() a request)
 * Return: how many there are. */
unsigned nat_flows(struct nat *nat, struct worker *w, struct nat_flow *to, unsigned n);

/* nat_count() - sum of all workers' counters; any thread while the NAT lives */
void nat_count(const struct nat *nat, struct nat_counts *sum);

#endif
