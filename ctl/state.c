// SPDX-License-Identifier: GPL-2.0-or-later
/* The queue between the control thread and the state thread.
 *
 * Jobs wait in one list under a mutex; the state thread takes the whole list, makes one transaction of it, and puts the
 * jobs, now with their results, into the list of the done. An eventfd wakes the control thread to call the completions.
 * The file is read by the control thread before the first job starts the thread, and belongs to the thread from then on.
 */
#include "ctl/state.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/log.h"
#include "ctl/state_db.h"
#include "ctl/state_rows.h"

enum {
	JOBS_MAX = 65536,	/* queued and not yet written; more are refused */
	FAILURES_MAX = 16,	/* in a row, until the rest of a failed batch is given up */
};

struct job {
	struct job *next;
	struct db_write *writes;	/* owned */
	state_done_fn *done;
	void *arg;
	struct error err;
};

struct jobs {
	struct job *first, **end;
	size_t n;
};

struct state {
	struct db db;			/* the control thread's until running, then the state thread's */
	pthread_t thread;
	bool running;
	struct state_events events;
	struct event *wake;		/* watches fd on the control thread's base */
	int fd;
	bool failing;			/* state thread: the last batch failed; told once, and once when it is over */

	pthread_mutex_t lock;		/* what follows */
	pthread_cond_t queued;
	struct jobs waiting, finished;
	bool stop, lost;
};

static void jobs_init(struct jobs *jobs)
{
	*jobs = (struct jobs){ .end = &jobs->first };
}

static void jobs_add(struct jobs *jobs, struct job *job)
{
	job->next = NULL;
	*jobs->end = job;
	jobs->end = &job->next;
	jobs->n++;
}

/* jobs_take() - all of them, in order; @jobs is empty then */
static struct job *jobs_take(struct jobs *jobs)
{
	struct job *first = jobs->first;

	jobs_init(jobs);
	return first;
}

static void writes_free(struct db_write *writes)
{
	while (writes) {
		struct db_write *next = writes->next;

		free(writes);
		writes = next;
	}
}

static void wake_control(struct state *state)
{
	uint64_t one = 1;

	if (write(state->fd, &one, sizeof(one)) < 0)
		return;		/* the counter is full, so it is readable already */
}

/* commit() - @first and what follows it, up to but not including @end, as one transaction */
static int commit(struct state *state, const struct job *first, const struct job *end, struct error *err)
{
	int rc = db_begin(&state->db, err);

	if (rc < 0)
		return rc;
	for (const struct job *job = first; rc == 0 && job != end; job = job->next)
		rc = db_run(&state->db, job->writes, err);
	return db_end(&state->db, rc, err);
}

/* commit_or_mend() - a file found damaged is set aside, and the same is written to the new one */
static int commit_or_mend(struct state *state, const struct job *first, const struct job *end, struct error *err)
{
	int rc = commit(state, first, end, err);

	if (rc == -EBADMSG && db_set_aside(&state->db, err) == 0)
		rc = commit(state, first, end, err);
	return rc;
}

static void tell_health(struct state *state, int rc, const struct error *err)
{
	if (rc < 0 && !state->failing)
		log_error("event=state-write-failed error=\"%s\"", err->message);
	else if (rc == 0 && state->failing)
		log_info("event=state-write-recovered file=%s", state->db.path);
	state->failing = rc < 0;
}

/* write_batch() - all at once; if that fails each alone, so that a large one that does not fit stops no small one */
static void write_batch(struct state *state, struct job *first)
{
	struct error err = { 0 };
	int rc = commit_or_mend(state, first, NULL, &err);
	unsigned failures = 0;

	tell_health(state, rc, &err);
	for (struct job *job = first; rc < 0 && job; job = job->next) {
		if (!first->next || failures >= FAILURES_MAX)
			job->err = err;
		else if (commit_or_mend(state, job, job->next, &job->err) < 0)
			failures++;
		else
			failures = 0;
	}
}

