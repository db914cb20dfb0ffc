// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/lease.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "dhcp/lease_table.h"

void lease_retire(struct lease_table *t, struct lease *l, enum lease_state state, int64_t now_s)
{
	l->durable_s = 0;
	if (table_in_pool(t, l->ip))
		table_set(t, l, state, now_s, !l->was_bound);
	else
		table_remove(t, l);
}

void lease_end(struct lease_table *t, struct lease *l, enum lease_state state, int64_t now_s)
{
	bool news = l->state == LEASE_BOUND || l->state == LEASE_DECLINED;
	struct lease_record record;

	table_record(l, &record);
	record.state = (uint8_t)state;
	record.expires_wall_s = now_s;
	if (l->state == LEASE_DECLINED)
		table_remove(t, l);	/* it has no guest to be remembered for */
	else
		lease_retire(t, l, state, now_s);
	if (news && t->changed)
		t->changed(t->arg, &record);
}

int64_t lease_expire(struct lease_table *t, int64_t now_s)
{
	struct expiry *e;

	while ((e = expiry_top(&t->heap)) && e->at_s <= now_s) {
		struct lease *l = container_of(e, struct lease, expiry);
		struct lease_port *p = l->owner.port;

		lease_end(t, l, LEASE_EXPIRED, e->at_s);
		table_port_tidy(t, p);
	}
	return e ? e->at_s : LEASE_NEVER;
}

/* lease_may_keep() - may the guest go on with this address, as far as reservations and settings say? */
static bool lease_may_keep(const struct lease_table *t, const struct lease *l)
{
	const struct lease_port *p = l->owner.port, *other = table_reserved(t, l->ip);

	if (!table_may_lease(t, l->ip) || (other && other != p))
		return false;
	/* Its port has a reservation that it could take up now: it shall move there. */
	return !p->reserved || p->reserved == l->ip || table_find(t, p->reserved) ||
	       !table_may_lease(t, p->reserved);
}

/* former_lease() - the address a new MAC behind this port takes over, or NULL
 *
 * A port whose only lease is idle has a guest that changed its network card. With more of them it is a switch or a
 * host of guests, each of which keeps its own.
 */
static struct lease *former_lease(const struct lease_table *t, const struct lease_port *p)
{
	struct lease *l = TAILQ_FIRST(&p->idle);

	if (l && p->nleases - p->ndeclined == 1)
		return l;
	if (!t->conf.one_guest)
		return NULL;
	TAILQ_FOREACH(l, &p->leases, of_port)
		if (l->state != LEASE_DECLINED)
			return l;
	return NULL;
}

static struct lease *orphan_lease(const struct lease_table *t, const uint8_t *mac)
{
	struct lease *l = table_find_orphan(t, mac);

	return l && lease_idle(l) ? l : NULL;
}

/* make_lease() - a lease where there was none, as offered */
static int make_lease(struct lease_table *t, struct lease_port *p, const uint8_t *mac, uint32_t ip, int64_t end_s,
		      struct lease **made)
{
	struct lease *l = table_add(t, ip, p, mac, end_s);

	if (!l) {
		table_return(t, ip);
		return -ENOMEM;
	}
	*made = l;
	return 0;
}

static int give_lease(struct lease_table *t, struct lease *l, struct lease_port *p, const uint8_t *mac,
		      int64_t end_s, struct lease **given)
{
	int rc = table_give(t, l, p, mac, end_s);

	if (!rc)
		*given = l;
	return rc;
}

/* choose() - an address for a guest that has none; the order is lease.h's */
static int choose(struct lease_table *t, struct lease_port *p, const uint8_t *mac, uint32_t wanted, int64_t end_s,
		  struct lease **chosen)
{
	struct lease *l;
	uint32_t ip = 0;

	if (p->reserved && table_may_lease(t, p->reserved) && !table_find(t, p->reserved))
		return make_lease(t, p, mac, p->reserved, end_s, chosen);
	l = former_lease(t, p);
	if (!l && p->nleases >= t->conf.quota) {
		l = TAILQ_FIRST(&p->idle);
		if (!l)
			return -EDQUOT;
	}
	if (!l)
		l = orphan_lease(t, mac);
	if (l)
		return give_lease(t, l, p, mac, end_s, chosen);
	if (t->nleases < t->conf.max_leases)
		ip = table_in_pool(t, wanted) && !table_find(t, wanted) ? wanted : table_fresh(t);
	if (ip)
		return make_lease(t, p, mac, ip, end_s, chosen);
	l = TAILQ_FIRST(&t->idle);
	return l ? give_lease(t, l, p, mac, end_s, chosen) : -ENOSPC;
}

/* forget_lease() - as if the guest had never had this address; it is about to get another */
static void forget_lease(struct lease_table *t, struct lease *l, int64_t now_s)
{
	struct lease_record record;
	bool news = l->state == LEASE_BOUND;

	table_record(l, &record);
	record.state = LEASE_RELEASED;
	record.expires_wall_s = now_s;
	table_remove(t, l);
	if (news && t->changed)
		t->changed(t->arg, &record);
}

int lease_offer(struct lease_table *t, const struct lease_guest *who, uint32_t wanted, int64_t now_s, uint32_t *ip)
{
	int64_t end_s = now_s + t->conf.offer_s;
	struct lease_port *p;
	struct lease *l;
	int rc = 0;

	lease_expire(t, now_s);
	p = table_port_get(t, who->port);
	if (!p)
		return -ENOMEM;
	table_port_set_gone(t, p, false);
	l = table_find_guest(t, p, who->mac);
	if (l && !lease_may_keep(t, l)) {
		forget_lease(t, l, now_s);
		l = NULL;
	}
	if (!l)
		rc = choose(t, p, who->mac, wanted, end_s, &l);
	if (rc < 0) {
		table_port_tidy(t, p);
		return rc;
	}
	if (l->state != LEASE_BOUND)
		table_set(t, l, LEASE_OFFERED, end_s, false);
	*ip = l->ip;
	return 0;
}

