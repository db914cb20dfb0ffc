// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "switch/rule.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "switch/heading.h"
#include "switch/packet.h"

enum { WORDS = 3, MAPPED_BITS = 96 };

static const struct {
	const char *name;
	uint8_t match, proto;
	uint16_t ethertype;
} protocols[] = {
	{ "tcp", RULE_IP, PROTO_TCP, 0 }, { "udp", RULE_IP, PROTO_UDP, 0 }, { "icmp", RULE_ICMP, 0, 0 },
	{ "sctp", RULE_IP, PROTO_SCTP, 0 }, { "gre", RULE_IP, 47, 0 }, { "esp", RULE_IP, 50, 0 }, { "ah", RULE_IP, 51, 0 },
	{ "igmp", RULE_IP, 2, 0 }, { "arp", RULE_ETHERTYPE, 0, ETHERTYPE_ARP4 },
};

/* ---- reading ---- */

static int refuse(const char **why, const char *what)
{
	*why = what;
	return -EINVAL;
}

static int read_protocol(const char *text, struct rule *r, const char **why)
{
	unsigned long number;
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (strcmp(text, protocols[i].name))
			continue;
		r->match = protocols[i].match;
		r->proto = protocols[i].proto;
		r->ethertype = protocols[i].ethertype;
		return 0;
	}
	if (!strncmp(text, "ip", 2) && number_parse(text + 2, 0, 255, &number) == 0) {
		r->match = RULE_IP;
		r->proto = (uint8_t)number;
		return 0;
	}
	if (!strncmp(text, "0x", 2) && strlen(text) == 6 && text[2] != '-' && text[2] != '+' && text[2] != ' ') {
		number = strtoul(text, &end, 16);
		if (*end || number < 0x600 || number == ETHERTYPE_IP4 || number == ETHERTYPE_IP6)
			return refuse(why, "an ethertype is 0x0600 to 0xffff and not that of IP");
		r->match = RULE_ETHERTYPE;
		r->ethertype = (uint16_t)number;
		return 0;
	}
	return refuse(why, "PROTOCOL is tcp, udp, icmp, sctp, gre, esp, ah, igmp, ip0 to ip255, arp or an ethertype like 0x88cc");
}

static int read_ports(const char *text, struct rule *r, const char **why)
{
	struct port_range range;

	if (port_range_parse(text, &range) < 0)
		return refuse(why, "PORTS are a number in 1..65535, or two with a dash between");
	r->ports = true;
	r->first = range.first;
	r->last = (uint16_t)(range.first + range.count - 1);
	return 0;
}

/* domain_ok() - labels of letters, digits, dashes and underscores; at least two */
static bool domain_ok(const char *text)
{
	size_t label = 0, labels = 1;

	for (; *text; text++) {
		bool letter = (*text >= 'a' && *text <= 'z') || (*text >= '0' && *text <= '9') || *text == '-' || *text == '_';

		if (*text == '.' ? label == 0 : !letter || ++label > 63)
			return false;
		if (*text == '.') {
			label = 0;
			labels++;
		}
	}
	return label && labels > 1;
}

static int read_name(const char *text, struct rule *r, const char **why)
{
	size_t n;

	r->below = !strncmp(text, "*.", 2);
	text += r->below ? 2 : 0;
	n = strlen(text);
	if (n && text[n - 1] == '.')
		n--;
	if (n >= sizeof(r->name))
		return refuse(why, "a name has at most 253 letters");
	for (size_t i = 0; i < n; i++)
		r->name[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + ('a' - 'A')) : text[i];
	r->name[n] = '\0';
	r->peer = r->below || strchr(r->name, '.') ? RULE_DOMAIN : RULE_GUEST;
	if (r->peer == RULE_DOMAIN ? !domain_ok(r->name) && !(r->below && name_valid(r->name)) : !name_valid(r->name))
		return refuse(why, "PEER is any, gateway, an address, a prefix, a guest's name or a domain name");
	return 0;
}

static int read_prefix(const char *text, struct rule *r)
{
	struct prefix4 p4;
	struct addr a;

	r->peer = RULE_PREFIX;
	if (addr_parse(text, &a) == 0) {
		r->prefix = (struct prefix6){ a, 128 };
		return 0;
	}
	if (prefix4_parse(text, &p4) == 0) {
		r->prefix = (struct prefix6){ addr4(p4.addr), (uint8_t)(MAPPED_BITS + p4.len) };
		return 0;
	}
	return prefix6_parse(text, &r->prefix);
}

static int read_peer(const char *text, struct rule *r, const char **why)
{
	if (!strcmp(text, "any"))
		r->peer = RULE_ANY;
	else if (!strcmp(text, "gateway"))
		r->peer = RULE_GATEWAY;
	else if (strpbrk(text, "/:") || strspn(text, "0123456789.") == strlen(text))
		return read_prefix(text, r) < 0 ? refuse(why, "PEER is no address and no prefix (whose host bits are zero)") : 0;
	else
		return read_name(text, r, why);
	return 0;
}

/* split_ports() - cut ":PORTS" off @text. Return: the ports, or NULL; a bare IPv6 address has colons of its own */
static char *split_ports(char *text)
{
	char *colon = strrchr(text, ':'), *bracket = strchr(text, ']');

	if (text[0] == '[' && bracket) {
		char *rest = bracket[1] == ':' ? bracket + 2 : bracket[1] ? bracket + 1 : NULL;

		*bracket = '\0';
		memmove(text, text + 1, strlen(text));
		return rest;
	}
	if (!colon || strchr(text, ':') != colon)
		return NULL;
	*colon = '\0';
	return colon + 1;
}

