// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "tap/vhost_session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tap/vhost_session_parts.h"

enum { MESSAGES_MAX = 32 };		/* handled at one go; then other connections have their turn */

static session_handler *const handlers[VHOST_REQUESTS] = {
	[VHOST_GET_FEATURES] = on_get_features,
	[VHOST_SET_FEATURES] = on_set_features,
	[VHOST_SET_OWNER] = on_nothing,
	[VHOST_RESET_OWNER] = on_nothing,
	[VHOST_SET_MEM_TABLE] = on_set_mem_table,
	[VHOST_SET_LOG_BASE] = on_set_log_base,
	[VHOST_SET_LOG_FD] = on_set_log_fd,
	[VHOST_SET_VRING_NUM] = on_set_vring_num,
	[VHOST_SET_VRING_ADDR] = on_set_vring_addr,
	[VHOST_SET_VRING_BASE] = on_set_vring_base,
	[VHOST_GET_VRING_BASE] = on_get_vring_base,
	[VHOST_SET_VRING_KICK] = on_set_vring_file,
	[VHOST_SET_VRING_CALL] = on_set_vring_file,
	[VHOST_SET_VRING_ERR] = on_set_vring_file,
	[VHOST_GET_PROTOCOL_FEATURES] = on_get_protocol_features,
	[VHOST_SET_PROTOCOL_FEATURES] = on_set_protocol_features,
	[VHOST_GET_QUEUE_NUM] = on_get_queue_num,
	[VHOST_SET_VRING_ENABLE] = on_set_vring_enable,
	[VHOST_SEND_RARP] = on_send_rarp,
	[VHOST_NET_SET_MTU] = on_net_set_mtu,
	[VHOST_GET_INFLIGHT_FD] = on_get_inflight_fd,
	[VHOST_SET_INFLIGHT_FD] = on_set_inflight_fd,
	[VHOST_RESET_DEVICE] = on_reset_device,
	[VHOST_GET_MAX_MEM_SLOTS] = on_get_max_mem_slots,
	[VHOST_ADD_MEM_REG] = on_add_mem_reg,
	[VHOST_REM_MEM_REG] = on_rem_mem_reg,
	[VHOST_SET_STATUS] = on_set_status,
	[VHOST_GET_STATUS] = on_get_status,
};

/* ---- a message ---- */

static bool negotiated(const struct vhost_session *s, int feature)
{
	return feature < 0 || s->saved->protocol >> feature & 1;
}

/* carry_out() - Return: 0, or negative errno with s->reason: it was refused. *broken is set when the bytes were no such message */
static int carry_out(struct vhost_session *s, struct session_reply *reply, bool *broken)
{
	uint32_t request = s->header.request;
	struct vhost_message m;
	struct error err = { 0 };
	char text[32];
	int rc;

	if (!vhost_request_known(request)) {
		*broken = s->nfds > 0;
		return error_set(&s->reason, -ENOTSUP, "%s: %s", vhost_request_name(request, text),
				 *broken ? "not known here, and descriptors came with it" : "not known here");
	}
	rc = vhost_message_parse(&s->header, s->data + VHOST_HEADER, s->nfds, &m, &s->reason);
	*broken = rc < 0;
	if (rc < 0)
		return rc;
	if (!negotiated(s, vhost_request_needs(request)))
		return error_set(&s->reason, -EPERM, "%s: it needs protocol feature %d, which was not negotiated",
				 vhost_request_name(request, text), vhost_request_needs(request));
	rc = handlers[request](s, &m, reply, &err);
	if (rc < 0) {
		s->reason = err;
		error_prefix(&s->reason, "%s", vhost_request_name(request, text));
	}
	return rc;
}

/* answer() - at most one reply. Return: 0, or negative errno: the connection ends
 * A refusal that cannot be told ends it, for the front-end would go on as if it had been done. What is not known is skipped. */
static int answer(struct vhost_session *s, const struct session_reply *reply, int rc)
{
	enum vhost_answer kind = vhost_request_answer(s->header.request);
	bool asked = s->header.need_reply && negotiated(s, VHOST_PROTOCOL_REPLY_ACK);
	bool always = kind == VHOST_ANSWER_ALWAYS && negotiated(s, vhost_request_needs(s->header.request));
	uint8_t data[VHOST_REPLY_MAX];

	if (reply->size)
		return session_send(s, reply->data, reply->size, reply->fd);
	if (always || (kind != VHOST_ANSWER_OWN && asked))
		return session_send(s, data, vhost_reply_u64(data, s->header.request, rc < 0), -1);
	return vhost_request_known(s->header.request) ? rc : 0;
}

