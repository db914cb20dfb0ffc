/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/host.h - what the engine asks of the keeper: every act on the host, one typed request each
 *
 * The engine's descriptor 3 is a SOCK_SEQPACKET socket to the keeper. One message is one request or one reply, in host
 * byte order, of exactly the size its type has, with at most one descriptor beside it (the reply to HOST_LISTEN: many). Strings are terminated inside
 * their field. Requests are answered one after another, in order; the reply repeats type and serial. Whatever does not
 * keep to this is answered with -EPROTO and changes nothing.
 *
 * The keeper keeps a copy of each descriptor it opened under the `name` given, so that an engine that was started again
 * finds it by HOST_RECALL, or by making the same request again: a request equal to the one that opened `name` is
 * answered with that same descriptor. A name that holds something else is refused with -EEXIST. An empty name means:
 * do not keep it. A kept descriptor stays open, connections and interfaces with it, until HOST_DROP.
 *
 * Names are the engine's to choose, by its own rule: "tap:lab/web1", "vhost:lab/vm1:kick0", "forward:lab/web/127.0.0.1".
 * Two are there from the start: HOST_API_LISTENER and HOST_ATTACH_LISTENER.
 *
 * `uid` is the user for whom the act is done. A keeper that runs as root does it with that user's rights, so that a
 * path, a namespace or an interface named by a client opens just what the client could open itself; a keeper that runs
 * as a user acts for that user (and for root) alone and refuses others with -EPERM.
 */
#ifndef CTL_HOST_H
#define CTL_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HOST_NAME_SIZE = 192,
	HOST_IFNAME_SIZE = 16,
	HOST_NETNS_SIZE = 256,
	HOST_PATH_SIZE = 108,		/* as in sockaddr_un */
	HOST_TEXT_SIZE = 200,
	HOST_MESSAGE_MAX = 1024,	/* no request or reply is larger */
	HOST_HELD_MAX = 65536,		/* descriptors the keeper keeps; one more is refused with -ENOSPC */
	HOST_ENGINE_FD = 3,		/* the engine finds its socket here */
	HOST_LISTEN_MAX = 253,		/* sockets by one HOST_LISTEN: as many descriptors as the kernel passes with a message */
	HOST_LOCK_FD = 4,		/* and here the lock of the state directory, to be left open until it ends */
};

#define HOST_API_LISTENER "listen:lanyard.sock"		/* SOCK_STREAM, listening */
#define HOST_ATTACH_LISTENER "listen:attach.sock"	/* SOCK_SEQPACKET, listening */

enum host_type {
	HOST_READY = 1,		/* host_header: the engine serves; reply value: how often it was started again */
	HOST_HOLD,		/* host_named + descriptor: keep a copy */
	HOST_DROP,		/* host_named: close the copy; a bound unix socket's path is removed */
	HOST_RECALL,		/* host_recall: name, value and descriptor of what is held */
	HOST_OPEN_TAP,		/* host_link: a TAP in the keeper's own network namespace */
	HOST_OPEN_NETNS,	/* host_link: an interface in another namespace; reply value: enum host_medium */
	HOST_LISTEN,		/* host_listen: bound sockets, listening when TCP; or those that the daemon was given at its start.
				 * Those of the ports that could not be had are `missing` in the reply; asked again, they are
				 * tried again. Only when none is there is it an error. */
	HOST_UNIX_LISTEN,	/* host_unix: a listening stream socket; a dead socket at the path is replaced */
	HOST_UNIX_CONNECT,	/* host_unix: a connected stream socket */
	HOST_REPLACE,		/* host_named + descriptor: as HOST_HOLD, in place of what HOST_HOLD or this put there */
	HOST_UNIX_BIND,		/* host_unix: a bound datagram socket; a dead socket at the path is replaced */
	HOST_UNIX_PEER,		/* host_unix: connect the socket of HOST_UNIX_BIND held under the name to the one at the path;
				 * reply: a descriptor (O_PATH) of that one's file, not kept */
	HOST_OPEN_VMM_TAP,	/* host_link without mac, mtu: the interface side of a TAP that a VMM has; done with the keeper's
				 * rights if root or the TAP's owner asks; nothing of it reaches the host's stack while it is kept */
	HOST_TYPES
};

