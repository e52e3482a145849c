# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Are the counts of a race (work.c) within race-limits.txt? That is the first file, then
# comes a console; mode is a variable. Prints each count that is above its limit or is
# missing, and fails then.

FNR == 1 { file++ }

{ sub(/\r$/, "") }

file == 1 && NF == 8 && !/^#/ && $1 == mode {
	limit[$2 " " $3 " " $4 " " $5 " " $6 " " $7] = $8
}

file == 2 && /^race: .* [0-9]+$/ {
	key = $2 " " $3 " " $4 " " $5 " " $6 " instructions"
	if (!(key in is) || $7 < is[key])
		is[key] = $7
}

file == 2 && /^count: / {
	key = $2 " " $3 " " $4 " " $5 " " $6 " count"
	is[key] = $7
}

file == 2 && /^events: / {
	counted[$2 " " $3 " " $4 " " $5 " " $6] = 1
	for (i = 7; i <= NF; i++) {
		split($i, pair, "=")
		is[$2 " " $3 " " $4 " " $5 " " $6 " " pair[1]] = pair[2]
	}
}

# An event that did not occur is not in the console.
function known(key,    of)
{
	of = key
	sub(/ [^ ]*$/, "", of)
	return key in is || of in counted
}

END {
	for (key in limit) {
		limits++
		if (known(key) && is[key] + 0 <= limit[key] + 0)
			continue
		printf "gate: %s is %s, and may be %s\n", key,
			known(key) ? is[key] + 0 : "not known", limit[key]
		above++
	}
	printf "gate: %d of %d counts within their limits (%s)\n",
		limits - above, limits, mode
	exit above || !limits
}
