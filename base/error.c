// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

static const struct {
	int errnum;
	const char *code;
} codes[] = {
	{ EEXIST, "exists" },		{ ENOENT, "not-found" },	{ EINVAL, "invalid" },
	{ EACCES, "permission" },	{ EPERM, "permission" },	{ EADDRINUSE, "port-in-use" },
	{ ENOMEM, "out-of-memory" },	{ EBUSY, "busy" },		{ ENOSPC, "no-space" },
	{ ENOTSUP, "unsupported" },	{ ETIMEDOUT, "timed-out" },	{ EMFILE, "descriptor-limit" },
};

static const char *code_of(int rc)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].errnum == -rc)
			return codes[i].code;
	return "failed";
}

int error_set(struct error *err, int rc, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return rc;
	err->rc = rc;
	err->hint[0] = '\0';
	error_code(err, code_of(rc));
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
	va_end(ap);
	return rc;
}

void error_code(struct error *err, const char *code)
{
	if (err)
		snprintf(err->code, sizeof(err->code), "%s", code);
}

void error_hint(struct error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
}

void error_prefix(struct error *err, const char *fmt, ...)
{
	char old[sizeof(err->message)];
	va_list ap;
	size_t n;

	if (!err)
		return;
	memcpy(old, err->message, sizeof(old));
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
	va_end(ap);
	n = strlen(err->message);
	snprintf(err->message + n, sizeof(err->message) - n, ": %s", old);
}
