// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/names.h"

#include <errno.h>
#include <stdlib.h>
#include <urcu/urcu-qsbr.h>
#include <urcu/rculfhash.h>

#include "base/array.h"
#include "base/hash.h"

/* One allocation: the entry, its records, and their data. Immutable once in the table but for `children`, which
 * only the writer uses.
 */
struct entry {
	struct cds_lfht_node node;
	struct rcu_head rcu;
	struct name_set set;
	struct dns_name name;		/* lower-case */
	unsigned children;		/* entries one label below; they keep an entry without records alive */
	struct name_record records[];
};

struct names {
	struct cds_lfht *table;
	struct dns_name origin;		/* lower-case */
	const struct names *outer;
	uint64_t seed;
	unsigned nnames;
};

enum { FEW = 4, MANY = 64 };		/* buckets to begin with */

static void free_rcu(struct rcu_head *head)
{
	free(container_of(head, struct entry, rcu));
}

static int match(struct cds_lfht_node *node, const void *key)
{
	const struct entry *e = container_of(node, struct entry, node);
	const struct dns_name *name = key;

	return e->name.size == name->size && !memcmp(e->name.wire, name->wire, name->size);
}

static unsigned long hash_of(const struct names *t, const struct dns_name *name)
{
	return (unsigned long)hash_bytes(name->wire, name->size, t->seed);
}

static struct entry *find(const struct names *t, const struct dns_name *name)
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;

	cds_lfht_lookup(t->table, hash_of(t, name), match, name, &iter);
	node = cds_lfht_iter_get_node(&iter);
	return node ? container_of(node, struct entry, node) : NULL;
}

const struct name_set *names_find(const struct names *t, const struct dns_name *lower)
{
	struct entry *e = find(t, lower);

	return e ? &e->set : NULL;
}

static struct names *make(const struct dns_name *origin, unsigned long buckets, int flags)
{
	struct names *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->table = cds_lfht_new_flavor(buckets, buckets, 0, flags, &urcu_qsbr_flavor, NULL);
	if (!t->table) {
		free(t);
		return NULL;
	}
	t->seed = hash_seed();
	t->origin = *origin;
	dns_name_lower(&t->origin);
	return t;
}

struct names *names_new(const struct dns_name *origin)
{
	return make(origin, MANY, CDS_LFHT_AUTO_RESIZE | CDS_LFHT_ACCOUNTING);
}

struct names *names_new_within(const struct names *outer, bool few)
{
	struct names *t = few ? make(&outer->origin, FEW, 0) : names_new(&outer->origin);

	if (t)
		t->outer = outer;
	return t;
}

const struct names *names_outer(const struct names *t)
{
	return t->outer;
}

/* Destroying waits for a resize under way, which waits for a grace period, which must not wait for us. */
void names_free(struct names *t)
{
	bool online = urcu_qsbr_read_ongoing();
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;

	if (!t)
		return;
	for (cds_lfht_first(t->table, &iter); (node = cds_lfht_iter_get_node(&iter));
	     cds_lfht_next(t->table, &iter)) {
		cds_lfht_del(t->table, node);
		urcu_qsbr_call_rcu(&container_of(node, struct entry, node)->rcu, free_rcu);
	}
	if (online)
		urcu_qsbr_thread_offline();
	cds_lfht_destroy(t->table, NULL);
	if (online)
		urcu_qsbr_thread_online();
	free(t);
}

unsigned names_count(const struct names *t)
{
	return t->nnames;
}

/* entry_new() - an entry with these records, whose data is copied */
static struct entry *entry_new(const struct dns_name *name, const struct name_record *records, unsigned n,
			       unsigned children)
{
	size_t head = sizeof(struct entry) + n * sizeof(*records), size = head;
	struct entry *e;

	for (unsigned i = 0; i < n; i++)
		size += records[i].size;
	e = malloc(size);
	if (!e)
		return NULL;
	cds_lfht_node_init(&e->node);
	e->name = *name;
	e->children = children;
	e->set = (struct name_set){ .n = n, .records = e->records };
	for (unsigned i = 0; i < n; i++) {
		uint8_t *to = (uint8_t *)e + head;

		memcpy(to, records[i].rdata, records[i].size);
		e->records[i] = records[i];
		e->records[i].rdata = to;
		head += records[i].size;
	}
	return e;
}

static void drop(struct names *t, struct entry *e)
{
	t->nnames -= e->set.n != 0;
	cds_lfht_del(t->table, &e->node);
	urcu_qsbr_call_rcu(&e->rcu, free_rcu);
}

