#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/80-accounting.sh - nothing vanishes: frames received are the sum of verdicts, copies queued are sent or dropped
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
for name in a b c; do
	box $name
	dhcp $name >/dev/null
done
echo page >"$DIR/www/index.html"
http_serve outside $OUTSIDE:80 "$DIR/www"
http_serve in_box b 80 "$DIR/www"
in_box b iperf3 -s -D -p 5201 --logfile "$DIR/iperf.log"

in_box a ping -c 3 -i 0.2 b >/dev/null
in_box a ping -b -c 2 -i 0.2 -W 1 10.77.0.255 >/dev/null 2>&1 || true
in_box a curl -sS -m 3 http://$OUTSIDE/ http://b/ >/dev/null
in_box a dig +time=1 +tries=1 @10.77.0.1 c +short >/dev/null
in_box a curl -sS -m 3 http://10.77.0.1:9/ >/dev/null 2>&1 || true
in_box a curl -sS -m 1 http://10.77.0.99/ >/dev/null 2>&1 || true
in_box a iperf3 -c b -t 1 >/dev/null
in_box a iperf3 -c b -u -b 200M -t 1 >/dev/null
in_box c bash -c 'exec 3<>/dev/udp/10.77.0.77/9; echo x >&3' || true

# The counters of one port are read while it is quiet, so that they belong together.
sums() {
	json '.ports[] | [.name, .stats.rx_frames, ([.verdicts[]] | add), .stats.queued, .stats.tx_frames + .stats.tx_drops] | join(" ")' ps lab
}
quiet() { local before; before=$(sums); read -r -t 0.3 -u "$NOTHING" || true; [ "$(sums)" = "$before" ]; }
until_ok 10 quiet
sums | while read -r name received verdicts queued sent; do
	is "$name: received $received, verdicts" "$verdicts" "$received"
	is "$name: queued $queued, sent or dropped" "$sent" "$queued"
	[ "$received" -gt 5 ] || fail "$name was hardly used"
done
