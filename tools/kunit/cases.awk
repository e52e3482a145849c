# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Reads what a kernel printed that ran KUnit suites, and prints, with tabs between
# the fields:
#
#     case   SUITE  NAME  pass|fail|skip
#     said   SUITE  NAME  a line that was printed in a case that failed
#     alarm  a line by which the kernel complains, without what differs by chance
#     left   CASE that is known to end without giving its pages back, and did
#     end    if all suites that were announced came to their end
#
# A case that is run with several parameters counts once for each of them; NAME is
# then CASE/PARAMETER.
#
# KTAP is indented by four columns for each level: the result of a suite stands in
# column 0, that of a case in column 4, and that of a parameter in column 8. What is
# printed in a case comes before its result.

BEGIN {
	OFS = "\t"
	# These cases never free one chunk of what they take. Upstream's pool does not
	# track pages in use; ours does, and reports them.
	careless["ttm_tt_populate_populated_ttm"]
	careless["ttm_tt_swapin_basic"]
	careless["ttm_bo_validate_no_placement_signaled"]
}

# The result of a case in this line.
function verdict()
{
	return /^ *not ok/ ? "fail" : / # SKIP/ ? "skip" : "pass"
}

# The name in the line, without the number and the remark around it.
function name()
{
	sub(/^ *(not )?ok [0-9]+ (- )?/, "")
	sub(/ +# .*/, "")
	return $0
}

function close_case(full, how,    i)
{
	if (used[suite, full]++)
		full = full " (" used[suite, full] ")"
	print "case", suite, full, how
	bad += how == "fail"
	for (i = 1; how == "fail" && i <= lines; i++)
		print "said", suite, full, line[i]
	lines = 0
}

# A report of ours begins with the device, whose name begins with the case's.
function report(    who)
{
	who = $2
	sub(/\..*/, "", who)
	if (/: still in use at teardown: / && who in careless &&
	    !left[who]++)
		print "left", who
	else
		alarm()
}

# The line without process and processor numbers, times, addresses and offsets.
function alarm(    text)
{
	text = $0
	sub(/pages\[[0-9]+\] [^ ]* /, "", text)
	gsub(/(CPU|PID|UID): [0-9]+ ?|\[[ 0-9.]+\] *|0x[0-9a-f]+/, "", text)
	gsub(/ *pfn:[0-9a-f]+/, "", text)
	sub(/, CPU#[0-9]+: [^ ]*$/, "", text)
	sub(/^ +/, "", text)
	print "alarm", text
}

{ sub(/\r$/, "") }

/^1\.\.[0-9]+$/ { announced = substr($0, 4); next }
/^    # Subtest: / { suite = $3; bad = lines = 0; next }
/^        # Subtest: / { parent = $3; with_good = with_bad = lines = 0; next }
/^ *(KTAP version |1\.\.[0-9]+$|# Totals: |# module: )/ { next }

/^        (not )?ok [0-9]+ / {
	how = verdict()
	how == "fail" ? with_bad++ : with_good++
	close_case(parent "/" name(), how)
	next
}

# The total of a case with parameters does not count again, unless only the total is bad.
/^    (not )?ok [0-9]+ / {
	how = verdict()
	full = name()
	if (full != parent || !with_good && !with_bad ||
	    how == "fail" && !with_bad)
		close_case(full, how)
	parent = ""
	lines = 0
	next
}

/^(not )?ok [0-9]+ / {
	ended++
	if (verdict() == "fail" && !bad)
		close_case("(the suite itself)", "fail")
	bad = lines = 0
	next
}

/WARNING:|BUG:|Oops|KASAN:|UBSAN:|INFO: |[Kk]ernel panic|Bad page/ { alarm() }
/list_(add|del) corruption|refcount_t: |Kernel mode fault/ { alarm() }
/^ttm(pool)?: / { report() }
/^tpos_report: .* callbacks suppressed/ { alarm() }

suite != "" { line[++lines] = $0 }

END { if (announced && ended == announced) print "end" }
