// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/packet/guest_life.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

enum { AWAY_MS = 50, SPACING_MS = 100, LOOK_MS = 1 };

static _Noreturn void die(const struct guest_life *life, unsigned i, const char *what, int rc)
{
	fprintf(stderr, "guest %u of %u: %s: %s\n", i, life->n, what, strerror(-rc));
	exit(1);
}

static void come_back(struct guest_life *life, unsigned i)
{
	uint64_t deadline = clock_now_ms() + FRONT_PATIENCE_MS;
	const char *why;
	int rc;

	while ((rc = vguest_again(&life->guests[i], life->sockets[i], life->listeners[i], &why)) < 0)
		if (clock_now_ms() > deadline)
			die(life, i, why, rc);
	life->returned++;
}

static void leave(struct guest_life *life)
{
	unsigned i = life->left % life->n;
	int rc = vguest_leave(&life->guests[i], life->left / life->n % 2 == 0);

	if (rc < 0)
		die(life, i, "a ring is not given back", rc);
	life->left++;
	poll(NULL, 0, AWAY_MS);		/* until the back-end has noticed: then the rings stand still */
	come_back(life, i);
}

static void listen_for(struct guest_life *life, uint64_t now)
{
	uint64_t heard = 0;

	for (unsigned i = 0; i < life->n; i++)
		heard += life->guests[i].received;
	if (heard == life->heard)
		return;
	if (life->heard_ms && now - life->heard_ms > life->silence_ms)
		life->silence_ms = now - life->heard_ms;
	life->heard_ms = now;
	life->heard = heard;
}

void guest_life_look(struct guest_life *life)
{
	uint64_t now = clock_now_ms();

	if (now < life->looked_ms + LOOK_MS)
		return;
	life->looked_ms = now;
	listen_for(life, now);
	for (unsigned i = 0; i < life->n; i++)
		if (vguest_unplugged(&life->guests[i]))
			come_back(life, i);
	if (!life->left_ms)
		life->left_ms = now;
	if (life->left < life->leaves && now - life->left_ms > SPACING_MS) {
		leave(life);
		life->left_ms = clock_now_ms();
	}
}
