/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/log.h - one line per event on standard error: LEVEL and key=value pairs
 *
 * The same keys everywhere: net= port= event= ... Values that came from a guest go through log_clean().
 * Lines that a guest can cause at will are limited with log_allowed(). Any thread but a worker on the
 * frame path, which counts instead.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_level(enum log_level level);
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

/* log_clean() - copy @from to @to with anything but printable ASCII, and the quote, shown as \xNN
 *
 * Return: @to, always terminated; cut where @room ends.
 */
const char *log_clean(char *to, size_t room, const char *from, size_t size);

/* A budget of lines: at most 10 in 10 s; what was suppressed is told with the next line let through. */
struct log_limit {
	uint64_t since_ms;
	unsigned lines;
	unsigned suppressed;
};

/* log_allowed() - may one more line of this kind be written? One thread per limit. */
bool log_allowed(struct log_limit *limit, uint64_t now_ms);

#endif
