// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/unit/model_text.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "ctl/changes.h"
#include "ctl/yaml.h"

/* What the messages say after "t:LINE: " is the contract with users and scripts. L: stands for `network lab: `. */
static const struct {
	const char *what, *yaml, *message, *code;
} refusals[] = {
	{ "no mapping", "[1]", "t:1: not a mapping with networks: at its top", "invalid" },
	{ "another top", "nets: {}", "t:1: nets: unknown field; the one at the top is networks", "invalid" },
	{ "networks a list", "networks: [lab]", "t:1: networks: is not a mapping", "invalid" },
	{ "network a number", "networks:\n  lab: 5", "t:2: network lab: is not a mapping", "invalid" },
	{ "name", "networks:\n  Lab_1: {}", "t:2: network Lab_1: not a name: use a-z, 0-9 and - inside, at most 63 letters",
	  "invalid" },
	{ "unknown field", "networks:\n  lab:\n    colour: red", "t:3: network lab: colour: unknown field", "invalid" },
	{ "did you mean", "networks:\n  lab:\n    sbunet: 10.0.0.0/24",
	  "t:3: network lab: sbunet: unknown field; did you mean subnet?", "invalid" },
	{ "mode", "networks:\n  lab:\n    mode: magic",
	  "t:3: network lab: mode: magic is none of nat-network, internal, nat, host-only, bridged, routed", "invalid" },
	{ "bridged: by what?", "networks:\n  lab: {mode: bridged}",
	  "t:2: network lab: uplink: is missing: which interface of this host leads to the LAN?", "invalid" },
	{ "bridged: to another network of ours", "networks:\n  lab: {mode: bridged, uplink: ly-dmz}",
	  "t:2: network lab: uplink: ly-dmz is an interface of lanyard's own", "invalid" },
	{ "bridged: with a subnet", "networks:\n  lab: {mode: bridged, uplink: eth0, subnet: 10.0.0.0/24}",
	  "t:2: network lab: subnet: a bridged network has the addresses of the LAN that it is part of", "invalid" },
	{ "bridged: the host decides", "networks:\n  lab: {mode: bridged, uplink: eth0, host_access: own}",
	  "t:2: network lab: host_access: the host is a member of this network: its own firewall decides", "invalid" },
	{ "routed without a subnet", "networks:\n  lab: {mode: routed}",
	  "t:2: network lab: subnet: is missing: a routed network has addresses that others know the way to", "invalid" },
	{ "forwards of host-only", "networks:\n  lab: {mode: isolated, forwards: {web: {listen: 8080, to: web1}}}",
	  "t:2: network lab: forwards: mode host-only has no forwards: nothing outside reaches a guest", "invalid" },
	{ "forwards of routed", "networks:\n  lab: {mode: routed, subnet: 10.1.0.0/24, forwards: {web: {listen: 8080, to: web1}}}",
	  "t:2: network lab: forwards: mode routed has no forwards: guests are reached at their own addresses", "invalid" },
	{ "uplink of host-only", "networks:\n  lab: {mode: host-only, uplink: eth0}",
	  "t:2: network lab: uplink: is not a setting of a host-only network", "invalid" },
	{ "resolvers of host-only", "networks:\n  lab: {mode: host-only, dns: {upstreams: [192.0.2.1]}}",
	  "t:2: network lab: dns: upstreams: is not a setting of a host-only network: it answers local names only", "invalid" },
	{ "nat of routed", "networks:\n  lab: {mode: routed, subnet: 10.1.0.0/24, nat: user}",
	  "t:2: network lab: nat: is not a setting of a routed network", "invalid" },
	{ "host access of host-only", "networks:\n  lab: {mode: host-only, host_access: own}",
	  "t:2: network lab: host_access: the host is a member of this network: its own firewall decides", "invalid" },
	{ "a port of kind host", "networks:\n  lab: {mode: host-only, ports: {web1: {kind: host}}}",
	  "t:2: network lab: port web1: kind: host is none of vhost-user, stream, dgram, udp, tap, vmm-tap, netns, attached", "invalid" },
	{ "the host's port by name", "networks:\n  lab: {mode: host-only, ports: {'@host': {kind: tap, ifname: a}}}",
	  "t:2: network lab: port @host: not a name: use a-z, 0-9 and - inside, at most 63 letters", "invalid" },
	{ "the host's interface as another's", "networks:\n  lab: {mode: host-only}\n  two: {mode: internal, ports: {a: {kind: tap, ifname: ly-lab}}}",
	  "t:3: network two: port a: ly-lab is used by port lab/@host already", "busy" },
	{ "kernel NAT in mode nat", "networks:\n  lab: {mode: nat, nat: kernel}",
	  "t:2: network lab: nat: kernel is for mode nat-network: in mode nat every guest has the same address", "invalid" },
	{ "the interface of kernel NAT as another's", "networks:\n  lab: {nat: kernel}\n  two: {mode: internal, ports: {a: {kind: tap, ifname: ly-lab}}}",
	  "t:3: network two: port a: ly-lab is used by port lab/@host already", "busy" },
	{ "nat of an internal network", "networks:\n  lab: {mode: internal, nat: user}",
	  "t:2: network lab: nat: is not a setting of an internal network", "invalid" },
	{ "no value", "networks:\n  lab:\n    subnet:\n", "t:3: network lab: subnet: has no value", "invalid" },
	{ "subnet as number", "networks:\n  lab: {subnet: 10}",
	  "t:2: network lab: subnet: is not a subnet like 10.77.0.0/24 (write it as text, in quotes)", "invalid" },
	{ "host bits", "networks:\n  lab: {subnet: 10.77.0.1/24}",
	  "t:2: network lab: subnet: 10.77.0.1/24 is not a subnet like 10.77.0.0/24 (host bits zero)", "invalid" },
	{ "small subnet", "networks:\n  lab: {subnet: 10.77.0.0/30}", "t:2: network lab: subnet: /30 is not in /8../29", "invalid" },
	{ "loopback subnet", "networks:\n  lab: {subnet: 127.1.0.0/16}",
	  "t:2: network lab: subnet: 127.1.0.0/16 lies in 127.0.0.0/8, which no network can have", "invalid" },
	{ "link-local subnet", "networks:\n  lab: {subnet: 169.254.169.0/24}",
	  "t:2: network lab: subnet: 169.254.169.0/24 lies in 169.254.0.0/16, which no network can have", "invalid" },
	{ "multicast subnet", "networks:\n  lab: {subnet: 239.0.0.0/24}",
	  "t:2: network lab: subnet: 239.0.0.0/24 lies in 224.0.0.0/3, which no network can have", "invalid" },
	{ "gateway outside", "networks:\n  lab: {subnet: 10.77.0.0/24, gateway: 10.78.0.1}",
	  "t:2: network lab: gateway: is not an address of the subnet", "invalid" },
	{ "gateway is broadcast", "networks:\n  lab: {subnet: 10.77.0.0/24, gateway: 10.77.0.255}",
	  "t:2: network lab: gateway: is not an address of the subnet", "invalid" },
	{ "an IPv6 subnet that is none", "networks:\n  lab: {subnet6: 'fd00::1/64'}",
	  "t:2: network lab: subnet6: fd00::1/64 is not none, or an IPv6 subnet like fd00:1:2:3::/64 (host bits zero)", "invalid" },
	{ "IPv4 in its place", "networks:\n  lab: {subnet6: 10.0.0.0/24}",
	  "t:2: network lab: subnet6: 10.0.0.0/24 is not none, or an IPv6 subnet like fd00:1:2:3::/64 (host bits zero)", "invalid" },
	{ "a wide one", "networks:\n  lab: {subnet6: 'fd00::/48'}", "t:2: network lab: subnet6: /48 is not /64", "invalid" },
	{ "a link-local one", "networks:\n  lab: {subnet6: 'fe80::/64'}",
	  "t:2: network lab: subnet6: fe80::/64 is neither in 2000::/3 nor in fc00::/7", "invalid" },
	{ "too small an MTU for it", "networks:\n  lab: {subnet6: 'fd00::/64', mtu: 1279}",
	  "t:2: network lab: subnet6: IPv6 needs an mtu of 1280", "invalid" },
	{ "an IPv6 subnet alone", "networks:\n  lab: {mode: internal, subnet6: 'fd00::/64'}",
	  "t:2: network lab: subnet6: the network has no subnet to go with it", "invalid" },
	{ "gateway without subnet", "networks:\n  lab: {mode: internal, gateway: 10.77.0.1}",
	  "t:2: network lab: gateway: the network has no subnet", "invalid" },
	{ "MTU", "networks:\n  lab:\n    mtu: 68", "t:3: network lab: mtu: 68 is not in 576..65520", "invalid" },
	{ "MTU as text", "networks:\n  lab:\n    mtu: '1500'", "t:3: network lab: mtu: is not a whole number", "invalid" },
	{ "domain", "networks:\n  lab: {domain: .lab}", "t:2: network lab: domain: .lab is not a domain like lab.internal", "invalid" },
	{ "uplink that is no interface's name", "networks:\n  lab: {uplink: a/b}",
	  "t:2: network lab: uplink: a/b is not an interface name", "invalid" },
	{ "uplink with a long name", "networks:\n  lab: {uplink: abcdefghijklmnop}",
	  "t:2: network lab: uplink: is longer than 15 bytes", "invalid" },
	{ "no such helper", "networks:\n  lab: {nat: kernel, nat_helpers: [ftp, irc]}", "t:2: network lab: nat_helpers: irc is not ftp, tftp or sip", "invalid" },
	{ "a helper that is no word", "networks:\n  lab: {nat: kernel, nat_helpers: [21]}",
	  "t:2: network lab: nat_helpers: is not ftp, tftp or sip (write it as text, in quotes)", "invalid" },
	{ "helpers of user-mode NAT", "networks:\n  lab: {nat_helpers: [ftp]}", "t:2: network lab: nat_helpers: are the kernel's: with nat: kernel", "invalid" },
	{ "uplink of internal", "networks:\n  lab: {mode: internal, uplink: wg0}",
	  "t:2: network lab: uplink: is not a setting of an internal network", "invalid" },
	{ "host access of internal", "networks:\n  lab: {mode: internal, host_access: own}",
	  "t:2: network lab: host_access: an internal network has no way to the host", "invalid" },
	{ "pool", "networks:\n  lab:\n    dhcp:\n      pool: x", "t:4: network lab: dhcp: pool: x is not a range like 10.77.0.100-10.77.0.199",
	  "invalid" },
	{ "pool outside", "networks:\n  lab:\n    subnet: 10.77.0.0/24\n    dhcp: {pool: 10.77.0.9-10.77.1.9}",
	  "t:4: network lab: dhcp: pool: is not inside the subnet", "invalid" },
	{ "pool over gateway", "networks:\n  lab:\n    subnet: 10.77.0.0/24\n    dhcp: {pool: 10.77.0.1-10.77.0.9}",
	  "t:4: network lab: dhcp: pool: holds the gateway's address", "invalid" },
	{ "lease too short", "networks:\n  lab:\n    dhcp: {lease: 1s}", "t:3: network lab: dhcp: lease: 1s is shorter than 5s", "invalid" },
	{ "lease without unit", "networks:\n  lab:\n    dhcp: {lease: '60'}",
	  "t:3: network lab: dhcp: lease: 60 is not a duration like 90s, 10m, 1h, 7d or infinite", "invalid" },
	{ "dhcp a word", "networks:\n  lab:\n    dhcp: on", "t:3: network lab: dhcp: is not a mapping", "invalid" },
	{ "dhcp enabled as text", "networks:\n  lab:\n    dhcp: {enabled: yes}",
	  "t:3: network lab: dhcp: enabled: is neither true nor false", "invalid" },
	{ "dhcp without subnet", "networks:\n  lab:\n    mode: internal\n    dhcp: {enabled: true}",
	  "t:4: network lab: dhcp: enabled: the network has no subnet to give addresses of", "invalid" },
	{ "upstream", "networks:\n  lab:\n    dns: {upstreams: [x]}",
	  "t:3: network lab: dns: upstreams: x is not an address like 192.0.2.53 or [2001:db8::53]:53", "invalid" },
	{ "a domain that is none", "networks:\n  lab:\n    dns: {rebind_allow: [corp.example, a..b]}",
	  "t:3: network lab: dns: rebind_allow: a..b is not a domain like corp.example", "invalid" },
	{ "no queries at all", "networks:\n  lab:\n    dns: {queries: 0}", "t:3: network lab: dns: queries: 0 is not in 1..256", "invalid" },
	{ "upstreams of internal", "networks:\n  lab:\n    mode: internal\n    subnet: 10.1.0.0/24\n    dns: {upstreams: [10.0.0.1]}",
	  "t:5: network lab: dns: upstreams: is not a setting of an internal network: it answers local names only", "invalid" },

	{ "port without kind", "networks:\n  lab:\n    ports:\n      vm1: {}",
	  "t:4: network lab: port vm1: kind: is missing: vhost-user, stream, dgram, udp, tap, vmm-tap, netns or attached", "invalid" },
	{ "port is no mapping", "networks:\n  lab:\n    ports:\n      vm1: stream", "t:4: network lab: port vm1: is not a mapping", "invalid" },
	{ "port kind", "networks:\n  lab:\n    ports:\n      vm1: {kind: usb}",
	  "t:4: network lab: port vm1: kind: usb is none of vhost-user, stream, dgram, udp, tap, vmm-tap, netns, attached", "invalid" },
	{ "port name of the gateway", "networks:\n  lab:\n    ports:\n      host: {kind: stream}",
	  "t:4: network lab: port host: this name belongs to the gateway; choose another", "invalid" },
	{ "VLAN", "networks:\n  lab:\n    ports:\n      web1:\n        kind: stream\n        vlan: 5000",
	  "t:6: network lab: port web1: vlan: 5000 is not in 1..4094", "invalid" },
	{ "VLAN and trunk", "networks:\n  lab:\n    ports:\n      web1: {kind: stream, vlan: 1, trunk: '2'}",
	  "t:4: network lab: port web1: vlan: a port has vlan (access) or trunk, not both", "invalid" },
	{ "native without trunk", "networks:\n  lab:\n    ports:\n      web1: {kind: stream, native: 1}",
	  "t:4: network lab: port web1: native: is a setting of a trunk; give trunk, too", "invalid" },
	{ "trunk", "networks:\n  lab:\n    ports:\n      web1: {kind: stream, trunk: 1-4095}",
	  "t:4: network lab: port web1: trunk: 1-4095 is not a list of VLANs in 1..4094 like 10,20-29", "invalid" },
	{ "multicast MAC", "networks:\n  lab:\n    ports:\n      web1: {kind: stream, mac: '01:00:5e:00:00:01'}",
	  "t:4: network lab: port web1: mac: 01:00:5e:00:00:01 is not the address of one station", "invalid" },
	{ "path of a tap", "networks:\n  lab:\n    ports:\n      web1: {kind: tap, ifname: t0, path: /x}",
	  "t:4: network lab: port web1: path: is not a setting of a tap port", "invalid" },
	{ "relative path", "networks:\n  lab:\n    ports:\n      web1: {kind: stream, path: x.sock}",
	  "t:4: network lab: port web1: path: x.sock is not an absolute path, or ADDRESS:PORT", "invalid" },
	{ "client without path", "networks:\n  lab:\n    ports:\n      web1: {kind: stream, role: client}",
	  "t:4: network lab: port web1: path: is missing: where shall a client connect to?", "invalid" },
	{ "vhost-user on TCP", "networks:\n  lab:\n    ports:\n      web1: {kind: vhost-user, path: '127.0.0.1:9'}",
	  "t:4: network lab: port web1: path: is not absolute: descriptors pass through a unix socket", "invalid" },
	{ "vhost-user client without path", "networks:\n  lab:\n    ports:\n      web1: {kind: vhost-user, role: client}",
	  "t:4: network lab: port web1: path: is missing: where shall a client connect to?", "invalid" },
	{ "dgram without ends", "networks:\n  lab:\n    ports:\n      web1: {kind: dgram}",
	  "t:4: network lab: port web1: local: is missing: the path of our socket", "invalid" },
	{ "dgram without peer", "networks:\n  lab:\n    ports:\n      web1: {kind: dgram, local: /a}",
	  "t:4: network lab: port web1: remote: is missing: the path of the peer's socket", "invalid" },
	{ "dgram to an address", "networks:\n  lab:\n    ports:\n      web1: {kind: dgram, local: /a, remote: '10.0.0.1:9'}",
	  "t:4: network lab: port web1: remote: is not an absolute path", "invalid" },
	{ "dgram to itself", "networks:\n  lab:\n    ports:\n      web1: {kind: dgram, local: /a, remote: /a}",
	  "t:4: network lab: port web1: remote: is our own end; give the peer's", "invalid" },
	{ "dgram with a relative path", "networks:\n  lab:\n    ports:\n      web1: {kind: dgram, local: a, remote: /a}",
	  "t:4: network lab: port web1: local: a is not an absolute path, or ADDRESS:PORT", "invalid" },
	{ "udp without peer", "networks:\n  lab:\n    ports:\n      web1: {kind: udp, local: '127.0.0.1:9'}",
	  "t:4: network lab: port web1: remote: is missing: ADDRESS:PORT of the peer", "invalid" },
	{ "udp without port", "networks:\n  lab:\n    ports:\n      web1: {kind: udp, local: 127.0.0.1, remote: '127.0.0.1:9'}",
	  "t:4: network lab: port web1: local: 127.0.0.1 is not an absolute path, or ADDRESS:PORT", "invalid" },
	{ "udp at a path", "networks:\n  lab:\n    ports:\n      web1: {kind: udp, local: /a, remote: '127.0.0.1:9'}",
	  "t:4: network lab: port web1: local: is not ADDRESS:PORT", "invalid" },
	{ "udp to a group", "networks:\n  lab:\n    ports:\n      web1: {kind: udp, local: '0.0.0.0:9', remote: '230.0.0.1:9'}",
	  "t:4: network lab: port web1: remote: 230.0.0.1:9 is not the address of one host", "invalid" },
	{ "udp to anybody", "networks:\n  lab:\n    ports:\n      web1: {kind: udp, local: '127.0.0.1:9', remote: '0.0.0.0:9'}",
	  "t:4: network lab: port web1: remote: 0.0.0.0:9 is not the address of one host", "invalid" },
	{ "udp between families", "networks:\n  lab:\n    ports:\n      web1: {kind: udp, local: '[::1]:9', remote: '127.0.0.1:9'}",
	  "t:4: network lab: port web1: remote: is of another address family than local", "invalid" },
	{ "path of a udp port", "networks:\n  lab:\n    ports:\n      web1: {kind: udp, path: /a}",
	  "t:4: network lab: port web1: path: is not a setting of a udp port", "invalid" },
	{ "vmm-tap without interface", "networks:\n  lab:\n    ports:\n      web1: {kind: vmm-tap}",
	  "t:4: network lab: port web1: ifname: is missing: which interface?", "invalid" },
	{ "remote of a vmm-tap port", "networks:\n  lab:\n    ports:\n      web1: {kind: vmm-tap, ifname: t0, remote: /a}",
	  "t:4: network lab: port web1: remote: is not a setting of a vmm-tap port", "invalid" },
	{ "too many queue pairs", "networks:\n  lab:\n    ports:\n      web1: {kind: vhost-user, queues: 17}",
	  "t:4: network lab: port web1: queues: 17 is not in 1..16", "invalid" },
	{ "queues of a stream", "networks:\n  lab:\n    ports:\n      web1: {kind: stream, queues: 2}",
	  "t:4: network lab: port web1: queues: is not a setting of a stream port", "invalid" },
	{ "interface of a vhost-user port", "networks:\n  lab:\n    ports:\n      web1: {kind: vhost-user, ifname: eth0}",
	  "t:4: network lab: port web1: ifname: is not a setting of a vhost-user port", "invalid" },
	{ "tap without interface", "networks:\n  lab:\n    ports:\n      web1: {kind: tap}",
	  "t:4: network lab: port web1: ifname: is missing: which interface?", "invalid" },
	{ "interface name", "networks:\n  lab:\n    ports:\n      web1: {kind: tap, ifname: a/b}",
	  "t:4: network lab: port web1: ifname: a/b is not an interface name", "invalid" },
	{ "long interface name", "networks:\n  lab:\n    ports:\n      web1: {kind: tap, ifname: a234567890123456}",
	  "t:4: network lab: port web1: ifname: is longer than 15 bytes", "invalid" },
	{ "netns without namespace", "networks:\n  lab:\n    ports:\n      web1: {kind: netns}",
	  "t:4: network lab: port web1: netns: is missing: which namespace?", "invalid" },
	{ "namespace that climbs", "networks:\n  lab:\n    ports:\n      web1: {kind: netns, netns: ../x}",
	  "t:4: network lab: port web1: netns: ../x is not a namespace: a name, a process id or an absolute path", "invalid" },
	{ "transient in a file", "networks:\n  lab:\n    ports:\n      web1: {kind: attached, transient: true}",
	  "t:4: network lab: port web1: transient: is for ports made by attaching, not a setting", "invalid" },
	{ "escape in a word", "networks:\n  lab:\n    ports:\n      web1: {kind: \"\\e[31m\"}",
	  "t:4: network lab: port web1: kind: \\x1b[31m is none of vhost-user, stream, dgram, udp, tap, vmm-tap, netns, attached", "invalid" },

	{ "forward in an internal network", "networks:\n  lab:\n    mode: internal\n    forwards:\n      web: {listen: 1, to: a:1}",
	  "t:4: network lab: forwards: mode internal has no forwards: nothing outside reaches a guest", "invalid" },
	{ "forward without target", "networks:\n  lab:\n    forwards:\n      web: {listen: 8080}",
	  "t:4: network lab: forward web: to: is missing: which guest and port?", "invalid" },
	{ "forward without listen", "networks:\n  lab:\n    forwards:\n      web: {to: a:1}",
	  "t:4: network lab: forward web: listen: is missing: which port of the host?", "invalid" },
	{ "listen", "networks:\n  lab:\n    forwards:\n      web: {listen: x, to: a:1}",
	  "t:4: network lab: forward web: listen: x is not a port like 8080 or an address with one like 127.0.0.1:8080", "invalid" },
	{ "listen on an address alone", "networks:\n  lab:\n    forwards:\n      web: {listen: 127.0.0.1, to: a:1}",
	  "t:4: network lab: forward web: listen: 127.0.0.1 is not a port like 8080 or an address with one like 127.0.0.1:8080",
	  "invalid" },
	{ "listen out of range", "networks:\n  lab:\n    forwards:\n      web: {listen: 70000, to: a:1}",
	  "t:4: network lab: forward web: listen: 70000 is not in 1..65535", "invalid" },
	{ "listen on two ports", "networks:\n  lab:\n    forwards:\n      web: {listen: [80, 81], to: a:1}",
	  "t:4: network lab: forward web: listen: a forward has one port, or one range of ports, not 80 and 81", "invalid" },
	{ "listen on two ranges", "networks:\n  lab:\n    forwards:\n      web: {listen: ['127.0.0.1:80-89', '[::1]:80-88'], to: a:1}",
	  "t:4: network lab: forward web: listen: a forward has one port, or one range of ports, not 80-89 and 80-88", "invalid" },
	{ "range backwards", "networks:\n  lab:\n    forwards:\n      web: {listen: 89-80, to: a:1}",
	  "t:4: network lab: forward web: listen: 89-80 is not a port like 8080 or an address with one like 127.0.0.1:8080", "invalid" },
	{ "IPv6 range without brackets", "networks:\n  lab:\n    forwards:\n      web: {listen: '::1:80-89', to: a:1}",
	  "t:4: network lab: forward web: listen: ::1:80-89 is not a port like 8080 or an address with one like 127.0.0.1:8080", "invalid" },
	{ "range of another size", "networks:\n  lab:\n    forwards:\n      web: {listen: 80-89, to: 'a:80-88'}",
	  "t:4: network lab: forward web: to: 80-88 are 9 ports, but 80-89 are 10", "invalid" },
	{ "range to beyond the last port", "networks:\n  lab:\n    forwards:\n      web: {listen: 80-89, to: 'a:65530'}",
	  "t:4: network lab: forward web: to: 10 ports from 65530 on end above 65535", "invalid" },
	{ "count beyond the last port", "networks:\n  lab:\n    forwards:\n      web: {port: 65530, count: 7, to: a}",
	  "t:4: network lab: forward web: count: 7 ports from 65530 on end above 65535", "invalid" },
	{ "count without a port", "networks:\n  lab:\n    forwards:\n      web: {listen: 80, count: 7, to: a}",
	  "t:4: network lab: forward web: count: stands beside port; listen says it as 8000-8099", "invalid" },
	{ "name that means a range", "networks:\n  lab:\n    forwards:\n      80-89: {listen: 81, to: a:80}",
	  "t:4: network lab: forward 80-89: neither a name (a-z, 0-9, -; not a mere port) nor PORT/PROTO", "invalid" },
	{ "source", "networks:\n  lab:\n    forwards:\n      web: {listen: 81, to: a:80, source: me}",
	  "t:4: network lab: forward web: source: me is none of client, gateway", "invalid" },
	{ "listen on nothing", "networks:\n  lab:\n    forwards:\n      web: {listen: [], to: a:1}",
	  "t:4: network lab: forward web: listen: is an empty list", "invalid" },
	{ "target", "networks:\n  lab:\n    forwards:\n      web: {listen: 80, to: 'A_B:80'}",
	  "t:4: network lab: forward web: to: A_B:80 is not a guest and a port like vm1:80", "invalid" },
	{ "target outside", "networks:\n  lab:\n    subnet: 10.77.0.0/24\n    forwards:\n      web: {listen: 80, to: '10.1.0.1:80'}",
	  "t:5: network lab: forward web: to: 10.1.0.1 is no guest's address in this network", "invalid" },
	{ "target is the gateway", "networks:\n  lab:\n    subnet: 10.77.0.0/24\n    forwards:\n      web: {listen: 80, to: '10.77.0.1:80'}",
	  "t:5: network lab: forward web: to: 10.77.0.1 is no guest's address in this network", "invalid" },
	{ "id differs", "networks:\n  lab:\n    forwards:\n      80/udp: {listen: 80, to: a:80}",
	  "t:4: network lab: forward 80/udp: its port and protocol are 80/tcp", "invalid" },
	{ "name that means a port", "networks:\n  lab:\n    forwards:\n      80-tcp: {listen: 81, to: a:80}",
	  "t:4: network lab: forward 80-tcp: neither a name (a-z, 0-9, -; not a mere port) nor PORT/PROTO", "invalid" },

	{ "reservation", "networks:\n  lab:\n    subnet: 10.77.0.0/24\n    reservations:\n      a: x",
	  "t:5: network lab: reservation a: x is not an IPv4 address", "invalid" },
	{ "reservation outside", "networks:\n  lab:\n    subnet: 10.77.0.0/24\n    reservations:\n      a: 10.1.0.1",
	  "t:5: network lab: reservation a: 10.1.0.1 is no guest's address in this network", "invalid" },
	{ "reservation twice", "networks:\n  lab:\n    subnet: 10.77.0.0/24\n    reservations:\n      a: 10.77.0.9\n      b: 10.77.0.9",
	  "t:6: network lab: reservation b: 10.77.0.9 is used by reservation a already", "invalid" },
	{ "record value", "networks:\n  lab:\n    records:\n      - {name: a, value: 1.2.3}",
	  "t:4: network lab: record a: value: 1.2.3 is not what A holds", "invalid" },
	{ "record type", "networks:\n  lab:\n    records:\n      - {name: a, type: NS, value: b}",
	  "t:4: network lab: record a: type: NS is none of A, AAAA, CNAME, PTR, MX, TXT, SRV", "invalid" },
	{ "record name", "networks:\n  lab:\n    records:\n      - {name: a..b, value: 1.2.3.4}",
	  "t:4: network lab: record a..b: name: a..b is not a domain name", "invalid" },
	{ "a star within", "networks:\n  lab:\n    records:\n      - {name: a.*.b, value: 1.2.3.4}",
	  "t:4: network lab: record a.*.b: name: a.*.b is not a domain name", "invalid" },
	{ "an alias with dots", "networks:\n  lab:\n    ports:\n      a: {kind: attached, aliases: [db, x.y]}",
	  "t:4: network lab: port a: aliases: x.y is not a name without dots", "invalid" },
	{ "an alias that is a port", "networks:\n  lab:\n    ports: {a: {kind: attached, aliases: b}, b: {kind: attached}}", "t:2: network lab: port a: aliases: b is a port's own name", "invalid" },
	{ "an alias that is a record", "networks:\n  lab:\n    ports: {a: {kind: attached, aliases: DB}}\n    records: [{name: db, value: 1.2.3.4}]",
	  "t:2: network lab: port a: aliases: db is a record's name", "invalid" },
	{ "the gateway's alias", "networks:\n  lab:\n    ports: {a: {kind: attached, aliases: host}}", "t:2: network lab: port a: aliases: host is the gateway's name", "invalid" },
	{ "one alias of two", "networks:\n  lab:\n    ports: {a: {kind: attached, aliases: [x, db]}, b: {kind: attached, aliases: [db, dba]}}",
	  "t:2: network lab: port b: aliases: db is one of port a, too", "invalid" },
	{ "record without value", "networks:\n  lab:\n    records:\n      - {name: a}",
	  "t:4: network lab: record a: value: is missing", "invalid" },
	{ "records a mapping", "networks:\n  lab:\n    records: {a: 1.2.3.4}", "t:3: network lab: records: is not a list", "invalid" },
	{ "record twice", "networks:\n  lab:\n    records: [{name: a, value: 1.2.3.4}, {name: A.lab.internal, value: 1.2.3.5}]",
	  "t:2: network lab: record a: A is there twice", "invalid" },
	{ "CNAME beside others", "networks:\n  lab:\n    records: [{name: a, value: 1.2.3.4}, {name: a, type: CNAME, value: b}]",
	  "t:2: network lab: record a: a CNAME stands alone", "invalid" },

	{ "overlapping subnets", "networks:\n  a: {subnet: 10.0.0.0/8}\n  lab: {subnet: 10.77.0.0/24}",
	  "t:3: network lab: subnet: 10.77.0.0/24 overlaps that of network a, 10.0.0.0/8", "invalid" },
	{ "overlap with another's", "networks:\n  a: {subnet: 10.0.0.0/8, owner: 7}\n  lab: {subnet: 10.77.0.0/24}",
	  "t:3: network lab: subnet: 10.77.0.0/24 overlaps that of another network", "invalid" },
	{ "one IPv6 subnet twice", "networks:\n  a: {subnet6: 'fd00:1::/64'}\n  lab: {subnet6: 'fd00:1::/64'}",
	  "t:3: network lab: subnet6: fd00:1::/64 is that of network a", "invalid" },
	{ "MAC twice", "networks:\n  lab:\n    ports:\n      a: {kind: stream, mac: '02:00:00:00:00:01'}\n"
	  "      b: {kind: stream, mac: '02:00:00:00:00:01'}",
	  "t:5: network lab: port b: mac: 02:00:00:00:00:01 is used by port a already", "invalid" },
	{ "path twice, dgram and stream", "networks:\n  a:\n    ports:\n      x: {kind: stream, path: /s}\n  lab:\n    ports:\n      y: {kind: dgram, local: /s, remote: /t}",
	  "t:7: network lab: port y: /s is used by port a/x already", "busy" },
	{ "udp address twice", "networks:\n  a:\n    ports:\n      x: {kind: udp, local: '127.0.0.1:9', remote: '127.0.0.1:8'}\n  lab:\n    ports:\n      y: {kind: udp, local: '127.0.0.1:9', remote: '127.0.0.1:7'}",
	  "t:7: network lab: port y: 127.0.0.1:9 is used by port a/x already", "busy" },
	{ "interface twice, tap and vmm-tap", "networks:\n  lab:\n    ports:\n      x: {kind: tap, ifname: t0}\n      y: {kind: vmm-tap, ifname: t0}",
	  "t:5: network lab: port y: t0 is used by port x already", "busy" },
	{ "path twice, by two kinds", "networks:\n  a:\n    ports:\n      x: {kind: stream, path: /s}\n  lab:\n    ports:\n      y: {kind: vhost-user, path: /s}",
	  "t:7: network lab: port y: /s is used by port a/x already", "busy" },
	{ "path twice", "networks:\n  a:\n    ports:\n      x: {kind: stream, path: /s}\n  lab:\n    ports:\n      y: {kind: stream, path: /s}",
	  "t:7: network lab: port y: /s is used by port a/x already", "busy" },
	{ "listen twice", "networks:\n  lab:\n    forwards:\n      a: {listen: 80, to: x:80}\n      b: {listen: '[::1]:80', to: y:80}",
	  "t:5: network lab: forward b: listen: tcp 80 at ::1 is used by forward a already", "port-in-use" },
	{ "listen twice in ranges", "networks:\n  lab:\n    forwards:\n      a: {listen: 80-99, to: x}\n      b: {listen: '[::1]:99', to: y}",
	  "t:5: network lab: forward b: listen: tcp 99 at ::1 is used by forward a already", "port-in-use" },
	{ "listen twice in a wildcard's range", "networks:\n  lab:\n    forwards:\n      a: {listen: '0.0.0.0:80-99', to: x}\n"
	  "      b: {listen: '0.0.0.0:10-20', to: x}\n      c: {listen: '127.0.0.1:1-80', to: y}",
	  "t:6: network lab: forward c: listen: tcp 10 at 127.0.0.1 is used by forward b already", "port-in-use" },
	{ "listen twice by wildcard", "networks:\n  lab:\n    forwards:\n      a: {listen: 80, to: x:80}\n      b: {listen: '0.0.0.0:80', to: y:80}",
	  "t:5: network lab: forward b: listen: tcp 80 at 127.0.0.1 is used by forward a already", "port-in-use" },
};

