// SPDX-License-Identifier: GPL-2.0-or-later
/* What a DHCPv6 answer says beside its IAs: what is set for the guest, and what the server knows by itself. */
#include "dhcp/dhcp6_reply.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "dhcp/boot.h"
#include "dhcp/dhcp6_write.h"
#include "dhcp/dns_name.h"
#include "dhcp/profile.h"

enum {
	SOL_MAX_RT_S = 3600,		/* RFC 8415 7.6: the default */
	REFRESH_S = 86400,		/* RFC 8415 21.23: likewise */
	NTP_SERVER_ADDRESS = 1,		/* RFC 5908 4.1 */
	NAME_SERVER_UPDATES = 1, NAME_OVERRIDDEN = 2,	/* RFC 4704 4.1: we see to the name's address */
	URL_SIZE = BOOT_FILE_SIZE + 64,
};

/* saying - what goes into one answer */
struct saying {
	struct writer *w;
	size_t from;			/* where the settings begin in it */
	const struct dhcp6_conf *conf;
	const struct dhcp6_answer *a;
};

/* ---- where it boots from ---- */

/* is_there() - can a URL lead to this file? One that is no URL itself must be on the gateway: another server is named by its IPv4 address. */
static bool is_there(const struct dhcp6_conf *conf, const struct boot_choice *choice)
{
	if (strstr(choice->file, "://"))
		return true;
	return conf->boot && conf->boot->tftp[0] && !choice->server && !(choice->server_name && choice->server_name[0]);
}

/* boot_url() - what is said of this very guest, or else of machines like it (RFC 5970 3.1). Return: is it told anything? */
static bool boot_url(const struct saying *say, char url[URL_SIZE])
{
	const struct dhcp_boot *said = profile_boot(say->a->profile, NULL);
	const struct dhcp6_conf *conf = say->conf;
	struct boot_choice choice;
	char gateway[ADDR_TEXT];

	if (said)
		choice = (struct boot_choice){ said->file, said->server_name, said->server };
	else if (!conf->boot || !boot_choose(conf->boot, 0, say->a->traits, &choice))
		return false;
	if (!choice.file[0] || !is_there(conf, &choice) || (boot_by_http(say->a->traits) && !boot_is_url(choice.file)))
		return false;
	if (strstr(choice.file, "://"))
		snprintf(url, URL_SIZE, "%s", choice.file);
	else
		snprintf(url, URL_SIZE, "tftp://[%s]/%s", addr_format(conf->gateway, gateway), choice.file + (choice.file[0] == '/'));
	return true;
}

static void add_boot(struct saying *say)
{
	char url[URL_SIZE];

	if (boot_url(say, url))
		option6_bytes(say->w, OPTION6_BOOT_URL, url, strlen(url));
}

/* add_boot_class() - firmware that boots by HTTP reads the URL only if this says that it is for it (UEFI 2.10 24.7.3) */
static void add_boot_class(struct saying *say)
{
	char url[URL_SIZE];
	size_t at;

	if (!boot_by_http(say->a->traits) || !boot_url(say, url))
		return;
	at = option6_open(say->w, OPTION6_VENDOR_CLASS);
	write_u32(say->w, say->a->traits->enterprise);
	write_u16(say->w, (uint16_t)strlen(BOOT_HTTP_CLASS));
	write_bytes(say->w, BOOT_HTTP_CLASS, strlen(BOOT_HTTP_CLASS));
	option6_close(say->w, at);
}

/* ---- values that the server knows by itself ---- */

static void add_search(struct saying *say)
{
	struct dns_name name;

	if (say->conf->domain[0] && dns_name_from_text(&name, say->conf->domain) == 0)
		option6_bytes(say->w, OPTION6_SEARCH, name.wire, name.size);
}

/* add_clocks() - RFC 5908 has each in an option of its own, RFC 4075 just their addresses */
static void add_clocks(struct saying *say, uint16_t code)
{
	size_t at = say->conf->nntp ? option6_open(say->w, code) : 0;

	for (unsigned i = 0; i < say->conf->nntp; i++) {
		if (code == OPTION6_NTP)
			option6_bytes(say->w, NTP_SERVER_ADDRESS, say->conf->ntp[i].bytes, ADDR_SIZE);
		else
			write_bytes(say->w, say->conf->ntp[i].bytes, ADDR_SIZE);
	}
	if (say->conf->nntp)
		option6_close(say->w, at);
}

