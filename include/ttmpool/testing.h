/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_TESTING_H
#define TTMPOOL_TESTING_H

/*
 * Fixtures for the tests of a driver that uses ttmpool. They run in userspace, on the
 * simulated machine of tpsim.h; a program that uses them links ttmpool::testing.
 *
 * ttmpool_test_setup() and ttmpool_test_teardown() have the signatures that cmocka
 * wants. Any other test runner, of C or C++, calls ttmpool_test_open() and
 * ttmpool_test_close(). This header includes nothing of cmocka, and nothing that a C++
 * compiler does not understand. Whoever wants to see source lines in messages about
 * leaks includes <ttmpool/testing_lines.h> in the files that call ttmpool.
 */

/* The standard headers are those that have to come before <cmocka.h>. */
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
 * @dev: a device of it
 * @mgr: a manager on @machine, without limits
 * @pool: a pool of @mgr for @dev
 * @owner: an account that the test may charge pages to
 *
 * The fixture owns all of them. The test may use them as it likes, but must not end
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
 * struct ttmpool_test_config - what a fixture is made of
 * @machine: the simulated machine; NULL for 64 MiB behind a strict IOMMU
 * @device: the device; NULL for one that reaches all memory
 * @policy: of the pool; NULL for ttmpool_policy_init()'s
 * @pool_name: what messages call the pool; NULL for "test-pool"
 * @owner_name: what messages call the owner; NULL for "test"
 * @say: called with each line of a message, without a newline; NULL to print it on
 *	stderr
 * @arg: handed to @say
 *
 * Zero-initialise it, and set what matters. What it points to outlives the fixture.
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
 * @config: what it is made of, or NULL for the defaults
 *
 * Return: the fixture, which ttmpool_test_close() ends; or NULL if there is no memory,
 * or if @config describes something impossible.
 */
struct ttmpool_test *
ttmpool_test_open(const struct ttmpool_test_config *config);

/**
 * ttmpool_test_close() - end a fixture, and look for leaks
 * @test: the fixture; its memory is freed
 *
 * A leak is a chunk of pages that is still in use, a buffer whose contents are still in
 * a store, or anything else that the driver got of the machine and did not give back.
 * For each leak, up to 16 of them, there is a line that names the pool, the owner, the
 * size, the order and the caching of the chunk, and the source line that took it, if
 * that is known. Leaked pages then go back to the machine, so that the next case
 * begins with nothing. Under Valgrind, a small block is left unfreed for each leaked
 * chunk, so that the leak report shows the call stack that took the chunk.
 *
 * The program does not end for a leak. If the driver has left a pool, a manager, or a
 * buffer that the swapper knows, the machine is set aside for good instead.
 *
 * Return: the number of leaks; 0 if there were none.
 */
size_t ttmpool_test_close(struct ttmpool_test *test);

/**
 * ttmpool_test_setup() - ttmpool_test_open() for cmocka
 * @state: *state is NULL, or points to a struct ttmpool_test_config (cmocka's "initial
 *	state"); it is set to the struct ttmpool_test
 *
 * Return: 0; or -1 if there is no fixture, and then *state has not changed.
 */
int ttmpool_test_setup(void **state);

/**
 * ttmpool_test_teardown() - ttmpool_test_close() for cmocka
 * @state: *state is what ttmpool_test_setup() has set
 *
 * cmocka reports a case whose teardown fails as an error, and goes on with the next
 * case.
 *
 * Return: 0; or -1 if there was a leak. In both cases the fixture is gone.
 */
int ttmpool_test_teardown(void **state);

/** TTMPOOL_TEST() - an entry of cmocka's list of tests, for a case with a fixture. */
#define TTMPOOL_TEST(fn)                                        \
	cmocka_unit_test_setup_teardown(fn, ttmpool_test_setup, \
					ttmpool_test_teardown)

/**
 * ttmpool_test_buffer() - make an empty buffer on the fixture's pool
 * @test: the fixture
 * @num_pages: how many pages it will have
 * @caching: how the CPU will cache them
 *
 * It has arrays for its pages and for their device addresses, and is charged to
 * @test->owner. ttmpool_test_close() frees it. A buffer that has pages then, or contents
 * in a store, is a leak.
 *
 * Return: the buffer, in state EMPTY; or NULL if there is no memory, or if
 * ttmpool_backend_init() refuses it.
 */
struct ttmpool_backend *ttmpool_test_buffer(struct ttmpool_test *test,
					    size_t num_pages,
					    enum ttmpool_caching caching);

/**
 * ttmpool_test_plan() - let calls into the system fail
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
 *   CALL:N+           the N-th call, and all later ones
 *   CALL:N/K          the N-th call, after it has done K chunks of its batch
 *
 * A fixture has at most 8 failures planned; "out-of-memory" is three of them and
 * "store-full" is two.
 *
 * Return: 0; -ENOENT for a name that is not known, or -ENOSPC for too many failures,
 * and then nothing has changed.
 */
int ttmpool_test_plan(struct ttmpool_test *test, const char *name);

/**
 * ttmpool_test_plan_end() - forget all plans
 * @test: the fixture
 *
 * Return: how many calls were made to fail.
 */
unsigned long ttmpool_test_plan_end(struct ttmpool_test *test);

/**
 * ttmpool_test_plan_name() - the names of the plans
 * @index: from 0 on
 *
 * Return: the name of a plan; of each kind of call, its name; NULL after the last one.
 */
const char *ttmpool_test_plan_name(size_t index);

/**
 * ttmpool_test_sweep() - let each call into the system fail, one after the other
 * @config: of the fixtures, or NULL for the defaults
 * @scene: the driver's code. It gets a fixture, uses it, and gives everything back. It
 *	returns 0 or a negative errno, and must not jump out of itself as cmocka's
 *	assertions do.
 * @arg: handed to @scene
 * @visited: set to the number of calls that were made to fail, or NULL
 *
 * First @scene runs once without a failure, which has to succeed, and its calls are
 * counted. Then, for each of these calls, it runs three times on a new fixture each
 * time: the call fails once, it fails half way through its batch, and it fails together
 * with all later calls of its kind. @scene may succeed in spite of that, or it may
 * fail. In both cases nothing may leak. After a failure @scene runs again without one,
 * on the same fixture, and then it has to succeed.
 *
 * For each run that is not as it has to be there is a line that names the plan:
 * ttmpool_test_plan() with that name does the same again.
 *
 * Return: the number of such runs, 0 if there were none; the error of @scene if it
 * fails when nothing else does; or -ENOMEM if there is no fixture.
 */
int ttmpool_test_sweep(const struct ttmpool_test_config *config,
		       int (*scene)(struct ttmpool_test *test, void *arg),
		       void *arg, unsigned long *visited);

/**
 * ttmpool_test_enter() - pages that this thread takes from now on are taken at this line
 * @file: the file, a string that is never freed
 * @line: the line
 *
 * For <ttmpool/testing_lines.h>. Within another ttmpool_test_enter(), the outer line
 * counts.
 */
void ttmpool_test_enter(const char *file, int line);

/**
 * ttmpool_test_leave() - the end of ttmpool_test_enter()
 * @result: of the call between them
 *
 * Return: @result.
 */
int ttmpool_test_leave(int result);

#ifdef __cplusplus
}
#endif

#endif
