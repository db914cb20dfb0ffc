#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/90-nothing-touched.sh - the host is byte for byte as it was: before, while guests work, and after; and its firewall, with
# every chain of every kind at drop, is in nobody's way (AC-01, AC-02, AC-03, AC-10, AC-28)
# limit: 120
. "$ROOT/tests/net/lib.sh"
for tool in nft iptables-legacy; do command -v $tool >/dev/null || absent "$tool is not installed"; done
echo "0 2147483647" >/proc/sys/net/ipv4/ping_group_range
# A host with two links, of which one autoconfigures, as a laptop has them; addresses are there before anything is looked at.
outside_make
sysctl -qw net.ipv6.conf.outside0.accept_ra=1
ip link add other0 type veth peer name other1
ip -6 addr add 2001:db8:1::1/64 dev outside0 nodad
ip -n outside -6 addr add 2001:db8:1::2/64 dev eth0 nodad
ip -6 route add default via 2001:db8:1::2

say "a firewall that drops what is forwarded and what comes in, in nft and in iptables"
nft -f - <<'END'
table inet strict {
	chain forward {
		type filter hook forward priority 0; policy drop;
	}
	chain input {
		type filter hook input priority 0; policy drop;
		iif "lo" accept
		ct state established,related accept
		meta l4proto ipv6-icmp accept
		tcp dport 8080 accept
		udp dport 8081 accept
	}
}
table bridge strict {
	chain forward {
		type filter hook forward priority 0; policy drop;
	}
}
END
for v in iptables-legacy ip6tables-legacy; do $v -P FORWARD DROP; done

# host_state DIRECTORY - everything that another program could find changed
host_state() {
	mkdir -p "$1"
	nft -n list ruleset >"$1/nft"
	[ -n "${reloaded:-}" ] || nft -a -n list ruleset >"$1/handles"
	for v in iptables ip6tables; do ${v}-legacy-save | grep -v '^#' | sed 's/\[[0-9:]*\]//' >"$1/$v"; done
	ip -d link >"$1/links"
	ip -d addr | sed -E 's/(valid|preferred)_lft [0-9]+sec/\1/g' >"$1/addresses"
	for f in 4 6; do
		ip -$f route show table all | sed 's/expires [0-9]*sec//; s/ *$//' | grep -v '^multicast ff00' >"$1/routes$f"
		ip -$f rule >"$1/rules$f"
	done
	tc -d qdisc >"$1/qdiscs"
	ip maddr >"$1/groups"
	ip netns list | sed 's/ (id.*//' >"$1/namespaces"
	# what the kernel itself counts and does anew at each look is not a setting
	sysctl -a 2>/dev/null | grep -vE '^(fs\.(dentry|inode|file-nr|quota|aio-nr)|kernel\.(random|ns_last_pid|pty|sched_domain|tainted|perf_event_max_sample_rate)|net\.netfilter\.nf_conntrack_count|vm\.)' |
		grep -vE '^fs\.binfmt|^kernel\.(core_pattern|printk)|^dev\.cdrom|route\.gc_|nf_log\.|fs\.nfs|sunrpc' >"$1/sysctls"
	cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding >"$1/forwarding"
	ss -Hlntu | awk '$5 ~ /:(53|67|547)$/' >"$1/well-known-ports"
}
same_host() {
	host_state "$DIR/$1"
	diff -r "$DIR/before" "$DIR/$1" >"$DIR/diff" || fail "$1: the host is not as it was: $(cat "$DIR/diff")"
	printf '   %s: %s lines as they were\n' "$1" "$(cat "$DIR/$1"/* | wc -l)"
}

serve() { outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve "$@" >>"$DIR/serve.log" 2>&1 & }
serve 7001 name
serve 7002 datagram
outside /usr/bin/python3 "$ROOT/tests/net/upstream.py" >"$DIR/upstream.log" 2>&1 &
until_ok 10 outside sh -c 'ss -Hlun "sport = :53" | grep -q .'
echo "nameserver $OUTSIDE" >"$DIR/resolv.conf"
head -c 3000000 /dev/zero >"$DIR/www/file"
http_serve outside $OUTSIDE:80 "$DIR/www"
until_ok 5 outside sh -c 'ss -Hltn "sport = :7001" | grep -q .'
call() { in_box web1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" call "$@"; }
# a frame each way first, so that no more than that depends on what the test itself does
ping -c 1 -W 2 $OUTSIDE >/dev/null
ping -6 -c 1 -W 2 2001:db8:1::2 >/dev/null
until_ok 5 sh -c '! ip -6 addr show tentative | grep -q .'
host_state "$DIR/before"
is "forwarding" "$(xargs <"$DIR/before/forwarding")" "0 0"

say "networks, guests and forwards"
daemon_start
same_host started
lanyard net add lab --subnet 10.77.0.0/24
lanyard net add quiet --mode internal --subnet 10.78.0.0/24
same_host networks
begun=${EPOCHREALTIME/./}
box web1
dhcp web1 >/dev/null
is "a name" "$(in_box web1 dig +short +time=2 +tries=1 @10.77.0.1 www.example.com)" 203.0.113.7
[ $((${EPOCHREALTIME/./} - begun)) -lt 3000000 ] || fail "a lease and a name took $(((${EPOCHREALTIME/./} - begun) / 1000)) ms"
box quiet/inner
dhcp inner >/dev/null
is "a name in an internal network" "$(in_box inner dig +short +time=2 +tries=1 @10.78.0.1 inner.quiet.internal)" 10.78.0.2
lanyard forward add lab 8080:web1:80 --lan --name web
lanyard forward add lab 8081:web1:81/udp --lan --name dgram
same_host guests

say "the way out"
is TCP "$(call $OUTSIDE 7001 name)" $HOST
is UDP "$(call $OUTSIDE 7002 datagram)" $HOST
is ping "$(in_box web1 ping -c 1 -W 2 $OUTSIDE >/dev/null && echo yes)" yes
is "a file" "$(in_box web1 curl -sS -m 10 http://$OUTSIDE/file | wc -c)" 3000000
same_host traffic

say "the way in, while the firewall is flushed and loaded again"
http_serve in_box web1 80 "$DIR/www"
in_box web1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 81 datagram >/dev/null 2>&1 &
in_box web1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve 82 echo >/dev/null 2>&1 &
is "a forward" "$(outside curl -sS -m 5 http://$HOST:8080/file | wc -c)" 3000000
until_ok 5 outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $HOST 8081 datagram
seen=$(outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $HOST 8081 datagram)
outside curl -sS -m 30 --limit-rate 1500k http://$HOST:8080/file -o "$DIR/slow" &
slow=$!
nft -n list ruleset >"$DIR/ruleset"
until_ok 5 test -s "$DIR/slow"
nft flush ruleset
both() { outside curl -sS -m 5 http://$HOST:8080/file | wc -c; outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" call $HOST 8081 datagram; }
is "flushed" "$(both | xargs)" "3000000 $seen"
nft -f "$DIR/ruleset"
is "loaded" "$(both | xargs)" "3000000 $seen"
wait $slow || fail "a connection did not outlive the firewall's reload"
is "one that was open all the time" "$(wc -c <"$DIR/slow")" 3000000
cp "$DIR/ruleset" "$DIR/before/nft" && rm "$DIR/before/handles"	# its counters and handles begin anew, which was our doing
reloaded=yes

say "all of it goes again"
same_host forwarded
lanyard forward rm lab web
box_end web1
box_end inner
lanyard net rm lab --force
lanyard net rm quiet --force
same_host removed
daemon_stop
same_host stopped
