// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
/* needs: netns */
/* The same as for IPv4, by an IPv6 guest to IPv6 sockets. */
#define BED_IP6
#include "tests/packet/test_nat_tcp.c"
