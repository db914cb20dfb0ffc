// SPDX-License-Identifier: GPL-2.0-or-later
#include "dhcp/tftp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/pace.h"
#include "dhcp/tftp_message.h"
#include "dhcp/tftp_source.h"

enum { FIRST_WAIT_MS = 1000, WAIT_MAX_MS = 8000, DISK_WAIT_MS = 10, DISK_PATIENCE_MS = 10000 };

/* A transfer: blocks up to `acked` have arrived, and the `flying` next are on their way. */
struct session {
	struct tftp_peer who;
	struct tftp_request asked;	/* and agreed on */
	struct tftp_source source;
	struct tftp_cursor next;	/* before block acked + 1 */
	struct tftp_cursor ahead;	/* behind those that are on their way */
	uint64_t size;
	uint64_t acked;
	unsigned flying;
	bool last;			/* the last of those is the file's last */
	bool opening;			/* an OACK is not acknowledged yet */
	bool again;			/* a window was sent again because its first block did not arrive */
	unsigned tries;
	uint64_t due_ms;
	uint64_t patience_ms;		/* the disk has not what comes next: until when it may take; 0: it has */
	TAILQ_ENTRY(session) link;	/* oldest first */
};

struct tftp {
	const struct tftp_ops *ops;
	void *arg;
	TAILQ_HEAD(, session) sessions;
	unsigned n;
	uint8_t packet[TFTP_HEADER + TFTP_BLOCK_MAX];
};

struct tftp *tftp_new(const struct tftp_ops *ops, void *arg)
{
	struct tftp *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->ops = ops;
	t->arg = arg;
	TAILQ_INIT(&t->sessions);
	return t;
}

static bool same_peer(const struct tftp_peer *a, const struct tftp_peer *b)
{
	return a->port == b->port && a->vid == b->vid && a->sport == b->sport && addr_equal(a->src, b->src) && addr_equal(a->dst, b->dst);
}

static struct session *find(const struct tftp *t, const struct tftp_peer *who)
{
	struct session *s;

	TAILQ_FOREACH(s, &t->sessions, link)
		if (same_peer(&s->who, who))
			return s;
	return NULL;
}

unsigned tftp_active(const struct tftp *t, uint32_t port)
{
	const struct session *s;
	unsigned n = 0;

	TAILQ_FOREACH(s, &t->sessions, link)
		n += port == UINT32_MAX || s->who.port == port;
	return n;
}

/* ---- the end ---- */

static void end(struct tftp *t, struct session *s, int rc)
{
	uint64_t bytes = MIN_OF(s->acked * s->source.block, s->size);

	TAILQ_REMOVE(&t->sessions, s, link);
	t->n--;
	t->ops->close(t->arg, s->source.file);
	t->ops->ended(t->arg, &s->who, s->asked.name, bytes, rc);
	free(s);
}

static void send_error(struct tftp *t, const struct tftp_peer *to, enum tftp_error code, const char *text)
{
	t->ops->send(t->arg, to, t->packet, tftp_write_error(t->packet, code, text));
}

static void break_off(struct tftp *t, struct session *s, int rc)
{
	send_error(t, &s->who, TFTP_UNDEFINED, "the file cannot be read any more");
	end(t, s, rc);
}

/* ---- sending ---- */

/* wait_for() - the client's word, or more and more patience (RFC 1123 4.2.3.2) */
static uint64_t wait_for(const struct session *s)
{
	return s->asked.timeout_s ? s->asked.timeout_s * 1000u : MIN_OF((uint64_t)FIRST_WAIT_MS << s->tries, (uint64_t)WAIT_MAX_MS);
}

/* send_more() - the blocks of a window that are still to come. Return: 0; -EAGAIN: what comes next is not there yet; or another negative errno */
static int send_more(struct tftp *t, struct session *s)
{
	unsigned most = s->asked.window ? s->asked.window : 1;

	for (; s->flying < most && !s->last; s->flying++) {
		struct tftp_cursor c = s->ahead;
		long n = tftp_source_read(&s->source, &c, t->packet + TFTP_HEADER);

		if (n < 0)
			return (int)n;
		s->ahead = c;
		put_u16(t->packet, TFTP_DATA);
		put_u16(t->packet + 2, (uint16_t)(s->acked + s->flying + 1));
		t->ops->send(t->arg, &s->who, t->packet, TFTP_HEADER + (size_t)n);
		s->last = n < (long)s->source.block;
	}
	return 0;
}

