// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/act_paths.h"
#include "ctl/act_port.h"

enum { NEXT_PORTS = 100 };

static uint16_t next_free_port(const struct host_listen *m)
{
	for (unsigned port = m->port + 1u; port <= 65535 && port <= m->port + (unsigned)NEXT_PORTS; port++) {
		int fd = port_bind(m, (uint16_t)port);

		if (fd >= 0) {
			close(fd);
			return (uint16_t)port;
		}
	}
	return 0;
}

static void name_of(const struct host_listen *m, uint16_t port, char text[80])
{
	char addr[INET6_ADDRSTRLEN] = "?";

	inet_ntop(m->family == 6 ? AF_INET6 : AF_INET, m->addr, addr, sizeof(addr));
	snprintf(text, 80, m->family == 6 ? "%s [%s]:%u" : "%s %s:%u", m->proto == HOST_TCP ? "tcp" : "udp", addr, port);
}

int listen_explain(const struct host_listen *m, uint32_t what, struct host_reply *r)
{
	char name[80], owner[64] = "another process";
	int error = (int)(what & ~(uint32_t)LISTEN_NO_SEARCH);

	name_of(m, m->port, name);
	if (error == EADDRINUSE) {
		if (!(what & LISTEN_NO_SEARCH))
			owner_describe(m, m->port, owner, sizeof(owner));
		snprintf(r->message, sizeof(r->message), "%s is used by %s", name, owner);
		r->value = m->count == 1 ? next_free_port(m) : 0;
		if (r->value)
			snprintf(r->hint, sizeof(r->hint), "port %u is free", r->value);
	} else if (error == EACCES) {
		snprintf(r->message, sizeof(r->message), "%s: ports below %u are for root", name, port_first_free());
		snprintf(r->hint, sizeof(r->hint),
			 "a port from %u up; or as root: sysctl net.ipv4.ip_unprivileged_port_start=%u, or setcap cap_net_bind_service=ep "
			 "lanyard-keeper, or a socket handed over at the start", port_first_free(), m->port);
	} else if (error == EMFILE || error == ENFILE) {
		snprintf(r->message, sizeof(r->message), "%s: the limit of open files is reached", name);
		snprintf(r->hint, sizeof(r->hint), "a higher LimitNOFILE= or ulimit -n for lanyardd");
	} else {
		snprintf(r->message, sizeof(r->message), "%s: %s", name, strerror(error));
	}
	return 0;
}