/* state_thread() - until told to stop, and then until nothing waits */
static void *state_thread(void *arg)
{
	struct state *state = arg;
	struct job *first;

	pthread_mutex_lock(&state->lock);
	for (;;) {
		while (!state->waiting.first && !state->stop)
			pthread_cond_wait(&state->queued, &state->lock);
		first = jobs_take(&state->waiting);
		if (!first)
			break;
		pthread_mutex_unlock(&state->lock);
		write_batch(state, first);
		pthread_mutex_lock(&state->lock);
		while (first) {
			struct job *next = first->next;

			jobs_add(&state->finished, first);
			first = next;
		}
		state->lost |= state->db.lost;
		state->db.lost = false;
		wake_control(state);
	}
	pthread_mutex_unlock(&state->lock);
	return NULL;
}

/* deliver() - call the completions of what is finished; they may queue more */
static void deliver(struct state *state)
{
	struct job *first;
	bool lost;

	pthread_mutex_lock(&state->lock);
	first = jobs_take(&state->finished);
	lost = state->lost;
	state->lost = false;
	pthread_mutex_unlock(&state->lock);
	if (lost && state->events.lost)
		state->events.lost(state->events.arg);
	while (first) {
		struct job *next = first->next;

		if (first->done)
			first->done(first->arg, &first->err);
		writes_free(first->writes);
		free(first);
		first = next;
	}
}

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		return;		/* somebody read it already */
	deliver(arg);
}

/* start() - signals belong to the control thread; a refused system call (ctl/confine.h) is its thread's own business */
static int start(struct state *state)
{
	sigset_t all, before;
	int rc;

	if (state->running)
		return 0;
	sigfillset(&all);
	sigdelset(&all, SIGSYS);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&state->thread, NULL, state_thread, state);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	state->running = rc == 0;
	return -rc;
}

/* queue() - hand a job to the state thread; one that cannot be is finished with the reason */
static void queue(struct state *state, struct job *job, int rc)
{
	if (rc == 0)
		rc = start(state);
	pthread_mutex_lock(&state->lock);
	if (rc == 0 && (state->stop || state->waiting.n >= JOBS_MAX))
		rc = state->stop ? -ESHUTDOWN : -EBUSY;
	if (rc < 0)
		error_set(&job->err, rc, "%s: cannot queue a write: %s", state->db.path, strerror(-rc));
	jobs_add(rc < 0 ? &state->finished : &state->waiting, job);
	pthread_cond_signal(&state->queued);
	pthread_mutex_unlock(&state->lock);
	if (rc < 0)
		wake_control(state);
}

/* submit() - make a job of @writes (taken), or report that there was no memory for them: @rc */
static void submit(struct state *state, struct db_write *writes, int rc, state_done_fn *done, void *arg)
{
	struct job *job = calloc(1, sizeof(*job));
	struct error err;

	if (job) {
		job->writes = writes;
		job->done = done;
		job->arg = arg;
		queue(state, job, rc);
		return;
	}
	writes_free(writes);
	error_set(&err, -ENOMEM, "out of memory");
	if (done)
		done(arg, &err);
}

struct state *state_open(const char *dir, struct event_base *base, const struct state_events *events, struct error *err)
{
	struct state *state = calloc(1, sizeof(*state));

