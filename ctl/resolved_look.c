// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/resolved_look.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

enum { STUB = 0x7f000035, WAIT_MS = 10 };	/* 127.0.0.53 */

/* sum() - of a link itself: what it leads to is resolved's own, and written anew by it at any time */
static uint64_t sum(const char *path)
{
	struct stat st;
	uint64_t is[4];

	if (lstat(path, &st) < 0)
		return 0;
	is[0] = st.st_ino;
	is[1] = st.st_dev;
	is[2] = (uint64_t)st.st_mtim.tv_sec;
	is[3] = (uint64_t)st.st_mtim.tv_nsec;
	return hash_bytes(is, sizeof(is), 0) | 1;
}

/* listens() - the kernel answers for it at once, or says that there is nobody; what a firewall swallows is nobody, too */
static bool listens(uint32_t ip, uint16_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(ip), .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;
	struct pollfd there = { .fd = fd, .events = POLLOUT };
	socklen_t size = sizeof(error);
	bool is = fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;

	if (fd >= 0 && !is && errno == EINPROGRESS)
		is = poll(&there, 1, WAIT_MS) > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && !error;
	if (fd >= 0)
		close(fd);
	return is;
}

bool resolved_look(const char *resolv_conf, const char *socket_path, uint16_t port, struct resolved_seen *seen)
{
	struct resolved_seen now = { .conf = sum(resolv_conf), .socket = sum(socket_path), .listens = listens(STUB, port) };
	bool differs = now.conf != seen->conf || now.socket != seen->socket || now.listens != seen->listens;

	*seen = now;
	return differs;
}
