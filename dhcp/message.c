// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/message.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum { MAX_SIZE_LEAST = 576 };		/* RFC 2132 9.10 */

/* The stretches of a message that hold options, in the order in which RFC 2131 4.1 reads them. */
struct areas {
	struct reader area[3];
	unsigned n;
};

/* next_option() - the next option of one area
 *
 * Return: 1 with *@code, *@data and *@size; 0 at the end, which END marks or the area's last byte; -EBADMSG
 * when it runs over.
 */
static int next_option(struct reader *r, uint8_t *code, const uint8_t **data, uint8_t *size)
{
	do {
		if (!reader_left(r))
			return 0;
		*code = read_u8(r);
	} while (*code == OPTION_PAD);
	if (*code == OPTION_END)
		return 0;
	*size = read_u8(r);
	*data = read_bytes(r, *size);
	return r->overrun ? -EBADMSG : 1;
}

/* Overload is looked for in the options field alone: inside `file` or `sname` it means nothing. */
static int find_overload(struct reader options, unsigned *overload)
{
	const uint8_t *data;
	uint8_t code, size;
	int rc;

	*overload = 0;
	while ((rc = next_option(&options, &code, &data, &size)) > 0)
		if (code == OPTION_OVERLOAD && size == 1)
			*overload = data[0] & (OVERLOAD_FILE | OVERLOAD_SNAME);
	return rc;
}

static int find_areas(struct areas *areas, struct reader options, const uint8_t *sname, const uint8_t *file)
{
	unsigned overload;
	int rc = find_overload(options, &overload);

	if (rc < 0)
		return rc;
	areas->area[areas->n++] = options;
	if (overload & OVERLOAD_FILE)
		areas->area[areas->n++] = reader_init(file, DHCP_FILE_SIZE);
	if (overload & OVERLOAD_SNAME)
		areas->area[areas->n++] = reader_init(sname, DHCP_SNAME_SIZE);
	return 0;
}

static int measure_options(struct dhcp_message *m, struct areas areas)
{
	const uint8_t *data;
	uint8_t code, size;
	uint16_t at = 0;
	int rc = 0;

	for (unsigned i = 0; i < areas.n; i++) {
		while ((rc = next_option(&areas.area[i], &code, &data, &size)) > 0) {
			m->index[code].there = true;
			m->index[code].size = (uint16_t)(m->index[code].size + size);
		}
		if (rc < 0)
			return rc;
	}
	for (unsigned c = 0; c < 256; c++) {
		m->index[c].at = at;
		at = (uint16_t)(at + m->index[c].size);
	}
	return 0;
}

/* copy_options() - join the pieces of each option, in the order of the areas (RFC 3396 7)
 *
 * It cannot overflow: what is copied is part of a message of at most MESSAGE_SIZE_MAX bytes, each byte once.
 */
static void copy_options(struct dhcp_message *m, struct areas areas)
{
	uint16_t filled[256] = { 0 };
	const uint8_t *data;
	uint8_t code, size;

	for (unsigned i = 0; i < areas.n; i++) {
		while (next_option(&areas.area[i], &code, &data, &size) > 0) {
			if (size)
				memcpy(m->bytes + m->index[code].at + filled[code], data, size);
			filled[code] = (uint16_t)(filled[code] + size);
		}
	}
}

const uint8_t *message_option(const struct dhcp_message *m, uint8_t code, size_t *size)
{
	if (!m->index[code].there)
		return NULL;
	*size = m->index[code].size;
	return m->bytes + m->index[code].at;
}

bool message_asks(const struct dhcp_message *m, uint8_t code)
{
	size_t size;
	const uint8_t *asked = message_option(m, OPTION_PARAMETERS, &size);

	return asked && memchr(asked, code, size);
}

uint32_t message_option_u32(const struct dhcp_message *m, uint8_t code)
{
	size_t size;
	const uint8_t *p = message_option(m, code, &size);

	return p && size >= 4 && size % 4 == 0 ? get_u32(p) : 0;
}

/* wrong_size() - is this option there with another size than the one it must have? */
static bool wrong_size(const struct dhcp_message *m, uint8_t code, size_t want)
{
	return m->index[code].there && m->index[code].size != want;
}

static int read_typed(struct dhcp_message *m)
{
	const uint8_t *p;
	size_t size;

	if (wrong_size(m, OPTION_TYPE, 1) || wrong_size(m, OPTION_REQUESTED_IP, 4) ||
	    wrong_size(m, OPTION_SERVER_ID, 4))
		return -EBADMSG;
	p = message_option(m, OPTION_TYPE, &size);
	if (!p)
		return -EPROTO;
	m->type = *p;
	if (m->type < DHCP_DISCOVER || m->type > DHCP_INFORM)
		return -EBADMSG;
	m->requested_ip = message_option_u32(m, OPTION_REQUESTED_IP);
	m->server_id = message_option_u32(m, OPTION_SERVER_ID);
	p = message_option(m, OPTION_LEASE_TIME, &size);
	m->has_lease = p && size == 4;
	m->lease_s = m->has_lease ? get_u32(p) : 0;
	p = message_option(m, OPTION_MAX_SIZE, &size);
	if (p && size == 2 && get_u16(p) >= MAX_SIZE_LEAST)
		m->max_size = get_u16(p);
	p = message_option(m, OPTION_HOSTNAME, &size);
	if (p)
		message_clean_hostname(m->hostname, p, size);
	return 0;
}

static void read_header(struct dhcp_message *m, struct reader *r)
{
	m->op = read_u8(r);
	m->htype = read_u8(r);
	m->hlen = read_u8(r);
	m->hops = read_u8(r);
	m->xid = read_u32(r);
	m->secs = read_u16(r);
	m->flags = read_u16(r);
	m->ciaddr = read_u32(r);
	m->yiaddr = read_u32(r);
	m->siaddr = read_u32(r);
	m->giaddr = read_u32(r);
	read_copy(r, m->chaddr, DHCP_CHADDR_SIZE);
}

int message_parse(struct dhcp_message *m, const uint8_t *data, size_t size)
{
	struct reader r = reader_init(data, size);
	struct areas areas = { .n = 0 };
	const uint8_t *sname, *file;
	uint32_t cookie;
	int rc;

	memset(m, 0, offsetof(struct dhcp_message, bytes));
	if (size > MESSAGE_SIZE_MAX)
		return -EBADMSG;
	read_header(m, &r);
	sname = read_bytes(&r, DHCP_SNAME_SIZE);
	file = read_bytes(&r, DHCP_FILE_SIZE);
	if (r.overrun || m->hlen > DHCP_CHADDR_SIZE)
		return -EBADMSG;
	memset(m->chaddr + m->hlen, 0, DHCP_CHADDR_SIZE - m->hlen);
	cookie = read_u32(&r);
	if (r.overrun || cookie != DHCP_COOKIE)
		return -EPROTO;
	rc = find_areas(&areas, r, sname, file);
	if (!rc)
		rc = measure_options(m, areas);
	if (rc < 0)
		return rc;
	copy_options(m, areas);
	return read_typed(m);
}

void message_clean_hostname(char to[NAME_MAX_SIZE], const uint8_t *from, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size && n < NAME_MAX_SIZE - 1 && from[i] != '.' && from[i] != '\0'; i++) {
		bool plain = from[i] < 0x80 && isalnum(from[i]);

		if (plain)
			to[n++] = (char)tolower(from[i]);
		else if (n)		/* a label does not begin with '-' */
			to[n++] = '-';
	}
	while (n && to[n - 1] == '-')
		n--;
	to[n] = '\0';
}
