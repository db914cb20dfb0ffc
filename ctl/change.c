// SPDX-License-Identifier: GPL-2.0-or-later
/* One change after another: edit a copy of the model, check it, open what it needs, make it durable, let it run. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/changes.h"
#include "ctl/engine.h"
#include "ctl/host_routes.h"
#include "ctl/state.h"

struct change_job {
	struct engine *engine;
	live_edit_fn *edit;
	live_done_fn *done;
	void *arg;
	struct model *next;
	TAILQ_ENTRY(change_job) link;
};

static void run_queue(struct engine *e);

static void finish(struct change_job *job, const struct error *err)
{
	struct engine *e = job->engine;

	TAILQ_REMOVE(&e->changes, job, link);
	e->changing = false;
	job->done(job->arg, err);
	free(job);
}

static void on_stored(void *arg, const struct error *err)
{
	struct change_job *job = arg;
	struct engine *e = job->engine;

	e->store_ok = err->rc == 0;
	if (err->rc < 0) {
		apply_cancel(e);
		model_free(job->next);
	} else {
		apply_commit(e, job->next);
	}
	finish(job, err);
	run_queue(e);
}

static bool subnet_free(void *arg, struct prefix4 prefix)
{
	(void)arg;
	return host_routes_free(prefix);
}

const struct model_env *live_env(struct engine *e)
{
	static struct model_env env;

	env = (struct model_env){ .owner = e->uid, .transient = true, .subnet_free = subnet_free };
	return &env;
}

/* note_stored() - is there anything that the store keeps? Transient ports it does not. */
static void note_stored(void *arg, const struct change *c)
{
	const struct port_conf *p = c->new ? c->new : c->old;

	if (c->what != CHANGE_PORT || !p->transient)
		*(bool *)arg = true;
}

static int prepare(struct change_job *job, struct error *err)
{
	struct engine *e = job->engine;
	json_t *tree = model_export(e->model, MODEL_TRANSIENT | MODEL_OWNER);
	int rc;

	if (!tree)
		return error_set(err, -ENOMEM, "out of memory");
	rc = job->edit(job->arg, tree, err);
	if (rc == 0)
		rc = model_parse(tree, NULL, live_env(e), &job->next, err);
	json_decref(tree);
	if (rc < 0)
		return rc;
	rc = apply_prepare(e, job->next, err);
	if (rc < 0)
		model_free(job->next);
	return rc;
}

static void run_one(struct change_job *job)
{
	struct engine *e = job->engine;
	struct error err = { 0 };
	bool stored = false;
	int rc = prepare(job, &err);

	e->changing = true;
	if (rc < 0) {
		if (!err.rc)
			error_set(&err, rc, "the change failed");
		apply_cancel(e);
		finish(job, &err);
		return;
	}
	changes_written(e->model, job->next, note_stored, &stored);
	if (!stored) {
		apply_commit(e, job->next);
		finish(job, &err);
		return;
	}
	state_save_model(e->state, e->model, job->next, on_stored, job);
}

static void run_queue(struct engine *e)
{
	while (!e->changing && !TAILQ_EMPTY(&e->changes))
		run_one(TAILQ_FIRST(&e->changes));
}

void live_change(struct engine *e, live_edit_fn *edit, live_done_fn *done, void *arg)
{
	struct change_job *job = calloc(1, sizeof(*job));
	struct error err = { 0 };

	if (!job) {
		error_set(&err, -ENOMEM, "out of memory");
		done(arg, &err);
		return;
	}
	*job = (struct change_job){ .engine = e, .edit = edit, .done = done, .arg = arg };
	TAILQ_INSERT_TAIL(&e->changes, job, link);
	run_queue(e);
}

void changes_drop(struct engine *e)
{
	struct change_job *job;

	while ((job = TAILQ_FIRST(&e->changes)) && !e->changing) {
		TAILQ_REMOVE(&e->changes, job, link);
		free(job);
	}
}
