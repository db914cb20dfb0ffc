// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/virtio_config.h>
#include <string.h>

#include "tap/vhost_session_parts.h"

enum { MTU_MIN = 68, MTU_MAX = 65535 };		/* RFC 791; what the field of the device holds (virtio 1.2, 5.1.4) */

/* ---- features ---- */

uint64_t session_offered(void)
{
	return vhost_offered() | VHOST_F_PROTOCOL_FEATURES;
}

uint64_t session_protocol_offered(void)
{
	return 1ull << VHOST_PROTOCOL_MQ | 1ull << VHOST_PROTOCOL_LOG_SHMFD | 1ull << VHOST_PROTOCOL_RARP |
	       1ull << VHOST_PROTOCOL_REPLY_ACK | 1ull << VHOST_PROTOCOL_NET_MTU | 1ull << VHOST_PROTOCOL_INFLIGHT_SHMFD |
	       1ull << VHOST_PROTOCOL_RESET_DEVICE | 1ull << VHOST_PROTOCOL_CONFIGURE_MEM_SLOTS | 1ull << VHOST_PROTOCOL_STATUS;
}

int on_get_features(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	(void)s;
	(void)err;
	reply->size = vhost_reply_u64(reply->data, m->request, session_offered());
	return 0;
}

int on_get_protocol_features(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply,
			     struct error *err)
{
	(void)s;
	(void)err;
	reply->size = vhost_reply_u64(reply->data, m->request, session_protocol_offered());
	return 0;
}

int on_set_protocol_features(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply,
			     struct error *err)
{
	(void)reply;
	if (m->u64 & ~session_protocol_offered())
		return error_set(err, -EINVAL, "protocol features 0x%llx were not offered",
				 (unsigned long long)(m->u64 & ~session_protocol_offered()));
	s->saved->protocol = m->u64;
	return 0;
}

static int check_features(const struct vhost_session *s, uint64_t features, struct error *err)
{
	uint64_t changed = features ^ s->saved->features;

	if (features & ~session_offered())
		return error_set(err, -EINVAL, "features 0x%llx were not offered",
				 (unsigned long long)(features & ~session_offered()));
	if (changed & ~VHOST_F_LOG_ALL && session_any_started(s))
		return error_set(err, -EBUSY, "features 0x%llx change while rings run; only logging may",
				 (unsigned long long)(changed & ~VHOST_F_LOG_ALL));
	return 0;
}

/* The dirty log is part of the memory table, so a table is built when logging begins or ends. */
int on_set_features(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	struct vhost_saved *saved = s->saved;
	struct vhost_memory *memory = NULL;
	int rc = check_features(s, m->u64, err);

	(void)reply;
	if (rc < 0 || (saved->has_features && saved->features == m->u64))
		return rc;
	if ((m->u64 ^ saved->features) & VHOST_F_LOG_ALL && saved->nregions)
		rc = memory_build(s, saved->nregions, m->u64, &memory, err);
	if (rc < 0)
		return rc;
	session_pause(s);
	if ((m->u64 ^ saved->features) >> VIRTIO_F_RING_PACKED & 1)
		inflight_forget(s);	/* it is laid out for the other kind of ring */
	saved->features = m->u64;
	saved->has_features = true;
	vhost_set_features(s->conf.port, m->u64 & ~VHOST_F_PROTOCOL_FEATURES);
	for (unsigned i = 0; i < s->nrings; i++)
		vhost_ring_enable(s->conf.port, i, ring_enabled(s, i));
	if (memory)
		memory_install(s, memory);
	return rings_sync(s, err);
}

int on_get_queue_num(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	(void)err;
	reply->size = vhost_reply_u64(reply->data, m->request, s->conf.pairs);
	return 0;
}

/* ---- status and reset ---- */

/* stop_all() - rings stop where they are and wait to be set up; GET_VRING_BASE may still ask where that is: QEMU 7.2 says
 * status 0 first */
static void stop_all(struct vhost_session *s)
{
	for (unsigned i = 0; i < s->nrings; i++) {
		ring_stop(s, i);
		ring_forget_kick(s, i);
	}
}

int on_set_status(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	(void)reply;
	if (m->u64 > UINT8_MAX)
		return error_set(err, -EINVAL, "0x%llx is no device status", (unsigned long long)m->u64);
	if (m->u64 == 0)
		stop_all(s);
	s->saved->status = (uint32_t)m->u64;
	return 0;
}

/* virtio 1.2, 3.1.1: FEATURES_OK reads as set only once features were accepted; 2.1.2: a broken device says so */
int on_get_status(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	uint64_t status = s->saved->status;

	(void)err;
	if (!s->saved->has_features)
		status &= ~(uint64_t)VIRTIO_CONFIG_S_FEATURES_OK;
	if (vhost_fault(s->conf.port))
		status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	reply->size = vhost_reply_u64(reply->data, m->request, status);
	return 0;
}

/* The device is as it was at first; memory, protocol features, and the descriptors that the front-end listens on are its own. */
int on_reset_device(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	struct vhost_memory *memory = NULL;
	int rc = 0;

	(void)m;
	(void)reply;
	if (s->saved->features & VHOST_F_LOG_ALL && s->saved->nregions)
		rc = memory_build(s, s->saved->nregions, 0, &memory, err);
	if (rc < 0)
		return rc;
	stop_all(s);
	session_pause(s);
	if (memory)
		memory_install(s, memory);
	inflight_forget(s);
	s->saved->features = 0;
	s->saved->has_features = false;
	s->saved->status = 0;
	vhost_set_features(s->conf.port, 0);
	for (unsigned i = 0; i < s->nrings; i++) {
		s->saved->rings[i] = (struct vhost_saved_ring){ .fds = s->saved->rings[i].fds };
		vhost_ring_enable(s->conf.port, i, false);
	}
	return 0;
}

/* on_nothing() - SET_OWNER says that a session begins, which a connection does too. RESET_OWNER may be ignored; what it meant was
 * never agreed on. */
int on_nothing(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	(void)s;
	(void)m;
	(void)reply;
	(void)err;
	return 0;
}

/* ---- network ---- */

int on_net_set_mtu(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	(void)reply;
	if (m->u64 < MTU_MIN || m->u64 > MTU_MAX)
		return error_set(err, -EINVAL, "an MTU of %llu; %u to %u are possible", (unsigned long long)m->u64, MTU_MIN, MTU_MAX);
	s->saved->mtu = (uint32_t)m->u64;
	return 0;
}

/* Announced as soon as the port runs: one frame, however often it was asked for. The address stands in the first six bytes. */
int on_send_rarp(struct vhost_session *s, const struct vhost_message *m, struct session_reply *reply, struct error *err)
{
	static const uint8_t none[6];
	uint8_t mac[6];

	(void)reply;
	memcpy(mac, &m->u64, sizeof(mac));
	if (mac[0] & 1 || memcmp(mac, none, sizeof(mac)) == 0)
		return error_set(err, -EINVAL, "%02x:%02x:%02x:%02x:%02x:%02x is no station's address", mac[0], mac[1], mac[2],
				 mac[3], mac[4], mac[5]);
	memcpy(s->mac, mac, sizeof(mac));
	s->announce = true;
	return 0;
}
