/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LIST_H
#define TTMPOOL_LIST_H

#include <ttmpool_port.h>

TPOS_API_BEGIN

/*
 * A circular list, whose head is a link like any other. The library has its own list
 * because the port gets the chunks of a batch as a list, and a library that is also under
 * the MIT license may not use Linux's list.h.
 */

/**
 * struct ttmpool_list - a link of a list, or its head
 * @next: the element after this one, or the head at the end of the list
 * @prev: the element before this one, or the head at the beginning of the list
 */
struct ttmpool_list {
	struct ttmpool_list *next;
	struct ttmpool_list *prev;
};

static inline void ttmpool_list_init(struct ttmpool_list *head)
{
	head->next = head;
	head->prev = head;
}

static inline bool ttmpool_list_empty(const struct ttmpool_list *head)
{
	return head->next == head;
}

/** ttmpool_list_link_between() - insert @link between two neighbours. */
static inline void ttmpool_list_link_between(struct ttmpool_list *link,
					     struct ttmpool_list *prev,
					     struct ttmpool_list *next)
{
	link->prev = prev;
	link->next = next;
	prev->next = link;
	next->prev = link;
}

static inline void ttmpool_list_add(struct ttmpool_list *link,
				    struct ttmpool_list *head)
{
	ttmpool_list_link_between(link, head, head->next);
}

static inline void ttmpool_list_add_tail(struct ttmpool_list *link,
					 struct ttmpool_list *head)
{
	ttmpool_list_link_between(link, head->prev, head);
}

/** ttmpool_list_del() - remove @link from its list; afterwards it is a list of its own. */
static inline void ttmpool_list_del(struct ttmpool_list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	ttmpool_list_init(link);
}

static inline void ttmpool_list_move_tail(struct ttmpool_list *link,
					  struct ttmpool_list *head)
{
	tpos_list_step();
	link->prev->next = link->next;
	link->next->prev = link->prev;
	ttmpool_list_add_tail(link, head);
}

/** ttmpool_list_splice_after() - move all elements of @from behind @at; @from is empty
 * afterwards. */
static inline void ttmpool_list_splice_after(struct ttmpool_list *from,
					     struct ttmpool_list *at)
{
	struct ttmpool_list *first = from->next;
	struct ttmpool_list *last = from->prev;

	if (ttmpool_list_empty(from))
		return;
	last->next = at->next;
	at->next->prev = last;
	first->prev = at;
	at->next = first;
	ttmpool_list_init(from);
}

/** ttmpool_list_splice() - move all elements of @from to the front of @head. */
static inline void ttmpool_list_splice(struct ttmpool_list *from,
				       struct ttmpool_list *head)
{
	ttmpool_list_splice_after(from, head);
}

/** ttmpool_list_splice_tail() - move all elements of @from to the end of @head. */
static inline void ttmpool_list_splice_tail(struct ttmpool_list *from,
					    struct ttmpool_list *head)
{
	ttmpool_list_splice_after(from, head->prev);
}

/**
 * ttmpool_list_cut_through() - move the elements up to @last to the end of another list
 * @from: the list that is shortened at its front
 * @last: the last element to move; an element of @from
 * @to: the list that grows at its end
 */
static inline void ttmpool_list_cut_through(struct ttmpool_list *from,
					    struct ttmpool_list *last,
					    struct ttmpool_list *to)
{
	struct ttmpool_list *first = from->next;

	from->next = last->next;
	last->next->prev = from;
	first->prev = to->prev;
	to->prev->next = first;
	last->next = to;
	to->prev = last;
}

/**
 * ttmpool_list_move_range() - move a range of elements to another place
 * @first: the first element of the range
 * @last: the last element of the range
 * @to: where the range is inserted: in front of this link, or at the end of the list if
 *	this is its head
 */
static inline void ttmpool_list_move_range(struct ttmpool_list *first,
					   struct ttmpool_list *last,
					   struct ttmpool_list *to)
{
	first->prev->next = last->next;
	last->next->prev = first->prev;
	first->prev = to->prev;
	to->prev->next = first;
	last->next = to;
	to->prev = last;
}

/** ttmpool_list_next() - return the next element; a port may count these steps. */
static inline struct ttmpool_list *
ttmpool_list_next(const struct ttmpool_list *link)
{
	tpos_list_step();
	return link->next;
}

static inline struct ttmpool_list *
ttmpool_list_prev(const struct ttmpool_list *link)
{
	tpos_list_step();
	return link->prev;
}

#define ttmpool_list_entry(link, type, member) \
	((type *)((char *)(link)-offsetof(type, member)))

#define ttmpool_list_for_each(pos, head)            \
	for ((pos) = (head)->next; (pos) != (head); \
	     (pos) = ttmpool_list_next(pos))

/* The loop body may remove @pos from the list, but not @after. */
#define ttmpool_list_for_each_safe(pos, after, head)                       \
	for ((pos) = (head)->next, (after) = (pos)->next; (pos) != (head); \
	     (pos) = (after), (after) = ttmpool_list_next(pos))

TPOS_API_END

#endif
