/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/relay_info.h - what a relay says of a guest's message: option 82 (RFC 3046) and giaddr
 *
 * Any thread; no allocation.
 */
#ifndef DHCP_RELAY_INFO_H
#define DHCP_RELAY_INFO_H

#include "dhcp/message.h"

enum relay_sub { RELAY_CIRCUIT = 1, RELAY_REMOTE = 2, RELAY_LINK = 5 /* RFC 3527 */, RELAY_SERVER_ID = 11 /* RFC 5107 */ };

/* relay_sub_option() - bytes of a sub-option, borrowed from @m, or NULL: it is absent, the message is not relayed, or the lengths in
 * option 82 do not add up
 */
const uint8_t *relay_sub_option(const struct dhcp_message *m, enum relay_sub sub, size_t *size);

/* relay_address() - the value of a sub-option that is an address, or 0 */
uint32_t relay_address(const struct dhcp_message *m, enum relay_sub sub);

/* relay_link() - an address of the subnet on which a relayed guest is: link selection, or else giaddr; 0: it is not relayed */
uint32_t relay_link(const struct dhcp_message *m);

/* relay_link_of() - the same of a message as it came; 0 too when it is malformed */
uint32_t relay_link_of(const uint8_t *data, size_t size);

#endif
