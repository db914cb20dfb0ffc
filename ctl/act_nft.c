// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/array.h"
#include "base/error.h"

#define TABLE HOST_NAT_FAMILY " " HOST_NAT_TABLE

/* ---- the table ---- */

/* inside: interfaces of networks; free: their guests leave by any interface; pinned: by that one; host: they reach the host; local: also
 * its loopback. to4 and to6 are forwards of any address of the host, at4 and at6 those of one. */
static const char sets_text[] =
	"	set inside { type ifname; }\n"
	"	set free { type ifname; }\n"
	"	set pinned { type ifname . ifname; }\n"
	"	set host { type ifname; }\n"
	"	set local { type ifname; }\n"
	"	map to4 { type inet_proto . inet_service : ipv4_addr . inet_service; }\n"
	"	map at4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }\n"
	"	map to6 { type inet_proto . inet_service : ipv6_addr . inet_service; }\n"
	"	map at6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }\n";

/* A guest speaks for itself alone: the switch sees to that (STAGE_SOURCE), and here what begins a connection, or is for the host, must
 * have the way back to its address by the interface it came by; under no address (::) it asks whether one is free, RFC 4862 5.4.2. It speaks
 * neither to the host's loopback by that name nor to a cloud's metadata. What it hears from outside it has asked for, or a forward leads
 * to it; hosts of our other networks hear of it only by a forward. The host itself is outside, too: its programs use the forwards. Where the NAT leads to ::1, the ports of switch/hostway.h tell
 * what between guests is the kernel's. To guests whom the host is closed to a forward of one of its addresses is the host, one of all is
 * a guest (as in nat/nat.c). Neighbour Discovery is untracked, and passes. */
static const char chains_text[] =
	"	chain lead {\n"
	"		type nat hook prerouting priority dstnat; policy accept;\n"
	"		meta l4proto { tcp, udp } fib daddr type local jump forwards\n"
	"	}\n"
	"	chain forwards {\n"
	"		iifname @inside iifname != @host goto everywhere\n"
	"		dnat ip to ip daddr . meta l4proto . th dport map @at4\n"
	"		dnat ip6 to ip6 daddr . meta l4proto . th dport map @at6\n"
	"		jump everywhere\n"
	"		iifname @local meta nfproto ipv4 fib daddr . iif type local dnat ip to 127.0.0.1\n"
	"	}\n"
	"	chain everywhere {\n"
	"		dnat ip to meta l4proto . th dport map @to4\n"
	"		dnat ip6 to meta l4proto . th dport map @to6\n"
	"	}\n"
	"	chain hide {\n"
	"		type nat hook postrouting priority srcnat; policy accept;\n"
	"		meta nfproto ipv6 iifname @inside oifname @local meta l4proto { tcp, udp } masquerade to :61000-65535\n"
	"		iifname @inside masquerade\n"
	"	}\n";

/* Each packet of a connection passes "pass" or "enter", and no hook before connection tracking: that would cost as much again. In "pass" what is
 * known is let through before anybody asks whose it is, which for others' packets is what the policy says. What tracking calls invalid is not
 * translated, and would go out under the guest's own address. In "inspect" the set is asked about what is wrong alone: of a packet that is
 * right the first bytes of a name are compared, and no name is looked up. */
