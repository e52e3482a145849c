# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=sh disable=SC2034,SC2154 # $here, $root, $work, $arm64_modes:
# run.sh's
#
# The part of ./dev kernel test --arch arm64: run.sh reads this file. The modules are
# cross-compiled, and the machine is emulated like any other. The packages come from an
# apt configuration that has arm64 beside this machine's architecture: from the system's
# own sources, or from the next Debian's (suite.sh), whichever has the kernel.

arm64_modes='none smmu-strict smmu-lazy noncoherent smmu-noncoherent'

need_arm64()
{
	need gcc-aarch64-linux-gnu binutils-aarch64-linux-gnu qemu-system-arm \
		device-tree-compiler
}

# arm64_index DIR: make such a configuration there, or read its index again if it is older
# than a day. If there is a file DIR/sources.list, it uses those sources, otherwise the
# system's.
arm64_index()
{
	mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
	apt_dir=$(cd "$1" && pwd)
	: >"$apt_dir/status"
	{
		cat <<-END
			APT::Sandbox::User "root";
			APT::Architecture "amd64";
			APT::Architectures { "amd64"; "arm64"; };
			Dir::State "$apt_dir";
			Dir::State::Lists "$apt_dir/lists";
			Dir::State::Status "$apt_dir/status";
			Dir::Cache "$apt_dir/cache";
		END
		[ ! -e "$apt_dir/sources.list" ] || cat <<-END
			Dir::Etc::SourceList "$apt_dir/sources.list";
			Dir::Etc::SourceParts "/dev/null";
		END
	} >"$apt_dir/apt.conf"
	[ -z "$(find "$apt_dir/updated" -mmin -1440 2>/dev/null)" ] || return 0
	APT_CONFIG=$apt_dir/apt.conf apt-get -qq update >&2 && touch "$apt_dir/updated"
}

# arm64_fetch_from INDEX SERIES DIR: like fetch.sh, with that index.
arm64_fetch_from()
{
	arm64_index "$1" || return 1
	status=0
	release=$(APT_CONFIG=$apt_dir/apt.conf "$here/fetch.sh" "$2" "$3") || status=$?
	release=$(echo "$release" | tail -n 1)
	return "$status"
}

# arm64_fetch SERIES DIR: sets $release. Status 3: there is no such kernel.
arm64_fetch()
{
	status=0
	arm64_fetch_from "$work/apt-arm64" "$@" || status=$?
	[ "$status" -eq 3 ] || return "$status"
	mkdir -p "$work/apt-arm64-$suite_name"
	suite_sources >"$work/apt-arm64-$suite_name/sources.list" || return 1
	arm64_fetch_from "$work/apt-arm64-$suite_name" "$@"
}

# The path of the compiler: here, or in the folder that was entered.
arm64_compiler()
{
	[ -z "${SUITE_FOLDER-}" ] || suite_need gcc-aarch64-linux-gnu
}