static void test_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		struct error err = { 0 };

		print_message("  %s\n", refusals[i].what);
		assert_null(model_of_text(refusals[i].yaml, NULL, &err));
		assert_string_equal(err.message, refusals[i].message);
		assert_string_equal(err.code, refusals[i].code);
	}
}

static void test_defaults(void **state)
{
	struct model *model = model_of("networks:\n  lab:\n    subnet: 10.77.0.0/24\n    ports: {vm1: {kind: stream}}\n");
	const struct net_conf *net = model_net(model, "lab");
	const struct port_conf *port = net_port(net, "vm1");
	char prefix[PREFIX6_TEXT];
	uint8_t mac[MAC_SIZE];

	(void)state;
	assert_int_equal(net->mode, NET_NAT_NETWORK);
	assert_true(net->has_nat && net->has_subnet && net->dhcp_enabled && net->dns_enabled);
	assert_int_equal(net->gateway, 0x0a4d0001);
	assert_int_equal(net->subnet6.len, 64);
	assert_string_equal(prefix6_format(net->subnet6, prefix), "fd92:9e75:4667:d087::/64");	/* the name's, for ever */
	assert_true(addr_in(net->subnet6, net->gateway6) && net->gateway6.bytes[15] == 1);
	assert_int_equal(net->pool.of[0].first, 0x0a4d0002);
	assert_int_equal(net->pool.of[0].last, 0x0a4d00fe);
	assert_int_equal(net->lease_s, 3600);
	assert_int_equal(net->mtu, 1500);
	assert_int_equal(net->host_access, HOST_ACCESS_OWN);
	assert_string_equal(net->domain, "lab.internal");
	assert_int_equal(net->nupstreams, 0);
	mac_from_names("lab", "vm1", mac);
	assert_memory_equal(port->mac, mac, MAC_SIZE);
	assert_true(port->link_up);
	assert_int_equal(port->vlan_mode, PORT_VLAN_ACCESS);
	assert_int_equal(port->pvid, 1);
	assert_int_equal(port->role, PORT_ROLE_SERVER);
	assert_null(model_net(model, "x"));
	assert_null(net_port(NULL, "vm1"));
	model_free(model);
	model_free(NULL);
}

