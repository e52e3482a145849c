# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Rows from the output of ttmpool-replay --json for each trace: with the pool, and with
# the same library without pooling.

def counts: { tlb_flushes, dma_maps, iotlb_invalidations, caching_batches, locks_taken };

[.[] | (.trace | sub(".*/"; "") | sub("\\.csv$"; "")) as $trace |
	(.without_pool | counts) as $without | counts | to_entries[] |
	{ key: "replay-\($trace)-\(.key)",
	  value: ({ what: "\($trace): \(.key | gsub("_"; " "))",
		    trace: $trace, count: .key,
		    ours: .value, other: $without[.key] } +
		  if .value > 0 then { ratio: ($without[.key] / .value) }
		  else {} end) }] | from_entries
