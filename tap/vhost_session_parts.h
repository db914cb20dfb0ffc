/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap/vhost_session_parts.h - what the files of tap/vhost_session.c share; nobody else includes it. Control thread
 *
 * The plain state is in `saved`; here stand the things that belong to this process: descriptors and mappings. A change pauses the
 * port before it touches anything a worker may look at; session_settle() lets it run again once for all changes of one
 * vhost_session_input(). Refusals change nothing, unless said otherwise.
 */
#ifndef TAP_VHOST_SESSION_PARTS_H
#define TAP_VHOST_SESSION_PARTS_H

#include "tap/vhost_message.h"
#include "tap/vhost_saved.h"
#include "tap/vhost_session.h"

struct session_ring {
	bool started;
	int kick, call, err;			/* ours; -1: none */
};

struct vhost_session {
	struct vhost_session_conf conf;
	unsigned nrings;
	int fd;
	int rc;					/* negative when it has ended */
	struct error reason;			/* of that, or of the last refusal */
	struct vhost_saved *saved;
	bool kept;				/* whatever is needed to go on is with the keeper */
	bool paused;
	bool restoring;				/* rings are started where guest memory says that the last engine had come to */
	struct vhost_memory *memory;		/* NULL: none */
	struct vhost_mapping *mappings[VHOST_REGIONS_MAX];	/* of saved->regions, in that order */
	struct vhost_mapping *log, *inflight;	/* NULL: none */
	struct session_ring rings[VHOST_RINGS_MAX];
	bool announce;				/* @mac is to be announced when the port runs */
	uint8_t mac[6];
	/* the message that is being received */
	uint8_t data[VHOST_HEADER + VHOST_PAYLOAD_MAX];
	size_t have;				/* bytes of it */
	struct vhost_header header;		/* once VHOST_HEADER bytes are there */
	int fds[VHOST_MESSAGE_FDS + 1];		/* one more than a message may have, to see that it has too many; -1: taken */
	unsigned nfds;
};

struct session_reply {
	uint8_t data[VHOST_REPLY_MAX];
	size_t size;				/* 0: none of the request's own */
	int fd;					/* to go with it, closed then; or -1 */
};

/* A request. Return: 0, or negative errno with @err: refused ("WHY" alone, the caller knows what) */
typedef int session_handler(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply,
			    struct error *err);

/* --- vhost_session_io.c: the socket --- */

/* session_receive() - Return: 1 when a message is whole; 0 when no more is there now; negative errno: it has ended, and why */
int session_receive(struct vhost_session *s);
void session_forget_message(struct vhost_session *s);	/* and close its descriptors */
int session_take_fd(struct vhost_session *s, unsigned i);	/* the @i-th one, the caller's from now on */
int session_send(struct vhost_session *s, const uint8_t *data, size_t size, int fd);
void session_close(int *fd);				/* close and make it -1; -1 is fine */

/* --- vhost_session_keep.c: the keeper's copies; NAME, or NAME and number --- */

enum { SESSION_ONLY = -1 };		/* for @number: there is but one */
void session_hold(struct vhost_session *s, const char *what, int number, int fd);
void session_drop(struct vhost_session *s, const char *what, int number);
int session_recall(struct vhost_session *s, const char *what, int number);
void session_drop_all(struct vhost_session *s);		/* all that this session holds */
void session_drop_any(struct vhost_session *s);		/* all that any session can hold */

/* --- vhost_session_ring.c: rings as a whole --- */

bool session_packed(const struct vhost_session *s);
void session_pause(struct vhost_session *s);
void session_settle(struct vhost_session *s);		/* run, if something can */
bool session_any_started(const struct vhost_session *s);

/* ring_check() - do its size and addresses lie in the memory, as far as these are known? */
int ring_check(struct vhost_session *s, unsigned ring, struct error *err);

/* ring_sync() - start it, or start it anew, if all is known; stop it if not. Return: 0; negative errno with @err: it was stopped */
int ring_sync(struct vhost_session *s, unsigned ring, struct error *err);
int rings_sync(struct vhost_session *s, struct error *err);	/* each; the first failure */
void ring_stop(struct vhost_session *s, unsigned ring);
void ring_forget_kick(struct vhost_session *s, unsigned ring);	/* it does not start until it is told again */
bool ring_enabled(const struct vhost_session *s, unsigned ring);

/* ring_base() - where it would go on, as GET_VRING_BASE tells it */
uint32_t ring_base(const struct vhost_session *s, unsigned ring);

/* --- vhost_session_memory.c --- */

/* memory_build() - the table of the first @n regions in saved and mappings, with the log when it is asked for by @features */
int memory_build(struct vhost_session *s, unsigned n, uint64_t features, struct vhost_memory **to, struct error *err);
void memory_install(struct vhost_session *s, struct vhost_memory *memory);	/* taken; NULL: none; the rings come after */
void memory_release(struct vhost_session *s);					/* the port is paused and has none */

session_handler on_set_mem_table, on_add_mem_reg, on_rem_mem_reg, on_get_max_mem_slots, on_set_log_base, on_set_log_fd;

/* --- vhost_session_inflight.c --- */

void inflight_ring_started(struct vhost_session *s, unsigned ring);
void inflight_ring_stopped(struct vhost_session *s, unsigned ring);
void inflight_forget(struct vhost_session *s);

/* inflight_remap() - the area that `saved` tells of, from @fd (borrowed). Return: 0, or negative errno with @err */
int inflight_remap(struct vhost_session *s, int fd, struct error *err);
session_handler on_get_inflight_fd, on_set_inflight_fd;

/* --- vhost_session_vring.c: requests about one ring --- */

session_handler on_set_vring_num, on_set_vring_addr, on_set_vring_base, on_get_vring_base, on_set_vring_file, on_set_vring_enable;

/* --- vhost_session_device.c: requests about the device --- */

uint64_t session_offered(void);			/* device features, VHOST_F_PROTOCOL_FEATURES among them */
uint64_t session_protocol_offered(void);
session_handler on_get_features, on_set_features, on_get_protocol_features, on_set_protocol_features, on_get_queue_num, on_nothing,
	on_send_rarp, on_net_set_mtu, on_reset_device, on_set_status, on_get_status;

/* --- vhost_session.c --- */

/* session_make() - a session without connection, the port paused and without rings. Return: NULL with @err */
struct vhost_session *session_make(const struct vhost_session_conf *conf, struct error *err);

#endif