/* parent_of() - the name one label up, as long as it lies below the origin: others are none of ours to keep alive */
static bool parent_of(const struct names *t, const struct dns_name *name, struct dns_name *parent)
{
	if (!dns_name_below(name, &t->origin) || name->size == t->origin.size)
		return false;
	dns_name_strip(parent, name, 1);
	return parent->size > t->origin.size;
}

/* hold_parents() - a new entry keeps those above it; without memory for one, it is answered as missing, and no
 * worse
 */
static void hold_parents(struct names *t, const struct dns_name *name)
{
	struct dns_name at = *name, up;

	while (parent_of(t, &at, &up)) {
		struct entry *e = find(t, &up);

		if (e) {
			e->children++;
			return;
		}
		e = entry_new(&up, NULL, 0, 1);
		if (!e)
			return;
		cds_lfht_add(t->table, hash_of(t, &up), &e->node);
		at = up;
	}
}

static void release_parents(struct names *t, const struct dns_name *name)
{
	struct dns_name at = *name, up;

	while (parent_of(t, &at, &up)) {
		struct entry *e = find(t, &up);

		if (!e || (e->children && --e->children) || e->set.n)
			return;
		drop(t, e);
		at = up;
	}
}

/* store() - let readers see these records under this name, instead of what was there */
static int store(struct names *t, const struct dns_name *name, struct entry *old,
		 const struct name_record *records, unsigned n)
{
	struct entry *e;

	if (!n && (!old || !old->children)) {
		if (old) {
			drop(t, old);
			release_parents(t, name);
		}
		return 0;
	}
	if (n > NAMES_RECORDS_MAX || (!old && t->nnames >= NAMES_MAX))
		return -ENOSPC;
	e = entry_new(name, records, n, old ? old->children : 0);
	if (!e)
		return -ENOMEM;
	t->nnames += (n != 0) - (old && old->set.n);
	if (old) {
		cds_lfht_add_replace(t->table, hash_of(t, name), match, name, &e->node);
		urcu_qsbr_call_rcu(&old->rcu, free_rcu);
	} else {
		cds_lfht_add(t->table, hash_of(t, name), &e->node);
		hold_parents(t, name);
	}
	return 0;
}

/* keep() - copy the records of @e that are not of this type and source to @to. Return: how many. */
static unsigned keep(const struct entry *e, uint16_t type, bool host, struct name_record *to)
{
	unsigned n = 0;

	for (unsigned i = 0; e && i < e->set.n; i++)
		if (e->records[i].type != type || e->records[i].host != host)
			to[n++] = e->records[i];
	return n;
}

static int replace(struct names *t, const struct dns_name *name, uint16_t type, bool host, const uint8_t *rdata,
		   size_t size)
{
	struct name_record records[NAMES_RECORDS_MAX + 1];
	struct entry *old = find(t, name);
	unsigned n = keep(old, type, host, records);

	if (rdata)
		records[n++] = (struct name_record){ .type = type, .size = (uint16_t)size, .host = host, .rdata = rdata };
	return store(t, name, old, records, n);
}

static int host_name(const struct names *t, const char *label, struct dns_name *name)
{
	struct dns_name n;

	if (dns_name_from_text(&n, label) < 0 || dns_name_labels(&n) != 1 ||
	    dns_name_join(name, &n, &t->origin) < 0)
		return -EINVAL;
	dns_name_lower(name);
	return 0;
}

static const struct name_record *host_address(const struct names *t, const struct dns_name *name)
{
	const struct entry *e = find(t, name);

	for (unsigned i = 0; e && i < e->set.n; i++)
		if (e->records[i].host && e->records[i].type == DNS_A)
			return &e->records[i];
	return NULL;
}

/* leads_back() - does the reverse name of @ip lead to this host? */
static bool leads_back(const struct names *t, struct addr ip, const struct dns_name *name)
{
	struct dns_name reverse;
	const struct entry *e;

	dns_name_reverse(&reverse, ip);
	e = find(t, &reverse);
	for (unsigned i = 0; e && i < e->set.n; i++) {
		const struct name_record *r = &e->records[i];

		if (r->host && r->size == name->size && !memcmp(r->rdata, name->wire, name->size))
			return true;
	}
	return false;
}

/* remove_reverse() - the way back from @ip, as long as it leads to this host and not to one that took the
 * address over
 */
static void remove_reverse(struct names *t, struct addr ip, const struct dns_name *name)
{
	struct dns_name reverse;

	if (!leads_back(t, ip, name))
		return;
	dns_name_reverse(&reverse, ip);
	replace(t, &reverse, DNS_PTR, true, NULL, 0);
}