/* add_name() - the name by which others find it, whatever it calls itself */
static void add_name(struct saying *say)
{
	char text[sizeof(say->conf->domain) + NAME_MAX_SIZE + 1];
	struct dns_name name;
	size_t at;

	if (!say->conf->domain[0] || say->a->information)
		return;
	snprintf(text, sizeof(text), "%s.%s", say->a->name, say->conf->domain);
	if (dns_name_from_text(&name, text) < 0)
		return;
	at = option6_open(say->w, OPTION6_NAME);
	write_u8(say->w, NAME_SERVER_UPDATES | NAME_OVERRIDDEN);
	write_bytes(say->w, name.wire, name.size);
	option6_close(say->w, at);
}

static void add_own(struct saying *say, uint16_t code)
{
	const struct dhcp6_conf *conf = say->conf;

	switch (code) {
	case OPTION6_DNS:
		if (!addr_is_none(conf->dns))
			option6_bytes(say->w, code, conf->dns.bytes, ADDR_SIZE);
		break;
	case OPTION6_SEARCH:
		add_search(say);
		break;
	case OPTION6_SNTP:
	case OPTION6_NTP:
		add_clocks(say, code);
		break;
	case OPTION6_NAME:
		add_name(say);
		break;
	case OPTION6_BOOT_URL:
		add_boot(say);
		break;
	case OPTION6_VENDOR_CLASS:
		add_boot_class(say);
		break;
	case OPTION6_SOL_MAX_RT:
		option6_u32(say->w, code, SOL_MAX_RT_S);
		break;
	case OPTION6_REFRESH_TIME:
		option6_u32(say->w, code, REFRESH_S);
		break;
	case OPTION6_CAPTIVE_PORTAL:
		if (conf->captive_portal[0])
			option6_bytes(say->w, code, conf->captive_portal, strlen(conf->captive_portal));
		break;
	}
}

/* ---- all of them ---- */

/* is_said() - is this option in the answer? A guest's list may be 700 long and name one as often. */
static bool is_said(const struct saying *say, uint16_t code)
{
	struct reader r = reader_init(say->w->data + say->from, say->w->pos - say->from);
	bool said = false;

	while (reader_left(&r)) {
		said |= read_u16(&r) == code;
		(void)read_bytes(&r, read_u16(&r));
	}
	return said;
}

/* add_option() - if there is one, and room for it: rather an answer without it than none */
static void add_option(struct saying *say, uint16_t code)
{
	const struct option_item *item = option_settable(OPTIONS6, code) ? profile_option(say->a->profile, code, NULL) : NULL;
	struct writer before = *say->w;

	if (is_said(say, code) || (code == OPTION6_REFRESH_TIME && !say->a->information))
		return;			/* RFC 8415 21.23: it is for those who have nothing that they renew */
	if (!item)
		add_own(say, code);
	else if (item->send != OPTION_NEVER)
		option6_bytes(say->w, code, item->data, item->size);
	if (say->w->overrun)
		*say->w = before;
}

/* add_set() - what goes out unasked: what is forced, and to who has no list of what he wants all that is set */
static void add_set(struct saying *say, bool all)
{
	const struct dhcp_profile *p = say->a->profile;

	for (unsigned i = 0; i < p->n; i++) {
		const struct option_set *set = layer_options(p, &p->layer[i]);

		for (unsigned j = 0; j < set->n; j++)
			if (set->of[j].send == OPTION_FORCED || all)
				add_option(say, set->of[j].code);
	}
}

/* In the guest's order; one without a list gets what every guest needs. */
void dhcp6_settings_write(struct writer *w, const struct dhcp6_conf *conf, const struct dhcp6_message *m, const struct dhcp6_answer *a)
{
	struct saying say = { .w = w, .from = w->pos, .conf = conf, .a = a };

	for (size_t i = 0; i < m->request_count; i++)
		add_option(&say, get_u16(m->request + 2 * i));
	if (is_said(&say, OPTION6_BOOT_URL))
		add_option(&say, OPTION6_VENDOR_CLASS);
	add_set(&say, !m->request);
	if (!m->request) {
		add_option(&say, OPTION6_DNS);
		add_option(&say, OPTION6_SEARCH);
	}
	if (m->has_name)
		add_option(&say, OPTION6_NAME);
}
