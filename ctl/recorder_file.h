/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/recorder_file.h - the memory of all flight recorders as one file without a name, so that it outlives the engine
 *
 * The keeper holds the file, too. Whatever ends the engine, the next one finds there what ports had kept up to that moment, and tells
 * it as the last words of its predecessor. The file is sparse: memory is taken as far as it was written to, and given back when a port goes.
 * It is a chain of blocks, each a page that says whose recorder follows, and the recorder itself (switch/recorder.h).
 *
 * Who reads one trusts nothing in it: the engine that wrote it parsed what strangers sent, and died. A file of another layout has no blocks.
 *
 * Control thread, but for recorders that are freed after a grace period.
 */
#ifndef CTL_RECORDER_FILE_H
#define CTL_RECORDER_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/text.h"

struct record;
struct recorder;
struct recorder_file;

/* recorder_file_new() - an empty one; NULL with errno. recorder_file_free() - after its recorders; who else has the file keeps what is in it
 * recorder_file_fd() - borrowed
 */
struct recorder_file *recorder_file_new(void);
void recorder_file_free(struct recorder_file *f);
int recorder_file_fd(const struct recorder_file *f);

/* recorder_owner - whose recorder it is */
struct recorder_owner {
	char net[NAME_MAX_SIZE], port[NAME_MAX_SIZE];
	uid_t uid;
};

/* recorder_file_take() - a recorder in a block of its own, which it gives back when it is freed; NULL: no memory */
struct recorder *recorder_file_take(struct recorder_file *f, const struct recorder_owner *owner, uint32_t nslots, unsigned nworkers);

/* recorder_file_read() - show each recorder of a file that another process has left; @r is the callee's, for reading. Return: how many */
typedef void recorder_file_fn(void *arg, const struct recorder_owner *owner, struct recorder *r);
unsigned recorder_file_read(int fd, recorder_file_fn *fn, void *arg);

/* recorder_file_has() - is there a frame in such a file? record_is_sane() - can what such a file says of one be told? */
bool recorder_file_has(int fd);
bool record_is_sane(const struct record *r);

#endif
