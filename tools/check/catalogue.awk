# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Compares a list of tests, "NAME WHERE" per line, with the table of the catalogue in
# docs/reliability.md. Prints one line about the tested faults; or what is wrong, line by
# line, and exits with 1.

function cell(text) { gsub(/^ +| +$/, "", text); return text }
function judge(n, where, says) {
	tests = count[n, where]
	if (says == "tested" && !tests)
		wrong("no test begins with f" n "_, " where)
	else if (says == "")
		wrong("nothing is said of " n ", " where)
	else if (says != "tested" && tests)
		wrong("there is a test of " n " after all, " where)
	else if (says == "tested")
		tested[where]++
}
function wrong(what) { print "wrong: " what; bad++ }
FILENAME == ARGV[1] {
	split($0, word, " ")
	count[substr(word[1], 2, 2), word[2]]++
	total[word[2]]++
	next
}
/^[0-9]+ things that go wrong/ { promised = $1 + 0 }
/^\| [0-9][0-9] \|/ {
	n = cell($2)
	rows++
	if (n + 0 <= last)
		wrong("row " n " after " last)
	last = n + 0
	judge(n, "userspace", cell($4))
	judge(n, "kernel", cell($5))
}
END {
	if (!rows || rows != promised)
		wrong(rows + 0 " rows, and the text says " promised + 0)
	if (!bad)
		printf "catalogue: of %d faults %d are tested in " \
			"userspace by %d cases, %d in a kernel by " \
			"%d, the others have a reason\n",
			rows,
			tested["userspace"], total["userspace"],
			tested["kernel"], total["kernel"]
	exit bad > 0
}
