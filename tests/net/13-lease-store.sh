#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/13-lease-store.sh - leases that last: flushed before they are acknowledged, kept over kill -9, a disk that is full or takes nothing, and a damaged file
. "$ROOT/tests/net/lib.sh"

# The store stands on a disk of its own, of one megabyte, where this may mount one.
DISK=$DIR/s/lanyard
mkdir -p "$DISK"
small=
if [ "$AS" = root ] && mount -t tmpfs -o size=1m,mode=700 none "$DISK" 2>/dev/null; then small=1; fi
[ "${RUN_AS[0]:-}" != setpriv ] || chown -R "$USER_ID" "$DIR/s"
daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --dhcp-lease 10m
for g in a b; do box $g; done
state_of() { json ".leases[] | select(.ip == \"$1\") | .state" lease ls lab; }
renew() { kill -USR1 "$(<"$DIR/$1.udhcpc")"; }
renewed() { grep -q event=renew "$DIR/$1.lease"; }

if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null && [ "$AS" = root ]; then
	say "the flush comes before the acknowledgement"
	strace -f -q -e trace=fdatasync,fsync,write,writev,pwritev,pwritev2,sendmsg,sendto,sendmmsg -e signal=none -xx -s 400 -o "$DIR/trace" -p "$(engine_pid)" 2>/dev/null &
	tracer=$!
	until_ok 5 grep -q "^TracerPid:.*$tracer" "/proc/$(engine_pid)/status"
	first=$(dhcp a)
	kill -INT $tracer
	wait $tracer || true
	# In a reply option 53 of length 1 follows the magic cookie: 2 is an OFFER, 5 an ACK.
	awk '/fdatasync|fsync/ { flush = NR } /x63.x82.x53.x63.x35.x01.x02/ { offer = NR } /x63.x82.x53.x63.x35.x01.x05/ && !ack { ack = NR; before = flush }
		END { exit !(offer && ack && before > offer && before < ack) }' "$DIR/trace" || { cut -c 1-200 "$DIR/trace"; fail "no flush between OFFER and ACK"; }
else
	first=$(dhcp a)
fi

up() { [ "$(json ".ports[] | select(.name == \"$1\") | .state" ps lab)" = up ]; }
recovered() { [ "$(grep -c event=store-recovered "$DIR/lanyardd.log")" = "$(grep -c event=store-failed "$DIR/lanyardd.log")" ]; }
asks_again() { renew "$1"; read -r -t 0.3 -u "$NOTHING" || renewed "$1"; }

if [ "$small" ]; then
	say "the disk is full: a lease goes on, there is no new one, and it is told once"
	lanyard events --json >"$DIR/events" &
	listener=$!
	head -c 2m /dev/zero >"$DISK/filler" 2>/dev/null || true
	if dhcp b -t 1 >"$DIR/out" 2>&1; then fail "a new lease on a full disk: $(<"$DIR/out")"; fi
	until_ok 5 asks_again a
	is "the address" "$(address a)" "$first"
	is "told in the log" "$(grep -c event=store-failed "$DIR/lanyardd.log")" 1
	until_ok 5 grep -q store-failed "$DIR/events"
	rm "$DISK/filler"
	has "when there is room again" "$(dhcp b)" '^10\.77\.0\.'
	until_ok 5 grep -q event=store-recovered "$DIR/lanyardd.log"
	kill $listener
fi

db=$(find "$DISK" -name lanyard.db)
if [ "${tracer:-}" ]; then
	say "the file system takes nothing any more: the same"
	# The engine's own filter of system calls makes EPERM of what strace calls EROFS.
	box c
	calls=open,openat,access,faccessat,faccessat2,pwrite64,fdatasync,fsync,ftruncate,fallocate,unlink
	strace -f -q -P "$db" -P "$db-wal" -P "$db-shm" -e trace=$calls -e inject=$calls:error=EROFS \
		-e signal=none -o "$DIR/trace" -p "$(engine_pid)" 2>/dev/null &
	tracer=$!
	until_ok 5 grep -q "^TracerPid:.*$tracer" "/proc/$(engine_pid)/status"
	if dhcp c -t 1 >"$DIR/out" 2>&1; then fail "a new lease where nothing can be written: $(<"$DIR/out")"; fi
	rm -f "$DIR/a.lease"
	until_ok 5 asks_again a
	is "the address" "$(address a)" "$first"
	is "told in the log" "$(grep 'event=store-failed' "$DIR/lanyardd.log" | grep -cE 'Read-only file system|Operation not permitted')" 1
	kill -INT $tracer
	wait $tracer || true
	has "when it is writable again" "$(dhcp c)" '^10\.77\.0\.'
	until_ok 5 recovered
fi

# die - keeper and engine at once, and whatever they had in mind with them
die() {
	kill -9 "$(keeper_pid)" "$(engine_pid)"
	wait "$DAEMON" || true
}

say "keeper and engine are killed: the lease is there"
die
daemon_start
is "lease" "$(state_of "$first")" bound

say "a damaged store is put aside; who has an address keeps it"
until_ok 10 up a
rm "$DIR/a.lease"
die
dd if=/dev/urandom of="$db" bs=4096 count=4 conv=notrunc status=none
rm -f "$db"-wal "$db"-shm
daemon_start
grep -q event=state-damaged "$DIR/lanyardd.log"
[ -e "$db.corrupt-1" ] || fail "what was damaged is gone"
lanyard net add lab --subnet 10.77.0.0/24 --dhcp-lease 10m
until_ok 10 up a
until_ok 5 asks_again a
is "the address" "$(address a)" "$first"
is "lease" "$(state_of "$first")" bound
grep -qE 'event=(nak|deconfig)' "$DIR/a.lease" && fail "the guest was refused its address"
true
