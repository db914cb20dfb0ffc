#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/10-dhcp.sh - leases by real clients: udhcpc and dhclient, renewing, releasing, coming back, a full pool
. "$ROOT/tests/net/lib.sh"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24

said() { sed -n "s/^$2='\(.*\)'\$/\1/p" "$DIR/$1.lease"; }

say "udhcpc"
box web1
first=$(dhcp web1 -x hostname:web1-inside -O mtu)
has "address" "$first" '^10\.77\.0\.[0-9]+$'
is "router" "$(said web1 router)" 10.77.0.1
is "name server" "$(said web1 dns)" 10.77.0.1
is "domain" "$(said web1 domain)" lab.internal
is "MTU" "$(said web1 mtu)" 1500
is "mask" "$(said web1 subnet)" 255.255.255.0
is "lease ls" "$(json ".leases[] | select(.ip == \"$first\") | .port" lease ls lab)" web1
is "host name" "$(json ".leases[] | select(.ip == \"$first\") | .hostname" lease ls lab)" web1-inside
is "ip" "$(lanyard ip lab/web1)" "$first"

say "udhcpc renews when told to, and its lease goes on"
kill -USR1 "$(<"$DIR/web1.udhcpc")"
until_ok 5 grep -q "event=renew" "$DIR/web1.lease"
is "address" "$(address web1)" "$first"

say "udhcpc releases; the same guest gets the same address again"
kill -USR2 "$(<"$DIR/web1.udhcpc")"
bound() { lanyard lease ls lab --json | jq -e ".leases[] | select(.ip == \"$first\" and .state == \"bound\")" >/dev/null; }
freed() { ! bound; }
until_ok 5 freed
kill "$(<"$DIR/web1.udhcpc")"
is "address" "$(dhcp web1)" "$first"

say "dhclient"
# A copy, since host policies (AppArmor) know the original by its path.
cp "$(command -v dhclient)" "$DIR/dhclient"
cat >"$DIR/dhclient.script" <<'END'
#!/bin/sh
env >"$DHCLIENT_SAW"
case $reason in
BOUND | RENEW | REBIND | REBOOT)
	ip addr replace "$new_ip_address/24" dev "$interface"
	ip route replace default via "$new_routers"
	;;
PREINIT) ip link set "$interface" up ;;
esac
END
chmod 755 "$DIR/dhclient.script"
box web2
touch "$DIR/dh.leases" "$DIR/dh.pid"
[ "${RUN_AS[0]:-}" != setpriv ] || chown "$USER_ID" "$DIR"/dh.*
dh() {
	in_box web2 env DHCLIENT_SAW="$DIR/saw" "$DIR/dhclient" -4 -1 -cf /dev/null -lf "$DIR/dh.leases" -pf "$DIR/dh.pid" \
		-sf "$DIR/dhclient.script" -e "DHCLIENT_SAW=$DIR/saw" "$@" eth0 >>"$DIR/dh.log" 2>&1 || { cat "$DIR/dh.log"; return 1; }
}
dh
second=$(address web2)
has "address" "$second" '^10\.77\.0\.[0-9]+$'
[ "$second" != "$first" ] || fail "two guests have $first"
is "lease ls" "$(json ".leases[] | select(.ip == \"$second\") | .port" lease ls lab)" web2
is "server" "$(sed -n 's/^new_dhcp_server_identifier=//p' "$DIR/saw")" 10.77.0.1
say "dhclient begins again with the address it knows (INIT-REBOOT)"
dh -x
dh
grep -q 'reason=REBOOT' "$DIR/saw"
is "address" "$(address web2)" "$second"
say "dhclient releases, and gets it again"
dh -r
dh
is "address" "$(address web2)" "$second"
in_box web2 ping -c 1 -W 2 "$first" >/dev/null

say "a pinned address is given, also to a guest that had another"
lanyard lease pin lab/web3 10.77.0.50
box web3
is "address" "$(dhcp web3)" 10.77.0.50
lanyard lease release lab/web3
is "released" "$(json '[.leases[] | select(.port == "web3" and .state == "bound")] | length' lease ls lab)" 0
has "and pinned all the same" "$(lanyard lease explain lab web3)" 'address 10\.77\.0\.50: it is reserved'
status 4 lanyard lease release lab/nobody

say "a full pool: the next guest gets none, which is logged; one that leaves makes room"
lanyard net add tiny --subnet 10.78.0.0/29 --dhcp-pool 10.78.0.2-10.78.0.3
for name in t1 t2 t3; do box tiny/$name; done
dhcp t1 >/dev/null
dhcp t2 >/dev/null
if dhcp t3 -t 2 >"$DIR/out"; then fail "a third address of two: $(<"$DIR/out")"; fi
grep -qiE 'net=tiny.*(exhaust|pool|no-address|full)' "$DIR/lanyardd.log" || fail "an exhausted pool is not logged"
kill -USR2 "$(<"$DIR/t1.udhcpc")"
kill "$(<"$DIR/t1.udhcpc")"
box_end t1
has "the third guest" "$(dhcp t3)" '^10\.78\.0\.[23]$'