static void test_internal(void **state)
{
	struct model *model = model_of("networks:\n  a: {mode: intnet}\n  b: {mode: internal, subnet: 10.1.0.0/16}\n");
	const struct net_conf *a = model_net(model, "a"), *b = model_net(model, "b");

	(void)state;
	assert_false(a->has_subnet || a->has_nat || a->dhcp_enabled || a->dns_enabled);
	assert_int_equal(a->host_access, HOST_ACCESS_NONE);
	assert_true(b->has_subnet && b->dhcp_enabled && b->dns_enabled && !b->has_nat);
	model_free(model);
}

static bool is_not_first(void *arg, struct prefix4 p)
{
	(void)arg;
	return p.addr != 0xc0a83800;	/* 192.168.56.0 is the host's */
}

/* test_host() - the host's end: in the model, and in no file */
static void test_host(void **state)
{
	const struct model_env env = { .transient = true, .subnet_free = is_not_first };
	struct error err = { 0 };
	struct model *model = model_of_text("networks:\n  a: {mode: hostonly}\n  b: {mode: isolated, ports: {'0': {kind: tap, ifname: t}}}\n"
				       "  r: {mode: route, subnet: 10.1.0.0/24, uplink: eth0}\n"
				       "  a-rather-long-name: {mode: host-only, subnet: 10.2.0.0/27}\n", &env, &err);
	const struct net_conf *a = model_net(model, "a"), *b = model_net(model, "b"), *r = model_net(model, "r");
	const struct net_conf *l = model_net(model, "a-rather-long-name");
	json_t *tree = model_export(model, MODEL_TRANSIENT | MODEL_OWNER);
	struct model *again;
	char text[PREFIX4_TEXT];

	(void)state;
	assert_string_equal(prefix4_format(a->subnet, text), "192.168.57.0/24");
	assert_string_equal(prefix4_format(b->subnet, text), "192.168.58.0/24");
	assert_int_equal(a->gateway, 0xc0a83901);
	assert_int_equal(a->pool.of[0].first, 0xc0a83901 + 100);
	assert_int_equal(a->pool.of[0].last, 0xc0a839fe);
	assert_true(a->has_host && !a->has_nat && !a->has_router && a->dhcp_enabled && a->dns_enabled);
	assert_true(r->has_host && r->has_router && !r->has_nat);
	assert_int_equal(l->pool.of[0].first, l->gateway + 1);	/* too small to leave a hundred out */
	assert_int_equal(b->nports, 2);
	assert_string_equal(b->ports[0].name, "0");
	assert_string_equal(net_port(b, HOST_PORT)->ifname, "ly-b");
	assert_int_equal(net_port(b, HOST_PORT)->kind, PORT_KIND_HOST);
	assert_int_equal(strlen(net_port(l, HOST_PORT)->ifname), IFNAME_TEXT - 1);
	assert_memory_equal(net_port(l, HOST_PORT)->ifname, "ly-a-rathe", 10);
	assert_null(json_object_get(json_object_get(json_object_get(json_object_get(tree, "networks"), "b"), "ports"), HOST_PORT));
	assert_int_equal(model_parse(tree, NULL, &env, &again, &err), 0);
	assert_int_equal(model_net(again, "b")->nports, 2);
	json_decref(tree);
	model_free(again);
	model_free(model);
}

