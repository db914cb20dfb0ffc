/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/acts_bed.h - what acts on the host, in the test's own process; for keeper_child.h the test itself is started as the programs that act */
#ifndef TESTS_UNIT_ACTS_BED_H
#define TESTS_UNIT_ACTS_BED_H

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "ctl/act.h"
#include "ctl/act_journal.h"
#include "ctl/keeper.h"
#include "ctl/start.h"

/* bed_journal() - make and use one in @dir. Return: descriptor or negative errno */
static inline int bed_journal(const char *dir)
{
	int fd = journal_create(dir);

	journal_use(fd);
	return fd;
}

/* bed_undo() - by all programs, as the keeper has them do it; -EBUSY: something stays */
static inline int bed_undo(const char *name, int tap, bool stays)
{
	int rc = journal_undo(&journal_names, name, -1, false);

	if (!stays && rc == 0)
		rc = journal_undo(&journal_nat, name, -1, false);
	if (journal_undo(&journal_ways, name, -1, false) < 0)
		rc = -EBUSY;
	return journal_undo(&journal_links, name, tap, stays) < 0 ? -EBUSY : rc;
}

/* bed_acts() - this program is every one that acts; at its start it looks whether it is to be one. Only what is linked for keeper_child.h */
static inline void bed_acts(void)
{
	acts_use(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
}

static inline void bed_be_act(const char *name)
{
	static const struct act_program *const programs[] = { &act_iface, &act_ways, &act_plug, &act_nat, &act_names, &act_paths };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (!strcmp(name, programs[i]->name))
			_exit(act_main(programs[i]));
}

#endif
