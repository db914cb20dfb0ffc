// SPDX-License-Identifier: GPL-2.0-or-later
/* faulted PROGRAM ARG... - run the daemon, and have one system call of a child of it fail: the acts on the host are such children's
 *
 * "N ERROR" on stdin (5 12: the sixth call, by ENOMEM) says which, counted from then on; the answer is "armed". "off" is answered by "COUNT CALL":
 * how many there were, and which one failed, or "-". What the engine calls is let through. The daemon's output goes to stderr. See tests/unit/fault.h.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/fault.h"

static pid_t keeper;

/* parent_of() - 0 where there is no such process */
static pid_t parent_of(pid_t pid)
{
	char path[40], text[256] = "";
	const char *p;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	if (f && !fgets(text, sizeof(text), f))
		text[0] = '\0';
	if (f)
		fclose(f);
	p = strrchr(text, ')');
	return p && strlen(p) > 4 ? atoi(p + 4) : 0;
}

static bool is_engine(pid_t pid)
{
	char path[40], exe[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	exe[n < 0 ? 0 : n] = '\0';
	return strstr(exe, "lanyard-engine") != NULL;
}

static bool acts(pid_t pid)
{
	return parent_of(pid) == keeper && !is_engine(pid);
}

static void obey(struct fault *f)
{
	char line[64];
	unsigned at;
	int error;

	if (!fgets(line, sizeof(line), stdin))
		exit(0);		/* the daemon is the script's to end */
	if (sscanf(line, "%u %d", &at, &error) == 2) {
		*f = (struct fault){ .at = at, .error = error, .counts = acts };
		printf("armed\n");
	} else {
		printf("%u %s\n", f->calls, f->struck ? f->call : "-");
		f->at = UINT_MAX;
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct fault f = { .at = UINT_MAX, .counts = acts };
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .events = POLLIN } };

	if (argc < 2)
		return 2;
	setvbuf(stdin, NULL, _IONBF, 0);
	keeper = fault_fork(&fds[1].fd);
	if (keeper == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		execv(argv[1], argv + 1);
		_exit(127);
	}
	while (keeper > 0 && poll(fds, 2, -1) > 0) {
		if (fds[0].revents)
			obey(&f);
		if (fds[1].revents & POLLIN && !fault_decide(fds[1].fd, &f))
			break;
		if (fds[1].revents & (POLLHUP | POLLERR))
			break;
	}
	return keeper > 0 && waitpid(keeper, NULL, 0) == keeper ? 0 : 1;
}