static void test_forms(void **state)
{
	struct model *model = model_of(
		"networks:\n  lab:\n    subnet: 10.77.0.0/24\n"
		"    dns: {upstreams: [192.0.2.1, '[2001:db8::1]:5353']}\n"
		"    ports:\n      t: {kind: stream, trunk: '10,20-29,21', native: 1, path: '127.0.0.1:5000', role: client, link: down}\n"
		"      n: {kind: netns, netns: '4711'}\n"
		"    forwards:\n      a: {listen: 8080, to: vm1:80}\n"
		"      b: {listen: ['10.0.0.1:81', '[::]:81'], to: vm1, proto: udp}\n"
		"      53/udp: {listen: ['127.0.0.1'], port: 53, proto: udp, to: 10.77.0.9, to_port: 5353}\n"
		"    records:\n      - {name: WWW.lab.internal, type: CNAME, value: Web1.lab.internal}\n"
		"      - {name: '*.Web.lab.internal', value: 10.77.0.4}\n      - {name: '*', type: TXT, value: any}\n"
		"      - {name: 10.77.0.9., type: PTR, value: nine.lab.internal}\n"
		"      - {name: _sip._udp, type: SRV, value: '0 05 5060 sip'}\n"
		"      - {name: a.b.lab.internal., value: 10.0.0.1}\n      - {name: lab.internal, value: 10.0.0.2}\n"
		"      - {name: v6, type: AAAA, value: '2001:DB8:0::1'}\n");
	const struct net_conf *net = model_net(model, "lab");
	const struct forward_conf *f = net_forward(net, "a");
	const struct port_conf *t = net_port(net, "t");
	struct sockaddr_storage address;
	char text[ENDPOINT_TEXT];

	(void)state;
	assert_int_equal(net->nupstreams, 2);
	assert_string_equal(endpoint_format(&net->upstreams[1], text), "[2001:db8::1]:5353");
	assert_true(port_carries(t, 10) && port_carries(t, 25) && !port_carries(t, 11) && !port_carries(t, 30));
	assert_int_equal(t->native, 1);
	assert_false(t->link_up);
	assert_string_equal(net_port(net, "n")->ifname, "eth0");
	assert_int_equal(f->nlisten, 2);
	assert_string_equal(endpoint_format(&f->listen[0], text), "127.0.0.1");
	assert_string_equal(endpoint_format(&f->listen[1], text), "::1");
	assert_int_equal(f->port, 8080);
	assert_string_equal(f->to, "vm1");
	assert_int_equal(f->to_port, 80);
	assert_int_equal(endpoint_sockaddr(&f->listen[1], 8080, &address), sizeof(struct sockaddr_in6));
	assert_int_equal(net_forward(net, "b")->to_port, 81);
	assert_int_equal(net_forward(net, "b")->proto, IPPROTO_UDP);
	f = net_forward(net, "53/udp");
	assert_string_equal(f->name, "");
	assert_int_equal(f->to_ip, 0x0a4d0009);
	assert_int_equal(f->to_port, 5353);
	assert_string_equal(net_record(net, "www", RECORD_CNAME)->value, "web1.lab.internal");
	assert_string_equal(net_record(net, "9.0.77.10.in-addr.arpa", RECORD_PTR)->value, "nine.lab.internal");
	assert_string_equal(net_record(net, "_sip._udp", RECORD_SRV)->value, "0 5 5060 sip");
	assert_non_null(net_record(net, "a.b.lab.internal", RECORD_A));
	assert_non_null(net_record(net, "@", RECORD_A));
	assert_non_null(net_record(net, "*.web", RECORD_A));
	assert_non_null(net_record(net, "*", RECORD_TXT));
	assert_string_equal(net_record(net, "v6", RECORD_AAAA)->value, "2001:db8::1");
	model_free(model);
}

