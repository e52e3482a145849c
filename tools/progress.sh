# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=sh
#
# To be sourced: show that something happens while a command writes to a log.

# show_log LOG: show its last line, on a terminal every second, elsewhere every half
# minute. It ends with the shell that started it, if nothing ends it before.
show_log()
{
	second=0
	shown=
	while sleep 1 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
		second=$((second + 1))
		[ -t 2 ] || [ $((second % 30)) -eq 0 ] || continue
		line=$(tail -n 1 "$1" 2>/dev/null | cut -c 1-70)
		[ "$line" != "$shown" ] || continue
		shown=$line
		if [ -t 2 ]; then
			printf '\r    %s\033[K' "$line" >&2
		else
			echo "    $line" >&2
		fi
	done
}

# watched LOG COMMAND...: run the command, with its output added to LOG, and show the last
# line. It runs in a shell of its own, so that its variables stay there.
watched()
(
	log=$1
	shift
	show_log "$log" &
	watcher=$!
	held=0
	"$@" >>"$log" 2>&1 || held=$?
	kill "$watcher" 2>/dev/null || :
	wait "$watcher" 2>/dev/null || :
	[ ! -t 2 ] || printf '\r\033[K' >&2
	exit "$held"
)
