/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/tftp.h - a TFTP server that lends files and takes none (RFC 1350, 2347, 2348, 2349, 7440)
 *
 * A packet in, packets out, and time passes: nothing here knows of sockets or directories. The server's end of every transfer is port 69
 * itself: a client is known by its switch port, address and UDP port, so no other port of the gateway's address is taken from anybody.
 *
 * Bounds: TFTP_SESSIONS transfers at once, TFTP_PER_PORT of them by one port, whose stalest one goes for a new one; a window is at
 * most TFTP_WINDOW blocks, a block what fits a packet of the network. Block numbers start over after 65,535, so a file's length has no bound.
 * What the disk has not at once is waited for, up to ten seconds, while others are served.
 * What is not acknowledged is sent again: after the client's "timeout" each time, or else after 1, 2, 4 ... seconds, TFTP_TRIES times in all.
 *
 * One thread. Time is monotonic, in milliseconds, and comes from the caller.
 */
#ifndef DHCP_TFTP_H
#define DHCP_TFTP_H

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"

enum { PORT_TFTP = 69 };
enum { TFTP_SESSIONS = 256, TFTP_PER_PORT = 8, TFTP_WINDOW = 32, TFTP_TRIES = 5, TFTP_OPENS_PER_S = 32, TFTP_OPENS_ALL_PER_S = 128 };

#define TFTP_NEVER UINT64_MAX

/* tftp_peer - a client's end, and which of our addresses it talks to */
struct tftp_peer {
	uint32_t port;			/* id of its switch port */
	uint16_t vid;
	uint16_t sport;
	struct addr src, dst;
	uint8_t mac[MAC_SIZE];
};

/* What the server needs of the world. None of these may call back into it. */
struct tftp_ops {
	/* open() - a file to be read
	 * @name:	as the client wrote it, without slashes at the beginning; printable, but nothing else was looked at
	 *
	 * Return: a handle of 0 and above, with its length in *@size; -ENOENT; -EAGAIN: not now, and nothing is answered; any other negative
	 * errno: denied.
	 */
	int (*open)(void *arg, const struct tftp_peer *who, const char *name, uint64_t *size);

	/* read() - up to @size bytes from @at on. Return: how many, fewer at the end alone; -EAGAIN: they are not in memory, but will be in a
	 * moment, when they are asked for again; or another negative errno */
	long (*read)(void *arg, int file, uint64_t at, uint8_t *to, size_t size);
	void (*close)(void *arg, int file);

	/* send() - a packet, from our port PORT_TFTP */
	void (*send)(void *arg, const struct tftp_peer *to, const uint8_t *data, size_t size);

	/* ended() - a request was refused, or a transfer is over
	 * @rc:	0: it is complete; -ECANCELED: the client said so; -ETIMEDOUT; else why it was refused or broken off
	 */
	void (*ended)(void *arg, const struct tftp_peer *who, const char *name, uint64_t bytes, int rc);
};

struct tftp;

/* tftp_may_open() - for ops->open(): may a port have one more file opened?
 * @own_us, @all_us:	what base/pace.h keeps of that port, and of all ports of all servers together; 0 at first
 *
 * To open a file is an act of another process and takes a millisecond or two: a guest may have TFTP_OPENS_PER_S a second, and a second's
 * worth at once, as boot loaders that look for their configuration do; all together have TFTP_OPENS_ALL_PER_S, a quarter of a thread's
 * time. What is refused counts for neither, so that who asks too much takes nothing from the others' share.
 */
bool tftp_may_open(uint64_t *own_us, uint64_t *all_us, uint64_t now_ms);

/* tftp_new() - @ops and @arg are borrowed. Return: a server for tftp_free(), or NULL without memory */
struct tftp *tftp_new(const struct tftp_ops *ops, void *arg);
void tftp_free(struct tftp *t);

/* tftp_input() - a packet for PORT_TFTP
 * @block_max:	bytes of a block that fit a packet to that client; at least TFTP_BLOCK_MIN
 *
 * Return: when tftp_tick() is to be called next, which may be earlier than was said before; or TFTP_NEVER.
 */
uint64_t tftp_input(struct tftp *t, const struct tftp_peer *who, const uint8_t *data, size_t size, uint32_t block_max, uint64_t now_ms);

/* tftp_tick() - send again what is due, give up who does not answer. Return: when it is to be called next, or TFTP_NEVER */
uint64_t tftp_tick(struct tftp *t, uint64_t now_ms);

/* tftp_forget_port() - the port is gone, and its transfers with it; tftp_forget_all() - every transfer: the directory is another */
void tftp_forget_port(struct tftp *t, uint32_t port);
void tftp_forget_all(struct tftp *t);

/* tftp_active() - how many transfers there are; of one port, or of all: UINT32_MAX */
unsigned tftp_active(const struct tftp *t, uint32_t port);

#endif