static const char *const files[] = { "configs/nat-network.yaml", "configs/nat.yaml", "configs/internal.yaml", "configs/vlan-trunk.yaml", "configs/segments.yaml", "configs/datagrams.yaml",
				     "configs/host-only.yaml", "configs/routed.yaml", "configs/bridged.yaml" };

/* same_again() - model_of(export(m)) equals m, and so does its YAML */
static void same_again(const struct model *model, unsigned flags)
{
	const struct model_env env = { .transient = true };
	json_t *tree = model_export(model, flags), *again, *other;
	struct model *copy = NULL;
	struct error err = { 0 };
	char *text = yaml_dump(tree);

	assert_non_null(tree);
	again = yaml_parse(text, strlen(text), "export", NULL, &err);
	assert_true(json_equal(tree, again));
	if (model_parse(again, NULL, &env, &copy, &err) < 0)
		print_message("%s\n%s\n", err.message, text);
	assert_non_null(copy);
	other = model_export(copy, flags);
	assert_true(json_equal(tree, other));
	json_decref(other);
	other = changes_list(model, copy);
	assert_int_equal(json_array_size(other), 0);
	json_decref(other);
	model_free(copy);
	json_decref(again);
	json_decref(tree);
	free(text);
}

static void test_export(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct error err = { 0 };
		struct line_map *lines = NULL;
		json_t *tree = yaml_load(files[i], &lines, &err);
		struct model *model = NULL;

		print_message("  %s\n", files[i]);
		if (!tree || model_parse(tree, lines, NULL, &model, &err) < 0)
			print_message("    %s\n", err.message);
		assert_non_null(model);
		same_again(model, 0);
		same_again(model, MODEL_OWNER | MODEL_TRANSIENT);
		same_again(model, MODEL_EFFECTIVE | MODEL_OWNER);
		model_free(model);
		line_map_free(lines);
		json_decref(tree);
	}
}

