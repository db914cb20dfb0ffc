/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/dns_retell.h - an answer written anew: to another question, or to who asked for no signatures
 *
 * Names are read in full and compressed as those of our own answers are, so whatever the message pointed into may be left out. Answer
 * and authority sections are told; the additional one is dropped, and of the OPT record only what is the asker's business is made anew. Pure;
 * any thread; no allocation.
 */
#ifndef DHCP_DNS_RETELL_H
#define DHCP_DNS_RETELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_query;

/* dns_retell() - what @answer says, as the answer to @q, of whatever length: the limits of who asked by datagram are the caller's matter
 * @signatures: with the records that only prove the others (RFC 4035 3.2.1); without it they are told if it is they that were asked for
 * @reply:	of @room bytes, at least 512; what does not fit sets TC. AD is not set.
 *
 * Return: bytes, or 0 for an answer that cannot be read.
 */
size_t dns_retell(const struct dns_query *q, const uint8_t *answer, size_t size, bool signatures, uint8_t *reply, size_t room);

#endif
