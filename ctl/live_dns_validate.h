/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/live_dns_validate.h - DNSSEC for a network that asks for it: its validator, and the keys that it trusts (control thread)
 *
 * The keys are those of a file, which is opened with the rights of the network's owner: DS and DNSKEY records as in a zone file, as Debian's
 * dns-root-data has them for the root of the world. It is read when the settings change and when the daemon starts.
 */
#ifndef CTL_LIVE_DNS_VALIDATE_H
#define CTL_LIVE_DNS_VALIDATE_H

#include <jansson.h>

#define TRUST_ANCHOR "/usr/share/dns/root.key"

struct live_net;
struct relay_conf;
struct validation_stats;

/* live_dns_validate_configure() - as net->conf says: what the relay is to ask by is put into @relay
 * live_dns_validate_end() - once the relay has been told of it: a validation that is not wanted any more ends
 * live_dns_validate_stop() - the network goes: before its upstream does
 */
void live_dns_validate_configure(struct live_net *net, struct relay_conf *relay);
void live_dns_validate_end(struct live_net *net);
void live_dns_validate_stop(struct live_net *net);

/* live_dns_validate_stats() - or NULL where nothing is validated */
const struct validation_stats *live_dns_validate_stats(const struct live_net *net);

/* live_dns_validate_warnings() - append why nothing is validated */
void live_dns_validate_warnings(const struct live_net *net, json_t *list);

#endif
