# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Reads what cases.awk made of the consoles of two kernels, and prints a table of the
# suites with a column for each of them. Below it comes what is not as it should be:
# a case that did not pass on some kernel, with what was printed in it; and what the
# last kernel complains of oftener than the first one does, for some of upstream's
# cases make it complain. The last line says how many cases passed on the last kernel,
# and how many things were wrong. Exits with 1 if any was, or if no case ran.
#
# A kernel is called as its file is.

BEGIN {
	FS = "\t"
	last = ARGC - 1
	for (k = 1; k <= last; k++) {
		kernel[k] = ARGV[k]
		gsub(/^.*\/|\.[a-z]*$/, "", kernel[k])
	}
}

FNR == 1 {
	for (now = 1; ARGV[now] != FILENAME; now++)
		;
}

$1 == "case" {
	if (!(($2, $3) in seen)) {
		seen[$2, $3] = ++cases
		of_suite[cases] = $2
		name[cases] = $3
		ran["all"]++
		if (!ran[$2]++)
			suite[++suites] = $2
	}
	n = seen[$2, $3]
	how[now, n] = $4
	good[now, $2] += $4 == "pass"
	good[now, "all"] += $4 == "pass"
}

$1 == "said" {
	n = seen[$2, $3]
	said[now, n] = said[now, n] "    | " $4 "\n"
}

$1 == "alarm" && !heard[now, $2]++ {
	alarm[now, ++alarms[now]] = $2
}

$1 == "left" && now == last && !left[$2]++ { leavers = leavers " " $2 }

$1 == "end" { ended[now] = 1 }

function row(s,    i)
{
	printf "%-24s", s
	for (i = 1; i <= last; i++)
		printf " %10s", good[i, s] + 0 "/" ran[s] + 0 + 0
	print ""
}

function table(    i, s)
{
	printf "%-24s", "suite"
	for (i = 1; i <= last; i++)
		printf " %10s", kernel[i]
	print ""
	for (s = 1; s <= suites; s++)
		row(suite[s])
	row("all")
	print ""
}

function show_case(n,    i)
{
	printf "%s: %s:", of_suite[n], name[n]
	for (i = 1; i <= last; i++)
		printf " %s %s%s", kernel[i],
			how[i, n] != "" ? how[i, n] : "did not run",
			i < last ? "," : "\n"
	for (i = 1; i <= last; i++)
		printf "%s", said[i, n]
}

# A case is good if it passed on every kernel.
function judge_case(n,    i)
{
	for (i = 1; i <= last; i++)
		if (how[i, n] != "pass") {
			show_case(n)
			wrong++
			return
		}
}

function judge_kernel(i,    a)
{
	if (!ended[i]) {
		print kernel[i] ": the kernel did not come to the end"
		wrong++
	}
	for (a = 1; i == last && a <= alarms[i]; a++)
		if (heard[i, alarm[i, a]] > heard[1, alarm[i, a]] + 0) {
			print kernel[i] ": the kernel says: " alarm[i, a]
			wrong++
		}
}

END {
	table()
	if (leavers)
		print kernel[last] " tells of pages that these cases never free:" \
			leavers
	for (n = 1; n <= cases; n++)
		judge_case(n)
	for (i = 1; i <= last; i++)
		judge_kernel(i)
	printf "kunit: %d passed, %d failed\n", good[last, "all"], wrong
	exit wrong || !good[last, "all"]
}
