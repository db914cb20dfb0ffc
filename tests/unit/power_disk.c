// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/power_disk.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <sqlite3.h>

/* op - a write that was not flushed yet; size 0: the file was cut to `at` */
struct op {
	STAILQ_ENTRY(op) link;
	size_t at, size;
	uint8_t data[];
};
STAILQ_HEAD(ops, op);

/* image - one file: what is durable, and what is not yet */
struct image {
	SLIST_ENTRY(image) link;
	char name[256];
	uint8_t *data;
	size_t size;
	struct ops ops;
};

struct disk_file {
	sqlite3_file base;
	struct image *image;
	sqlite3_file real[];	/* as large as the VFS below wants it */
};

static struct {
	sqlite3_vfs vfs, *below;
	const char *dir;
	disk_look_fn *look;
	void *arg;
	unsigned n, fail_from, fail_count;
	int write_result, sync_result;
	SLIST_HEAD(, image) images;
} disk;

/* ---- what is durable ---- */

static void change(struct image *image, const struct op *op, size_t size)
{
	size_t end = op->at + size;

	if (!op->size || end > image->size) {
		image->data = realloc(image->data, end + 1);
		if (end > image->size)
			memset(image->data + image->size, 0, end - image->size);
		image->size = end;
	}
	memcpy(image->data + op->at, op->data, size);
}

static void drop_ops(struct image *image, bool durable)
{
	struct op *op;

	while ((op = STAILQ_FIRST(&image->ops))) {
		if (durable)
			change(image, op, op->size);
		STAILQ_REMOVE_HEAD(&image->ops, link);
		free(op);
	}
}

static struct image *image_of(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	struct image *image;
	ssize_t n;
	int fd;

	SLIST_FOREACH(image, &disk.images, link)
		if (!strcmp(image->name, name))
			return image;
	image = calloc(1, sizeof(*image));
	snprintf(image->name, sizeof(image->name), "%s", name);
	STAILQ_INIT(&image->ops);
	SLIST_INSERT_HEAD(&disk.images, image, link);
	fd = open(path, O_RDONLY | O_CLOEXEC);	/* what was there before is durable */
	image->size = fd < 0 ? 0 : (size_t)lseek(fd, 0, SEEK_END);
	image->data = malloc(image->size + 1);
	n = fd < 0 ? 0 : pread(fd, image->data, image->size, 0);
	image->size = n > 0 ? (size_t)n : 0;
	if (fd >= 0)
		close(fd);
	return image;
}

static void forget(struct image *image)
{
	drop_ops(image, false);
	SLIST_REMOVE(&disk.images, image, image, link);
	free(image->data);
	free(image);
}

/* ---- what SQLite calls ---- */

static sqlite3_file *below(sqlite3_file *f)
{
	return ((struct disk_file *)f)->real;
}

/* before() - an operation is about to be made. Return: does it fail? */
static bool before(void)
{
	unsigned n = disk.n++;

	if (disk.look)
		disk.look(disk.arg, n);
	return n >= disk.fail_from && n - disk.fail_from < disk.fail_count;
}

static void note(struct image *image, sqlite3_int64 at, const void *data, size_t size)
{
	struct op *op = malloc(sizeof(*op) + size);

	op->at = (size_t)at;
	op->size = size;
	if (size)
		memcpy(op->data, data, size);
	STAILQ_INSERT_TAIL(&image->ops, op, link);
}

static int on_write(sqlite3_file *f, const void *data, int size, sqlite3_int64 at)
{
	if (before() && disk.write_result != SQLITE_OK)
		return disk.write_result;
	note(((struct disk_file *)f)->image, at, data, (size_t)size);
	return below(f)->pMethods->xWrite(below(f), data, size, at);
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	if (before() && disk.write_result != SQLITE_OK)
		return disk.write_result;
	note(((struct disk_file *)f)->image, size, NULL, 0);
	return below(f)->pMethods->xTruncate(below(f), size);
}

/* The files themselves are flushed nowhere: this disk is the one that counts. */
static int on_sync(sqlite3_file *f, int flags)
{
	bool fails = before() && disk.sync_result != SQLITE_OK;

	(void)flags;
	drop_ops(((struct disk_file *)f)->image, !fails);
	return fails ? disk.sync_result : SQLITE_OK;
}

static int on_close(sqlite3_file *f)
{
	return below(f)->pMethods->xClose(below(f));
}

static int on_read(sqlite3_file *f, void *data, int size, sqlite3_int64 at)
{
	return below(f)->pMethods->xRead(below(f), data, size, at);
}

static int on_file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	return below(f)->pMethods->xFileSize(below(f), size);
}

