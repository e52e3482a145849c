# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Rows from the output of gate.sh --count: instructions; and steps, with their limits.

def goals: {
	"T17": { what: "steps along lists under one spinlock, 1 GiB of single pages in random order",
		 goal: 256 },
	"T18": { what: "pages stripped of 1,000,000 before the first is free, in a drain",
		 goal: 10000 },
	"growth-count": { what: "what a count takes beside ten times as many pools, in percent" },
	"growth-scan": { what: "what a scan takes beside ten times as many pools, in percent" },
	"growth-failing-populate": {
		what: "locks a populate tries in vain for each busy buffer, of ten times as many, in percent" },
	"growth-swapout": { what: "what a swap-out takes beside ten times as many buffers, in percent" },
	"growth-quarantine": {
		what: "what a scan tries beside ten times as many pages that cannot be repaired, in percent" }
};

[inputs | split(" ") | .[0] as $key | (.[1] | tonumber) as $count |
	if $key | startswith("instructions-") then
		{ key: $key, value: { what: ($key | sub("instructions-"; "")),
				      ours: $count, unit: "instructions" } }
	elif goals[$key] then
		{ key: $key, value: ({ ours: $count, most: true, goal: 104 } + goals[$key]) }
	else empty end] | from_entries
