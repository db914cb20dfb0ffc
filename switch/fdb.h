/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/fdb.h - forwarding database: (VID, MAC) -> port
 *
 * One table per network. Workers call fdb_learn() and fdb_lookup() at any time; the rest belongs to the control
 * thread. Ageing follows IEEE 802.1Q-2018, 8.8.3.
 *
 * The table is a fixed array of buckets, one cache line of four entries each; a station may live in either of
 * two buckets. An entry is a key word and a value word. Writers of new keys take a lock (a worker only tries it:
 * the next frame learns again); a key is cleared before its value changes hands, and a reader looks at the key
 * before and after the value, so it never sees one station's value under another's key. Refreshing and moving
 * are single compare-and-swaps on the value.
 *
 * The table is bounded. Where both buckets are full, a new station displaces the stalest entry of the port that
 * holds the most among them, so that a guest inventing addresses pushes out its own. A port that holds fewer than the
 * newcomer's is never touched: where only such are in the way, the newcomer is not learnt, and its frames are flooded.
 */
#ifndef SWITCH_FDB_H
#define SWITCH_FDB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

struct fdb;

/* fdb_key() - VID and address as one word; unequal for any two stations, never 0 */
static inline uint64_t fdb_key(uint16_t vid, const uint8_t *mac)
{
	return mac_word(mac) << 16 | vid;
}

enum fdb_origin { FDB_LEARNED = 0, FDB_STATIC = 1 };

struct fdb_entry {
	uint8_t mac[6];
	uint16_t vid;
	uint32_t port;			/* port id */
	uint8_t origin;			/* enum fdb_origin */
	uint8_t moves;			/* times the station changed ports; stays at 255 */
	uint32_t age_s;			/* since it was last seen as a source */
};

/* fdb_new() - make an empty table
 * @nentries:	entries it is sized for; memory for them is taken now, never later
 * @nports:	port ids are below this
 * @age_ms:	idle time after which a learnt entry is forgotten, milliseconds (default of 802.1Q: 300 s)
 *
 * Return: a table for fdb_free(), or NULL with errno set to ENOMEM.
 */
struct fdb *fdb_new(uint32_t nentries, uint32_t nports, uint32_t age_ms);
void fdb_free(struct fdb *fdb);

/* fdb_on_change() - have @fn called when a station is learnt that was not there, or was too old, or is at another port than before
 * On the worker that saw it, which must not wait, with the port where it is now. Before the table is in use.
 */
typedef void fdb_changed_fn(void *arg, uint32_t port, bool moved);
void fdb_on_change(struct fdb *fdb, fdb_changed_fn *fn, void *arg);

/* fdb_is_elsewhere() - is this the address of a station that is at another port than @port, and was seen there a moment ago? */
bool fdb_is_elsewhere(const struct fdb *fdb, uint16_t vid, const uint8_t *mac, uint32_t port, uint64_t now_ms);

/* fdb_lookup() - where does this station live?
 * @vid:	VLAN, 1..4094
 * @mac:	six bytes, unicast
 * @now_ms:	monotonic time, as given to the worker for this turn
 *
 * Return: port id, or -ENOENT when unknown or too old (the caller floods).
 */
int fdb_lookup(const struct fdb *fdb, uint16_t vid, const uint8_t *mac, uint64_t now_ms);

/* fdb_learn() - @mac was seen as a source on @port
 * Return: true when it is new or has moved, false when it was refreshed or could not be learnt now.
 */
bool fdb_learn(struct fdb *fdb, uint16_t vid, const uint8_t *mac, uint32_t port, uint64_t now_ms);

/* fdb_lookup_key(), fdb_learn_key() - the same by key; a table that is not of stations may have any keys but 0 */
int fdb_lookup_key(const struct fdb *fdb, uint64_t key, uint64_t now_ms);
bool fdb_learn_key(struct fdb *fdb, uint64_t key, uint32_t port, uint64_t now_ms);

/* fdb_burst() - fdb_learn() and fdb_lookup() for the frames of a burst, one frame after another; @n at most 64
 * Of a port that had 65,536 new stations in this second, or 4,096 that took the place of others of its own, only one frame in 1,024 is learnt
 * from, so that a guest which invents addresses slows nobody else down.
 * @src:	keys (fdb_key()) of the stations seen at @port
 * @dst:	keys to look up; 0: none
 * @to:		receives what fdb_lookup() returns
 */
void fdb_burst(struct fdb *fdb, const uint64_t *src, const uint64_t *dst, unsigned n, uint32_t port, uint64_t now_ms,
	       int32_t *to);

/* fdb_add_static() - an entry that neither ages nor moves; Return: 0 or -ENOSPC
 * fdb_remove_static() - forget it; nothing happens when it is not static, or at another port */
int fdb_add_static(struct fdb *fdb, uint16_t vid, const uint8_t *mac, uint32_t port);
void fdb_remove_static(struct fdb *fdb, uint16_t vid, const uint8_t *mac, uint32_t port);

/* fdb_flush_port() - forget everything at @port; fdb_sweep() - forget what is too old; Return: how many */
unsigned fdb_flush_port(struct fdb *fdb, uint32_t port);
unsigned fdb_sweep(struct fdb *fdb, uint64_t now_ms);

/* fdb_each() - copy up to @n live entries to @to; Return: how many there are */
unsigned fdb_each(const struct fdb *fdb, uint64_t now_ms, struct fdb_entry *to, unsigned n);

/* fdb_take_over() - have @to know what @from knows better: stations that it lacks, or that were seen later there, and whom to tell of changes
 * fdb_catch_up() - once more, with what workers have learnt in @from since; static entries are those of @to from the first time on
 * Control thread; workers may use both meanwhile. Whom @to has no place for is learnt again from his next frame. */
void fdb_take_over(struct fdb *to, const struct fdb *from, uint64_t now_ms);
void fdb_catch_up(struct fdb *to, const struct fdb *from, uint64_t now_ms);

/* fdb_count() - live entries of @port */
uint32_t fdb_count(const struct fdb *fdb, uint32_t port);

#endif
