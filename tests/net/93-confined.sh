#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/93-confined.sh - what the two processes may do: the keeper what its requests need, the engine nothing
. "$ROOT/tests/net/lib.sh"

# CAP_DAC_OVERRIDE KILL SETGID SETUID NET_BIND_SERVICE NET_ADMIN NET_RAW SYS_PTRACE SYS_ADMIN, by their numbers in capability.h
KEPT=$(printf '%016x' $((1 << 1 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 12 | 1 << 13 | 1 << 19 | 1 << 21)))
NONE=0000000000000000
USER_THERE=$(awk '$1 + $3 > 65534' /proc/self/uid_map)	# more users than root alone
value() { awk -v key="$2:" '$1 == key { $1 = ""; print substr($0, 2) }' "/proc/$1/status"; }

# policy DIRECTORY - of the thread with this one in /proc, as a number of sched.h
policy() { sed 's/.*) //' "$1/stat" | awk '{ print $39 }'; }

engine_is_confined() {
	local pid key
	pid=$(engine_pid)
	for key in CapInh CapPrm CapEff CapAmb; do [ "$(value "$pid" $key)" = $NONE ] || fail "the engine's $key: $(value "$pid" $key)"; done
	is "no new privileges" "$(value "$pid" NoNewPrivs)" 1
	is "system calls filtered" "$(value "$pid" Seccomp)" 2
	is "and said to be" "$(json .engine.calls daemon show)" filtered
	is "the control thread is of policy batch" "$(policy "/proc/$pid/task/$pid")" 3
	is "a worker is not" "$(policy "$(dirname "$(grep -lx worker-0 /proc/"$pid"/task/*/comm)")")" 0
	is "of each thread" "$(sed -n 's/^Seccomp:\t//p' /proc/"$pid"/task/*/status | sort -u)" 2
	[ "$AS" = root ] && [ -n "$USER_THERE" ] || return 0
	is "user, real to file system's" "$(value "$pid" Uid | xargs)" "$1 $1 $1 $1"
	is "group" "$(value "$pid" Gid | xargs)" "$2 $2 $2 $2"
	is "further groups" "$(value "$pid" Groups | xargs)" ""
	is "core" "$(awk '/Max core/ { print $5, $6 }' "/proc/$pid/limits")" "0 0"
	is "what of it is in /proc is root's" "$(stat -c %u "/proc/$pid/environ")" 0
}

uid=$(id -u lanyard 2>/dev/null || echo 65534) gid=$(id -g lanyard 2>/dev/null || echo 65534)
# shellcheck disable=SC2016
as_lanyard sh -c 'umask 077; echo "networks: { fromfile: { mode: nat-network, subnet: 10.78.0.0/24 } }" >"$1"' - "$DIR/c/lab.yaml"

say "the keeper"
daemon_start
keeper=$(keeper_pid)
[ "$(json .engine.calls daemon show)" != "open: built with a sanitizer" ] || skip "built with a sanitizer, whose runtime needs more"
if [ "$AS" = root ]; then
	for key in CapPrm CapEff CapBnd; do is $key "$(value "$keeper" $key)" "$KEPT"; done
else
	is "no right of a user's" "$(value "$keeper" CapEff)" $NONE
fi
is "no new privileges" "$(value "$keeper" NoNewPrivs)" 1
is "none to inherit" "$(value "$keeper" CapInh) $(value "$keeper" CapAmb)" "$NONE $NONE"

say "the engine"
engine_is_confined "$uid" "$gid"
lanyard net add lab --subnet 10.77.0.0/24
box web1
dhcp web1 >/dev/null

say "the engine that follows"
old=$(engine_pid)
kill -9 "$old"
other() { answers && [ "$(engine_pid)" != "$old" ]; }
until_ok 3 other
engine_is_confined "$uid" "$gid"
until_ok 3 in_box web1 ping -c 1 -W 1 10.77.0.1

doctor() { lanyard doctor --json | jq -r ".checks[] | select(.name == \"$1\") | .$2"; }
has "doctor" "$(doctor engine text)" 'files: landlock-[0-9]+; system calls: filtered|files: open: .*; system calls: filtered'
daemon_stop

say "a configuration that only the keeper's user can read"
PLACES+=(--config "$DIR/c/lab.yaml")
daemon_start
applied() { [ "$(json '.networks[].name' net ls)" = fromfile ]; }
until_ok 3 applied
daemon_stop
unset 'PLACES[-1]' 'PLACES[-1]'

say "a store that is damaged is put aside by the confined engine"
store=$DIR/s/lanyard
[ "$AS" = user ] || store=$store/engine
rm -f "$store"/lanyard.db-*
printf 'no database' | dd of="$store/lanyard.db" conv=notrunc status=none
daemon_start
is "kept" "$(cd "$store" && ls lanyard.db.corrupt-1)" lanyard.db.corrupt-1
rm "$store"/lanyard.db.corrupt-1*
lanyard net add fromfile --subnet 10.78.0.0/24
daemon_stop

