#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/15-clients.sh - the DHCP clients of whole systems, those that are installed: dhcpcd, systemd-networkd, NetworkManager
# as: root
. "$ROOT/tests/net/lib.sh"
networkd=/lib/systemd/systemd-networkd
ran=0
installed() { command -v "$1" >/dev/null && ran=$((ran + 1)) && return 0; echo "   $1 is not installed"; return 1; }

daemon_start
lanyard net add lab --subnet 10.77.0.0/24

# client NAME SCRIPT - run in guest NAME, with a /run of its own and a /sys that says that no udev is there
client() {
	cat - "$2" >"$DIR/$1.sh" <<-'EOF'
		set -e
		mount -t tmpfs tmpfs /run
		mount --bind /sys /sys
		mount -o remount,bind,ro /sys
	EOF
	in_box "$1" unshare -m sh "$DIR/$1.sh" >"$DIR/$1.client" 2>&1
}
bound() { [ "$(json ".leases[] | select(.port == \"$1\" and .state == \"bound\") | .ip" lease ls lab)" = "$2" ]; }
# leased NAME INTERFACE - it has an address, the route and its lease
leased() {
	local ip
	has_address() { in_box "$1" ip -4 -o addr show dev "$2" | grep -q ' inet 10\.77\.0\.'; }
	until_ok 10 has_address "$1" "$2"
	ip=$(in_box "$1" ip -4 -o addr show dev "$2" | awk '{ sub("/.*", "", $4); print $4; exit }')
	bound "$1" "$ip" || fail "$1: $ip is not its lease"
	until_ok 5 in_box "$1" ping -c 1 -W 1 10.77.0.1
	has "$1: the route" "$(in_box "$1" ip -4 route show default)" "via 10\.77\.0\.1 dev $2"
	echo "   $1: $ip"
}

if installed dhcpcd; then
	say "dhcpcd, twice: it comes back to its address, and gives it up"
	box pc
	cat >"$DIR/pc" <<-'EOF'
		mkdir -p /var/lib/dhcpcd
		mount -t tmpfs tmpfs /var/lib/dhcpcd
		dhcpcd -4 -1 -A -t 8 -f /dev/null -c /bin/true eth0
		ip addr flush dev eth0
		dhcpcd -4 -1 -A -t 8 -f /dev/null -c /bin/true eth0
	EOF
	client pc "$DIR/pc" || { cat "$DIR/pc.client"; fail dhcpcd; }
	leased pc eth0
	is "addresses it was leased" "$(grep -o 'leased 10[0-9.]*' "$DIR/pc.client" | sort -u | wc -l)" 1
fi

if installed $networkd && id systemd-network >/dev/null 2>&1; then
	say "systemd-networkd"
	box networkd
	cat >"$DIR/networkd" <<-EOF
		mkdir -p /run/systemd/network /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp
		chown -R systemd-network /run/systemd/netif
		printf '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=no\n' >/run/systemd/network/10-eth0.network
		exec $networkd
	EOF
	client networkd "$DIR/networkd" &
	leased networkd eth0
fi

if installed NetworkManager && installed dbus-daemon; then
	say "NetworkManager, which takes a veth for Ethernet and a TAP not"
	box nm
	cat >"$DIR/nm" <<-'EOF'
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
		method=disabled
		X
		chmod 600 /run/NetworkManager/system-connections/lab.nmconnection
		exec NetworkManager --debug
	EOF
	client nm "$DIR/nm" &
	leased nm nm0
fi
[ $ran -gt 0 ] || skip "neither dhcpcd nor systemd-networkd nor NetworkManager is installed"
