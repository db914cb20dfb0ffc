/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/power_disk.h - a disk under SQLite that can lose power or fail: what was not flushed is not on it
 *
 * A VFS around SQLite's own. The files work as always; besides, for each file below a directory the bytes that a flush has made durable are
 * kept, and in order what was written since. What a power cut would leave can be written elsewhere at any moment, and looked at there.
 * One disk at a time. Its calls are made by SQLite's thread, one at a time.
 */
#ifndef TESTS_UNIT_POWER_DISK_H
#define TESTS_UNIT_POWER_DISK_H

#include <stdbool.h>

/* disk_look_fn - called before each operation that changes a file or flushes it; @n: how many there were */
typedef void disk_look_fn(void *arg, unsigned n);

/* disk_start() - watch SQLite's files in @dir (borrowed), from the next open() on; disk_stop() - no more, and forget all */
void disk_start(const char *dir, disk_look_fn *look, void *arg);
void disk_stop(void);

/* disk_fail() - from operation @from on @count of them fail: writes with @write_result, flushes with @sync_result (results of SQLite; SQLITE_OK: does not)
 * What a flush that failed should have made durable never becomes so: the kernel reports a lost write once, and then takes the page for clean.
 */
void disk_fail(unsigned from, unsigned count, int write_result, int sync_result);

/* disk_cut() - write to directory @to what a power cut leaves now
 * @seed:	0: nothing that was not flushed; else some of it, whole or in part, in any order
 */
void disk_cut(const char *to, unsigned seed);

#endif
