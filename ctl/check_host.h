/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_host.h - the host's side of a check: its addresses, what listens there, what it sends, and what is left on it
 *
 * Plain sockets of this process, which is taken to run on the host, in the network namespace of the daemon.
 */
#ifndef CTL_CHECK_HOST_H
#define CTL_CHECK_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"

struct check;
struct trial;

enum { HOST_LISTENERS = 6 };

/* host_listener - TCP and UDP on one port; who comes by UDP hears what it said, who comes by TCP is let in */
struct host_listener {
	struct addr at;
	uint16_t port;
	int tcp, udp;
};

struct check_host {
	struct addr own, own6;		/* the addresses by which it talks to others; none: it has only loopback */
	struct host_listener listeners[HOST_LISTENERS];
	unsigned nlisteners;
	int sniffer;			/* hears TRIAL_ETHERTYPE on every interface; -1 without the right to */
	struct prefix6 subnet6;
	char *residue;			/* interfaces, routes and sysctls before the check, for free() */
};

/* check_host_init() - remember what is there before the check; @subnet6 is the network's, or of length 0 */
void check_host_init(struct check_host *h, struct prefix6 subnet6);
void check_host_fini(struct check_host *h);

/* check_host_own_address() - IPv4; addresses inside @except do not count. None when there is no other than loopback.
 * check_host_own_address6() - the same of IPv6 */
struct addr check_host_own_address(struct prefix4 except);
struct addr check_host_own_address6(struct prefix6 except);

/* check_host_address_in() - an address of this host inside @subnet, or none; check_host_has() - is @a one of its addresses? */
struct addr check_host_address_in(struct prefix4 subnet);
bool check_host_has(struct addr a);

/* check_host_listen() - open a listener at @at. Return: it, or NULL (errno) */
const struct host_listener *check_host_listen(struct check_host *h, struct addr at);

/* check_host_free_port() - a port that nobody has at @at just now, for TCP and UDP; 0 when there is none */
uint16_t check_host_free_port(struct addr at);

/* check_host_free_pair() - the first of two in a row, for TCP; 0 when none was found */
uint16_t check_host_free_pair(struct addr at);

/* check_host_new_residue() - the first interface, route or setting that was not there at check_host_init(); false when there is none */
bool check_host_new_residue(const struct check_host *h, char *text, size_t room);

/* check_host_serve() - see to listeners and sniffer */
void check_host_serve(struct check *c);

/* Trials from a socket of the host: (re)send; look what came; what poll() is to wait for. */
void check_host_trial_send(struct trial *t);
void check_host_trial_look(struct trial *t);
short check_host_trial_events(const struct trial *t);

#endif
