/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/state.h - what must survive: the model, the leases, and which prefixes guests were told, in <state-dir>/lanyard.db
 *
 * SQLite (WAL, synchronous FULL) is owned by one state thread. The control thread queues writes and gets a ticket's
 * completion called back on its own event base, once the write is on the disk; everything queued in between shares
 * one transaction and one flush. Writes are made in the order in which they were queued. All functions belong to
 * the control thread.
 *
 * A full or read-only disk fails the tickets and is tried again with the next write. A file that turns out to be
 * damaged is renamed to lanyard.db.corrupt-N, logged loudly, and a new one begun; state_events.lost() then asks for
 * everything again. A file of a newer schema is refused; an older one is migrated.
 */
#ifndef CTL_STATE_H
#define CTL_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/text.h"

struct event_base;
struct lease6_record;
struct model;
struct state;

enum { STATE_CLIENT_ID_MAX = 255, STATE_CIRCUIT_MAX = 255, STATE_SCHEMA = 4 };

/* state_lease - one binding, keyed by (net, segment, ip); (net, segment, port, mac) says whose it is */
struct state_lease {
	char net[NAME_MAX_SIZE];
	uint64_t segment;		/* its VID, or a number above every VID that is the port's alone; below 2^63 */
	uint32_t ip;			/* host order */
	char port[NAME_MAX_SIZE];
	uint8_t mac[MAC_SIZE];
	uint8_t state;			/* the lease module's own number; stored as it is */
	uint8_t client_id_len;
	uint8_t client_id[STATE_CLIENT_ID_MAX];
	uint8_t circuit_len;
	uint8_t circuit[STATE_CIRCUIT_MAX];	/* by which a relay heard it */
	char hostname[NAME_MAX_SIZE];
	int64_t expires_s;		/* wall clock, seconds since 1970 */
};

/* state_done_fn() - the write is durable (err->rc is 0) or failed (then nothing of it is stored); control thread */
typedef void state_done_fn(void *arg, const struct error *err);

struct state_events {
	void (*lost)(void *arg);	/* the file had to be begun anew: save the whole model and each lease again */
	void *arg;
};

/* state_open() - open or make the store, migrate it, and start its thread
 * @dir:	directory, borrowed for the call
 *
 * Return: a state for state_close(), or NULL with @err.
 */
struct state *state_open(const char *dir, struct event_base *base, const struct state_events *events, struct error *err);

/* state_close() - write what is queued, call its completions, and end the thread */
void state_close(struct state *state);

/* state_behind_s() - how far the wall clock was behind the last write to the file when it was opened: it has been set back, and the ends
 * of leases that are loaded are moved by as much, so that none lasts longer than it would have. They should be stored again.
 */
int64_t state_behind_s(const struct state *state);

/* state_load_model() - the stored model as a tree for model_parse(); new reference, or NULL with @err
 * state_load_leases() - call @each for every lease stored; 0 or a negative errno with @err
 *
 * Both wait for the state thread, and are meant for the start, before anything is queued.
 */
json_t *state_load_model(struct state *state, struct error *err);
int state_load_leases(struct state *state, void (*each)(void *arg, const struct state_lease *lease), void *arg,
		      struct error *err);

/* state_save_model() - store what differs between @old (NULL: store all of @new anew) and @new, as one
 * Transient ports are left out. Both models are only read during the call.
 */
void state_save_model(struct state *state, const struct model *old, const struct model *new, state_done_fn *done, void *arg);

/* state_put_lease() - insert or replace; state_remove_lease() - forget; @done may be NULL */
void state_put_lease(struct state *state, const struct state_lease *lease, state_done_fn *done, void *arg);
void state_remove_lease(struct state *state, const char *net, uint64_t segment, uint32_t ip, state_done_fn *done, void *arg);

/* state_put_leases6() - all of these bindings or none: what is bound or rests is kept, what is over is forgotten
 * state_load_leases6() - as state_load_leases() */
typedef void state_each6_fn(void *arg, const char *net, uint64_t segment, const struct lease6_record *record);
void state_put_leases6(struct state *state, const char *net, uint64_t segment, const struct lease6_record *records, unsigned n,
		       state_done_fn *done, void *arg);
int state_load_leases6(struct state *state, state_each6_fn *each, void *arg, struct error *err);

/* state_prefix - what router advertisements said of a segment */
struct state_prefix {
	char net[NAME_MAX_SIZE];
	uint16_t vid;
	struct prefix6 prefix;
	int64_t until_s;		/* guests may have addresses of it so long, wall clock; STATE_PREFIX_IN_USE: it is told still */
};

enum { STATE_PREFIX_IN_USE = 0, STATE_PREFIX_OVER = -1 };

/* state_put_prefix() - insert or replace, or, with until_s STATE_PREFIX_OVER, forget. state_load_prefixes() - as state_load_leases() */
void state_put_prefix(struct state *state, const struct state_prefix *p, state_done_fn *done, void *arg);
int state_load_prefixes(struct state *state, void (*each)(void *arg, const struct state_prefix *p), void *arg, struct error *err);

#endif
