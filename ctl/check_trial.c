// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "ctl/check_trial.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "ctl/check.h"
#include "ctl/check_lease.h"

enum { AGAIN_MS = 130, NUMBER_DIGITS = 8 };

void trial_init(struct check *c, struct trial *t, const char *name, enum trial_kind kind, bool want)
{
	memset(t, 0, sizeof(*t));
	t->name = name;
	t->kind = kind;
	t->want = want;
	t->fd = -1;
	if (getrandom(&t->nonce, sizeof(t->nonce), 0) != sizeof(t->nonce))
		t->nonce = (uint32_t)clock_now_ns();
	t->sport = c->next_port++;
	t->at_port = c->next_port++;
	t->size = (size_t)snprintf(t->payload, sizeof(t->payload), TRIAL_WORD "%08x", t->nonce);
}

void trial_void(struct trial *t, const char *why)
{
	trial_ended(t, TRIAL_REFUSED, "%s", why);
}

void trial_ended(struct trial *t, enum trial_end end, const char *fmt, ...)
{
	va_list ap;

	if (t->end != TRIAL_OPEN)
		return;
	t->end = end;
	va_start(ap, fmt);
	vsnprintf(t->how, sizeof(t->how), fmt, ap);
	va_end(ap);
}

void trial_arrived(struct trial *t)
{
	t->arrived = true;
	if (!t->want && t->end == TRIAL_REFUSED)
		t->end = TRIAL_OPEN;	/* a gateway's "no" is not the last word on one that comes by another way */
	if (!t->want || t->kind == TRIAL_ETHER)
		trial_ended(t, TRIAL_REACHED, "arrived");
	else if (t->answered)
		trial_ended(t, TRIAL_REACHED, "arrived and answered");
}

/* said() - the text behind the number, in visible characters */
static void said(struct trial *t, const uint8_t *data, size_t size)
{
	size_t skip = strlen(TRIAL_WORD) + NUMBER_DIGITS + 1, n = 0;

	for (size_t i = skip; i < size && n + 1 < sizeof(t->said) && data[i] >= ' ' && data[i] < 0x7f; i++)
		t->said[n++] = (char)data[i];
	t->said[n] = '\0';
}

static bool holds_number(const struct trial *t, const uint8_t *data, size_t size)
{
	return memmem(data, size, t->payload, strlen(TRIAL_WORD) + NUMBER_DIGITS) != NULL;
}

void trial_answer(struct trial *t, const uint8_t *data, size_t size)
{
	if (!(t->answered_by ? t->answered_by : holds_number)(t, data, size))
		return;
	said(t, data, size);
	t->answered = true;
	if (t->refusable && strcmp(t->said, "yes"))
		trial_ended(t, TRIAL_REFUSED, "the outside says: %.50s", t->said);
	else
		trial_ended(t, TRIAL_REACHED, "answered");
}

struct trial *trial_of(struct check *c, const uint8_t *data, size_t size)
{
	for (unsigned i = 0; i < c->ntrials; i++)
		if (holds_number(&c->trials[i], data, size))
			return &c->trials[i];
	return NULL;
}

/* --- waiting --------------------------------------------------------------------------------------------- */

static void poll_all(struct check *c, uint64_t limit_ms)
{
	struct pollfd fds[2 * CHECK_GUESTS + 2 * HOST_LISTENERS + 1 + 16];
	uint64_t now_ms = clock_now_ms();
	unsigned n = 0;

	for (unsigned i = 0; i < CHECK_GUESTS; i++) {
		fds[n++] = (struct pollfd){ .fd = c->guests[i].fd, .events = POLLIN };
		fds[n++] = (struct pollfd){ .fd = c->guests[i].fd < 0 ? -1 : c->guests[i].attach.fd, .events = POLLIN };
	}
	for (unsigned i = 0; i < c->host.nlisteners; i++) {
		fds[n++] = (struct pollfd){ .fd = c->host.listeners[i].tcp, .events = POLLIN };
		fds[n++] = (struct pollfd){ .fd = c->host.listeners[i].udp, .events = POLLIN };
	}
	fds[n++] = (struct pollfd){ .fd = c->host.sniffer, .events = POLLIN };
	for (unsigned i = 0; i < MIN_OF(c->ntrials, 16u); i++)
		if (c->trials[i].end == TRIAL_OPEN)
			fds[n++] = (struct pollfd){ .fd = c->trials[i].fd, .events = check_host_trial_events(&c->trials[i]) };
	poll(fds, n, limit_ms <= now_ms ? 0 : (int)MIN_OF(limit_ms - now_ms, 1000u));
}

