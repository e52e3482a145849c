# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The data for plots.gp, from the rows of ./dev bench: $part chooses the plot.

def us: if . == null then "-" else . / 1000 end;

if $part == "bulk" then
	. as $all | (1, 32, 64, 512) | . as $n |
	def of($other): $all["bulk-\($n)-" + $other];
	[ $n, of("rte").ours, of("rte-2t").ours, of("rte").other, of("rte-2t").other,
	  of("ttm").other, of("ttm-2t").other, of("mutex").other,
	  of("mutex-2t").other ] | @tsv
else
	. as $all | (["4k", 4], ["64k", 64], ["2m", 2048], ["64m", 65536],
		     ["1g", 1048576]) | . as [$name, $kib] |
	def of($step): $all["buffer-\($name)-" + $step];
	[ $kib, (of("populate-mmap").ours + of("unpopulate-munmap").ours | us),
	  (of("dirty-malloc").ours | us), (of("cold-mmap").ours | us),
	  (of("cold-huge").other | us), (of("cold-mmap").other | us),
	  (of("dirty-malloc").other | us) ] | @tsv
end
