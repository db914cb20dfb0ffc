/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/host_watch.h - tells when the host's links, addresses, routes or rules have changed
 *
 * What changed is not said: whoever wants to know asks the kernel, and so nothing here can be out of date. A kernel that had more
 * to tell than its socket holds (ENOBUFS) has told enough. However busy the host's routing is, the callback comes ten times a
 * second at most, and within 100 ms of a change. Idle, it wakes for nothing. One libevent base, its thread.
 */
#ifndef CTL_HOST_WATCH_H
#define CTL_HOST_WATCH_H

struct event_base;
struct host_watch;

typedef void host_changed_fn(void *arg);

/* host_watch_new() - watch the network namespace of this process
 * Return: for host_watch_free(), or NULL with errno (EAFNOSUPPORT, EPERM: this host lets nobody watch). */
struct host_watch *host_watch_new(struct event_base *base, host_changed_fn *changed, void *arg);
void host_watch_free(struct host_watch *w);

#endif
