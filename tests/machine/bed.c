// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The test bed. A breach of the machine's rules runs in a child process, whose stderr is
 * a pipe: the child must end by abort(), after it has named the rule there.
 */

#include "bed.h"

#include <annotate.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct tpsim_machine *machine_with(const struct tpsim_config *config)
{
	struct tpsim_machine *machine = tpsim_machine_create(config);

	assert_non_null(machine);
	return machine;
}

struct tpsim_device *device_with(struct tpsim_machine *machine, uint64_t mask)
{
	struct tpsim_device *dev = tpsim_device_create(
		machine, &(struct tpsim_device_config){ .dma_mask = mask,
							.node = ANY_NODE });

	assert_non_null(dev);
	return dev;
}

void batch_init(struct batch *batch)
{
	ttmpool_list_init(&batch->list);
	batch->n = 0;
}

int batch_add(struct batch *batch, struct tpsim_device *dev,
	      const struct tpos_alloc *req)
{
	struct ttmpool_chunk *chunk = &batch->chunk[batch->n];
	int err;

	assert_true(batch->n < BATCH_MOST);
	*chunk = (struct ttmpool_chunk){ .order = (uint8_t)req->order,
					 .caching = TTMPOOL_CACHED };
	if (req->source == TTMPOOL_COHERENT)
		chunk->flags = TTMPOOL_CHUNK_FROM_COHERENT;
	err = tpos_pages_alloc(dev, req, chunk);
	if (err)
		return err;
	ttmpool_list_add_tail(&chunk->link, &batch->list);
	batch->n++;
	return 0;
}

void batch_plain(struct batch *batch, struct tpsim_device *dev, size_t n,
		 unsigned int order)
{
	while (n--)
		assert_int_equal(
			batch_add(batch, dev,
				  &(struct tpos_alloc){ .order = order,
							.node = ANY_NODE }),
			0);
}

void batch_free(struct batch *batch, struct tpsim_device *dev)
{
	tpos_pages_free(dev, &batch->list);
	batch_init(batch);
}

struct tpsim_counters counters_of(struct tpsim_machine *machine)
{
	struct tpsim_counters counters;

	tpsim_counters(machine, &counters);
	return counters;
}

struct tpsim_ledger ledger_of(struct tpsim_machine *machine)
{
	struct tpsim_ledger ledger;

	tpsim_ledger(machine, &ledger);
	return ledger;
}

void plan(struct tpsim_machine *machine, enum tpsim_call call,
	  unsigned long nth, size_t after)
{
	tpsim_fault_plan(machine, &(struct tpsim_fault){ .call = call,
							 .nth = nth,
							 .after = after });
}

void batch_coherent(struct batch *batch, struct tpsim_device *dev,
		    unsigned int order)
{
	struct tpos_alloc req = { .source = TTMPOOL_COHERENT,
				  .order = order,
				  .node = ANY_NODE };

	assert_int_equal(batch_add(batch, dev, &req), 0);
}

struct tpos_span span_of(const struct ttmpool_chunk *chunk, size_t first,
			 size_t pages)
{
	return (struct tpos_span){ chunk, first, pages };
}

void page_fill(struct tpsim_machine *machine, tpos_page_t *page,
	       unsigned char byte)
{
	size_t len = tpsim_page_size(machine);
	void *bytes = malloc(len);

	assert_non_null(bytes);
	memset(bytes, byte, len);
	assert_int_equal(tpsim_cpu_write(machine, page, 0, bytes, len,
					 tpsim_page_caching(machine, page)),
			 0);
	free(bytes);
}

bool page_is(struct tpsim_machine *machine, tpos_page_t *page,
	     unsigned char byte)
{
	size_t len = tpsim_page_size(machine);
	void *bytes = malloc(len);
	bool is;

	assert_non_null(bytes);
	assert_int_equal(tpsim_cpu_read(machine, page, 0, bytes, len,
					tpsim_page_caching(machine, page)),
			 0);
	is = bytes_are(bytes, len, byte);
	free(bytes);
	return is;
}

bool under_valgrind(void)
{
#ifdef ANNOTATE_VALGRIND
	return RUNNING_ON_VALGRIND;
#else
	return false;
#endif
}

bool bytes_are(const void *bytes, size_t len, unsigned char byte)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < len; i++)
		if (b[i] != byte)
			return false;
	return true;
}

static _Noreturn void child(int err, void (*breach)(void *arg), void *arg)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	dup2(err, STDERR_FILENO);
	breach(arg);
	_exit(0);
}

void assert_complains(const char *rule, void (*breach)(void *arg), void *arg)
{
	char said[4096] = "";
	size_t len = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	fflush(NULL);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		child(fds[1], breach, arg);
	close(fds[1]);
	while ((n = read(fds[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!strstr(said, rule))
		fail_msg("\"%s\" was expected, and this said: %s", rule, said);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
