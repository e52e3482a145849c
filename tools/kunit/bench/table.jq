# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# The rows of a race in User-Mode Linux as tables, one for each work. A number says how
# many times as long TTM's pool takes.

def name: { wc: "plain pages, write-combined",
	    dma: "pages of the DMA API",
	    single: "plain pages, of a machine where only single pages are free",
	    cached: "plain pages, cached (\"both\" is of one buffer after the other)" };

def steps: [ "populate", "unpopulate-bare", "unpopulate", "both",
	     "cold-populate", "cold-both" ];

def short: if . >= 100 then round elif . >= 10 then (. * 10 | round / 10)
	else (. * 100 | round / 100) end;

def cell: if . == null then ""
	else "\(.ratio | short) ± \(.spread * 100 | round) %" end;

[.[]] as $rows | ($rows | map(.work) | unique_by(.)) as $works |
("wc", "dma", "single", "cached") | . as $work | select($works | index($work)) |
"Of \(name[$work]):\n",
"| buffer | populate | unpopulate without clearing | unpopulate | both | cold: populate | cold: both |",
"|---|---|---|---|---|---|---|",
($rows | map(select(.work == $work)) | group_by(.pages) | .[] |
	(map({ (.step): . }) | add) as $of |
	"| \(.[0].pages | if . < 256 then "\(. * 4) KiB" else "\(. / 256) MiB" end) | " +
	(steps | map($of[.] | cell) | join(" | ")) + " |"),
""
