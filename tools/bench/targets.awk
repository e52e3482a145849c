# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The targets that a race can measure, from its consoles: one JSON object, keyed by row.
# Before each console its mode is set in a variable:
#
#     awk -f targets.awk mode=none NONE.log mode=vtd-strict STRICT.log
#
# "pressure" is the mode of that part of a race. A row NAME-dropin belongs to the drop-in.
#
# ratio: how many times better ours is; for T9 the fraction of the floor. A row whose goal
# is "at most" has "most": true. Clearing is counted in pages, at the time that the
# kernel's own function takes for one, whichever pool clears: an emulated CPU counts its
# instructions in a way that says nothing about a real one.

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

# How many times better, if less is better.
function row(name, what, ours, other, goal)
{
	if (ours == "" || other == "")
		return
	open_row(name, what, ours, other, goal)
	printf ", \"ratio\": %.4g}", ours ? other / ours : 0
}

# A count with an upper limit.
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

# An event that did not occur is not in the console.
function happened(mode, key, arm, name)
{
	return event[mode, key, arm, "long"] == "" ? "" : \
		event[mode, key, arm, name] + 0
}

function both(mode, key, arm)
{
	return median(mode, key "populate", arm) + median(mode, key "unpopulate", arm)
}

function cleared(mode, key, arm)
{
	return counted[mode, key "worker-cleared", arm]
}

# p99.9 divided by p50, for populates of this many pages under pressure.
function tail(pages, arm,    key)
{
	key = "W6 wc " pages
	if (!count["pressure", key " p50", arm])
		return ""
	return median("pressure", key " p999", arm) / \
		median("pressure", key " p50", arm)
}

# The total work for 64 MiB, whatever does it.
function together(name, what, mode, arm,    key)
{
	key = "W1" big
	if (count[mode, key "worker", arm])
		row(name, what,
		    both(mode, key, arm) + clear_of(mode) * \
			cleared(mode, key, arm),
		    both(mode, key, "ttm"), 1)
}

# Locks per buffer, for 1024 buffers that one thread populates and another gives back.
function locks(arm,    key)
{
	key = "W5 wc 16 locks-"
	if (counted[n, key "populate", arm] == "")
		return ""
	return (counted[n, key "populate", arm] + \
		counted[n, key "unpopulate", arm]) / 1024
}

# The time that the kernel takes to clear a page.
function clear_of(mode)
{
	return median(mode, "clear wb 512 clear", "ttm") / 512
}

# Pages that were cleared when they were given back, or went to the system. 7.3 clears
# without a call: there TTM's pages are computed from its instructions, at a fixed number
# per page.
function wasted(mode, key, arm,    n, what, name)
{
	n = 0
	if (arm == "ttm" && !sum[arm, "clear_page_erms"])
		return int(median(mode, key "unpopulate", arm) / clear_of(mode))
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
		sum[$6, pair[1]] += pair[2]
	}
}

END {
	s = "vtd-strict"
	n = "none"
	big = " wc 16384 "

	split("ttmpool dropin", arms, " ")
	for (a = 1; a <= 2; a++)
		of_arm(arms[a], a == 1 ? "" : "-dropin")
	of_parts()
	print "\n}"
}

# The comparisons of a pool with TTM's, both for ttmpool's own interface and for TTM's.
function of_arm(arm, suffix)
{
	race("T1" suffix, "warm populate, 64 MiB wc, strict IOMMU: instructions",
	     s, "W1" big "populate", arm, 3)
	race("T1-none" suffix, "warm populate, 64 MiB wc, no IOMMU", n,
	     "W1" big "populate", arm, 2)
	race("T1-lazy" suffix, "warm populate, 64 MiB wc, VT-d, lazy", "vtd-lazy",
	     "W1" big "populate", arm, 2)
	race("T1-amd" suffix, "warm populate, 64 MiB wc, AMD-Vi", "amd", "W1" big "populate",
	     arm, 2)
	race("T1-small" suffix, "warm populate, 64 KiB wc, no IOMMU", n,
	     "W1 wc 16 populate", arm, 1)
	race("T2" suffix, "warm populate, 64 MiB wc in single pages, strict", s,
	     "W3-warm" big "populate", arm, 50)
	race("T2-none" suffix, "warm populate, 64 MiB wc in single pages, no IOMMU", n,
	     "W3-warm" big "populate", arm, 50)
	key = "W3-warm" big "unpopulate"
	if (count[s, key, arm])
		row("T2-unpopulate" suffix,
		    "unpopulate of these, clearing left out", median(s, key, arm),
		    median(s, key, "ttm") - clear_of(s) * 16384, 100)
	race("T4" suffix, "unpopulate of 64 MiB wc, strict", s, "W1" big "unpopulate",
	     arm, 50)
	race("T4-none" suffix, "unpopulate of 64 MiB wc, no IOMMU", n,
	     "W1" big "unpopulate", arm, 50)
	together("T4-total" suffix, "populate, unpopulate and the worker together," \
		" strict", s, arm)
	together("T4-total-none" suffix, "populate, unpopulate and the worker" \
		" together, no IOMMU", n, arm)
	race("T8" suffix, "teardown of 64 MiB wc in single pages", n,
	     "W3-warm" big "teardown", arm, 10)
	race("T8-large" suffix, "teardown of 64 MiB wc in large chunks", n,
	     "W1" big "teardown", arm, 1)
	key = "W3-warm" big "teardown"
	if (count[n, key, arm])
		most("T8-broadcasts" suffix, "flushes on all CPUs for each MiB of it",
		     happened(n, key, arm, "cpa_flush") / 64,
		     happened(n, key, "ttm", "cpa_flush") / 64, 2)
	key = "W2" big "populate"
	if (count[s, key, "floor"])
		row("T9" suffix, "cold populate, 64 MiB wc: share of the floor",
		    median(s, key, arm), median(s, key, "floor"), 0.95)
	race("T9-small" suffix, "cold populate, 64 KiB wc, no IOMMU", n,
	     "W2 wc 16 populate", arm, 1)
	race("T9-single" suffix, "cold populate, 64 MiB wc in single pages," \
		" no IOMMU", n, "W3-cold" big "populate", arm, 1)
	race("cached" suffix, "unpopulate of 2 MiB of cached pages, which no" \
		" pool keeps", n, "W1 wb 512 unpopulate", arm, 1)
	most("T15" suffix, "p99.9 over p50, populate of 2 MiB wc under pressure",
	     tail(512, arm), tail(512, "ttm"), 2)
	most("T16" suffix, "calls under a spinlock, of " sum[arm, "long"] \
		" to clear, convert, map, get or free", sum[arm, "locked"],
	     sum["ttm", "locked"], 0)
}

