#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# ./dev bench: what the library costs natively, beside others on the same machine, by
# turns. "record" runs this and the race in the kernel, and writes the results into
# docs/performance.md, between its markers.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/build/bench
page=$root/docs/performance.md

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

usage()
{
	cat <<'END'
usage: ./dev bench [--json]
       ./dev bench record [--without-kernel]

Times the library, natively, beside DPDK's rte_mempool, lists with locks, and bare
stores. "record" does it, and races the kernel's own page pool (./dev kernel bench),
and writes the tables of docs/performance.md anew.
END
}

prepare()
{
	need gcc libc6-dev make cmake pkg-config libdpdk-dev ||
		fail "bench: packages are missing"
	say "building the benchmarks"
	quietly "$root/build/bench-configure.log" \
		cmake -S "$here/native" -B "$work" ||
		fail "bench: could not be configured"
	quietly "$root/build/bench-build.log" \
		cmake --build "$work" -j "$jobs" ||
		fail "bench: could not be built"
}

# One line of the table for each row of a JSON object.
as_table()
{
	printf '| | what | ours | other | times better | goal | |\n'
	printf '|---|---|---|---|---|---|---|\n'
	jq -r 'to_entries[] | .key as $key | .value |
		(if .most then .ours <= .goal else .ratio >= .goal end) as $met |
		"| \($key) | \(.what) | \(.ours) | \(.other) | " +
		(if .most then "" else "\(.ratio)" end) + " | " +
		(if .most then "at most \(.goal)" else "\(.goal)" end) +
		" | \(if $met then "met" else "**missed**" end) |"' "$1"
}

# What is known of the machine that a result is of.
machine()
{
	printf '%s, %s processors; %s\n\n' \
		"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
		"$(getconf _NPROCESSORS_ONLN)" \
		"$(gcc --version | head -n 1)"
}

# put NAME FILE: FILE takes the place of what is between the markers of NAME.
put()
{
	awk -v name="$1" -v file="$2" '
		$0 == "<!-- " name " -->" {
			print
			while ((getline line <file) > 0)
				print line
			skip = 1
		}
		$0 == "<!-- end " name " -->" { skip = 0 }
		!skip && $0 != "<!-- " name " -->"' "$page" >"$page.new"
	mv "$page.new" "$page"
}

record()
{
	need jq || fail "bench: packages are missing"
	"$work/ttmpool-bench" --json >"$work/native.json"
	{
		machine
		as_table "$work/native.json"
	} >"$work/native.md"
	put native "$work/native.md"
	if [ "${1-}" != --without-kernel ]; then
		"$root/tools/kernel/run.sh" bench --json --kernel 6.12 \
			>"$work/kernel.json" || fail "bench: the race failed"
		as_table "$work/kernel.json" >"$work/kernel.md"
		put kernel "$work/kernel.md"
	fi
	echo "bench: $(cat "$work"/*.md | grep -c '| met |') targets met," \
		"$(cat "$work"/*.md | grep -c '| \*\*missed\*\* |') missed"
}

case ${1-} in
help | --help | -h) usage ;;
record)
	shift
	prepare
	record "$@"
	;;
*)
	prepare
	exec "$work/ttmpool-bench" "$@"
	;;
esac
