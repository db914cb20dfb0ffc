/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cmd_doctor_checks.h - what of this host helps or hinders lanyard, for the user who asks
 *
 * Each check tries the thing itself, as the daemon of that user would, and changes nothing. One thread.
 */
#ifndef CTL_CMD_DOCTOR_CHECKS_H
#define CTL_CMD_DOCTOR_CHECKS_H

enum finding_state {
	FINDING_OK,
	FINDING_WARN,			/* something cannot be had; the rest works */
	FINDING_FAIL,			/* networks will not work */
};

struct finding {
	enum finding_state state;
	char text[200];			/* what is, and what that means */
	char command[200];		/* what changes it, or empty */
};

struct check {
	const char *name;		/* a word; NULL ends the table */
	void (*look)(struct finding *f);
};

extern const struct check doctor_checks[];

/* cmd_doctor_host.c */
void doctor_look_kernel(struct finding *f);
void doctor_look_forwarding(struct finding *f);
void doctor_look_managers(struct finding *f);

/* cmd_doctor_nat.c */
void doctor_look_nat(struct finding *f);

/* cmd_doctor_names.c */
void doctor_look_names(struct finding *f);

#endif
