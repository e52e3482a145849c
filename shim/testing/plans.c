// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Fault plans by name. */

#include <stdlib.h>

#include "fixture.h"

#define PLAN_FAULTS 3

struct plan {
	const char *name;
	enum tpsim_call calls[PLAN_FAULTS];
	size_t nr_calls;
};

/* All later calls of each kind fail. */
static const struct plan plans[] = {
	{ "out-of-memory",
	  { TPSIM_CALL_PAGES_ALLOC, TPSIM_CALL_COHERENT_ALLOC,
	    TPSIM_CALL_ZALLOC },
	  3 },
	{ "no-caching", { TPSIM_CALL_CACHING_SET }, 1 },
	{ "stuck-caching", { TPSIM_CALL_CACHING_RESET }, 1 },
	{ "no-addresses", { TPSIM_CALL_DMA_MAP }, 1 },
	{ "store-full",
	  { TPSIM_CALL_STORE_CREATE, TPSIM_CALL_STORE_WRITE },
	  2 },
	{ "store-broken", { TPSIM_CALL_STORE_READ }, 1 },
	{ "interrupted", { TPSIM_CALL_WAIT }, 1 },
};

#define NR_PLANS (sizeof(plans) / sizeof(*plans))

const char *ttmpool_test_plan_name(size_t index)
{
	if (index < NR_PLANS)
		return plans[index].name;
	index -= NR_PLANS;
	return index < TPSIM_CALL_COUNT
		       ? tpsim_call_name((enum tpsim_call)index)
		       : NULL;
}

static const struct plan *plan_find(const char *name)
{
	for (size_t i = 0; i < NR_PLANS; i++)
		if (!strcmp(plans[i].name, name))
			return &plans[i];
	return NULL;
}

/* A number of at least 1 at *@text, which then points behind it; 0 if there is none. */
static unsigned long number_at(const char **text)
{
	char *end;
	unsigned long number;

	if (**text < '1' || **text > '9')
		return 0;
	number = strtoul(*text, &end, 10);
	*text = end;
	return number;
}

/* What follows the name of a call: "", ":N", ":N+" or ":N/K". */
static bool fault_parse(const char *text, struct tpsim_fault *fault)
{
	if (!*text)
		return true;
	if (*text++ != ':' || !(fault->nth = number_at(&text)))
		return false;
	if (*text == '+') {
		fault->times = UINT_MAX;
		text++;
	} else if (*text == '/') {
		text++;
		fault->after = number_at(&text);
		if (!fault->after)
			return false;
	}
	return !*text;
}

static bool fault_find(const char *name, struct tpsim_fault *fault)
{
	for (int call = 0; call < TPSIM_CALL_COUNT; call++) {
		const char *own = tpsim_call_name((enum tpsim_call)call);
		size_t len = strlen(own);

		if (strncmp(name, own, len) || (name[len] && name[len] != ':'))
			continue;
		*fault = (struct tpsim_fault){ .call = (enum tpsim_call)call,
					       .nth = 1 };
		return fault_parse(name + len, fault);
	}
	return false;
}

int ttmpool_test_plan(struct ttmpool_test *test, const char *name)
{
	struct fixture *fixture = fixture_of(test);
	const struct plan *plan = plan_find(name);
	struct tpsim_fault fault = { .nth = 1, .times = UINT_MAX };
	size_t n = plan ? plan->nr_calls : 1;

	if (!plan && !fault_find(name, &fault))
		return -ENOENT;
	if (fixture->planned + n > MOST_FAULTS)
		return -ENOSPC;
	fixture->planned += n;
	for (size_t i = 0; i < n; i++) {
		if (plan)
			fault.call = plan->calls[i];
		tpsim_fault_plan(test->machine, &fault);
	}
	return 0;
}

unsigned long ttmpool_test_plan_end(struct ttmpool_test *test)
{
	fixture_of(test)->planned = 0;
	return tpsim_fault_clear(test->machine);
}
