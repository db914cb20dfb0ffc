#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/26-dhcp6.sh - real clients of DHCPv6: addresses, settings, prefixes for a router behind a guest (DH6-01, DH6-07, DH6-10, RA-03)
# limit: 120
. "$ROOT/tests/net/lib.sh"
command -v dhclient >/dev/null || absent "dhclient is not installed"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --subnet6 fd00:77::/64 --delegate fd00:88::/48 --delegate-length 60 --captive-portal https://portal.example/ --pref64 64:ff9b::/96
box web2
cat >"$DIR/script" <<'SCRIPT'
#!/bin/sh
env | grep -E '^(reason|new_)' >>"$OUT6"
[ "$reason" = PREINIT6 ] && exit 0
[ -n "$new_ip6_address" ] && ip -6 addr replace "$new_ip6_address/$new_ip6_prefixlen" dev "$interface" valid_lft "$new_max_life" preferred_lft "$new_preferred_life"
exit 0
SCRIPT
chmod 755 "$DIR/script"
client() { local box=$1 out=$2; shift 2; in_box "$box" env OUT6="$DIR/$out" dhclient -6 -1 -v -sf "$DIR/script" -pf "$DIR/$out.pid" -lf "$DIR/$out.leases" -e OUT6="$DIR/$out" "$@" eth0; }
ready() { [ -z "$(in_box "${1:-web2}" ip -6 -o addr show dev eth0 scope link tentative)" ] && [ -n "$(in_box "${1:-web2}" ip -6 -o addr show dev eth0 scope link)" ]; }
until_ok 10 ready
client web2 one
got() { sed -n "s/^$2=//p" "$DIR/$1" | tail -n 1; }
one=$(got one new_ip6_address)
has "an address of the pool" "$one" '^fd00:77::1[0-9a-f]{3}:[0-9a-f]{1,4}$'
is "the resolver" "$(got one new_dhcp6_name_servers)" fd00:77::1
is "the domain" "$(got one new_dhcp6_domain_search)" lab.internal.
is "valid for an hour" "$(got one new_max_life)" 3600
knows() { in_box web2 dig +short +time=1 +tries=1 @fd00:77::1 web2.lab.internal AAAA | grep -qx "$one"; }
until_ok 5 knows
is "and backward" "$(in_box web2 dig +short @fd00:77::1 -x "$one")" web2.lab.internal.

say "what a reservation calls the guest is a name of its address, which leads back to it"
short6() { in_box web2 dig +short +time=1 +tries=1 @fd00:77::1 "$@"; }
duid=$(json '.leases[] | select(.ip == "'"$one"'") | .client_id' lease ls lab)
lanyard lease pin lab/desk 10.77.0.50 --client-id "$duid" --hostname desk-7
is "forward and back" "$(short6 desk-7.lab.internal AAAA) $(short6 -x "$one")" "$one desk-7.lab.internal."
knows
explain() { json "$1" lease explain lab "$2"; }
is "explained by its DUID" "$(explain '[.port, .dhcp6.ip, .dhcp6.why, .dhcp6.reservation] | join("|")' "$duid")" "web2|fd00:77::a4d:32|it is reserved for it|desk"
is "and what it is told" "$(explain '[.dhcp6.options[] | select(.name == "client-fqdn" or .name == "dns-servers") | .value, .from] | join("|")' desk)" \
	"fd00:77::1|lanyard|desk-7.lab.internal|reservation desk"
has "for people" "$(lanyard lease explain lab web2)" "address fd00:77::a4d:32: it is reserved for it"
lanyard lease rm lab/desk
is "by its port, without the reservation" "$(explain '[.dhcp6.ip, .dhcp6.why] | join("|")' web2)" "$one|it has it"
is "its port's again" "$(short6 desk-7.lab.internal AAAA) $(short6 -x "$one")" " web2.lab.internal."

