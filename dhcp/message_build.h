/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp/message_build.h - writing DHCPv4 messages, a server's and a client's
 *
 * A message is collected as a list of options, most important first, and then written at once. Options that do not
 * fit are left out from the end of the list, never cut (RFC 2131 4.1, RFC 3396 for more than 255 bytes). Where the
 * header's file and sname are not used for their own sake, options that do not fit otherwise go there (option 52).
 * Any thread; no allocation.
 */
#ifndef DHCP_MESSAGE_BUILD_H
#define DHCP_MESSAGE_BUILD_H

#include "dhcp/message.h"

/* What must be there always finds room: it is short, or echoed from one message. */
enum { OPTION_LIST_MAX = 256, OPTION_LIST_FREE = MESSAGE_SIZE_MAX, OPTION_LIST_BYTES = OPTION_LIST_FREE + MESSAGE_SIZE_MAX + 64 };

struct option_list {
	struct {
		uint8_t code;
		bool must;		/* the message is worthless without it */
		uint16_t at, size;
	} item[OPTION_LIST_MAX];
	unsigned n;
	uint32_t listed[8];		/* a bit for each code */
	uint16_t used;			/* of bytes */
	bool overrun;			/* an option did not fit into the list, nor would it into a message, and is missing */
	uint8_t bytes[OPTION_LIST_BYTES];
};

void option_list_init(struct option_list *list);

/* option_add() - append one option; the bytes are copied. One that is there already is not added again. */
void option_add(struct option_list *list, uint8_t code, bool must, const void *data, size_t size);
void option_add_u8(struct option_list *list, uint8_t code, bool must, uint8_t value);
void option_add_u16(struct option_list *list, uint8_t code, bool must, uint16_t value);
void option_add_u32(struct option_list *list, uint8_t code, bool must, uint32_t value);

/* The fixed header of a message to be written. */
struct message_header {
	uint8_t op, htype, hlen;
	uint32_t xid;
	uint16_t secs, flags;
	uint32_t ciaddr, yiaddr, siaddr, giaddr;
	const uint8_t *chaddr;		/* borrowed; hlen bytes, at most 16 */
	const char *sname, *file;	/* borrowed, shorter than their fields; NULL or "": free for options */
};

/* message_build() - write a message of at least 300 bytes (RFC 1542 2.1), padded with zeros
 * @limit:	most bytes it may take; at least 300
 *
 * Options are written in the order of @list: those marked `must` always have their place in the options field, the others as
 * long as there is room, there or else in file or sname.
 * Return: bytes written, or -EMSGSIZE when not even the options that must be there fit.
 */
int message_build(const struct message_header *h, const struct option_list *list, uint8_t *data, size_t limit);

/* message_reply_limit() - most bytes of a reply to @request over a link of @mtu: option 57 counts the IP
 * datagram, 576 if absent
 */
size_t message_reply_limit(const struct dhcp_message *request, uint16_t mtu);

/* What a client says of itself and asks for; used by `lanyard run`, which leases as any guest does. */
struct message_client {
	uint8_t mac[MAC_SIZE];
	uint32_t xid;
	uint16_t secs;			/* since it began */
	bool broadcast;			/* ask for broadcast replies */
	uint32_t ciaddr;		/* RELEASE, renewing: the address it has */
	uint32_t requested_ip;		/* option 50, 0 for none */
	uint32_t server_id;		/* option 54, 0 for none */
	const char *hostname;		/* option 12, or NULL */
};

/* message_build_client() - write a DISCOVER, REQUEST, DECLINE, RELEASE or INFORM (RFC 2131 4.4, table 5)
 *
 * Return: bytes written, or -EMSGSIZE when @room is below 300.
 */
int message_build_client(enum dhcp_type type, const struct message_client *c, uint8_t *data, size_t room);

#endif
