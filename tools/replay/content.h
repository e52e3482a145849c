/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_CONTENT_H
#define REPLAY_CONTENT_H

#include "buffers.h"
#include "rig.h"

/**
 * content_write() - check that fresh pages are zero, and write to each
 * @rig: the machine
 * @buffer: a buffer that has just been populated
 * @page: on a fault, the page
 *
 * Return: NULL, or what is wrong.
 */
const char *content_write(struct rig *rig, struct buffer *buffer, size_t *page);

/**
 * content_verify() - check that the pages are as they were written
 * @rig: the machine
 * @buffer: a buffer that content_write() wrote to
 * @page: on a fault, the page
 *
 * The CPU reads all pages, and the device the first and the last.
 *
 * Return: NULL, or what is wrong.
 */
const char *content_verify(struct rig *rig, struct buffer *buffer,
			   size_t *page);

#endif
