# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The plots of ./dev bench, from the files in the directory "work":
#
#     gnuplot -e "work='build/bench'" plots.gp

set terminal svg size 760,460 noenhanced font 'sans,12' background '#ffffff'
set grid
set logscale xy
set key outside right top
set style data linespoints

set output work.'/bulk.svg'
set title 'a get and a put of one object, in bulks'
set xlabel 'objects in a bulk'
set ylabel 'ns for each object'
set xtics (1, 32, 64, 512)
bulk = work.'/bulk.tsv'
plot bulk using 1:2 lw 2 pt 7 ps 0.6 lc rgb '#1f4e9c' title 'ttmpool, a magazine', \
     bulk using 1:3 lw 2 dt 2 pt 6 ps 0.6 lc rgb '#1f4e9c' title 'by two threads', \
     bulk using 1:4 lw 2 pt 7 ps 0.6 lc rgb '#3a8a3a' title 'rte_mempool', \
     bulk using 1:5 lw 2 dt 2 pt 6 ps 0.6 lc rgb '#3a8a3a' title 'by two threads', \
     bulk using 1:6 lw 2 pt 7 ps 0.6 lc rgb '#c01818' title "TTM's pattern", \
     bulk using 1:7 lw 2 dt 2 pt 6 ps 0.6 lc rgb '#c01818' title 'by two threads', \
     bulk using 1:8 lw 2 pt 7 ps 0.6 lc rgb '#d07b16' title 'list and mutex', \
     bulk using 1:9 lw 2 dt 2 pt 6 ps 0.6 lc rgb '#d07b16' title 'by two threads'

set output work.'/buffers.svg'
set title 'a whole buffer, there and back'
set xlabel 'size'
set ylabel 'us for each buffer'
set xtics ('4 KiB' 4, '64 KiB' 64, '2 MiB' 2048, '64 MiB' 65536, '1 GiB' 1048576)
set datafile missing '-'
buffers = work.'/buffers.tsv'
plot buffers using 1:($2) lw 2 pt 7 ps 0.6 lc rgb '#1f4e9c' title 'ttmpool, cleared before', \
     buffers using 1:($3) lw 2 pt 7 ps 0.6 lc rgb '#3a8a3a' title 'ttmpool, clearing', \
     buffers using 1:($4) lw 2 pt 7 ps 0.6 lc rgb '#7a4fa3' title 'ttmpool, cold', \
     buffers using 1:($5) lw 2 dt 2 pt 6 ps 0.6 lc rgb '#7f7f7f' title 'mmap, huge pages', \
     buffers using 1:($6) lw 2 dt 2 pt 6 ps 0.6 lc rgb '#d07b16' title 'mmap', \
     buffers using 1:($7) lw 2 dt 2 pt 6 ps 0.6 lc rgb '#c01818' title 'malloc, memset'
