/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/service.h - what answers frames for a segment's own addresses: gateway, NAT, DHCP, DNS
 *
 * To the switch they are one port per network, the local port. A frame for the gateway's MAC address, and a copy of each
 * flooded frame, is parsed once and offered to the segment's services in order; the first that claims it
 * decides its verdict. It runs on the worker that received the frame, and answers with worker_emit().
 *
 * A service is made and freed by the control thread (free after a grace period). input() may be called by any worker at once,
 * each for the ports it owns; state that they share is the service's to protect.
 */
#ifndef SWITCH_SERVICE_H
#define SWITCH_SERVICE_H

#include "switch/packet.h"

struct heading;
struct outside;
struct port_view;
struct segment;
struct service;
struct trial;
struct worker;

/* arrival - where a packet came from */
struct arrival {
	const struct segment *segment;
	const struct port_view *from;	/* the guest's port */
	const struct frame *frame;	/* whole, contiguous: head_len == len */
	uint32_t local_port;		/* id of the local port, for worker_emit() */
	struct trial *trial;		/* the packet is not real: say what would become of it, and do nothing (switch/trial.h); else NULL */
};

struct service_ops {
	const char *name;

	/* input() - take a packet, or leave it to the next service
	 * Return: true when taken, with *verdict one of CONSUMED_* or DROP_*.
	 */
	bool (*input)(struct service *s, struct worker *w, const struct arrival *a, const struct packet *p,
		      enum verdict *verdict);

	/* assemble() - keep a frame that packet_parse() calls a fragment; may be NULL
	 * @data, @len:	the frame; *len is written with a whole packet
	 *
	 * Return: the whole packet as an unfragmented frame, valid until the worker's callback returns; or NULL with *verdict.
	 */
	const uint8_t *(*assemble)(struct service *s, struct worker *w, const struct arrival *a, const uint8_t *data, uint32_t *len,
				   enum verdict *verdict);

	/* outside() - as whom the world sees the conversation of a frame between a guest's port and the gateway; for who looks on
	 * @guest:	id of the guest's port
	 * @to_guest:	the frame goes to it; else it comes from it
	 * Return: false when the service does not know of it. May be NULL.
	 */
	bool (*outside)(struct service *s, struct worker *w, uint32_t guest, const struct heading *h, bool to_guest, struct outside *to);
};

struct service {
	const struct service_ops *ops;
};

/* local_input() - the local port's side of a frame: parse, note what ARP and ND tell as stations, offer to the services
 * @unicast:	the frame was for the gateway's own address; other frames are taken silently or not at all
 *
 * Return: the verdict, DROP_* included.
 */
enum verdict local_input(struct worker *w, const struct arrival *a, bool unicast);

#endif
