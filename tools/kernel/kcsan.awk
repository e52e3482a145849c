# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# What KCSAN told on these consoles: prints each race of ours, and one line with
# how many there were of whom. Exits 1 if one is ours, or if the race that was
# made on purpose (tests/races/canary.c) is missing on a console.
#
# A race is whose access it is: of each of the two stacks, the first function that
# only copies, clears or links for somebody else is passed over. The kernel's own
# are not held against us; it has some, by the strict rules.

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
	printf "kcsan: %d reports, %d of ttmpool, the canary told of on %d of " \
		"%d consoles\n", reports, bad, canaries, consoles
	exit bad > 0 || canaries < consoles || !consoles
}
