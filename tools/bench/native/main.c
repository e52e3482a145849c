// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ./dev bench: the native cost of the library, compared with others. */

#include <stdio.h>
#include <string.h>

#include "bench.h"

static int contenders_open(void)
{
	int err = contender_magazine.open();

	if (!err)
		err = contender_rte.open();
	if (!err)
		err = contender_ttm.open();
	return err;
}

int main(void)
{
	static struct rows rows;
	int err = contenders_open();

	if (!err)
		err = bench_clear(&rows);
	if (!err)
		err = bench_bulk(&rows);
	if (!err)
		err = bench_pass(&rows);
	if (!err)
		err = bench_buffers(&rows);
	if (err) {
		fprintf(stderr, "bench: %s\n", strerror(-err));
		return 1;
	}
	print_rows(&rows);
	return 0;
}
