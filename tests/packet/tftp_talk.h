/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/packet/tftp_talk.h - conversations with the TFTP server, written as lines, on a clock that stands still unless told
 *
 *	> rrq NAME MODE OPTION=VALUE ...	a client's packet; also: > ack N, > data N, > error, > wrq NAME MODE, > raw HEX
 *	@ N					from here on it is client N's (port N / 10, UDP port 1000 + N); at first client 11's
 *	< data N SIZE				what it is sent next, and that it holds what the file does there; also: < oack OPTION=VALUE ...,
 *						< error CODE
 *	< -					nothing more
 *	+ MS					time passes
 *	~ N					of the file "cold" (40 bytes) so many bytes are in memory
 *	! CODE N				that many transfers have ended so: 0, ECANCELED ... by number, -1: any; then they are counted anew
 *
 * Files: empty (0 bytes), eight (8), block (512), more (1300), many (600,000), text (netascii is longer). "closed" is denied, "busy" is for
 * another time, "broken" fails to be read behind its first 1,024 bytes.
 */
#ifndef TESTS_PACKET_TFTP_TALK_H
#define TESTS_PACKET_TFTP_TALK_H

#include "dhcp/tftp.h"

enum { TALK_QUEUE = 256, TALK_PACKET = 1500, TALK_BLOCK_MAX = 1468 };

#define TALK_TEXT "one\ntwo\rthree\r\n\n"
#define TALK_TEXT_SENT "one\r\ntwo\r\0three\r\0\r\n\r\n"

struct talk {
	struct tftp *tftp;
	uint64_t now_ms, next_ms;	/* the latter: when the server wants its turn, as it said last */
	struct tftp_peer who;
	struct talk_packet {
		struct tftp_peer to;
		uint32_t size;
		uint8_t data[TALK_PACKET];
	} queue[TALK_QUEUE];
	unsigned head, n;		/* oldest, and how many */
	uint64_t warm;
	unsigned open, ended;		/* files open; transfers over */
	int rc;				/* of the last one */
	bool netascii;			/* what was asked for last */
	uint32_t block;			/* its block size */
	char name[64];
};

void talk_begin(struct talk *t);
void talk_line(struct talk *t, const char *line);	/* fails the test where it is not as the line says */
void talk_end(struct talk *t);				/* no file is open any more */

/* talk_file() - byte @at of a file; -1 behind its end */
int talk_file(const char *name, uint64_t at);

#endif
