#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# dkms.sh check|build RELEASE HEADERS: what DKMS runs, in its copy of the source, for the
# kernel RELEASE. "check" tests whether there is a source of the same version from which
# to build ttm.ko, and a kernel to compare it with. "build" does that again, builds
# dkms/ours/ttm.ko, and compares its interface with that of the kernel's own. If anything
# differs, it exits with an error, and leaves no module.
set -eu

command=$1
release=$2
headers=$(cd "$3" && pwd -P)
series=$(echo "$release" | cut -d. -f1,2)
here=$(cd "$(dirname "$0")" && pwd)
out=dkms
ours=$PWD/$out/ours
tar=/usr/src/linux-source-$series.tar.xz

refuse()
{
	rm -f "$ours/ttm.ko"
	echo "ttm.ko for $release: REFUSED: $*" >&2
	exit 1
}

# The source package may have patches that the kernel lacks, with the same version.
same_package()
{
	built=$(sed -n 's/^#define LINUX_PACKAGE_ID " Debian \(.*\)"$/\1/p' \
		"$headers/include/generated/package.h" 2>/dev/null)
	source=$(dpkg-query -W -f '${source:Version}' "linux-source-$series" \
		2>/dev/null) || source=
	if [ -n "$built" ] && [ -n "$source" ] && [ "$built" != "$source" ]; then
		refuse "linux-source-$series is of version $source, the kernel of" \
			"$built: install both of one version"
	fi
}

check()
{
	[ -e "$tar" ] ||
		refuse "its source is not there: install linux-source-$series"
	same_package
	"$here/source.sh" "$series" "$out" "$tar"
	"$here/stock.sh" / "$release" "$headers" "$out/linux-source-$series" "$out" ||
		refuse "it would not be the kernel's own ttm.ko with another pool"
}

# DKMS 3.0 does not install a module that has the same version as the kernel's own, and
# takes two modules without a version for equal.
add_version()
{
	version=$(sed -n 's/.*TTMPOOL_VERSION_STRING "\(.*\)"/\1/p' \
		"$here/../../include/ttmpool/version.h")
	printf '#include <linux/module.h>\nMODULE_VERSION("%s");\n' \
		"ttmpool-$version" >"$ours/ttmpool_version.c"
	echo 'ttm-y += ttmpool_version.o' >>"$ours/Makefile"
}

build()
{
	add_version
	make -C "$headers" M="$ours" -j"$(getconf _NPROCESSORS_ONLN)" modules ||
		refuse "it could not be built"
	"$here/abi.sh" "$headers/Module.symvers" "$PWD/$out" ||
		refuse "the drivers of the kernel could not use it"
}

case $command in
check) check ;;
build)
	check
	build
	;;
*) refuse "dkms.sh: no such command: $command" ;;
esac
