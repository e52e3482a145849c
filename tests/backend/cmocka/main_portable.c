// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The main() of a portable suite under cmocka; CHECK_SUBJECT names the suite. The machine
 * has a strict IOMMU unless the environment says otherwise, so that one program can run
 * the same cases behind every kind of IOMMU:
 *
 *     TPSIM_IOMMU=off|lazy|strict   TPSIM_PAGE_SHIFT=12|14|16
 *     TPSIM_SWIOTLB=force           TPSIM_CACHES=unseen: by devices
 *     TPSIM_LINEAR_MAP=fixed: no caching can be changed
 *     TPSIM_IOVA=shared: the mappings of one call share their addresses
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_cmocka.h"

#define SUITE_OF(subject)   check_suite_##subject
#define SUITE_NAME(subject) SUITE_OF(subject)

extern const struct check_suite SUITE_NAME(CHECK_SUBJECT);

static bool parse_iommu(const char *name, enum tpsim_iommu *iommu)
{
	static const char *const names[] = { [TPSIM_IOMMU_OFF] = "off",
					     [TPSIM_IOMMU_LAZY] = "lazy",
					     [TPSIM_IOMMU_STRICT] = "strict" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!strcmp(name, names[i])) {
			*iommu = (enum tpsim_iommu)i;
			return true;
		}
	}
	return false;
}

int main(int argc, char **argv)
{
	struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT };
	const char *iommu = getenv("TPSIM_IOMMU");
	const char *shift = getenv("TPSIM_PAGE_SHIFT");

	if (iommu && !parse_iommu(iommu, &config.iommu)) {
		fprintf(stderr, "TPSIM_IOMMU=%s: off, lazy or strict\n", iommu);
		return 2;
	}
	config.swiotlb_force = getenv("TPSIM_SWIOTLB") != NULL;
	config.caches = getenv("TPSIM_CACHES") != NULL;
	config.no_caching = getenv("TPSIM_LINEAR_MAP") != NULL;
	config.shared_iova = getenv("TPSIM_IOVA") != NULL;
	if (shift)
		config.page_shift = (unsigned int)atoi(shift);
	return check_main(argc, argv, &SUITE_NAME(CHECK_SUBJECT), &config);
}