static struct lease *own_lease(const struct lease_table *t, const struct lease_guest *who)
{
	struct lease_port *p = table_port(t, who->port);

	return p ? table_find_guest(t, p, who->mac) : NULL;
}

void lease_withdraw(struct lease_table *t, const struct lease_guest *who, int64_t now_s)
{
	struct lease *l = own_lease(t, who);
	struct lease_port *p;

	if (!l || l->state != LEASE_OFFERED)
		return;
	p = l->owner.port;
	lease_retire(t, l, LEASE_EXPIRED, now_s);
	table_port_tidy(t, p);
}

static int adopt_for(struct lease_table *t, struct lease_port *p, const uint8_t *mac, uint32_t ip, int64_t end_s,
		     struct lease **adopted)
{
	struct lease_port *reserved = table_reserved(t, ip);
	struct lease *l = table_find(t, ip);

	if (reserved && reserved != p)
		return -EADDRINUSE;
	if (p->reserved && p->reserved != ip && !table_find(t, p->reserved))
		return -EADDRINUSE;
	if (!reserved && !table_in_pool(t, ip))
		return -ERANGE;
	if (l && l != former_lease(t, p) && l != orphan_lease(t, mac))
		return -EADDRINUSE;
	if (l)
		return give_lease(t, l, p, mac, end_s, adopted);
	if (!reserved && p->nleases >= t->conf.quota)
		return -EDQUOT;
	if (t->nleases >= t->conf.max_leases)
		return -ENOSPC;
	return make_lease(t, p, mac, ip, end_s, adopted);
}

static int adopt_lease(struct lease_table *t, const struct lease_guest *who, uint32_t ip, int64_t end_s,
		       struct lease **adopted)
{
	struct lease_port *p = table_port_get(t, who->port);
	int rc;

	if (!p)
		return -ENOMEM;
	table_port_set_gone(t, p, false);
	rc = adopt_for(t, p, who->mac, ip, end_s, adopted);
	table_port_tidy(t, p);
	return rc;
}

int lease_bind(struct lease_table *t, const struct lease_guest *who, uint32_t ip, bool adopt, uint32_t lease_s,
	       int64_t now_s, struct lease_record *record, bool *durable)
{
	int64_t end_s = lease_s == UINT32_MAX ? LEASE_NEVER : now_s + lease_s;
	struct lease *l;
	int rc;

	lease_expire(t, now_s);
	if (!table_may_lease(t, ip))
		return -ERANGE;
	l = own_lease(t, who);
	if (l && (l->ip != ip || !lease_may_keep(t, l)))
		return -EADDRINUSE;
	if (!l && !adopt)
		return -ENOENT;
	if (!l) {
		rc = adopt_lease(t, who, ip, end_s, &l);
		if (rc < 0)
			return rc;
	}
	table_port_set_gone(t, l->owner.port, false);
	table_say(l, who);
	l->was_bound = true;
	table_set(t, l, LEASE_BOUND, end_s, false);
	*durable = l->durable_s > now_s;
	table_record(l, record);
	return 0;
}

void lease_committed(struct lease_table *t, const struct lease_record *r)
{
	struct lease *l = table_find(t, r->ip);

	if (l && l->state == LEASE_BOUND && r->state == LEASE_BOUND && !memcmp(l->owner.mac, r->mac, MAC_SIZE) &&
	    !strcmp(l->owner.port->name, r->port))
		l->durable_s = r->expires_wall_s;
}

uint32_t lease_durable_left(const struct lease_table *t, const struct lease_guest *who, uint32_t ip, int64_t now_s)
{
	const struct lease *l = own_lease(t, who);

	if (!l || (ip && l->ip != ip) || l->durable_s <= now_s || !lease_may_keep(t, l))
		return 0;
	if (l->durable_s == LEASE_NEVER)
		return UINT32_MAX;
	return (uint32_t)MIN_OF(l->durable_s - now_s, (int64_t)UINT32_MAX - 1);
}

int lease_release(struct lease_table *t, const struct lease_guest *who, uint32_t ip, int64_t now_s,
		  struct lease_record *record)
{
	struct lease *l = own_lease(t, who);
	struct lease_port *p;

	if (!l || l->ip != ip || l->state != LEASE_BOUND)
		return -ENOENT;
	p = l->owner.port;
	table_record(l, record);
	record->state = LEASE_RELEASED;
	record->expires_wall_s = now_s;
	lease_retire(t, l, LEASE_RELEASED, now_s);
	table_port_tidy(t, p);
	return 0;
}

/* A port may let so many addresses rest; what it declines beyond that is only taken from it. */
int lease_decline(struct lease_table *t, const struct lease_guest *who, uint32_t ip, int64_t now_s,
		  struct lease_record *record)
{
	struct lease *l = own_lease(t, who);
	struct lease_port *p;

	if (!l || l->ip != ip || lease_idle(l))
		return -ENOENT;
	p = l->owner.port;
	if (p->ndeclined < t->conf.declines) {
		l->durable_s = 0;
		table_set(t, l, LEASE_DECLINED, now_s + t->conf.decline_s, false);
		table_record(l, record);
		return 0;
	}
	table_record(l, record);
	record->state = LEASE_RELEASED;
	record->expires_wall_s = now_s;
	table_remove(t, l);
	table_port_tidy(t, p);
	return 0;
}
