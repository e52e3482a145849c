# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=sh disable=SC2154 # $here, $root, $work: who reads it
#
# Debian 13's packages on a Debian 12, whose index has no 7.x kernels, and whose libc is
# too old for the programs that build modules for them. To be sourced, with $here set to a
# directory beside this one, and $root to the tree's.
#
#     index    an apt configuration of its own, with Debian 13 and its backports
#     folder   a Debian 13 in a directory, in which compilers run (chroot)
#
# Both are made once, under $TTMPOOL_SUITE_DIR, and kept; remove that directory to have
# them made again. The mirror is the one that the system's own sources name.

suite_name=trixie
suite_pockets=-backports
suite_dir=${TTMPOOL_SUITE_DIR:-$here/../../build/$suite_name}
suite_tools='gcc make libc6-dev libelf1t64 libssl3t64 sparse pahole kmod binutils xz-utils'

# The addresses of the system's own archive and of its security updates.
suite_mirror()
{
	# shellcheck disable=SC2016 # apt-get's own
	apt-get indextargets --format '$(LABEL) $(REPO_URI)' \
		'Created-By: Packages' |
		awk -v label="$1" '$1 == label { print $2; exit }'
}

suite_sources()
{
	mirror=$(suite_mirror Debian)
	security=$(suite_mirror Debian-Security)
	if [ -z "$mirror" ]; then
		echo "suite: apt's sources name no archive of Debian" >&2
		return 1
	fi
	signed="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
	for pocket in '' $suite_pockets; do
		echo "deb $signed $mirror $suite_name$pocket main"
	done
	[ -z "$security" ] ||
		echo "deb $signed $security $suite_name-security main"
}

# Make the index, or read it again if it is older than a day.
suite_index()
{
	mkdir -p "$suite_dir/apt/lists/partial" "$suite_dir/apt/cache/archives/partial"
	suite_dir=$(cd "$suite_dir" && pwd)
	apt_dir=$suite_dir/apt
	suite_sources >"$apt_dir/sources.list" || return 1
	: >"$apt_dir/status"
	cat >"$apt_dir/apt.conf" <<-END
		APT::Sandbox::User "root";
		APT::Architecture "amd64";
		Dir::Etc::SourceList "$apt_dir/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::State "$apt_dir";
		Dir::State::Lists "$apt_dir/lists";
		Dir::State::Status "$apt_dir/status";
		Dir::Cache "$apt_dir/cache";
	END
	[ -z "$(find "$apt_dir/updated" -mmin -1440 2>/dev/null)" ] || return 0
	APT_CONFIG=$apt_dir/apt.conf apt-get -qq update >&2 &&
		touch "$apt_dir/updated"
}

# Make the folder if it does not exist; print where it is and how large.
suite_folder()
{
	suite_index || return 1
	folder=$suite_dir/root
	[ ! -e "$folder/complete" ] || return 0
	echo "==> making a Debian 13 in $folder, once" >&2
	as_root rm -rf "$folder"
	as_root debootstrap --variant=minbase \
		--keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
		"$suite_name" "$folder" "$(suite_mirror Debian)" \
		>"$suite_dir/debootstrap.log" 2>&1 || return 1
	suite_sources | as_root tee "$folder/etc/apt/sources.list" >/dev/null
	# shellcheck disable=SC2086 # a list of words
	suite_install $suite_tools && as_root touch "$folder/complete" &&
		echo "==> it has $(as_root du -sm "$folder" | cut -f1) MiB" >&2
}

# suite_need PACKAGE...: install those that the folder lacks.
suite_need()
{
	as_root chroot "$suite_dir/root" dpkg-query -W "$@" >/dev/null 2>&1 ||
		suite_install "$@"
}

# suite_install PACKAGE...: install them in the folder.
suite_install()
{
	as_root chroot "$suite_dir/root" sh -c 'apt-get -qq update &&
		DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
			--no-install-recommends "$@"' - "$@" \
		>>"$suite_dir/debootstrap.log" 2>&1
}

# suite_source SERIES DIR: unpack the package of a kernel's source from the index under
# DIR, without installing it: no Debian 12 has that of 7.3, and a Debian 13 only with its
# backports.
suite_source()
{
	suite_index || return 1
	package=linux-source-$1
	version=$(APT_CONFIG=$suite_dir/apt/apt.conf apt-cache policy "$package" |
		awk '/Candidate:/ { print $2 }')
	[ "$(cat "$2/version" 2>/dev/null)" != "$version" ] || return 0
	echo "==> fetching $package $version" >&2
	rm -rf "$2"
	mkdir -p "$2"
	(cd "$2" && APT_CONFIG=$suite_dir/apt/apt.conf apt-get -qq \
		-o APT::Sandbox::User=root download "$package" &&
		dpkg -x "$package"_*.deb . && rm "$package"_*.deb) >&2 &&
		echo "$version" >"$2/version"
}

# suite_compiler TOOL...: a kernel of Debian 13 is built with its compiler: here, or in
# its folder, which SUITE_FOLDER names then.
suite_compiler()
{
	unset SUITE_FOLDER
	! command -v gcc-14 >/dev/null || return 0
	need debootstrap && suite_folder && suite_need "$@" || return 1
	export SUITE_FOLDER="$suite_dir/root"
}

# there COMMAND...: run it in the system with the kernel's compiler. $root and $work have
# the same paths there.
there()
{
	if [ -z "${SUITE_FOLDER-}" ]; then
		"$@"
	else
		"$root/tools/kernel/enter.sh" "$SUITE_FOLDER" "$root" "$work" -- "$@"
	fi
}

# suite_fetch SERIES DIR: fetch the newest kernel of a series, with fetch.sh, from the
# system's own index or, if that has none, from this one; sets $release. Status 3: neither
# has one.
suite_fetch()
{
	status=0
	release=$("$root/tools/kernel/fetch.sh" "$1" "$2") || status=$?
	if [ "$status" -eq 3 ]; then
		status=0
		suite_index || return 1
		release=$(APT_CONFIG=$suite_dir/apt/apt.conf \
			"$root/tools/kernel/fetch.sh" "$1" "$2") || status=$?
	fi
	release=$(echo "$release" | tail -n 1)
	return "$status"
}

# Does this system lack the compiler that this kernel's headers need, or do the programs
# that build modules for it need a newer libc?
suite_is_newer()
{
	compiler=$(sed -n 's/^CC *=.*\(gcc-[0-9]*\)$/\1/p' \
		"$1"/usr/src/linux-headers-*/.kernelvariables)
	[ -z "$compiler" ] || command -v "$compiler" >/dev/null || return 0
	# shellcheck disable=SC2211 # there is one
	"$1"/usr/lib/linux-kbuild-*/scripts/mod/modpost 2>&1 |
		grep -q "GLIBC_.*not found"
}

# suite_enter DIR: choose where modules for the kernel in DIR are built: here, or in a
# folder with a newer Debian, which SUITE_FOLDER names then.
suite_enter()
{
	unset SUITE_FOLDER
	suite_is_newer "$1" || return 0
	need debootstrap && suite_folder || return 1
	export SUITE_FOLDER="$suite_dir/root"
}
