# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The rows of ./dev bench as tables: $part chooses the table. A ratio says how many times
# better ours is, and half of the ratios are within the number after the "±".

def short: if . >= 100 then round elif . >= 10 then (. * 10 | round / 10)
	else (. * 100 | round / 100) end;

def cell: if . == null then "" else "\(.ratio | short) ± \(.spread * 100 | round) %" end;

def line: "| " + join(" | ") + " |";

def head: line, (map("---") | "|" + join("|") + "|");

# The table line of a target: its goal, and whether it is met.
def target: .key as $key | .value |
	(if .most then .ours <= .goal else .ratio >= .goal end) as $met |
	[ $key, .what, (.ours | tostring), (.other // "" | tostring),
	  (if .most then "" elif .spread then cell else "\(.ratio)" end),
	  (if .most then "at most \(.goal)" else "\(.goal)" end),
	  (if $met then "met" else "**missed**" end) ] | line;

# One line for each of $rows, [name, part of the key], and one column for each of
# $columns, [title, part of the key that comes after it].
def matrix($corner; $prefix; $rows; $columns): . as $all |
	([$corner] + ($columns | map(.[0])) | head),
	($rows[] | . as $row | [$row[0]] +
		($columns | map($all[$prefix + $row[1] + "-" + .[1]] | cell)) | line);

def size_rows: [["4 KiB", "4k"], ["64 KiB", "64k"], ["2 MiB", "2m"],
		["64 MiB", "64m"], ["1 GiB", "1g"]];

def replay_rows: to_entries | map(select(.key | startswith("replay-"))) |
	group_by(.value.trace)[];

def counted: if .ratio then "\(.ours) of \(.other), \(.ratio | short)"
	else "\(.ours) of \(.other)" end;

if $part == "targets" then
	(["", "what", "ours", "other", "times better", "goal", ""] | head),
	(to_entries[] | select(.value | has("goal")) | target)
elif $part == "bulks" then
	matrix("bulk"; "bulk-"; [1, 32, 64, 512] | map(tostring | [., .]);
		[["rte_mempool", "rte"], ["by two threads", "rte-2t"],
		 ["TTM's pattern", "ttm"], ["by two threads", "ttm-2t"],
		 ["list and mutex", "mutex"], ["by two threads", "mutex-2t"]])
elif $part == "passed" then
	matrix("bulk"; "pass-"; [1, 64, 512] | map(tostring | [., .]);
		[["rte_mempool", "rte"], ["TTM's pattern", "ttm"],
		 ["TTM's pattern, clearing", "ttm-clears"]])
elif $part == "buffers" then
	matrix("buffer"; "buffer-"; size_rows;
		[["populate: mmap", "populate-mmap"],
		 ["huge pages", "populate-huge"],
		 ["unpopulate: munmap", "unpopulate-munmap"],
		 ["dirty: malloc, memset, free", "dirty-malloc"],
		 ["cold: mmap, munmap", "cold-mmap"],
		 ["huge pages", "cold-huge"]])
elif $part == "instructions" then
	(["operation", "instructions"] | head),
	(to_entries[] | select(.key | startswith("instructions-")) |
		[.value.what, (.value.ours | tostring)] | line)
elif $part == "replay" then
	(["trace", "flushes of a TLB", "DMA maps", "IOTLB invalidations",
	  "caching changes", "locks"] | head),
	(replay_rows | . as $of | [.[0].value.trace] +
		(["tlb_flushes", "dma_maps", "iotlb_invalidations",
		  "caching_batches", "locks_taken"] |
		 map(. as $what | $of[] | select(.value.count == $what) |
			.value | counted)) | line)
else empty end
