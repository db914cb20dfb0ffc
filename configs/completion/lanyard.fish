# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of lanyard for fish: `lanyard complete` knows every command, flag and name; the program answers for itself.
function __lanyard_complete
	set -l words (commandline -opc) (commandline -ct)
	for line in ($words[1] complete -- $words 2>/dev/null)
		if test "$line" = :files
			__fish_complete_path (commandline -ct)
		else
			echo $line
		end
	end
end
complete -c lanyard -f -a '(__lanyard_complete)'
