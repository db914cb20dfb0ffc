/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_records.h - the user's names of a network at run time: its records, and aliases (control thread) */
#ifndef CTL_LIVE_RECORDS_H
#define CTL_LIVE_RECORDS_H

struct live_net;

/* live_records_configure() - those of net->conf into net->names
 *
 * What changes of a name changes at once: who asks sees all of the old or all of the new (DNS-37). An alias is a CNAME record that leads to its
 * port's name, or to what a reservation calls its guest; so it is there as long as these are, and leads somewhere as long as that name does.
 */
void live_records_configure(struct live_net *net);

#endif
