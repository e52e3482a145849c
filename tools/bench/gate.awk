# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Are counts within their limits? Both files have lines of a name and a number; lines that
# begin with # are comments.
#
#     awk -v margin=4 -f gate.awk LIMITS COUNTS
#
# A count may exceed its limit by margin percent. Prints each count above that, and each
# name with only a limit or only a count. Exits with 0 if there was none of these, and at
# least one count.

/^#/ || !NF { next }

FNR == NR {
	limit[$1] = $2
	next
}

{
	count[$1] = $2
	counts++
	if (!($1 in limit)) {
		printf "gate: FAILED: %s is %d, and has no limit\n", $1, $2
		bad++
	} else if ($2 * 100 > limit[$1] * (100 + margin)) {
		printf "gate: FAILED: %s is %d, and its limit %d (and %d %%)\n",
			$1, $2, limit[$1], margin
		bad++
	} else if ($2 * 100 < limit[$1] * (100 - margin))
		printf "gate: %s is %d now, and its limit %d\n", $1, $2, limit[$1]
}

END {
	for (name in limit)
		if (!(name in count)) {
			printf "gate: FAILED: %s was not counted\n", name
			bad++
		}
	if (!counts)
		print "gate: FAILED: nothing was counted"
	exit bad || !counts
}