if [ "$AS" = user ]; then
	say "a right of the program's file is the keeper's alone, and what is missing is named besides"
	mkdir "$DIR/bin"
	cp "$B"/lanyard "$B"/lanyardd "$B"/lanyard-* "$DIR/bin"
	setcap cap_net_bind_service,cap_sys_time=ep "$DIR/bin/lanyard-keeper" 2>/dev/null || skip "setcap is not to be had here"
	B=$DIR/bin
	daemon_start
	is "it keeps what a request needs" "$(value "$(keeper_pid)" CapPrm)" "$(printf '%016x' $((1 << 10)))"
	engine_is_confined "$uid" "$gid"
	lanyard net add lab --subnet 10.77.0.0/24
	lanyard forward add lab 80:web1:80
	is "port 80" "$(json '.forwards[0].state' forward ls lab)" up
	status 5 lanyard net add host --mode host-only
	has "the command" "$ERR" "^hint: once: sudo setcap cap_net_bind_service,cap_net_admin=ep $B/lanyard-keeper;"
	exit 0
fi
state=$DIR/s/lanyard

say "a state directory as earlier versions left it"
is "its mode" "$(stat -c '%a %u' "$state")" "711 0"
is "the lock is root's" "$(stat -c '%a %u' "$state/lock")" "600 0"
mv "$state"/engine/lanyard.db* "$state"
chown 0:0 "$state"/lanyard.db*
rmdir "$state/engine"
chmod 700 "$state"
: >"$DIR/root-only"
daemon_start
is "the network" "$(json '.networks[].name' net ls)" fromfile
is "moved" "$(find "$state" -maxdepth 1 -name "lanyard.db*"; cd "$state/engine"; ls lanyard.db)" lanyard.db
[ -z "$USER_THERE" ] || is "whose" "$(stat -c '%U' "$state"/engine/* | sort -u)" "$(id -nu "$uid")"
daemon_stop

if [ -n "$USER_THERE" ]; then
	say "another user; what it might have laid there is not given to it"
	ln "$DIR/root-only" "$state/engine/hard"
	ln -s "$DIR/root-only" "$state/engine/soft"
	PLACES+=(--engine-user 4321)
	daemon_start
	engine_is_confined 4321 4321
	is "the network" "$(json '.networks[].name' net ls)" fromfile
	is "root's file" "$(stat -c %u "$DIR/root-only")" 0
	daemon_stop

	unset 'PLACES[-1]' 'PLACES[-1]'

	say "user and group lanyard"
	{ cat /etc/passwd; echo "lanyard:x:7777:7778::/:/usr/sbin/nologin"; } >"$DIR/passwd"
	{ cat /etc/group; echo "lanyard:x:7778:"; } >"$DIR/group"
	mount --bind "$DIR/passwd" /etc/passwd
	mount --bind "$DIR/group" /etc/group
	daemon_start
	engine_is_confined 7777 7778
	is "the socket" "$(stat -c '%a %u %g' "$LANYARD_SOCKET")" "660 0 7778"
	is "the group administrates" "$(setpriv --reuid 50001 --regid 7778 --clear-groups "$B/lanyard" net ls --json | jq -r '.networks[].name')" fromfile
	status 5 setpriv --reuid 50001 --regid 50001 --clear-groups "$B/lanyard" net ls

	say "what is one user's is done for him, who was there, after a restart, too; for nobody else on the engine's word"
	as_member() { setpriv --reuid 50001 --regid 7778 --clear-groups "$B/lanyard" "$@" >/dev/null; }
	theirs() { [ "$(stat -c %u "$DIR/theirs/v1.sock" 2>/dev/null)" = 50001 ]; }
	install -d -o 50001 "$DIR/theirs"
	as_member net add theirs --subnet 10.79.0.0/24
	as_member port add theirs/v1 --stream "$DIR/theirs/v1.sock"
	theirs || fail "no socket of the user's"
	is "the list" "$(od -An -t u4 "$state/users" | xargs)" "0 50001"
	daemon_stop
	daemon_start
	until_ok 3 theirs
	daemon_stop
	truncate -s 4 "$state/users"
	daemon_start
	until_ok 3 grep -q 'event=user-refused uid=50001' "$DIR/lanyardd.log"
	! theirs || fail "it acts for a user who was never there"
	daemon_stop
	umount /etc/passwd /etc/group

	say "a directory that it cannot reach"
	mkdir -m 700 "$DIR/closed"
	PLACES=(--runtime-dir "$DIR/r/lanyard" --state-dir "$DIR/closed/state")
	daemon_start
	has "told" "$(<"$DIR/lanyardd.log")" 'event=engine-as-root reason="user [0-9]+ cannot reach .*/closed/state"'
	is "root without rights" "$(value "$(engine_pid)" Uid | xargs) $(value "$(engine_pid)" CapEff)" "0 0 0 0 $NONE"
	is "doctor" "$(doctor engine state)" WARN
	daemon_stop
fi

say "somebody's firewall"
nft -j list ruleset >/dev/null 2>&1 || skip "nftables cannot be asked here"
is "none" "$(doctor forwarding state)" OK
nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
is "one that drops" "$(doctor forwarding state)" WARN
has "its name" "$(doctor forwarding text)" 'ip filter FORWARD'
bash -c "$(doctor forwarding command)"
is "the command helps" "$(doctor forwarding state)" OK
