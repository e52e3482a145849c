#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=dash
#
# The only program of a machine for a race: it loads TTM with the modules that TTM needs,
# and the race, which writes to the console; part=... on the kernel's command line chooses
# a part of it.

# shellcheck source=tools/kernel/machine.sh
. /machine.sh

add_swap
while read -r ko; do
	insmod "/race/$ko"
done </race/order
part=$(sed -n 's/.*part=\([a-z]*\).*/\1/p' /proc/cmdline)
insmod /modules/ttm_race.ko part="${part:-all}" || echo "not ok race"
echo "end of the test"
poweroff -f
