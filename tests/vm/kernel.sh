#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/vm/kernel.sh - have a Debian cloud kernel for the guests of tests/vm in $B/vm/kernel
#
# A kernel that is installed is used where it is; else the package is fetched with `apt-get download` and unpacked,
# which needs no root and leaves the host's own boot alone. $B/vm/kernel/vmlinuz and .../modules are links.
# Exit status 77: there is none and none can be had; the tests say then whether that is a skip.
set -euo pipefail

dir=${B:?}/vm/kernel
[ -r "$dir/vmlinuz" ] && [ -d "$dir/modules" ] && exit 0
mkdir -p "$dir"
cd "$dir"

# found RELEASE ROOT - use the kernel of that release below ROOT, if it can be read
found() {
	[ -r "$2/boot/vmlinuz-$1" ] && [ -d "$2/lib/modules/$1/kernel/drivers/virtio" ] || return 1
	ln -sfn "$2/boot/vmlinuz-$1" vmlinuz
	ln -sfn "$2/lib/modules/$1" modules
}

for image in /boot/vmlinuz-*-cloud-amd64; do
	found "${image#/boot/vmlinuz-}" "" && exit 0
done

package=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: *\(linux-image-[0-9].*\)/\1/p' | head -n 1)
if [ -z "$package" ]; then
	echo "no package linux-image-cloud-amd64 is known here (apt-get update?)"
	exit 77
fi
as_root=()
[ "$(id -u)" = 0 ] && as_root=(-o APT::Sandbox::User=root)
if ! timeout 120 apt-get "${as_root[@]}" -qq download "$package" >apt.log 2>&1; then
	echo "cannot download $package: $(tail -n 1 apt.log)"
	exit 77
fi
dpkg-deb -x "$package"_*.deb unpacked
rm -f "$package"_*.deb
found "${package#linux-image-}" "$dir/unpacked"
