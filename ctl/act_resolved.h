/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_resolved.h - guests' names by systemd-resolved: of an interface of a network it asks the address that the host has there
 *
 * The network's domain, and the reverse zones of the interface's addresses, are asked by it and nothing else is: they are domains to route
 * by (resolve1's SetLinkDomains), and the interface is no default route. The calls may block as ctl/act_bus.h says.
 */
#ifndef CTL_ACT_RESOLVED_H
#define CTL_ACT_RESOLVED_H

#include <stddef.h>
#include <stdint.h>

#define RESOLVED_HELD "systemd-resolved/"	/* what the journal calls an interface that it was told about, before the interface's name */

enum { RESOLVED_ZONES_MAX = 160, RESOLVED_ZONE_SIZE = 80 };

/* resolved_tell() - have it ask the first IPv4 address of @ifname for names below @domain. Return: 0, or negative errno, with nothing left
 * of it; -ENODEV: there is no such interface, or it has no address
 */
int resolved_tell(const char *ifname, const char *domain);

/* resolved_forget() - Return: 0, also where there is no such interface or no resolved any more; or negative errno: it still has something */
int resolved_forget(const char *ifname);

/* resolved_zones() - append the reverse zones that are together exactly the prefix of @addr (4 or 16 bytes, network order) with @len bits
 * Return: how many; 0 where @room is not enough for them.
 */
unsigned resolved_zones(const uint8_t *addr, unsigned size, unsigned len, char (*to)[RESOLVED_ZONE_SIZE], unsigned room);

#endif
