#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/net/13-boot.sh - files to boot from, by TFTP clients of several makers: whole, in every mode of theirs, and nothing from beside the directory
. "$ROOT/tests/net/lib.sh"
command -v curl >/dev/null || absent "curl is not installed"
curl --version | grep -q '^Protocols:.* tftp' || absent "this curl has no TFTP"

mkdir -p "$DIR/boot/efi" "$DIR/boot/closed" "$DIR/got"
head -c 700000 /dev/urandom >"$DIR/boot/kernel"
head -c 512 /dev/urandom >"$DIR/boot/block"	# its last block is an empty one
: >"$DIR/boot/empty"
printf 'menu\nlinux kernel\n' >"$DIR/boot/efi/menu.cfg"
ln -s efi/menu.cfg "$DIR/boot/menu"
ln -s /etc/passwd "$DIR/boot/absolute"
ln -s ../secret "$DIR/boot/relative"
ln -s ../../boot/../secret "$DIR/boot/efi/around"
mkfifo "$DIR/boot/pipe"
echo secret >"$DIR/secret"
echo mine >"$DIR/boot/closed/key"
chmod -R a+rX "$DIR/boot"
chmod 0 "$DIR/boot/closed/key"
[ "$AS" = user ] && [ "${RUN_AS[0]}" = setpriv ] && chown -R "$USER_ID" "$DIR/boot" "$DIR/secret" "$DIR/got"

daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --boot-tftp "$DIR/boot" --boot-file kernel
is "the setting" "$(json .boot.tftp net show lab)" "$DIR/boot"
box web1
dhcp web1 >/dev/null

get() { in_box web1 curl -sf --max-time 10 "${@:2}" -o "$DIR/got/file" "tftp://10.77.0.1/$1"; }
same() { cmp "$DIR/got/file" "$DIR/boot/$1" || fail "$1 is not what it was"; }

say "curl: blocks of 512 bytes and of what fits a frame, the empty file, the last block that is empty, a link inside"
for file in block efi/menu.cfg menu; do get $file; same $file; done
get empty --tftp-no-options; same empty	# it takes no 0 for a length
get kernel --tftp-blksize 1400; same kernel
get block --tftp-no-options; same block

if command -v atftp >/dev/null; then
	say "atftp: windows"
	in_box web1 atftp --option "windowsize 16" --option "blksize 1428" --option "tsize" -g -r kernel -l "$DIR/got/file" 10.77.0.1
	same kernel
fi
if busybox --list | grep -qx tftp; then
	say "busybox: more than fits a packet is asked for"
	in_box web1 busybox tftp -b 4096 -g -r kernel -l "$DIR/got/file" 10.77.0.1
	same kernel
fi

say "nothing from beside the directory, nothing that is no file, nothing that is closed"
for file in ../secret efi/../../secret absolute relative efi/around pipe efi closed/key missing //etc/passwd; do
	! get "$file" --path-as-is || fail "$file was lent"
done
has "what is told" "$(json '.tftp | "served \(.served) refused \(.refused) active \(.active)"' net show lab)" 'served [0-9]+ refused 10 active 0'

say "nothing is taken"
! in_box web1 curl -sf --max-time 5 -T "$DIR/secret" tftp://10.77.0.1/new || fail "a file was taken"
[ ! -e "$DIR/boot/new" ]

say "set to another directory and back, on the running network, and not at all"
mkdir "$DIR/other"; echo other >"$DIR/other/kernel"; chmod -R a+rX "$DIR/other"
lanyard net set lab --boot-tftp "$DIR/other"
get kernel; is "the other file" "$(<"$DIR/got/file")" other
lanyard export | grep -v '^ *boot:\|^ *tftp:\|^ *file:' >"$DIR/without.yaml"
lanyard apply -f "$DIR/without.yaml"
! get kernel --max-time 1 || fail "it is lent still"
is "the network" "$(json .tftp net show lab)" null

if [ "$AS" = root ]; then
	say "where the gateway's address is the host's: from the switch all the same, and what is not lent is the host's own"
	lanyard net add far --mode host-only --subnet 10.78.0.0/24 --boot-tftp "$DIR/boot"
	box far/pc
	dhcp pc >/dev/null
	fetch() { in_box pc curl -sf --max-time "$1" -o "$DIR/got/file" tftp://10.78.0.1/kernel; }
	fetch 10
	same kernel
	lanyard net set far --boot-tftp ''
	is "the setting" "$(json .boot net show far)" null
	! fetch 1 || fail "it is lent still"
fi
