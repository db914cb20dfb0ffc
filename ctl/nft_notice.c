// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/nft_notice.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "ctl/host.h"

enum { FIRST = 1 };			/* NFTA_TABLE_NAME, NFTA_CHAIN_TABLE and all their kind: in each message the table's name */

/* text_of() - an attribute of text among those at @at; NULL: it is not there, or does not end */
static const char *text_of(const uint8_t *at, size_t left, unsigned type)
{
	struct nlattr a;

	while (left >= sizeof(a)) {
		size_t whole;

		memcpy(&a, at, sizeof(a));
		whole = NLA_ALIGN(a.nla_len);
		if (a.nla_len < sizeof(a) || a.nla_len > left)
			return NULL;
		if ((a.nla_type & NLA_TYPE_MASK) == type)
			return memchr(at + sizeof(a), '\0', a.nla_len - sizeof(a)) ? (const char *)at + sizeof(a) : NULL;
		if (whole >= left)
			return NULL;
		at += whole;
		left -= whole;
	}
	return NULL;
}

static void take(struct nft_notice *n, unsigned type, uint8_t family, const uint8_t *attributes, size_t size, const char *self)
{
	const char *text = text_of(attributes, size, type == NFT_MSG_NEWGEN ? (unsigned)NFTA_GEN_PROC_NAME : FIRST);

	if (type != NFT_MSG_NEWGEN) {
		n->ours |= family == NFPROTO_INET && text && !strcmp(text, HOST_NAT_TABLE);
		return;
	}
	if (n->ours && (!text || strcmp(text, self))) {
		n->changed = true;
		strncpy(n->by, text ? text : "?", sizeof(n->by) - 1);
	}
	n->ours = false;
}

void nft_notice_read(struct nft_notice *n, const void *data, size_t size, const char *self)
{
	const uint8_t *at = data;
	struct nlmsghdr h;
	struct nfgenmsg g;

	while (size >= NLMSG_HDRLEN + sizeof(g)) {
		size_t whole;

		memcpy(&h, at, sizeof(h));
		memcpy(&g, at + NLMSG_HDRLEN, sizeof(g));
		if (h.nlmsg_len < NLMSG_HDRLEN + sizeof(g) || h.nlmsg_len > size)
			return;
		if (NFNL_SUBSYS_ID(h.nlmsg_type) == NFNL_SUBSYS_NFTABLES)
			take(n, NFNL_MSG_TYPE(h.nlmsg_type), g.nfgen_family, at + NLMSG_HDRLEN + sizeof(g),
			     h.nlmsg_len - NLMSG_HDRLEN - sizeof(g), self);
		whole = NLMSG_ALIGN(h.nlmsg_len);
		if (whole >= size)
			return;
		at += whole;
		size -= whole;
	}
}
