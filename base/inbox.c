// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/inbox.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Zero, as memory comes from the kernel, is the state of a cell that was never written to: an inbox costs what was used of it. */
struct cell {
	_Atomic size_t state;		/* lap_of() the turn that may write it next; one more: that it was written in, and may be read */
	unsigned char message[];
};

struct inbox {
	size_t size, stride, mask;
	int fd;
	unsigned char *cells;
	_Alignas(64) _Atomic size_t tail;	/* next turn to write; producers */
	_Alignas(64) size_t head;		/* next turn to read; consumer only */
	_Alignas(64) atomic_bool asleep;	/* the consumer wants to be woken */
};

static struct cell *cell_at(const struct inbox *inbox, size_t turn)
{
	return (struct cell *)(void *)(inbox->cells + (turn & inbox->mask) * inbox->stride);
}

/* lap_of() - a turn without its place */
static size_t lap_of(const struct inbox *inbox, size_t turn)
{
	return turn & ~inbox->mask;
}

struct inbox *inbox_new(size_t ncells, size_t size)
{
	struct inbox *inbox = aligned_alloc(64, sizeof(*inbox));

	if (!inbox)
		return NULL;
	memset(inbox, 0, sizeof(*inbox));
	inbox->size = size;
	inbox->stride = (sizeof(struct cell) + size + sizeof(size_t) - 1) & ~(sizeof(size_t) - 1);
	inbox->mask = ncells - 1;
	inbox->asleep = true;
	inbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	inbox->cells = calloc(ncells, inbox->stride);
	if (inbox->fd < 0 || !inbox->cells) {
		inbox_free(inbox);
		return NULL;
	}
	return inbox;
}

void inbox_free(struct inbox *inbox)
{
	if (!inbox)
		return;
	if (inbox->fd >= 0)
		close(inbox->fd);
	free(inbox->cells);
	free(inbox);
}

/* After a message was made readable: its turn was stored, and asleep is loaded here, in the one order of sequential consistency; the consumer stores
 * asleep and loads the turn in that order too. So either we see asleep, or the consumer sees the message. */
void inbox_wake(struct inbox *inbox)
{
	uint64_t one = 1;

	if (atomic_load(&inbox->asleep) && atomic_exchange(&inbox->asleep, false) &&
	    write(inbox->fd, &one, sizeof(one)) < 0)
		return;		/* the counter is full, so it is readable already */
}

bool inbox_put(struct inbox *inbox, const void *message)
{
	size_t turn = atomic_load_explicit(&inbox->tail, memory_order_relaxed);
	struct cell *cell;

	for (;;) {
		size_t seen, lap = lap_of(inbox, turn);

		cell = cell_at(inbox, turn);
		seen = atomic_load_explicit(&cell->state, memory_order_acquire);
		if (seen == lap) {
			if (atomic_compare_exchange_weak_explicit(&inbox->tail, &turn, turn + 1,
								  memory_order_relaxed, memory_order_relaxed))
				break;
		} else if ((ptrdiff_t)(seen - lap) < 0) {
			return false;	/* still holds the message of the lap before: full */
		} else {
			turn = atomic_load_explicit(&inbox->tail, memory_order_relaxed);
		}
	}
	memcpy(cell->message, message, inbox->size);
	atomic_store(&cell->state, lap_of(inbox, turn) + 1);
	return true;
}

bool inbox_push(struct inbox *inbox, const void *message)
{
	bool put = inbox_put(inbox, message);

	if (put)
		inbox_wake(inbox);
	return put;
}

bool inbox_pop(struct inbox *inbox, void *message)
{
	struct cell *cell = cell_at(inbox, inbox->head);

	if (atomic_load_explicit(&cell->state, memory_order_acquire) != lap_of(inbox, inbox->head) + 1)
		return false;
	memcpy(message, cell->message, inbox->size);
	atomic_store_explicit(&cell->state, lap_of(inbox, inbox->head) + inbox->mask + 1, memory_order_release);
	inbox->head++;
	return true;
}

int inbox_fd(const struct inbox *inbox)
{
	return inbox->fd;
}

bool inbox_doze(struct inbox *inbox)
{
	atomic_store(&inbox->asleep, true);
	if (atomic_load(&cell_at(inbox, inbox->head)->state) != lap_of(inbox, inbox->head) + 1)
		return true;
	atomic_store(&inbox->asleep, false);
	return false;
}

bool inbox_sleep(struct inbox *inbox)
{
	uint64_t count;

	/* always, for a wake-up may have been under way when the inbox was looked at last: it would stay readable for ever */
	if (read(inbox->fd, &count, sizeof(count)) < 0) {
		/* nothing was signalled: there is nothing to clear */
	}
	return inbox_doze(inbox);
}
