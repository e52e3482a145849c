# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Reads lines "VARIANT WORK WHAT COUNT" of the consoles of a race, and prints the table
# and, for each goal, whether it was met. Exits with 1 if one was missed. A goal whose count is
# missing ("-"), or that has nothing to compare with, is missed.
#
# The goals: with write-combining mappings a twentieth of shmem's flushes at most; with
# cached ones no more instructions than shmem; for 20 mode sets no more faults than TTM
# had on the same work, on Linux 6.12; and one mapping into the kernel for each buffer.

BEGIN { most_faults = 1471 }

{ is[$1, $2, $3] = $4 }

function count(variant, work, what)
{
	return (variant, work, what) in is ? is[variant, work, what] : "-"
}

# The kernel's part is unknown if its function could not be counted.
function cleared(variant, work)
{
	if (count(variant, work, "clear_page_erms") == "-")
		return "-"
	return count(variant, work, "clear_page_erms") + \
		is[variant, work, "ours_cleared"]
}

function row(variant, work)
{
	printf "| %s | %s | %s | %s | %s | %s | %s | %s |\n", kernel, variant, work,
		count(variant, work, "cpa_flush"), count(variant, work, "vmap"),
		cleared(variant, work), count(variant, work, "faults"), count(variant, work, "instructions")
}

function goal(name, ours, most)
{
	if (ours == "-" || most == "-" || !most)
		met = 0
	else
		met = ours + 0 <= most + 0
	printf "%s: %s: %s, at most %s: %s\n", kernel, name, ours, most,
		met ? "met" : "missed"
	missed += !met
}

END {
	print "| kernel | buffers | work | flushes | vmaps | pages cleared | faults |" \
		" instructions |"
	print "|---|---|---|---|---|---|---|---|"
	split("ttmpool-wb shmem-wb ttmpool-wc shmem-wc", variants, " ")
	for (i = 1; i <= 4; i++) {
		row(variants[i], "draw")
		row(variants[i], "sets")
	}
	goal("flushes of drawing, write-combined",
	     count("ttmpool-wc", "draw", "cpa_flush"),
	     count("shmem-wc", "draw", "cpa_flush") / 20)
	goal("instructions of drawing, cached",
	     count("ttmpool-wb", "draw", "instructions"),
	     count("shmem-wb", "draw", "instructions"))
	goal("instructions of 20 mode sets, cached",
	     count("ttmpool-wb", "sets", "instructions"),
	     count("shmem-wb", "sets", "instructions"))
	goal("faults of 20 mode sets, cached", count("ttmpool-wb", "sets", "faults"),
	     most_faults)
	goal("faults of 20 mode sets, write-combined",
	     count("ttmpool-wc", "sets", "faults"), most_faults)
	goal("mappings into the kernel in 20 mode sets, cached",
	     count("ttmpool-wb", "sets", "vmap"), count("ttmpool-wb", "sets", "buffers"))
	goal("mappings into the kernel in 20 mode sets, write-combined",
	     count("ttmpool-wc", "sets", "vmap"), count("ttmpool-wc", "sets", "buffers"))
	exit missed > 0
}
