/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost_sigbus.h - memory that its owner may take away under us: a fault there costs a page, not the process
 *
 * Ranges are added and removed by the control thread. The SIGBUS handler looks for the faulting address among them on whatever
 * thread was hit, several at once. Nobody touches a range before sigbus_add() has returned or after sigbus_remove() was called.
 */
#ifndef TAP_VHOST_SIGBUS_H
#define TAP_VHOST_SIGBUS_H

#include <stdbool.h>
#include <stddef.h>

struct sigbus_range;

/* sigbus_init() - install the handler, once per process. Return: 0 or negative errno */
int sigbus_init(void);

/* sigbus_add() - from now on a fault in [@at, @at + @size) puts private zero memory in place of the page; after many pages, of all of it
 * @page:	bytes of a page of that mapping; @at and @size are multiples of it
 *
 * Return: NULL when there is no memory, or SIGBUS_RANGES_MAX ranges are there.
 */
struct sigbus_range *sigbus_add(void *at, size_t size, size_t page);
void sigbus_remove(struct sigbus_range *range);

enum { SIGBUS_RANGES_MAX = 128 * 1024 };	/* 1,000 front-ends with 128 regions each */

/* sigbus_lost() - has a page of it been replaced? sigbus_any_lost() - of any range that is there now? Any thread */
bool sigbus_lost(const struct sigbus_range *range);
bool sigbus_any_lost(void);

#endif
