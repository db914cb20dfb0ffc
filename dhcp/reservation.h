/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/reservation.h - what is set aside for one guest, and which guest that is
 *
 * A guest is known by what it cannot help showing: the port that it is behind, its MAC address, its client identifier (DHCPv6: DUID), or
 * the circuit by which a relay heard it. Where several reservations fit one guest the narrowest is its: by client identifier, then MAC,
 * circuit, and at last the port, behind which many may be.
 *
 * Control thread only. Finding one takes logarithmic time.
 */
#ifndef DHCP_RESERVATION_H
#define DHCP_RESERVATION_H

#include "dhcp/settings.h"

enum guest_key { GUEST_CLIENT_ID, GUEST_MAC, GUEST_CIRCUIT, GUEST_PORT, GUEST_KEYS };	/* the narrowest first */

enum { GUEST_KEY_MAX = 130 };		/* the longest DUID (RFC 8415 11.1) */

struct dhcp_reservation {
	char name[NAME_MAX_SIZE];	/* that of the port, when the key is GUEST_PORT */
	uint8_t key;			/* enum guest_key */
	uint8_t id_size;
	uint8_t id[GUEST_KEY_MAX];	/* unless GUEST_PORT */
	uint32_t ip;			/* host order; 0: any */
	char hostname[NAME_MAX_SIZE];	/* what the guest is told that it is called; "": the port's name */
	struct dhcp_settings says;
};

/* guest_id - what a guest shows of itself; borrowed, NULL or size 0: not shown */
struct guest_id {
	const char *port;
	const uint8_t *mac;
	const uint8_t *client_id;
	size_t client_id_size;
	const uint8_t *circuit;
	size_t circuit_size;
};

struct reservations;

/* reservations_new() - an index over @of[@n], which is borrowed. Those of a same key or address as one before are left out.
 * Return: NULL when out of memory.
 */
struct reservations *reservations_new(const struct dhcp_reservation *of, size_t n);
void reservations_free(struct reservations *r);

/* reservations_match() - the guest's, or NULL; reservations_at() - that of the address, or NULL. @r may be NULL. */
const struct dhcp_reservation *reservations_match(const struct reservations *r, const struct guest_id *who);
const struct dhcp_reservation *reservations_at(const struct reservations *r, uint32_t ip);

#endif
