#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# quietly (tools/build.sh): a command's output is in its log, and is shown only if the
# command fails; its status is returned in both cases; the command may be a function.
set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

wrong=0
expect()
{
	[ "$2" = "$3" ] && return
	echo "quietly: $1: \"$2\", not \"$3\""
	wrong=1
}

log=$(mktemp)
# shellcheck disable=SC2317 # quietly calls it
a_function()
{
	echo from a function
}

said=$(quietly "$log" echo well 2>&1) && held=0 || held=$?
expect "status of a command" "$held" 0
expect "what it shows" "$said" ""
expect "its log" "$(cat "$log")" well
said=$(quietly "$log" sh -c 'echo badly; exit 3' 2>&1) && held=0 || held=$?
expect "status of one that fails" "$held" 1
expect "what that shows" "$said" badly
quietly "$log" a_function
expect "the log of a function" "$(cat "$log")" "from a function"
rm -f "$log"
[ "$wrong" -ne 0 ] || echo "quietly: 6 held"
exit "$wrong"
