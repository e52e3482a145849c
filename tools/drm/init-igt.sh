# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=dash disable=SC2154 # $rounds...
#
# The part of a machine that runs IGT's tests, which are on the first disk: /igt.sh there,
# and init.sh reads it. Each result is a line "igt: TEST SUBTEST RESULT"; what a test that
# did not pass has printed follows, after "igt| ".

tests=/usr/libexec/igt-gpu-tools

mount_igt()
{
	while read -r ko; do
		insmod "$ko"
	done <disk
	mkdir -p /igt && mount -t ext4 -o ro /dev/vda /igt || return 1
	for dir in tmp run root; do
		mount -t tmpfs tmpfs "/igt/$dir" || return 1
	done
	for dir in dev proc sys sys/kernel/debug; do
		mount --bind "/$dir" "/igt/$dir" || return 1
	done
}

# A test with subtests has a line for each; one without has one line of its result. What
# else ends it is a crash, also a signal because it took too long.
results()
{
	awk -v test="$1" -v status="$2" '
	function result(of, word) { print "igt:", test, of, word; n++ }
	/^Subtest [^ ]*: [A-Z]+/ { sub(/:$/, "", $2); result($2, $3) }
	/^(SUCCESS|SKIP|FAIL|TIMEOUT) \(/ { result("-", $1) }
	END { if (!n || status > 128) result("-", "CRASH") }' /out
}

# The end of what a test has printed. The judge of the console looks for BUG.
said()
{
	grep -v DEBUG /out | tail -n 20 | sed 's/^/igt| /'
}

# one_test TEST [SUBTESTS]
one_test()
{
	status=0
	timeout 300 chroot /igt "$tests/$1" ${2:+--run-subtest "$2"} \
		>/out 2>&1 </dev/null || status=$?
	results "$1" "$status" >/results
	cat /results
	! grep -qE ' (FAIL|CRASH|TIMEOUT)$' /results || said
}

run_igt()
{
	while read -r round test subtests; do
		case ,$rounds, in
		*,$round,*) one_test "$test" "$subtests" ;;
		esac
	done </igt.txt
}

igt_all()
{
	step disk mount_igt
	# IGT writes to the log of the kernel, too; that is not shown.
	dmesg -n 5
	step igt run_igt
	step unload unload_driver
}
