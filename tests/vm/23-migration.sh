#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/vm/23-migration.sh - a QEMU guest moves live from one vhost-user port to another while it sends and receives
# limit: 240
# before: tests/vm/kernel.sh
# as: user
#
# Both QEMUs are on this machine. What lanyard writes into the guest's memory while QEMU copies it reaches the new place by the
# dirty log alone: what the guest receives during the move is summed up afterwards, and some of it lies in a socket until then,
# where no processor touches it. Guests have one processor: with several, QEMU 7.2 without KVM loses some of what they write
# themselves during a migration, whatever the network device.
. "$ROOT/tests/net/lib.sh"
. "$ROOT/tests/vm/guest.sh"
guest_needs
daemon_start
lanyard net add lab --subnet 10.77.0.0/24

show() { json ".ports[] | select(.name == \"$1\") | \"\(.state): \(.reason)\"" ps lab; }
in_state() { [ "$(show "$1")" = "$2" ] || { show "$1"; return 1; }; }
away() { [[ $(show "$1") == pending:* ]] || { show "$1"; return 1; }; }
lives() { [ "$(json ".fdb[] | select(.mac == \"$1\") | .port" fdb ls lab)" = "$2" ] || { lanyard fdb ls lab; return 1; }; }
tx_bytes() { json ".ports[] | select(.name == \"$1\") | .stats.tx_bytes" ps lab; }

# arguments PORT MAC ROLE QUEUES RINGS MORE - what lanyard prints, but for the address: the guest brings its own along
arguments() {
	local flags=(--vhost-user --role "$3" --queues "$4" --memory 256M)
	[ "$5" = split ] || flags+=(--packed)
	ARGUMENTS=$(lanyard qemu "lab/$1" "${flags[@]}" | sed "s/mac=[0-9a-f:]*/mac=$2/")
	[[ $ARGUMENTS == *vectors=0* ]] || ARGUMENTS+=,vectors=0
	ARGUMENTS+=",$6 -monitor unix:$DIR/r/$1.monitor,server=on,wait=off"
}

monitor() { printf '%s\n' "$2" | as_lanyard nc -U -N "$DIR/r/$1.monitor" | tr -d '\r'; }
moved() { monitor "$1" "info migrate" | grep -E '^Migration status: (completed|failed)'; }

# boot NAME MAC ROLE QUEUES RINGS MORE ADDRESS
boot() {
	arguments "$@"
	eval "guest_start $1 $ARGUMENTS"
	guest_run "$1" 5 "ip addr add $7/24 dev eth0; ip link set eth0 up"
	until_ok 5 in_state "$1" "up: "
}

# more_than PORT N - has it sent so many bytes to its guest since $BEFORE?
more_than() { [ "$(tx_bytes "$1")" -gt $((BEFORE + $2)) ]; }

# place FROM TO MAC ROLE QUEUES RINGS MORE - a QEMU that waits for the guest
place() {
	say "$1 to $2: $5 queue pairs, $6 rings, ${7:-the guest announces itself}"
	arguments "$2" "${@:3}"
	eval "guest_spawn $2 $ARGUMENTS -incoming unix:$DIR/r/$2.move"
	until_ok 10 test -S "$DIR/r/$2.move"
}

second_look() { monitor "$1" "info migrate" | grep -q 'dirty sync count: [2-9]'; }

# migrate FROM TO [:] - the guest itself, beginning to fetch something in the midst of it unless ":"
migrate() {
	local begun=$((${EPOCHREALTIME/./} / 1000))
	monitor "$1" "migrate_set_parameter max-bandwidth 64M" >/dev/null
	monitor "$1" "migrate -d unix:$DIR/r/$2.move" >/dev/null
	${3:-} until_ok 20 second_look "$1"
	${3:-} guest_run "$1" 5 "rm -f /tmp/go; (wget -q -O - http://$IP2/part0 | (until [ -e /tmp/go ]; do usleep 20000; done; md5sum >/tmp/held)) >/dev/null 2>&1 &"
	until_ok 60 moved "$1"
	is "status" "$(moved "$1")" "Migration status: completed"
	echo "   moved in $((${EPOCHREALTIME/./} / 1000 - begun)) ms, $(monitor "$1" "info migrate" | grep -oE 'downtime: [0-9]+ [a-z]+|dirty sync count: [0-9]+' | paste -sd,)"
	until_ok 2 in_state "$2" "up: "
}

# move FROM TO MAC ROLE QUEUES RINGS MORE - with 80 MB on their way to the guest and 25 MB from it; vm2 pings it all the time
move() {
	local from=$1 to=$2
	place "$@"
	guest_run vm2 5 "ping -i 0.1 -c 80 $IP >/tmp/ping 2>&1 &"
	BEFORE=$(tx_bytes "$from")
	guest_run "$from" 5 "(for i in 0 1 2 3; do wget -q -O /tmp/in\$i http://$IP2/part\$i & done; wait; cat /tmp/in? | md5sum >/tmp/sum) >/tmp/wget 2>&1 &"
	guest_run vm2 5 "(wget -q -O - http://$IP/own | md5sum >/tmp/sum) >/tmp/wget 2>&1 &"
	until_ok 10 more_than "$from" 1000000
	BEFORE=$(tx_bytes "$to")
	migrate "$from" "$to"
	until_ok 2 more_than "$to" 0
	is "what lay in a socket" "$(guest_run "$to" 20 'touch /tmp/go; while pidof md5sum >/dev/null; do usleep 20000; done; cat /tmp/held' | cut -d' ' -f1)" "$PART"
	guest_stop "$from"
	until_ok 3 away "$from"
	guest_run "$to" 60 'while pidof wget md5sum >/dev/null; do usleep 50000; done; cat /tmp/sum /tmp/wget' >"$DIR/sum"
	is "what it received" "$(cut -d' ' -f1 "$DIR/sum")" "$WANT"
	is "and has in its memory" "$(guest_run "$to" 20 'cat /tmp/in? | md5sum' | cut -d' ' -f1)" "$WANT"
	guest_run vm2 60 'while pidof wget md5sum >/dev/null; do usleep 50000; done; cat /tmp/sum /tmp/wget' >"$DIR/sum"
	is "what it sent" "$(cut -d' ' -f1 "$DIR/sum")" "$OWN"
	guest_run vm2 20 'while pidof ping >/dev/null; do usleep 100000; done; tail -n 2 /tmp/ping' | tee "$DIR/ping"
	few_lost 15
}

# move_quiet FROM TO MAC ... - a guest that says nothing: who tells its neighbours?
move_quiet() {
	place "$@"
	lives "$3" "$1"
	migrate "$1" "$2" :
	until_ok 2 lives "$3" "$2"
	guest_run vm2 5 "ping -c 3 -i 0.2 -W 1 $IP" | grep ' 0% packet loss'
	guest_stop "$1"
}

# few_lost N - of the pings in $DIR/ping, ten a second
few_lost() {
	local lost
	lost=$(sed -nE 's/^([0-9]+) packets transmitted, ([0-9]+) .*/\1 - \2/p' "$DIR/ping")
	[ $((lost)) -le "$1" ] || fail "$lost pings of ten a second were lost"
}

IP2=10.77.0.2
boot vm2 02:00:00:00:00:02 server 1 split "" $IP2
guest_run vm2 20 'mkdir -p /tmp/www; cd /tmp/www; for i in 0 1 2 3; do head -c 20000000 /dev/urandom >part$i; done; httpd -p 80 -h /tmp/www'
PART=$(guest_run vm2 10 'md5sum </tmp/www/part0' | cut -d' ' -f1)
WANT=$(guest_run vm2 10 'cd /tmp/www; cat part? | md5sum' | cut -d' ' -f1)

# guest PORT LAST-BYTE QUEUES RINGS MORE - with a file of its own
guest() {
	IP=10.77.0.$2
	boot "$1" "02:00:00:00:00:$2" server "$3" "$4" "$5" "$IP"
	guest_run "$1" 20 'mkdir -p /tmp/www; head -c 25000000 /dev/urandom >/tmp/www/own; httpd -p 80 -h /tmp/www'
	OWN=$(guest_run "$1" 10 'md5sum </tmp/www/own' | cut -d' ' -f1)
}
guest a1 11 1 split ""
move a1 a2 02:00:00:00:00:11 client 1 split ""
move_quiet a2 a1 02:00:00:00:00:11 server 1 split ""
guest_stop a1
guest b1 12 4 packed guest_announce=off
move b1 b2 02:00:00:00:00:12 client 4 packed guest_announce=off
move_quiet b2 b1 02:00:00:00:00:12 server 4 packed guest_announce=off
guest_stop b1
guest_stop vm2
