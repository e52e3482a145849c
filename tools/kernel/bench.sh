# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=sh disable=SC2154 # $here, $work, $modes, $kernels: run.sh's
#
# ./dev kernel bench: the kernel's own ttm_pool, the drop-in and ttmpool do the same work,
# in one boot, in turns (tools/bench). The emulated machine's clock counts instructions,
# and all numbers are ratios of such counts, or counts of events: they do not contain the
# time that a real flush takes.

# The modules of the kernel that TTM needs, in the order in which they are loaded.
bench_modules()
{
	depmod -b "$1" "$2" &&
		modprobe -d "$1" -S "$2" --show-depends ttm |
		sed -n 's/^insmod \([^ ]*\).*/\1/p'
}

# The initial file system of the test, with another init and these modules.
build_bench_initramfs()
{
	kernel=$1
	out=$2
	release=$(cat "$kernel/release")
	tree=$(mktemp -d)
	mkdir -p "$tree/race"
	cp "$here/init-bench.sh" "$tree/init"
	chmod +x "$tree/init"
	bench_modules "$kernel" "$release" >"$out/race-modules" || return 1
	while read -r ko; do
		name=$(basename "$ko" .xz)
		case $ko in
		*.xz) xz -dc "$ko" >"$tree/race/$name" ;;
		*) cp "$ko" "$tree/race/" ;;
		esac
		echo "$name" >>"$tree/race/order"
	done <"$out/race-modules"
	{
		cat "$out/initramfs.gz"
		(cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1)
	} >"$out/race.gz"
	rm -rf "$tree"
}

# If TTM backs up buffers itself, the race needs some of its source, from the package of
# the kernel.
race_source()
{
	unset RACE_TTM
	[ -e "$(echo "$work/$1"/usr/src/*-common/include/drm/ttm/ttm_backup.h)" ] ||
		return 0
	source_dir=$root/build/ttm/package-$1
	export RACE_TTM="$work/race-ttm-$1"
	suite_source "$1" "$source_dir" || return 1
	[ -z "$(find "$RACE_TTM/ttm_backup.c" -newer "$source_dir/version" \
		2>/dev/null)" ] || return 0
	mkdir -p "$RACE_TTM"
	ttm=linux-source-$1/drivers/gpu/drm/ttm
	tar -C "$RACE_TTM" --strip-components=5 --touch \
		-xJf "$source_dir/usr/src/linux-source-$1.tar.xz" \
		"$ttm/ttm_backup.c" "$ttm/ttm_pool_internal.h"
}

# race SERIES MODE PART: boot one race; write its table beside its console.
race()
{
	series=$1
	mode=$2
	part=$3
	log=$work/race-$series-$mode-$part.log
	say "$series: racing, mode $mode ($part)"
	rm -f "$log"
	RACE_PART=$part "$here/boot.sh" "$work/$series" \
		"$work/out-$series/race.gz" "$mode" "$log" \
		>"$log.qemu" 2>&1 || return 1
	if grep -aE 'not ok|BUG|WARNING|Oops|^race:.*: -[0-9]' "$log" >&2 ||
		! grep -aq 'end of the test' "$log"; then
		return 1
	fi
	awk -v title="$series $mode" -f "$here/../bench/table.awk" "$log" \
		>"$log.table"
	case $output in
	table | pressure) cat "$log.table" ;;
	esac
}

# The measured targets of the last kernel; those under pressure only if that part was run
# before.
targets()
{
	pressed=$work/race-$series-vtd-strict-pressure.log
	# shellcheck disable=SC2046 # a list of words
	awk -f "$here/../bench/targets.awk" $(for mode in $modes; do
		echo "mode=$mode" "$work/race-$series-$mode-all.log"
	done) $([ ! -e "$pressed.table" ] || echo "mode=pressure $pressed")
}

# race_part SERIES PART, in all modes.
race_part()
{
	for mode in $modes; do
		race "$1" "$mode" "$2" || failed=$((failed + 1))
	done
}

# Are the counts of a small race within the recorded limits?
race_few()
{
	for mode in $modes; do
		race "$1" "$mode" few &&
			awk -v mode="$mode" -f "$here/../bench/race-gate.awk" \
				"$here/../bench/race-limits.txt" "$log" ||
			failed=$((failed + 1))
	done
}

run_bench()
{
	modes='none vtd-lazy vtd-strict amd'
	output=table
	case ${1-} in
	--json) output=json ;;
	--gate)
		output=gate
		modes=none
		kernels=6.12
		;;
	--pressure)
		output=pressure
		modes=vtd-strict
		kernels=6.12
		;;
	esac
	[ "$output" = table ] || shift
	parse "$@"
	need_tools || fail "packages are missing"
	mkdir -p "$work"
	failed=0
	export RACE=only RACE_MEMORY=3G
	rm -f "$work"/race-*-all.log.table "$work"/race-*-few.log.table
	for series in $kernels; do
		prepare "$series" || fail "$series: could not be built"
		build_bench_initramfs "$work/$series" "$work/out-$series" ||
			fail "$series: no initial file system"
		case $output in
		gate) race_few "$series" ;;
		pressure) race_part "$series" pressure ;;
		*) race_part "$series" all ;;
		esac
	done
	if [ "$output" = json ]; then
		targets
		return "$failed"
	fi
	echo "kernel bench: $(cat "$work"/race-*.table | grep -c ' x ') rows," \
		"$failed races failed"
	[ "$failed" -eq 0 ]
}