static void test_canonical(void **state)
{
	struct model *model = model_of(
		"networks:\n  lab:\n    records: [{value: 10.0.0.1, name: B}, {name: a, value: 10.0.0.2}]\n"
		"    ports: {b: {kind: stream, trunk: '3,2,1'}, a: {link: up, kind: attached}}\n"
		"    forwards: {y: {port: 81, to: g, to_port: 82, listen: ['10.0.0.1']}, x: {listen: '80', to: 'g:80', proto: tcp}}\n"
		"    mode: natnetwork\n    subnet: 10.5.0.0/24\n");
	json_t *tree = model_export(model, 0);
	char *text = yaml_dump(tree);

	(void)state;
	assert_string_equal(text,
			    "networks:\n"
			    "  lab:\n"
			    "    mode: nat-network\n"
			    "    subnet: 10.5.0.0/24\n"
			    "    ports:\n"
			    "      a: {kind: attached, link: up}\n"
			    "      b: {kind: stream, trunk: 1-3}\n"
			    "    forwards:\n"
			    "      x: {listen: 80, to: 'g:80'}\n"
			    "      y: {listen: '10.0.0.1:81', to: 'g:82'}\n"
			    "    records:\n"
			    "    - {name: a, type: A, value: 10.0.0.2}\n"
			    "    - {name: b, type: A, value: 10.0.0.1}\n");
	free(text);
	json_decref(tree);
	model_free(model);
}

