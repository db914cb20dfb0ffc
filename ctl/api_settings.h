/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/api_settings.h - what the path and the body of a change say: which object, and its settings
 *
 * A name may stand in the path, in the body or in both, and is taken out of the settings, which then have the shape
 * of the model's tree. Only ctl/api_edit.c includes this.
 */
#ifndef CTL_API_SETTINGS_H
#define CTL_API_SETTINGS_H

#include "ctl/api_edit.h"

/* edit - one change from its request to its answer */
struct edit {
	struct call *call;
	enum edit_what what;
	enum edit_how how;
	char net[NAME_MAX_SIZE];
	char id[API_SEGMENT_TEXT];	/* as the path or the settings say; once it was found, as the tree does */
	json_t *settings;		/* owned; without the name */
	bool made;			/* there was none before */
	json_t *changes;		/* owned; of one that is not to be made: what it would change */
};

/* edit_words - "network", "port" ... by enum edit_what, for messages */
extern const char *const edit_words[];

/* settings_path() - the object's id from the path: a forward's is written with a dash there, 8080-tcp */
void settings_path(struct edit *edit, const char *id);

/* settings_read() - settings, and names that the path left open, from the body; 0 or a negative errno with @err */
int settings_read(struct edit *edit, struct error *err);

#endif
