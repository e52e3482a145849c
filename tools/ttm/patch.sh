#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# patch.sh SERIES WORK OUT TAR: make ttmpool a second page pool in the kernel's own tree,
# as a series of patches in OUT. TAR has the kernel's source; the files that the series
# changes, and those that checkpatch.pl needs, are unpacked to WORK/base. WORK/am is the
# same after "git am" of the series, for builds.
#
# The series is refused if git am refuses it, if the result differs from the files from
# which it was made, or if checkpatch.pl --strict finds an error or a warning that the
# cover letter does not explain.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
series=$1
mkdir -p "$2" "$3"
work=$(cd "$2" && pwd)
out=$(cd "$3" && pwd)
tar=$4
base=$work/base

# The sender of the series is its author.
GIT_AUTHOR_NAME=$(git -C "$root" config user.name || echo ttmpool)
GIT_AUTHOR_EMAIL=$(git -C "$root" config user.email || echo ttmpool@localhost)
GIT_AUTHOR_DATE=$(git -C "$root" log -1 --format=%cI 2>/dev/null ||
	echo 2026-01-01T00:00:00Z)
GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME
GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE
export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_AUTHOR_DATE
export GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL GIT_COMMITTER_DATE
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null

fail()
{
	echo "ttm patch: $*" >&2
	exit 1
}

# The directory has the name with which it was packed.
unpack_base()
{
	[ -z "$(find "$base/COPYING" -newer "$tar" 2>/dev/null)" ] || return 0
	rm -rf "$base" "$work/unpacked"
	mkdir -p "$work/unpacked"
	top=linux-source-$series
	tar -C "$work/unpacked" -xJf "$tar" "$top/COPYING" "$top/CREDITS" \
		"$top/Kbuild" "$top/MAINTAINERS" "$top/Makefile" "$top/README" \
		"$top/Documentation/gpu/drm-mm.rst" \
		"$top/Documentation/gpu/index.rst" \
		"$top/Documentation/dev-tools" \
		"$top/drivers/gpu/drm/Kconfig" "$top/drivers/gpu/drm/ttm" \
		"$top/include/drm" "$top/scripts/checkpatch.pl" \
		"$top/scripts/spelling.txt" "$top/scripts/const_structs.checkpatch"
	for dir in arch fs init ipc kernel lib; do
		mkdir -p "$work/unpacked/$top/$dir"
	done
	mv "$work/unpacked/$top" "$base"
	git -C "$base" init -q -b base
	git -C "$base" add -A
	git -C "$base" commit -q -m "Linux $series"
	touch "$base/COPYING"
}

make_commits()
{
	git -C "$base" checkout -q -f -B series base
	git -C "$base" clean -qfdx -e arch -e fs -e init -e ipc -e kernel -e lib
	n=1
	while message=$(python3 "$here/series.py" message "$root" $n) &&
		[ -n "$message" ]; do
		WHO="$GIT_AUTHOR_NAME <$GIT_AUTHOR_EMAIL>" \
			python3 "$here/series.py" step "$root" "$base" $n
		git -C "$base" add -A
		echo "$message" | git -C "$base" commit -q -s -F -
		n=$((n + 1))
	done
}

make_patches()
{
	rm -f "$out"/*.patch
	git -C "$base" format-patch -q --cover-letter --zero-commit \
		--no-signature -o "$out" base..series
}

# Its lines have the form PATCH:N: LEVEL:KIND: text.
check_patches()
{
	for patch in "$out"/0*[1-9]-*.patch; do
		perl "$base/scripts/checkpatch.pl" --root="$base" --strict \
			--terse --show-types --no-summary "$patch" || continue
	done >"$work/checkpatch.log" 2>&1
	! grep -v -E ': (ERROR|WARNING|CHECK):|^$' "$work/checkpatch.log" >&2 &&
		python3 "$here/series.py" explain "$root" "$work/checkpatch.log" \
			>"$work/table.txt"
}

# git has made the letter, except for its text.
write_cover()
{
	git -C "$base" shortlog -s base..series >/dev/null
	git -C "$base" log --reverse --format='  %s' base..series \
		>"$work/subjects.txt"
	git -C "$base" diff --stat=78 base..series >"$work/stat.txt"
	python3 "$here/series.py" cover "$root" "$work/table.txt" \
		"$work/subjects.txt" "$work/stat.txt" >"$work/cover.txt" ||
		return 1
	cover=$(echo "$out"/0*0-cover-letter.patch)
	{
		sed '/^$/,$d' "$cover" |
			sed "s/\*\*\* SUBJECT HERE \*\*\*/$(head -n 1 "$work/cover.txt")/"
		sed 1d "$work/cover.txt"
	} >"$work/cover.patch"
	mv "$work/cover.patch" "$cover"
	! grep -n '\*\*\* [A-Z]* HERE' "$cover" >&2
}

# The receiver of the series gets the same tree as ours.
apply_series()
{
	rm -rf "$work/am"
	git clone -q --no-hardlinks -b base "$base" "$work/am"
	git -C "$work/am" am -q "$out"/0*[1-9]-*.patch &&
		[ "$(git -C "$work/am" rev-parse 'HEAD^{tree}')" = \
			"$(git -C "$base" rev-parse 'series^{tree}')" ]
}

unpack_base
make_commits
make_patches
check_patches || fail "checkpatch.pl has found what nobody explains"
write_cover
apply_series || fail "git am does not make of it what it was made of"
echo "ttm patch: $(find "$out" -name '0*.patch' ! -name '*cover-letter*' | wc -l)" \
	"patches, $(git -C "$base" diff --shortstat base..series |
		sed 's/^ //')" >&2
