# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Reads lines "VARIANT TEST SUBTEST RESULT", and prints a table of IGT's tests: how many
# subtests passed, failed and were skipped with each allocator and kind of mapping. After
# it come the subtests that passed on shmem and did not on ours, and those that the other
# way round; exits with 1 if there is one of the former, or nothing passed on ours.

BEGIN {
	columns = split("shmem-wb ttmpool-wb shmem-wc ttmpool-wc", column, " ")
}

NF == 4 {
	if (!($2 in seen)) {
		seen[$2] = 1
		test[++tests] = $2
	}
	sub_of[$2, $3] = 1
	result[$1, $2, $3] = $4
	n[$1, $2, $4]++
	passed += $1 ~ /^ttmpool/ && $4 == "SUCCESS"
}

function cell(variant, of)
{
	return n[variant, of, "SUCCESS"] + 0 "/" n[variant, of, "FAIL"] + \
		n[variant, of, "CRASH"] + n[variant, of, "TIMEOUT"] + 0 "/" \
		n[variant, of, "SKIP"] + 0
}

# compare KIND: the subtests of which the two allocators say different things.
function compare(kind,    key, part, theirs, ours)
{
	for (key in sub_of) {
		split(key, part, SUBSEP)
		theirs = result["shmem-" kind, part[1], part[2]]
		ours = result["ttmpool-" kind, part[1], part[2]]
		if (theirs == ours)
			continue
		printf "%s %s: %s %s: %s on shmem, %s on ours\n", kernel, kind,
			part[1], part[2], theirs ? theirs : "nothing",
			ours ? ours : "nothing"
		worse += theirs == "SUCCESS"
	}
}

END {
	printf "| %s: test", kernel
	for (i = 1; i <= columns; i++)
		printf " | %s", column[i]
	print " |\n|---|---|---|---|---|"
	for (t = 1; t <= tests; t++) {
		printf "| %s", test[t]
		for (i = 1; i <= columns; i++)
			printf " | %s", cell(column[i], test[t])
		print " |"
	}
	compare("wb")
	compare("wc")
	exit worse > 0 || !passed
}
