# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=dash
#
# The common beginning of the first program of any test machine: file systems, a console
# that shows the kernel's messages, and a few commands. Its path there is /machine.sh, and
# init.sh reads it.

/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
dmesg -n 7
cd /modules || poweroff -f

# step NAME COMMAND...: run the command, and print whether it succeeded.
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

# Free pages, including those in each CPU's list, in kB.
mem_free()
{
	echo 3 >/proc/sys/vm/drop_caches
	sleep 1
	awk '/^ *nr_free_pages / { n += $2 } /^ *count:/ { n += $2 }
		END { print n * '"$page_kb"' }' /proc/zoneinfo
}

# Add a disk for swapping, if the mode has one. Modules are tried until no further one can
# be loaded, because their dependencies differ between kernels.
add_swap()
{
	for ko in virtio*.ko virtio*.ko virtio*.ko; do
		insmod "$ko" 2>/dev/null
	done
	[ ! -e /dev/vda ] || { mkswap /dev/vda && swapon /dev/vda; } >/dev/null
}
