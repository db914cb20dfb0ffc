/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/host_client.h - the engine's side of ctl/host.h: ask the keeper, wait for its answer
 *
 * Control thread only. A call waits for the keeper, at most 6 s (the keeper gives up on a slow act after 5 s); most
 * answers take less than a millisecond. Descriptors given stay the caller's; descriptors returned are the caller's, with
 * close-on-exec set, and the keeper has a copy under @name (see ctl/host.h; "" keeps none). Closing yours does not end
 * what the copy keeps open: use host_drop().
 *
 * Errors are negative errno with @err filled from the keeper's message and hint; @err may be NULL.
 */
#ifndef CTL_HOST_CLIENT_H
#define CTL_HOST_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "ctl/host.h"

struct host;

/* host_new() - speak to the keeper over @sock (taken), usually HOST_ENGINE_FD. Return: NULL without memory */
struct host *host_new(int sock);
void host_free(struct host *host);

/* host_fd() - for the event loop: becomes readable when the keeper is gone, or with an answer that came too late */
int host_fd(const struct host *host);

/* host_on_readable() - discard late answers. Return: 0, or -EPIPE when the keeper is gone: the engine ends then */
int host_on_readable(struct host *host);

/* host_call() - send @request of @size bytes (type set; size and serial are filled in here) and wait for the reply
 * @fd_out:	descriptor to send along, or -1
 * @reply:	filled in when the return value is not one of the last three
 * @fd_in:	becomes the descriptor that came along, or -1; NULL closes it
 *
 * Return: the reply's rc; or -ETIMEDOUT, -EPIPE, -EPROTO.
 */
int host_call(struct host *host, void *request, size_t size, int fd_out, struct host_reply *reply, int *fd_in);

/* host_ready() - tell the keeper that the engine serves. Return: how often it was started again, or negative errno */
int host_ready(struct host *host);

/* host_hold() - -EEXIST when the name holds something; host_replace() puts @fd in its place, unless the keeper itself opened it */
int host_hold(struct host *host, const char *name, int fd, struct error *err);
int host_replace(struct host *host, const char *name, int fd, struct error *err);
int host_drop(struct host *host, const char *name);	/* -ENOENT when nothing is held under that name */

/* host_recall() - the descriptor held under @name, or -ENOENT; @value becomes its medium (may be NULL) */
int host_recall(struct host *host, const char *name, uint32_t *value);

/* host_recall_fn() - one held descriptor (@fd is the callee's). Return: false to have the keeper drop it; the callee
 * closes @fd in either case when it has no use for it, and makes no call to the keeper itself.
 */
typedef bool host_recall_fn(void *arg, const char *name, int fd, uint32_t value);

/* host_recall_all() - show everything that is held, oldest first. Return: how many, or negative errno */
int host_recall_all(struct host *host, host_recall_fn *fn, void *arg);

/* host_open_tap() - TAP @ifname in the daemon's namespace: IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, header of 12 bytes
 * @queues:	one of several queues, each under a name of its own (IFF_MULTI_QUEUE), where the interface takes several: TUNGETIFF
 *		tells
 * @mac, @mtu:	set on the interface and the link brought up where the rights allow; NULL and 0 leave it alone
 */
int host_open_tap(struct host *host, const char *name, const char *ifname, const uint8_t *mac, uint32_t mtu, bool queues,
		  uid_t uid, struct error *err);

/* host_open_vmm_tap() - a packet socket on TAP @ifname, whose descriptor a VMM has, as tap/packet.h wants it */
int host_open_vmm_tap(struct host *host, const char *name, const char *ifname, uid_t uid, struct error *err);

/* host_open_netns() - interface @ifname inside @netns (NAME, PID or PATH); @medium becomes which it got */
int host_open_netns(struct host *host, const char *name, const char *netns, const char *ifname, const uint8_t *mac,
		    uint32_t mtu, bool queues, uid_t uid, enum host_medium *medium, struct error *err);

/* host_open_iface() - the host's end of a network, as @iface says (head and name are filled in here); asked again under the same name
 * it becomes as @iface says now. Return: descriptor of its TAP.
 */
int host_open_iface(struct host *host, const char *name, struct host_iface *iface, struct error *err);

/* host_open_resolv() - Return: what the host resolves by, to be read (dhcp/resolvers.h), or negative errno */
int host_open_resolv(struct host *host);

/* host_client() - tell the keeper who @uid is, by the connection @fd (borrowed) that he made; whom it knows already it is not told again */
void host_client(struct host *host, int fd, uid_t uid);

/* host_validator() - Return: a socket to a new validator (ctl/validator.h), or negative errno */
int host_validator(struct host *host, struct error *err);

