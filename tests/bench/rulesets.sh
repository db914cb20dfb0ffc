# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash disable=SC2154
# tests/bench/rulesets.sh - what others have a host translate by: functions that load it where they are called; $SUBNET is the guests', ly-lab their interface

rules_plain() {
	nft -f - <<-END
		table ip plain {
			chain post { type nat hook postrouting priority srcnat; policy accept; ip saddr $SUBNET ip daddr != $SUBNET masquerade; }
		}
	END
}

# rules_filtered - the same with the least that keeps the LAN out of guests
rules_filtered() {
	rules_plain
	nft -f - <<-END
		table ip filtered {
			chain pass { type filter hook forward priority filter; policy accept; ct state established,related accept; oifname "ly-lab" drop; }
		}
	END
}

# rules_libvirt - as its driver for iptables writes them for one network of mode nat
rules_libvirt() {
	iptables-restore <<-END
		*filter
		:LIBVIRT_INP - [0:0]
		:LIBVIRT_OUT - [0:0]
		:LIBVIRT_FWI - [0:0]
		:LIBVIRT_FWO - [0:0]
		:LIBVIRT_FWX - [0:0]
		-A INPUT -j LIBVIRT_INP
		-A OUTPUT -j LIBVIRT_OUT
		-A FORWARD -j LIBVIRT_FWX
		-A FORWARD -j LIBVIRT_FWI
		-A FORWARD -j LIBVIRT_FWO
		-A LIBVIRT_INP -i ly-lab -p udp --dport 53 -j ACCEPT
		-A LIBVIRT_INP -i ly-lab -p tcp --dport 53 -j ACCEPT
		-A LIBVIRT_INP -i ly-lab -p udp --dport 67 -j ACCEPT
		-A LIBVIRT_INP -i ly-lab -p tcp --dport 67 -j ACCEPT
		-A LIBVIRT_OUT -o ly-lab -p udp --dport 68 -j ACCEPT
		-A LIBVIRT_FWX -i ly-lab -o ly-lab -j ACCEPT
		-A LIBVIRT_FWI -d $SUBNET -o ly-lab -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		-A LIBVIRT_FWI -o ly-lab -j REJECT
		-A LIBVIRT_FWO -s $SUBNET -i ly-lab -j ACCEPT
		-A LIBVIRT_FWO -i ly-lab -j REJECT
		COMMIT
		*nat
		:LIBVIRT_PRT - [0:0]
		-A POSTROUTING -j LIBVIRT_PRT
		-A LIBVIRT_PRT -s $SUBNET -d 224.0.0.0/24 -j RETURN
		-A LIBVIRT_PRT -s $SUBNET -d 255.255.255.255/32 -j RETURN
		-A LIBVIRT_PRT -s $SUBNET ! -d $SUBNET -p tcp -j MASQUERADE --to-ports 1024-65535
		-A LIBVIRT_PRT -s $SUBNET ! -d $SUBNET -p udp -j MASQUERADE --to-ports 1024-65535
		-A LIBVIRT_PRT -s $SUBNET ! -d $SUBNET -j MASQUERADE
		COMMIT
	END
}
