/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/trial.h - what would become of a frame, said by the frame path itself
 *
 * A trial walks as a frame does: the same functions admit it, ask the stages, look its destination up, decide, and ask the services.
 * But nothing is filed, sent, learnt, noted, counted or opened. Whoever decides in the walk and has an effect beside its answer looks at
 * burst.trial (switch/burst.h) or arrival.trial (switch/service.h) before that. tests/packet/test_trial.c compares trials with what
 * becomes of the same frames when they are real.
 *
 * Copies that promiscuous ports and captures would be given are not told of. What a trial cannot know: whether the destination has room for the frame (VERDICT_DROP_TX), and what the answer meets.
 */
#ifndef SWITCH_TRIAL_H
#define SWITCH_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "switch/verdict.h"

struct frame;
struct outbox;
struct port_view;
struct snapshot;
struct worker;

enum { TRIAL_PORTS = 64 };

/* trial_stop - how far the frame came */
enum trial_stop { TRIAL_ADMISSION, TRIAL_STAGES, TRIAL_DESTINATION, TRIAL_SERVICE };

/* trial_way - how a packet would leave the host, where the NAT lets it */
struct trial_way {
	bool asked;			/* the NAT would pass it on: the rest holds */
	bool known;			/* as part of a flow that is there */
	struct addr dst;		/* whom the host's socket would talk to */
	struct addr src;		/* with which address of the host's; none: it has none for that */
	int error;			/* 0, or why the host would not send: negative errno */
};

struct trial {
	struct outbox *out;		/* while it lasts */
	enum verdict verdict;		/* the frame's end */
	enum trial_stop stop;		/* who said so */
	uint16_t vid;
	bool looked_up;			/* its destination is one station's */
	int32_t lives_at;		/* port id where that is known to be, or -ENOENT */
	unsigned nports;		/* how many ports would get a copy, the first TRIAL_PORTS by id */
	uint32_t ports[TRIAL_PORTS];
	bool served;			/* gateway and services would get one, and ... */
	enum verdict service;		/* ... say this */
	struct trial_way way;
	bool made;			/* a service would send it on, changed, to another network of ours: there, by looked_up, lives_at ... */
	enum verdict beyond;		/* ... and ports, this becomes of it */
};

/* forward_trial() - what forward_burst() would do with @f, received from @in now; *t is filled
 * @out:	empty, and the trial's own
 *
 * The owner worker of the port; takes the tag out of @f as the walk does.
 */
void forward_trial(struct worker *w, struct outbox *out, const struct snapshot *snap, const struct port_view *in, struct frame *f,
		   struct trial *t);

/* forward_trial_made() - of a service that is asked about a trial: it would send @f, as by forward_made() from local port @from
 * trial_note() - of the outbox: a copy would go to that port
 */
void forward_trial_made(struct worker *w, uint32_t from, struct frame *f, struct trial *t);
void trial_note(struct trial *t, const struct port_view *to);

#endif
