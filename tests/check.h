/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef CHECK_H
#define CHECK_H

/*
 * The facade that portable cases are written against: the same files run under
 * cmocka on the simulated machine, and in a booted kernel, where they print
 * KTAP. They use the public API of ttmpool, this header, and rig.h or, for buffers,
 * rig_buffer.h; and nothing else, no libc.
 *
 * A case is a function with one sentence above it. CHECK() and its kin return
 * from the function that they stand in, so they stand in the case itself, not
 * in functions that it calls: those return values.
 */

#include <ttmpool/pool.h>

/**
 * struct check - one case that is running
 * @system: where its managers live
 * @failed: set by the first check that failed
 * @world: the backend's own
 */
struct check {
	tpos_system_t *system;
	bool failed;
	void *world;
};

struct check_case {
	const char *name;
	void (*run)(struct check *t);
};

/**
 * struct check_suite - the cases of one file
 * @name: of the subject
 * @cases: ended by one without a name
 */
struct check_suite {
	const char *name;
	const struct check_case *cases;
};

#define CHECK_CASE(fn)                   \
	{                                \
		.name = #fn, .run = (fn) \
	}
#define CHECK_SUITE(subject, ...)                                              \
	static const struct check_case subject##_cases[] = { __VA_ARGS__,      \
							     { NULL, NULL } }; \
	extern const struct check_suite check_suite_##subject;                 \
	const struct check_suite check_suite_##subject = {                     \
		.name = #subject, .cases = subject##_cases                     \
	}

/** check_any() - accept any result: the case looks at something else instead. */
static inline void check_any(int result)
{
	(void)result;
}

/*
 * What a backend of the facade provides.
 */

/** check_fail() - note that a check failed, and say where. */
void check_fail(struct check *t, const char *file, int line, const char *what,
		const long long *values);

/** check_device() - one of two devices, both with @mask_bits of DMA mask. */
tpos_device_t *check_device(struct check *t, int which, unsigned int mask_bits);

/** check_unplug() - a device goes, and nothing of it is mapped; a later
 * check_device() plugs it in again, as a new one. */
void check_unplug(struct check *t, int which);

/** check_set_mask() - its driver changes a device's DMA mask, for all that it does;
 * false if it cannot have that one here. */
bool check_set_mask(struct check *t, tpos_device_t *dev,
		    unsigned int mask_bits);

/** check_mask_bits() - how many bits, @bits or more, the mask of a device must have at
 * least on this machine: where its memory begins high, few of them reach none of it. */
unsigned int check_mask_bits(struct check *t, unsigned int bits);

/** check_zalloc() - zeroed memory that goes away with the case. */
void *check_zalloc(struct check *t, size_t size);

/** check_fill() - the CPU writes @byte all over a page, by a mapping of
 * @caching; false if the page is of another caching. */
bool check_fill(struct check *t, tpos_page_t *page,
		enum ttmpool_caching caching, unsigned char byte);

/** check_holds() - does the CPU read @byte all over the page? */
bool check_holds(struct check *t, tpos_page_t *page,
		 enum ttmpool_caching caching, unsigned char byte);

/** check_device_holds() - does the device read @byte all over the page at this
 * address? False, too, if the access faults. */
bool check_device_holds(struct check *t, tpos_device_t *dev,
			tpos_dma_addr_t addr, unsigned char byte);

/** check_cut_off() - the device reads at an address that was its until now, of a
 * page that held @byte all over: is it stopped? It has to be behind an IOMMU. */
bool check_cut_off(struct check *t, tpos_device_t *dev, tpos_dma_addr_t addr,
		   unsigned char byte);

/** check_sync() - let the device see what the CPU wrote to a page that is
 * mapped for it at this address (Linux: dma_sync_single_for_device()). */
void check_sync(struct check *t, tpos_device_t *dev, tpos_page_t *page,
		tpos_dma_addr_t addr);

/** check_caching() - what the CPU's page table says of the page. */
enum ttmpool_caching check_caching(struct check *t, tpos_page_t *page);

/** check_page_of_system() - a page that no pool knows; it goes away with the
 * case. */
tpos_page_t *check_page_of_system(struct check *t);

/** check_poison() - the hardware tells of an error in a page that is out; false if
 * nobody would hear of it here (Linux: no CONFIG_MEMORY_FAILURE). */
bool check_poison(struct check *t, tpos_page_t *page);

/** check_pages_out() - pages that the library has of the system now. */
size_t check_pages_out(struct check *t);

/** check_reports() - how many reports of @kind there were in this case. */
size_t check_reports(struct check *t, enum ttmpool_report_kind kind);

/** check_log() - one line of a log that two worlds are compared by; printf's
 * formats %d, %s, %zu and %llu. */
void check_log(struct check *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#define CHECK(t, cond)                                                  \
	do {                                                            \
		if (!(cond)) {                                          \
			check_fail(t, __FILE__, __LINE__, #cond, NULL); \
			return;                                         \
		}                                                       \
	} while (0)

#define CHECK_EQ(t, a, b)                                               \
	do {                                                            \
		const long long check_values[2] = { (long long)(a),     \
						    (long long)(b) };   \
		if (check_values[0] != check_values[1]) {               \
			check_fail(t, __FILE__, __LINE__, #a " == " #b, \
				   check_values);                       \
			return;                                         \
		}                                                       \
	} while (0)

#endif
