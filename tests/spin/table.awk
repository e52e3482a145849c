# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# Makes Promela's macros from the tables of the library that tests/docs/states.c prints:
# S_state and V_verb, MAY(from, to), LEADS(verb, in); or, with -v edges=1, the lines that
# the model must print, one for each entry.

function name(text)
{
	gsub(/^ +| +$/, "", text)
	gsub(/[^a-z_]/, "_", text)
	return text
}

BEGIN { FS = "|" }

/^\| from / || /^\| verb / {
	verbs = /^\| verb /
	for (i = 3; i < NF; i++)
		state[name($i)] = i - 3
	states = NF - 3
	row = 0
	next
}

/^\|---/ || NF < 3 { next }

!verbs {
	for (i = 3; i < NF; i++)
		if ($i ~ /x/) {
			may = may sprintf(" || ((f) == %d && (t) == %d)", row,
					  i - 3)
			edge[row, i - 3] = 1
		}
	row++
}

verbs {
	verb[row] = name($2)
	for (i = 3; i < NF; i++) {
		to = name($i)
		if (!(to in state))
			continue
		leads = leads sprintf("((v) == %d \\&\\& (s) == %d -> %d : ",
				      row, i - 3, state[to])
		brackets = brackets ")"
		does[row, i - 3] = state[to]
	}
	row++
}

END {
	if (!states || !row)
		exit 1
	if (edges) {
		for (e in edge) {
			split(e, at, SUBSEP)
			printf "edge %d %d\n", at[1], at[2]
		}
		for (d in does) {
			split(d, at, SUBSEP)
			printf "verb %d %d %d\n", at[1], at[2], does[d]
		}
		exit
	}
	for (s in state)
		printf "#define S_%s %d\n", s, state[s]
	for (v = 0; v < row; v++)
		printf "#define V_%s %d\n", verb[v], v
	gsub(/\\&/, "\\&", leads)
	printf "#define NR_VERBS %d\n#define REFUSED 99\n", row
	printf "#define MAY(f, t) (false%s)\n", may
	printf "#define LEADS(v, s) %sREFUSED%s\n", leads, brackets
}
