/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cli_words.h - the words of the command line: NET/NAME, and forward specifications
 *
 * Parsers return 0, or -EINVAL with @err filled in (code "usage"). No I/O.
 */
#ifndef CTL_CLI_WORDS_H
#define CTL_CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct error;

struct port_name {
	char net[NAME_MAX_SIZE];
	char port[NAME_MAX_SIZE];
};

/* net_name_parse() - is @text a network's name? */
int net_name_parse(const char *text, struct error *err);

/* segment_words_parse() - "lab", or "lab:20" for its VLAN 20; "lab:1" is "lab"
 * segment_words_format() - the spelling that the API knows it by; Return: @text
 */
int segment_words_parse(const char *text, struct segment_name *name, struct error *err);
char *segment_words_format(const struct segment_name *name, char text[SEGMENT_NAME_TEXT]);

/* port_name_parse() - "lab/web1" */
int port_name_parse(const char *text, struct port_name *name, struct error *err);

struct forward_words {
	char listen[64];	/* address in front of the specification, or empty */
	struct port_range ports;	/* on the host */
	const char *proto;	/* "tcp" or "udp" */
	char to[64];		/* guest's name or address */
	uint16_t to_port;	/* of the guest: the first */
};

/* forward_parse() - "[LISTEN:]PORT:GUEST[:GUEST-PORT][/tcp|/udp]"
 *
 * LISTEN is an address, IPv6 in brackets; GUEST a port's name or an address. PORT may be a range, 8000-8099, and GUEST-PORT then
 * one of as many, or the first of it. Without GUEST-PORT it is PORT.
 */
int forward_parse(const char *text, struct forward_words *forward, struct error *err);

enum { FORWARD_ID_TEXT = 72 };

/* forward_id() - the id in the API's paths for "8080", "8000-8099", "8080/udp" or a name */
void forward_id(const char *text, char id[FORWARD_ID_TEXT]);


#endif
