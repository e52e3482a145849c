# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Reads the console of a test machine; prints one line, "PASSED SKIPPED TRANSFERS" in
# numbers, and before that everything that is wrong; exits with 1 if anything is.
#
# A fault of the IOMMU must have been announced ("# provokes: DEVICE ADDRESS"). In a VT-d
# machine (-v mode=vtd-...) each announced fault must have been logged, too; QEMU's AMD-Vi
# blocks an access without logging it, and the driver of Arm's SMMU logs no more than ten
# in five seconds.

function wrong(what) { print "  " what; bad++ }

# The kernel complains. The first time everything is shown: the lines just before, which
# often say why, and the trace. The console may no longer exist when somebody asks.
function alarm(i)
{
	if (!alarms++) {
		for (i = NR - 3; i < NR; i++)
			print "  | " last[i % 4]
		showing = 60
	}
	wrong($0)
}

# An address without its last three digits: the page.
function page_of(addr)
{
	sub(/^0x/, "", addr)
	sub(/^0+/, "", addr)
	return substr(addr, 1, length(addr) - 3)
}

{ sub(/\r$/, ""); last[NR % 4] = $0 }

showing > 0 { print "  | " $0; showing-- }

/^ *# provokes: / { missing(page_of($NF)); provoked[page_of($NF)] = 0 }
/DMAR: .*fault addr/ { match($0, /fault addr 0x[0-9a-f]+/)
	fault(substr($0, RSTART + 11, RLENGTH - 11)) }
/AMD-Vi: Event logged \[IO_PAGE_FAULT/ { match($0, /address=0x[0-9a-f]+/)
	fault(substr($0, RSTART + 8, RLENGTH - 8)) }
# The SMMU's driver writes "event 0x10 received:", and then the event in four words, one
# per line; the third is the address. Since 6.15 one line has "iova: 0x...".
/smmuv3: event 0x[0-9a-f]+ received:/ { word = 1; next }
word && /smmuv3: *\t?0x[0-9a-f]+$/ {
	if (word++ == 3) {
		fault($NF)
		word = 0
	}
}
/smmuv3: .*iova: 0x[0-9a-f]+/ { match($0, /iova: 0x[0-9a-f]+/)
	fault(substr($0, RSTART + 6, RLENGTH - 6)) }
function missing(page)
{
	if ((page in provoked) && !provoked[page] && mode ~ /^vtd/)
		wrong("a fault did not happen: at page 0x" page)
}
function fault(addr)
{
	if (page_of(addr) in provoked)
		provoked[page_of(addr)]++
	else
		wrong("unprovoked fault: " $0)
}

# kcsan.awk judges races.
/BUG: KCSAN: / { next }
/WARNING:|BUG:|Oops|kernel BUG|Kernel panic|Call Trace|soft lockup|rcu.*stall/ { alarm() }
/pages are lost|ended with pools|Bail out!/ { wrong($0) }
/UBSAN:|ODEBUG:|DMA-API: .*out of memory|INFO: (possible|trying|task) / { wrong($0) }
/kmemleak: (Cannot|Kernel memory leak detector disabled)|(churn|races): wrong:/ { wrong($0) }
/kmemleak: [1-9]/ { leaks = $0 }
/^leaked by the kernel's own pool: [1-9]/ { stock_leaks = $NF } # a step looks whose they are
/page_pool|Bad page/ && /BUG|corrupt/ { wrong($0) }

/^ *not ok / { wrong($0) }
/^step: not ok / { wrong($0) }
/^    ok [0-9]+ / { if (/# SKIP/) skipped++; else passed++ }
/^step: ok / { if (/# SKIP/) skipped++; else passed++ }
/^    # .*\.c:[0-9]+: / { wrong($0) }
/^edu: .*transfers=/ { match($0, /transfers=[0-9]+/)
	transfers += substr($0, RSTART + 10, RLENGTH - 10) }
/^KTAP version 1/ { plans++ }
/^end of the test/ { ended = 1 }

END {
	for (page in provoked)
		missing(page)
	if (leaks && !stock_leaks)
		wrong(leaks)
	if (!plans)
		wrong("no case ran")
	if (!ended)
		wrong("the machine fell silent before the end")
	print passed + 0, skipped + 0, transfers + 0
	exit bad > 0
}
