# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=dash disable=SC2154 # $card, hits, back...
#
# The part of a machine whose client is an X server with its own clients, all of them
# Debian's: /xorg.sh there, and init.sh reads it, here and in tools/drm. They are on the
# second disk, which is read-only. init.sh has swap(), count() and hits(), which says how
# many buffers were asked for.
#
# Nothing in the scene moves by itself: there is no clock, no blinking cursor, no pointer.
# It must look the same after all that happens in between, and the same on both pools.

# The number of windows on the screen, and the driver's name in the X server's log.
windows=4
case $card in
qxl) drives='qxl(0): ' ;;
bochs*) drives='modeset(0): ' ;;
esac

mount_desktop()
{
	while read -r ko; do
		insmod "$ko"
	done <disk
	mkdir -p /desktop /dev/pts &&
		mount -t ext4 -o ro /dev/vdb /desktop &&
		mount -t devpts devpts /dev/pts &&
		mount -t tmpfs tmpfs /desktop/tmp &&
		mount -t tmpfs tmpfs /desktop/var/log &&
		mount -t tmpfs tmpfs /desktop/run || return 1
	for dir in dev proc sys; do
		mount --bind "/$dir" "/desktop/$dir" || return 1
	done
	mount --bind /dev/pts /desktop/dev/pts
}

desktop()
{
	DISPLAY=:0 chroot /desktop "$@"
}

# within SECONDS COMMAND...: does the command succeed within this time? The machine is
# emulated and may be slow.
within()
{
	left=$1
	shift
	until "$@"; do
		[ "$left" -gt 0 ] || return 1
		left=$((left - 1))
		sleep 1
	done
}

xorg_answers()
{
	desktop xset q >/dev/null 2>&1
}

# The X server's log names its driver; if the server gave up, the log is printed.
start_xorg()
{
	chroot /desktop /usr/lib/xorg/Xorg :0 -config "/etc/xorg-${card%%_*}.conf" vt2 \
		-nolisten tcp -nocursor -noreset -br >/xorg.out 2>&1 &
	xorg=$!
	if ! within 120 xorg_answers; then
		cat /xorg.out
		return 1
	fi
	grep -m 1 "$drives" /desktop/var/log/Xorg.0.log
}

all_windows()
{
	[ "$(desktop xwininfo -root -children | grep -c '^ *0x.*": (')" \
		-ge "$windows" ]
}

start_scene()
{
	desktop xsetroot -mod 8 8 -fg steelblue -bg gray90 || return 1
	desktop xlogo -geometry 160x160+20+20 &
	desktop xeyes -geometry 200x160+220+20 &
	desktop xfd -fn fixed -geometry 340x330+660+20 &
	desktop xterm -fn fixed -geometry 80x24+20+400 -hold -e cat /etc/text &
	within 120 all_windows
}

# The whole screen, as the X server reads it.
looked=0
look()
{
	desktop xwd -root -silent >/look.xwd || return 1
	looked=$((looked + $(wc -c </look.xwd)))
	seen=$(md5sum </look.xwd)
}

nothing_moves()
{
	was=$seen
	look || return 1
	same=$((same + 1))
	[ "$seen" = "$was" ] || same=0
	[ "$same" -ge 5 ]
}

# The screen stands still if it has not changed for a while.
stand_still()
{
	same=0
	look && within 120 nothing_moves
}

scene_stands()
{
	stand_still && scene=$seen && before=$(hits alloc)
}

# When the card is full, qxl's driver for the X server loses letters, on the stock ttm.ko,
# too. They return when the clients draw again.
drawn_again()
{
	desktop xrefresh && stand_still && [ "$seen" = "$scene" ]
}

wrong=0
scene_is_as_it_was()
{
	stand_still || return 1
	[ "$seen" = "$scene" ] || wrong=$((wrong + 1))
	[ "$wrong" -eq 0 ]
}

# The screen itself is made anew; then windows are made and moved over the scene, with
# pictures of a megabyte.
traffic_of_clients()
{
	for size in 800x600 1280x800 1024x768 640x480 1280x1024 1024x768 \
		800x600 1280x800 640x480 1280x960 1280x1024 1024x768; do
		desktop xrandr -s "$size" || return 1
	done
	desktop x11perf -time 1 -repeat 1 -subs 16 -create -move -resize \
		-destroy -copypixwin500 -putimage500 -getimage500 \
		>/x11perf.out 2>&1 || return 1
	[ "$(grep -c 'reps @' /x11perf.out)" -eq 7 ]
}

# All requests for pages are the X server's: no other program has the card open.
x_traffic()
{
	traffic_of_clients || return 1
	asked=$(($(hits alloc) - before))
	[ "$asked" -gt 0 ]
}

# Print what the X server asked for, and how much of its screen was checked.
tell()
{
	echo "client: xorg buffers=$asked bytes=$looked wrong=$wrong"
}

# Like picture(), for the existing screen.
picture_of_x()
{
	echo "client: the picture is shown"
	read -r _ </dev/ttyS1
}

# The X server exits by itself, and gives the card back.
stop_xorg()
{
	kill "$xorg" && wait "$xorg"
}

# In "swap" our own client runs beside: the X server keeps running while it loses its
# memory, and its screen stays.
x_steps()
{
	step start_xorg start_xorg
	step start_scene start_scene
	step scene_stands scene_stands
	step x_traffic x_traffic
	step scene_drawn_again within 5 drawn_again
	step swap swap
	step scene_after_swap scene_is_as_it_was
	tell
	count
	step picture_of_x picture_of_x
	step stop_xorg stop_xorg
}
