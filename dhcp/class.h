/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/class.h - which guests belong to a class (struct dhcp_match, dhcp/settings.h)
 *
 * Any thread; no allocation. Time is bounded by the sizes of pattern and message.
 */
#ifndef DHCP_CLASS_H
#define DHCP_CLASS_H

#include "dhcp/traits.h"

/* class_matches() - does the guest that shows this of itself belong to it? */
bool class_matches(const struct dhcp_match *match, const struct guest_traits *t);

/* pattern_matches() - @pattern against bytes: '*' for any number of them; or hex after 0x, which must be all of them */
bool pattern_matches(const char *pattern, const uint8_t *data, size_t size);

/* pattern_valid() - is it one, of at most DHCP_PATTERN_MAX - 1 letters and not empty? */
bool pattern_valid(const char *pattern);

/* mac_pattern_parse() - "52:54:00:*:*:*" or "52:54:00:*": stars for whole bytes at the end. Return: 0 or -EINVAL.
 * mac_pattern_format() - the same back
 */
int mac_pattern_parse(const char *text, uint8_t mac[MAC_SIZE], uint8_t mask[MAC_SIZE]);
const char *mac_pattern_format(const uint8_t mac[MAC_SIZE], const uint8_t mask[MAC_SIZE], char text[MAC_TEXT]);

#endif
