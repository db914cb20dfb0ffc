#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/61-cli.sh - exit statuses, messages with a hint, --json on everything, adding what is there already
. "$ROOT/tests/net/lib.sh"
status 6 lanyard net ls
has "unreachable" "$ERR" '^lanyard: '
has "with a hint" "$ERR" 'hint: '
status 6 lanyard net ls --json
is "as JSON" "$(jq -r .error.code <<<"$OUT$ERR")" unreachable
daemon_start

status 0 lanyard net add lab --subnet 10.77.0.0/24
status 0 lanyard net add lab --subnet 10.77.0.0/24
status 3 lanyard net add lab --subnet 10.78.0.0/24
has "hint" "$ERR" '--replace'
status 0 lanyard net add lab --subnet 10.78.0.0/24 --replace
is "replaced" "$(json .subnet net show lab)" 10.78.0.0/24
status 0 lanyard net set lab --mtu 1400
is "set" "$(json .mtu net show lab)" 1400

status 2 lanyard
status 2 lanyard net
status 2 lanyard nte add lab
has "a guess" "$ERR" 'lanyard net'
status 2 lanyard net add lab --subnot 1
status 2 lanyard forward add lab 8080
status 2 lanyard net add Lab_1
status 1 lanyard net add bad --mtu 9 --subnet 10.79.0.0/24
status 1 lanyard net add bad --subnet 10.78.0.128/25
has "overlap" "$ERR" 'lab'
status 1 lanyard net add bad --mode bridged
status 4 lanyard net show none
status 4 lanyard net rm none
status 4 lanyard port show lab/none
status 4 lanyard ip lab/none
status 4 lanyard forward rm lab 9999
status 0 lanyard port add lab/vm1 --stream "$DIR/r/vm1.sock"
status 7 lanyard ip lab/vm1 --wait 1s
status 1 lanyard net rm lab
has "in use" "$ERR" 'hint: .*--force'
status 0 lanyard help
status 0 lanyard net add --help

say "--json on every list, and on errors"
for list in "net ls" "port ls lab" "forward ls lab" "lease ls lab" "dns ls lab" "fdb ls lab" "ps" "daemon show" "net show lab" \
	"port show lab/vm1" "export"; do
	# shellcheck disable=SC2086
	lanyard $list --json | jq -e 'type == "object"' >/dev/null || fail "lanyard $list --json is no object"
done
status 4 lanyard net show none --json
is "error" "$(jq -r .error.code <<<"$OUT$ERR")" not-found

say "results on stdout, the rest on stderr"
status 0 lanyard net ls
is "stderr" "$ERR" ""
status 4 lanyard net show none
is "stdout" "$OUT" ""

say "lanyard qemu: a port on first use, arguments that this QEMU takes"
arguments=$(lanyard qemu lab/vm2)
has "netdev" "$arguments" '-netdev .?stream,'
has "device" "$arguments" '-device .?virtio-net-pci,.*mac='
is "made" "$(json '.ports[] | select(.name == "vm2") | .kind' ps lab)" stream
is "the same again" "$(lanyard qemu lab/vm2)" "$arguments"
status 0 lanyard net rm lab --force
is "gone" "$(json '.networks | length' net ls)" 0
