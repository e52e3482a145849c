// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ./dev bench: what the library costs natively, beside others. */

#include <stdio.h>
#include <string.h>

#include "bench.h"

int main(int argc, char **argv)
{
	struct row rows[CLEAR_ROWS + BULK_ROWS];
	bool json = argc > 1 && !strcmp(argv[1], "--json");

	if (argc > 1 + json) {
		fprintf(stderr, "usage: ./dev bench [--json]\n");
		return 2;
	}
	if (bench_clear(rows) || bench_bulk(rows + CLEAR_ROWS))
		return 1;
	print_rows(rows, CLEAR_ROWS + BULK_ROWS, json);
	return 0;
}
