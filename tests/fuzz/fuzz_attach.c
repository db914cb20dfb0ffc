// SPDX-License-Identifier: GPL-2.0-or-later
/* The message on attach.sock.
 * covers: ctl/attach_message.c */
#include "ctl/attach_message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact = malloc(size ? size : 1);
	struct attach_message m;
	struct error err = { 0 };
	uint8_t mac[MAC_SIZE];

	memcpy(exact, data, size);
	if (attach_parse(&m, exact, size, &err) < 0) {
		must(err.rc < 0 && err.message[0]);
	} else {
		must(name_valid(m.network) && name_valid(m.port) && m.vlan <= 4094);
		must(attach_medium_name(m.medium)[0] && memchr(m.ifname, 0, sizeof(m.ifname)));
		must(!m.mac[0] || mac_parse(m.mac, mac) == 0);
	}
	free(exact);
	return 0;
}
