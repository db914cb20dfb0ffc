/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/keeper.h - the keeper: a small process that acts on the host for the engine and starts it again when it dies
 *
 * One thread and one poll loop (keeper.c). It reads nothing but the messages of ctl/host.h; what strangers send is the
 * engine's business. It holds descriptors; every act is done by a program of its own with the rights of that act, for a client with the
 * client's, and a deadline (keeper_job.c).
 */
#ifndef CTL_KEEPER_H
#define CTL_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "ctl/act.h"
#include "ctl/host.h"
#include "ctl/start.h"

enum {
	KEEPER_JOB_MS = 5000,		/* an act in a child takes no longer; below the engine's own limit of 6000 */
	KEEPER_STOP_MS = 5000,		/* the engine's time to stop before it is killed */
	KEEPER_QUICK_RESTARTS = 5,	/* that many soon after one another, then one a second */
};

/* --- keeper_held.c: descriptors under their names, oldest first --- */

struct held {
	char name[HOST_NAME_SIZE];
	int fd;			/* owned; of several the first */
	int *fds;		/* owned; of HOST_LISTEN as many as there are, in the order of their ports; else @fd alone */
	unsigned nfds;
	uint8_t missing[HOST_LISTEN_BITS];	/* as in the reply */
	uint32_t value;		/* what the reply that opened it said */
	unsigned acted;		/* programs, by bits of 1 << enum act_number, that may have made more of an interface than the one that opened it */
	bool unsettled;		/* an interface that is not known to be as any request says */
	void *request;		/* the request that opened it, serial zero; NULL: the engine gave it by HOST_HOLD */
	size_t size;
	UT_hash_handle hh;
};

struct held_table {
	struct held *by_name;	/* uthash, whose own order (hh.next) is that of their coming */
};

struct held *held_find(const struct held_table *t, const char *name);	/* NULL: nothing under that name */

/* held_add() - take @fd under @name, remembering @request (may be NULL). Return: 0; on error @fd stays the caller's:
 * -EEXIST (HOST_HOLD of a name taken), -ENOSPC, -ENOMEM
 */
int held_add(struct held_table *t, const char *name, int fd, uint32_t value, const void *request, size_t size);
void held_remove(struct held_table *t, struct held *h);

/* held_add_many() - as held_add() for @n descriptors, at least one, and what @r said with them
 * held_more() - of those of HOST_LISTEN that were missing these came (taken on success); r->missing still are. Return: 0, -EPROTO or -ENOMEM
 * held_lacks() - are some missing?
 */
int held_add_many(struct held_table *t, const char *name, const int *fds, unsigned n, const struct host_reply *r, const void *request, size_t size);
int held_more(struct held *h, const int *fds, unsigned n, const struct host_reply *r);
bool held_lacks(const struct held *h);

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

/* --- keeper_acts.c: what is done by programs of their own (ctl/act.h) --- */

/* The first ones are in the order in which what they did for a network is undone. */
enum act_number { ACT_NAMES, ACT_NAT, ACT_WAYS, ACT_IFACE, ACT_PLUG, ACT_PATHS, ACT_PROGRAMS };

/* act_kind - of requests of one type */
struct act_kind {
	const char *what;		/* "opening a TAP"; NULL: the keeper serves it itself */
	enum act_number program;
	enum { AS_KEEPER, AS_USER, AS_ROOT_OR_USER } as;	/* AS_USER: with the rights of the one that it names */
	bool kept;			/* the descriptor is held under the request's name */
	bool opens;			/* there is a descriptor */
	bool leaves;			/* something on the host that closing it does not take away */
	bool given;			/* its program gets the sockets that the daemon was started with */
	uint64_t rights;		/* capabilities, where the keeper has them and acts as itself */
};

const struct act_kind *acts_kind(uint32_t type);
const struct act_kind *acts_undo(enum act_number number);	/* of what that one did for a network: up to ACT_IFACE */

/* acts_open() - find the programs beside this one. Return: 0, or -ENOENT: one of them is not there
 * acts_use() - have one program (taken) stand for all
 * acts_program() - a descriptor of the program, or -1; @roots: nobody but root can have another in its place
 */
