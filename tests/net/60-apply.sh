#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/60-apply.sh - files: export | apply changes nothing, a bad file is refused whole, with its line
. "$ROOT/tests/net/lib.sh"
daemon_start
cat >"$DIR/lab.yaml" <<'END'
networks:
  lab:
    mode: nat-network
    subnet: 10.77.0.0/24
    dhcp: { pool: 10.77.0.100-10.77.0.199, lease: 2h }
    forwards:
      web: { listen: 8080, to: web1:80 }
    ports:
      vm1: { kind: stream, path: /tmp/none.sock, vlan: 10 }
  quiet:
    mode: internal
END
sed -i "s|/tmp/none.sock|$DIR/r/vm1.sock|" "$DIR/lab.yaml"

status 0 lanyard apply -f "$DIR/lab.yaml"
is "networks" "$(json '.networks[].name' net ls | sort | xargs)" "lab quiet"
is "forwards" "$(json '.forwards[].id' forward ls lab)" web

say "export, apply, diff: nothing to change"
lanyard export >"$DIR/export.yaml"
is "apply" "$(lanyard apply -f "$DIR/export.yaml" --json | jq '.changes | length')" 0
is "apply of the file itself" "$(lanyard apply -f "$DIR/lab.yaml" --json | jq '.changes | length')" 0
status 0 lanyard diff -f "$DIR/export.yaml"
is "export once more" "$(lanyard export | sha256sum)" "$(sha256sum <"$DIR/export.yaml")"
lanyard export | lanyard apply -f - | grep -q 'nothing to change'

say "a difference, told and then made, on a running guest"
box web1
dhcp web1 >/dev/null
in_box web1 ping -i 0.2 -c 10 -W 1 10.77.0.1 >"$DIR/ping" 2>&1 &
ping=$!
lanyard export | sed 's/lease: 2h/lease: 3h/; s/8080/8081/' >"$DIR/next.yaml"
status 8 lanyard diff -f "$DIR/next.yaml"
[ "$(json '.forwards[0].port' forward ls lab)" = 8080 ] || fail "diff changed something"
status 0 lanyard apply -f "$DIR/next.yaml"
is "lease" "$(json .dhcp.lease net show lab)" 3h
is "forward" "$(json '.forwards[0].port' forward ls lab)" 8081
wait $ping || { cat "$DIR/ping"; fail "the guest noticed"; }
grep -q ' 0% packet loss' "$DIR/ping"

say "bad files change nothing"
before=$(lanyard export)
# bad LINE PATTERN, and a file on standard input
bad() {
	cat >"$DIR/bad.yaml"
	status 1 lanyard apply -f "$DIR/bad.yaml"
	has "message" "$ERR" "bad.yaml:$1:.*$2"
	printf '   %s\n' "$ERR"
	[ "$(lanyard export)" = "$before" ] || fail "a refused file changed something"
	status 1 as_lanyard timeout 5 "$B/lanyardd" -t --config "$DIR/bad.yaml"
	has "lanyardd -t" "$OUT$ERR" "bad.yaml:$1:.*$2"
}
bad 3 mtu <<'END'
networks:
  good: { mode: nat-network, subnet: 10.80.0.0/24 }
  poor: { mode: nat-network, subnet: 10.81.0.0/24, mtu: large }
END
bad 4 'subnett' <<'END'
networks:
  lab:
    mode: nat-network
    subnett: 10.77.0.0/24
END
bad 4 'forward' <<'END'
networks:
  quiet:
    mode: internal
    forwards:
      web: { listen: 8080, to: q1:80 }
END
bad 3 '' <<'END'
networks:
  lab: { mode: nat-network
  other: ]
END
bad 3 'subnet|overlap' <<'END'
networks:
  a: { subnet: 10.80.0.0/24 }
  b: { subnet: 10.80.0.0/16 }
END
status 0 as_lanyard timeout 5 "$B/lanyardd" -t --config "$DIR/export.yaml"