static void test_transient(void **state)
{
	const struct model_env env = { .transient = true, .owner = 7 };
	struct error err;
	struct model *model = model_of_text("networks: {lab: {ports: {a: {kind: attached, transient: true}}}}", &env, &err);
	json_t *stored = model_export(model, MODEL_OWNER), *all = model_export(model, MODEL_TRANSIENT);
	json_t *net = json_object_get(json_object_get(stored, "networks"), "lab");

	(void)state;
	assert_null(json_object_get(net, "ports"));
	assert_int_equal(json_integer_value(json_object_get(net, "owner")), 7);
	net = json_object_get(json_object_get(all, "networks"), "lab");
	assert_true(json_is_true(json_object_get(json_object_get(json_object_get(net, "ports"), "a"), "transient")));
	assert_null(json_object_get(net, "owner"));
	json_decref(stored);
	json_decref(all);
	model_free(model);
}

static bool only_even(void *arg, struct prefix4 prefix)
{
	++*(unsigned *)arg;
	return !(prefix.addr >> 8 & 1);
}

static bool none_free(void *arg, struct prefix4 prefix)
{
	(void)prefix;
	++*(unsigned *)arg;
	return false;
}

/* Where a VPN has all private space, a network is made all the same (AC-14), and two of them do not meet. */
static void test_chosen_subnets_where_none_is_free(void **state)
{
	unsigned asked = 0;
	const struct model_env env = { .subnet_free = none_free, .arg = &asked };
	struct error err;
	struct model *model = model_of_text("networks: {a: {}, b: {}}", &env, &err);

	(void)state;
	assert_non_null(model);
	assert_int_equal(asked, 2 * 1024);
	assert_int_equal(model->networks[0].subnet.addr >> 22, 0x0a400000 >> 22);
	assert_true(model->networks[0].subnet.addr != model->networks[1].subnet.addr);
	model_free(model);
}

static void test_uplink(void **state)
{
	struct model *model = model_of("networks: {a: {subnet: 10.1.0.0/24, uplink: wg0}, b: {subnet: 10.2.0.0/24, uplink: ''}}");
	json_t *a = net_export(model_net(model, "a"), 0), *b = net_export(model_net(model, "b"), MODEL_EFFECTIVE);

	(void)state;
	assert_string_equal(model_net(model, "a")->uplink, "wg0");
	assert_string_equal(json_string_value(json_object_get(a, "uplink")), "wg0");
	assert_null(json_object_get(b, "uplink"));
	json_decref(a);
	json_decref(b);
	model_free(model);
}

