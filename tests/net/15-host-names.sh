#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/15-host-names.sh - the host finds guests by their names, where it is asked to, and is as it was afterwards (AC-30)
. "$ROOT/tests/net/lib.sh"
outside_make
hosts=$DIR/hosts
printf '127.0.0.1\tlocalhost\n192.0.2.7\tother.example # the administrator'"'"'s\n192.0.2.8 last.example' >"$hosts"
cp "$hosts" "$DIR/hosts.before"
mount --bind "$hosts" /etc/hosts
found() { getent ahostsv4 "$1" | awk '{ print $1; exit }'; }
finds() { [ "$(found "$1")" = "$2" ]; }
finds_not() { ! getent hosts "$1" >/dev/null; }
as_before() { cmp "$hosts" "$DIR/hosts.before"; }
daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --dns-host true
box web1
web1=$(dhcp web1)
if [ "$AS" = user ]; then
	say "an ordinary user's daemon changes nothing of the host, and says what works"
	until_ok 3 sh -c "'$B/lanyard' net show lab | grep -q 'this host does not resolve'"
	has "why" "$(lanyard net show lab)" 'only root.s daemon changes the host'
	has "and by hand" "$(lanyard dns hosts lab)" "$web1.web1.lab.internal"
	as_before
	exit
fi

say "right after the lease"
until_ok 2 finds web1.lab.internal "$web1"
is "the way back" "$(getent hosts "$web1" | awk '{ print $2 }')" web1.lab.internal
is "others as before" "$(found other.example) $(found last.example)" "192.0.2.7 192.0.2.8"
has "it is told" "$(lanyard host-changes)" 'lab +names +/etc/hosts +\*.lab.internal'
lanyard dns add lab db 10.77.0.9
lanyard dns add lab '*.wild' 10.77.0.9
until_ok 2 finds db.lab.internal 10.77.0.9
is "as lines" "$(lanyard dns hosts lab | grep -c internal)" "$(grep -c internal "$hosts")"
lanyard dns rm lab db
until_ok 2 finds_not db.lab.internal

say "the guest goes"
box web2
web2=$(dhcp web2)
until_ok 2 finds web2.lab.internal "$web2"
box_end web2
until_ok 2 finds_not web2.lab.internal
finds web1.lab.internal "$web1"

say "the administrator writes to the file meanwhile"
sed 's/192.0.2.7/192.0.2.77/' "$hosts" >"$DIR/edited"
cat "$DIR/edited" >"$hosts"
sed -i 's/192.0.2.7\t/192.0.2.77\t/' "$DIR/hosts.before"
lanyard dns add lab db 10.77.0.9
until_ok 2 finds db.lab.internal 10.77.0.9
is "his line stays" "$(found other.example)" 192.0.2.77

say "the engine dies"
kill -9 "$(engine_pid)"
until_ok 5 answers
until_ok 2 finds web1.lab.internal "$web1"
is "blocks" "$(grep -c 'lanyard network' "$hosts")" 2

say "no longer, and again; the network goes"
lanyard net set lab --dns-host false
until_ok 2 as_before
is "changes" "$(json '.changes | length' host-changes)" 0
lanyard net set lab --dns-host true
until_ok 2 finds web1.lab.internal "$web1"
box_end web1
lanyard net rm lab --force
until_ok 2 as_before

say "the daemon ends, and is killed"
lanyard net add lab --subnet 10.77.0.0/24 --dns-host true
lanyard dns add lab db 10.77.0.9
until_ok 2 finds db.lab.internal 10.77.0.9
daemon_stop
as_before
daemon_start
until_ok 2 finds db.lab.internal 10.77.0.9
engine=$(pgrep -P "$DAEMON" | head -n 1)
kill -9 "$DAEMON"
wait "$DAEMON" 2>/dev/null || true
until_ok 5 gone "$engine"
finds db.lab.internal 10.77.0.9
daemon_start
until_ok 2 finds db.lab.internal 10.77.0.9
is "blocks" "$(grep -c 'lanyard network' "$hosts")" 2
lanyard net rm lab --force
until_ok 2 as_before
