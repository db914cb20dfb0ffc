// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/api_settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

const char *const edit_words[] = { "network", "port", "forward", "reservation", "record", "segment", "group" };

void settings_path(struct edit *edit, const char *id)
{
	size_t digits = port_range_span(id);

	snprintf(edit->id, sizeof(edit->id), "%s", id);
	if (edit->what == EDIT_FORWARD && digits && (!strcmp(id + digits, "-tcp") || !strcmp(id + digits, "-udp")))
		edit->id[digits] = '/';
}

static int set_name(struct edit *edit, char *to, size_t room, const char *key, struct error *err)
{
	const json_t *name = json_object_get(edit->settings, key);

	if (!name && to[0])
		return 0;
	if (!json_is_string(name))
		return error_set(err, -EINVAL, "%s: %s is missing", edit_words[edit->what], key);
	if (strlen(json_string_value(name)) >= room)
		return error_set(err, -EINVAL, "%s: %s is longer than 63 letters", edit_words[edit->what], key);
	if (to[0] && strcmp(to, json_string_value(name)))
		return error_set(err, -EINVAL, "%s %s: %s cannot be changed; make a new one", edit_words[edit->what], to, key);
	strcpy(to, json_string_value(name));
	json_object_del(edit->settings, key);
	return 0;
}

/* set_forward_name() - a forward may go without */
static int set_forward_name(struct edit *edit, struct error *err)
{
	const char *name = json_string_value(json_object_get(edit->settings, "name"));
	char id[NAME_MAX_SIZE];

	if (name && !*name)
		json_object_del(edit->settings, "name");
	if (json_object_get(edit->settings, "name"))
		return edit->how == EDIT_ADD || !strchr(edit->id, '/') ?
			       set_name(edit, edit->id, NAME_MAX_SIZE, "name", err) :
			       error_set(err, -EINVAL, "forward %s: name cannot be changed; make a new one", edit->id);
	if (edit->how == EDIT_ADD)	/* settings without an id are refused with the reason when they are parsed */
		snprintf(edit->id, sizeof(edit->id), "%s", model_forward_id(edit->settings, id) == 0 ? id : "new");
	return 0;
}

/* set_record_id() - name and type may come with the path or with the settings, which keep them */
static int set_record_id(struct edit *edit, struct error *err)
{
	const char *dash = strrchr(edit->id, '-'), *name, *type;

	if (edit->id[0] && dash && !json_object_get(edit->settings, "name"))
		json_object_set_new(edit->settings, "name", json_stringn(edit->id, (size_t)(dash - edit->id)));
	if (edit->id[0] && dash && !json_object_get(edit->settings, "type"))
		json_object_set_new(edit->settings, "type", json_string(dash + 1));
	name = json_string_value(json_object_get(edit->settings, "name"));
	type = json_string_value(json_object_get(edit->settings, "type"));
	if (!name)
		return error_set(err, -EINVAL, "record: name is missing");
	if (!edit->id[0])
		snprintf(edit->id, sizeof(edit->id), "%.255s-%.10s", name, type ? type : "A");
	return 0;
}

/* set_segment_id() - the VID, a number in the settings */
static int set_segment_id(struct edit *edit, struct error *err)
{
	const json_t *vid = json_object_get(edit->settings, "vid");
	char text[24];

	if (json_is_integer(vid)) {
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(vid));
		json_object_set_new(edit->settings, "vid", json_string(text));
	}
	return set_name(edit, edit->id, NAME_MAX_SIZE, "vid", err);
}

static int read_name(struct edit *edit, struct error *err)
{
	switch (edit->what) {
	case EDIT_NETWORK:
		return set_name(edit, edit->net, sizeof(edit->net), "name", err);
	case EDIT_SEGMENT:
		return set_segment_id(edit, err);
	case EDIT_PORT:
	case EDIT_GROUP:
		return set_name(edit, edit->id, NAME_MAX_SIZE, "name", err);
	case EDIT_RESERVATION:
		return set_name(edit, edit->id, NAME_MAX_SIZE, "port", err);
	case EDIT_FORWARD:
		return set_forward_name(edit, err);
	case EDIT_RECORD:
		return set_record_id(edit, err);
	}
	return -EINVAL;
}

int settings_read(struct edit *edit, struct error *err)
{
	/* the model knows these, but they are not the client's to set here */
	static const char *const others[] = { "owner", "groups", "segments", "ports", "forwards", "reservations", "records", "transient" };

	edit->settings = call_body(edit->call, err);
	if (!edit->settings)
		return err->rc;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (json_object_get(edit->settings, others[i]))
			return error_set(err, -EINVAL, "%s: %s: unknown field", edit_words[edit->what], others[i]);
	return read_name(edit, err);
}
