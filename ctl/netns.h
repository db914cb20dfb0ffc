/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/netns.h - network namespaces and the medium that joins one to a network
 *
 * A medium is a descriptor whose other side is an interface of the namespace: what is written to the
 * descriptor arrives at the interface, what the namespace sends through the interface is read from the
 * descriptor. Every frame carries a virtio-net header (12 bytes on a TAP, 10 on a packet socket), so checksums and
 * segmentation stay undone as long as both sides can take it. Two media exist: a TAP, where /dev/net/tun opens, and otherwise one end
 * of a veth pair served by a packet socket.
 *
 * These calls act on the namespace of the calling thread. Used by the `lanyard` command and by programs that
 * act for the keeper; they block for as long as the kernel takes. Errors are a negative errno with @err filled in.
 */
#ifndef CTL_NETNS_H
#define CTL_NETNS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;

enum { NETNS_TAP_HEADER = 12, NETNS_IFNAME_MAX = IFNAMSIZ - 1 - 3 };

struct netns_medium {
	int fd;				/* non-blocking, close-on-exec; owned by the caller */
	const char *medium;		/* "tap" or "packet", as attach.sock names them */
	char ifname[IFNAMSIZ];		/* the interface of the namespace */
	int ifindex;
	bool made;			/* a veth pair that was not there before; who cannot use it takes it away: netns_del_link() */
};

/* netns_enter() - move the calling thread into a network namespace
 * @where:	a name under /run/netns, a process id, or a path to a namespace file
 *
 * The user namespace of a process is entered first when its network namespace belongs to another one than
 * ours, so that an ordinary user reaches the containers that run as the user. A single-threaded caller.
 */
int netns_enter(const char *where, struct error *err);

/* netns_medium_open() - make interface @ifname in this namespace, and the descriptor behind it
 * @ifname:	at most NETNS_IFNAME_MAX bytes for a veth pair, whose far end is called "ly-" and this
 * @mtu:	bytes of payload the interface takes, or 0 to leave what the kernel gives
 *
 * Tries a TAP, then a veth pair; a pair that is already there is used again. The interface is left down.
 */
int netns_medium_open(const char *ifname, unsigned mtu, struct netns_medium *out, struct error *err);

/* netns_tap_queue() - one more queue of a TAP that takes several, making it if need be; one that takes just one is opened so */
int netns_tap_queue(const char *ifname, struct netns_medium *out, struct error *err);

/* netns_tap_make() - a TAP that is not there yet, with several queues if wished; Return: descriptor or negative errno */
int netns_tap_make(const char *ifname, bool many, struct error *err);

/* netns_tap_open(), netns_packet_open() - the same with the medium given */
int netns_tap_open(const char *ifname, unsigned mtu, struct netns_medium *out, struct error *err);
int netns_packet_open(const char *ifname, unsigned mtu, struct netns_medium *out, struct error *err);

/* netns_packet_socket() - on an interface that is there; as tap/packet.h wants it. Return: descriptor or negative errno */
int netns_packet_socket(const char *ifname);

/* netns_ifname_check() - is it a name of an interface, of @max bytes at most? netns_medium_fill() - @out is this; Return: 0 */
int netns_ifname_check(const char *ifname, size_t max, struct error *err);
int netns_medium_fill(struct netns_medium *out, int fd, const char *medium, const char *ifname);

/* netns_sysctl() - write @value to /proc/sys/@path of this namespace; 0, or a negative errno */
int netns_sysctl(const char *path, const char *value);

#endif
