// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <urcu/urcu-qsbr.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/api.h"
#include "ctl/engine_run.h"
#include "ctl/host_client.h"
#include "ctl/live_clock.h"
#include "ctl/live_dns_host.h"
#include "ctl/live_dns_listen.h"
#include "ctl/live_host.h"
#include "ctl/live_icmp.h"
#include "ctl/live_kernel.h"
#include "ctl/live_ra.h"
#include "ctl/live_recorder.h"
#include "ctl/live_nat.h"
#include "ctl/live_tap.h"
#include "ctl/live_vhost.h"
#include "ctl/state.h"
#include "ctl/yaml.h"
#include "switch/fdb.h"
#include "switch/forward.h"
#include "switch/request.h"
#include "switch/snapshot.h"
#include "switch/worker.h"

enum { SWEEP_S = 10 };

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct engine *e = arg;

	(void)sig, (void)what;
	event_base_loopbreak(e->base);
}

/* The keeper is gone: whoever starts it again finds everything in the state directory. */
static void on_host(evutil_socket_t fd, short what, void *arg)
{
	struct engine *e = arg;

	(void)fd, (void)what;
	if (host_on_readable(e->host) < 0) {
		log_error("event=keeper-gone");
		event_base_loopbreak(e->base);
	}
}

/* Ageing (802.1Q 8.8.3) is decided at each lookup; here the places of stale entries are freed. */
static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
	struct engine *e = arg;

	(void)fd, (void)what;
	live_confined_look(e);
	live_clock_look(e);
	live_recorders_sweep(e);
	for (struct live_net *net = e->nets; net; net = net->hh.next) {
		fdb_sweep(net->fdb, clock_now_ms());
		if (net->owners)
			fdb_sweep(net->owners, clock_now_ms());
		live_nat_tell_quotas(net);
		live_kernel_later(net);
	}
}

static void on_state_lost(void *arg)
{
	struct engine *e = arg;
	struct live_segment *seg;

	log_error("event=state-lost reason=\"the store was damaged and begun anew\"");
	state_save_model(e->state, NULL, e->model, NULL, NULL);
	for (struct live_net *net = e->nets; net; net = net->hh.next) {
		live_ra_again(net);
		LIST_FOREACH(seg, &net->segments, link)
			lease_store_again(seg);
	}
}

static int default_workers(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores > 1 ? (int)MIN_OF(cores - 1, MAX_WORKERS) : 1;
}

static int start_workers(struct engine *e, unsigned n)
{
	e->workers = calloc(n, sizeof(*e->workers));
	if (!e->workers)
		return -ENOMEM;
	for (; e->nworkers < n; e->nworkers++) {
		struct worker *w = worker_new(e->nworkers, &e->snapshot);
		int rc = w ? worker_start(w) : -errno;

		if (rc < 0) {
			worker_free(w);
			return rc;
		}
		e->workers[e->nworkers] = w;
	}
	return 0;
}

/* give_way() - the control thread, and the state thread that it starts, interrupt no worker whose core they share when they are woken: they have
 * their turn when it sleeps, or has had its slice. So what workers hand over comes in batches, and a flush is for many. Where the kernel
 * refuses this the switches are more.
 */
static void give_way(void)
{
	sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){ .sched_priority = 0 });
}

static struct event *watch(struct engine *e, evutil_socket_t fd, short what, event_callback_fn fn)
{
	struct event *ev = event_new(e->base, fd, (short)(what | EV_PERSIST), fn, e);

	if (ev)
		event_add(ev, what == EV_TIMEOUT ? &(struct timeval){ .tv_sec = SWEEP_S } : NULL);
	return ev;
}

static int watch_all(struct engine *e)
{
	e->host_event = watch(e, host_fd(e->host), EV_READ, on_host);
	e->requests_event = watch(e, requests_fd(e->requests), EV_READ, guest_requests);
	e->sweep_timer = watch(e, -1, EV_TIMEOUT, on_sweep);
	e->signal_events[0] = watch(e, SIGTERM, EV_SIGNAL, on_signal);
	e->signal_events[1] = watch(e, SIGINT, EV_SIGNAL, on_signal);
	requests_sleep(e->requests);
	return e->host_event && e->requests_event && e->sweep_timer && e->signal_events[0] && e->signal_events[1] ?
		       0 : -ENOMEM;
}

static int start_api(struct engine *e, const struct engine_conf *run, struct error *err)
{
	struct api_conf conf = {
		.base = e->base, .engine = e, .uid = e->uid,
		.has_admin_gid = run->admins >= 0, .admin_gid = run->admins >= 0 ? (gid_t)run->admins : 0,
		.fd = host_recall(e->host, HOST_API_LISTENER, NULL),
	};
	int attach = host_recall(e->host, HOST_ATTACH_LISTENER, NULL);

	if (conf.fd < 0 || attach < 0)
		return error_set(err, -EPIPE, "the keeper has no listening socket for us");
	evutil_make_socket_nonblocking(conf.fd);
	evutil_make_socket_nonblocking(attach);
	e->api = api_new(&conf, err);
	if (!e->api)
		return err->rc;
	e->attach = attach_new(e, attach);
	return e->attach ? 0 : error_set(err, -ENOMEM, "out of memory");
}

