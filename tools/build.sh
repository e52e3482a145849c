#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# To be sourced after packages.sh, with $root set: print what is done, and build one of
# CMake's presets, with the tools' output in a log that is shown only if they fail.

# shellcheck source=tools/progress.sh disable=SC2154 # $root is for who sources this to set
. "$root/tools/progress.sh"

jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)

# say TEXT: print what is done now. On stderr: stdout is for results.
say()
{
	echo "==> $*" >&2
}

# fail TEXT: the last line of a command that failed.
fail()
{
	echo "$*" >&2
	exit 1
}

# quietly LOG COMMAND...: run it with its output in LOG, which is shown if it fails; until
# then only its last line is shown.
quietly()
{
	mkdir -p "$(dirname "$1")"
	: >"$1"
	watched "$@" && return
	tail -n 40 "$1" >&2
	return 1
}

# shellcheck disable=SC2154 # $root is for who sources this to set
in_root()
{
	(cd "$root" && "$@")
}

# build PRESET [TARGET...]: configure and build.
build()
{
	preset=$1
	shift
	say "building ($preset)"
	quietly "$root/build/$preset-configure.log" \
		in_root cmake --preset "$preset" &&
		quietly "$root/build/$preset-build.log" \
			in_root cmake --build --preset "$preset" -j "$jobs" \
			${1:+--target "$@"}
}

# Compilers, make and binutils are in build-essential; the rest is in debian/control.
need_test()
{
	# shellcheck disable=SC2046 # a list of words
	need gcc g++ libc6-dev make binutils $(build_depends) $(build_depends nocheck)
}

# finding PATTERN COMMAND...: run it, and if it succeeds, mark the part of its output that
# PATTERN captures as found.
finding()
{
	pattern=$1
	shift
	output=$(mktemp)
	held=0
	"$@" >"$output" 2>&1 || held=$?
	cat "$output"
	[ "$held" -ne 0 ] || sed -n "s/$pattern/found: \\1/p" "$output"
	rm -f "$output"
	return "$held"
}
