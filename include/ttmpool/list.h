/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LIST_H
#define TTMPOOL_LIST_H

#include <ttmpool_port.h>

TPOS_API_BEGIN

/*
 * A circular list whose head is a link like any other. It exists because the
 * chunks of a batch are handed across the boundary as a list, and Linux's own
 * list.h may not be used by a library that is also under the MIT license.
 */

/**
 * struct ttmpool_list - a link, or the head of a list
 * @next: the first element after this one; the head itself at the end
 * @prev: the last element before this one; the head itself at the beginning
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

/** ttmpool_list_link_between() - put @link between two neighbours. */
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

/** ttmpool_list_del() - take @link out of its list; it then stands alone. */
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

/** ttmpool_list_splice_after() - move all of @from behind @at; @from is empty.
 */
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

/** ttmpool_list_splice() - move all of @from to the front of @head. */
static inline void ttmpool_list_splice(struct ttmpool_list *from,
				       struct ttmpool_list *head)
{
	ttmpool_list_splice_after(from, head);
}

/** ttmpool_list_splice_tail() - move all of @from to the end of @head. */
static inline void ttmpool_list_splice_tail(struct ttmpool_list *from,
					    struct ttmpool_list *head)
{
	ttmpool_list_splice_after(from, head->prev);
}

/**
 * ttmpool_list_cut_through() - move the elements up to @last to the end of @to
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
 * ttmpool_list_move_range() - move some neighbours to another place
 * @first: the first of them
 * @last: the last of them
 * @to: in front of this one: the head of a list, for its end, or a link of it
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

/** ttmpool_list_next() - a step along a list, which is counted by who counts. */
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

/* Safe against the removal of @pos itself, not of @after. */
#define ttmpool_list_for_each_safe(pos, after, head)                       \
	for ((pos) = (head)->next, (after) = (pos)->next; (pos) != (head); \
	     (pos) = (after), (after) = ttmpool_list_next(pos))

TPOS_API_END

#endif
