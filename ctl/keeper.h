/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/keeper.h - the keeper: a small process that acts on the host for the engine and starts it again when it dies
 *
 * One thread and one poll loop (keeper.c). It reads nothing but the messages of ctl/host.h; what strangers send is the
 * engine's business. An act that may take long or that a client chose the name for (a namespace, a path) runs in a
 * child process with the client's rights and a deadline (keeper_job.c).
 */
#ifndef CTL_KEEPER_H
#define CTL_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "ctl/host.h"
#include "ctl/paths.h"

enum {
	KEEPER_JOB_MS = 5000,		/* an act in a child takes no longer; below the engine's own limit of 6000 */
	KEEPER_STOP_MS = 5000,		/* the engine's time to stop before it is killed */
	KEEPER_QUICK_RESTARTS = 5,	/* that many soon after one another, then one a second */
};

/* --- keeper_held.c: descriptors under their names, oldest first --- */

struct held {
	char name[HOST_NAME_SIZE];
	uint64_t age;		/* grows with each that is added */
	int fd;			/* owned; of several, one of them */
	int *fds;		/* HOST_LISTEN of several ports: owned, as many as its count, -1 where missing; else NULL */
	unsigned nfds;
	uint32_t value;		/* what the reply that opened it said */
	void *request;		/* the request that opened it, serial zero; NULL: the engine gave it by HOST_HOLD */
	size_t size;
	UT_hash_handle hh;
};

struct held_table {
	struct held *by_name;	/* uthash */
	struct held **entries;	/* oldest first */
	size_t n, room;
	uint64_t age;
};

struct held *held_find(const struct held_table *t, const char *name);	/* NULL: nothing under that name */

/* held_add() - take @fd under @name, remembering @request (may be NULL). Return: 0; on error @fd stays the caller's:
 * -EEXIST (HOST_HOLD of a name taken), -ENOSPC, -ENOMEM
 */
int held_add(struct held_table *t, const char *name, int fd, uint32_t value, const void *request, size_t size);
void held_remove(struct held_table *t, struct held *h);

/* held_add_many() - as held_add() for @n descriptors, some of them -1, but not all; on success the array is taken, too */
int held_add_many(struct held_table *t, const char *name, int *fds, unsigned n, const void *request, size_t size);

/* held_replace() - take @fd in the place of what @h holds. Return: 0; -EEXIST (@fd stays the caller's): it has a request */
int held_replace(struct held *h, int fd);
void held_fini(struct held_table *t);

/* held_changed() - @h's interface is now as @request says; with NULL it is as no request says */
void held_changed(struct held *h, const struct host_iface *request);

/* held_same() - was @h opened by a request equal to this one, the serial apart? */
bool held_same(const struct held *h, const void *request, size_t size);

/* held_leaves_trace() - is something to be removed from the host besides closing it (a socket's path, a veth pair)? */
bool held_leaves_trace(const struct held *h);

/* held_shares_trace() - is the same interface held under another name, too? Then what was made for it stays. */
bool held_shares_trace(const struct held_table *t, const struct held *h);

/* --- keeper_act.c: acts on the host, each returns a descriptor (the caller's) or a negative errno with @r filled in --- */

/* act_run() - what @request asks, of @h where it is about something held; in this process and with its rights; it may block */
int act_run(const void *request, const struct held *h, struct host_reply *r);

/* act_refuse() - the error is what the engine is told. Return: @rc */
struct error;
int act_refuse(struct host_reply *r, int rc, const struct error *err);

/* act_unix_listen() - a socket of mode 0600, listening unless @type is SOCK_DGRAM; one at the path that nobody has is replaced
 *
 * Return: descriptor; -EADDRINUSE when somebody listens there, -EEXIST when it is no socket, or another negative errno.
 */
struct sockaddr_un;
int act_unix_listen(const struct sockaddr_un *at, int type);

/* act_undo() - remove what @h left on the host; nothing is said when that fails */
void act_undo(const struct held *h);

/* --- keeper_vmm.c --- */

