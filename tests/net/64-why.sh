#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/64-why.sh - lanyard why: each stage that can block is made to, and the command that it names undoes that; lanyard flows
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
lanyard net add other --subnet 10.78.0.0/24
lanyard net add quiet --mode internal --subnet 10.79.0.0/24
lanyard port add lab/off --stream "$DIR/r/off.sock"

# reaches TO - it would, and its last words are these; blocked STAGE TO [HINT] - that stage blocks
reaches() { status 0 lanyard why lab/web1 "$1"; [ -z "${2:-}" ] || has "$1" "$OUT" "$2"; }
blocked() {
	local from=lab/web1
	[[ $1 == */* ]] && { from=$1; shift; }
	status 1 lanyard why "$from" "$2" --json
	is "$from to $2" "$(jq -r .blocked_by <<<"$OUT")" "$1"
	[ -z "${3:-}" ] || is "   hint" "$(jq -r .hint <<<"$OUT")" "$3"
}

say "before the guest has anything"
status 4 lanyard why lab/none 1.1.1.1
blocked lab/off link 1.1.1.1 "lanyard port show lab/off"
box web1
blocked lease 1.1.1.1 "lanyard ip lab/web1 --wait 30s"
dhcp web1
box web2
lanyard wait lab/web2 --for link
blocked name web2:80 "lanyard ip lab/web2 --wait 30s"
dhcp web2

say "what passes"
reaches $OUTSIDE:443 'route +pass .*'$HOST
reaches $OUTSIDE:53/udp
reaches 10.77.0.1 'gateway +pass'
reaches web2:80 'delivery +pass +to lab/web2'
reaches lab/web2 'arp +pass'
reaches web2.lab.internal:80/tcp 'dns +pass .*10.77.0'
is "stages in order" "$(json '[.stages[].stage] | join(" ")' why lab/web1 $OUTSIDE:443)" "link lease arp vlan guard policy nat route firewall"

say "peers"
lanyard net peer lab other
box other/web9
web9=$(dhcp web9)
status 0 lanyard why lab/web1 "$web9:80"
has "by the peering" "$OUT" 'delivery +pass +to other/web9'
lanyard policy set other/web9 --default deny
blocked policy "$web9:80"
lanyard net peer lab other --rm

say "what blocks"
blocked arp 10.77.0.99
blocked dns nobody.lab.internal
blocked nat 10.78.0.1:80 "lanyard net peer lab other"
blocked nat 127.0.0.1:80
blocked nat 169.254.169.254:80
ip route add unreachable 203.0.113.0/24
blocked route 203.0.113.9:80 "ip route get 203.0.113.9"
if [ "$AS" = root ]; then
	nft 'table inet theirs { chain out { type filter hook output priority 0; policy accept; tcp dport 8101 drop; }; \
		chain in { type filter hook input priority 0; policy drop; ct state established accept; }; }'
	blocked firewall $OUTSIDE:8101 "nft list ruleset"
	has "by name" "$OUT" "rules drop it: chain out of table inet theirs, by a rule"
	reaches $OUTSIDE:8102 'firewall +pass +nothing of the host'
	nft 'flush chain inet theirs in'
	blocked firewall $OUTSIDE:8102
	has "the answer" "$OUT" "rules drop the answer: chain in of table inet theirs, by its policy"
	nft 'flush chain inet theirs in; add rule inet theirs in accept; flush chain inet theirs out; add rule inet theirs out meta mark 7 drop'
	reaches $OUTSIDE:8101 'firewall +pass +nothing of the host'
	nft 'insert rule inet theirs out tcp dport 8101 meta mark set 7'
	blocked firewall $OUTSIDE:8101
	reaches $OUTSIDE:8102 'firewall +pass +nothing of the host'
	nft 'add rule inet theirs out limit rate over 10/minute drop'
	reaches $OUTSIDE:8102 'firewall +unknown .*by a rule; that depends on a limit: over 10/minute'
	nft 'delete table inet theirs'
else
	reaches $OUTSIDE:8101 'firewall +unknown .*not this daemon'
fi
status 1 lanyard why lab/web1 nosuchguest
status 1 lanyard why lab/web1 1.1.1.1:0
status 1 lanyard why lab/web1 1.1.1.1/fun

say "the command that it names undoes it"
lanyard port set lab/web2 --link down
blocked fdb web2:80 "lanyard port set lab/web2 --link up"
lanyard port set lab/web2 --link up
reaches web2:80
lanyard port set lab/web1 --link down
blocked link web2:80 "lanyard port set lab/web1 --link up"
lanyard port set lab/web1 --link up
lanyard net set lab --host-access none
blocked nat 10.77.0.1:22 "lanyard net set lab --host-access own"
lanyard net set lab --host-access own
reaches 10.77.0.1:22
lanyard guard set lab/web1 --isolated true
lanyard guard set lab/web2 --isolated true
blocked guard web2:80 "lanyard guard set lab/web1 --isolated false"
lanyard guard set lab/web1 --isolated false
reaches web2:80
lanyard policy add lab/web1 deny egress $OUTSIDE/tcp
blocked policy $OUTSIDE:443 "lanyard policy ls lab/web1"
reaches $OUTSIDE:443/udp

say "said, and done"
# the guest's own attempt agrees: a connection that is refused has come through
tries() { in_box web1 timeout 2 bash -c "exec 3<>/dev/tcp/$1/$2" 2>&1 || true; }
has "denied" "$(tries $OUTSIDE 443)" '^$'
lanyard policy rm lab/web1 1
has "let through" "$(tries $OUTSIDE 443)" 'refused'
reaches $OUTSIDE:443

say "flows"
outside sh -c 'nc -d -l 7010 >/dev/null' &
until_ok 5 outside sh -c 'ss -Hltn "sport = :7010" | grep -q .'
{ head -c 100000 /dev/zero; read -r -t 5 -u "$NOTHING" || true; } | in_box web1 nc $OUTSIDE 7010 &
flow() { json '.flows[] | select(.remote == "'$OUTSIDE':7010") | [.port, .by, .proto, .bytes_out, .state] | join(" ")' flows "$@"; }
arrived() { [ "$(flow lab/web1)" = "web1 nat tcp 100000 open" ]; }
until_ok 5 arrived
is "of another port" "$(flow lab/web2)" ""
has "a table" "$(lanyard flows lab)" "^lab/web1 10.77.0.2:[0-9]+ +$OUTSIDE:7010 +- +tcp +nat +open"
lanyard policy add lab/web2 allow ingress any
in_box web1 ping -c 1 -W 2 "$(address web2)" >/dev/null
has "guests among one another" "$(json '.flows[] | select(.by == "switch") | .port + " " + .remote_name + " " + .began' flows lab)" 'web2 lab/web1 remote'
status 4 lanyard flows none

say "a segment of its own"
lanyard segment add lab 20 --subnet 10.77.20.0/24
box v20
lanyard port set lab/v20 --vlan 20
dhcp v20
status 0 lanyard why lab/v20 $OUTSIDE:443
has "on its VLAN" "$OUT" 'vlan +pass +VLAN 20'
blocked lab/v20 nat 10.77.0.1:80
blocked lab/v20 nat web2:80

say "guests that are alone"
lanyard net add apart --mode nat
box apart/a1
box apart/a2
dhcp a1
dhcp a2
blocked apart/a1 name a2:80
status 0 lanyard why apart/a1 $OUTSIDE:443

if [ "$AS" = root ]; then
	say "where the host is a member"
	lanyard net add far --mode routed --subnet 10.50.0.0/24 --uplink outside0
	lanyard net add near --mode host-only --subnet 192.168.56.0/24
	box far/web3
	web3=$(dhcp web3)
	box near/web4
	dhcp web4
	status 0 lanyard why far/web3 $OUTSIDE:80
	has "the kernel's route" "$OUT" 'route +pass +out by outside0'
	blocked far/web3 route 203.0.113.9:80 "ip route get 203.0.113.9 from $web3 iif ly-far"
	status 0 lanyard why near/web4 192.168.56.1:22
	has "the host itself" "$OUT" "route +pass +192.168.56.1 is the host's own"
	blocked near/web4 nat $OUTSIDE:80
fi