static const char more_chains_text[] =
	"		ct state established,related accept\n"
	"		iifname @inside jump outward\n"
	"		oifname @inside jump inward\n"
	"	}\n"
	"	chain outward {\n"
	"		ct state invalid drop\n"
	"		fib saddr . iif oif missing drop\n"
	"		ip daddr 169.254.169.254 drop\n"
	"		ct original ip daddr { 127.0.0.0/8, 169.254.169.254 } drop\n"
	"		ct state new jump begin\n"
	"		oifname \"" HOST_IFACE_PREFIX "*\" goto across\n"
	"		iifname @free accept\n"
	"		iifname . oifname @pinned accept\n"
	"		reject with icmpx no-route\n"
	"	}\n"
	"	chain across {\n"
	"		oifname @inside ct status dnat accept\n"
	"		reject with icmpx admin-prohibited\n"
	"	}\n"
	"	chain inward {\n"
	"		ct state new jump begin\n"
	"		ct status dnat accept\n"
	"		drop\n"
	"	}\n"
	"	chain enter {\n"
	"		type filter hook input priority filter; policy accept;\n"
	"		iifname \"" HOST_IFACE_PREFIX "*\" jump inspect\n"
	"		ct state established,related,untracked accept\n"
	"		iifname @inside jump visit\n"
	"	}\n"
	"	chain inspect {\n"
	"		ip6 saddr :: return\n"
	"		fib saddr . iif oif missing iifname @inside drop\n"
	"		ct original ip daddr { 127.0.0.0/8, 169.254.169.254 } iifname @inside drop\n"
	"		ct state invalid,untracked ip daddr { 127.0.0.0/8, 169.254.169.254 } iifname @inside drop\n"
	"	}\n"
	"	chain visit {\n"
	"		icmp type echo-request accept\n"
	"		icmpv6 type echo-request accept\n"
	"		iifname @host accept\n"
	"		meta l4proto tcp reject with tcp reset\n"
	"		reject with icmpx port-unreachable\n"
	"	}\n"
	"	chain leave {\n"
	"		type filter hook output priority filter; policy accept;\n"
	"		ct state new oifname @inside reject with icmpx admin-prohibited\n"
	"	}\n";

void nft_write_table(FILE *to, unsigned features, const char *devices)
{
	fputs("table " TABLE "\ndelete table " TABLE "\ntable " TABLE " {\n", to);
	nft_write_objects(to, features, devices);
	fprintf(to, "%s	chain begin {\n", sets_text);
	nft_write_begin(to, features);
	fprintf(to, "	}\n%s	chain pass {\n		type filter hook forward priority filter; policy accept;\n", chains_text);
	if (features & NFT_FLOWTABLE)
		fputs("		meta l4proto { tcp, udp } ct state established jump quick\n", to);
	fputs(more_chains_text, to);
	if (features & NFT_FLOWTABLE)
		fputs("	chain quick {\n		iifname @inside flow add @fast\n		oifname @inside flow add @fast\n	}\n", to);
	fputs("}\n", to);
}

/* ---- elements ---- */

void nft_write_member(FILE *to, const char *verb, const struct nft_member *m)
{
	fprintf(to, "%s element " TABLE " inside { \"%s\" }\n", verb, m->ifname);
	if (m->out[0])
		fprintf(to, "%s element " TABLE " pinned { \"%s\" . \"%s\" }\n", verb, m->ifname, m->out);
	else
		fprintf(to, "%s element " TABLE " free { \"%s\" }\n", verb, m->ifname);
	if (m->access != HOST_NAT_NONE)
		fprintf(to, "%s element " TABLE " host { \"%s\" }\n", verb, m->ifname);
	if (m->access == HOST_NAT_LOOPBACK)
		fprintf(to, "%s element " TABLE " local { \"%s\" }\n", verb, m->ifname);
	for (unsigned bit = 1; bit & HOST_NAT_HELPERS; bit <<= 1)
		if (m->helpers & bit)
			fprintf(to, "%s element " TABLE " %s { \"%s\" }\n", verb, nft_feature_name(bit), m->ifname);
}

static bool is_any(const struct host_forward *f)
{
	static const uint8_t zero[16];

	return !memcmp(f->addr, zero, sizeof(zero));
}

