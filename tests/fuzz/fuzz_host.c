// SPDX-License-Identifier: GPL-2.0-or-later
/* covers: ctl/host.c ctl/keeper_held.c */
/* What a broken or taken-over engine could send to the keeper. The input is a row of messages: one byte (bit 0: with a
 * descriptor), two bytes of length, the message. Requests that would act on the host are checked but not served.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "ctl/keeper.h"

enum { MESSAGES_MAX = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool acts_on_host(const struct serve *s, const void *message, size_t size, int fd)
{
	struct host_header head;
	const struct held *h;

	if (host_request_check(message, size, fd) < 0)
		return false;
	memcpy(&head, message, sizeof(head));
	if (head.type == HOST_UNIX_PEER && !held_find(&s->held, host_name_of(message)))
		return false;
	if (head.type != HOST_DROP)
		return head.type >= HOST_OPEN_TAP && head.type != HOST_REPLACE;
	h = held_find(&s->held, host_name_of(message));
	return h && held_leaves_trace(h);	/* a child would remove it */
}

/* hold() - as if the request had opened one descriptor, or several, of which some are missing */
static void hold(struct serve *s, const char *name, const void *message, size_t size)
{
	static const struct host_reply r = { .missing = { 5 } };
	int fds[2], late;

	if (size & 1) {
		held_add(&s->held, name, dup(s->sock), 0, message, size);
		return;
	}
	fds[0] = dup(s->sock);
	fds[1] = dup(s->sock);
	if (held_add_many(&s->held, name, fds, 2, &r, message, size) < 0)
		abort();
	late = dup(s->sock);
	if (held_more(held_find(&s->held, name), &late, 1, &(struct host_reply){ .missing = { size & 2 ? 4 : 5 } }) < 0)
		close(late);
}

/* A checked request has a name that ends; what would open something is at least compared and remembered. */
static void remember(struct serve *s, const void *message, size_t size)
{
	const char *name = host_name_of(message);
	struct held *h = *name ? held_find(&s->held, name) : NULL;

	if (size >= sizeof(struct host_recall))
		users_have(&s->users, host_uid_of(message));
	if (h)
		held_same(h, message, size);
	else if (*name)
		hold(s, name, message, size);
}

/* look_at_record() - the same bytes as a place of the journal of host changes: torn, and with a sum that fits */
static void look_at_record(const uint8_t *bytes, size_t size)
{
	struct host_change c;

	if (size < sizeof(c))
		return;
	memcpy(&c, bytes, sizeof(c));
	host_change_check(&c);
	c.check = host_change_sum(&c);
	if (host_change_check(&c) && (c.kind >= HOST_CHANGE_KINDS || strlen(c.name) >= sizeof(c.name) || strlen(c.target) >= sizeof(c.target)))
		abort();
}

static void exchange(struct serve *s, int sock, const uint8_t *message, size_t size, int fd)
{
	struct host_header head = { 0 };
	struct host_reply r;
	int came;

	memcpy(&head, message, size < sizeof(head) ? size : sizeof(head));
	if (host_send(sock, message, size, fd) < 0 || serve_request(s) < 0 || s->job.pid)
		abort();
	if (host_receive(sock, &r, sizeof(r), &came) != sizeof(r) || r.head.type != head.type || r.rc > 0)
		abort();
	host_reply_check(&r, sizeof(r), &head);
	host_reply_check(message, size, &head);
	if (came >= 0)
		close(came);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct serve s;
	struct reader r = reader_init(data, size);
	uint8_t copy[UINT16_MAX];
	int pair[2], came;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return 0;
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	fcntl(pair[1], F_SETFL, O_NONBLOCK);
	serve_init(&s, pair[0]);
	for (int i = 0; i < MESSAGES_MAX && reader_left(&r) > 3; i++) {
		int fd = read_u8(&r) & 1 ? pair[1] : -1;
		size_t n = read_u16(&r);

		n = n < reader_left(&r) ? n : reader_left(&r);
		read_copy(&r, copy, n);
		if (n == 0)
			continue;
		look_at_record(copy, n);
		if (acts_on_host(&s, copy, n, fd))
			remember(&s, copy, n);
		else
			exchange(&s, pair[1], copy, n, fd);
	}
	for (const struct held *h = s.held.by_name; h; h = h->hh.next) {
		held_lacks(h);
		held_leaves_trace(h);
		held_shares_trace(&s.held, h);
	}
	for (struct held *h = s.held.by_name; h; h = h->hh.next) {
		free(h->request);	/* nothing is to be undone: nothing was done */
		h->request = NULL;
	}
	serve_fini(&s);
	host_receive(pair[1], copy, sizeof(copy), &came);
	close(pair[1]);
	return 0;
}
