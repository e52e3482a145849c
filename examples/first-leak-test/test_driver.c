// SPDX-License-Identifier: GPL-2.0 OR MIT
#include <ttmpool/testing.h>
#include <cmocka.h>
#include "driver.h"

static void copying_leaks_nothing(void **state)
{
	struct ttmpool_test *test = *state;

	assert_int_equal(driver_copy(test->pool, test->owner), 0);
}

static void drawing_leaks_nothing(void **state)
{
	struct ttmpool_test *test = *state;

	assert_int_equal(driver_draw(test->pool, test->owner), 0);
}

static int copy(struct ttmpool_test *test, void *arg)
{
	(void)arg;
	return driver_copy(test->pool, test->owner);
}

static void copying_survives_every_failing_call(void **state)
{
	(void)state;
	assert_int_equal(ttmpool_test_sweep(NULL, copy, NULL, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TTMPOOL_TEST(copying_leaks_nothing),
		TTMPOOL_TEST(drawing_leaks_nothing),
		cmocka_unit_test(copying_survives_every_failing_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
