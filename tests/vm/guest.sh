# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# tests/vm/guest.sh - real guests for the tests: QEMU without KVM, a Debian cloud kernel, a busybox initrd made here
#
# guest_start NAME QEMU-ARGUMENT...	boot; returns when the guest takes commands
# guest_spawn NAME QEMU-ARGUMENT...	the same, but returns at once: for a guest that comes by migration
# guest_kernel ARGUMENT...		how the next ones boot: as this says, and not from our kernel and initrd
# guest_run NAME SECONDS COMMAND	run a line of shell in the guest: its output, its exit status; 124 when too late
# guest_stop NAME [SIGNAL]		end its QEMU
#
# The serial ports of a guest are NAME.console (kernel, a file) and NAME.in/NAME.out (commands, two FIFOs) in $DIR.

declare -A GUEST_PID GUEST_IN GUEST_OUT

# In the order in which they need one another; names as of Linux 6.1, where .ko files are not packed.
GUEST_MODULES="virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net"

guest_needs() {
	command -v qemu-system-x86_64 >/dev/null || absent "no qemu-system-x86_64"
	busybox --list 2>/dev/null | grep -qx udhcpc || absent "no busybox (busybox-static)"
	[ -r "$B/vm/kernel/vmlinuz" ] || absent "no kernel for the guest: run tests/vm/kernel.sh"
}

# guest_initrd FILE - busybox, the drivers and tests/vm/init
guest_initrd() {
	local root=$DIR/initrd module file

	mkdir -p "$root/bin" "$root/modules" "$root/etc/udhcpc"
	cp "$(command -v busybox)" "$root/bin/busybox"
	cp "$ROOT/tests/vm/init" "$root/init"
	cp "$ROOT/scripts/udhcpc.script" "$root/etc/udhcpc/default.script"
	for module in $GUEST_MODULES; do
		file=$(find "$B/vm/kernel/modules/" -name "$module.ko*" | head -n 1)
		[ -n "$file" ] || continue	# built in, or of another release
		case $file in
		*.xz) xz -dc "$file" >"$root/modules/$module.ko" ;;
		*) cp "$file" "$root/modules/$module.ko" ;;
		esac
		echo "$module" >>"$root/modules/order"
	done
	(cd "$root" && find . | busybox cpio -o -H newc 2>/dev/null) >"$1"
}

GUEST_APPEND="console=ttyS0 quiet panic=-1 net.ifnames=0 mitigations=off no_timer_check irqaffinity=0"
GUEST_KERNEL=(-kernel "$B/vm/kernel/vmlinuz" -initrd "$DIR/initrd.img" -append "$GUEST_APPEND")
guest_kernel() { GUEST_KERNEL=("$@"); }

guest_spawn() {
	local name=$1 in out; shift

	[ -e "$DIR/initrd.img" ] || guest_initrd "$DIR/initrd.img"
	"${RUN_AS[@]}" mkfifo "$DIR/$name.in" "$DIR/$name.out"
	# Both ends are held open here, so that neither QEMU nor this shell waits for the other to open one.
	exec {in}<>"$DIR/$name.in" {out}<>"$DIR/$name.out"
	"${RUN_AS[@]}" qemu-system-x86_64 -M q35,accel=tcg -cpu max -m 256 -nodefaults -no-user-config -no-reboot -display none \
		"${GUEST_KERNEL[@]}" -serial "file:$DIR/$name.console" -chardev "pipe,id=commands,path=$DIR/$name" -serial chardev:commands \
		"$@" </dev/null >"$DIR/$name.qemu" 2>&1 &
	GUEST_PID[$name]=$! GUEST_IN[$name]=$in GUEST_OUT[$name]=$out
}

guest_start() {
	guest_spawn "$@"
	guest_answer "$1" "${GUEST_BOOT_S:-60}" && [ "$GUEST_STATUS" = ready ] && return 0
	cat "$DIR/$1.qemu" "$DIR/$1.console"
	fail "guest $1 did not boot"
}

# guest_answer NAME SECONDS - print what comes until the line "@@WORD"; WORD is in GUEST_STATUS
guest_answer() {
	local line end=$((SECONDS + $2)) left

	while left=$((end - SECONDS)) && [ $left -gt 0 ]; do
		IFS= read -r -t $left -u "${GUEST_OUT[$1]}" line || break
		line=${line%$'\r'}
		case $line in
		@@*) GUEST_STATUS=${line#@@}; return 0 ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
	GUEST_STATUS=124
	return 1
}

guest_run() {
	printf '%s\n' "$3" >&"${GUEST_IN[$1]}"
	guest_answer "$1" "$2" || echo "guest $1: no answer in $2 s: $3" >&2
	return "$GUEST_STATUS"
}

guest_stop() {
	local in=${GUEST_IN[$1]} out=${GUEST_OUT[$1]}

	kill -s "${2:-TERM}" "${GUEST_PID[$1]}" 2>/dev/null || true
	wait "${GUEST_PID[$1]}" 2>/dev/null || true
	exec {in}>&- {out}>&-
	rm -f "$DIR/$1.in" "$DIR/$1.out"
	unset "GUEST_PID[$1]" "GUEST_IN[$1]" "GUEST_OUT[$1]"
}
