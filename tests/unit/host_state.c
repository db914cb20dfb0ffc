// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE	/* unshare() */
#include "tests/unit/host_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/own_namespace.h"

void host_state_save(char to[HOST_STATE_ROOM])
{
	FILE *f = popen("export PATH=/usr/sbin:/sbin:/usr/bin:/bin; { ip -o addr; ip -o link; ip route show table all; tc qdisc;"
			"tc filter show dev up0 egress; tc filter show dev up0 ingress; nft list ruleset; find /run -type f -o -type d;"
			"cd /proc/sys/net; grep -r . ipv4/conf/*/forwarding ipv4/conf/*/route_localnet ipv6/conf/*/*forwarding ipv6/conf/*/accept_ra"
			" netfilter/nf_conntrack_icmp*_timeout; } 2>/dev/null | tr '{},' '\\n' | sed -E 's/^[0-9]+: //; s/^[ \\t]+//;"
			" s/(valid|preferred)_lft [0-9]+sec//g; s/state [A-Z]+//; s/tentative //; s/expires [0-9]*sec//; s/index [0-9]+ ref//;"
			" /^multicast|noqueue|^(local|anycast) fe80/d' | sort", "r");	/* a link-local one's routes come when it is no longer tentative */
	size_t n = fread(to, 1, HOST_STATE_ROOM - 1, f);

	to[n] = '\0';
	pclose(f);
}

static void put_text(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

void host_state_expect(const char *want, const char *is, const char *when, const struct fault *f)
{
	if (!strcmp(want, is))
		return;
	print_message("%s, with call %u (%s) failing by %s: rc %d \"%s\"\n", when, f->at, f->call, strerror(f->error), f->rc, f->message);
	put_text("/run/expected", want);
	put_text("/run/is", is);
	own_run("diff /run/expected /run/is; rm /run/expected /run/is");
	fail();
}
