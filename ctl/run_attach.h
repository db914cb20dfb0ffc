/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/run_attach.h - handing a medium to the daemon, again and again if need be (docs/api.md, attach.sock)
 *
 * The port lives as long as the connection. When the daemon or its engine ends, the same descriptor is attached to
 * the next one, so that whoever uses the interface sees a pause and no more. Never blocks; one thread.
 */
#ifndef CTL_RUN_ATTACH_H
#define CTL_RUN_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/text.h"
#include "ctl/cli_words.h"
#include "ctl/client.h"

enum attachment_state {
	ATTACH_AWAY,		/* no connection; next try at next_ms */
	ATTACH_ASKED,		/* the answer is to come, until next_ms */
	ATTACH_THERE,
	ATTACH_REFUSED,		/* err says why; not tried again */
};

struct attachment {
	enum attachment_state state;
	char path[CLIENT_PATH_MAX];	/* of attach.sock */
	struct port_name name;
	char ifname[16];
	const char *medium;		/* borrowed */
	int medium_fd;			/* borrowed */
	int fd;				/* connection, or -1 */
	uint64_t next_ms;
	uint16_t vid;			/* VLAN to be on, to be set before the first try; 0: the network's own */
	bool was_there;			/* answered once: from then on only the daemon's word ends it */

	/* the answer */
	bool has_mac;			/* or asked for, before the first answer */
	uint8_t mac[MAC_SIZE];
	uint32_t mtu;
	bool has_subnet;
	uint32_t gateway;		/* 0 for none */
	char domain[256];

	struct error err;		/* why the last try did not succeed */
};

/* attachment_init() - remember what to attach; the first try is due at once. @medium and the descriptor are borrowed. */
void attachment_init(struct attachment *a, const char *path, const struct port_name *name, const char *ifname,
		     const char *medium, int medium_fd);
void attachment_fini(struct attachment *a);

/* attachment_poll() - connect when that is due, read what has come; to be called when fd is readable or next_ms past */
void attachment_poll(struct attachment *a, uint64_t now_ms);

#endif