/* send_window() - the blocks behind those that have arrived */
static int send_window(struct tftp *t, struct session *s)
{
	s->ahead = s->next;
	s->last = false;
	s->flying = 0;
	return send_more(t, s);
}

/* sent() - what came of sending: the client has its time to answer, or the disk a moment more */
static void sent(struct tftp *t, struct session *s, int rc, uint64_t now_ms)
{
	if (rc == -EAGAIN && !s->patience_ms)
		s->patience_ms = now_ms + DISK_PATIENCE_MS;
	if (rc == -EAGAIN && now_ms < s->patience_ms) {
		s->due_ms = now_ms + DISK_WAIT_MS;
		return;
	}
	s->patience_ms = 0;
	s->due_ms = now_ms + wait_for(s);
	if (rc < 0)
		break_off(t, s, rc);
}

/* send_due() - what the client is to answer next, for the first time or again */
static void send_due(struct tftp *t, struct session *s, uint64_t now_ms)
{
	int rc = 0;

	if (s->opening)
		t->ops->send(t->arg, &s->who, t->packet, tftp_write_oack(t->packet, &s->asked, s->size));
	else
		rc = send_window(t, s);
	sent(t, s, rc, now_ms);
}

/* ---- requests ---- */

/* agree() - what of the options is granted; how long a text is when it is sent nobody knows yet */
static void agree(struct tftp_request *r, uint32_t block_max)
{
	r->block = MIN_OF(r->block, block_max);
	r->window = MIN_OF(r->window, (uint32_t)TFTP_WINDOW);
	r->size = r->size && !r->netascii;
}

static void refuse(struct tftp *t, const struct tftp_peer *who, const char *name, int rc)
{
	if (rc == -EAGAIN)
		return;
	if (rc == -ENOENT)
		send_error(t, who, TFTP_NOT_FOUND, "no such file");
	else
		send_error(t, who, TFTP_DENIED, "denied");
	t->ops->ended(t->arg, who, name, 0, rc);
}

/* make_room() - a client that was cut off says nothing: the port's transfer that has waited longest goes. Return: is there room now? */
static bool make_room(struct tftp *t, uint32_t port)
{
	struct session *s, *stalest = NULL;

	if (tftp_active(t, port) >= TFTP_PER_PORT) {
		TAILQ_FOREACH(s, &t->sessions, link)
			if (s->who.port == port && (!stalest || s->due_ms < stalest->due_ms))
				stalest = s;
		end(t, stalest, -ETIMEDOUT);
	}
	return t->n < TFTP_SESSIONS;
}

bool tftp_may_open(uint64_t *own_us, uint64_t *all_us, uint64_t now_ms)
{
	enum { SECOND = 1000000 };
	uint64_t own = pace_next(*own_us, now_ms * 1000, SECOND / TFTP_OPENS_PER_S, SECOND);
	uint64_t all = pace_next(*all_us, now_ms * 1000, SECOND / TFTP_OPENS_ALL_PER_S, SECOND);

	if (!own || !all)
		return false;
	*own_us = own;
	*all_us = all;
	return true;
}

static struct session *begin(struct tftp *t, const struct tftp_peer *who, const struct tftp_request *asked, uint32_t block_max)
{
	struct session *s = calloc(1, sizeof(*s));
	int file;

	if (!s)
		return NULL;
	file = t->ops->open(t->arg, who, asked->name, &s->size);
	if (file < 0) {
		free(s);
		refuse(t, who, asked->name, file);
		return NULL;
	}
	s->who = *who;
	s->asked = *asked;
	agree(&s->asked, block_max);
	s->source = (struct tftp_source){ t->ops, t->arg, file, asked->netascii, s->asked.block ? s->asked.block : MIN_OF((uint32_t)TFTP_BLOCK, block_max) };
	s->opening = tftp_write_oack(t->packet, &s->asked, s->size) > 0;
	TAILQ_INSERT_TAIL(&t->sessions, s, link);
	t->n++;
	return s;
}

/* on_request() - the same one again, before anything has arrived, is one whose answer got lost; any other begins anew */
static void on_request(struct tftp *t, const struct tftp_peer *who, const uint8_t *data, size_t size, uint32_t block_max, uint64_t now_ms)
{
	struct session *s = find(t, who);
	struct tftp_request asked;
	int rc = tftp_request_parse(&asked, data, size);

	if (rc < 0) {
		send_error(t, who, rc == -EINVAL ? TFTP_NOT_FOUND : TFTP_ILLEGAL, rc == -EINVAL ? "no such file" : "not a request for a file");
		return;
	}
	if (s && (s->acked || strcmp(s->asked.name, asked.name))) {
		end(t, s, -ECANCELED);
		s = NULL;
	}
	if (!s && make_room(t, who->port))
		s = begin(t, who, &asked, block_max);
	if (s)
		send_due(t, s, now_ms);
}

