// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act_conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
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

/* ---- told ---- */

/* told - those that were found */
struct told {
	struct search search;		/* whose guests */
	struct host_flow *list;
	size_t room, n;
};

static enum host_flow_state state_of(const struct nf_conntrack *ct)
{
	if (nfct_get_attr_u8(ct, ATTR_ORIG_L4PROTO) == HOST_TCP)
		switch (nfct_get_attr_u8(ct, ATTR_TCP_STATE)) {
		case TCP_CONNTRACK_ESTABLISHED:
			return HOST_FLOW_OPEN;
		case TCP_CONNTRACK_SYN_SENT:
		case TCP_CONNTRACK_SYN_RECV:
		case TCP_CONNTRACK_SYN_SENT2:
			return HOST_FLOW_OPENING;
		default:
			return HOST_FLOW_CLOSING;
		}
	return nfct_get_attr_u32(ct, ATTR_STATUS) & IPS_SEEN_REPLY ? HOST_FLOW_OPEN : HOST_FLOW_OPENING;
}

/* describe() - a guest began it, and its own addresses are those of the first packet; or it was led to one, and answers from his */
static void describe(const struct nf_conntrack *ct, bool inward, struct host_flow *f)
{
	uint64_t orig = nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_BYTES), repl = nfct_get_attr_u64(ct, ATTR_REPL_COUNTER_BYTES);

	*f = (struct host_flow){
		.family = nfct_get_attr_u8(ct, ATTR_ORIG_L3PROTO) == AF_INET ? 4 : 6, .proto = nfct_get_attr_u8(ct, ATTR_ORIG_L4PROTO),
		.inward = inward, .state = (uint8_t)state_of(ct), .bytes_out = inward ? repl : orig, .bytes_in = inward ? orig : repl,
		.guest_port = ntohs(nfct_get_attr_u16(ct, inward ? ATTR_REPL_PORT_SRC : ATTR_ORIG_PORT_SRC)),
		.remote_port = ntohs(nfct_get_attr_u16(ct, inward ? ATTR_ORIG_PORT_SRC : ATTR_ORIG_PORT_DST)),
	};
	if (inward) {
		address(ct, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC, f->guest);
		address(ct, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC, f->remote);
	} else {
		address(ct, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC, f->guest);
		address(ct, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_DST, f->remote);
	}
}

static int note(enum nf_conntrack_msg_type type, struct nf_conntrack *ct, void *arg)
{
	struct told *t = arg;
	bool out = is_guest(&t->search, ct, ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV6_SRC);

	(void)type;
	if (!out && !is_guest(&t->search, ct, ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV6_SRC))
		return NFCT_CB_CONTINUE;
	if (t->n < t->room)
		describe(ct, !out, &t->list[t->n]);
	t->n++;
	return NFCT_CB_CONTINUE;
}

long conntrack_flows(const struct host_iface *iface, struct host_flow *list, size_t room)
{
	static const uint32_t families[] = { AF_INET, AF_INET6 };
	struct told t = { .search.iface = iface, .list = list, .room = room };
	struct nfct_handle *h = nfct_open(CONNTRACK, 0);
	int rc = h ? 0 : -errno;

	if (!h)
		return rc;
	nfct_callback_register(h, NFCT_T_ALL, note, &t);
	for (unsigned i = 0; i < 2 && rc == 0; i++)
		rc = nfct_query(h, NFCT_Q_DUMP, &families[i]) < 0 ? -errno : 0;
	nfct_close(h);
	return rc < 0 ? rc : (long)t.n;
}
