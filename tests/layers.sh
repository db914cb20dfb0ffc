#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/layers.sh - print every include that points the wrong way; silence and status 0 when there is none
#
#   base <- switch <- tap, nat, dhcp <- ctl <- tests; tap, nat and dhcp never include one another.
# Two more rules: a .c file includes its own header first, and the keeper includes nothing that parses strangers' bytes.
set -u
cd "$(dirname "$0")/.." || exit 1
status=0

# only ALLOWED-DIRS FILE... - complain about each include of ours that is outside ALLOWED-DIRS (a|b|c)
only() {
	local allowed=$1
	shift
	local bad
	bad=$(grep -nHE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' "$@" /dev/null |
		grep -vE "#[[:space:]]*include[[:space:]]+\"($allowed)/[^\"]*\"")
	[ -z "$bad" ] && return
	printf '%s\n' "$bad"
	status=1
}

shopt -s nullglob
only 'base' base/*.[ch]
only 'base|switch' switch/*.[ch]
for d in tap nat dhcp; do
	only "base|switch|$d" "$d"/*.[ch]
done
only 'base|switch|tap|nat|dhcp|ctl' ctl/*.[ch]
for f in ctl/start*.[ch] ctl/keeper*.[ch] ctl/act*.[ch] ctl/host.[ch] ctl/paths.[ch]; do
	bad=$(grep -nHE '^#include "' "$f" | grep -vE '"(base/[a-z0-9_]+|ctl/(start|keeper[a-z_]*|act[a-z_]*|host|paths|netns(_link|_nl)?))\.h"')
	[ -z "$bad" ] || { printf '%s\n' "$bad"; status=1; }
done

for f in {base,switch,tap,nat,dhcp,ctl}/*.c; do
	own=${f%.c}.h
	[ -e "$own" ] || continue
	first=$(grep -m 1 -E '^#include' "$f")
	[ "$first" = "#include \"$own\"" ] || { echo "$f: includes $first before its own header"; status=1; }
done
exit $status