static void test_chosen_subnets(void **state)
{
	unsigned asked = 0;
	const struct model_env env = { .subnet_free = only_even, .arg = &asked };
	char yaml[4096] = "networks:\n";
	struct error err;
	struct model *model, *again;

	(void)state;
	for (int i = 0; i < 100; i++)
		sprintf(yaml + strlen(yaml), "  n%d: {}\n", i);
	model = model_of_text(yaml, &env, &err);
	assert_non_null(model);		/* no two overlap, or it would have been refused */
	assert_true(asked >= 100);
	for (size_t i = 0; i < model->nnetworks; i++) {
		assert_int_equal(model->networks[i].subnet.len, 24);
		assert_int_equal(model->networks[i].subnet.addr >> 22, 0x0a400000 >> 22);
		assert_false(model->networks[i].subnet.addr >> 8 & 1);
	}
	same_again(model, 0);
	model_free(model);
	model = model_of("networks: {lab: {}}");
	again = model_of("networks: {lab: {}, zoo: {}}");
	assert_int_equal(model_net(model, "lab")->subnet.addr, model_net(again, "lab")->subnet.addr);
	model_free(model);
	model_free(again);
}

static const struct {
	const char *what, *old, *new, *changes;
} differences[] = {
	{ "nothing", "networks: {a: {subnet: 10.1.0.0/24}}", "networks: {a: {subnet: 10.1.0.0/24}}", "" },
	{ "a default written down", "networks: {a: {subnet: 10.1.0.0/24}}",
	  "networks: {a: {subnet: 10.1.0.0/24, mtu: 1500, gateway: 10.1.0.1, dhcp: {lease: 60m}}}", "" },
	{ "a setting", "networks: {a: {subnet: 10.1.0.0/24}}", "networks: {a: {subnet: 10.1.0.0/24, mtu: 9000}}", "change network a;" },
	{ "a network more and one less", "networks: {a: {subnet: 10.1.0.0/24, ports: {p: {kind: stream}}}}",
	  "networks: {b: {subnet: 10.1.0.0/24, ports: {p: {kind: stream}}}}",
	  "remove port a/p;remove network a;add network b;add port b/p;" },
	{ "members", "networks: {a: {subnet: 10.1.0.0/24, ports: {p: {kind: stream}, q: {kind: stream}},"
	  " forwards: {f: {listen: 80, to: p}}, reservations: {p: 10.1.0.5}, records: [{name: x, value: 10.0.0.1}]}}",
	  "networks: {a: {subnet: 10.1.0.0/24, ports: {p: {kind: stream, vlan: 1}, r: {kind: stream}},"
	  " forwards: {f: {listen: 80, to: q}}, reservations: {p: 10.1.0.6}, records: [{name: x, value: 10.0.0.2}]}}",
	  "remove port a/q;add port a/r;change forward a/f;change reservation a/p;change record a/x-A;" },
	{ "the same forward in the other form", "networks: {a: {forwards: {f: {listen: 80, to: 'p:80'}}}}",
	  "networks: {a: {forwards: {f: {listen: ['::1', '127.0.0.1'], port: 80, to: p, to_port: 80}}}}", "" },
	{ "the same range in the other form", "networks: {a: {forwards: {80-99/tcp: {listen: 80-99, to: 'p:180-199'}}}}",
	  "networks: {a: {forwards: {80-99/tcp: {listen: ['::1', '127.0.0.1'], port: 80, count: 20, to: p, to_port: 180}}}}", "" },
};

static void test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(differences); i++) {
		struct model *old = model_of(differences[i].old), *new = model_of(differences[i].new);
		json_t *list = changes_list(old, new), *change;
		char text[512] = "";
		size_t at;

		print_message("  %s\n", differences[i].what);
		json_array_foreach(list, at, change)
			sprintf(text + strlen(text), "%s %s;", json_string_value(json_object_get(change, "action")),
				json_string_value(json_object_get(change, "object")));
		assert_string_equal(text, differences[i].changes);
		json_decref(list);
		model_free(old);
		model_free(new);
	}
}

static void test_show(void **state)
{
	struct model *model = model_of("networks: {lab: {subnet: 10.5.0.0/24, mtu: 9000, forwards: {web: {listen: 80, to: g}}}}");
	const struct net_conf *net = model_net(model, "lab");
	json_t *defaults = net_defaults(net), *shown = net_export(net, MODEL_EFFECTIVE);
	json_t *want = json_pack("[s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s]", "mode", "gateway", "subnet6", "nat", "filtering", "host_access", "domain", "snooping", "unregistered", "stations",
				 "dhcp.enabled", "dhcp.pool", "dhcp.lease", "dhcp.rapid_commit", "dhcp.bootp", "dhcp.quota", "dhcp.declines", "dhcp.rate", "dhcp6.mode", "dhcp6.pool",
				 "dhcp6.prefixes", "dhcp6.prefix_length", "dhcp6.ntp", "ra.pref64", "ra.captive_portal", "dns.enabled");
	json_t *more = json_pack("[s,s,s,s,s,s,s,s,s,s,s,s,s,s,s,s]", "dns.upstreams", "dns.cache_kb", "dns.queries", "dns.case_random", "dns.trust_ad",
				 "dns.validate", "dns.trust_anchor", "dns.rebind_protect", "dns.rebind_allow", "dns.domains", "dns.listen", "dns.host", "limits.flows", "limits.sockets", "limits.half_open", "limits.memory_kb");
	json_t *forward = forward_export(net_forward(net, "web"));
	char *text = json_dumps(forward, JSON_COMPACT | JSON_SORT_KEYS);

	(void)state;
	json_array_extend(want, more);
	assert_true(json_equal(defaults, want));
	assert_string_equal(json_string_value(json_object_get(json_object_get(shown, "dhcp"), "pool")), "10.5.0.2-10.5.0.254");
	assert_string_equal(text, "{\"listen\":[\"127.0.0.1\",\"::1\"],\"name\":\"web\",\"port\":80,\"proto\":\"tcp\","
				  "\"to\":\"g\",\"to_port\":80}");
	free(text);
	json_decref(forward);
	json_decref(more);
	json_decref(want);
	json_decref(shown);
	json_decref(defaults);
	model_free(model);
}

/* A model of the size that is promised is read in a moment, not in minutes. */
static void test_many(void **state)
{
	json_t *forwards = json_object(), *tree;
	struct error err = { 0 };
	struct model *model = NULL;
	char id[24], to[24];

	(void)state;
	for (unsigned port = 1000; port < 21000; port++) {
		sprintf(id, "f%u", port);
		sprintf(to, "vm%u:%u", port % 100, port);
		json_object_set_new(forwards, id, json_pack("{s:i, s:s}", "listen", port, "to", to));
	}
	tree = json_pack("{s:{s:{s:o}}}", "networks", "lab", "forwards", forwards);
	assert_int_equal(model_parse(tree, NULL, NULL, &model, &err), 0);
	assert_int_equal(model_net(model, "lab")->nforwards, 20000);
	model_free(model);
	json_decref(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refuses), cmocka_unit_test(test_defaults), cmocka_unit_test(test_internal), cmocka_unit_test(test_host),
		cmocka_unit_test(test_forms), cmocka_unit_test(test_export), cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_transient), cmocka_unit_test(test_chosen_subnets),
		cmocka_unit_test(test_chosen_subnets_where_none_is_free),
		cmocka_unit_test(test_uplink), cmocka_unit_test(test_changes),
		cmocka_unit_test(test_show), cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