# Targets that concern only one of the two.
function of_parts()
{
	race("T3", "populate of 1 GiB, as runs beside flat arrays", s,
	     "W1 wc 262144 populate", "runs", 200)
	if (happened(s, "W2" big "teardown", "ttmpool", "long") != "")
		most("T7", "pages cleared of 16384 that leave for the system",
		     wasted(s, "W2" big, "ttmpool"),
		     wasted(s, "W2" big, "ttm"), 0)
	key = "W3-warm" big "teardown"
	if (count[n, "W3-cold" big "unpopulate", "floor"])
		row("T8-floor", "T8: share of one set_pages_array_wb() and a" \
			" __free_page() each", median(n, key, "ttmpool"),
		    median(n, "W3-cold" big "unpopulate", "floor"), 0.9)
	most("T9-splits", "2 MiB entries of the linear map split, of 32",
	     counted[n, "split wc 16384 blocks-split", "ttmpool"],
	     counted[n, "split wc 16384 blocks-split", "ttm"], 0)
	most("T10", "IOTLB invalidations to give up 8 MiB of single pages",
	     happened(s, "W3-cold wc 2048 teardown", "ttmpool", "qi_submit_sync"),
	     happened(s, "W3-cold wc 2048 unpopulate", "ttm", "qi_submit_sync"),
	     2)
	most("T13", "bytes of metadata for a pooled chunk",
	     counted[n, "size wc 1 chunk", "ttmpool"], 0, 64)
	most("T14", "pages copied, of 16384 that are swapped out",
	     counted[n, "W8" big "copied", "ttmpool"],
	     counted[n, "W8" big "copied", "ttm"], 0)
	most("T15-prepared", "T15, with 64 MiB prepared", tail(512, "prepared"),
	     tail(512, "ttm"), 2)
	if (locks("magazine") != "")
		row("W5", "locks for 64 KiB that one thread populates and another" \
			" gives back: magazines", locks("magazine"),
		    locks("ttm"), 1)
	if (locks("dropin") != "")
		row("W5-dropin", "the same without magazines, of the drop-in",
		    locks("dropin"), locks("ttm"), 1)
	if (locks("ttmpool") != "")
		row("W5-pool", "the same, of a pool that refills", locks("ttmpool"),
		    locks("ttm"), 1)
	key = "W8" big
	if (count[n, key "swapin", "ttmpool"])
		row("W8", "64 MiB wc to a file of shmem, and back",
		    median(n, key "swapout", "ttmpool") + \
			median(n, key "swapin", "ttmpool"),
		    median(n, key "swapout", "ttm") + \
			median(n, key "swapin", "ttm"), 1)
	race("W8-out", "of these, there", n, key "swapout", "ttmpool", 1)
	race("W8-in", "of these, back", n, key "swapin", "ttmpool", 1)
	key = "W10" big
	if (count[n, key "restore", "dropin"])
		row("W10", "64 MiB wc backed up by TTM, and restored",
		    median(n, key "backup", "dropin") + \
			median(n, key "restore", "dropin"),
		    median(n, key "backup", "ttm") + \
			median(n, key "restore", "ttm"), 1)
	race("W10-backup", "of these, backed up", n, key "backup", "dropin", 1)
	race("W10-restore", "of these, restored", n, key "restore", "dropin", 1)
	if (counted[n, key "freed", "dropin"] != "")
		most("W10-kept", "pages of 16384 that a backup does not give to the system",
		     16384 - counted[n, key "freed", "dropin"],
		     16384 - counted[n, key "freed", "ttm"], 0)
	race("W9", "teardown of 1 GiB, pooled and mapped, strict", s,
	     "W1 wc 262144 teardown", "runs", 1)
	most("W9-mapped", "mappings left after it",
	     counted[s, "W9 wc 262144 mapped", "ttmpool"], 0, 0)
}
