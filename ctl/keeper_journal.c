// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/keeper.h"

/* sync_dir() - a file that was just made has to be found again after a power cut */
static int sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

int journal_create(const char *state_dir)
{
	char path[PATHS_SIZE];
	int rc = paths_join(path, sizeof(path), state_dir, "host-changes"), fd;

	if (rc < 0)
		return rc;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = sync_dir(state_dir);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

int journal_reader(int journal)
{
	char self[40];
	int fd;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", journal);
	fd = open(self, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

bool journal_used(int journal)
{
	struct stat st;

	return journal >= 0 && (fstat(journal, &st) < 0 || st.st_size);
}
