#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# ./dev docs: the site of docs/, with the reference from the headers' comments. A warning
# is an error.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
site=$root/build/docs

# shellcheck source=tools/packages.sh
. "$root/tools/packages.sh"
# shellcheck source=tools/build.sh
. "$root/tools/build.sh"

# build_site FROM TO: status 0 if there was no warning.
build_site()
{
	PYTHONDONTWRITEBYTECODE=1 sphinx-build -W --keep-going -E -q -b html \
		-d "$2/trees" "$1" "$2/html" 2>&1
}

# The build must find comments with mistakes in them.
check_planted()
{
	planted=$(build_site "$root/tests/docs/site" "$site/planted") && return 1
	for mistake in 'planted_parameter: has no missing' 'planted_name: is not what' \
		'no name:'; do
		echo "$planted" | grep -q "$mistake" ||
			fail "docs: FAILED: not found in tests/docs/site: $mistake"
	done
}

[ $# -eq 0 ] || fail "usage: ./dev docs"
# shellcheck disable=SC2046 # a list of words
need $(build_depends nodoc) || fail "docs: FAILED: packages are missing"
mkdir -p "$site"
say "building the site"
build_site "$root/docs" "$site" >&2 || fail "docs: FAILED"
check_planted || fail "docs: FAILED: mistakes in comments are not found"
echo "docs: $(find "$site/html" -name '*.html' | wc -l) pages, no warnings:" \
	"$site/html/index.html"
