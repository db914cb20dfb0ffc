/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act_socket.h - unix sockets at a path, of lanyard-paths and of the keeper's start; Return: descriptor, or negative errno */
#ifndef CTL_ACT_SOCKET_H
#define CTL_ACT_SOCKET_H

struct sockaddr_un;

int act_unix_connect(const struct sockaddr_un *at, int type);

/* act_unix_listen() - a socket of mode 0600, listening unless @type is SOCK_DGRAM; one at the path that nobody has is replaced
 *
 * Return: -EADDRINUSE when somebody listens there, -EEXIST when it is no socket.
 */
int act_unix_listen(const struct sockaddr_un *at, int type);

#endif
