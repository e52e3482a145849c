/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef CHECK_H
#define CHECK_H

/*
 * The facade that portable cases are written against: the same files run under cmocka on
 * the simulated machine, and in a booted kernel, where they print KTAP. They use the
 * public API of ttmpool, this header, and rig.h or, for buffers, rig_buffer.h; nothing
 * else, and no libc.
 *
 * A case is a function with one sentence above it. CHECK() and its kin return from the
 * function in which they stand, so they stand in the case itself; the functions that a
 * case calls return values instead.
 */

#include <ttmpool/pool.h>

/**
 * struct check - one case that is running
 * @system: the system of its managers
 * @failed: set by the first check that failed
 * @world: private to the backend of the facade
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
 * @name: the subject
 * @cases: the last one is followed by one without a name
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

/** check_any() - ignore a result, because the case checks something else instead. */
static inline void check_any(int result)
{
	(void)result;
}

/*
 * The functions that a backend of the facade provides.
 */

/** check_fail() - record that a check failed, and print where. */
void check_fail(struct check *t, const char *file, int line, const char *what,
		const long long *values);

/** check_device() - one of two devices, both with a DMA mask of @mask_bits. */
tpos_device_t *check_device(struct check *t, int which, unsigned int mask_bits);

/** check_unplug() - remove a device for which nothing is mapped; a later check_device()
 * plugs it in again, as a new one. */
void check_unplug(struct check *t, int which);

/** check_set_mask() - change a device's DMA mask as its driver would, for all its
 * mappings; false if the device cannot have that mask here. */
bool check_set_mask(struct check *t, tpos_device_t *dev,
		    unsigned int mask_bits);

/** check_mask_bits() - the smallest DMA mask, of @bits or more, that a device can have on
 * this machine: if memory begins at a high address, a small mask reaches none of it. */
unsigned int check_mask_bits(struct check *t, unsigned int bits);

/** check_zalloc() - zeroed memory that is freed when the case ends. */
void *check_zalloc(struct check *t, size_t size);

/** check_fill() - the CPU writes @byte to every byte of a page, through a mapping with
 * @caching; false if the page has another caching. */
bool check_fill(struct check *t, tpos_page_t *page,
		enum ttmpool_caching caching, unsigned char byte);

/** check_holds() - does the CPU read @byte in every byte of the page? */
bool check_holds(struct check *t, tpos_page_t *page,
		 enum ttmpool_caching caching, unsigned char byte);

/** check_device_holds() - does the device read @byte in every byte of the page at this
 * address? False, too, if the access faults. */
bool check_device_holds(struct check *t, tpos_device_t *dev,
			tpos_dma_addr_t addr, unsigned char byte);

/** check_cut_off() - is the device stopped when it reads at an address that it had until
 * now, of a page that was full of @byte? It must be behind an IOMMU. */
bool check_cut_off(struct check *t, tpos_device_t *dev, tpos_dma_addr_t addr,
		   unsigned char byte);

/** check_sync() - let the device see what the CPU wrote to a page that is mapped for it
 * at this address (Linux: dma_sync_single_for_device()). */
void check_sync(struct check *t, tpos_device_t *dev, tpos_page_t *page,
		tpos_dma_addr_t addr);

/** check_caching() - the caching of the page in the CPU's page table. */
enum ttmpool_caching check_caching(struct check *t, tpos_page_t *page);

/** check_page_of_system() - a page that is in no pool; it is freed when the case ends. */
tpos_page_t *check_page_of_system(struct check *t);

/** check_poison() - let the hardware report an error in a page that the library has;
 * false if the system reports no such errors (Linux: no CONFIG_MEMORY_FAILURE). */
bool check_poison(struct check *t, tpos_page_t *page);

/** check_pages_out() - how many pages of the system the library has now. */
size_t check_pages_out(struct check *t);

/** check_reports() - how many reports of @kind there were in this case. */
size_t check_reports(struct check *t, enum ttmpool_report_kind kind);

/** check_log() - write one line of the log by which two worlds are compared; printf's
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
