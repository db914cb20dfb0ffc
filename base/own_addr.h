/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/own_addr.h - an address of this host, asked of the kernel by plain system calls and anew each time. Any thread. */
#ifndef BASE_OWN_ADDR_H
#define BASE_OWN_ADDR_H

#include <stdbool.h>

#include "base/addr.h"

/* own_addr_fits_fn() - will this one do? */
typedef bool own_addr_fits_fn(const void *arg, struct addr a);

/* own_addr_find() - the address with which the host would talk to the Internet, if that fits; else own_addr_of_interface()
 * own_addr_of_interface() - the first one that fits of an interface that is up
 * @family:	AF_INET or AF_INET6
 *
 * Return: an address of that family that fits, or none.
 */
struct addr own_addr_find(int family, own_addr_fits_fn *fits, const void *arg);
struct addr own_addr_of_interface(int family, own_addr_fits_fn *fits, const void *arg);

#endif
