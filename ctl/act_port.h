/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_port.h - ports of the host; of the keeper, which has them, and of lanyard-paths, which says why one could not be had */
#ifndef CTL_ACT_PORT_H
#define CTL_ACT_PORT_H

#include <stdint.h>

#include "ctl/host.h"

/* port_bind() - a socket at @port of the request's address, listening when TCP. Return: descriptor or negative errno */
int port_bind(const struct host_listen *m, uint16_t port);

/* port_first_free() - those below it are for root */
unsigned port_first_free(void);

#endif