/* split_protocol() - cut "/PROTOCOL" off @text, which a prefix's length is not */
static char *split_protocol(char *text)
{
	char *slash = strrchr(text, '/');

	if (!slash || (slash[1] >= '0' && slash[1] <= '9' && slash[2] != 'x' && strspn(slash + 1, "0123456789]:-") == strlen(slash + 1)))
		return NULL;
	*slash = '\0';
	return slash + 1;
}

static int read_object(char *text, struct rule *r, const char **why)
{
	char *protocol = split_protocol(text), *ports = split_ports(text);
	int rc = read_peer(text, r, why);

	if (rc == 0 && protocol)
		rc = read_protocol(protocol, r, why);
	if (rc == 0 && ports)
		rc = read_ports(ports, r, why);
	if (rc < 0)
		return rc;
	if (r->match == RULE_ETHERTYPE && (r->peer != RULE_ANY || r->ports))
		return refuse(why, "what is beside IP has neither addresses nor ports: its peer is any");
	if (r->ports && (r->match == RULE_ICMP || (r->match == RULE_IP && r->proto != PROTO_TCP && r->proto != PROTO_UDP && r->proto != PROTO_SCTP)))
		return refuse(why, "only tcp, udp and sctp have ports");
	return 0;
}

int rule_parse(const char *text, struct rule *out, const char **why)
{
	char copy[RULE_TEXT], *word[WORDS], *rest = copy;
	struct rule r = { .allow = false };
	size_t n = 0;
	int rc;

	if (strlen(text) >= sizeof(copy))
		return refuse(why, "is longer than any rule");
	strcpy(copy, text);
	for (char *w; (w = strsep(&rest, " \t")); )
		if (*w && n++ < WORDS)
			word[n - 1] = w;
	if (n != WORDS)
		return refuse(why, "a rule is ACTION DIRECTION PEER[:PORTS][/PROTOCOL]");
	r.allow = !strcmp(word[0], "allow");
	if (!r.allow && strcmp(word[0], "deny"))
		return refuse(why, "ACTION is allow or deny");
	r.directions = !strcmp(word[1], "egress") ? RULE_EGRESS : !strcmp(word[1], "ingress") ? RULE_INGRESS :
		       !strcmp(word[1], "both") ? RULE_BOTH : 0;
	if (!r.directions)
		return refuse(why, "DIRECTION is egress, ingress or both");
	rc = read_object(word[2], &r, why);
	if (rc == 0)
		*out = r;
	return rc;
}

/* ---- writing ---- */

static void write_peer(const struct rule *r, char to[RULE_NAME + 4])
{
	struct prefix4 p4 = { 0, 0 };

	switch ((enum rule_peer)r->peer) {
	case RULE_ANY:
		strcpy(to, "any");
		break;
	case RULE_GATEWAY:
		strcpy(to, "gateway");
		break;
	case RULE_PREFIX:
		if (r->prefix.len == 128) {
			addr_format(r->prefix.addr, to);
		} else if (addr_is4(r->prefix.addr) && r->prefix.len >= MAPPED_BITS) {
			p4 = (struct prefix4){ addr_4(r->prefix.addr), (uint8_t)(r->prefix.len - MAPPED_BITS) };
			prefix4_format(p4, to);
		} else {
			prefix6_format(r->prefix, to);
		}
		break;
	case RULE_GUEST:
	case RULE_DOMAIN:
		snprintf(to, RULE_NAME + 4, "%s%s", r->below ? "*." : "", r->name);
	}
}

static void write_protocol(const struct rule *r, char to[12])
{
	to[0] = '\0';
	if (r->match == RULE_EVERYTHING)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (protocols[i].match == r->match && protocols[i].proto == r->proto && protocols[i].ethertype == r->ethertype) {
			snprintf(to, 12, "/%s", protocols[i].name);
			return;
		}
	}
	if (r->match == RULE_IP)
		snprintf(to, 12, "/ip%u", r->proto);
	else
		snprintf(to, 12, "/0x%04x", r->ethertype);
}

char *rule_format(const struct rule *r, char text[RULE_TEXT])
{
	static const char *const directions[] = { "", "egress", "ingress", "both" };
	char peer[RULE_NAME + 4], protocol[12], ports[PORT_RANGE_TEXT + 1] = "";
	bool brackets;

	write_peer(r, peer);
	write_protocol(r, protocol);
	if (r->ports) {
		ports[0] = ':';
		port_range_format((struct port_range){ r->first, (uint16_t)(r->last - r->first + 1) }, ports + 1);
	}
	brackets = r->ports && r->peer == RULE_PREFIX && strchr(peer, ':');
	snprintf(text, RULE_TEXT, "%s %s %s%s%s%s%s", r->allow ? "allow" : "deny", directions[r->directions & RULE_BOTH],
		 brackets ? "[" : "", peer, brackets ? "]" : "", ports, protocol);
	return text;
}

bool rule_names(const struct rule *r, const char *lower)
{
	size_t n = strlen(lower), own = strlen(r->name);

	if (r->peer != RULE_DOMAIN)
		return false;
	if (!r->below)
		return !strcmp(lower, r->name);
	return n > own + 1 && lower[n - own - 1] == '.' && !strcmp(lower + n - own, r->name);
}