/* ---- answers ---- */

/* on_repeated() - the window's beginning got lost, says who takes windows (RFC 7440 4), once. Of one block that is said by asking
 * nothing, for an acknowledgement that was doubled on its way would double all that follows (RFC 1123 4.2.3.1). */
static void on_repeated(struct tftp *t, struct session *s, uint64_t now_ms)
{
	if (s->asked.window <= 1 || s->again)
		return;
	s->again = true;
	send_due(t, s, now_ms);
}

/* on_ack() - block numbers have sixteen bits: what is meant is the only one of that number on its way */
static void on_ack(struct tftp *t, struct session *s, uint16_t number, uint64_t now_ms)
{
	unsigned n = (uint16_t)(number - (uint16_t)s->acked);
	struct tftp_cursor next = s->next;
	int rc;

	if (!s->opening && n == 0)
		on_repeated(t, s, now_ms);
	if (s->opening ? n : n == 0 || n > s->flying)
		return;
	s->opening = false;
	s->again = false;
	s->tries = 0;
	rc = tftp_source_skip(&s->source, &next, n);
	if (rc == -EAGAIN)
		return;			/* of a text: it has gone from memory; the client says it again */
	s->next = next;
	s->acked += n;
	if (rc < 0)
		break_off(t, s, rc);
	else if (s->last && n == s->flying)
		end(t, s, 0);
	else
		send_due(t, s, now_ms);
}

/* on_other() - what is no request for a file */
static void on_other(struct tftp *t, const struct tftp_peer *who, uint16_t opcode, const uint8_t *data, uint64_t now_ms)
{
	struct session *s = find(t, who);

	if (opcode == TFTP_ACK && s)
		on_ack(t, s, get_u16(data + 2), now_ms);
	else if (opcode == TFTP_ERROR && s)
		end(t, s, -ECANCELED);
	else if (opcode == TFTP_WRQ)
		send_error(t, who, TFTP_DENIED, "nothing can be written here");
	else if (opcode == TFTP_ACK || opcode == TFTP_DATA)
		send_error(t, who, TFTP_STRANGER, "no transfer");
	else if (opcode != TFTP_ERROR && opcode)	/* RFC 1350 2: an error is never answered with one */
		send_error(t, who, TFTP_ILLEGAL, "not TFTP");
}

/* first_due() - of all transfers */
static uint64_t first_due(const struct tftp *t)
{
	const struct session *s;
	uint64_t first = TFTP_NEVER;

	TAILQ_FOREACH(s, &t->sessions, link)
		first = MIN_OF(first, s->due_ms);
	return first;
}

uint64_t tftp_input(struct tftp *t, const struct tftp_peer *who, const uint8_t *data, size_t size, uint32_t block_max, uint64_t now_ms)
{
	uint16_t opcode = size >= TFTP_HEADER ? get_u16(data) : 0;

	if (opcode == TFTP_RRQ)
		on_request(t, who, data, size, block_max, now_ms);
	else
		on_other(t, who, opcode, data, now_ms);
	return first_due(t);
}

/* ---- time ---- */

static void on_due(struct tftp *t, struct session *s, uint64_t now_ms)
{
	if (s->patience_ms)
		sent(t, s, send_more(t, s), now_ms);
	else if (++s->tries == TFTP_TRIES)
		end(t, s, -ETIMEDOUT);
	else
		send_due(t, s, now_ms);
}

uint64_t tftp_tick(struct tftp *t, uint64_t now_ms)
{
	struct session *s, *next;

	for (s = TAILQ_FIRST(&t->sessions); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (s->due_ms <= now_ms)
			on_due(t, s, now_ms);
	}
	return first_due(t);
}

void tftp_forget_port(struct tftp *t, uint32_t port)
{
	struct session *s, *next;

	for (s = TAILQ_FIRST(&t->sessions); s; s = next) {
		next = TAILQ_NEXT(s, link);
		if (port == UINT32_MAX || s->who.port == port)
			end(t, s, -ECANCELED);
	}
}

void tftp_forget_all(struct tftp *t)
{
	tftp_forget_port(t, UINT32_MAX);
}

void tftp_free(struct tftp *t)
{
	if (!t)
		return;
	tftp_forget_all(t);
	free(t);
}
