// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/names.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <urcu/urcu-qsbr.h>
#include <urcu/rculfhash.h>

#include "base/array.h"
#include "base/hash.h"
#include "dhcp/names_parts.h"
#include "dhcp/names_peer.h"

/* One allocation of no more bytes than it takes, for an answer costs as much as the cache lines it is put together from: the entry, its
 * records, the wire form of its name, lower-case, and the records' data. Immutable once in the table but for `children`, which only the
 * writer uses.
 */
struct entry {
	struct cds_lfht_node node;
	struct rcu_head rcu;
	struct name_set set;
	unsigned children;		/* entries one label below; they keep an entry without records alive */
	uint8_t name_size;
	struct name_record records[];
};

struct names {
	struct cds_lfht *table;
	struct dns_name origin;		/* lower-case */
	const struct names *outer;
	struct names_peers *peers;	/* replaced whole */
	unsigned nnames;
	void (*changed)(void *arg);	/* or NULL */
	void *changed_arg;
	atomic_uint nwild;		/* of these wildcards; the only thing here that changes under a reader's eyes */
};

enum { FEW = 4, MANY = 64 };		/* buckets to begin with */

static void free_rcu(struct rcu_head *head)
{
	free(container_of(head, struct entry, rcu));
}

static const uint8_t *wire_of(const struct entry *e)
{
	return (const uint8_t *)(e->records + e->set.n);
}

static struct dns_name name_of(const struct entry *e)
{
	struct dns_name name = { .size = e->name_size };

	memcpy(name.wire, wire_of(e), e->name_size);
	return name;
}

static int match(struct cds_lfht_node *node, const void *key)
{
	const struct entry *e = container_of(node, struct entry, node);
	const struct dns_name *name = key;

	return e->name_size == name->size && !memcmp(wire_of(e), name->wire, name->size);
}

uint64_t names_hash(const struct dns_name *lower)
{
	return hash_bytes(lower->wire, lower->size, hash_seed());
}

static struct entry *find_hashed(const struct names *t, const struct dns_name *name, uint64_t hash)
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;

	cds_lfht_lookup(t->table, (unsigned long)hash, match, name, &iter);
	node = cds_lfht_iter_get_node(&iter);
	return node ? container_of(node, struct entry, node) : NULL;
}

static struct entry *find(const struct names *t, const struct dns_name *name)
{
	return find_hashed(t, name, names_hash(name));
}

const struct name_set *names_find_hashed(const struct names *t, const struct dns_name *lower, uint64_t hash)
{
	struct entry *e = find_hashed(t, lower, hash);

	return e ? &e->set : NULL;
}

const struct name_set *names_find(const struct names *t, const struct dns_name *lower)
{
	return names_find_hashed(t, lower, names_hash(lower));
}

/* RFC 4592 2.1.1 */
static bool is_wild(const struct dns_name *name)
{
	return name->wire[0] == 1 && name->wire[1] == '*';
}

bool names_any_wild(const struct names *t)
{
	while (t && !atomic_load_explicit(&t->nwild, memory_order_relaxed))
		t = t->outer;
	return t;
}

/* count() - @d names more, or fewer */
static void count(struct names *t, const struct dns_name *name, int d)
{
	t->nnames += (unsigned)d;
	if (is_wild(name))
		atomic_fetch_add_explicit(&t->nwild, (unsigned)d, memory_order_relaxed);
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
	free(t->peers);
	free(t);
}

static void free_peers(struct rcu_head *head)
{
	free(container_of(head, struct names_peers, rcu));
}

void names_set_peers(struct names *t, struct names_peers *peers)
{
	struct names_peers *old = rcu_xchg_pointer(&t->peers, peers);

	if (old)
		urcu_qsbr_call_rcu(&old->rcu, free_peers);
}

const struct names_peers *names_peers(const struct names *t)
{
	return t ? rcu_dereference(t->peers) : NULL;
}

unsigned names_count(const struct names *t)
{
	return t->nnames;
}

/* entry_new() - an entry with these records, whose data is copied */
static struct entry *entry_new(const struct dns_name *name, const struct name_record *records, unsigned n,
			       unsigned children)
{
	size_t size = sizeof(struct entry) + n * sizeof(*records) + name->size;
	struct entry *e;
	uint8_t *to;

	for (unsigned i = 0; i < n; i++)
		size += records[i].size;
	e = malloc(size);
	if (!e)
		return NULL;
	cds_lfht_node_init(&e->node);
	e->children = children;
	e->name_size = name->size;
	e->set = (struct name_set){ .n = n, .records = e->records };
	to = (uint8_t *)(e->records + n);
	memcpy(to, name->wire, name->size);
	to += name->size;
	for (unsigned i = 0; i < n; i++) {
		memcpy(to, records[i].rdata, records[i].size);
		e->records[i] = records[i];
		e->records[i].rdata = to;
		to += records[i].size;
	}
	return e;
}

