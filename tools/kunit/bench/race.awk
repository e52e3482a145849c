# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# One JSON object of a race in User-Mode Linux (suite.c), from its console: for each work,
# size and step the medians of the time for one buffer, in ns, and the median of the
# pairs' ratios: how many times as long TTM's pool takes. spread: half of the ratios are
# within this fraction of the median. The first pair is to warm up.

function sort(v, n,    i, j, t)
{
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
}

function quantile(v, n, part)
{
	return v[1 + int((n - 1) * part + 0.5)]
}

function size_name(pages)
{
	return pages < 256 ? pages * 4 "k" : pages / 256 "m"
}

function row(key,    n, i, ours, other, ratio, middle, k)
{
	n = count[key, "ttm"] < count[key, "ttmpool"] ? \
		count[key, "ttm"] : count[key, "ttmpool"]
	for (i = 2; i <= n; i++) {
		ours[i - 1] = sample[key, "ttmpool", i] / 1000
		other[i - 1] = sample[key, "ttm", i] / 1000
		ratio[i - 1] = other[i - 1] / ours[i - 1]
	}
	n--
	sort(ours, n)
	sort(other, n)
	sort(ratio, n)
	middle = quantile(ratio, n, 0.5)
	split(key, k, " ")
	printf "%s\n  \"uml-%s-%s-%s\": ", rows++ ? "," : "{", k[1],
		size_name(k[2]), k[3]
	printf "{\"what\": \"%s, %d pages: %s\", ", k[1], k[2], k[3]
	printf "\"work\": \"%s\", \"pages\": %d, \"step\": \"%s\", ",
		k[1], k[2], k[3]
	printf "\"ours\": %.6g, \"other\": %.6g, \"unit\": \"ns\", ",
		quantile(ours, n, 0.5), quantile(other, n, 0.5)
	printf "\"ratio\": %.4g, \"spread\": %.2g, \"pairs\": %d}", middle,
		(quantile(ratio, n, 0.75) - quantile(ratio, n, 0.25)) / 2 / middle, n
}

{ sub(/\r$/, "") }

/^race: [^ ]+ [0-9]+ [^ ]+ (ttm|ttmpool) [0-9]+$/ {
	key = $2 " " $3 " " $4
	if (!(key in seen)) {
		seen[key] = 1
		keys[++total] = key
	}
	sample[key, $5, ++count[key, $5]] = $6
}

END {
	for (k = 1; k <= total; k++)
		if (count[keys[k], "ttm"] > 1 && count[keys[k], "ttmpool"] > 1)
			row(keys[k])
	print rows ? "\n}" : "{}"
	exit !rows
}