static void write_element(FILE *to, const struct host_forward *f, bool with_data)
{
	int family = f->family == 4 ? AF_INET : AF_INET6;
	char ip[INET6_ADDRSTRLEN];

	if (!is_any(f))
		fprintf(to, "%s . ", inet_ntop(family, f->addr, ip, sizeof(ip)));
	fprintf(to, "%u . %u", f->proto, f->port);
	if (with_data)
		fprintf(to, " : %s . %u", inet_ntop(family, f->to, ip, sizeof(ip)), f->to_port);
}

void nft_write_forwards(FILE *to, const char *verb, const struct host_forward *list, size_t n)
{
	static const struct {
		const char *map;
		uint8_t family;
		bool any;
	} maps[] = { { "to4", 4, true }, { "at4", 4, false }, { "to6", 6, true }, { "at6", 6, false } };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		bool some = false;

		for (size_t j = 0; j < n; j++) {
			if (list[j].family != maps[i].family || is_any(&list[j]) != maps[i].any)
				continue;
			if (some)
				fputs(",\n", to);
			else
				fprintf(to, "%s element " TABLE " %s {\n", verb, maps[i].map);
			write_element(to, &list[j], !strcmp(verb, "add"));
			some = true;
		}
		if (some)
			fputs("\n}\n", to);
	}
}

/* ---- libnftables ---- */

/* explain() - its first line says what is wrong: "Error: Could not process rule: Operation not permitted" */
static int explain(const char *text, struct error *err)
{
	static const struct {
		const char *words;
		int rc;
	} known[] = { { "Operation not permitted", -EPERM }, { "Operation not supported", -EOPNOTSUPP }, { "No such file", -ENOENT },
		      { "File exists", -EEXIST }, { "Cannot allocate memory", -ENOMEM } };
	const char *why = text ? strstr(text, "Error: ") : NULL;
	int rc = -EIO;

	why = why ? why + strlen("Error: ") : "no answer";
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (strstr(why, known[i].words))
			rc = known[i].rc;
	return error_set(err, rc, "nftables: %.*s", (int)MIN_OF(strcspn(why, "\n"), (size_t)120), why);
}

/* open_nft() - libnftables ends the process when it gets no socket: whether there is one to be had is tried first */
static int open_nft(struct nft_ctx **ctx, struct error *err)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (fd < 0)
		return error_set(err, -errno, "nftables: no socket: %s", strerror(errno));
	close(fd);
	*ctx = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!*ctx)
		return error_set(err, -ENOMEM, "nftables: out of memory");
	nft_ctx_buffer_output(*ctx);
	nft_ctx_buffer_error(*ctx);
	return 0;
}

int nft_run(const char *text, struct error *err)
{
	struct nft_ctx *ctx;
	int rc = open_nft(&ctx, err);

	if (rc < 0)
		return rc;
	rc = nft_run_cmd_from_buffer(ctx, text) ? explain(nft_ctx_get_error_buffer(ctx), err) : 0;
	nft_ctx_free(ctx);
	return rc;
}

char *nft_ruleset(struct error *err)
{
	struct nft_ctx *ctx;
	char *text = NULL;

	if (open_nft(&ctx, err) < 0)
		return NULL;
	nft_ctx_output_set_flags(ctx, NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_NUMERIC_PROTO | NFT_CTX_OUTPUT_NUMERIC_PRIO);
	if (nft_run_cmd_from_buffer(ctx, "list ruleset"))
		explain(nft_ctx_get_error_buffer(ctx), err);
	else if (!(text = strdup(nft_ctx_get_output_buffer(ctx))))
		error_set(err, -ENOMEM, "nftables: out of memory");
	nft_ctx_free(ctx);
	return text;
}

int nft_exists(void)
{
	int rc = nft_run("list chain " TABLE " pass", NULL);

	if (rc == -ENOENT)		/* somebody else's need not have that chain; ours may have many elements to list */
		rc = nft_run("list table " TABLE, NULL);
	return rc == 0 ? 1 : rc == -ENOENT ? 0 : rc;
}

int nft_delete(void)
{
	return nft_run("delete table " TABLE, NULL);
}
