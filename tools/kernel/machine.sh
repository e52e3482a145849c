# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=dash
#
# What the first program of any test machine begins with: file systems, a console
# that shows what the kernel has to say, and a few commands. It is /machine.sh
# there, and init.sh reads it.

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
dmesg -n 7
cd /modules || poweroff -f

# step NAME COMMAND...: run it, and say whether it held.
step()
{
	name=$1
	shift
	if "$@"; then
		echo "step: ok $name"
	else
		echo "step: not ok $name"
	fi
}

# The size of a page, in kB.
page_kb=$(awk '/^KernelPageSize:/ { print $2; exit }' /proc/self/smaps)

# Free pages, with those that each CPU has put aside, in kB.
mem_free()
{
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk '/^ *nr_free_pages / { n += $2 } /^ *count:/ { n += $2 }
		END { print n * '"$page_kb"' }' /proc/zoneinfo
}

# A disk to move pages to, where the mode has one. Modules are tried until no
# more of them goes in: which needs which depends on the kernel.
add_swap()
{
	for ko in virtio*.ko virtio*.ko virtio*.ko; do
		insmod "$ko" 2>/dev/null
	done
	[ ! -e /dev/vda ] || { mkswap /dev/vda && swapon /dev/vda; } >/dev/null
}