/* drop_stale() - the keeper's copies of descriptors that nothing in the model needs any more */
static bool is_wanted(void *arg, const char *name, int fd, uint32_t value)
{
	struct engine *e = arg;
	bool wanted = !strcmp(name, HOST_API_LISTENER) || !strcmp(name, HOST_ATTACH_LISTENER) || live_vhost_holds(e, name) ||
		      live_forward_holds(e, name) || live_dns_listen_holds(e, name) || live_recorders_hold(name);

	(void)value;
	for (struct live_net *net = e->nets; net && !wanted; net = net->hh.next)
		for (struct live_port *p = net->ports; p && !wanted; p = p->hh.next)
			wanted = !strcmp(p->held, name) || live_tap_holds(p, name);
	close(fd);
	return wanted;
}

/* load() - what was stored, then what the file says, are made to run */
static int load(struct engine *e, struct error *err)
{
	json_t *tree = state_load_model(e->state, err);
	struct model_env env = *live_env(e);
	struct model *model;
	int rc;

	if (!tree)
		return err->rc;
	env.subnet_free = NULL;		/* what was accepted once runs again, whatever the host has now */
	rc = model_parse(tree, NULL, &env, &model, err);
	json_decref(tree);
	if (rc < 0)
		return rc;
	apply_commit(e, model);
	return 0;
}

static int replace_tree(void *arg, json_t *tree, struct error *err)
{
	(void)err;
	json_object_clear(tree);
	return json_object_update(tree, arg);
}

static void config_done(void *arg, const struct error *err)
{
	json_decref(arg);
	if (err->rc < 0)
		log_error("event=config-refused reason=\"%s\"", err->message);
}

static int load_file(struct engine *e, const char *path, struct error *err)
{
	struct line_map *lines;
	struct model *model;
	json_t *tree = yaml_read(HOST_CONFIG_FD, path, &lines, err);
	int rc;

	if (!tree)
		return err->rc;
	rc = model_parse(tree, lines, live_env(e), &model, err);
	line_map_free(lines);
	if (rc < 0) {
		json_decref(tree);
		return rc;
	}
	model_free(model);
	live_change(e, replace_tree, config_done, tree);
	return 0;
}

static int engine_init(struct engine *e, const struct engine_conf *conf, struct error *err)
{
	struct state_events events = { .lost = on_state_lost, .arg = e };

	e->base = event_base_new();
	e->host = host_new(HOST_ENGINE_FD);
	e->requests = requests_new();
	e->by_id = calloc(PORT_IDS, sizeof(*e->by_id));
	e->snapshot = snapshot_new(0, 0);
	e->model = calloc(1, sizeof(*e->model));
	if (!e->base || !e->host || !e->requests || !e->by_id || !e->snapshot || !e->model)
		return error_set(err, -ENOMEM, "out of memory");
	e->state = state_open(e->state_dir, e->base, &events, err);
	if (!e->state)
		return err->rc;
	e->store_ok = true;
	live_clock_start(e);
	if (start_workers(e, conf->workers ? conf->workers : (unsigned)default_workers()) < 0)
		return error_set(err, -ENOMEM, "cannot start the workers");
	give_way();
	live_icmp_start(e);
	if (watch_all(e) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	return 0;
}

static int engine_serve(struct engine *e, const struct engine_conf *conf, struct error *err)
{
	int rc;

	live_recorders_start(e);
	rc = load(e, err);
	if (rc == 0)
		rc = start_api(e, conf, err);
	if (rc == 0 && conf->config)
		rc = load_file(e, conf->config, err);
	if (rc < 0)
		return rc;
	if (live_host_start(e) < 0)
		return error_set(err, -ENOMEM, "out of memory");
	host_recall_all(e->host, is_wanted, e);
	live_dns_host_settle(e);
	e->restarts = host_ready(e->host);
	live_kernel_start(e);
	log_info("event=ready workers=%u networks=%zu restarts=%d", e->nworkers, e->model->nnetworks, e->restarts);
	event_base_dispatch(e->base);
	return 0;
}

/* The process ends: what must not be lost is flushed by state_close(), the kernel has the rest. */
static void engine_fini(struct engine *e)
{
	live_confined_look(e);
	changes_drop(e);
	for (struct live_net *net = e->nworkers ? e->nets : NULL; net; net = net->hh.next)
		live_ra_stop(net);
	if (e->state)
		state_close(e->state);
	for (unsigned i = 0; i < e->nworkers; i++)
		worker_stop(e->workers[i]);
}

int engine_run(const struct engine_conf *conf)
{
	struct engine *e = calloc(1, sizeof(*e));
	struct error err = { 0 };
	int rc;

	if (!e)
		return EXIT_FAILURE;
	TAILQ_INIT(&e->changes);
	LIST_INIT(&e->opened);
	LIST_INIT(&e->captures);
	LIST_INIT(&e->recorders_kept);
	LIST_INIT(&e->captures_leaving);
	e->started_ms = clock_now_ms();
	e->uid = conf->uid;
	e->confined = conf->confined;
	snprintf(e->runtime_dir, sizeof(e->runtime_dir), "%s", conf->runtime_dir);
	snprintf(e->state_dir, sizeof(e->state_dir), "%s", conf->state_dir);
	rc = engine_init(e, conf, &err);
	if (rc == 0)
		rc = engine_serve(e, conf, &err);
	if (rc < 0)
		log_error("event=start-failed reason=\"%s\" hint=\"%s\"", err.message, err.hint);
	engine_fini(e);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