static int on_lock(sqlite3_file *f, int how)
{
	return below(f)->pMethods->xLock(below(f), how);
}

static int on_unlock(sqlite3_file *f, int how)
{
	return below(f)->pMethods->xUnlock(below(f), how);
}

static int on_check_lock(sqlite3_file *f, int *out)
{
	return below(f)->pMethods->xCheckReservedLock(below(f), out);
}

static int on_control(sqlite3_file *f, int what, void *arg)
{
	return below(f)->pMethods->xFileControl(below(f), what, arg);
}

static int on_sector(sqlite3_file *f)
{
	return below(f)->pMethods->xSectorSize(below(f));
}

static int on_features(sqlite3_file *f)
{
	return below(f)->pMethods->xDeviceCharacteristics(below(f));
}

static int on_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **to)
{
	return below(f)->pMethods->xShmMap(below(f), page, size, extend, to);
}

static int on_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
	return below(f)->pMethods->xShmLock(below(f), at, n, flags);
}

static void on_shm_barrier(sqlite3_file *f)
{
	below(f)->pMethods->xShmBarrier(below(f));
}

static int on_shm_unmap(sqlite3_file *f, int remove)
{
	return below(f)->pMethods->xShmUnmap(below(f), remove);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2, .xClose = on_close, .xRead = on_read, .xWrite = on_write, .xTruncate = on_truncate, .xSync = on_sync,
	.xFileSize = on_file_size, .xLock = on_lock, .xUnlock = on_unlock, .xCheckReservedLock = on_check_lock, .xFileControl = on_control,
	.xSectorSize = on_sector, .xDeviceCharacteristics = on_features, .xShmMap = on_shm_map, .xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier, .xShmUnmap = on_shm_unmap,
};

static bool is_ours(const char *path)
{
	return path && disk.dir && !strncmp(path, disk.dir, strlen(disk.dir)) && path[strlen(disk.dir)] == '/';
}

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out)
{
	struct disk_file *file = (struct disk_file *)f;
	int rc;

	(void)vfs;
	if (!is_ours(path))
		return disk.below->xOpen(disk.below, path, f, flags, out);
	rc = disk.below->xOpen(disk.below, path, file->real, flags, out);
	file->base.pMethods = rc == SQLITE_OK ? &methods : NULL;
	file->image = rc == SQLITE_OK ? image_of(path) : NULL;
	return rc;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
	(void)vfs;
	if (is_ours(path))
		forget(image_of(path));
	return disk.below->xDelete(disk.below, path, sync);
}

/* ---- for the test ---- */

void disk_start(const char *dir, disk_look_fn *look, void *arg)
{
	disk.below = sqlite3_vfs_find("unix");
	disk.vfs = *disk.below;
	disk.vfs.zName = "power-disk";
	disk.vfs.szOsFile += (int)sizeof(struct disk_file);
	disk.vfs.xOpen = on_open;
	disk.vfs.xDelete = on_delete;
	disk.dir = dir;
	disk.look = look;
	disk.arg = arg;
	disk.n = disk.fail_count = 0;
	sqlite3_vfs_register(&disk.vfs, 1);
}

void disk_stop(void)
{
	sqlite3_vfs_unregister(&disk.vfs);
	sqlite3_vfs_register(disk.below, 1);
	while (!SLIST_EMPTY(&disk.images))
		forget(SLIST_FIRST(&disk.images));
}

void disk_fail(unsigned from, unsigned count, int write_result, int sync_result)
{
	disk.fail_from = from;
	disk.fail_count = count;
	disk.write_result = write_result;
	disk.sync_result = sync_result;
}

/* left_of() - what a cut leaves of a file: its durable bytes, and of what was written since whatever the dice say */
static struct image left_of(const struct image *image, unsigned *dice)
{
	struct image left = { .size = image->size, .data = malloc(image->size + 1) };
	const struct op *op;

	memcpy(left.data, image->data, image->size);
	STAILQ_FOREACH(op, &image->ops, link) {
		int die = *dice ? rand_r(dice) % 4 : 3;

		if (die < 3 && (die < 2 || !op->size))
			change(&left, op, die ? op->size : op->size / 512 / 2 * 512);
	}
	return left;
}

void disk_cut(const char *to, unsigned seed)
{
	struct image *image;
	char path[512];

	SLIST_FOREACH(image, &disk.images, link) {
		struct image left = left_of(image, &seed);
		int fd;

		snprintf(path, sizeof(path), "%s/%s", to, image->name);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (fd < 0 || write(fd, left.data, left.size) != (ssize_t)left.size)
			abort();
		close(fd);
		free(left.data);
	}
}
