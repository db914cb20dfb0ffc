// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/keeper_conntrack.h"

#include <arpa/inet.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* search - which are to go; one of the two is set */
struct search {
	struct nfct_handle *delete_by;
	const struct host_forward *list;
	size_t n;
	const struct host_iface *iface;
};

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, offsetof(struct host_forward, to_port));
}

/* address() - in network order, the rest zero */
static void address(const struct nf_conntrack *ct, enum nf_conntrack_attr v4, enum nf_conntrack_attr v6, uint8_t to[16])
{
	bool is4 = nfct_get_attr_u8(ct, ATTR_ORIG_L3PROTO) == AF_INET;
	const void *from = nfct_get_attr(ct, is4 ? v4 : v6);

	memset(to, 0, 16);
	if (from)
		memcpy(to, from, is4 ? 4 : 16);
}

static bool came_by(const struct search *s, const struct nf_conntrack *ct)
{
	struct host_forward key = {
		.family = nfct_get_attr_u8(ct, ATTR_ORIG_L3PROTO) == AF_INET ? 4 : 6,
		.proto = nfct_get_attr_u8(ct, ATTR_ORIG_L4PROTO),
		.port = ntohs(nfct_get_attr_u16(ct, ATTR_ORIG_PORT_DST)),
	};
	const struct host_forward *f;
	uint8_t guest[16];

	address(ct, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC, guest);
	f = bsearch(&key, s->list, s->n, sizeof(key), by_key);		/* of any address */
	if (!f) {
		address(ct, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST, key.addr);
		f = bsearch(&key, s->list, s->n, sizeof(key), by_key);
	}
	return f && !memcmp(f->to, guest, sizeof(guest));
}

static bool in_prefix(const uint8_t *a, const uint8_t *prefix, unsigned len)
{
	uint8_t mask = (uint8_t)(0xff00 >> (len % 8));

	return len && !memcmp(a, prefix, len / 8) && !(len % 8 && (a[len / 8] ^ prefix[len / 8]) & mask);
}

static bool is_guest(const struct search *s, const struct nf_conntrack *ct, enum nf_conntrack_attr v4, enum nf_conntrack_attr v6)
{
	uint8_t a[16];

	address(ct, v4, v6, a);
	return nfct_get_attr_u8(ct, ATTR_ORIG_L3PROTO) == AF_INET ? in_prefix(a, s->iface->addr4, s->iface->len4) :
								     in_prefix(a, s->iface->addr6, s->iface->len6);
}

static int look(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *arg)
{
	const struct search *s = arg;

	(void)type;
	if (s->iface ? is_guest(s, ct, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC) || is_guest(s, ct, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC) :
		       came_by(s, ct))
		nfct_query(s->delete_by, NFCT_Q_DESTROY, ct);
	return NFCT_CB_CONTINUE;
}

static void cut(struct search *s)
{
	static const uint32_t families[] = { AF_INET, AF_INET6 };
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);

	s->delete_by = nfct_open(CONNTRACK, 0);
	if (h && s->delete_by) {
		nfct_callback_register(h, NFCT_T_ALL, look, s);
		for (unsigned i = 0; i < 2; i++)
			nfct_query(h, NFCT_Q_DUMP, &families[i]);
	}
	if (h)
		nfct_close(h);
	if (s->delete_by)
		nfct_close(s->delete_by);
}

void conntrack_cut_forwards(const struct host_forward *list, size_t n)
{
	struct search s = { .list = list, .n = n };

	cut(&s);
}

void conntrack_cut_guests(const struct host_iface *iface)
{
	struct search s = { .iface = iface };

	cut(&s);
}