static void serve_guest(struct check *c, struct check_guest *g, uint64_t now_ms)
{
	const uint8_t *frame;
	uint32_t size;

	if (g->fd < 0)
		return;
	if (g->attach.state != ATTACH_REFUSED && (g->attach.fd >= 0 || now_ms >= g->attach.next_ms))
		attachment_poll(&g->attach, now_ms);
	guest_fill(g);
	while ((frame = guest_next(g, &size)))
		check_input(c, g, frame, size);
	check_lease_tick(g, now_ms);
}

static uint64_t next_due(const struct check *c, uint64_t limit_ms)
{
	for (unsigned i = 0; i < CHECK_GUESTS; i++) {
		const struct check_guest *g = &c->guests[i];

		if (g->fd >= 0 && g->attach.state != ATTACH_REFUSED)
			limit_ms = MIN_OF(limit_ms, g->attach.next_ms);
		if (g->fd >= 0 && g->leasing)
			limit_ms = MIN_OF(limit_ms, g->dhcp.next_ms);
	}
	for (unsigned i = 0; i < c->ntrials; i++)
		if (c->trials[i].end == TRIAL_OPEN)
			limit_ms = MIN_OF(limit_ms, MIN_OF(c->trials[i].next_ms, c->trials[i].limit_ms));
	return limit_ms;
}

void check_turn(struct check *c, uint64_t limit_ms)
{
	uint64_t now_ms;

	poll_all(c, next_due(c, limit_ms));
	now_ms = clock_now_ms();
	for (unsigned i = 0; i < CHECK_GUESTS; i++)
		serve_guest(c, &c->guests[i], now_ms);
	check_host_serve(c);
	for (unsigned i = 0; i < c->ntrials; i++)
		if (c->trials[i].fd >= 0 && c->trials[i].end == TRIAL_OPEN)
			check_host_trial_look(&c->trials[i]);
}

/* --- all trials of a row ----------------------------------------------------------------------------------- */

static void trial_tick(struct trial *t, uint64_t now_ms)
{
	if (t->end != TRIAL_OPEN)
		return;
	if (now_ms >= t->limit_ms) {
		trial_ended(t, TRIAL_SILENT, t->arrived ? "arrived, but no answer came back" : t->answered ?
			    "answered, but never arrived" : "no answer");
		return;
	}
	if (now_ms < t->next_ms)
		return;
	t->next_ms = now_ms + ((uint64_t)AGAIN_MS << MIN_OF(t->tries, 4u));
	t->tries++;
	if (t->from)
		trial_send(t);
	else
		check_host_trial_send(t);
}

static bool all_ended(const struct trial *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (t[i].end == TRIAL_OPEN)
			return false;
	return true;
}

void trials_run(struct check *c, struct trial *trials, unsigned n)
{
	uint64_t now_ms = clock_now_ms();

	c->trials = trials;
	c->ntrials = n;
	for (unsigned i = 0; i < n; i++) {
		trials[i].next_ms = now_ms + trials[i].delay_ms;
		trials[i].limit_ms = trials[i].next_ms + (trials[i].want || trials[i].refusable ? c->yes_ms : c->no_ms);
	}
	for (;;) {
		for (unsigned i = 0; i < n; i++)
			trial_tick(&trials[i], clock_now_ms());
		if (all_ended(trials, n))
			break;
		check_turn(c, UINT64_MAX);
	}
	for (unsigned i = 0; i < n; i++) {
		trial_hang_up(&trials[i]);
		if (trials[i].fd >= 0)
			close(trials[i].fd);
		trials[i].fd = -1;
	}
	c->trials = NULL;
	c->ntrials = 0;
}