struct error;
int vmm_open(const struct host_link *m, struct host_reply *r, struct error *err);	/* Return: descriptor or negative errno */
void vmm_undo(const struct held *h);

/* --- keeper_iface.c --- */

/* iface_open() - make the interface, or, as it is held by @h, change it; what was done until an error is in the journal
 * Return: descriptor, or negative errno with @r filled in. */
int iface_open(const struct host_iface *m, const struct held *h, struct host_reply *r);

/* --- keeper_file.c --- */

int file_open(const struct host_file *m, struct host_reply *r);	/* Return: descriptor, or negative errno with @r filled in */

/* --- keeper_uplink.c: Return: descriptor (of a wire: any), or negative errno with @r filled in --- */

int uplink_open(const struct host_uplink *m, struct host_reply *r);
int uplink_wire(const struct host_wire *m, const struct held *h, struct host_reply *r);

/* --- keeper_guests.c --- */

/* guests_tell() - @h->fd has the guests; Return: any descriptor, or negative errno with @r filled in */
int guests_tell(const struct host_names *m, const struct held *h, struct host_reply *r);

/* --- keeper_resolv.c --- */

int resolv_open(struct host_reply *r);	/* Return: descriptor or negative errno */

/* --- keeper_look.c: what the host is asked about itself, as a file. Return: descriptor, or negative errno with @r filled in --- */

int ruleset_open(struct host_reply *r);
int flows_open(const struct host_iface *iface, struct host_reply *r);

/* --- keeper_listen.c: does not block --- */

/* listen_open() - fill each of @fds (as many as m->count) that is -1 with a socket of its own
 *
 * Return: how many there are then, with @r telling of those that are missing; when there is none, negative errno.
 */
int listen_open(const struct host_listen *m, int *fds, struct host_reply *r);

/* --- keeper_icmp.c: does not block --- */

int icmp_open(const struct host_icmp *m);	/* Return: descriptor or negative errno */

/* --- keeper_owner.c --- */

/* owner_describe() - who has the port: "nginx (pid 17)", or less where that may not be seen; takes milliseconds */
void owner_describe(const struct host_listen *m, uint16_t port, char *to, size_t room);

/* --- keeper_given.c: sockets that the daemon was started with (sd_listen_fds(3): LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID) --- */

/* given_take() - note them at the start, and keep them out of what is started; what is no TCP or UDP socket is named and left alone */
void given_take(void);

/* given_find() - a copy of the one that was given for this forward by name ("web", "lab/web"), or that is bound to this port of
 * the request's address. Return: descriptor, or -ENOENT
 */
int given_find(const struct host_listen *m, uint16_t port);

/* --- keeper_job.c: an act in a child --- */

struct job {
	pid_t pid;		/* 0: none runs */
	int sock;		/* its answer: a host_reply and a descriptor; -1 with pid 0 */
	uint64_t until_ms;
	uint32_t type;		/* of the request; 0: it undoes */
};

/* job_start() - have a child run @request (about @h, or NULL) for @uid within @limit_ms, or with @request NULL undo @h
 *
 * Return: 0 or a negative errno.
 */
int job_start(struct job *job, const void *request, const struct held *h, uid_t uid, unsigned limit_ms);

/* job_end() - its answer when it has one, or -EIO, or -ETIMEDOUT when it was too slow; the child is killed
 *
 * Return: the descriptor, or a negative errno with @r filled in (0 for an undo that is done).
 */
int job_end(struct job *job, struct host_reply *r);
void job_cancel(struct job *job);

/* --- keeper_serve.c: one engine's requests --- */

struct serve {
	int sock;			/* to the engine, non-blocking; -1: there is none */
	bool ready;			/* the engine said so */
	unsigned restarts;
	struct held_table held;
	unsigned job_ms;		/* KEEPER_JOB_MS */
	struct job job;
	char pending[HOST_MESSAGE_MAX];	/* the request the job works on */
	size_t pending_size;
};

/* serve_request() - read and answer one request. Return: 0, or negative errno: this engine is of no use any more */
int serve_request(struct serve *s);

