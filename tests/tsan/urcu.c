// SPDX-License-Identifier: GPL-2.0-or-later
/* tests/tsan/urcu.c - tell ThreadSanitizer what liburcu orders
 *
 * Debian's liburcu is not instrumented: to the sanitizer, a pointer that was published, a node that was added and a grace
 * period that passed order nothing, and every reader races with the writer. With SAN=thread the linker sends the calls
 * below through here (--wrap), where the order that each function's manual promises is stated:
 *
 *	publish (xchg, set, add)		before	dereference, lookup, next
 *	a reader's quiescent state or end	before	synchronize_rcu() returns, call_rcu()'s callback runs
 *	call_rcu()				before	its callback
 */
#include <semaphore.h>
#include <stdlib.h>

#include <pthread.h>
#include <urcu-qsbr.h>
#include <urcu/rculfhash.h>

void __tsan_acquire(void *addr);
void __tsan_release(void *addr);

static char grace;	/* an address for what readers and reclaimers agree on */

/* --- pointers --- */

void *__real_rcu_xchg_pointer_sym(void **p, void *v);
void *__real_rcu_set_pointer_sym(void **p, void *v);
void *__wrap_rcu_xchg_pointer_sym(void **p, void *v);
void *__wrap_rcu_set_pointer_sym(void **p, void *v);
void *__wrap_rcu_dereference_sym(void *p);

void *__wrap_rcu_xchg_pointer_sym(void **p, void *v)
{
	void *old;

	__tsan_release(p);
	if (v)
		__tsan_release(v);
	old = __real_rcu_xchg_pointer_sym(p, v);
	__tsan_acquire(p);
	return old;
}

void *__wrap_rcu_set_pointer_sym(void **p, void *v)
{
	if (v)
		__tsan_release(v);
	return __real_rcu_set_pointer_sym(p, v);
}

void *__wrap_rcu_dereference_sym(void *p)
{
	if (p)
		__tsan_acquire(p);
	return p;
}

/* --- hash tables; the match function is ours and is called from inside --- */

struct key {
	struct cds_lfht *ht;
	cds_lfht_match_fct match;
	const void *key;
};

static int match_in_order(struct cds_lfht_node *node, const void *key)
{
	const struct key *k = key;

	__tsan_acquire(k->ht);
	return k->match(node, k->key);
}

void __real_cds_lfht_lookup(struct cds_lfht *ht, unsigned long hash, cds_lfht_match_fct match, const void *key,
			    struct cds_lfht_iter *iter);
void __real_cds_lfht_next_duplicate(struct cds_lfht *ht, cds_lfht_match_fct match, const void *key, struct cds_lfht_iter *iter);
void __real_cds_lfht_first(struct cds_lfht *ht, struct cds_lfht_iter *iter);
void __real_cds_lfht_next(struct cds_lfht *ht, struct cds_lfht_iter *iter);
void __real_cds_lfht_add(struct cds_lfht *ht, unsigned long hash, struct cds_lfht_node *node);
struct cds_lfht_node *__real_cds_lfht_add_unique(struct cds_lfht *ht, unsigned long hash, cds_lfht_match_fct match,
						 const void *key, struct cds_lfht_node *node);
struct cds_lfht_node *__real_cds_lfht_add_replace(struct cds_lfht *ht, unsigned long hash, cds_lfht_match_fct match,
						  const void *key, struct cds_lfht_node *node);
int __real_cds_lfht_replace(struct cds_lfht *ht, struct cds_lfht_iter *old, unsigned long hash, cds_lfht_match_fct match,
			    const void *key, struct cds_lfht_node *node);
void __wrap_cds_lfht_lookup(struct cds_lfht *ht, unsigned long hash, cds_lfht_match_fct match, const void *key,
			    struct cds_lfht_iter *iter);
void __wrap_cds_lfht_next_duplicate(struct cds_lfht *ht, cds_lfht_match_fct match, const void *key, struct cds_lfht_iter *iter);
void __wrap_cds_lfht_first(struct cds_lfht *ht, struct cds_lfht_iter *iter);
void __wrap_cds_lfht_next(struct cds_lfht *ht, struct cds_lfht_iter *iter);
void __wrap_cds_lfht_add(struct cds_lfht *ht, unsigned long hash, struct cds_lfht_node *node);
struct cds_lfht_node *__wrap_cds_lfht_add_unique(struct cds_lfht *ht, unsigned long hash, cds_lfht_match_fct match,
						 const void *key, struct cds_lfht_node *node);
struct cds_lfht_node *__wrap_cds_lfht_add_replace(struct cds_lfht *ht, unsigned long hash, cds_lfht_match_fct match,
						  const void *key, struct cds_lfht_node *node);
int __wrap_cds_lfht_replace(struct cds_lfht *ht, struct cds_lfht_iter *old, unsigned long hash, cds_lfht_match_fct match,
			    const void *key, struct cds_lfht_node *node);

void __wrap_cds_lfht_lookup(struct cds_lfht *ht, unsigned long hash, cds_lfht_match_fct match, const void *key,
			    struct cds_lfht_iter *iter)
{
	struct key k = { ht, match, key };

