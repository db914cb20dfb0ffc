/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/station.h - the addresses of either family that a segment has seen, and at which port and MAC address they live
 *
 * One table per segment. Workers note what ARP and ND tell (station_note()); the control thread notes leases and
 * reads. A small lock guards it: workers only try it, so that a busy table costs them one missed note and never a wait; each
 * port may hold MAX_STATIONS_PER_PORT addresses, the stalest of its own goes first. The gateway's own address is never taken.
 */
#ifndef SWITCH_STATION_H
#define SWITCH_STATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"

enum { MAX_STATIONS_PER_PORT = 16 };

enum station_source { STATION_ARP = 1, STATION_DHCP = 2 };

struct station {
	struct addr ip;
	uint32_t port;			/* port id */
	uint8_t mac[MAC_SIZE];
	uint8_t source;			/* enum station_source; a lease is not displaced by ARP from another port */
	uint64_t seen_ms;		/* monotonic */
};

struct stations;

struct stations *stations_new(uint32_t nmax);
void stations_free(struct stations *stations);

/* station_note() - @s->ip was seen; any thread; @wait false for workers: gives up when the table is busy
 * Return: true when something new was learnt (an address, a move), false otherwise.
 */
bool station_note(struct stations *stations, const struct station *s, bool wait);

/* station_find() - who has this address; station_of_port() - the freshest address of a port, IPv4 and leases first
 * Any thread; a worker that meets a busy table is told false. Return: false when unknown.
 */
bool station_find(struct stations *stations, struct addr ip, struct station *found);
bool station_of_port(struct stations *stations, uint32_t port, struct station *found);

/* station_of_family() - the same for AF_INET or AF_INET6 alone, IPv6's link-local addresses left out */
bool station_of_family(struct stations *stations, uint32_t port, int family, struct station *found);

/* station_better() - is @a rather than @b what a port's address means? IPv4 before IPv6, a lease before what was seen, then the fresher */
bool station_better(const struct station *a, const struct station *b);

/* station_forget() - drop one address; stations_forget_port() - all of a port; control thread */
void station_forget(struct stations *stations, struct addr ip);
void stations_forget_port(struct stations *stations, uint32_t port);

/* stations_each() - copy up to @n entries of @port (or of all: UINT32_MAX) to @to; control thread; Return: how many there were */
unsigned stations_each(struct stations *stations, uint32_t port, struct station *to, unsigned n);

#endif
