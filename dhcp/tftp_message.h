/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/tftp_message.h - packets of the Trivial File Transfer Protocol (RFC 1350) with options (RFC 2347)
 *
 * Reading requests and writing what a server that only lends answers with. Pure; any thread.
 */
#ifndef DHCP_TFTP_MESSAGE_H
#define DHCP_TFTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tftp_opcode { TFTP_RRQ = 1, TFTP_WRQ, TFTP_DATA, TFTP_ACK, TFTP_ERROR, TFTP_OACK };

enum tftp_error { TFTP_UNDEFINED, TFTP_NOT_FOUND, TFTP_DENIED, TFTP_FULL, TFTP_ILLEGAL, TFTP_STRANGER, TFTP_EXISTS, TFTP_NO_USER,
		  TFTP_OPTIONS };

enum {
	TFTP_NAME_SIZE = 256,
	TFTP_HEADER = 4,		/* of DATA */
	TFTP_BLOCK = 512,		/* bytes of a block unless agreed otherwise */
	TFTP_BLOCK_MIN = 8, TFTP_BLOCK_MAX = 65464,	/* RFC 2348 */
	TFTP_TEXT_MAX = 128,		/* no ERROR or OACK is longer than this and the header */
};

/* tftp_request - what a client asks for; an option that was not asked for, or with a value that makes no sense, is 0 */
struct tftp_request {
	char name[TFTP_NAME_SIZE];	/* slashes at its beginning are gone */
	bool netascii;
	bool size;			/* "tsize": how long is it? (RFC 2349) */
	uint32_t block;			/* "blksize", bytes (RFC 2348) */
	uint32_t timeout_s;		/* "timeout" (RFC 2349) */
	uint32_t window;		/* "windowsize", blocks (RFC 7440) */
};

/* tftp_request_parse() - a packet that begins with TFTP_RRQ
 *
 * Return: 0; -EBADMSG: it is cut short, or its mode is neither octet nor netascii; -EINVAL: no file can have that name.
 */
int tftp_request_parse(struct tftp_request *r, const uint8_t *data, size_t size);

/* tftp_write_error(), tftp_write_oack() - the packet, @to with room for TFTP_HEADER + TFTP_TEXT_MAX
 * @agreed:	options that are granted, with their values; of `size` it is @size
 *
 * Return: bytes; of an OACK 0 when nothing is granted.
 */
size_t tftp_write_error(uint8_t *to, enum tftp_error code, const char *text);
size_t tftp_write_oack(uint8_t *to, const struct tftp_request *agreed, uint64_t size);

#endif
