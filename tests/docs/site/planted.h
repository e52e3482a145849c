/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/**
 * planted_parameter() - names a parameter that there is not
 * @missing: this one
 */
int planted_parameter(int other);

/**
 * planted_name() - is followed by another function
 */
int planted_other_name(void);

/**
 * Says something of nothing.
 */
int planted_nothing(void);
