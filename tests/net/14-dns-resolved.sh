#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/14-dns-resolved.sh - a host whose names systemd-resolved resolves, link by link: guests' names go where the host's go (AC-12)
# as: root
. "$ROOT/tests/net/lib.sh"
for need in dbus-daemon resolvectl; do command -v $need >/dev/null || skip "$need is not installed"; done
[ -x /lib/systemd/systemd-resolved ] || skip "systemd-resolved is not installed"
getent passwd systemd-resolve >/dev/null || skip "there is no user systemd-resolve"
mkdir -p /run/dbus /run/systemd/resolve
chown systemd-resolve: /run/systemd/resolve
outside_make
dbus-daemon --system --fork --nopidfile
resolved_start() {
	/lib/systemd/systemd-resolved >>"$DIR/resolved.log" 2>&1 &
	resolved=$!
}
resolved_start
until_ok 5 test -e /run/systemd/resolve/stub-resolv.conf
echo "nameserver 127.0.0.53" >"$DIR/resolv.conf"
ip link add vpn0 type veth peer name vpn1
ip addr add 10.8.0.2/24 dev vpn0
ip netns add corp
ip link set vpn1 netns corp
ip -n corp addr add 10.8.0.53/24 dev vpn1
ip -n corp link set vpn1 up
ip -n corp link set lo up
ip link set vpn0 up
outside /usr/bin/python3 "$ROOT/tests/net/answers.py" $OUTSIDE www.example.com=203.0.113.7 wiki.corp.example=203.0.113.8 >"$DIR/public.log" &
ip netns exec corp /usr/bin/python3 "$ROOT/tests/net/answers.py" 10.8.0.53 wiki.corp.example=10.8.0.80 www.example.com=10.8.0.81 >"$DIR/corp.log" &
echo "192.0.2.7 hostsfile.example" >"$DIR/hosts"
mount --bind "$DIR/hosts" /etc/hosts
until_ok 5 resolvectl dns outside0 $OUTSIDE
resolvectl domain outside0 ''
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
dhcp web1 >/dev/null
short() { in_box web1 dig +short +time=2 +tries=2 @10.77.0.1 "$@"; }
answer_is() { [ "$(short "$1")" = "$2" ]; }

# within NAME ADDRESS - it has that address for guests, soon after the host has (a second where nothing else runs)
within() {
	local begun=${EPOCHREALTIME/./} took
	until_ok 5 answer_is "$1" "$2"
	took=$(((${EPOCHREALTIME/./} - begun) / 1000))
	[ $took -lt 3000 ] || fail "$1: it took $took ms"
	printf '   %s: %s after %s ms\n' "$1" "$2" $took
}

say "one link"
within www.example.com 203.0.113.7
within wiki.corp.example 203.0.113.8
is "what the host's file of hosts says is the host's" "$(short hostsfile.example)" ""

say "a VPN comes, with a domain"
resolvectl dns vpn0 10.8.0.53
resolvectl domain vpn0 '~corp.example'
within wiki.corp.example 10.8.0.80
within www.example.com 203.0.113.7
is "what it was asked for" "$(sort -u "$DIR/corp.log")" wiki.corp.example

say "it takes all names"
resolvectl domain vpn0 '~.'
within www.example.com 10.8.0.81
say "it is the only default route"
resolvectl domain vpn0 ''
resolvectl default-route outside0 no
within www.example.com 10.8.0.81
resolvectl default-route outside0 yes

say "it goes"
resolvectl domain vpn0 '~corp.example'
within wiki.corp.example 10.8.0.80
ip link del vpn0
within wiki.corp.example 203.0.113.8
within www.example.com 203.0.113.7

say "the host finds guests by an interface of its own, and nothing stands in its file"
hosts_before=$(cat "$DIR/hosts")
lanyard net add site --mode host-only --subnet 10.78.0.0/22 --dns-host true
box site/db1
db1=$(dhcp db1)
link_finds() { resolvectl query --cache=no -4 "$1" | grep -q "$1: $2 .*ly-site"; }
told() { lanyard host-changes | grep -q 'systemd-resolved/ly-site'; }
until_ok 3 told
until_ok 3 link_finds db1.site.internal "$db1"
is "by the way that all programs go" "$(getent ahostsv4 db1.site.internal | awk '{ print $1; exit }')" "$db1"
is "the way back" "$(getent hosts "$db1" | awk '{ print $2 }')" db1.site.internal
is "the file" "$(cat "$DIR/hosts")" "$hosts_before"
has "it is told" "$(lanyard host-changes)" 'site +names +systemd-resolved/ly-site +\*.site.internal'
has "and which way" "$(lanyard net show site)" 'systemd-resolved'
has "domains to route by alone" "$(resolvectl domain ly-site | xargs)" ': ~site.internal ~0.78.10.in-addr.arpa ~1.78.10.in-addr.arpa ~2.78.10.in-addr.arpa ~3.78.10.in-addr.arpa ~[0-9a-f.]+.ip6.arpa$'
has "it is no default route" "$(resolvectl default-route ly-site)" ': no$'
is "whom nobody else was asked for" "$(grep -c 'site.internal\|10.in-addr.arpa' "$DIR/public.log")" 0
is "other names are asked where they were" "$(resolvectl query --cache=no -4 www.example.com | grep -c 'link: outside0')" 1
is "guests ask the network itself" "$(in_box db1 dig +short +time=1 +tries=1 @10.78.0.1 db1.site.internal)" "$db1"
is "nobody else has a way to it: sockets" "$(ss -Hltun 'src 10.78.0.1:53' | grep -cv '%ly-site:53')" 0

say "it goes after the guest, and all of it with the network"
box_end db1
nowhere() { ! resolvectl query --cache=no -4 db1.site.internal 2>/dev/null; }
until_ok 3 nowhere
lanyard net set site --dns-host false
link_empty() { [ -z "$(resolvectl dns ly-site | sed 's/.*://; s/ //g')$(resolvectl domain ly-site | sed 's/.*://; s/ //g')" ]; }
until_ok 3 link_empty
is "changes" "$(lanyard host-changes | grep -c names)" 0
lanyard net set site --dns-host true
lanyard dns add site db 10.78.0.9
until_ok 3 link_finds db.site.internal 10.78.0.9

say "resolved ends, and the file has the names; it is started again, and asks for them"
file_has() { grep -q "^10.78.0.9[[:space:]]*db.site.internal" "$DIR/hosts"; }
! file_has || fail "the file has names"
kill "$resolved"
until_ok 5 file_has
resolved_start
until_ok 5 link_finds db.site.internal 10.78.0.9
file_as_before() { [ "$(cat "$DIR/hosts")" = "$hosts_before" ]; }
until_ok 5 file_as_before

say "the engine dies"
kill -9 "$(engine_pid)"
until_ok 5 answers
until_ok 3 link_finds db.site.internal 10.78.0.9
is "the file" "$(cat "$DIR/hosts")" "$hosts_before"
lanyard net rm site --force

say "the administrator's own file counts as it stands"
echo "nameserver 10.255.0.1" >"$DIR/resolv.conf"
nothing() { ! short www.example.com | grep -q 203; }
until_ok 3 nothing
