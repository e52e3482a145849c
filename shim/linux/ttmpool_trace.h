/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* TRACE_EVENT() has a special layout. */
/* clang-format off */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM TTMPOOL_TRACE_SYSTEM

#if !defined(TTMPOOL_LINUX_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define TTMPOOL_LINUX_TRACE_H

/*
 * Trace events of two kinds: calls of the library to the kernel, and calls of a driver to
 * the library, whose event comes after all events that it caused. The events of buffers
 * are in ttmpool_trace_buffer.h. The conditional above is how the kernel reads such a
 * header. TTMPOOL_TRACE_SYSTEM comes from the Kbuild: a driver that embeds the library has
 * the events under its own name.
 */

#include <linux/device.h>
#include <linux/tracepoint.h>

#include <ttmpool/os.h>

#define TTMPOOL_TRACE_NAME 32

#define show_ttmpool_caching(caching) \
	__print_symbolic(caching, { 0, "uc" }, { 1, "wc" }, { 2, "wb" })

DECLARE_EVENT_CLASS(ttmpool_verb,
	TP_PROTO(struct device *dev, size_t pages, int caching, int err),
	TP_ARGS(dev, pages, caching, err),
	TP_STRUCT__entry(
		__array(char, dev, TTMPOOL_TRACE_NAME)
		__field(size_t, pages)
		__field(int, caching)
		__field(int, err)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev_name(dev),
			sizeof(__entry->dev));
		__entry->pages = pages;
		__entry->caching = caching;
		__entry->err = err;
	),
	TP_printk("%s pages=%zu caching=%s err=%d", __entry->dev,
		  __entry->pages, show_ttmpool_caching(__entry->caching),
		  __entry->err)
);

DEFINE_EVENT(ttmpool_verb, ttmpool_take,
	TP_PROTO(struct device *dev, size_t pages, int caching, int err),
	TP_ARGS(dev, pages, caching, err)
);

DEFINE_EVENT(ttmpool_verb, ttmpool_give,
	TP_PROTO(struct device *dev, size_t pages, int caching, int err),
	TP_ARGS(dev, pages, caching, err)
);

TRACE_EVENT(ttmpool_alloc,
	TP_PROTO(struct device *dev, const struct tpos_alloc *req,
		 struct page *page),
	TP_ARGS(dev, req, page),
	TP_STRUCT__entry(
		__array(char, dev, TTMPOOL_TRACE_NAME)
		__field(bool, coherent)
		__field(unsigned int, order)
		__field(unsigned int, flags)
		__field(int, node)
		__field(unsigned long, pfn)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev_name(dev),
			sizeof(__entry->dev));
		__entry->coherent = req->source == TTMPOOL_COHERENT;
		__entry->order = req->order;
		__entry->flags = req->flags;
		__entry->node = page ? page_to_nid(page) : req->node;
		__entry->pfn = page ? page_to_pfn(page) : 0;
	),
	TP_printk("%s %s order=%u flags=%#x node=%d pfn=%#lx",
		  __entry->dev, __entry->coherent ? "coherent" : "plain",
		  __entry->order, __entry->flags, __entry->node, __entry->pfn)
);

TRACE_EVENT(ttmpool_free,
	TP_PROTO(struct device *dev, long pages),
	TP_ARGS(dev, pages),
	TP_STRUCT__entry(
		__array(char, dev, TTMPOOL_TRACE_NAME)
		__field(long, pages)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev_name(dev),
			sizeof(__entry->dev));
		__entry->pages = pages;
	),
	TP_printk("%s pages=%ld", __entry->dev, __entry->pages)
);

TRACE_EVENT(ttmpool_caching,
	TP_PROTO(struct device *dev, long pages, int caching, int err),
	TP_ARGS(dev, pages, caching, err),
	TP_STRUCT__entry(
		__array(char, dev, TTMPOOL_TRACE_NAME)
		__field(long, pages)
		__field(int, caching)
		__field(int, err)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev_name(dev),
			sizeof(__entry->dev));
		__entry->pages = pages;
		__entry->caching = caching;
		__entry->err = err;
	),
	TP_printk("%s pages=%ld to=%s err=%d", __entry->dev, __entry->pages,
		  show_ttmpool_caching(__entry->caching), __entry->err)
);

TRACE_EVENT(ttmpool_map,
	TP_PROTO(struct device *dev, long chunks, int err),
	TP_ARGS(dev, chunks, err),
	TP_STRUCT__entry(
		__array(char, dev, TTMPOOL_TRACE_NAME)
		__field(long, chunks)
		__field(int, err)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev_name(dev),
			sizeof(__entry->dev));
		__entry->chunks = chunks;
		__entry->err = err;
	),
	TP_printk("%s chunks=%ld err=%d", __entry->dev, __entry->chunks,
		  __entry->err)
);

TRACE_EVENT(ttmpool_unmap,
	TP_PROTO(struct device *dev, long chunks, bool lazy),
	TP_ARGS(dev, chunks, lazy),
	TP_STRUCT__entry(
		__array(char, dev, TTMPOOL_TRACE_NAME)
		__field(long, chunks)
		__field(bool, lazy)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev_name(dev),
			sizeof(__entry->dev));
		__entry->chunks = chunks;
		__entry->lazy = lazy;
	),
	TP_printk("%s chunks=%ld%s", __entry->dev, __entry->chunks,
		  __entry->lazy ? " lazy" : "")
);

TRACE_EVENT(ttmpool_shrink,
	TP_PROTO(unsigned long asked, unsigned long pages),
	TP_ARGS(asked, pages),
	TP_STRUCT__entry(
		__field(unsigned long, asked)
		__field(unsigned long, pages)
	),
	TP_fast_assign(
		__entry->asked = asked;
		__entry->pages = pages;
	),
	TP_printk("asked=%lu pages=%lu", __entry->asked, __entry->pages)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE ttmpool_trace
#include <trace/define_trace.h>
