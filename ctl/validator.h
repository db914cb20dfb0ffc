/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/validator.h - lanyard-validator: judges the signatures of DNS answers for one network (dhcp/validation.h)
 *
 * A program without rights, files or a network of its own (ctl/confine.h): the keeper starts it, where it can in an empty network namespace,
 * with one socket to the engine (ctl/keeper_validator.c). What it has to ask, libunbound asks a socket of this very process on its
 * loopback, and from there the engine's resolvers. It ends when the engine closes the socket.
 */
#ifndef CTL_VALIDATOR_H
#define CTL_VALIDATOR_H

#include <stdbool.h>

#include "dhcp/validator_wire.h"

/* validator_run() - all of it, over the socket @fd, which is taken. Return: exit status */
int validator_run(int fd, bool confined);

#endif
