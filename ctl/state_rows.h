/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/state_rows.h - models and leases as rows of the store, and back; only ctl/state.c includes this */
#ifndef CTL_STATE_ROWS_H
#define CTL_STATE_ROWS_H

#include "ctl/state.h"
#include "ctl/state_db.h"

/* rows_load_model() - all configuration as a tree; new reference, or NULL with @err */
json_t *rows_load_model(struct db *db, struct error *err);

/* rows_load_leases() - in the order of their ends; 0 or a negative errno with @err. Rows that make no sense are skipped and logged. */
int rows_load_leases(struct db *db, void (*each)(void *arg, const struct state_lease *lease), void *arg, struct error *err);

/* rows_load_leases6() - likewise */
int rows_load_leases6(struct db *db, state_each6_fn *each, void *arg, struct error *err);

/* rows_save_leases6() - bindings that are or rest are put, others forgotten; as rows_save_model() */
int rows_save_leases6(const char *net, uint64_t segment, const struct lease6_record *records, unsigned n, struct db_write **writes);

/* rows_load_prefixes() - likewise. rows_save_prefix() - Return: for free(), or NULL */
int rows_load_prefixes(struct db *db, void (*each)(void *arg, const struct state_prefix *p), void *arg, struct error *err);
struct db_write *rows_save_prefix(const struct state_prefix *p);

/* rows_save_model() - what leads from @old (NULL: from whatever is stored) to @new; *@writes is a list, each for free() */
int rows_save_model(const struct model *old, const struct model *new, struct db_write **writes);

#endif
