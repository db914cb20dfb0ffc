/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/act.h - an act on the host: a program of its own, which the keeper starts for one request and which ends with its answer
 * (for ports of the host: which stays a moment for the next one)
 *
 * There is one program for each kind of acts (ctl/act_NAME_main.c). It starts with the rights that its act needs, no environment, the
 * descriptors below and no others (ctl/keeper_job.c). On ACT_FD it reads one message, its call, and answers by one: a host_reply, and
 * beside it the descriptor that it opened (the answer to HOST_LISTEN: all of them). By one byte more it says that it
 * has closed its own, and waits for the next call. A call that is not as it should be is not acted on.
 *
 * When the call is for another user than the keeper's the program becomes that user, in all his groups, before it does anything; by that
 * it has no capability, and nobody can trace it.
 */
#ifndef CTL_ACT_H
#define CTL_ACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctl/host.h"
#include "ctl/start.h"

enum { ACT_FD = 3, ACT_JOURNAL_FD, ACT_HELD_FD, ACT_BOOKS_FD /* lanyard-nat's: ctl/act_nat_books.h */ };
enum { ACT_GIVEN_FD = ACT_BOOKS_FD + 1 };	/* of HOST_LISTEN: the message to the keeper (ctl/start.h), and behind it act_call.ngiven sockets */

enum act_what { ACT_RUN = 1, ACT_UNDO, ACT_UNDO_ALL, ACT_WHATS };

enum { LISTEN_EXPLAINED = 1 };	/* who has a port was looked for just now: not again, for another part of a range */

enum { ACT_HAS_JOURNAL = 1, ACT_HAS_HELD = 2 };	/* which descriptors there are */

struct act_call {
	uint32_t size;			/* of this, bytes */
	uint32_t what;			/* enum act_what */
	uint32_t keeper;		/* its process */
	uint32_t uid;			/* for whom */
	uint32_t has;			/* bits of ACT_HAS_... */
	uint32_t value;			/* what is held: of the reply that opened it; HOST_LISTEN: LISTEN_EXPLAINED, or 0 */
	uint32_t own_rights;		/* 1: this program's file is not root's alone, and is to be given rights itself (setcap(8)) */
	uint32_t request_size;		/* 0: there is none, as for ACT_UNDO */
	uint32_t about_size;		/* of the request that opened what is held */
	uint32_t ngiven;		/* sockets from ACT_GIVEN_FD + 1 on, where that is there */
	uint64_t rights;		/* of the keeper, for rights_hint() */
	uint8_t missing[HOST_LISTEN_BITS];	/* of HOST_LISTEN again: these ports are asked for; none: all are */
	char name[HOST_NAME_SIZE];	/* under which it is held */
	char program[256];		/* the keeper's */
	char domains[START_DOMAINS_SIZE];	/* below which guests' names may stand in the host's besides the reserved ones, by commas, or empty */
	char request[HOST_MESSAGE_MAX], about[HOST_MESSAGE_MAX];
};

/* act_about - what an act is about: something that the keeper holds */
struct act_about {
	char name[HOST_NAME_SIZE];
	int fd;				/* -1: there is none */
	uint32_t value;			/* of the reply that opened it */
	const void *request;		/* that opened it; NULL: it is not known to be as any request says */
};

struct act_program {
	const char *name;		/* "lanyard-plug" */
	/* run() - what call->request asks. Return: a descriptor, 0 for "done" (or act_also()), or negative errno with @r filled in */
	int (*run)(const struct act_call *call, const struct act_about *about, struct host_reply *r);
	/* undo() - remove what is left of @about on the host; Return: 0, or negative errno: something stays. undo_all() - all in the journal.
	 * NULL: this program leaves nothing. */
	int (*undo)(const struct act_call *call, const struct act_about *about);
	void (*undo_all)(void);
	uint32_t stays;			/* of requests of this type there may be many: it waits for the next one; 0: it ends with its answer */
	void (*use_journal)(int fd);	/* journal_use(), where there is something to be noted */
};

extern const struct act_program act_iface, act_ways, act_plug, act_nat, act_names, act_paths;

/* act_main() - all of such a program. Return: exit status */
int act_main(const struct act_program *program);

/* act_also() - @fd (taken) is for the answer; up to HOST_LISTEN_MAX */
void act_also(int fd);

/* act_call_check() - in act_call.c: is it whole, with texts that end, and requests that the keeper would take? Return: 0 or -EPROTO */
int act_call_check(const struct act_call *call, size_t size);

/* act_refuse() - the error is what the engine is told. Return: @rc */
struct error;
int act_refuse(struct host_reply *r, int rc, const struct error *err);

/* --- act_rights.c --- */

/* rights_have() - is that capability (CAP_...) in force?
 * rights_hint() - the command that lets a user's keeper have those, given by their bits, besides what it has; as rights_told() says
 */
bool rights_have(unsigned capability);
void rights_hint(struct error *err, uint64_t needed);
void rights_told(const struct act_call *call);

/* rights_lose() - be @uid, in all his groups, without capabilities. Return: 0, or -EPERM with @r filled in */
int rights_lose(uint32_t uid, struct host_reply *r);

#endif
