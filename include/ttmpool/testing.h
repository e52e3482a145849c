/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_TESTING_H
#define TTMPOOL_TESTING_H

/*
 * Fixtures for the tests of a driver that uses ttmpool. The tests run in userspace, on the
 * simulated machine of tpsim.h; a program that uses the fixtures links ttmpool::testing.
 *
 * ttmpool_test_setup() and ttmpool_test_teardown() have the signatures that cmocka expects.
 * Any other test runner, of C or C++, calls ttmpool_test_open() and ttmpool_test_close().
 * This header includes nothing of cmocka, and contains nothing that a C++ compiler does not
 * understand. To get source lines in messages about leaks, include
 * <ttmpool/testing_lines.h> in the files that call ttmpool.
 */

/* The standard headers that have to come before <cmocka.h>. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <ttmpool/caching.h>

#ifdef __cplusplus
extern "C" {
#endif

struct tpsim_config;
struct tpsim_device;
struct tpsim_device_config;
struct tpsim_machine;
struct ttmpool_backend;
struct ttmpool_manager;
struct ttmpool_owner;
struct ttmpool_policy;
struct ttmpool_pool;

/**
 * struct ttmpool_test - the fixture of one test case
 * @machine: a simulated machine
 * @dev: a device of that machine
 * @mgr: a manager on @machine, without limits
 * @pool: a pool of @mgr for @dev
 * @owner: an account that the test may charge pages to
 *
 * The fixture owns all of these objects. The test may use them freely, but must not end
 * them.
 */
struct ttmpool_test {
	struct tpsim_machine *machine;
	struct tpsim_device *dev;
	struct ttmpool_manager *mgr;
	struct ttmpool_pool *pool;
	struct ttmpool_owner *owner;
};

/**
 * struct ttmpool_test_config - the settings of a fixture
 * @machine: the simulated machine; NULL for one with 64 MiB behind a strict IOMMU
 * @device: the device; NULL for one that reaches all memory
 * @policy: the policy of the pool; NULL for the one that ttmpool_policy_init() sets
 * @pool_name: the name of the pool in messages; NULL for "test-pool"
 * @owner_name: the name of the owner in messages; NULL for "test"
 * @say: called with each line of a message, without a newline; NULL to print the lines on
 *	stderr
 * @arg: passed to @say
 *
 * Zero-initialise the structure, and set the members that matter. The objects that it
 * points to outlive the fixture.
 */
struct ttmpool_test_config {
	const struct tpsim_config *machine;
	const struct tpsim_device_config *device;
	const struct ttmpool_policy *policy;
	const char *pool_name;
	const char *owner_name;
	void (*say)(void *arg, const char *line);
	void *arg;
};

/**
 * ttmpool_test_open() - make a fixture
 * @config: the settings of the fixture, or NULL for the defaults
 *
 * Return: the fixture, which ttmpool_test_close() ends; or NULL if there is no memory, or
 * if @config describes something impossible.
 */
struct ttmpool_test *
ttmpool_test_open(const struct ttmpool_test_config *config);

/**
 * ttmpool_test_close() - end a fixture and check for leaks
 * @test: the fixture; the function frees its memory
 *
 * A leak is a chunk of pages that is still in use, a buffer whose contents are still in a
 * store, or anything else that the driver got from the machine and did not give back. For
 * each leak, up to 16 of them, a message names the pool, the owner, the size, the order and
 * the caching of the chunk, and the source line that took it, if that is known. Leaked
 * pages then go back to the machine, so the next case begins with nothing. Under Valgrind,
 * the function leaves a small block unfreed for each leaked chunk, so that Valgrind's leak
 * report shows the call stack that took the chunk.
 *
 * A leak does not end the program. If the driver has left a pool, a manager, or a buffer
 * that is on the swapper's list, the function sets the machine aside for good.
 *
 * Return: the number of leaks; 0 if there were none.
 */
size_t ttmpool_test_close(struct ttmpool_test *test);

/**
 * ttmpool_test_setup() - call ttmpool_test_open(), as a setup function of cmocka
 * @state: *state is NULL, or points to a struct ttmpool_test_config (cmocka's "initial
 *	state"); the function sets it to the struct ttmpool_test
 *
 * Return: 0; or -1 if the fixture could not be made, and then *state has not changed.
 */
int ttmpool_test_setup(void **state);

/**
 * ttmpool_test_teardown() - call ttmpool_test_close(), as a teardown function of cmocka
 * @state: *state is what ttmpool_test_setup() has set
 *
 * cmocka reports a case whose teardown fails as an error, and continues with the next case.
 *
 * Return: 0; or -1 if there was a leak. In both cases the fixture is gone.
 */
