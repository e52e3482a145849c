/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_VERSION_H
#define TTMPOOL_VERSION_H

/*
 * The version of these headers. CMakeLists.txt reads it from here, so the package and the
 * library have the same version.
 */

#define TTMPOOL_VERSION_MAJOR  0
#define TTMPOOL_VERSION_MINOR  1
#define TTMPOOL_VERSION_PATCH  0
#define TTMPOOL_VERSION_STRING "0.1.0"

/** TTMPOOL_VERSION_AT_LEAST() - for #if: true if this version is @major.@minor or newer. */
#define TTMPOOL_VERSION_AT_LEAST(major, minor) \
	(TTMPOOL_VERSION_MAJOR > (major) ||    \
	 (TTMPOOL_VERSION_MAJOR == (major) &&  \
	  TTMPOOL_VERSION_MINOR >= (minor)))

#endif
