// SPDX-License-Identifier: GPL-2.0-or-later
/* lookup NAME - the addresses that this C library's resolver finds, each once, in a line; built for glibc and for musl */
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list, *a;
	char text[INET6_ADDRSTRLEN];
	int rc = argc == 2 ? getaddrinfo(argv[1], NULL, &hints, &list) : EAI_NONAME;

	if (rc) {
		printf("%s: %s\n", argc == 2 ? argv[1] : "lookup", gai_strerror(rc));
		return 1;
	}
	for (a = list; a; a = a->ai_next) {
		const void *ip = a->ai_family == AF_INET ? (const void *)&((struct sockaddr_in *)(void *)a->ai_addr)->sin_addr :
							     (const void *)&((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_addr;

		printf("%s%s", inet_ntop(a->ai_family, ip, text, sizeof(text)), a->ai_next ? " " : "\n");
	}
	freeaddrinfo(list);
	return 0;
}
