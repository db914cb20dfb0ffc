/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/pcapng.h - capture files: blocks written and read (draft-ietf-opsawg-pcapng)
 *
 * Each function writes one whole block, in network order, and nothing where it does not fit (writer.overrun). Times are nanoseconds
 * since 1970. pcapng_read() is the other way, for files of such blocks and no others. Pure, any thread.
 */
#ifndef CTL_PCAPNG_H
#define CTL_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
	PCAPNG_COMMENTS = 4,
	PCAPNG_COMMENT_TEXT = 200,
	PCAPNG_NAME_TEXT = 132,		/* NET/PORT */
	PCAPNG_SLACK = 1200,		/* most bytes that a block has beside its frame: comments and options */
	PCAPNG_BLOCK_MAX = 65536 + 64 + PCAPNG_SLACK,
};

enum pcapng_way { PCAPNG_NO_WAY, PCAPNG_INBOUND, PCAPNG_OUTBOUND };	/* the numbers of epb_flags */
enum pcapng_type { PCAPNG_SECTION = 0x0a0d0d0a, PCAPNG_INTERFACE = 1, PCAPNG_STATISTICS = 5, PCAPNG_PACKET = 6 };

struct pcapng_interface {
	char name[PCAPNG_NAME_TEXT];
	char about[PCAPNG_COMMENT_TEXT];	/* if_description; may be empty */
	uint32_t snaplen;
};

struct pcapng_packet {
	uint32_t interface;		/* by its place among the interfaces of the file */
	uint64_t wall_ns;
	uint32_t kept, len;		/* bytes that there are, bytes on the wire */
	const uint8_t *bytes;		/* borrowed */
	enum pcapng_way way;
	uint64_t lost;			/* frames before it that are not in the file */
	unsigned ncomments;
	char comments[PCAPNG_COMMENTS][PCAPNG_COMMENT_TEXT];
};

struct pcapng_statistics {
	uint32_t interface;
	uint64_t begin_ns, end_ns;
	uint64_t received, lost;	/* frames that were meant; those of them that are not in the file */
};

void pcapng_section(struct writer *w, const char *application);
void pcapng_interface(struct writer *w, const struct pcapng_interface *i);
void pcapng_packet(struct writer *w, const struct pcapng_packet *p);
void pcapng_statistics(struct writer *w, const struct pcapng_statistics *s);

/* pcapng_comment() - add one to a packet; what is too long is cut */
void pcapng_comment(struct pcapng_packet *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

struct pcapng_block {
	uint32_t type, size;
	union {
		struct pcapng_interface interface;
		struct pcapng_packet packet;	/* bytes lie in what was read */
		struct pcapng_statistics statistics;
	};
};

/* pcapng_read() - the block at the start of @size bytes
 * Return: its size; 0 when it is not all there yet; -EBADMSG when it is none, or larger than PCAPNG_BLOCK_MAX.
 */
int pcapng_read(const uint8_t *data, size_t size, struct pcapng_block *block);

#endif
