#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# build.sh KERNEL_DIR OUT: build all modules for a kernel that fetch.sh has put into
# KERNEL_DIR; they are in OUT/*.ko afterwards. The source tree stays clean, because links
# to it are compiled. A warning is an error. With CHECK=1 in the environment sparse checks
# every file, and its warnings are errors, too; with RACE=1 the module for ./dev kernel
# bench is built as well, with RACE=only alone; RACE_TTM has what it needs of TTM's
# source, if it needs any.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd -P)
kernel=$1
out=$2
release=$(cat "$kernel/release")
headers=$(cd "$kernel/usr/src/linux-headers-$release" && pwd -P)
mkdir -p "$out"
out=$(cd "$out" && pwd -P)

# The programs of these headers may need a newer libc than this system has: then they run
# in the folder that suite.sh makes, SUITE_FOLDER.
in_suite()
{
	if [ -z "${SUITE_FOLDER-}" ]; then
		"$@"
	else
		"$here/enter.sh" "$SUITE_FOLDER" "$root" "$kernel/.." "$out" -- "$@"
	fi
}

# sparse 0.6.4 knows neither __typeof_unqual__ nor that the length of a literal is a
# constant, and the headers of 7.x use both.
sparse_flags="-D__typeof_unqual__=__typeof__ '-D__builtin_strlen(s)=(sizeof(s)-1)'"

# kbuild DIR ARGS...: build the modules of one directory.
kbuild()
{
	dir=$1
	shift
	log=$out/$(basename "$dir").log
	if ! in_suite make -C "$headers" M="$dir" -j"$(getconf _NPROCESSORS_ONLN)" \
		KCFLAGS=-Werror ${CHECK:+C=2 "CF=$sparse_flags"} \
		"$@" modules >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		return 1
	fi
	if grep -E 'warning:|WARNING:|: error:' "$log" >&2; then
		echo "build: the log of $dir has warnings" >&2
		return 1
	fi
	if [ -n "${CHECK-}" ] && ! grep -q '^ *CHECK ' "$log"; then
		echo "build: sparse did not look at $dir" >&2
		return 1
	fi
	find "$dir" -name '*.ko' -exec cp {} "$out" \;
}

# The race: the library and the drop-in in one module, on the kernel's ttm.ko, if it has
# one. RACE=only builds nothing else.
if [ -n "${RACE-}" ]; then
	"$here/link-tree.sh" "$out/race" include lib shim/linux tools/bench
	ln -sf "$root/tools/bench/Kbuild" "$out/race/Kbuild"
	[ ! -d "${RACE_TTM-}" ] || ln -sfn "$RACE_TTM" "$out/race/ttm_source"
	kbuild "$out/race"
	[ "$RACE" != only ] || exit 0
fi

# The driver names ttmpool's Kbuild, and both modules are built.
"$here/link-tree.sh" "$out/shared/ttmpool" Kbuild include lib shim/linux
for file in "$root"/examples/edu-driver/*.[ch] \
	"$root/examples/edu-driver/Kbuild"; do
	ln -sf "$file" "$out/shared/"
done
kbuild "$out/shared"
python3 "$root/tests/floors/floors.py" --kernel \
	--others "$out/shared/ttmpool/ttmpool.ko" >&2

# The same driver, with the library compiled in.
"$here/link-tree.sh" "$out/embedded/ttmpool" include lib shim/linux
for file in "$root"/examples/edu-driver/*.[ch]; do
	ln -sf "$file" "$out/embedded/"
done
ln -sf "$root/examples/edu-driver/Kbuild.embedded" "$out/embedded/Kbuild"
kbuild "$out/embedded"

# first_driver DIR KBUILD: the first driver's files, in a directory to build it in.
first_driver()
{
	mkdir -p "$1"
	ln -sf "$root/examples/first-driver/first.c" "$1/"
	ln -sf "$root/examples/first-driver/$2" "$1/Kbuild"
}

# The first driver, in the three ways of docs/kernel.md: beside ttmpool.ko, with the library
# in it, and on a ttmpool.ko that is elsewhere. The first is built where ttmpool.ko is
# already, which is not compiled again then. sparse has checked the library already, and
# checks the driver in the last of them.
first_driver "$out/shared" Kbuild
(CHECK='' && kbuild "$out/shared")
first_driver "$out/first-embedded" Kbuild.embedded
"$here/link-tree.sh" "$out/first-embedded/ttmpool" include lib shim/linux
(CHECK='' && kbuild "$out/first-embedded")
first_driver "$out/first-elsewhere" Kbuild.elsewhere
kbuild "$out/first-elsewhere" TTMPOOL="$out/shared/ttmpool" \
	KBUILD_EXTRA_SYMBOLS="$out/shared/Module.symvers"

# The test cases, on ttmpool.ko.
"$here/link-tree.sh" "$out/cases" include shim/linux tests
kbuild "$out/cases/tests" KBUILD_EXTRA_SYMBOLS="$out/shared/Module.symvers"
