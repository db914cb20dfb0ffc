#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/fuzz/quick.sh BUILD-DIR TARGET... - run each target for FUZZ_SECONDS, keep what it found, measure what it reached
#
# Seeds are tests/fuzz/corpus/NAME; the merged corpus stays in BUILD-DIR/corpus/NAME. The comment line
# "covers: base/x.c dhcp/y.c" at the top of a target names its parsers; line coverage of each below 80 % fails, and
# so does a crash, whose input is kept in BUILD-DIR/corpus/NAME.crashes.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1
shift
seconds=${FUZZ_SECONDS:-30}
corpus=$build/corpus
failed=0
profdata=$(command -v llvm-profdata || command -v llvm-profdata-14)
cov=$(command -v llvm-cov || command -v llvm-cov-14)
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=detect_leaks=1

# fuzz_one TARGET - explore, then merge seeds and findings into the smallest corpus that reaches the same
fuzz_one() {
	local target=$1 name=${1##*/} seeds
	seeds=tests/fuzz/corpus/$name
	mkdir -p "$corpus/$name" "$corpus/$name.crashes" "$corpus/$name.new"
	[ -d "$seeds" ] || seeds=
	LLVM_PROFILE_FILE=/dev/null "$target" -max_total_time="$seconds" -seed="${FUZZ_SEED:-0}" -max_len="$(max_len "$name")" -rss_limit_mb=2048 -timeout=10 \
		-artifact_prefix="$corpus/$name.crashes/" "$corpus/$name" $seeds >"$corpus/$name.log" 2>&1 || return 1
	LLVM_PROFILE_FILE=/dev/null "$target" -merge=1 -max_len="$(max_len "$name")" "$corpus/$name.new" "$corpus/$name" $seeds \
		>>"$corpus/$name.log" 2>&1 || return 1
	rm -rf "${corpus:?}/$name" && mv "$corpus/$name.new" "$corpus/$name"
}

# max_len NAME - "max_len: N" in the source, or 4096 bytes
max_len() {
	local n
	n=$(sed -n 's/.*max_len: *\([0-9]*\).*/\1/p' "tests/fuzz/fuzz_$1.c" | head -n 1)
	echo "${n:-4096}"
}

# measure TARGET - replay the corpus once and print line coverage of the parsers it covers
measure() {
	local target=$1 name=${1##*/} files profile
	files=$(sed -n 's/.*covers: *\(.*[^ */]\) *\**\/*.*/\1/p' "tests/fuzz/fuzz_$name.c" | head -n 1)
	profile=$corpus/$name.profile
	LLVM_PROFILE_FILE=$profile.raw "$target" -runs=0 -max_len="$(max_len "$name")" "$corpus/$name" >/dev/null 2>&1 || return 1
	"$profdata" merge -sparse "$profile.raw" -o "$profile" || return 1
	rm -f "$profile.raw"
	local status=0 file percent
	for file in $files; do
		percent=$("$cov" export -summary-only -instr-profile "$profile" "$target" "$file" 2>/dev/null |
			python3 -c 'import json,sys; print("%.1f" % json.load(sys.stdin)["data"][0]["totals"]["lines"]["percent"])')
		printf '%-12s %-24s %5s %% of lines\n' "$name" "$file" "${percent:-?}"
		awk -v p="${percent:-0}" 'BEGIN { exit !(p < 80) }' && status=1
	done
	[ -n "$files" ] || { echo "$name: its source names no parser (covers: ...)"; status=1; }
	return $status
}

running=()
for target in "$@"; do
	fuzz_one "$target" &
	running+=("$!:$target")
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
done
declare -A crashed=()
for job in "${running[@]}"; do
	wait "${job%%:*}" || crashed[${job#*:}]=1
done
for target in "$@"; do
	name=${target##*/}
	if [ -n "${crashed[$target]:-}" ]; then
		failed=$((failed + 1))
		echo "$name: FAILED; inputs in $corpus/$name.crashes"
		tail -n 40 "$corpus/$name.log" | sed 's/^/      /'
	elif ! measure "$target"; then
		failed=$((failed + 1))
		echo "$name: FAILED; below 80 % of lines"
	fi
done
echo "fuzz-quick: $# targets, ${seconds} s each, $failed failed"
[ "$failed" = 0 ] && [ $# -gt 0 ]
