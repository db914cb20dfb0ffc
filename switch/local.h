/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/local.h - the local port of a network: the place in the FDB and in the counters of its gateway and services
 *
 * It has no descriptor and no queue: what is sent to it is handed to the services by the worker that received the
 * frame (switch/service.h), and what they make is counted on it.
 */
#ifndef SWITCH_LOCAL_H
#define SWITCH_LOCAL_H

struct port;

/* local_new() - Return: a port for port_release(), or NULL without memory */
struct port *local_new(unsigned nworkers);

/* port_release() - free a port that no worker owns, after a grace period; control thread */
void port_release(struct port *port);

#endif