static void drop(struct names *t, struct entry *e)
{
	struct dns_name name = name_of(e);

	count(t, &name, -(e->set.n != 0));
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
		cds_lfht_add(t->table, (unsigned long)names_hash(&up), &e->node);
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

static int store(struct names *t, const struct dns_name *name, const struct name_record *records, unsigned n)
{
	struct entry *old = find(t, name), *e;

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
	count(t, name, (n != 0) - (old && old->set.n));
	if (old) {
		cds_lfht_add_replace(t->table, (unsigned long)names_hash(name), match, name, &e->node);
		urcu_qsbr_call_rcu(&old->rcu, free_rcu);
	} else {
		cds_lfht_add(t->table, (unsigned long)names_hash(name), &e->node);
		hold_parents(t, name);
	}
	return 0;
}

int names_store(struct names *t, const struct dns_name *name, const struct name_record *records, unsigned n)
{
	int rc = store(t, name, records, n);

	if (t->changed)
		t->changed(t->changed_arg);
	return rc;
}

void names_on_change(struct names *t, void (*fn)(void *arg), void *arg)
{
	t->changed = fn;
	t->changed_arg = arg;
}

void names_each(const struct names *t, void (*fn)(void *arg, const struct dns_name *name, const struct name_set *set), void *arg)
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *node;
	const struct entry *e;
	struct dns_name name;

	for (cds_lfht_first(t->table, &iter); (node = cds_lfht_iter_get_node(&iter)); cds_lfht_next(t->table, &iter)) {
		e = container_of(node, struct entry, node);
		name = name_of(e);
		if (e->set.n)
			fn(arg, &name, &e->set);
	}
}

const struct dns_name *names_origin(const struct names *t)
{
	return &t->origin;
}

unsigned names_keep(const struct names *t, const struct dns_name *name, uint16_t type, bool host, struct name_record *to)
{
	const struct entry *e = find(t, name);
	unsigned n = 0;

	for (unsigned i = 0; e && i < e->set.n; i++)
		if (e->records[i].type != type || e->records[i].host != host)
			to[n++] = e->records[i];
	return n;
}

int names_replace(struct names *t, const struct dns_name *name, uint16_t type, bool host, const uint8_t *rdata, size_t size)
{
	struct name_record records[NAMES_RECORDS_MAX + 1];
	unsigned n = names_keep(t, name, type, host, records);

	if (rdata)
		records[n++] = (struct name_record){ .type = type, .size = (uint16_t)size, .host = host, .rdata = rdata };
	return names_store(t, name, records, n);
}

static bool same(const struct name_record *a, const struct dns_record *b)
{
	return a->type == b->type && a->size == b->size && !memcmp(a->rdata, b->rdata, b->size);
}

int names_add(struct names *t, const struct dns_name *owner, const struct dns_record *record)
{
	struct name_record records[NAMES_RECORDS_MAX + 1];
	struct dns_name name = *owner;
	const struct entry *old;
	unsigned n;

	dns_name_lower(&name);
	old = find(t, &name);
	for (unsigned i = 0; old && i < old->set.n; i++) {
		if (same(&old->records[i], record) && !old->records[i].host)
			return 0;
		if ((old->records[i].type == DNS_CNAME) || (record->type == DNS_CNAME))
			return -EEXIST;
	}
	n = names_keep(t, &name, 0, false, records);
	if (n == NAMES_RECORDS_MAX)
		return -ENOSPC;
	records[n++] = (struct name_record){ .type = record->type, .size = record->size, .rdata = record->rdata };
	return names_store(t, &name, records, n);
}

/* alone() - is the CNAME among them, if there is one, the only one? (RFC 2181 10.1) */
static bool alone(const struct name_record *records, unsigned n)
{
	for (unsigned i = 0; n > 1 && i < n; i++)
		if (records[i].type == DNS_CNAME)
			return false;
	return true;
}

int names_assign(struct names *t, const struct dns_name *owner, const struct dns_record *records, unsigned n)
{
	struct name_record all[NAMES_RECORDS_MAX];
	struct dns_name name = *owner;
	const struct entry *old;
	unsigned kept = 0;

	dns_name_lower(&name);
	old = find(t, &name);
	for (unsigned i = 0; old && i < old->set.n; i++)
		if (old->records[i].host)
			all[kept++] = old->records[i];
	if (n > NAMES_RECORDS_MAX - kept)
		return -ENOSPC;
	for (unsigned i = 0; i < n; i++)
		all[kept + i] = (struct name_record){ .type = records[i].type, .size = records[i].size, .rdata = records[i].rdata };
	return alone(all, kept + n) ? names_store(t, &name, all, kept + n) : -EEXIST;
}

int names_remove(struct names *t, const struct dns_name *owner, uint16_t type)
{
	struct dns_name name = *owner;
	const struct entry *old;

	dns_name_lower(&name);
	old = find(t, &name);
	for (unsigned i = 0; old && i < old->set.n; i++)
		if (old->records[i].type == type && !old->records[i].host)
			return names_replace(t, &name, type, false, NULL, 0);
	return -ENOENT;
}
