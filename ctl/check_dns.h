/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/check_dns.h - a DNS query as a trial: for the host's own name on the network, which every network has (RFC 1035 4) */
#ifndef CTL_CHECK_DNS_H
#define CTL_CHECK_DNS_H

struct trial;

/* check_dns_query() - have @t ask for the address of host.@domain; it is answered by a response with an address */
void check_dns_query(struct trial *t, const char *domain);

#endif
