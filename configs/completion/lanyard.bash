# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of lanyard for bash: `lanyard complete` knows every command, flag and name; the program answers for itself.
_lanyard() {
	local line words=("${COMP_WORDS[@]:0:COMP_CWORD+1}")

	COMPREPLY=()
	while IFS=$'\t' read -r line _; do
		if [ "$line" = :files ]; then
			compopt -o default
		else
			COMPREPLY+=("$line")
		fi
	done < <("${words[0]}" complete -- "${words[@]}" 2>/dev/null)
}
complete -F _lanyard lanyard
