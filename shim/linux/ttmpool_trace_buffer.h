/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* TRACE_EVENT() has a special layout. */
/* clang-format off */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM TTMPOOL_TRACE_SYSTEM

#if !defined(TTMPOOL_LINUX_TRACE_BUFFER_H) || defined(TRACE_HEADER_MULTI_READ)
#define TTMPOOL_LINUX_TRACE_BUFFER_H

/*
 * Trace events of buffers, and of the stores that keep their contents. A module that only
 * has the pool floor has none of them. See ttmpool_trace.h.
 */

#include <linux/device.h>
#include <linux/fs.h>
#include <linux/tracepoint.h>

#include <ttmpool/backend.h>

#define TTMPOOL_TRACE_BUFFER_NAME 32

#define show_ttmpool_buffer_caching(caching) \
	__print_symbolic(caching, { 0, "uc" }, { 1, "wc" }, { 2, "wb" })

#define show_ttmpool_state(state) \
	__print_symbolic(state, { 0, "empty" }, { 1, "populated" }, \
			 { 2, "bound" }, { 3, "anonymous" }, { 4, "swapped" }, \
			 { 5, "partial" })

/* @buf identifies a buffer as long as it exists; it is printed hashed. */
DECLARE_EVENT_CLASS(ttmpool_buffer,
	TP_PROTO(const struct ttmpool_backend *be, u64 ns, int err),
	TP_ARGS(be, ns, err),
	TP_STRUCT__entry(
		__array(char, dev, TTMPOOL_TRACE_BUFFER_NAME)
		__field(const void *, buf)
		__field(size_t, pages)
		__field(int, caching)
		__field(int, coherent)
		__field(u64, ns)
		__field(int, err)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev_name(be->pool->dev),
			sizeof(__entry->dev));
		__entry->buf = be;
		__entry->pages = be->tt.num_pages;
		__entry->caching = be->tt.caching;
		__entry->coherent = be->funcs->source == TTMPOOL_COHERENT;
		__entry->ns = ns;
		__entry->err = err;
	),
	TP_printk("%s buf=%p pages=%zu caching=%s coherent=%d ns=%llu err=%d",
		  __entry->dev, __entry->buf, __entry->pages,
		  show_ttmpool_buffer_caching(__entry->caching), __entry->coherent,
		  __entry->ns, __entry->err)
);

DEFINE_EVENT(ttmpool_buffer, ttmpool_populate,
	TP_PROTO(const struct ttmpool_backend *be, u64 ns, int err),
	TP_ARGS(be, ns, err)
);

DEFINE_EVENT(ttmpool_buffer, ttmpool_unpopulate,
	TP_PROTO(const struct ttmpool_backend *be, u64 ns, int err),
	TP_ARGS(be, ns, err)
);

TRACE_EVENT(ttmpool_state,
	TP_PROTO(const struct ttmpool_backend *be, int from),
	TP_ARGS(be, from),
	TP_STRUCT__entry(
		__array(char, dev, TTMPOOL_TRACE_BUFFER_NAME)
		__field(const void *, buf)
		__field(size_t, pages)
		__field(int, caching)
		__field(int, coherent)
		__field(int, from)
		__field(int, to)
	),
	TP_fast_assign(
		strscpy(__entry->dev, dev_name(be->pool->dev),
			sizeof(__entry->dev));
		__entry->buf = be;
		__entry->pages = be->tt.num_pages;
		__entry->caching = be->tt.caching;
		__entry->coherent = be->funcs->source == TTMPOOL_COHERENT;
		__entry->from = from;
		__entry->to = be->tt.state;
	),
	TP_printk("%s buf=%p pages=%zu caching=%s coherent=%d from=%s to=%s",
		  __entry->dev, __entry->buf, __entry->pages,
		  show_ttmpool_buffer_caching(__entry->caching), __entry->coherent,
		  show_ttmpool_state(__entry->from),
		  show_ttmpool_state(__entry->to))
);

DECLARE_EVENT_CLASS(ttmpool_store,
	TP_PROTO(struct file *store, unsigned long index, unsigned long pages,
		 int err),
	TP_ARGS(store, index, pages, err),
	TP_STRUCT__entry(
		__field(unsigned long, ino)
		__field(unsigned long, index)
		__field(unsigned long, pages)
		__field(int, err)
	),
	TP_fast_assign(
		__entry->ino = file_inode(store)->i_ino;
		__entry->index = index;
		__entry->pages = pages;
		__entry->err = err;
	),
	TP_printk("store=%lu index=%lu pages=%lu err=%d", __entry->ino,
		  __entry->index, __entry->pages, __entry->err)
);

DEFINE_EVENT(ttmpool_store, ttmpool_swapout,
	TP_PROTO(struct file *store, unsigned long index, unsigned long pages,
		 int err),
	TP_ARGS(store, index, pages, err)
);

DEFINE_EVENT(ttmpool_store, ttmpool_swapin,
	TP_PROTO(struct file *store, unsigned long index, unsigned long pages,
		 int err),
	TP_ARGS(store, index, pages, err)
);

#endif

#undef TRACE_INCLUDE_PATH
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_PATH .
#define TRACE_INCLUDE_FILE ttmpool_trace_buffer
#include <trace/define_trace.h>
