// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_names.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 16 << 20, GROWN_MAX = 8 << 20, MARK_MAX = 128 };	/* what is written can be read again, whatever others add to it */

/* file - its text, with room for a block behind it */
struct file {
	char path[PATH_MAX];		/* what links lead to */
	struct stat st;
	char *text;
	size_t size;
};

static int read_file(struct file *f, const char *path, size_t more)
{
	int fd, rc = 0;
	ssize_t n;

	if (!realpath(path, f->path))
		return -errno;
	fd = open(f->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &f->st) < 0)
		rc = -errno;
	else if (!S_ISREG(f->st.st_mode) || f->st.st_size > FILE_MAX)
		rc = S_ISREG(f->st.st_mode) ? -EFBIG : -EINVAL;
	f->text = rc == 0 ? malloc((size_t)f->st.st_size + more + 2 * MARK_MAX + 2) : NULL;
	n = f->text ? read(fd, f->text, (size_t)f->st.st_size) : 0;
	if (rc == 0 && (!f->text || n < 0))
		rc = f->text ? -errno : -ENOMEM;
	f->size = rc == 0 ? (size_t)n : 0;
	if (rc == 0 && memchr(f->text, '\0', f->size))
		rc = -EINVAL;		/* no text */
	if (f->text)
		f->text[f->size] = '\0';
	if (fd >= 0)
		close(fd);
	return rc;
}

/* ---- the block ---- */

/* A file that does not end with its line gets an end of line before the block; the mark says so, and it goes again with the block. */
static void marks(const char *net, bool joined, char first[MARK_MAX], char last[MARK_MAX])
{
	snprintf(first, MARK_MAX, "# lanyard network %.63s: its guests%s\n", net, joined ? ", behind a line without an end" : "");
	snprintf(last, MARK_MAX, "# lanyard network %.63s: end\n", net);
}

/* find_line() - a line that is @mark, or NULL */
static char *find_line(char *text, const char *mark)
{
	char *at = text;

	while ((at = strstr(at, mark)) && at != text && at[-1] != '\n')
		at++;
	return at;
}

/* cut() - a block that has lost its end is not known to be one: it stays. Return: was there one? */
static bool cut(struct file *f, const char *net, bool joined)
{
	char first[MARK_MAX], last[MARK_MAX], *from, *to;

	marks(net, joined, first, last);
	from = find_line(f->text, first);
	to = from ? find_line(from, last) : NULL;
	if (!to)
		return false;
	to += strlen(last);
	if (joined && from > f->text && !*to)
		from--;
	memmove(from, to, strlen(to) + 1);
	f->size -= (size_t)(to - from);
	return true;
}

static void append(struct file *f, const char *net, const char *lines)
{
	bool joined = f->size && f->text[f->size - 1] != '\n';
	char first[MARK_MAX], last[MARK_MAX];

	marks(net, joined, first, last);
	f->size += (size_t)sprintf(f->text + f->size, "%s%s%s%s", joined ? "\n" : "", first, lines, last);	/* there is room: read_file() */
}

/* ---- writing ---- */

static int write_all(int fd, const struct file *f)
{
	size_t at = 0;

	while (at < f->size) {
		ssize_t n = write(fd, f->text + at, f->size - at);

		if (n < 0)
			return -errno;
		at += (size_t)n;
	}
	return 0;
}

/* replace() - by another file of the same mode. Return: negative errno where only a file of its own owner, in its own place, will do */
static int replace(const struct file *f)
{
	char next[PATH_MAX + 16];
	int fd, rc;

	if (f->st.st_uid != geteuid() || f->st.st_nlink != 1)
		return -EXDEV;
	snprintf(next, sizeof(next), "%s.lanyard", f->path);
	unlink(next);
	fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = write_all(fd, f);
	if (rc == 0 && (fchmod(fd, f->st.st_mode & 07777) < 0 || fdatasync(fd) < 0))
		rc = -errno;
	close(fd);
	if (rc == 0 && rename(next, f->path) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(next);
	return rc;
}

/* write_over() - what is longer grows first, so that a full disk is noticed before anything is lost */
static int write_over(const struct file *f)
{
	int fd = open(f->path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	int rc = fd < 0 ? -errno : -posix_fallocate(fd, 0, (off_t)(f->size ? f->size : 1));

	if (rc == -EOPNOTSUPP)
		rc = 0;
	if (rc == 0)
		rc = write_all(fd, f);
	if (rc == 0 && ftruncate(fd, (off_t)f->size) < 0)
		rc = -errno;
	if (fd >= 0)
		close(fd);
	return rc;
}

int names_block(const char *path, const char *net, const char *lines)
{
	struct file f = { .text = NULL };
	char *before;
	int rc = read_file(&f, path, strlen(lines));

	if (rc < 0) {
		free(f.text);
		return rc;
	}
	before = strdup(f.text);
	while (cut(&f, net, false) || cut(&f, net, true))
		;
	if (*lines)
		append(&f, net, lines);
	if (!before)
		rc = -ENOMEM;
	else if (*lines && f.size > GROWN_MAX)
		rc = -EFBIG;
	else if (strcmp(before, f.text) != 0 && replace(&f) < 0)
		rc = write_over(&f);
	free(before);
	free(f.text);
	return rc;
}
