# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The targets that a race can measure, from its consoles: one JSON object, keyed by
# row. Each console is named mode=FILE by a variable before it:
#
#     awk -f targets.awk mode=none NONE.log mode=vtd-strict STRICT.log
#
# ratio: how many times better ours is; of T9 the share of the floor. A row whose
# goal is "at most" has "most": true. Clearing is counted by pages, and each page
# at what the kernel's own function takes, for whoever cleared it: an emulated CPU
# counts its instructions in a way that says nothing of a real one.

function median(mode, key, arm,    n, i, j, v, t)
{
	n = count[mode, key, arm]
	for (i = 1; i <= n; i++)
		v[i] = sample[mode, key, arm, i]
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
	return v[int((n + 1) / 2)]
}

function open_row(name, what, ours, other, goal)
{
	printf "%s\n  \"%s\": {\"what\": \"%s\", \"ours\": %.6g, \"other\": %.6g, \"goal\": %s", \
		rows++ ? "," : "{", name, what, ours, other, goal
}

# How many times better, where less is better.
function row(name, what, ours, other, goal)
{
	if (ours == "" || other == "")
		return
	open_row(name, what, ours, other, goal)
	printf ", \"ratio\": %.4g}", ours ? other / ours : 0
}

# A count that may be at most so many.
function most(name, what, ours, other, goal)
{
	if (ours == "" || other == "")
		return
	open_row(name, what, ours, other, goal)
	printf ", \"most\": true}"
}

function race(name, what, mode, key, arm, goal)
{
	if (count[mode, key, "ttm"] && count[mode, key, arm])
		row(name, what, median(mode, key, arm), median(mode, key, "ttm"),
		    goal)
}

function both(mode, key, arm)
{
	return median(mode, key "populate", arm) + median(mode, key "unpopulate", arm)
}

function cleared(mode, key)
{
	return counted[mode, key "worker-cleared", "ttmpool"]
}

# Pages that were cleared when they were given back, or went to the system.
function wasted(mode, key, arm,    n, what, name)
{
	n = 0
	for (what = 0; what < 2; what++)
		for (name = 0; name < 2; name++)
			n += event[mode, key (what ? "teardown" : "unpopulate"), arm, \
				(name ? "clear_page_erms" : "ttmpool_clear_pages")]
	return n
}

{ sub(/\r$/, "") }

/^race: .* [a-z]+ [0-9]+$/ {
	key = $2 " " $3 " " $4 " " $5
	sample[mode, key, $6, ++count[mode, key, $6]] = $7
}

/^count: / { counted[mode, $2 " " $3 " " $4 " " $5, $6] = $7 }

/^events: / {
	for (i = 7; i <= NF; i++) {
		split($i, pair, "=")
		event[mode, $2 " " $3 " " $4 " " $5, $6, pair[1]] = pair[2]
	}
}

END {
	s = "vtd-strict"
	n = "none"
	big = " wc 16384 "
	clear = median(s, "clear wb 512 clear", "ttm") / 512

	race("T1", "warm populate, 64 MiB wc, strict IOMMU: instructions", s,
	     "W1" big "populate", "ttmpool", 3)
	race("T1-none", "the same without an IOMMU", n, "W1" big "populate",
	     "ttmpool", 2)
	race("T2", "the same, strict, in single pages", s,
	     "W3-warm" big "populate", "ttmpool", 50)
	key = "W3-warm" big "unpopulate"
	if (count[s, key, "ttm"])
		row("T2-unpopulate", "unpopulate of it, clearing left out",
		    median(s, key, "ttmpool"),
		    median(s, key, "ttm") - clear * 16384, 100)
	race("T3", "populate of 1 GiB, as runs beside flat arrays", s,
	     "W1 wc 262144 populate", "runs", 200)
	race("T4", "unpopulate of 64 MiB wc", s, "W1" big "unpopulate",
	     "ttmpool", 50)
	key = "W1" big
	if (count[s, key "worker", "ttmpool"])
		row("T4-total", "populate, unpopulate and the worker together",
		    both(s, key, "ttmpool") + clear * cleared(s, key),
		    both(s, key, "ttm"), 1)
	most("T7", "pages cleared of 16384 that leave for the system",
	     wasted(s, "W2" big, "ttmpool"), wasted(s, "W2" big, "ttm"), 0)
	race("T8", "teardown of 64 MiB wc in single pages", n,
	     "W3-warm" big "teardown", "ttmpool", 10)
	key = "W3-warm" big "teardown"
	most("T8-broadcasts", "flushes on all CPUs for each MiB of it",
	     event[n, key, "ttmpool", "cpa_flush"] / 64,
	     event[n, key, "ttm", "cpa_flush"] / 64, 2)
	key = "W2" big "populate"
	if (count[s, key, "floor"])
		row("T9", "cold populate, 64 MiB wc: share of the floor",
		    median(s, key, "ttmpool"), median(s, key, "floor"), 0.95)
	most("T9-splits", "2 MiB entries of the linear map split, of 32",
	     counted[n, "split wc 16384 blocks-split", "ttmpool"],
	     counted[n, "split wc 16384 blocks-split", "ttm"], 0)
	most("T10", "IOTLB invalidations to give up 8 MiB of single pages",
	     event[s, "W3-cold wc 2048 teardown", "ttmpool", "qi_submit_sync"],
	     event[s, "W3-cold wc 2048 unpopulate", "ttm", "qi_submit_sync"], 2)
	most("T13", "bytes of metadata for a pooled chunk",
	     counted[n, "size wc 1 chunk", "ttmpool"], 0, 64)
	most("T14", "pages copied, of 4096 that are swapped out",
	     counted[n, "W8 wc 4096 copied", "ttmpool"], 4096, 0)
	print "\n}"
}
