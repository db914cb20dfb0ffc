// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading a YAML file whole, and no more than may be. */
#include "ctl/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* read_file() - at most one byte more than is allowed, so that too much is noticed; Return: size or -errno */
static ssize_t read_file(int fd, char *text, size_t room)
{
	struct stat st;
	size_t n = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	while (n < room) {
		ssize_t got = read(fd, text + n, room - n);

		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	return (ssize_t)n;
}

json_t *yaml_read(int fd, const char *path, struct line_map **lines, struct error *err)
{
	char *text = malloc(YAML_SIZE_MAX + 1);
	json_t *tree = NULL;
	ssize_t n = fd < 0 ? fd : text ? read_file(fd, text, YAML_SIZE_MAX + 1) : -ENOMEM;

	if (n < 0)
		error_set(err, (int)n, "%s: cannot read: %s", path, n == -EINVAL ? "not a file" : strerror((int)-n));
	else
		tree = yaml_parse(text, (size_t)n, path, lines, err);
	if (fd >= 0)
		close(fd);
	free(text);
	return tree;
}

json_t *yaml_load(const char *path, struct line_map **lines, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return yaml_read(fd < 0 ? -errno : fd, path, lines, err);
}
