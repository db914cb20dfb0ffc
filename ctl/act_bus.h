/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_bus.h - systemd-resolved on the system bus, for a program that does one act and ends
 *
 * libsystemd is loaded when it is needed: hosts without it need nothing else, and the keeper never has it. The service is not started
 * by asking it. Calls wait BUS_WAIT_MS at most. Return: 0 or a negative errno (-ENOENT: no library, no bus or no resolved).
 */
#ifndef CTL_ACT_BUS_H
#define CTL_ACT_BUS_H

#include <systemd/sd-bus.h>

enum { BUS_WAIT_MS = 1000 };

/* bus_functions - what is used of libsystemd, by its own names */
#define BUS_FUNCTIONS(DO) \
	DO(sd_bus_open_system) DO(sd_bus_is_ready) DO(sd_bus_process) DO(sd_bus_wait) DO(sd_bus_flush_close_unref) DO(sd_bus_call) \
	DO(sd_bus_message_new_method_call) DO(sd_bus_message_set_auto_start) DO(sd_bus_message_append) DO(sd_bus_message_append_array) \
	DO(sd_bus_message_open_container) DO(sd_bus_message_close_container) DO(sd_bus_message_enter_container) \
	DO(sd_bus_message_exit_container) DO(sd_bus_message_read) DO(sd_bus_message_read_array) DO(sd_bus_message_unref)

#define BUS_MEMBER(name) __typeof__(name) *name;
struct bus_functions {
	BUS_FUNCTIONS(BUS_MEMBER)
};

struct bus {
	struct bus_functions f;
	void *library;
	sd_bus *bus;
};

int bus_open(struct bus *b);
void bus_close(struct bus *b);

/* bus_begin() - a call of the manager's @method; the caller appends to @m
 * bus_finish() - send it, which takes @m; @reply for sd_bus_message_unref(), or NULL
 */
int bus_begin(struct bus *b, const char *method, sd_bus_message **m);
int bus_finish(struct bus *b, sd_bus_message *m, sd_bus_message **reply);

/* bus_property() - of the object at @path below /org/freedesktop/resolve1 ("" for the manager); @reply is inside its variant of type @type */
int bus_property(struct bus *b, const char *path, const char *interface, const char *name, const char *type, sd_bus_message **reply);

#endif
