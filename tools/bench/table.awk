# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The table of a race (work.c), from a console: the median of each pool's instructions, in
# all and per page, how many times as many TTM's pool takes, the same for the drop-in, and
# below that the events of all pools. For populate and unpopulate there is the sum, too,
# because one pool clears pages in the first and the other in the second.

function median(key, arm,    n, i, j, v, t)
{
	n = count[key, arm]
	for (i = 1; i <= n; i++)
		v[i] = sample[key, arm, i]
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
	return v[int((n + 1) / 2)]
}

function row(workload, caching, pages, what, a, b, d)
{
	printf "%-8s %-2s %5d pages  %-10s %11d %11d  %8.1f %8.1f a page  x %6.2f  drop-in %11d  x %6.2f\n",
		workload, caching, pages, what, a, b, a / pages, b / pages,
		b ? a / b : 0, d, d ? a / d : 0
}

{ sub(/\r$/, "") }

/^race: .* (ttm|dropin|ttmpool) [0-9]+$/ {
	key = $2 " " $3 " " $4 " " $5
	if (!(key in seen)) {
		seen[key] = 1
		keys[++rows] = key
	}
	sample[key, $6, ++count[key, $6]] = $7
}

/^events: / {
	key = $2 " " $3 " " $4 " " $5
	text = ""
	for (i = 7; i <= NF; i++)
		if ($i !~ /=0$/)
			text = text " " $i
	events[key, $6] = text == "" ? " none" : text
}

END {
	print title ": instructions of TTM's pool, of ttmpool, and how many times as many"
	for (r = 1; r <= rows; r++) {
		split(keys[r], k, " ")
		a = median(keys[r], "ttm")
		b = median(keys[r], "ttmpool")
		d = median(keys[r], "dropin")
		row(k[1], k[2], k[3], k[4], a, b, d)
		if (k[4] == "unpopulate")
			row(k[1], k[2], k[3], "both", a + before_a,
			    b + before_b, d + before_d)
		before_a = a
		before_b = b
		before_d = d
	}
	for (r = 1; r <= rows; r++)
		printf "%s\n    ttm:    %s\n    ttmpool:%s\n    drop-in:%s\n",
			keys[r], events[keys[r], "ttm"],
			events[keys[r], "ttmpool"], events[keys[r], "dropin"]
}