/* serve_job() - the job's socket is readable, or its time is over: answer the request it was for. Return: as above */
int serve_job(struct serve *s);

/* serve_poll() - wait up to @timeout_ms for either, and for @signal_fd (-1: none), and serve
 *
 * Return: 1 when @signal_fd is readable, 0, or negative errno as above.
 */
int serve_poll(struct serve *s, int signal_fd, int timeout_ms);
void serve_engine_gone(struct serve *s);
void serve_fini(struct serve *s);	/* removes what the held descriptors left on the host */

/* --- keeper_rights.c --- */

struct rights_user {
	uid_t uid;
	gid_t gid;
};

/* rights_keep_few() - give up for good what no request needs; nothing that is started gains any right */
void rights_keep_few(void);

/* rights_narrow() - in a child that does what a request of that type asks, or undoes it: give up what others need. Return: 0 or -EPERM */
int rights_narrow(uint32_t type);

/* rights_become() - be that user from now on, in no other group, without capabilities. Return: 0 or negative errno */
int rights_become(const struct rights_user *user);

/* rights_have() - is that capability (CAP_...) in force?
 * rights_hint() - the command that lets a user's keeper have those, given by their bits, besides what it has
 */
bool rights_have(unsigned capability);
struct error;
void rights_hint(struct error *err, uint64_t needed);

/* rights_user_find() - a name or number; NULL: lanyard, where there is such a user, else nobody. Return: 0 or -ENOENT */
int rights_user_find(const char *name, struct rights_user *to);

/* --- keeper_setup.c: directories, the lock, the two listeners --- */

struct keeper_conf {
	const char *runtime_dir, *state_dir;
	const char *config;		/* or NULL */
	const char *workers;		/* or NULL */
	const char *engine;		/* path of the program */
	struct rights_user engine_user;	/* where the keeper is root; uid 0: root without capabilities */
};

struct engine_home;

/* setup_open() - make and check the directories, take the lock, prepare the engine's home, listen, write the pid file
 * @lock:	becomes the lock's descriptor; it lasts as long as any process has it open
 *
 * Return: 0, or a negative errno after a line on standard error that says what to do.
 */
int setup_open(const struct keeper_conf *conf, struct held_table *held, int *lock, struct engine_home *home);
void setup_close(const struct keeper_conf *conf);
void setup_notify(const char *state);	/* systemd's protocol: "READY=1" to $NOTIFY_SOCKET */

/* --- keeper_home.c: whose the engine is, and where it keeps its state --- */

struct engine_home {
	struct rights_user user;	/* the keeper's own, unless that is root */
	char state_dir[PATHS_SIZE];	/* root: the subdirectory "engine", which belongs to that user; else all of it */
	bool has_admins;
	gid_t admins;			/* root: the group lanyard */
};

/* home_prepare() - find the user, make the directory, move there what an earlier version stored. Return: 0 or negative errno */
int home_prepare(const struct keeper_conf *conf, struct engine_home *home);

/* --- keeper_engine.c --- */

/* engine_path() - $LANYARD_ENGINE (never in a privileged program), beside this program, or in ../libexec/lanyard */
int engine_path(char *to, size_t room);

/* engine_start() - start the engine with @lock inherited; @sock becomes our end. Return: its pid or negative errno */
pid_t engine_start(const struct keeper_conf *conf, const struct engine_home *home, int lock, int *sock);

/* engine_check() - become `lanyard-engine -t`; returns only on failure */
int engine_check(const struct keeper_conf *conf);

/* --- keeper_validator.c: does not block --- */

/* validator_prepare() - where the program is and who it is to be
 * validator_start() - Return: the engine's socket to a new one, or negative errno; validator_ended() - a child did, whichever it was
 */
void validator_prepare(const struct keeper_conf *conf, const struct engine_home *home);
int validator_start(void);
void validator_ended(pid_t pid);

/* --- keeper.c --- */

/* keeper_run() - all of it, until SIGTERM, SIGINT or SIGHUP. Return: exit status */
int keeper_run(const struct keeper_conf *conf);

#endif