int acts_open(void);
void acts_path(const char *name, char *to, size_t room);	/* of a program beside this one */
void acts_use(int fd);
int acts_program(enum act_number number, bool *roots);
const char *acts_name(enum act_number number);

/* --- keeper_spawn.c: a program in a process of its own; it has its stdin, stdout and stderr, and the descriptors that it is given --- */

struct spawn_place {
	int to, fd;			/* the number in the program; ours (borrowed), or -1: none has that number there */
};

struct spawn {
	const char *path;		/* of the program; NULL: @program (borrowed) is its file */
	int program;
	char *const *argv, *const *env;
	struct spawn_place *places;
	unsigned nplaces;
	const struct rights_user *user;	/* who it is, without capabilities; NULL: who we are, with @rights */
	uint64_t rights;
	bool by_file;			/* the rights are those of them that its file has */
	bool no_network;
};

pid_t spawn(const struct spawn *s);	/* Return: its pid or negative errno; it ends when we do */
int spawn_socket(int *theirs);		/* Return: our end of a pair, or negative errno */

/* --- keeper_job.c: one act, by its program --- */

struct job {
	pid_t pid;		/* 0: none runs */
	int sock;		/* its answer: a host_reply and a descriptor; -1 with pid 0 */
	uint64_t until_ms;
	const char *what;
	struct host_header head;	/* of what it answers to */
	pid_t stays;			/* lanyard-paths, which has answered one HOST_LISTEN and waits for the next; 0: none */
	int stays_sock;
};

struct serve;

/* order - what is to be done, and about what; all borrowed */
struct order {
	enum act_what what;
	const struct act_kind *kind;
	const void *request;		/* ACT_RUN: this */
	size_t size;
	const char *name;		/* of what it is about, or NULL: nothing */
	const void *about;		/* the request that opened that, or NULL */
	size_t about_size;
	uint32_t value;
	const uint8_t *missing;		/* of that, or NULL */
	int fd;				/* of that, or -1 */
	uid_t uid;
};

/* job_start() - start it, to be done within @s->job_ms. Return: 0 or a negative errno */
int job_start(struct job *job, const struct serve *s, const struct order *o);

/* job_end() - its answer when it has one, or -EIO, or -ETIMEDOUT when it was too slow; the program is killed
 * @fds:	room for HOST_LISTEN_MAX
 *
 * Return: how many descriptors there are, without HOST_LISTEN up to one; @r->rc says how it went, and is filled in else.
 */
unsigned job_end(struct job *job, struct host_reply *r, int *fds);
void job_cancel(struct job *job);
void job_leave(struct job *job);	/* the one that stays is not needed now */

/* job_now() - the whole of it, and wait. Return: 0, or a negative errno */
int job_now(const struct serve *s, const struct order *o);

/* --- keeper_journal.c: the file, that others work with (ctl/act_journal.h) --- */

int journal_reader(int journal);		/* Return: a descriptor to read it by, or negative errno */
bool journal_used(int journal);			/* is there anything in it? */

/* --- keeper_users.c: the users for whom requests may be --- */

enum { USERS_MAX = 1024 };

struct users {
	uint32_t list[USERS_MAX];
	unsigned n;
	int file;			/* the list, for the next keeper; -1: none */
	bool everybody;			/* a user's keeper: its acts refuse all but himself */
};

/* users_open() - those in @file (borrowed), and with @roots root. Return: 0, -ENOSPC or -EIO
 * users_meet() - @fd (borrowed) was accepted by one of @listeners: whoever connected it is one from now on. Return: 0; -EPERM: it is no such
 * connection; -ENOSPC, -EIO
 */
int users_open(struct users *u, int file, bool roots);
int users_meet(struct users *u, int fd, const int *listeners, unsigned n);
bool users_have(const struct users *u, uint32_t uid);

/* --- keeper_serve.c: one engine's requests --- */

