#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/15-clients.sh - the DHCP clients of whole systems, those that are installed: dhcpcd, systemd-networkd, NetworkManager, dhcp6c, rdisc6;
# of both families, with addresses from DHCPv6 and without (DH6-01, DH6-07, DH6-10, RA-03)
# as: root
. "$ROOT/tests/net/lib.sh"
networkd=/lib/systemd/systemd-networkd
ran=0
installed() { command -v "$1" >/dev/null && ran=$((ran + 1)) && return 0; echo "   $1 is not installed"; return 1; }

daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --subnet6 fd00:77::/64 --delegate fd00:88::/48 --delegate-length 60 --dhcp6-option "sntp-servers fd00:77::7"
lanyard net add bare --subnet 10.78.0.0/24 --subnet6 fd00:78::/64 --dhcp6 off	# addresses are by router advertisement alone

# client NAME [routes] <SCRIPT - run in guest NAME, with a /run of its own ($DIR/NAME.run) and a /sys that says that no udev is there; the
# kernel does not listen to routers, so that IPv6 addresses are the client's, unless the client leaves those to it ("routes")
client() {
	mkdir -m 755 "$DIR/$1.run"
	{
		cat <<-EOF
			set -e
			mount --bind "$DIR/$1.run" /run
			mount --bind /sys /sys
			mount -o remount,bind,ro /sys
		EOF
		[ "${2:-}" = routes ] || echo 'for i in default eth0; do echo 0 >/proc/sys/net/ipv6/conf/$i/accept_ra; done; ip -6 addr flush dev eth0 scope global'
		cat
	} >"$DIR/$1.sh"
	in_box "$1" unshare -m sh "$DIR/$1.sh" >"$DIR/$1.client" 2>&1
}
bound() { [ "$(json ".leases[] | select(.port == \"$1\" and .state == \"bound\" and .ip == \"$2\") | .ip" lease ls lab)" = "$2" ]; }
addresses() { in_box "$1" ip "$2" -o addr show dev "$3" -tentative | awk '{ sub("/.*", "", $4); print $4 }'; }
# address_like NAME INTERFACE PATTERN - sets ip to its address that matches, as soon as there is one
address_like() {
	has_address() { addresses "$1" "$2" "$3" | grep -qE "$4"; }
	until_ok 10 has_address "$1" "${4:--6}" "$2" "$3" || return
	ip=$(addresses "$1" "${4:--6}" "$2" | grep -E -m 1 "$3")
	echo "   $1: $ip"
}
# leased NAME INTERFACE - it has an address, the route and its lease
leased() {
	address_like "$1" "$2" '^10\.77\.0\.' -4
	bound "$1" "$ip" || fail "$1: $ip is not its lease"
	until_ok 5 in_box "$1" ping -c 1 -W 1 10.77.0.1
	has "$1: the route" "$(in_box "$1" ip -4 route show default)" "via 10\.77\.0\.1 dev $2"
}
# leased6 NAME INTERFACE - it has an address of the pool, which is its lease, and works
leased6() {
	address_like "$1" "$2" '^fd00:77::1[0-9a-f]{3}:[0-9a-f]{1,4}$'
	bound "$1" "$ip" || fail "$1: $ip is not its lease"
	until_ok 5 in_box "$1" ping -6 -c 1 -W 1 -I "$ip" fd00:77::1
}
# advertised6 NAME INTERFACE PREFIX - it has made itself an address of the prefix, and goes by the router
advertised6() {
	address_like "$1" "$2" "^$3::([0-9a-f]+:){3}[0-9a-f]+\$"
	until_ok 5 in_box "$1" ping -6 -c 1 -W 1 -I "$ip" "$3::1"
	has "$1: the route" "$(in_box "$1" ip -6 route show default)" "via fe80::[0-9a-f:]+ dev $2"
}
# finds NAME FILE PATTERN - the client has written so in its /run
finds() {
	written() { cat "$DIR/$1.run"/$2 | grep -qE "$3"; }
	until_ok 5 written "$@"
	has "$1" "$(cat "$DIR/$1.run"/$2)" "$3"
}
delegated() { lanyard lease ls lab | grep -qE "fd00:88:0:[0-9a-f]*0?::/60 .*$1"; }

dhcpcd6() {
	box "$2/$1"
	client "$1" <<-'EOF' &
		mkdir -p /var/lib/dhcpcd
		mount -t tmpfs tmpfs /var/lib/dhcpcd
		printf 'option dhcp6_name_servers\noption dhcp6_sntp_servers\ninterface eth0\nia_na 1\nia_pd 2 -\n' >/run/conf
		printf '#!/bin/sh\nenv >>/run/env\n' >/run/hook
		chmod 755 /run/hook
		exec dhcpcd -6 -B -f /run/conf -c /run/hook eth0
	EOF
}
networkd() {
	box "$2/$1"
	client "$1" <<-EOF &
		mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
		chown -R systemd-network /run/systemd/netif
		printf '[Match]\nName=eth0\n[Network]\nDHCP=yes\nIPv6AcceptRA=yes\n' >/run/systemd/network/10-eth0.network
		exec $networkd
	EOF
}

network_manager() {
	box nm
	client nm <<-'EOF' &
		mkdir -p /run/dbus /run/NetworkManager/system-connections /var/lib/NetworkManager /etc/NetworkManager
		mount -t tmpfs tmpfs /var/lib/NetworkManager
		mount -t tmpfs tmpfs /etc/NetworkManager
		ip link add br0 type bridge
		ip link add nm0 type veth peer name nm1
		for i in nm1 eth0; do ip link set $i master br0 up; done
		ip link set br0 up
		cat >/run/dbus.conf <<'X'
		<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
		<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen>
		<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/></policy></busconfig>
		X
		dbus-daemon --config-file=/run/dbus.conf --fork
		printf '[main]\nplugins=keyfile\ndhcp=internal\nno-auto-default=*\ndns=none\n[keyfile]\nunmanaged-devices=*,except:interface-name:nm0\n' \
			>/etc/NetworkManager/NetworkManager.conf
		cat >/run/NetworkManager/system-connections/lab.nmconnection <<'X'
		[connection]
		id=lab
		uuid=5f1a4ac5-5a6b-4e69-8a2b-3f6a3f4d1a01
		type=ethernet
		interface-name=nm0
		[ipv4]
		method=auto
		[ipv6]
		method=auto
		X
		chmod 600 /run/NetworkManager/system-connections/lab.nmconnection
		exec NetworkManager --debug
	EOF
}
wide_dhcp6c() {
	box wide
	client wide routes <<-'EOF' &
		mount -t tmpfs tmpfs /var/lib/dhcpv6
		ip link add lan0 type veth peer name lan1
		for i in lan0 lan1; do ip link set $i up; done
		printf '#!/bin/sh\nenv >>/run/env\n' >/run/hook
		chmod 755 /run/hook
		cat >/run/conf <<'X'
		interface eth0 { send ia-na 1; send ia-pd 2; request domain-name-servers; request ntp-servers; script "/run/hook"; };
		id-assoc na 1 { };
		id-assoc pd 2 { prefix-interface lan0 { sla-id 1; sla-len 4; ifid 7; }; };
		X
		ready() { [ -z "$(ip -6 -o addr show dev eth0 scope link tentative)" ] && [ -n "$(ip -6 -o addr show dev eth0 scope link)" ]; }
		until ready; do busybox usleep 30000; done
		exec dhcp6c -f -D -c /run/conf eth0
	EOF
}

say "all of them at once"
if installed dhcpcd; then dhcpcd6 pc6 lab; dhcpcd6 pc7 bare; fi
if installed $networkd && id systemd-network >/dev/null 2>&1; then networkd networkd lab; networkd networkd7 bare; fi
if installed NetworkManager && installed dbus-daemon; then network_manager; fi
if installed dhcp6c; then wide_dhcp6c; fi
if installed rdisc6; then box disc; box bare/disc7; fi
[ $ran -gt 0 ] || skip "none of these clients is installed"
runs() { [ -n "${BOX[$1]:-}" ]; }

if runs pc6; then
	say "dhcpcd, twice: it comes back to its address, and gives it up"
	box pc
	client pc <<-'EOF' || { cat "$DIR/pc.client"; fail dhcpcd; }
		mkdir -p /var/lib/dhcpcd
		mount -t tmpfs tmpfs /var/lib/dhcpcd
		dhcpcd -4 -1 -A -t 8 -f /dev/null -c /bin/true eth0
		ip addr flush dev eth0
		dhcpcd -4 -1 -A -t 8 -f /dev/null -c /bin/true eth0
	EOF
	leased pc eth0
	is "addresses it was leased" "$(grep -o 'leased 10[0-9.]*' "$DIR/pc.client" | sort -u | wc -l)" 1
	say "dhcpcd and IPv6: an address, a prefix, the resolver; and of a network without DHCPv6"
	leased6 pc6 eth0
	advertised6 pc6 eth0 fd00:77
	until_ok 5 delegated pc6
	finds pc6 env '^new_dhcp6_name_servers=fd00:77::1$'
	finds pc6 env '^new_dhcp6_sntp_servers=fd00:77::7$'
	advertised6 pc7 eth0 fd00:78
	finds pc7 env '^nd1_rdnss1_servers=.?fd00:78::1'
fi

if runs networkd; then
	say "systemd-networkd"
	leased networkd eth0
	leased6 networkd eth0
	advertised6 networkd eth0 fd00:77
	finds networkd 'systemd/netif/links/*' '^DNS=.*fd00:77::1'
	advertised6 networkd7 eth0 fd00:78
	finds networkd7 'systemd/netif/links/*' '^DNS=.*fd00:78::1'
fi

if runs nm; then
	say "NetworkManager, which takes a veth for Ethernet and a TAP not"
	leased nm nm0
	leased6 nm nm0
	advertised6 nm nm0 fd00:77
	finds nm NetworkManager/resolv.conf '^nameserver fd00:77::1$'
fi

if runs wide; then
	say "dhcp6c: an address, and of its prefix one for the network behind it; both are given back"
	leased6 wide eth0
	address=$ip
	finds wide env '^new_domain_name_servers=fd00:77::1'
	finds wide env '^new_ntp_servers=fd00:77::7'	# what it calls so is option 31
	address_like wide lan0 '^fd00:88:0:[0-9a-f]*1::7$'
	until_ok 5 in_box wide ping -6 -c 1 -W 1 -I "$ip" fd00:77::1
	kill -TERM "$(<"$DIR/wide.run/dhcp6c.pid")"
	given_back() { ! bound wide "$address" && ! delegated wide; }
	until_ok 5 given_back
fi

if runs disc; then
	say "rdisc6: what is advertised, with DHCPv6 and without"
	heard() { in_box "$1" rdisc6 -1 -w 500 eth0 | tr -s ' ' >"$DIR/$1.heard"; }
	until_ok 5 heard disc
	until_ok 5 heard disc7
	has "managed" "$(<"$DIR/disc.heard")" 'Stateful address conf\. : Yes'
	has "not managed" "$(<"$DIR/disc7.heard")" 'Stateful address conf\. : No'
	has "nothing else by DHCPv6" "$(<"$DIR/disc7.heard")" 'Stateful other conf\. : No'
	for name in disc disc7; do
		has "the resolver" "$(<"$DIR/$name.heard")" 'Recursive DNS server : fd00:7[78]::1'
		has "addresses of the prefix" "$(<"$DIR/$name.heard")" 'Autonomous address conf\.: Yes'
	done
fi
