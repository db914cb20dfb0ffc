// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_bus.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"

#define RESOLVED "org.freedesktop.resolve1"
#define ROOT "/org/freedesktop/resolve1"

#define BUS_NAME(name) #name,
static const char *const names[] = { BUS_FUNCTIONS(BUS_NAME) };

/* load() - functions have the size of a pointer wherever there is dlsym() (POSIX) */
static int load(struct bus *b)
{
	void *found;

	b->library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!b->library)
		return -ENOENT;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		found = dlsym(b->library, names[i]);
		if (!found)
			return -ENOENT;
		memcpy((char *)&b->f + i * sizeof(found), &found, sizeof(found));
	}
	return 0;
}
_Static_assert(sizeof(struct bus_functions) == ARRAY_SIZE(names) * sizeof(void *), "one pointer for each");

/* greet() - until the bus knows us; sd_bus_call() would wait for that without an end */
static int greet(struct bus *b)
{
	uint64_t until = clock_now_ms() + BUS_WAIT_MS, now;
	int rc;

	while ((rc = b->f.sd_bus_is_ready(b->bus)) == 0) {
		rc = b->f.sd_bus_process(b->bus, NULL);
		now = clock_now_ms();
		if (rc == 0)
			rc = now < until ? b->f.sd_bus_wait(b->bus, (until - now) * 1000) : -ETIMEDOUT;
		if (rc < 0)
			return rc;
	}
	return rc < 0 ? rc : 0;
}

int bus_open(struct bus *b)
{
	int rc;

	memset(b, 0, sizeof(*b));
	rc = load(b);
	if (rc == 0)
		rc = b->f.sd_bus_open_system(&b->bus);
	if (rc >= 0)
		rc = greet(b);
	if (rc < 0)
		bus_close(b);
	return rc;
}

void bus_close(struct bus *b)
{
	if (b->bus)
		b->f.sd_bus_flush_close_unref(b->bus);
	if (b->library)
		dlclose(b->library);
	memset(b, 0, sizeof(*b));
}

static int begin(struct bus *b, const char *path, const char *interface, const char *method, sd_bus_message **m)
{
	int rc = b->f.sd_bus_message_new_method_call(b->bus, m, RESOLVED, path, interface, method);

	if (rc >= 0)
		rc = b->f.sd_bus_message_set_auto_start(*m, 0);
	return rc < 0 ? rc : 0;
}

int bus_begin(struct bus *b, const char *method, sd_bus_message **m)
{
	return begin(b, ROOT, RESOLVED ".Manager", method, m);
}

int bus_finish(struct bus *b, sd_bus_message *m, sd_bus_message **reply)
{
	int rc = b->f.sd_bus_call(b->bus, m, BUS_WAIT_MS * 1000, NULL, reply);

	b->f.sd_bus_message_unref(m);
	return rc < 0 ? rc : 0;
}

int bus_property(struct bus *b, const char *path, const char *interface, const char *name, const char *type, sd_bus_message **reply)
{
	char object[64], full[64];
	sd_bus_message *m = NULL;
	int rc;

	snprintf(object, sizeof(object), ROOT "%s", path);
	snprintf(full, sizeof(full), RESOLVED ".%s", interface);
	rc = begin(b, object, "org.freedesktop.DBus.Properties", "Get", &m);
	if (rc < 0)
		return rc;
	rc = b->f.sd_bus_message_append(m, "ss", full, name);
	if (rc < 0) {
		b->f.sd_bus_message_unref(m);
		return rc;
	}
	rc = bus_finish(b, m, reply);
	if (rc == 0)
		rc = b->f.sd_bus_message_enter_container(*reply, 'v', type);
	if (rc < 0 && *reply) {
		b->f.sd_bus_message_unref(*reply);
		*reply = NULL;
	}
	return rc < 0 ? rc : 0;
}
