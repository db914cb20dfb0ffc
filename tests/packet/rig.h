/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/rig.h - a switch inside the test: one worker that the test turns by hand, ports whose wire is the test
 *
 * rig_net(), rig_segment() and rig_port() describe; rig_publish() builds a snapshot of that and shows it to the worker.
 * rig_offer() puts a frame on the wire of a port; rig_run() turns the worker until the wires are empty; what a port
 * was given to send lies in rig_port->sent until rig_clear(). One thread, registered with RCU by rig_new().
 * What cannot be had here (memory, descriptors) is the test's own trouble and aborts.
 */
#ifndef TESTS_PACKET_RIG_H
#define TESTS_PACKET_RIG_H

#include "switch/port.h"
#include "switch/service.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum { RIG_NETS = 4, RIG_PORTS = 256, RIG_SEGMENTS = 4 };

struct rig;

/* rig_frame - on the wire before it was received, or as it was handed to a port for sending */
struct rig_frame {
	uint8_t *data;			/* owned by the port; sent: the untagged frame */
	uint32_t len;
	struct offload offload;
	bool tag_present;		/* received: a tag as the kernel takes it out; sent: tci is to be put in */
	uint16_t tci;
	bool service;			/* sent: that tag is 802.1ad's */
	uint32_t inner;			/* sent: as frame->inner */
	uint32_t serial;		/* rig_offer() counts them, from 1 on; sent: which one it was, 0 for one that was made */
};

struct rig_port {
	struct port port;
	struct rig *rig;
	unsigned net;
	struct vlan_conf vlan;		/* these take effect with the next rig_publish() */
	bool link_up;
	uint32_t stages_in, stages_out;
	struct guard *guard;		/* the rig's from then on */
	struct port_policy *policy;	/* these two stay the test's */
	struct shape *shape;
	bool promiscuous;
	bool alone;			/* it has a segment of its own, whose VID is its PVID */
	struct rig_frame *wire, *sent;
	unsigned nwire, wire_room, wire_at, nsent, sent_room;
	uint32_t head_max;		/* private bytes of a received frame; the rest comes in pieces of piece_max; 0: all */
	uint32_t piece_max;
	int gone;			/* negative errno that rx() returns once the wire is empty */
	int told;			/* what notify() was told */
	unsigned writable;		/* how often the worker said so */
	bool forgets;			/* sent frames are not kept */
	void (*received)(struct rig_port *p, const struct rig_frame *f);	/* a frame leaves the wire; or NULL */
	bool (*takes)(struct rig_port *p, const struct tx_frame *f, unsigned i);	/* frame i of a burst; NULL: all */
};

/* rig_service - claims every packet with one verdict, or none; may answer ARP requests by worker_emit(), or by worker_reply() */
struct rig_service {
	struct service service;
	enum verdict verdict;		/* VERDICT_COUNT: claims nothing */
	bool answers, together;
	unsigned seen, made, taken;
	struct packet last;		/* data is not valid any more */
	uint16_t last_vid;
};

struct rig_net {
	uint32_t mtu;
	bool wire;
	struct fdb *fdb, *owners;
	struct snoop *snoop;		/* the rig's from then on; or NULL */
	struct port *local;		/* NULL when the network has none */
	struct segment segments[RIG_SEGMENTS];
	unsigned nsegments;
};

struct rig {
	struct worker *w;
	struct snapshot *snapshot;
	struct rig_net nets[RIG_NETS];
	unsigned nnets;
	struct rig_port *ports[RIG_PORTS];	/* by port id */
	unsigned nids;
	uint32_t serial;
	struct {				/* where the frames of the burst being moved lie */
		const uint8_t *at;
		uint32_t serial;
		struct iovec body[FRAME_BODY_MAX];
	} burst[BURST_MAX];
	unsigned nburst;
	void (*complete)(struct rig *rig, struct snapshot *s);	/* what the test adds to a snapshot before it is shown; or NULL */
	void *arg;			/* the test's */
};

struct rig *rig_new(void);
void rig_free(struct rig *rig);

/* rig_net() - a network; Return: its index. @local: with a local port, which takes an id */
unsigned rig_net(struct rig *rig, uint32_t mtu, bool local);

/* rig_segment() - VID @vid of network @net: 10.0.NET.0/24, gateway .1; @service may be NULL. Return: borrowed */
struct segment *rig_segment(struct rig *rig, unsigned net, uint16_t vid, struct service *service);
void rig_gateway_mac(unsigned net, uint16_t vid, uint8_t mac[6]);

/* rig_port() - a port with link up; vlans as rig_access() and rig_trunk() make them */
struct rig_port *rig_port(struct rig *rig, unsigned net, struct vlan_conf vlan);
/* rig_port_alone() - one on a segment of its own, as in mode nat: 10.0.2.0/24, gateway .2, DNS .3, guest .15; *@segment is borrowed */
struct rig_port *rig_port_alone(struct rig *rig, unsigned net, struct service *service, struct segment **segment);
struct vlan_conf rig_access(uint16_t vid);
struct vlan_conf rig_trunk(uint16_t native, uint16_t first, uint16_t last);

void rig_publish(struct rig *rig);
void rig_remove(struct rig_port *p);	/* leaves the snapshot and the worker; freed when that is safe */

/* rig_offer() - put a copy of @data on the wire. Return: valid until the next offer, so that the offload can be set */
struct rig_frame *rig_offer(struct rig_port *p, const void *data, uint32_t len);
void rig_run(struct rig *rig);
void rig_clear(struct rig *rig);

/* rig_serial() - which offered frame is this? 0: one that the switch made */
uint32_t rig_serial(const struct rig *rig, const struct frame *f);

/* rig_stats() - counters; rig_identities() - do both identities of switch/stats.h hold? */
struct port_stats rig_stats(const struct port *port);
bool rig_identities(const struct port *port);
uint64_t rig_verdict(const struct rig_port *p, enum verdict v);

void rig_service_init(struct rig_service *s, enum verdict verdict);

/* rig_eth() - write a frame at @to: @tci as an 802.1Q tag or -1, then @payload bytes that count up; Return: its length */
uint32_t rig_eth(uint8_t *to, const uint8_t dst[6], const uint8_t src[6], int tci, uint16_t ethertype, uint32_t payload);

#endif
