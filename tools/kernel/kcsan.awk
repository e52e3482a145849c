# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Reads what KCSAN reported on these consoles. Prints each race of ours, and one line that
# says how many races KCSAN reported, how many are ours, and on how many consoles it reported
# the one that tests/races/canary.c makes on purpose. Exits with 1 if a race is ours, or if
# a console lacks that one.
#
# A race has two accesses. It is ours if a function of ours made one of them. Functions that
# copy, clear or link something for their caller do not count: the access belongs to the
# caller. Races between accesses of the kernel do not count; by the strict rules it has some.

FNR == 1 { consoles++; close_report() }

{ sub(/\r$/, "") }

function close_report()
{
	if (title == "")
		return
	reports++
	if (ours) {
		bad++
		print text
	} else if (canary && !(consoles in sung)) {
		sung[consoles]
		canaries++
	}
	title = text = ""
	ours = canary = top = 0
}

/BUG: KCSAN: / { close_report(); title = $0 }

title != "" { text = text "  | " $0 "\n" }

# The stack of an access follows.
title != "" && / by (task|interrupt)/ { top = 1; next }

title != "" && /^ [_a-zA-Z0-9.]+\+0x/ && top {
	if ($1 ~ /^(__)?(mem(set|cpy|move|chr_inv)|list_|(clear|copy)_page)/)
		next
	top = 0
	if (/\[ttmpool_canary\]/)
		canary = 1
	else if (/\[ttmpool/)
		ours = 1
}

title != "" && /^=====/ { close_report() }

END {
	close_report()
	printf "kcsan: %d reports, %d of ttmpool, the canary reported on %d " \
		"of %d consoles\n", reports, bad, canaries, consoles
	exit bad > 0 || canaries < consoles || !consoles
}