struct serve {
	int sock;			/* to the engine, non-blocking; -1: there is none */
	bool ready;			/* the engine said so */
	unsigned restarts;
	int journal;			/* of host changes; -1: there is none */
	struct held_table held;
	int nat_books;			/* lanyard-nat's alone (ctl/act_nat_books.h); -1: there are none */
	struct users users;
	unsigned job_ms;		/* KEEPER_JOB_MS */
	struct job job;
	unsigned undo;			/* programs that have to undo what they did before the request is served; the job is the first one's */
	unsigned owes;			/* those that could not undo all, of a network that is gone */
	bool then;			/* the job is the request's second part: lanyard-ways', for the interface that is open */
	int opened;			/* that interface */
	_Alignas(8) char pending[HOST_MESSAGE_MAX];	/* the request that the job is for */
	size_t pending_size;
	unsigned ngiven;		/* sockets that the daemon was started with, from START_GIVEN_FD on */
	uint64_t explained_ms;		/* when an answer said last why a port could not be had */
	const char *host_domains;	/* borrowed, or NULL: lanyard-names judges by it */
};

void serve_init(struct serve *s, int sock);

/* serve_request() - read and answer one request. Return: 0, or negative errno: this engine is of no use any more */
int serve_request(struct serve *s);

/* serve_poll() - wait up to @timeout_ms for a request, for a job's end, and for @signal_fd (-1: none), and serve
 *
 * Return: 1 when @signal_fd is readable, 0, or negative errno as above.
 */
int serve_poll(struct serve *s, int signal_fd, int timeout_ms);
void serve_engine_gone(struct serve *s);
void serve_fini(struct serve *s);	/* removes what the held descriptors left on the host */

/* serve_undo_changes() - all that is in the journal */
void serve_undo_changes(struct serve *s);

/* --- keeper_finish.c: requests that take a job --- */

/* serve_start() - for @request; @fd (-1: none) came with it. Return: as serve_request()
 * serve_job() - the job's socket is readable, or its time is over: answer the request it was for. Return: likewise
 */
int serve_start(struct serve *s, const void *request, size_t size, int fd);
int serve_job(struct serve *s);

/* serve_answer() - the reply to @request, with @fd (borrowed) beside it; an engine that does not read its answers is broken
 * serve_answer_many() - likewise
 */
int serve_answer(struct serve *s, const void *request, struct host_reply *r, int fd);
int serve_answer_many(struct serve *s, const void *request, struct host_reply *r, const int *fds, unsigned n);

int serve_done(struct serve *s, const void *request, int rc);	/* likewise, nothing but @rc */

/* serve_held() - what is held under @request's name; NULL: nothing */
struct held *serve_held(const struct serve *s, const void *request);

/* iface_failed() - undo as much as was done; of an interface that was there before (@h) it is not known any more what it is like */
void serve_iface_failed(struct serve *s, const struct host_iface *m, struct held *h, int fd, pid_t child);

/* order_about() - an order about @h */
struct order order_about(enum act_what what, const struct act_kind *kind, const struct held *h);

/* --- keeper_rights.c --- */

/* rights_keep_few() - give up for good what no request needs; nothing that is started gains any right */
void rights_keep_few(void);

/* rights_left() - what the keeper has, by bits */
uint64_t rights_left(void);

/* rights_lend() - before another program is started: have no others than @wanted, and let it have them; or (@by_file) let it have those of
 * them that its file has (setcap(8)). Return: 0 or -EPERM
 */
int rights_lend(uint64_t wanted, bool by_file);

/* rights_become() - be that user from now on, in no other group, without capabilities. Return: 0 or negative errno */
int rights_become(const struct rights_user *user);

/* --- keeper_notify.c --- */

void keeper_notify(const char *state);	/* systemd's protocol: "READY=1" to $NOTIFY_SOCKET */

/* --- keeper_engine.c --- */

/* engine_start() - beside this program, or $LANYARD_ENGINE (never in a privileged program); @sock becomes our end. Return: its pid or negative errno */
pid_t engine_start(const struct start_message *conf, int *sock);

/* --- keeper_validator.c: does not block --- */

/* validator_prepare() - where the program is and who it is to be
 * validator_start() - Return: the engine's socket to a new one, or negative errno; validator_ended() - a child did, whichever it was
 */
void validator_prepare(const struct start_message *conf);
int validator_start(void);
void validator_ended(pid_t pid);

/* --- keeper.c --- */

/* keeper_message() - what lanyardd left in START_MESSAGE_FD. Return: 0, or negative errno: there is none, or not one for us */
int keeper_message(struct start_message *m);

/* keeper_run() - all of it, until SIGTERM, SIGINT or SIGHUP. Return: exit status */
int keeper_run(const struct start_message *conf);

#endif
