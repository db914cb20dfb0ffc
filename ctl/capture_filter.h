/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/capture_filter.h - from the text of a capture's filter, as tcpdump takes it, to a program for the workers
 *
 * libpcap compiles (pcap-filter(7)). The text is a stranger's and compiling happens on the control thread, so nothing may be looked up
 * by it: every word must be one of the language's own. What else looks like a name is a guest's, or a well-known service's, and is
 * replaced before libpcap sees it. Control thread: libpcap's compiler is nobody else's.
 */
#ifndef CTL_CAPTURE_FILTER_H
#define CTL_CAPTURE_FILTER_H

#include <stdbool.h>

#include "base/addr.h"

struct error;
struct filter;

enum { CAPTURE_FILTER_MAX = 1000 };	/* characters */

/* capture_guest_fn() - the address of the guest @name as text; false when there is none of that name with an address */
typedef bool capture_guest_fn(void *arg, const char *name, char text[ADDR_TEXT]);

/* capture_filter() - compile @text
 * @guest:	or NULL
 *
 * Return: 0 and *@out for filter_free() (NULL where the text is empty), or -EINVAL or -ENOMEM with @err.
 */
int capture_filter(const char *text, capture_guest_fn *guest, void *arg, struct filter **out, struct error *err);

#endif
