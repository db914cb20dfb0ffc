// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/capture_filter.h"

#include <ctype.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/error.h"
#include "base/text.h"
#include "switch/capture.h"

enum { ROOM = 4 * CAPTURE_FILTER_MAX };		/* of the text when names were replaced; an address is 45 characters at most */

/* What pcap-filter(7) says of Ethernet; without `gateway`, which is about names, and `protochain`, whose programs go round. */
static const char *const words[] = {
	"aarp", "ah", "and", "arp", "atalk", "broadcast", "byte", "carp", "clnp", "decnet", "dst", "esis", "esp", "ether", "geneve", "greater",
	"host", "icmp", "icmp-echo", "icmp-echoreply", "icmp-ireq", "icmp-ireqreply", "icmp-maskreply", "icmp-maskreq", "icmp-paramprob",
	"icmp-redirect", "icmp-routeradvert", "icmp-routersolicit", "icmp-sourcequench", "icmp-timxceed", "icmp-tstamp", "icmp-tstampreply",
	"icmp-unreach", "icmp6", "icmp6-destinationrunreach", "icmp6-echo", "icmp6-echoreply", "icmp6-homeagentdiscoveryreply",
	"icmp6-homeagentdiscoveryrequest", "icmp6-mobileprefixadvert", "icmp6-mobileprefixsolicit", "icmp6-multicastlistenerdone",
	"icmp6-multicastlistenerquery", "icmp6-multicastlistenerreportv1", "icmp6-multicastlistenerreportv2", "icmp6-neighboradvert",
	"icmp6-neighborsolicit", "icmp6-nodeinformationquery", "icmp6-nodeinformationresponse", "icmp6-packettoobig", "icmp6-parameterproblem",
	"icmp6-redirect", "icmp6-routeradvert", "icmp6-routerrenum", "icmp6-routersolicit", "icmp6-timeexceeded", "icmp6code", "icmp6type",
	"icmpcode", "icmptype", "igmp", "igrp", "ip", "ip6", "ipx", "isis", "iso", "lat", "len", "length", "less", "link", "llc", "mask", "mopdl",
	"moprc", "mpls", "multicast", "net", "netbeui", "not", "or", "pim", "port", "portrange", "pppoed", "pppoes", "proto", "rarp", "sca", "sctp",
	"src", "stp", "tcp", "tcp-ack", "tcp-cwr", "tcp-ece", "tcp-fin", "tcp-push", "tcp-rst", "tcp-syn", "tcp-urg", "tcpflags", "udp", "vlan",
	"vrrp",
};

/* The services that people write by name (IANA). */
static const struct {
	const char *name, *port;
} services[] = {
	{ "bootpc", "68" }, { "bootps", "67" }, { "dns", "53" }, { "domain", "53" }, { "http", "80" }, { "https", "443" }, { "mdns", "5353" },
	{ "ntp", "123" }, { "smtp", "25" }, { "ssh", "22" },
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, *(const char *const *)b);
}

/* is_literal() - a number, or an address of some sort: nothing that anybody would look up */
static bool is_literal(const char *word)
{
	bool colon = strchr(word, ':');
	size_t hex = strspn(word, "0123456789abcdefABCDEF.:");

	if (isdigit((unsigned char)word[0]))		/* 80, 0x1f, 10.0.0.0, 80-90, 02:00:00:00:00:01 */
		return strspn(word, "0123456789abcdefABCDEFxX.:-") == strlen(word);
	return colon && !word[hex];			/* fe80::1, aa:bb:cc:dd:ee:ff */
}

static const char *service_port(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(services); i++)
		if (!strcmp(services[i].name, word))
			return services[i].port;
	return NULL;
}

static int unknown(const char *word, struct error *err)
{
	error_set(err, -EINVAL, "filter: %.60s is neither a word of pcap-filter(7) nor a guest here that has an address", word);
	error_code(err, "bad-filter");
	error_hint(err, "write the address; names are not looked up");
	return -EINVAL;
}

/* translate() - what libpcap is given for @word; NULL: @word itself is refused */
static const char *translate(const char *word, capture_guest_fn *guest, void *arg, char text[ADDR_TEXT])
{
	if (bsearch(word, words, ARRAY_SIZE(words), sizeof(*words), by_text) || is_literal(word))
		return word;
	if (service_port(word))
		return service_port(word);
	return guest && name_valid(word) && guest(arg, word, text) ? text : NULL;
}

/* replace_names() - into @to, of ROOM bytes */
static int replace_names(const char *text, capture_guest_fn *guest, void *arg, char *to, struct error *err)
{
	static const char inside[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-\\";
	size_t n = 0;

	while (*text) {
		size_t length = strspn(text, inside);
		char word[CAPTURE_FILTER_MAX + 1], address[ADDR_TEXT];
		const char *as;

		if (!length || *text == '-' || *text == ':') {	/* an operator, as in tcp[12:1] - 1 */
			to[n++] = *text++;
			continue;
		}
		memcpy(word, text, length);
		word[length] = '\0';
		text += length;
		as = translate(word[0] == '\\' ? word + 1 : word, guest, arg, address);
		if (!as)
			return unknown(word, err);
		n += (size_t)snprintf(to + n, ROOM - n, "%s%s", word[0] == '\\' ? "\\" : "", as);
		if (n >= ROOM)
			return error_set(err, -EINVAL, "filter: too long");
	}
	to[n] = '\0';
	return 0;
}

/* take() - what libpcap made of it, if it is one of those that we run */
static int take(const struct bpf_program *program, struct filter **out, struct error *err)
{
	*out = filter_new(program->bf_insns, program->bf_len);
	if (*out)
		return 0;
	return error_set(err, -errno, errno == ENOMEM ? "filter: out of memory" : "filter: its program is too long, or goes round");
}

static int compile(const char *text, struct filter **out, struct error *err)
{
	pcap_t *p = pcap_open_dead(DLT_EN10MB, CAPTURE_SNAPLEN_MAX);
	struct bpf_program program;
	int rc;

	if (!p)
		return error_set(err, -ENOMEM, "filter: out of memory");
	if (pcap_compile(p, &program, text, 1, PCAP_NETMASK_UNKNOWN) < 0) {
		rc = error_set(err, -EINVAL, "filter: %s", pcap_geterr(p));
		error_code(err, "bad-filter");
	} else {
		rc = take(&program, out, err);
		pcap_freecode(&program);
	}
	pcap_close(p);
	return rc;
}

int capture_filter(const char *text, capture_guest_fn *guest, void *arg, struct filter **out, struct error *err)
{
	char replaced[ROOM + ADDR_TEXT];
	int rc;

	*out = NULL;
	text += strspn(text, " \t\n");
	if (!*text)
		return 0;
	if (strlen(text) > CAPTURE_FILTER_MAX)
		return error_set(err, -EINVAL, "filter: longer than %d characters", CAPTURE_FILTER_MAX);
	rc = replace_names(text, guest, arg, replaced, err);
	return rc < 0 ? rc : compile(replaced, out, err);
}