	__real_cds_lfht_lookup(ht, hash, match_in_order, &k, iter);
	__tsan_acquire(ht);
}

void __wrap_cds_lfht_next_duplicate(struct cds_lfht *ht, cds_lfht_match_fct match, const void *key, struct cds_lfht_iter *iter)
{
	struct key k = { ht, match, key };

	__real_cds_lfht_next_duplicate(ht, match_in_order, &k, iter);
	__tsan_acquire(ht);
}

void __wrap_cds_lfht_first(struct cds_lfht *ht, struct cds_lfht_iter *iter)
{
	__real_cds_lfht_first(ht, iter);
	__tsan_acquire(ht);
}

void __wrap_cds_lfht_next(struct cds_lfht *ht, struct cds_lfht_iter *iter)
{
	__real_cds_lfht_next(ht, iter);
	__tsan_acquire(ht);
}

void __wrap_cds_lfht_add(struct cds_lfht *ht, unsigned long hash, struct cds_lfht_node *node)
{
	__tsan_release(ht);
	__real_cds_lfht_add(ht, hash, node);
}

struct cds_lfht_node *__wrap_cds_lfht_add_unique(struct cds_lfht *ht, unsigned long hash, cds_lfht_match_fct match,
						 const void *key, struct cds_lfht_node *node)
{
	struct key k = { ht, match, key };
	struct cds_lfht_node *there;

	__tsan_release(ht);
	there = __real_cds_lfht_add_unique(ht, hash, match_in_order, &k, node);
	__tsan_acquire(ht);
	return there;
}

struct cds_lfht_node *__wrap_cds_lfht_add_replace(struct cds_lfht *ht, unsigned long hash, cds_lfht_match_fct match,
						  const void *key, struct cds_lfht_node *node)
{
	struct key k = { ht, match, key };
	struct cds_lfht_node *old;

	__tsan_release(ht);
	old = __real_cds_lfht_add_replace(ht, hash, match_in_order, &k, node);
	__tsan_acquire(ht);
	return old;
}

int __wrap_cds_lfht_replace(struct cds_lfht *ht, struct cds_lfht_iter *old, unsigned long hash, cds_lfht_match_fct match,
			    const void *key, struct cds_lfht_node *node)
{
	struct key k = { ht, match, key };

	__tsan_release(ht);
	return __real_cds_lfht_replace(ht, old, hash, match_in_order, &k, node);
}

/* --- grace periods --- */

struct callback {
	struct rcu_head head;
	struct rcu_head *given;
	void (*func)(struct rcu_head *head);
};

static void run_in_order(struct rcu_head *head)
{
	struct callback *c = caa_container_of(head, struct callback, head);

	__tsan_acquire(c);
	__tsan_acquire(&grace);
	c->func(c->given);
	free(c);
}

void __real_urcu_qsbr_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void __real_urcu_qsbr_quiescent_state(void);
void __real_urcu_qsbr_thread_offline(void);
void __real_urcu_qsbr_unregister_thread(void);
void __real_urcu_qsbr_synchronize_rcu(void);
void __wrap_urcu_qsbr_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));
void __wrap_urcu_qsbr_quiescent_state(void);
void __wrap_urcu_qsbr_thread_offline(void);
void __wrap_urcu_qsbr_unregister_thread(void);
void __wrap_urcu_qsbr_synchronize_rcu(void);
void __wrap_urcu_qsbr_barrier(void);

void __wrap_urcu_qsbr_call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head))
{
	struct callback *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->given = head;
	c->func = func;
	__tsan_release(&grace);
	__tsan_release(c);
	__real_urcu_qsbr_call_rcu(&c->head, run_in_order);
}

void __wrap_urcu_qsbr_quiescent_state(void)
{
	__tsan_release(&grace);
	__real_urcu_qsbr_quiescent_state();
}

void __wrap_urcu_qsbr_thread_offline(void)
{
	__tsan_release(&grace);
	__real_urcu_qsbr_thread_offline();
}

void __wrap_urcu_qsbr_unregister_thread(void)
{
	__tsan_release(&grace);
	__real_urcu_qsbr_unregister_thread();
}

void __wrap_urcu_qsbr_synchronize_rcu(void)
{
	__tsan_release(&grace);
	__real_urcu_qsbr_synchronize_rcu();
	__tsan_acquire(&grace);
}

/* The library's own barrier frees in one thread what it allocated in another. Callbacks run in their order, so one more, the last
 * in the queue, is a barrier as well. */
struct last {
	struct rcu_head head;
	sem_t done;
};

static void on_last(struct rcu_head *head)
{
	sem_post(&caa_container_of(head, struct last, head)->done);
}

void __wrap_urcu_qsbr_barrier(void)
{
	int online = urcu_qsbr_read_ongoing();
	struct last last;

	sem_init(&last.done, 0, 0);
	__wrap_urcu_qsbr_call_rcu(&last.head, on_last);
	if (online)
		__wrap_urcu_qsbr_thread_offline();
	while (sem_wait(&last.done) < 0)
		;		/* EINTR */
	if (online)
		urcu_qsbr_thread_online();
	sem_destroy(&last.done);
}