int names_set_host(struct names *t, const char *label, uint32_t ip)
{
	const struct name_record *had;
	struct dns_name name, reverse;
	uint8_t a[4];
	int rc = host_name(t, label, &name);

	if (rc < 0)
		return rc;
	had = host_address(t, &name);
	if (had && get_u32(had->rdata) == ip && leads_back(t, addr4(ip), &name))
		return 0;
	if (had && get_u32(had->rdata) != ip)
		remove_reverse(t, addr4(get_u32(had->rdata)), &name);
	put_u32(a, ip);
	rc = replace(t, &name, DNS_A, true, a, sizeof(a));
	if (rc < 0)
		return rc;
	dns_name_reverse4(&reverse, ip);
	return replace(t, &reverse, DNS_PTR, true, name.wire, name.size);
}

static bool among(const struct addr *list, unsigned n, struct addr a)
{
	while (n && !addr_equal(list[n - 1], a))
		n--;
	return n > 0;
}

/* same6() - are these its AAAA records already? Takes the way back from those that are not to stay. */
static bool same6(struct names *t, const struct dns_name *name, const struct addr *list, unsigned n)
{
	const struct entry *e = find(t, name);
	bool same = true;
	unsigned had = 0;

	for (unsigned i = 0; e && i < e->set.n; i++) {
		const struct name_record *r = &e->records[i];

		if (!r->host || r->type != DNS_AAAA)
			continue;
		had++;
		if (among(list, n, addr6(r->rdata)))
			same = same && leads_back(t, addr6(r->rdata), name);
		else
			remove_reverse(t, addr6(r->rdata), name);
	}
	return same && had == n;
}

int names_set_host6(struct names *t, const char *label, const struct addr *list, unsigned n)
{
	struct name_record records[NAMES_RECORDS_MAX + NAMES_HOST6_MAX];
	struct dns_name name, reverse;
	int rc = host_name(t, label, &name);
	unsigned kept;

	n = MIN_OF(n, (unsigned)NAMES_HOST6_MAX);
	if (rc < 0 || same6(t, &name, list, n))
		return rc;
	kept = keep(find(t, &name), DNS_AAAA, true, records);
	for (unsigned i = 0; i < n; i++)
		records[kept + i] = (struct name_record){ .type = DNS_AAAA, .size = ADDR_SIZE, .host = true, .rdata = list[i].bytes };
	rc = store(t, &name, find(t, &name), records, kept + n);
	for (unsigned i = 0; rc == 0 && i < n; i++) {
		dns_name_reverse(&reverse, list[i]);
		rc = replace(t, &reverse, DNS_PTR, true, name.wire, name.size);
	}
	return rc;
}

static void remove_host4(struct names *t, const struct dns_name *name)
{
	const struct name_record *had = host_address(t, name);

	if (!had)
		return;
	remove_reverse(t, addr4(get_u32(had->rdata)), name);
	replace(t, name, DNS_A, true, NULL, 0);
}

void names_remove_host(struct names *t, const char *label)
{
	struct dns_name name;

	if (host_name(t, label, &name) < 0)
		return;
	remove_host4(t, &name);
	names_set_host6(t, label, NULL, 0);
}

void names_remove_host_at(struct names *t, const char *label, uint32_t ip)
{
	const struct name_record *had;
	struct dns_name name;

	had = host_name(t, label, &name) == 0 ? host_address(t, &name) : NULL;
	if (had && get_u32(had->rdata) == ip)
		remove_host4(t, &name);
}

static bool same(const struct name_record *a, const struct dns_record *b)
{
	return a->type == b->type && a->size == b->size && !memcmp(a->rdata, b->rdata, b->size);
}

int names_add(struct names *t, const struct dns_name *owner, const struct dns_record *record)
{
	struct name_record records[NAMES_RECORDS_MAX + 1];
	struct dns_name name = *owner;
	struct entry *old;
	unsigned n;

	dns_name_lower(&name);
	old = find(t, &name);
	for (unsigned i = 0; old && i < old->set.n; i++) {
		if (same(&old->records[i], record) && !old->records[i].host)
			return 0;
		if ((old->records[i].type == DNS_CNAME) || (record->type == DNS_CNAME))
			return -EEXIST;
	}
	n = keep(old, 0, false, records);
	if (n == NAMES_RECORDS_MAX)
		return -ENOSPC;
	records[n++] = (struct name_record){ .type = record->type, .size = record->size, .rdata = record->rdata };
	return store(t, &name, old, records, n);
}

int names_remove(struct names *t, const struct dns_name *owner, uint16_t type)
{
	struct dns_name name = *owner;
	const struct entry *old;

	dns_name_lower(&name);
	old = find(t, &name);
	for (unsigned i = 0; old && i < old->set.n; i++)
		if (old->records[i].type == type && !old->records[i].host)
			return replace(t, &name, type, false, NULL, 0);
	return -ENOENT;
}
