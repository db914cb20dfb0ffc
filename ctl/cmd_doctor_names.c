// SPDX-License-Identifier: GPL-2.0-or-later
/* Whom guests' questions go to, and how this host can find guests by their names. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/cmd_doctor_checks.h"

enum { LINE_SIZE = 512 };

/* count_resolvers() - the nameservers of resolv.conf; @resolved: do they all lead to systemd-resolved? */
static unsigned count_resolvers(bool *resolved)
{
	FILE *f = fopen("/etc/resolv.conf", "re");
	char line[LINE_SIZE], address[64];
	unsigned n = 0, stub = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "nameserver %63s", address) == 1) {
			n++;
			stub += !strcmp(address, "127.0.0.53") || !strcmp(address, "127.0.0.54");
		}
	if (f)
		fclose(f);
	*resolved = n && n == stub;
	return n;
}

/* reads_hosts() - do programs look into /etc/hosts (nsswitch.conf(5))? Without a word about it they do. */
static bool reads_hosts(void)
{
	FILE *f = fopen("/etc/nsswitch.conf", "re");
	char line[LINE_SIZE];
	bool reads = true;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "hosts:", 6))
			reads = strstr(line, "files");
	if (f)
		fclose(f);
	return reads;
}

void doctor_look_names(struct finding *f)
{
	bool resolved, writes = access("/etc/hosts", W_OK) == 0, reads = reads_hosts();
	unsigned n = count_resolvers(&resolved);
	char whom[80];

	f->state = n && reads ? FINDING_OK : FINDING_WARN;
	snprintf(whom, sizeof(whom), resolved ? "guests ask what systemd-resolved has" : "guests ask the %u resolver%s of /etc/resolv.conf", n, n == 1 ? "" : "s");
	if (!n) {
		snprintf(f->text, sizeof(f->text), "/etc/resolv.conf has no nameserver: guests find one another, and nobody else by name");
		snprintf(f->command, sizeof(f->command), "lanyard net set NET --dns-upstream ADDRESS");
	} else if (!reads) {
		snprintf(f->text, sizeof(f->text), "%s; this host looks up no names in /etc/hosts (nsswitch.conf), and so finds no guests there", whom);
		snprintf(f->command, sizeof(f->command), "lanyard net set NET --dns-listen 127.0.0.1:5353   (and tell the host's resolver)");
	} else {
		snprintf(f->text, sizeof(f->text), "%s; this host finds guests %s", whom,
			 writes && resolved ? "by systemd-resolved or /etc/hosts with: lanyard net set NET --dns-host true" :
			 writes ? "with: lanyard net set NET --dns-host true" : "by what root makes of: lanyard dns hosts, or asking at --dns-listen");
	}
}
