/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live.h - what the API asks of the running engine
 *
 * The engine implements these functions, the API calls them, both on the control thread. Trees that are returned are
 * new references for the caller, or NULL when there is no such object (or no memory). Field names are those of
 * docs/api.md, "Further fields in answers"; the settings themselves the API takes from the model.
 */
#ifndef CTL_LIVE_H
#define CTL_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "base/addr.h"
#include "base/error.h"

struct engine;
struct model;
struct model_env;

/* live_edit_fn() - make the wished change in @tree, the whole model (MODEL_TRANSIENT | MODEL_OWNER)
 *
 * Runs when the change's turn comes, on the model as all changes before left it, so that no two changes can undo one
 * another; permission is checked here for the same reason. Return: 0, or a negative errno with @err filled: then
 * nothing changes and done() gets the error.
 */
typedef int live_edit_fn(void *arg, json_t *tree, struct error *err);

/* live_done_fn() - the change is durable and published (err->rc is 0), or refused as a whole (err->rc is negative)
 *
 * Called exactly once per live_change() or live_lease_free(), on the control thread, possibly before they return.
 * @err is borrowed and never NULL.
 */
typedef void live_done_fn(void *arg, const struct error *err);

/* live_change() - queue a change: edit -> model_parse() -> open what it needs -> durable -> publish -> done
 *
 * Changes are made one after another in the order of the calls. One that leaves the model equal is a success.
 */
void live_change(struct engine *engine, live_edit_fn *edit, live_done_fn *done, void *arg);

/* live_model() - the model in force; borrowed, valid until the caller returns to the loop */
const struct model *live_model(struct engine *engine);

/* live_check() - could @next be made of this host? As far as can be told without trying: subnets, uplinks, descriptors for forwards
 * Return: 0, or what the change would fail with
 */
int live_check(struct engine *engine, const struct model *next, struct error *err);

/* live_env() - what model_parse() is to be told, so that the API can check a file or tell a difference itself */
const struct model_env *live_env(struct engine *engine);

/* The state of one object: an object with the further fields. */
json_t *live_network(struct engine *engine, const char *net);	/* gateway_mac, warnings */
json_t *live_port(struct engine *engine, const char *net, const char *port);	/* state, addresses, stats, ... */
json_t *live_forward(struct engine *engine, const char *net, const char *id);	/* state, reason, hint, counters */
json_t *live_daemon(struct engine *engine);

/* live_client() - @uid has connected by @fd: from now on the keeper does what is asked for that user */
void live_client(struct engine *engine, int fd, uid_t uid);

/* Lists: an array of objects. */
json_t *live_leases(struct engine *engine, const char *net);
json_t *live_fdb(struct engine *engine, const char *net);

/* live_flows() - {"flows":[...],"more":N} of a network, or of one port of it (@port not NULL); N were too many to show */
json_t *live_flows(struct engine *engine, const char *net, const char *port);

/* live_lease_free() - forget the lease of @ip (host order), durably; -ENOENT in done() when there is none
 * @port:	whose it is, or NULL; needed (-EINVAL) where several guests have one address, as in mode nat
 */
void live_lease_free(struct engine *engine, const char *net, const char *port, uint32_t ip, live_done_fn *done, void *arg);

/* live_lease6_free() - the same of an IPv6 address, or of the prefix that begins there */
void live_lease6_free(struct engine *engine, const char *net, const char *port, struct addr a, live_done_fn *done, void *arg);

/* live_explain() - what would become of an attempt of port @port to reach @to: DESTINATION[:PORT[/PROTO]] (ctl/explain.h)
 *
 * live_explain_fn() is called exactly once, perhaps before this returns: with an object for the API, taken, or NULL and @err.
 */
typedef void live_explain_fn(void *arg, json_t *answer, const struct error *err);
void live_explain(struct engine *engine, const char *net, const char *port, const char *to, live_explain_fn *done, void *arg);

/* live_metrics() - the OpenMetrics page of the daemon and of @uid's networks, or with @all of everybody's
 * Return: text for free(), or NULL when out of memory.
 */
char *live_metrics(struct engine *engine, uid_t uid, bool all);

/* live_tell_counts() - tell by api_event() what only counters know: clients of forwards, and frames that were dropped
 * @first:	nobody has asked for a while: only note where the counters stand
 *
 * Once a second while somebody listens, so at most one event a second for each forward, port and verdict.
 */
void live_tell_counts(struct engine *engine, bool first);

/* The other way: the engine calls api_event() of ctl/api.h for whatever happens. A GET of a port with ?wait= looks at
 * live_port()'s "addresses" again on each event that names the port.
 */

#endif
