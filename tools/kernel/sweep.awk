# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The consoles of machines on which pools were swept (tests/faults/sweep.c), as a table:
# for each operation, how many allocations failed, how often the operation was refused
# because of that, and how many pages the system got back that were not write-back. Exits
# with 1 if nothing was swept, or if our pool lost a page.

/: sweep: / {
	sub(/\r$/, "")
	sub(/^.*: sweep: /, "")
	what = sprintf("%-6s %-9s %-2s %5s", $1, $2, $3, $4)
	if (!(what in points))
		order[++n] = what
	points[what] += $6
	refused[what] += $8
	lost[what] += $10
	if ($12 + 0 > worst[what] + 0)
		worst[what] = $12
	pool_lost[$1] += $10
	pool_points[$1] += $6
}

END {
	if (!n) {
		print "sweep: nothing was swept"
		exit 1
	}
	printf "%-25s %7s %7s %7s %7s\n", "sweep", "points", "refused",
		"lost", "worst"
	for (i = 1; i <= n; i++)
		printf "%-25s %7d %7d %7d %7d\n", order[i], points[order[i]],
			refused[order[i]], lost[order[i]], worst[order[i]]
	printf "pages returned to the system other than write-back: " \
		"stock %d (%d points), ours %d (%d points)\n",
		pool_lost["stock"], pool_points["stock"],
		pool_lost["ours"], pool_points["ours"]
	exit pool_lost["ours"] > 0 || !pool_points["ours"]
}
