#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/vm/30-netboot.sh - a machine without a disk: iPXE from QEMU's option ROM, by TFTP its script, a kernel and an initrd, and then a lease
# limit: 180
# before: tests/vm/kernel.sh
. "$ROOT/tests/net/lib.sh"
. "$ROOT/tests/vm/guest.sh"
guest_needs
[ -r /usr/lib/ipxe/qemu/efi-virtio.rom ] || absent "no iPXE for QEMU (ipxe-qemu)"

mkdir "$DIR/boot"
guest_initrd "$DIR/boot/initrd.img"
cp -L "$B/vm/kernel/vmlinuz" "$DIR/boot/vmlinuz"
cat >"$DIR/boot/menu.ipxe" <<'IPXE'
#!ipxe
kernel vmlinuz @APPEND@ netboot=${net0/ip},${next-server},${filename}
initrd initrd.img
boot
IPXE
sed -i "s|@APPEND@|$GUEST_APPEND initrd=initrd.img|" "$DIR/boot/menu.ipxe"
chmod -R a+rX "$DIR/boot"

daemon_start
lanyard net add lab --subnet 10.77.0.0/24 --boot-tftp "$DIR/boot" --boot-bios no-such-file --boot-ipxe menu.ipxe
guest_kernel -boot n
GUEST_BOOT_S=120
start=${EPOCHREALTIME/./}
eval "guest_start vm1 $(lanyard qemu lab/vm1)"
echo "   in $(((${EPOCHREALTIME/./} - start) / 1000000)) s"

said=$(guest_run vm1 5 'cat /proc/cmdline')
address=$(json '.leases[] | select(.port == "vm1") | .ip' lease ls lab)
has "what iPXE was told" "$said" "netboot=$address,10\.77\.0\.1,menu\.ipxe"
is "what it asked for" "$(json '.tftp | "\(.served) \(.refused) \(.broken_off)"' net show lab)" "3 0 0"
guest_run vm1 20 'udhcpc -i eth0 -n -q -t 10 -T 1 -s /etc/udhcpc/default.script >/dev/null && ip -4 -o addr show dev eth0' >"$DIR/lease"
has "the system that booted has the firmware's address" "$(<"$DIR/lease")" "$address/24"
guest_stop vm1
