// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "ctl/act_nft.h"

#define PROBE HOST_NAT_FAMILY " " HOST_NAT_TABLE "-probe"

/* RFC 5382 REQ-5: established 2 h 4 min at least, all other states 4 min; RFC 4787 REQ-5: 5 min. libnftables knows no timeouts of ICMP:
 * these are settings of the host (ctl/act_nat.c). */
#define TCP_POLICY "policy = { syn_sent : 240, syn_recv : 240, established : 7440, fin_wait : 240, close_wait : 240, last_ack : 240, time_wait : 240 }"
#define UDP_POLICY "policy = { unreplied : 300, replied : 300 }"

/* A helper is for the connections of those networks that ask for it, and for its protocol's own port. */
#define HELPER(name, proto) "	ct helper " name "-" proto " {\n		type \"" name "\" protocol " proto ";\n	}\n"
#define HELPER_SET(name) "	set " name " { type ifname; }\n"
#define HELPED(name, proto, port)                                                              \
	"		iifname @" name " " proto " dport " port " ct helper set \"" name "-" proto "\"\n" \
	"		oifname @" name " " proto " dport " port " ct helper set \"" name "-" proto "\"\n"

static const struct feature {
	unsigned bit;
	const char *name;
	const char *objects;
	const char *begin;		/* rules of that chain */
} features_of_kernels[] = {
	{ HOST_NAT_FTP, "ftp", HELPER("ftp", "tcp") HELPER_SET("ftp"), HELPED("ftp", "tcp", "21") },
	{ HOST_NAT_TFTP, "tftp", HELPER("tftp", "udp") HELPER_SET("tftp"), HELPED("tftp", "udp", "69") },
	{ HOST_NAT_SIP, "sip", HELPER("sip", "udp") HELPER("sip", "tcp") HELPER_SET("sip"), HELPED("sip", "udp", "5060") HELPED("sip", "tcp", "5060") },
	{ NFT_TIMEOUTS, "timeouts",
	  "	ct timeout tcp4 {\n		protocol tcp; l3proto ip\n		" TCP_POLICY "\n	}\n"
	  "	ct timeout tcp6 {\n		protocol tcp; l3proto ip6\n		" TCP_POLICY "\n	}\n"
	  "	ct timeout udp4 {\n		protocol udp; l3proto ip\n		" UDP_POLICY "\n	}\n"
	  "	ct timeout udp6 {\n		protocol udp; l3proto ip6\n		" UDP_POLICY "\n	}\n",
	  "		meta nfproto ipv4 meta l4proto tcp ct timeout set \"tcp4\"\n"
	  "		meta nfproto ipv4 meta l4proto udp ct timeout set \"udp4\"\n"
	  "		meta nfproto ipv6 meta l4proto tcp ct timeout set \"tcp6\"\n"
	  "		meta nfproto ipv6 meta l4proto udp ct timeout set \"udp6\"\n" },
	{ NFT_FLOWTABLE, "flowtable", "	flowtable fast {\n		hook ingress priority filter; devices = { %s };\n	}\n", "" },
};

/* write_objects() - a flowtable's text alone has a place for something */
static void write_objects(FILE *to, const struct feature *f, const char *devices)
{
	const char *place = strstr(f->objects, "%s");

	if (place)
		fprintf(to, "%.*s%s%s", (int)(place - f->objects), f->objects, devices, place + 2);
	else
		fputs(f->objects, to);
}

void nft_write_objects(FILE *to, unsigned features, const char *devices)
{
	for (size_t i = 0; i < ARRAY_SIZE(features_of_kernels); i++)
		if (features & features_of_kernels[i].bit)
			write_objects(to, &features_of_kernels[i], devices);
}

void nft_write_begin(FILE *to, unsigned features)
{
	for (size_t i = 0; i < ARRAY_SIZE(features_of_kernels); i++)
		if (features & features_of_kernels[i].bit)
			fputs(features_of_kernels[i].begin, to);
}

const char *nft_feature_name(unsigned feature)
{
	for (size_t i = 0; i < ARRAY_SIZE(features_of_kernels); i++)
		if (features_of_kernels[i].bit == feature)
			return features_of_kernels[i].name;
	return "?";
}

static bool has(const struct feature *f)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	bool ok;

	if (!to)
		return false;
	fputs("table " PROBE " {\n", to);
	write_objects(to, f, "lo");
	fputs("}\ndelete table " PROBE "\n", to);
	ok = !fclose(to) && nft_run(text, NULL) == 0;
	free(text);
	return ok;
}

unsigned nft_lacking(unsigned features)
{
	unsigned lacking = 0;

	for (size_t i = 0; i < ARRAY_SIZE(features_of_kernels); i++)
		if (features & features_of_kernels[i].bit && !has(&features_of_kernels[i]))
			lacking |= features_of_kernels[i].bit;
	return lacking;
}