/* host_open_file() - the regular file at @file below @dir, to be read, with the rights of @uid. Return: descriptor, or negative errno */
int host_open_file(struct host *host, const char *dir, const char *file, uid_t uid, struct error *err);

/* host_open_uplink() - a packet socket on the host's interface @ifname, as tap/packet.h wants it
 * @all:	becomes whether it also hears what is for the interface's own address
 */
int host_open_uplink(struct host *host, const char *name, const char *ifname, enum host_hears hears, bool *all, struct error *err);

/* host_wire() - join the host to the bridged network whose interface is held under @name, as @wire says (head and name are filled in here) */
int host_wire(struct host *host, const char *name, struct host_wire *wire, struct error *err);

/* host_names() - have the host's programs find the @n guests of @fd (borrowed; struct host_guest, one after another) under their names below @domain,
 * in the place of those that were said before for the network @net
 * @ifname:	the interface by whose address systemd-resolved may ask for them, or ""
 *
 * Return: bits of enum host_names_by, or negative errno.
 */
int host_names(struct host *host, const char *net, const char *domain, const char *ifname, int fd, unsigned n, struct error *err);

/* host_delegated() - have the host know the @n ways of @fd (borrowed; struct host_way, one after another), of the interface held under @name
 * Return: how many of them it refused, with the first reason in @refused; or negative errno.
 */
int host_delegated(struct host *host, const char *name, int fd, unsigned n, char refused[HOST_TEXT_SIZE], struct error *err);

/* host_nat() - have the host translate for the interface held under nat->name, with these forwards (head and nforwards are filled in here)
 * Return: 0, with in @warning what does not work fully, or what is in the way ("": nothing); or negative errno.
 */
int host_nat(struct host *host, struct host_nat *nat, const struct host_forward *list, size_t n, char warning[HOST_TEXT_SIZE],
	     struct error *err);

/* host_nat_watch() - Return: a socket that tells of changes of nftables (NFNLGRP_NFTABLES), or negative errno */
int host_nat_watch(struct host *host);

/* host_ruleset() - Return: a descriptor to read the host's nftables by, as JSON, with in @more whether there are rules that it does not show;
 *	or negative errno
 * host_flows() - Return: one to read struct host_flow by, of guests behind the interface held under @name, with in @n how many there are
 */
int host_ruleset(struct host *host, bool *more, struct error *err);
int host_flows(struct host *host, const char *name, uint32_t *n, struct error *err);

/* host_changes() - Return: a descriptor to read the journal of host changes by (struct host_change, one after another) */
int host_changes(struct host *host, struct error *err);

/* host_listen_many() - sockets of @count ports (up to HOST_LISTEN_MAX) from @port on, as host_listen(), for its own name
 * @fds:	becomes one descriptor for each port, -1 where it is missing; untouched on error
 *
 * Return: how many there are, at least one, with @err telling why the first of the missing is (err->rc); or negative errno.
 */
int host_listen_many(struct host *host, const char *name, int family, enum host_proto proto, const uint8_t *addr, uint16_t port,
		     unsigned count, uid_t uid, int *fds, struct error *err);

/* host_listen() - a bound socket, listening when @proto is HOST_TCP
 * @family:	4 or 6; @addr: 4 or 16 bytes, network order; @port: host order
 *
 * Return: descriptor; -EADDRINUSE with the owner in @err's message and the next free port in @next_port (0: none; may be
 * NULL); -EACCES for a low port, with what helps in the hint.
 */
int host_listen(struct host *host, const char *name, int family, enum host_proto proto, const uint8_t *addr, uint16_t port,
		uid_t uid, uint16_t *next_port, struct error *err);

/* host_open_icmp() - a raw socket of @family (4 or 6) that receives echo replies of its @share of identifiers; nothing is kept
 *
 * Return: descriptor; -EPERM where the keeper has no right to one.
 */
int host_open_icmp(struct host *host, int family, unsigned share, unsigned shares);

int host_unix_listen(struct host *host, const char *name, const char *path, uid_t uid, struct error *err);
int host_unix_connect(struct host *host, const char *name, const char *path, uid_t uid, struct error *err);

/* host_unix_bind() - a datagram socket at @path
 * host_unix_peer() - connect the one held under @name to the socket at @path, which is not followed when it is a symbolic link
 *
 * Return: for host_unix_peer() a descriptor (O_PATH) of the peer's file, by which its owner is told to have removed it; -ENOENT or
 * -ECONNREFUSED while nobody is there.
 */
int host_unix_bind(struct host *host, const char *name, const char *path, uid_t uid, struct error *err);
int host_unix_peer(struct host *host, const char *name, const char *path, uid_t uid, struct error *err);

#endif
