#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/20-nat.sh - guests reach the outside by TCP and UDP, as the host; nobody outside reaches them
. "$ROOT/tests/net/lib.sh"
outside_make
daemon_start
lanyard net add lab --subnet 10.77.0.0/24
box web1
web1=$(dhcp web1)

serve() { outside /usr/bin/python3 "$ROOT/tests/net/tcp.py" serve "$@" >>"$DIR/serve.log" 2>&1 & }
call() { in_box web1 /usr/bin/python3 "$ROOT/tests/net/tcp.py" call "$@"; }
serve 7001 name
serve 7002 datagram
serve 7003 echo
until_ok 5 outside sh -c 'ss -Hltn "sport = :7003" | grep -q . && ss -Hlun "sport = :7002" | grep -q .'

say "the outside sees the host"
is "by TCP" "$(call $OUTSIDE 7001 name)" $HOST
is "by UDP, each size" "$(call $OUTSIDE 7002 datagram)" $HOST
is "bytes come back as they went" "$(call $OUTSIDE 7003 echo)" same

say "a file each way"
head -c 20000000 /dev/urandom >"$DIR/www/file"
want=$(sum <"$DIR/www/file")
http_serve outside $OUTSIDE:80 "$DIR/www"
is "down" "$(in_box web1 curl -sS -m 20 http://$OUTSIDE/file | sum)" "$want"
outside sh -c "nc -d -l 7010 >'$DIR/up'" &
until_ok 5 outside sh -c 'ss -Hltn "sport = :7010" | grep -q .'
in_box web1 sh -c "nc -N -w 10 $OUTSIDE 7010 <'$DIR/www/file'"
same() { [ "$(sum <"$DIR/up")" = "$want" ]; }
until_ok 5 same

say "iperf3, both ways"
outside iperf3 -s -p 7020 -D --logfile "$DIR/iperf.log"
until_ok 5 outside sh -c 'ss -Hltn "sport = :7020" | grep -q .'
rate() { in_box web1 iperf3 -c $OUTSIDE -p 7020 -J "$@" | jq -e '.end.sum_received.bits_per_second // .end.sum.bits_per_second | . / 1e6 | floor'; }
for way in "" "-R" "-P 4" "-u -b 50M -l 1400" "-u -b 50M -l 1400 -R"; do
	# shellcheck disable=SC2086
	mbit=$(rate -t 1 $way)
	printf '   iperf3 %-24s %s Mbit/s\n' "$way" "$mbit"
	[ "$mbit" -gt 20 ] || fail "iperf3 $way: $mbit Mbit/s"
done

say "many connections one after another and at once"
for n in {1..40}; do
	call $OUTSIDE 7001 name >"$DIR/names.$n" &
	calls="${calls:-} $!"
done
# shellcheck disable=SC2086
wait $calls
[ "$(cat "$DIR"/names.* | grep -cx "$HOST")" = 40 ] || fail "not each of 40 was answered: $(cat "$DIR"/names.* | sort | uniq -c | xargs)"

say "the outside cannot begin"
outside ip route add 10.77.0.0/24 via $HOST
if outside ping -c 1 -W 1 "$web1" >/dev/null; then fail "the outside reaches a guest"; fi
