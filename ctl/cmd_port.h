/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl/cmd_port.h - how ports are shown: by `port`, and by what makes or lists ports elsewhere. One thread. */
#ifndef CTL_CMD_PORT_H
#define CTL_CMD_PORT_H

#include <jansson.h>

#include "ctl/cli_output.h"

struct args;
struct cli;

extern const struct column port_columns[];	/* of `lanyard ps` */

/* PORT_SETTINGS - flags of what a port and a group may be given */
#define PORT_SETTINGS                                                                                      \
	{ "--vlan", 0, FLAG_NUMBER, "VID", "vlan", "access port of this VLAN, 1 unless given" },            \
	{ "--trunk", 0, FLAG_TEXT, "VIDS", "trunk", "tagged VLANs: 10,20-29" },                            \
	{ "--native", 0, FLAG_NUMBER, "VID", "native", "a trunk's untagged VLAN" },                        \
	{ "--native-tagged", 0, FLAG_BOOL, "true|false", "native_tagged", "it leaves with a tag, all the same" }, \
	{ "--frames", 0, FLAG_TEXT, "all|tagged|untagged", "frames", "which frames a trunk takes" },       \
	{ "--tags", 0, FLAG_TEXT, "customer|service", "tags", "a trunk's: 0x8100, or a provider's 0x88a8" }, \
	{ "--translate", 0, FLAG_TEXT, "WIRE:VLAN,...", NULL, "other numbers on a trunk's wire: 10:110" }, \
	{ "--tunnel", 0, FLAG_NUMBER, "VID", "tunnel", "the VLAN that carries the guest's frames with their tags" }, \
	{ "--egress", 0, FLAG_TEXT, "RATE", "shape.egress", "how fast it may send: 10mbit, \"10mbit peak 20mbit burst 64kB\", none" }, \
	{ "--ingress", 0, FLAG_TEXT, "RATE", "shape.ingress", "how fast it may be sent to" },              \
	{ "--shaper", 0, FLAG_TEXT, "NAME", "shaper", "a rate that it shares with other ports; \"\": none" },  \
	{ "--relay", 0, FLAG_BOOL, "true|false", "relay", "DHCP relays there speak for every segment" },   \
	{ "--link", 0, FLAG_TEXT, "up|down", "link", "down: the port carries nothing" }

/* port_translate() - the pairs of --translate into @body; Return: 0 or -EINVAL with the reason in cli->err */
int port_translate(struct cli *cli, const struct args *args, json_t *body);

/* print_port() - the one line about a port that was made or changed, or @port with --json */
void print_port(const struct cli *cli, const json_t *port);

#endif