struct host_header {
	uint32_t type;		/* enum host_type */
	uint32_t size;		/* of the whole message, bytes */
	uint32_t serial;	/* chosen by the engine */
};

struct host_named {
	struct host_header head;
	char name[HOST_NAME_SIZE];
};

/* host_recall - the descriptor held under @name, or with an empty name the @index-th one; -ENOENT past the end */
struct host_recall {
	struct host_header head;
	uint32_t index;
	char name[HOST_NAME_SIZE];
};

struct host_link {
	struct host_header head;
	uint32_t uid;
	uint32_t mtu;			/* 0: leave it */
	uint8_t mac[6];			/* all zero: leave it */
	uint8_t queues;			/* 1: one of several queues, where the TAP takes several; each has a name of its own */
	uint8_t zero;
	char ifname[HOST_IFNAME_SIZE];
	char netns[HOST_NETNS_SIZE];	/* NAME, PID or PATH; of HOST_OPEN_NETNS, else empty */
	char name[HOST_NAME_SIZE];
};

enum host_medium { HOST_MEDIUM_TAP = 1, HOST_MEDIUM_PACKET = 2 };	/* see ctl/netns.h */

enum host_proto { HOST_TCP = 6, HOST_UDP = 17 };

struct host_listen {
	struct host_header head;
	uint32_t uid;			/* a low port is refused to a user other than root */
	uint8_t family;			/* 4 or 6; a socket for 6 takes no IPv4 */
	uint8_t proto;			/* enum host_proto */
	uint16_t port;			/* host order, 1..65535: the first of */
	uint16_t count;			/* so many, 1..HOST_LISTEN_MAX */
	uint16_t zero;
	uint8_t addr[16];		/* network order; IPv4 in the first four bytes, the rest zero */
	char name[HOST_NAME_SIZE];
};

struct host_unix {
	struct host_header head;
	uint32_t uid;
	char path[HOST_PATH_SIZE];	/* absolute */
	char name[HOST_NAME_SIZE];
};

struct host_reply {
	struct host_header head;
	int32_t rc;			/* 0, or a negative errno */
	uint32_t value;			/* see the types; for -EADDRINUSE of HOST_LISTEN the next free port, or 0 */
	uint8_t missing[32];		/* of HOST_LISTEN: bit i for port + i; message and hint are then about the first of them */
	char name[HOST_NAME_SIZE];	/* of HOST_RECALL */
	char message[HOST_TEXT_SIZE];	/* when rc is negative: what failed and why, or who holds it */
	char hint[HOST_TEXT_SIZE];	/* what helps, or empty */
};

/* host_send() - one message, with @fd beside it unless that is negative (borrowed)
 *
 * Return: 0, or a negative errno (-EPIPE: the other side is gone).
 */
int host_send(int sock, const void *message, size_t size, int fd);

/* host_receive() - one message of at most @room bytes; @fd becomes the descriptor beside it (the caller's), or -1
 *
 * Return: its size in bytes; -EPIPE when the other side is gone (an empty message looks
 * the same); -EPROTO for one that is too large or had more than one descriptor (all closed); -EAGAIN on a socket
 * that does not block.
 */
long host_receive(int sock, void *message, size_t room, int *fd);

/* host_send_many(), host_receive_many() - the same with @n descriptors, or up to *n of them
 * Of a message with more than *n all are closed (-EPROTO).
 */
int host_send_many(int sock, const void *message, size_t size, const int *fds, unsigned n);
long host_receive_many(int sock, void *message, size_t room, int *fds, unsigned *n);

static inline bool host_listen_missing(const struct host_reply *r, unsigned i)
{
	return r->missing[i / 8] >> (i % 8) & 1;
}

/* host_request_check() - is this a request, whole, terminated and in range? Return: 0 or -EPROTO */
int host_request_check(const void *message, size_t size, int fd);

/* host_reply_check() - is this a reply to the request with this header? Texts are terminated when it is. */
int host_reply_check(const void *message, size_t size, const struct host_header *request);

/* host_name_of() - the `name` field of a checked request, for HOST_READY an empty one */
const char *host_name_of(const void *message);

#endif
