/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_journal.h - what the keeper has changed on the host: on the disk before it is done, undone in reverse
 *
 * One file of the state directory, "host-changes", of struct host_change (ctl/host.h). The file is all there is: each call reads it, so all
 * programs that act see the same. A keeper has one journal, and one process at a time works with it.
 *
 * A setting or directory that several networks need alike is in the journal once for each, always with the value from before the
 * first of them; the last one to go puts it back. A setting that somebody else has changed since is left as it is.
 */
#ifndef CTL_ACT_JOURNAL_H
#define CTL_ACT_JOURNAL_H

#include <stdbool.h>

#include "ctl/host.h"

struct error;

/* journal_use() - work with the one that @fd (borrowed) has open; the keeper made it (ctl/keeper_journal.c) */
void journal_use(int fd);

/* journal_add() - note @n changes before they are made; order, time and sum are filled in. Return: 0 when they are on the disk */
int journal_add(struct host_change *changes, unsigned n);

/* journal_before() - has a network changed @target already? Then @before becomes what it was first */
bool journal_before(const char *target, char before[HOST_VALUE_SIZE]);

/* journal_noted() - has @name changed @target, or was about to? */
bool journal_noted(const char *name, const char *target);

/* journal_part - the changes that one program makes: which they are, and how one is undone (Return: 0, also where nothing of it is left; or
 * negative errno: something is). @tap as for journal_undo()
 */
struct journal_part {
	bool (*has)(const struct host_change *c);
	int (*undo)(const struct host_change *c, int tap);
};

extern const struct journal_part journal_links, journal_ways, journal_nat, journal_names;	/* act_change.c, act_ways.c, act_nat_settings.c, act_guests.c */

/* journal_undo() - undo what was done for @name, or (NULL) everything, and forget it; what the host does not let go of is told, and stays in
 * the journal for the next time: that is when the network comes again, or a keeper starts.
 * @tap:	descriptor of the interface, which goes, too; -1: it has gone
 * @stays:	the interface stays
 *
 * Return: 0, or negative errno: something stays.
 */
int journal_undo(const struct journal_part *part, const char *name, int tap, bool stays);

/* --- act_change.c: one change; may block as long as the kernel does --- */

/* change_make() - of those of journal_links, but HOST_CHANGE_INTERFACE. Return: 0 or negative errno with @err */
int change_make(const struct host_change *c, struct error *err);

/* --- act_setting.c: settings below /proc/sys; Return: 0 or negative errno --- */

/* setting_put_back() - by @set, unless somebody else has changed it since */
int setting_put_back(const struct host_change *c, int (*set)(const char *path, const char *value));

/* change_setting() - its value */
int change_setting(const char *path, char value[HOST_VALUE_SIZE]);

bool host_has_ip6(void);	/* and new interfaces use it */

/* --- act_forwarding.c --- */

/* setting_set() - any setting; with IPv6 forwarding of the whole host every interface keeps its own. Return: 0 or negative errno */
int setting_set(const char *path, const char *value);

/* --- act_managers.c --- */

/* managers_plan() - fill in the files by which network managers that run here are told to leave @ifname alone. Return: how many */
unsigned managers_plan(const char *ifname, struct host_change *plan, unsigned room);

/* managers_text() - what is to be in one of these files; false when it is none of them */
bool managers_text(const char *path, char *text, unsigned room);

#endif
