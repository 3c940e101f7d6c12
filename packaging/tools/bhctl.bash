# SPDX-License-Identifier: BSD-2-Clause
# bash completion of bhctl: commands, options, guests' names, files

# Names of guests in a state and of a kind, each a regular expression
_bhctl_guests() { # [STATE [KIND]]
	bhctl list 2>/dev/null |
		awk -v state="^(${1:-.*})\$" -v kind="^(${2:-.*})\$" \
			'NR > 1 && $2 ~ state && $3 ~ kind { print $1 }'
}

_bhctl() {
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	local commands='list info audit stats metering trace console events metrics log run create check start stop destroy pause resume reset set dump gdb top'
	local command='' i isolated='static|dynamic'

	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		if [[ " $commands " == *" ${COMP_WORDS[i]} "* ]]; then
			command=${COMP_WORDS[i]}
			break
		fi
	done
	case $before in
	--kernel|--initrd|--firmware|--socket|--listen|--output|-o)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return ;;
	esac
	case $command in
	'') mapfile -t COMPREPLY < <(compgen -W "$commands help --help --version --socket" -- "$word") ;;
	create|check)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	info) mapfile -t COMPREPLY < <(compgen -W "$(_bhctl_guests) --json" -- "$word") ;;
	list|top|audit) mapfile -t COMPREPLY < <(compgen -W '--json' -- "$word") ;;
	events) mapfile -t COMPREPLY < <(compgen -W '--follow --json' -- "$word") ;;
	stats) mapfile -t COMPREPLY < <(compgen -W "$(_bhctl_guests) --json" -- "$word") ;;
	metering) mapfile -t COMPREPLY < <(compgen -W \
		'off counters histograms --json' -- "$word") ;;
	trace) mapfile -t COMPREPLY < <(compgen -W '--seconds --output' -- "$word") ;;
	metrics) mapfile -t COMPREPLY < <(compgen -W '--http' -- "$word") ;;
	log) mapfile -t COMPREPLY < <(compgen -W '--follow' -- "$word") ;;
	run) mapfile -t COMPREPLY < <(compgen -W \
		'--kernel --initrd --firmware --cmdline --fw-cfg --memory --cpus --name' -- "$word") ;;
	console) mapfile -t COMPREPLY < <(compgen -W \
		"$(_bhctl_guests) --read-only --dump" -- "$word") ;;
	set) mapfile -t COMPREPLY < <(compgen -W "$(_bhctl_guests) weight= cap=" -- "$word") ;;
	stop) mapfile -t COMPREPLY < <(compgen -W \
		"$(_bhctl_guests 'running|paused' "$isolated") --timeout" -- "$word") ;;
	gdb) mapfile -t COMPREPLY < <(compgen -W \
		"$(_bhctl_guests 'running|crashed' "$isolated") --listen" -- "$word") ;;
	dump)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -W \
			"$(_bhctl_guests 'running|paused|crashed' "$isolated") --json" -- "$word"
			compgen -f -- "$word") ;;
	start) mapfile -t COMPREPLY < <(compgen -W \
		"$(_bhctl_guests 'off|stopped|crashed' "$isolated")" -- "$word") ;;
	pause) mapfile -t COMPREPLY < <(compgen -W \
		"$(_bhctl_guests running "$isolated")" -- "$word") ;;
	resume) mapfile -t COMPREPLY < <(compgen -W \
		"$(_bhctl_guests paused "$isolated")" -- "$word") ;;
	reset) mapfile -t COMPREPLY < <(compgen -W \
		"$(_bhctl_guests '.*' "$isolated")" -- "$word") ;;
	destroy) mapfile -t COMPREPLY < <(compgen -W \
		"$(_bhctl_guests '.*' dynamic)" -- "$word") ;;
	esac
}
complete -F _bhctl bhctl
