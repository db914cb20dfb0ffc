#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/92-doctor.sh - lanyard doctor finds what is missing, names the command, and the command helps
. "$ROOT/tests/net/lib.sh"
state() { lanyard doctor --json 2>/dev/null | jq -r ".checks[] | select(.name == \"$1\") | .state"; }
command_for() { lanyard doctor --json 2>/dev/null | jq -r ".checks[] | select(.name == \"$1\") | .command"; }

say "without a daemon"
status 0 lanyard doctor
has "a line each" "$(cut -c1-17 <<<"$OUT" | sed 's/ *$//' | xargs)" 'OK directory.*ping.*daemon'
is "the daemon" "$(state daemon)" WARN
is "it works" "$(lanyard doctor --json | jq .works)" true

say "ping sockets, closed and opened by the command that is named"
echo "1 0" >/proc/sys/net/ipv4/ping_group_range
daemon_start
is "the daemon" "$(state daemon)" OK
if [ "$AS" = user ]; then
	is "closed" "$(state ping)" WARN
	has "the log names it" "$(grep no-ping-sockets "$DIR/lanyardd.log")" 'net.ipv4.ping_group_range'
	bash -c "$(command_for ping)" >/dev/null
	is "open" "$(state ping)" OK
else
	is "root has raw sockets" "$(state ping)" OK
	has "the log says so" "$(grep raw-icmp "$DIR/lanyardd.log")" 'event=raw-icmp'
fi

if [ "$AS" = user ]; then
	say "low ports"
	is "closed" "$(state low-ports)" WARN
	bash -c "$(command_for low-ports)" >/dev/null
	is "open" "$(state low-ports)" OK
fi

say "what cannot work"
is "few descriptors" "$( (ulimit -n 100; lanyard doctor --json 2>/dev/null || echo "status $?") | tail -n 1)" "status 8"

say "names"
is "no resolver" "$(state names)" WARN
has "what helps" "$(command_for names)" 'dns-upstream'
echo "nameserver 192.0.2.53" >"$DIR/resolv.conf"
is "one" "$(state names)" OK

say "who would take our interfaces, and what the kernel has for NAT"
is "nobody" "$(state managers)" OK
mkdir /run/dhcpcd
is "dhcpcd, which nobody has told" "$(state managers)" WARN
is "the line that tells it" "$(command_for managers)" "echo 'denyinterfaces ly-*' >>/etc/dhcpcd.conf && dhcpcd -n"
rmdir /run/dhcpcd
has "kernel NAT" "$(lanyard doctor 2>/dev/null | grep kernel-nat || true)" \
	"kernel-nat +(nat: kernel (works|does not work)|not known whether nat: kernel works)"
