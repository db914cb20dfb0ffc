// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/lease.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "dhcp/lease_table.h"

enum { SQUATTED_MAX = 8 };	/* addresses in a row that somebody has; the guest asks again */

void lease_retire(struct lease_table *t, struct lease *l, enum lease_state state, int64_t now_s)
{
	l->durable_s = 0;
	if (table_pool(t, l->ip) >= 0)
		table_set(t, l, state, now_s, !l->was_bound);
	else
		table_remove(t, l);
}

void lease_end(struct lease_table *t, struct lease *l, enum lease_state state, int64_t now_s)
{
	bool news = l->state == LEASE_BOUND || (l->state == LEASE_DECLINED && !l->squatted);
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
static bool lease_may_keep(const struct lease_table *t, const struct lease *l, const struct lease_guest *who)
{
	int pool = table_pool(t, l->ip);

	if (!table_may_lease(t, l->ip))
		return false;
	if (l->ip == who->reserved)
		return true;
	if (table_reserved(t, l->ip) || (pool >= 0 && (unsigned)pool != who->pool))
		return false;		/* what is in no pool any more may be kept */
	/* It has a reservation that it could take up now: it shall move there. */
	return !who->reserved || table_find(t, who->reserved) || !table_may_lease(t, who->reserved);
}

/* former_lease() - the address a new MAC behind this port takes over, or NULL
 *
 * A port whose only lease is idle has a guest that changed its network card. With more of them it is a switch or a
 * host of guests, each of which keeps its own.
 */
static struct lease *former_lease(const struct lease_table *t, const struct lease_port *p, const struct lease_guest *who)
{
	struct lease *l = TAILQ_FIRST(&p->idle);

	if (l && p->nleases - p->ndeclined == 1)
		return lease_may_keep(t, l, who) ? l : NULL;
	if (!t->conf.one_guest)
		return NULL;
	TAILQ_FOREACH(l, &p->leases, of_port)
		if (l->state != LEASE_DECLINED)
			return lease_may_keep(t, l, who) ? l : NULL;
	return NULL;
}

static struct lease *orphan_lease(const struct lease_table *t, const struct lease_guest *who)
{
	struct lease *l = table_find_orphan(t, who->mac);

	return l && lease_idle(l) && lease_may_keep(t, l, who) ? l : NULL;
}

/* make_lease() - a lease where there was none, as offered */
static int make_lease(struct lease_table *t, struct lease_port *p, const uint8_t *mac, uint32_t ip, int64_t end_s,
		      struct lease **made)
{
	struct lease *l = table_add(t, ip, p, mac, end_s);

	if (!l)
		return -ENOMEM;
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

/* choice - an address for a guest: somebody's idle one, or one that nobody has */
struct choice {
	enum lease_why why;
	struct lease *l;
	uint32_t ip;		/* without l */
};

static bool chosen(struct choice *c, enum lease_why why, struct lease *l, uint32_t ip)
{
	*c = (struct choice){ .why = why, .l = l, .ip = ip };
	return l || ip;
}

/* own_idlest() - the port's own address of the guest's pool that is idle longest, or NULL */
static struct lease *own_idlest(const struct lease_port *p, unsigned pool)
{
	struct lease *l;

	TAILQ_FOREACH(l, &p->idle, idle_of_port)
		if (l->pool == pool)
			return l;
	return NULL;
}

/* choose_new() - an address of the pool that was never the guest's */
static int choose_new(struct lease_table *t, const struct lease_guest *who, uint32_t wanted, struct choice *c)
{
	struct lease *l = who->pool < t->npools ? TAILQ_FIRST(&t->pools[who->pool].idle) : NULL;

	if (t->nleases < t->conf.max_leases) {
		if (table_pool(t, wanted) == (int)who->pool && !table_find(t, wanted))
			return chosen(c, LEASE_WHY_WANTED, NULL, wanted) ? 0 : -ENOSPC;
		if (chosen(c, LEASE_WHY_FRESH, NULL, table_fresh(t, who->pool)))
			return 0;
	}
	return chosen(c, LEASE_WHY_IDLEST, l, 0) ? 0 : -ENOSPC;
}

/* choose() - for a guest that has none, or none that it may keep; the order is lease.h's. Changes nothing.
 * @p:	its port, or NULL when nobody there has or had an address
 * @mine:	the one that it may not keep, or NULL
 */
static int choose(struct lease_table *t, const struct lease_port *p, const struct lease_guest *who, const struct lease *mine,
		  uint32_t wanted, struct choice *c)
{
	if (who->reserved && table_may_lease(t, who->reserved) && !table_find(t, who->reserved) &&
	    chosen(c, LEASE_WHY_RESERVED, NULL, who->reserved))
		return 0;
	if (p && chosen(c, LEASE_WHY_PORT_HAD, former_lease(t, p, who), 0))
		return 0;
	if (p && p->nleases - (mine != NULL) >= t->conf.quota)
		return chosen(c, LEASE_WHY_SHARE, own_idlest(p, who->pool), 0) ? 0 : -EDQUOT;
	if (chosen(c, LEASE_WHY_MAC_HAD, orphan_lease(t, who), 0))
		return 0;
	return choose_new(t, who, wanted, c);
}

static int take(struct lease_table *t, const struct choice *c, struct lease_port *p, const uint8_t *mac, int64_t end_s,
		struct lease **taken)
{
	return c->l ? give_lease(t, c->l, p, mac, end_s, taken) : make_lease(t, p, mac, c->ip, end_s, taken);
}

static struct lease *own_lease(const struct lease_table *t, const struct lease_guest *who)
{
	struct lease_port *p = table_port(t, who->port);

	return p ? table_find_guest(t, p, who->mac) : NULL;
}

int lease_trial(struct lease_table *t, const struct lease_guest *who, uint32_t wanted, uint32_t *ip, enum lease_why *why)
{
	struct lease *own = own_lease(t, who);
	struct choice c = { .l = own };
	int rc = 0;

	if (own && lease_may_keep(t, own, who))
		c.why = own->ip == who->reserved ? LEASE_WHY_RESERVED : lease_idle(own) ? LEASE_WHY_HAD : LEASE_WHY_HAS;
	else
		rc = choose(t, table_port(t, who->port), who, own, wanted, &c);
	if (rc < 0)
		return rc;
	*ip = c.l ? c.l->ip : c.ip;
	*why = c.why;
	return 0;
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

/* is_new() - was it never this guest's? What is set aside for it, or was its own, it is given whoever claims it. */
static bool is_new(const struct choice *c, const struct lease *mine)
{
	return (c->why == LEASE_WHY_WANTED || c->why == LEASE_WHY_FRESH || c->why == LEASE_WHY_IDLEST) && !(mine && c->l == mine);
}

/* offer_new() - hold another address for a guest than @mine, which is forgotten (NULL: it has none) */
static int offer_new(struct lease_table *t, const struct lease_guest *who, struct lease *mine, uint32_t wanted, int64_t now_s,
		     struct lease **offered)
{
	struct lease_port *p = table_port_get(t, who->port);
	unsigned tries = 0;
	struct choice c;
	int rc;

	if (!p)
		return -ENOMEM;
	table_port_set_gone(t, p, false);
	do
		rc = choose(t, p, who, mine, wanted, &c);
	while (rc == 0 && tries++ < SQUATTED_MAX && is_new(&c, mine) && lease_squatted(t, who, c.ip ? c.ip : c.l->ip, c.l, now_s));
	if (mine)
		forget_lease(t, mine, now_s);
	if (rc == 0)
		rc = take(t, &c, p, who->mac, now_s + t->conf.offer_s, offered);
	table_port_tidy(t, p);
	return rc;
}

int lease_offer(struct lease_table *t, const struct lease_guest *who, uint32_t wanted, int64_t now_s, uint32_t *ip)
{
	struct lease *l;
	int rc;

	lease_expire(t, now_s);
	l = own_lease(t, who);
	if (!l || !lease_may_keep(t, l, who)) {
		rc = offer_new(t, who, l, wanted, now_s, &l);
		if (rc < 0)
			return rc;
	}
	table_port_set_gone(t, l->owner.port, false);
	if (l->state != LEASE_BOUND)
		table_set(t, l, LEASE_OFFERED, now_s + t->conf.offer_s, false);
	*ip = l->ip;
	return 0;
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

/* adopt_check() - may the guest have this very address, which it says it has? @l: who has it in our books, or NULL */
static int adopt_check(const struct lease_table *t, const struct lease_port *p, const struct lease_guest *who, uint32_t ip,
		       const struct lease *l)
{
	bool mine = who->reserved == ip;

	if (!mine && (table_reserved(t, ip) || (who->reserved && !table_find(t, who->reserved))))
		return -EADDRINUSE;
	if (!mine && table_pool(t, ip) < 0)
		return -ERANGE;
	if (!mine && table_pool(t, ip) != (int)who->pool)
		return -EADDRINUSE;
	if (l)
		return l == former_lease(t, p, who) || l == orphan_lease(t, who) ? 0 : -EADDRINUSE;
	if (!mine && p->nleases >= t->conf.quota)
		return -EDQUOT;
	return t->nleases >= t->conf.max_leases ? -ENOSPC : 0;
}

static int adopt_lease(struct lease_table *t, const struct lease_guest *who, uint32_t ip, int64_t end_s,
		       struct lease **adopted)
{
	struct lease_port *p = table_port_get(t, who->port);
	struct choice c = { .l = table_find(t, ip), .ip = ip };
	int rc;

	if (!p)
		return -ENOMEM;
	table_port_set_gone(t, p, false);
	rc = adopt_check(t, p, who, ip, c.l);
	if (rc == 0)
		rc = take(t, &c, p, who->mac, end_s, adopted);
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
	if (l && (l->ip != ip || !lease_may_keep(t, l, who)))
		return -EADDRINUSE;
	if (!l && !adopt)
		return -ENOENT;
	if (l && l->state == LEASE_OFFERED && !l->was_bound && ip != who->reserved && lease_squatted(t, who, ip, l, now_s))
		return -EADDRINUSE;
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

bool lease_committed(struct lease_table *t, const struct lease_record *r)
{
	struct lease *l = table_find(t, r->ip);

	if (!l || l->state != LEASE_BOUND || r->state != LEASE_BOUND || memcmp(l->owner.mac, r->mac, MAC_SIZE) ||
	    strcmp(l->owner.port->name, r->port))
		return false;
	l->durable_s = r->expires_wall_s;
	return true;
}

uint32_t lease_durable_left(const struct lease_table *t, const struct lease_guest *who, uint32_t ip, int64_t now_s)
{
	const struct lease *l = own_lease(t, who);

	if (!l || (ip && l->ip != ip) || l->durable_s <= now_s || !lease_may_keep(t, l, who))
		return 0;
	if (l->durable_s == LEASE_NEVER)
		return UINT32_MAX;
	return (uint32_t)MIN_OF(l->durable_s - now_s, (int64_t)UINT32_MAX - 1);
}

/* names_itself() - does the guest name the client-id to which the lease is bound? (RFC 2131 4.2: it shall be the same in all messages) */
static bool names_itself(const struct lease *l, const struct lease_guest *who)
{
	size_t said = who->client_id ? MIN_OF(who->client_id_size, (size_t)LEASE_CLIENT_ID_MAX) : 0;
	struct lease_said bound = table_said(l);

	return l->state != LEASE_BOUND || (bound.client_id_size == said && (!said || !memcmp(bound.client_id, who->client_id, said)));
}

size_t lease_circuit(const struct lease_table *t, const struct lease_guest *who, uint32_t ip, uint8_t circuit[LEASE_CIRCUIT_MAX])
{
	const struct lease *l = own_lease(t, who);
	struct lease_said said;

	if (!l || l->ip != ip || l->state != LEASE_BOUND)
		return 0;
	said = table_said(l);
	if (said.circuit_size)
		memcpy(circuit, said.circuit, said.circuit_size);
	return said.circuit_size;
}

int lease_release(struct lease_table *t, const struct lease_guest *who, uint32_t ip, int64_t now_s,
		  struct lease_record *record)
{
	struct lease *l = own_lease(t, who);
	struct lease_port *p;

	if (!l || l->ip != ip || l->state != LEASE_BOUND || !names_itself(l, who))
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

	if (!l || l->ip != ip || lease_idle(l) || !names_itself(l, who))
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
