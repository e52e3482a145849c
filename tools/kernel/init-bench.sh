#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=dash
#
# The only program of a machine that is there for a race: it loads TTM with what
# that needs, ttmpool and the race, which writes to the console.

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
dmesg -n 7
while read -r ko; do
	insmod "/race/$ko"
done </race/order
insmod /modules/ttmpool.ko && insmod /modules/ttm_race.ko || echo "not ok race"
echo "end of the test"
poweroff -f
