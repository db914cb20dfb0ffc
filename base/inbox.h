/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/inbox.h - bounded queue of fixed-size messages into one thread, with an eventfd to sleep on
 *
 * Many threads may push, one thread pops. Neither waits: a full inbox refuses. Messages are copied in and
 * out. The algorithm is D. Vyukov's bounded queue: each cell carries the lap in which it may be written
 * or read, so that a producer and the consumer meet only on the cell they exchange.
 */
#ifndef BASE_INBOX_H
#define BASE_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inbox;

/* inbox_new() - room for @ncells messages (a power of two) of @size bytes each
 *
 * Return: an inbox for inbox_free(), or NULL with errno.
 */
struct inbox *inbox_new(size_t ncells, size_t size);
void inbox_free(struct inbox *inbox);

/* inbox_push() - copy @message in; any thread
 *
 * Return: false when full. The consumer's eventfd is written only when it may be asleep.
 */
bool inbox_push(struct inbox *inbox, const void *message);

/* inbox_put() - the same for who has more to say, and calls inbox_wake() when that is done */
bool inbox_put(struct inbox *inbox, const void *message);

/* inbox_pop() - copy the oldest message out; the consumer only. Return: false when empty. */
bool inbox_pop(struct inbox *inbox, void *message);

/* inbox_fd() - readable when there may be messages; owned by the inbox */
int inbox_fd(const struct inbox *inbox);

/* inbox_sleep() - the consumer is about to wait on inbox_fd(): clear it and ask to be woken
 *
 * Return: true when it may wait; false when messages are there already.
 */
bool inbox_sleep(struct inbox *inbox);

/* inbox_doze() - as inbox_sleep(), for a consumer that waits for edges (EPOLLET): it is woken by each write, so nothing is cleared, which saves a call */
bool inbox_doze(struct inbox *inbox);

/* inbox_wake() - wake the consumer for what was put, or for something that it finds elsewhere, and looks for after inbox_sleep(); any thread */
void inbox_wake(struct inbox *inbox);

#endif
