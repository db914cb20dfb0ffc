/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/host_call.h - one request to the keeper and its reply: what host_client.c, host_open.c and host_network.c share */
#ifndef CTL_HOST_CALL_H
#define CTL_HOST_CALL_H

#include <stddef.h>

#include "ctl/host.h"

struct error;
struct host;

/* host_call_many() - @fds of room for *count; they are those of a reply whose rc is 0. Return: the reply's rc, or negative errno */
int host_call_many(struct host *host, void *request, size_t size, int fd_out, struct host_reply *reply, int *fds, unsigned *count);

/* host_call_open() - a request whose answer is a descriptor. Return: that, the caller's, or negative errno with @err */
int host_call_open(struct host *host, void *request, size_t size, struct host_reply *reply, struct error *err);

/* host_call_failed() - @rc with the keeper's own words, or ours where it said nothing. Return: @rc */
int host_call_failed(struct error *err, int rc, const struct host_reply *reply);

/* host_put() - a text into its field. Return: 0; -ENAMETOOLONG rather than half of it */
int host_put(char *to, size_t room, const char *text, struct error *err);

void host_close_all(const int *fds, unsigned n);

#endif