/* handle() - Return: 1, or negative errno: the connection ends */
static int handle(struct vhost_session *s)
{
	struct session_reply reply = { .fd = -1 };
	bool broken = false;
	int rc = carry_out(s, &reply, &broken);

	if (!broken)
		rc = answer(s, &reply, rc);
	session_close(&reply.fd);
	session_forget_message(s);
	return rc < 0 ? rc : 1;
}

int vhost_session_input(struct vhost_session *s)
{
	int rc = 1;

	if (s->rc < 0)
		return s->rc;
	vhost_saved_working(s->saved, true);
	for (unsigned i = 0; i < MESSAGES_MAX && rc == 1; i++) {
		rc = session_receive(s);
		if (rc == 1)
			rc = handle(s);
	}
	if (rc < 0) {
		session_forget_message(s);
		return s->rc = rc;
	}
	session_settle(s);
	if (s->have == 0)
		vhost_saved_working(s->saved, false);
	return rc == 1 ? 2 : s->have > 0;
}

/* ---- life ---- */

static void unplug(struct vhost_session *s)
{
	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++) {
		if (i < s->nrings) {
			vhost_ring_stop(s->conf.port, i);
			vhost_ring_enable(s->conf.port, i, false);
		}
		s->rings[i].started = false;
	}
	vhost_set_memory(s->conf.port, NULL);
	vhost_set_features(s->conf.port, 0);
}

struct vhost_session *session_make(const struct vhost_session_conf *conf, struct error *err)
{
	struct vhost_session *s;

	if (conf->pairs == 0 || conf->pairs > VHOST_PAIRS_MAX) {
		error_set(err, -EINVAL, "vhost-user connection: %u queue pairs; 1 to %u are possible", conf->pairs, VHOST_PAIRS_MAX);
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		error_set(err, -ENOMEM, "vhost-user connection: out of memory");
		return NULL;
	}
	s->conf = *conf;
	s->nrings = 2 * conf->pairs;
	s->fd = -1;
	s->kept = true;
	for (unsigned i = 0; i < VHOST_RINGS_MAX; i++)
		s->rings[i] = (struct session_ring){ .kick = -1, .call = -1, .err = -1 };
	session_pause(s);
	unplug(s);
	return s;
}

static int check_socket(int fd, struct error *err)
{
	int type = 0, domain = 0;
	socklen_t size = sizeof(int);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 ||
	    type != SOCK_STREAM || domain != AF_UNIX)
		return error_set(err, -EINVAL, "vhost-user connection: not a unix stream socket");
	if (fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return error_set(err, -errno, "vhost-user connection: %s", strerror(errno));
	return 0;
}

struct vhost_session *vhost_session_new(const struct vhost_session_conf *conf, int fd, struct error *err)
{
	struct vhost_session *s = check_socket(fd, err) == 0 ? session_make(conf, err) : NULL;
	int saved = -1;

	if (s)
		s->saved = vhost_saved_new(&saved);
	if (!s || !s->saved) {
		if (s)
			error_set(err, -ENOMEM, "vhost-user connection: out of memory");
		free(s);
		close(fd);
		return NULL;
	}
	s->fd = fd;
	s->kept = saved >= 0;
	session_hold(s, "conn", SESSION_ONLY, fd);
	session_hold(s, "saved", SESSION_ONLY, saved);
	session_close(&saved);
	return s;
}

/* close_all() - all that is this process's own */
static void close_all(struct vhost_session *s)
{
	session_forget_message(s);
	session_pause(s);
	for (unsigned i = 0; i < s->nrings; i++)
		if (s->saved)
			ring_stop(s, i);
	unplug(s);
	for (unsigned i = 0; i < s->nrings; i++) {
		session_close(&s->rings[i].kick);
		session_close(&s->rings[i].call);
		session_close(&s->rings[i].err);
	}
	memory_release(s);
	vhost_mapping_put(s->inflight);
	vhost_saved_close(s->saved);
	session_close(&s->fd);
	free(s);
}

void vhost_session_free(struct vhost_session *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		shutdown(s->fd, SHUT_RDWR);	/* at once, whoever else has it open */
	if (s->saved)
		session_drop_all(s);
	close_all(s);
}

void vhost_session_leave(struct vhost_session *s)
{
	if (!s || s->rc < 0) {
		vhost_session_free(s);
		return;
	}
	s->saved->restores = 0;		/* this engine did not die of it */
	close_all(s);
}

int vhost_session_fd(const struct vhost_session *s)
{
	return s->fd;
}

const char *vhost_session_reason(const struct vhost_session *s)
{
	return s->reason.message;
}

bool vhost_session_running(const struct vhost_session *s)
{
	return s->rc == 0 && !vhost_fault(s->conf.port) && s->rings[0].started && s->rings[1].started && ring_enabled(s, 0) &&
	       ring_enabled(s, 1);
}
