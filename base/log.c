// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

enum { LIMIT_LINES = 10, LIMIT_MS = 10000 };

static enum log_level level_now = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	level_now = level;
}

/* The line leaves in one write(), so that lines of two threads or processes never mix. */
void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	char line[1024];
	va_list ap;
	int n, m;

	if (level > level_now)
		return;
	n = snprintf(line, sizeof(line), "%s ", names[level]);
	va_start(ap, fmt);
	m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	if (m < 0)
		return;
	n = n + m < (int)sizeof(line) - 1 ? n + m : (int)sizeof(line) - 2;
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		return;		/* nobody is left to be told */
}

const char *log_clean(char *to, size_t room, const char *from, size_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < size && n + 5 <= room; i++) {
		unsigned char c = (unsigned char)from[i];

		if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
			to[n++] = (char)c;
		} else {
			to[n++] = '\\';
			to[n++] = 'x';
			to[n++] = hex[c >> 4];
			to[n++] = hex[c & 15];
		}
	}
	to[n] = '\0';
	return to;
}

bool log_allowed(struct log_limit *limit, uint64_t now_ms)
{
	if (now_ms - limit->since_ms >= LIMIT_MS) {
		if (limit->suppressed)
			log_info("event=log-suppressed lines=%u", limit->suppressed);
		*limit = (struct log_limit){ .since_ms = now_ms };
	}
	if (limit->lines < LIMIT_LINES) {
		limit->lines++;
		return true;
	}
	limit->suppressed++;
	return false;
}