say "options of the network, a class and a reservation; and what firmware is to boot"
lanyard net set lab --dhcp6-option "sntp-servers fd00:77::7" --dhcp6-option "never captive-portal" --dhcp6-option "400:text x" --boot-tftp "$DIR" --boot-efi-x64 x64.efi
lanyard class add lab/phones --user "phone*" --option6 "sntp-servers fd00:77::8" --lease 20m
cat >"$DIR/phone.conf" <<'CONF'
send dhcp6.client-arch-type 7;
option dhcp6.its-class code 15 = string;
send dhcp6.its-class 00:07:70:68:6f:6e:65:2d:37;
also request dhcp6.sntp-servers, dhcp6.bootfile-url;
CONF
client web2 phone -cf "$DIR/phone.conf"
is "of its class" "$(got phone new_dhcp6_sntp_servers) $(got phone new_max_life)" "fd00:77::8 1200"
is "a file of the gateway's" "$(got phone new_dhcp6_bootfile_url)" "tftp://[fd00:77::1]/x64.efi"
is "who says so" "$(json '[.dhcp6.heard[0], .dhcp6.lease_from, (.dhcp6.options[] | select(.code == 31 or .code == 59 or .code == 400) | .value, .from)] | join("|")' \
	lease explain lab web2 --user phone-1 --arch 7)" "class phones|class phones|fd00:77::8|class phones|tftp://[fd00:77::1]/x64.efi|lanyard|x|network"
has "for people" "$(lanyard lease explain lab web2 --user phone-1)" "31 *sntp-servers *fd00:77::8 *class phones"
lanyard export >"$DIR/lab.yaml"
status 0 lanyard diff -f "$DIR/lab.yaml"
is "nothing differs" "$OUT" "nothing to change"
has "as it was typed" "$(<"$DIR/lab.yaml")" 'sntp-servers fd00:77::8'
lanyard class set lab/phones --refuse true
has "not served" "$(lanyard lease explain lab web2 --user phone-1)" "nothing: denied by class phones"
lanyard class rm lab/phones
status 1 lanyard net set lab --dhcp6-option "routers 10.0.0.1"
has "an option of the other family" "$ERR" "there is no option routers; its number, 1..65535, would do"
lanyard net set lab --dhcp6-option ""
is "taken back" "$(json '.dhcp6 | has("options")' net show lab)" false

say "a prefix for what is behind a guest"
client web2 two -P
prefix=$(got two new_ip6_prefix)
has "of the delegated ones" "$prefix" '^fd00:88:0:[0-9a-f]*0::/60$'
behind=${prefix%::/60}::77
in_box web2 ip -6 addr add "$behind/128" dev lo nodad
in_box web2 ping -6 -c 1 -W 2 -I "$behind" fd00:77::1 >/dev/null
is "DNS answers there" "$(in_box web2 dig +short +time=2 +tries=2 -b "$behind" @fd00:77::1 web2.lab.internal AAAA | grep -cx "$one")" 1
box web3
until_ok 10 ready web3
client web3 three
until_ok 10 in_box web3 ping -6 -c 1 -W 1 "$behind" >/dev/null
withdrawn() { ! in_box web3 ping -6 -c 1 -W 1 "$behind" >/dev/null; }
heard() { in_box web2 awk '$1 == "Icmp6InEchos" { print $2 }' /proc/net/snmp6; }
lanyard guard set lab --isolated true	# the way by the gateway is none between isolated ports
before=$(heard)
withdrawn
is "nothing gets there" "$(heard)" "$before"
lanyard guard set lab --isolated false
until_ok 5 in_box web3 ping -6 -c 1 -W 1 "$behind" >/dev/null
say "an engine that was started again knows the way, and what the guest may say it is, before anything is renewed"
lanyard guard set lab --own-ip true
kill -9 "$(engine_pid)"
back() { in_box web3 ping -6 -c 1 -W 1 "$behind" >/dev/null && in_box web2 ping -6 -c 1 -W 1 -I "$one" fd00:77::1 >/dev/null; }
until_ok 10 back
lanyard guard set lab --own-ip false
has "listed" "$(lanyard lease ls lab)" "fd00:88:0:.*::/60.*web2"
in_box web2 env OUT6="$DIR/two" dhclient -6 -r -P -sf "$DIR/script" -pf "$DIR/two.pid" -lf "$DIR/two.leases" -e OUT6="$DIR/two" eth0 2>/dev/null
until_ok 5 withdrawn
lanyard lease rm lab "$one" >/dev/null
gone() { [[ $(lanyard lease ls lab) != *"$one"* ]]; }
until_ok 5 gone
