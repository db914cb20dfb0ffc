// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/act.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

int act_refuse(struct host_reply *r, int rc, const struct error *err)
{
	r->rc = rc;
	snprintf(r->message, sizeof(r->message), "%.*s", (int)sizeof(r->message) - 1, err->message);
	snprintf(r->hint, sizeof(r->hint), "%s", err->hint);
	return rc;
}

static int opened[HOST_LISTEN_MAX];
static unsigned nopened;

void act_also(int fd)
{
	if (nopened < HOST_LISTEN_MAX)
		opened[nopened++] = fd;
}

/* obey() - Return: as act_program.run() */
static int obey(const struct act_program *p, const struct act_call *call, struct host_reply *r)
{
	struct act_about about = { .fd = call->has & ACT_HAS_HELD ? ACT_HELD_FD : -1, .value = call->value,
				   .request = call->about_size ? call->about : NULL };

	memcpy(about.name, call->name, sizeof(about.name));
	if (p->use_journal && call->has & ACT_HAS_JOURNAL)
		p->use_journal(ACT_JOURNAL_FD);
	if (call->what == ACT_RUN)
		return p->run(call, &about, r);
	if (call->what == ACT_UNDO)
		return p->undo ? p->undo(call, &about) : -EPROTO;
	if (p->undo_all)
		p->undo_all();
	return 0;
}

/* answer_one() - Return: is there another one to be waited for? */
static bool answer_one(const struct act_program *p)
{
	static struct act_call call;
	struct host_reply r = { .head.size = sizeof(r) };
	const struct host_header *head = (const void *)call.request;
	int beside, fd;
	long n = host_receive(ACT_FD, &call, sizeof(call), &beside);

	if (n < 0 || beside >= 0 || act_call_check(&call, (size_t)n) < 0 || (uint32_t)getppid() != call.keeper)
		return false;
	if (call.what == ACT_RUN)
		memcpy(&r.head, call.request, sizeof(r.head));
	r.head.size = sizeof(r);
	rights_told(&call);
	fd = rights_lose(call.uid, &r);
	if (fd == 0)
		fd = obey(p, &call, &r);
	r.rc = fd < 0 ? fd : 0;
	if (fd > 0)
		act_also(fd);
	host_send_many(ACT_FD, &r, sizeof(r), opened, fd < 0 ? 0 : nopened);
	while (nopened)
		close(opened[--nopened]);	/* before the answer's socket, or the word that we stay: then the keeper's copy is the only one, see job_end() */
	return p->stays && call.what == ACT_RUN && head->type == p->stays && host_send(ACT_FD, "", 1, -1) == 0;
}

/* The keeper may have died before this process asked to die with it: then nobody undoes what it does. */
int act_main(const struct act_program *p)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, p->name);
	umask(077);
	while (answer_one(p))
		;
	close(ACT_FD);
	_exit(0);
}