	if (!state) {
		error_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	pthread_mutex_init(&state->lock, NULL);
	pthread_cond_init(&state->queued, NULL);
	jobs_init(&state->waiting);
	jobs_init(&state->finished);
	if (events)
		state->events = *events;
	state->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (state->fd >= 0)
		state->wake = event_new(base, state->fd, EV_READ | EV_PERSIST, on_finished, state);
	if (!state->wake || event_add(state->wake, NULL) < 0)
		error_set(err, -ENOMEM, "out of memory or descriptors");
	else if ((size_t)snprintf(state->db.path, sizeof(state->db.path), "%s/lanyard.db", dir) >= sizeof(state->db.path))
		error_set(err, -ENAMETOOLONG, "%s: a path too long", dir);
	else if (state->db.behind_s = db_behind(&state->db), db_open(&state->db, err) == 0)
		return state;
	state_close(state);
	return NULL;
}

void state_close(struct state *state)
{
	if (!state)
		return;
	pthread_mutex_lock(&state->lock);
	state->stop = true;
	pthread_cond_signal(&state->queued);
	pthread_mutex_unlock(&state->lock);
	if (state->running)
		pthread_join(state->thread, NULL);
	while (state->finished.first)
		deliver(state);
	if (state->wake)
		event_free(state->wake);
	if (state->fd >= 0)
		close(state->fd);
	db_close(&state->db);
	pthread_cond_destroy(&state->queued);
	pthread_mutex_destroy(&state->lock);
	free(state);
}

/* loadable() - the file is still the control thread's */
static int loadable(struct state *state, struct error *err)
{
	if (state->running)
		return error_set(err, -EBUSY, "%s: loading is for the start", state->db.path);
	state->db.lost = false;		/* what was lost before the load is lost; there is nothing to save again */
	return state->db.handle ? 0 : db_open(&state->db, err);
}

int64_t state_behind_s(const struct state *state)
{
	return state->db.behind_s;
}

json_t *state_load_model(struct state *state, struct error *err)
{
	return loadable(state, err) < 0 ? NULL : rows_load_model(&state->db, err);
}

int state_load_leases(struct state *state, void (*each)(void *arg, const struct state_lease *lease), void *arg,
		      struct error *err)
{
	int rc = loadable(state, err);

	return rc < 0 ? rc : rows_load_leases(&state->db, each, arg, err);
}

void state_save_model(struct state *state, const struct model *old, const struct model *new, state_done_fn *done, void *arg)
{
	struct db_write *writes = NULL;
	int rc = rows_save_model(old, new, &writes);

	submit(state, writes, rc, done, arg);
}

void state_put_lease(struct state *state, const struct state_lease *lease, state_done_fn *done, void *arg)
{
	struct db_write *write = db_write_new(DB_PUT_LEASE, "tiitbbtiib", lease->net, (int64_t)lease->segment, (int64_t)lease->ip,
					      lease->port, lease->mac, (size_t)MAC_SIZE, lease->client_id,
					      (size_t)lease->client_id_len, lease->hostname, (int64_t)lease->state,
					      lease->expires_s, lease->circuit, (size_t)lease->circuit_len);

	submit(state, write, write ? 0 : -ENOMEM, done, arg);
}

void state_remove_lease(struct state *state, const char *net, uint64_t segment, uint32_t ip, state_done_fn *done, void *arg)
{
	struct db_write *write = db_write_new(DB_DEL_LEASE, "tii", net, (int64_t)segment, (int64_t)ip);

	submit(state, write, write ? 0 : -ENOMEM, done, arg);
}

int state_load_leases6(struct state *state, state_each6_fn *each, void *arg, struct error *err)
{
	int rc = loadable(state, err);

	return rc < 0 ? rc : rows_load_leases6(&state->db, each, arg, err);
}

void state_put_leases6(struct state *state, const char *net, uint64_t segment, const struct lease6_record *records, unsigned n,
		       state_done_fn *done, void *arg)
{
	struct db_write *writes = NULL;
	int rc = rows_save_leases6(net, segment, records, n, &writes);

	submit(state, writes, rc, done, arg);
}

int state_load_prefixes(struct state *state, void (*each)(void *arg, const struct state_prefix *p), void *arg, struct error *err)
{
	int rc = loadable(state, err);

	return rc < 0 ? rc : rows_load_prefixes(&state->db, each, arg, err);
}

void state_put_prefix(struct state *state, const struct state_prefix *p, state_done_fn *done, void *arg)
{
	struct db_write *write = rows_save_prefix(p);

	submit(state, write, write ? 0 : -ENOMEM, done, arg);
}