int ttmpool_test_teardown(void **state);

/** TTMPOOL_TEST() - an entry of cmocka's list of tests, for a test case with a fixture. */
#define TTMPOOL_TEST(fn)                                        \
	cmocka_unit_test_setup_teardown(fn, ttmpool_test_setup, \
					ttmpool_test_teardown)

/**
 * ttmpool_test_buffer() - make an empty buffer on the fixture's pool
 * @test: the fixture
 * @num_pages: the number of pages that the buffer will have
 * @caching: how the CPU caches the pages
 *
 * The buffer has arrays for its pages and for their device addresses, and its pages are
 * charged to @test->owner. ttmpool_test_close() frees it. If it has pages then, or contents
 * in a store, that is a leak.
 *
 * Return: the buffer, in state EMPTY; or NULL if there is no memory, or if
 * ttmpool_backend_init() refuses it.
 */
struct ttmpool_backend *ttmpool_test_buffer(struct ttmpool_test *test,
					    size_t num_pages,
					    enum ttmpool_caching caching);

/**
 * ttmpool_test_plan() - make calls into the system fail
 * @test: the fixture
 * @name: the name of a plan
 *
 * There are these names:
 *
 *   out-of-memory     no page and no descriptor can be had
 *   no-caching        no page can be made uncached or write-combined
 *   stuck-caching     no page can be made write-back again
 *   no-addresses      no page can be mapped for the device
 *   store-full        nothing can be written to a store
 *   store-broken      nothing can be read from a store
 *   interrupted       every sleep is interrupted by a signal
 *   CALL              the next call of that kind fails: CALL is tpsim_call_name()'s, for
 *                     example "dma-map"
 *   CALL:N            the N-th call of that kind fails, counted from now
 *   CALL:N+           the N-th call and all later ones fail
 *   CALL:N/K          the N-th call fails after it has done K chunks of its batch
 *
 * A fixture has at most 8 planned failures; "out-of-memory" counts as three and
 * "store-full" as two.
 *
 * Return: 0; -ENOENT for an unknown name, or -ENOSPC for too many failures, and then
 * nothing has changed.
 */
int ttmpool_test_plan(struct ttmpool_test *test, const char *name);

/**
 * ttmpool_test_plan_end() - end all plans
 * @test: the fixture
 *
 * Return: the number of calls that the plans made fail.
 */
unsigned long ttmpool_test_plan_end(struct ttmpool_test *test);

/**
 * ttmpool_test_plan_name() - list the names of the plans
 * @index: the number of the name, from 0 on
 *
 * Return: the name of a plan; after these, the name of each kind of call; NULL after the
 * last name.
 */
const char *ttmpool_test_plan_name(size_t index);

/**
 * ttmpool_test_sweep() - make each call into the system fail, one after the other
 * @config: the settings of the fixtures, or NULL for the defaults
 * @scene: the code of the driver. It gets a fixture, uses the fixture, and gives everything
 *	back. It returns 0 or a negative errno, and must not jump out of itself as cmocka's
 *	assertions do.
 * @arg: passed to @scene
 * @visited: set to the number of calls that were made to fail; or NULL
 *
 * First @scene runs once without a failure. This run has to succeed, and its calls are
 * counted. Then, for each of these calls, @scene runs three times, each time on a new
 * fixture: the call fails once; the call fails half way through its batch; and the call
 * fails together with all later calls of its kind. In these runs @scene may succeed or
 * fail. In both cases nothing may leak. If @scene fails, it runs once more on the same
 * fixture, without a failure, and has to succeed.
 *
 * For each run that goes wrong, a message names the plan: ttmpool_test_plan() with that
 * name repeats the failure.
 *
 * Return: the number of runs that went wrong, 0 if there were none; the error of @scene, if
 * it fails when nothing else does; or -ENOMEM if a fixture could not be made.
 */
int ttmpool_test_sweep(const struct ttmpool_test_config *config,
		       int (*scene)(struct ttmpool_test *test, void *arg),
		       void *arg, unsigned long *visited);

/**
 * ttmpool_test_enter() - set the source line of the pages that this thread takes from now
 * on
 * @file: the name of the file, a string that is never freed
 * @line: the line
 *
 * For <ttmpool/testing_lines.h>. If calls are nested, the line of the outermost one counts.
 */
void ttmpool_test_enter(const char *file, int line);

/**
 * ttmpool_test_leave() - end what ttmpool_test_enter() began
 * @result: the result of the call between the two
 *
 * Return: @result.
 */
int ttmpool_test_leave(int result);

#ifdef __cplusplus
}
#endif

#endif
