/* SPDX-License-Identifier: GPL-2.0-or-later */
/* switch/worker.h - a thread that owns queues, sockets and timers and moves frames between ports
 *
 * A worker sleeps in epoll_wait() while its queues are quiet and takes burst after burst while they are
 * not. What is given to it (a port's queue, a watched descriptor, a timer) belongs to that worker until it is taken back;
 * functions without another word may be called on the worker's own thread only.
 * Callbacks run between two bursts and must not wait or log.
 */
#ifndef SWITCH_WORKER_H
#define SWITCH_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/timer.h"

struct frame;
struct port;
struct port_queue;
struct requests;
struct snapshot;
struct worker;

/* watch - a descriptor whose readiness a worker waits for; storage owned by the caller */
struct watch {
	/* ready() - @events as from epoll_wait(); may call worker_unwatch() on any watch of this worker */
	void (*ready)(struct worker *w, struct watch *watch, uint32_t events);
	int fd;				/* borrowed */
	uint32_t slot;			/* the worker's own */
	uint32_t events;		/* what is waited for now */
};

/* worker_new() - a worker that is not running yet
 * @index:	0..MAX_WORKERS-1, unique in the process
 * @current:	where the pointer to the newest snapshot is published (RCU)
 * Return: NULL with errno when memory or descriptors lack.
 */
struct worker *worker_new(unsigned index, struct snapshot **current);
int worker_start(struct worker *w);

/* worker_stop() - ask the thread to end and wait for it; worker_free() after that; control thread */
void worker_stop(struct worker *w);
void worker_free(struct worker *w);

unsigned worker_index(const struct worker *w);

/* worker_now_ms() - monotonic time at the start of this turn */
uint64_t worker_now_ms(const struct worker *w);

/* worker_snapshot() - the configuration of this turn; do not keep it beyond the callback */
const struct snapshot *worker_snapshot(const struct worker *w);

/* worker_timers() - the worker's timers: timer_set(worker_timers(w), ...) */
struct timers *worker_timers(struct worker *w);

/* worker_post() - have @fn(w, arg) called on the worker's thread; any thread; order is kept per caller
 *
 * Return: false when its inbox is full; nothing was done and the caller still owns @arg.
 */
bool worker_post(struct worker *w, void (*fn)(struct worker *w, void *arg), void *arg);

/* worker_watch() - wait for @events (EPOLLIN, EPOLLOUT ..., level-triggered unless EPOLLET) on watch->fd
 * worker_rewatch() changes the events (0: keep, but wait for errors only); worker_unwatch() forgets it. A descriptor must be unwatched before it is closed.
 * Return: 0 or negative errno.
 */
int worker_watch(struct worker *w, struct watch *watch, uint32_t events);
int worker_rewatch(struct worker *w, struct watch *watch, uint32_t events);
void worker_unwatch(struct worker *w, struct watch *watch);

/* worker_forget() - worker_unwatch() for a descriptor that is closed next and has no duplicate: closing does the rest (epoll(7)) */
void worker_forget(struct worker *w, struct watch *watch);

/* worker_emit() - send frames that the gateway or a service made
 * @from:	port id of the segment's local port; the frames are counted there as made
 * @frames:	at most BURST_MAX, vid set, head (and body) valid during the call; frame->copies tells afterwards how many
 *		destinations took the frame: 0 means it was dropped and may be offered again
 *
 * Sent at once, in one burst per destination. Return: how many frames were taken by somebody.
 */
unsigned worker_emit(struct worker *w, uint32_t from, struct frame *frames, unsigned n);

/* worker_emit_to() - send one made frame to port @to alone, whatever its destination address; Return: taken? */
bool worker_emit_to(struct worker *w, uint32_t from, uint32_t to, struct frame *frame);

/* worker_reply_room() - WORKER_REPLY bytes of private memory to build the one frame in that answers what a service was shown
 * worker_reply() - send what was built there, @len bytes, from local port @from of VLAN @vid, together with other such answers when this round is
 *	over: a device is rung once for all of them. The room is another one then.
 */
enum { WORKER_REPLY = 4096 + 128 };
uint8_t *worker_reply_room(struct worker *w);
void worker_reply(struct worker *w, uint32_t from, uint32_t len, uint16_t vid);

/* worker_left() - requests were put there: wake who reads them when this round is over; for request_leave() */
void worker_left(struct worker *w, struct requests *r);

/* worker_scratch() - WORKER_SCRATCH bytes of private memory, valid until the callback returns */
enum { WORKER_SCRATCH = 1024 * 1024, MAX_WORKERS = 64 };
uint8_t *worker_scratch(struct worker *w);

/* worker_cut_space() - OFFLOAD_ROOM bytes for a port's tx() to cut segments in;
 * worker_linear_space() - FRAME_MAX bytes for the one frame that the services are looking at */
uint8_t *worker_cut_space(struct worker *w);
uint8_t *worker_linear_space(struct worker *w);

/* worker_sent() - @q was sent to: port_sent() is called for it when this round is over; for port_tx() */
void worker_sent(struct worker *w, struct port_queue *q);

/* worker_add_port() - give each of the port's receive queues to the worker that has the fewest; Return: 0 or -ENOMEM
 * worker_remove_port() - take them back. The port must have left the published snapshot; port->ops->free() is called
 * once no worker can hold a reference: after the owners have let go of the queues and a grace period has passed.
 * worker_move_queue() - another worker owns the queue from now on; frames that wait stay where they are, in order.
 * worker_balance() - move one of the port's queues if its owner has more than one queue above the least loaded. Return: moved?
 * worker_queue_fd() - the owner waits on @fd from now on (-1: on nothing), and looks at the queue once; when this returns
 *	the former descriptor may be closed.
 * Control thread.
 */
int worker_add_port(struct worker *const *workers, unsigned n, struct port *port);
void worker_remove_port(struct port *port);
void worker_move_queue(struct port_queue *q, struct worker *to);
bool worker_balance(struct worker *const *workers, unsigned n, struct port *port);
void worker_queue_fd(struct port_queue *q, int fd);

/* worker_wake_queue() - have the owner look at the queue, if it has one; control thread */
void worker_wake_queue(struct port_queue *q);

/* worker_nqueues() - receive queues it owns; control thread */
unsigned worker_nqueues(const struct worker *w);

/* worker_sync() - return when everything posted to this worker before has been done: a turn at most; control thread */
void worker_sync(struct worker *w);

/* worker_turn() - one turn: wait up to @timeout_ms (-1: until something happens), then move what there is
 * The worker's thread does nothing else; a test that has no thread calls it itself.
 */
void worker_turn(struct worker *w, int timeout_ms);

#endif
