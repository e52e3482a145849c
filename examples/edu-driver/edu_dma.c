// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The engine: it copies between memory and the device's buffer, 100 ms each. */

#include <linux/delay.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>

#include "edu.h"

#define EDU_DMA_FROM    0x80
#define EDU_DMA_TO      0x88
#define EDU_DMA_COUNT   0x90
#define EDU_DMA_COMMAND 0x98
#define EDU_RUN         0x1
#define EDU_TO_MEMORY   0x2
#define EDU_BUFFER      0x40000

#define EDU_POLL_US     50000
#define EDU_PATIENCE_US 2000000

static int edu_run(struct edu *edu, u64 from, u64 to, u32 command)
{
	u32 value;

	writeq(from, edu->regs + EDU_DMA_FROM);
	writeq(to, edu->regs + EDU_DMA_TO);
	writeq(EDU_TRANSFER, edu->regs + EDU_DMA_COUNT);
	writeq(EDU_RUN | command, edu->regs + EDU_DMA_COMMAND);
	return readl_poll_timeout(edu->regs + EDU_DMA_COMMAND, value,
				  !(value & EDU_RUN), EDU_POLL_US,
				  EDU_PATIENCE_US);
}

/* The device reads memory into its buffer. */
int edu_read(struct edu *edu, int slot, size_t page, size_t offset)
{
	return edu_run(edu, edu->slots[slot][page] + offset, EDU_BUFFER, 0);
}

/* The device writes its buffer to memory. */
int edu_write(struct edu *edu, int slot, size_t page, size_t offset)
{
	return edu_run(edu, EDU_BUFFER, edu->slots[slot][page] + offset,
		       EDU_TO_MEMORY);
}
