/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The states of buffers, for Spin: three buffers of two pages each, in memory that is
 * enough for two buffers, and a store that has room for all pages but one and may fail at
 * each. A driver calls any verb on any buffer. The shrinker swaps out any buffer that it
 * can lock, at any time, and so does the driver when it has no page for a populate or
 * swapin. The device is unplugged at any time. Every call that can fail fails, at every
 * page.
 *
 * The rules are not written here: which state may follow which, and where each verb
 * leads. MAY() and LEADS() are made from the tables that the library prints of itself
 * (table.awk), and each step of the model is checked against them. In the other
 * direction, the model must use each entry of the tables: it prints each used entry once,
 * and spin.sh compares them.
 *
 * At each step: every page of a buffer that has contents is good in memory or in the
 * store; memory and store have as many pages as they had; an anonymous buffer has no page
 * that is mapped for the device; and once the device is gone, no buffer has one.
 *
 * Planted faults, each of which must be found: BUG_LOCK, the shrinker does not take the
 * lock; BUG_FREE, a page is freed whose copy failed; BUG_DROP, the store's copy is
 * dropped before it was read; BUG_BOUND, a bound buffer is swapped out; BUG_UNPLUG, the
 * device goes while pages are mapped for it; BUG_ANON, pages of a buffer that becomes
 * anonymous stay mapped.
 */

#include "table.pml"

#define N     3
#define ALL   3 /* a bit for each page */
#define PAGES 4
#define SLOTS 5

c_decl {
	static unsigned char edge_seen[8][8], verb_seen[16][8][8];
}

byte state[N];
byte here[N];   /* pages that it has */
byte device[N]; /* of these, the device's: mapped, of the caching wanted */
byte stored[N]; /* pages that the store has */
byte good[N];   /* of those that it has, the ones with the right bytes in them */
bool locked[N];
byte free = PAGES;
byte slots = SLOTS;
bool swapping; /* the swap mutex */
bool gone;     /* no new use of the device */
bool dead;     /* it is not there */
hidden byte h_from, h_to, h_verb;

#define BIT(p) (1 << (p))
#define COUNT(mask) (((mask) & 1) + (((mask) >> 1) & 1))

inline see_edge(from, to)
{
	h_from = from;
	h_to = to;
	c_code {
		if (!edge_seen[h_from][h_to]) {
			edge_seen[h_from][h_to] = 1;
			printf("edge %d %d\n", h_from, h_to);
		}
	}
}

inline set_state(i, to)
{
	assert(state[i] == to || MAY(state[i], to));
	if
	:: state[i] != to -> see_edge(state[i], to)
	:: else -> skip
	fi;
	state[i] = to
}

/* A verb has succeeded. A swapout of the last part counts as one of the whole. */
inline led(verb, was, i)
{
	h_verb = verb;
	if
	:: verb == V_swapout__a_part && stored[i] == ALL -> h_verb = V_swapout
	:: else -> skip
	fi;
	assert(state[i] == LEADS(h_verb, was));
	h_from = was;
	h_to = state[i];
	c_code {
		if (!verb_seen[h_verb][h_from][h_to]) {
			verb_seen[h_verb][h_from][h_to] = 1;
			printf("verb %d %d %d\n", h_verb, h_from, h_to);
		}
	}
}

/* Is every page of the buffer good in memory or in the store? */
#define KEPT(i) (((here[i] & good[i]) | stored[i]) == ALL)
#define SOUND(i)                                                            \
	((state[i] == S_empty || KEPT(i)) &&                                \
	 (state[i] != S_empty || locked[i] || (!here[i] && !stored[i])) &&  \
	 (device[i] & ~here[i]) == 0 &&                                     \
	 (state[i] != S_anonymous || locked[i] || !device[i]) &&            \
	 (locked[i] || (here[i] & stored[i]) == 0) &&                       \
	 (locked[i] || state[i] == S_partial ||                             \
	  (((state[i] == S_populated || state[i] == S_bound ||              \
	     state[i] == S_anonymous) -> ALL : 0) == here[i])) &&           \
	 (!dead || !device[i]))

inline check()
{
	assert(SOUND(0) && SOUND(1) && SOUND(2));
	assert(free + COUNT(here[0]) + COUNT(here[1]) + COUNT(here[2]) == PAGES);
	assert(slots + COUNT(stored[0]) + COUNT(stored[1]) + COUNT(stored[2]) ==
	       SLOTS)
}

inline give_page(i, p)
{
	here[i] = here[i] & ~BIT(p);
	good[i] = good[i] & ~BIT(p);
	device[i] = device[i] & ~BIT(p);
	free++
}

inline drop_slot(i, p)
{
	stored[i] = stored[i] & ~BIT(p);
	slots++
}

/*
 * Page @p goes to the store: err if that fails. A half-written page is no copy: it does
 * not count as stored, and its slot is free.
 */
inline store_page(i, p, err)
{
	if
	:: !(here[i] & BIT(p)) -> skip
	:: else ->
		if
		:: atomic { slots > 0 ->
			stored[i] = stored[i] | BIT(p);
			slots--;
			check()
			}
			atomic { give_page(i, p); check() }
		:: true -> atomic {
			err = true;
#ifdef BUG_FREE
			give_page(i, p);
#endif
			check()
			}
		fi
	fi
}

/* Swap out page 0, or both; the caller holds the lock. */
inline swapout(i, part, err)
{
	err = false;
	if
	:: true -> err = true /* no store could be had: nothing has changed */
	:: true ->
		atomic { device[i] = 0; had = stored[i]; check() }
		store_page(i, 0, err);
		if
		:: err -> skip
		:: !err && part && stored[i] != had -> skip
		:: else -> store_page(i, 1, err)
		fi;
		atomic {
			if
			:: stored[i] == ALL -> set_state(i, S_swapped)
			:: stored[i] == 0 && state[i] == S_anonymous -> skip
			:: else -> set_state(i, S_partial)
			fi;
			had = 0;
			check()
		}
	fi
}

#ifdef BUG_BOUND
#define MAY_SWAP(i) (state[i] != S_empty && state[i] != S_swapped)
#else
#define MAY_SWAP(i)                                            \
	(state[i] == S_populated || state[i] == S_anonymous || \
	 state[i] == S_partial)
#endif

/* The swapper tries buffer @j: only if its lock is free at once. */
inline swap_other(j, err)
{
#ifdef BUG_LOCK
	if
	:: atomic { MAY_SWAP(j) -> skip }
#else
	if
	:: atomic { !locked[j] && MAY_SWAP(j) -> locked[j] = true }
#endif
		swapout(j, false, err);
		atomic { locked[j] = false; check() }
	:: else -> skip
	fi
}

/* Get a page for @i, perhaps one of another buffer; err if there is none. */
inline take_page(i, p, err)
{
	if
	:: atomic { free > 0 -> free--;
		here[i] = here[i] | BIT(p) }
	:: free == 0 ->
		atomic { !swapping -> swapping = true };
		if
		:: other = 0
		:: other = 1
		:: other = 2
		fi;
		swap_other(other, ignored);
		swapping = false;
		if
		:: atomic { free > 0 -> free--;
			here[i] = here[i] | BIT(p) }
		:: free == 0 -> err = true
		fi
	fi
}

/* Copy page @p back from the store. */
inline read_page(i, p, err)
{
	if
	:: err || !(stored[i] & BIT(p)) -> skip
	:: else ->
#ifdef BUG_DROP
		drop_slot(i, p);
#endif
		take_page(i, p, err);
		if
		:: err -> skip
		:: !err -> atomic {
			good[i] = good[i] | BIT(p);
#ifndef BUG_DROP
			drop_slot(i, p);
#endif
			check()
			}
		:: !err -> atomic { err = true; give_page(i, p); check() }
		fi
	fi
}

inline swapin(i, err)
{
	err = false;
	read_page(i, 0, err);
	read_page(i, 1, err);
	atomic {
		if
		:: !err && !stored[i] -> device[i] = ALL;
			set_state(i, S_populated)
		:: err && stored[i] == ALL -> set_state(i, S_swapped)
		:: !err && !stored[i] -> err = true; /* it could not be mapped */
			set_state(i, S_partial)
		:: err && stored[i] != ALL -> set_state(i, S_partial)
		fi;
		check()
	}
}

inline populate(i, err)
{
	err = false;
	take_page(i, 0, err);
	if
	:: err -> skip
	:: else -> take_page(i, 1, err)
	fi;
	if
	:: !err -> atomic {
		good[i] = ALL;
		device[i] = ALL;
		set_state(i, S_populated);
		check()
		}
	:: true -> atomic { /* no memory, no address space */
		err = true;
		free = free + COUNT(here[i]);
		here[i] = 0;
		check()
		}
	fi
}

inline end_contents(i)
{
	free = free + COUNT(here[i]);
	slots = slots + COUNT(stored[i]);
	here[i] = 0;
	good[i] = 0;
	device[i] = 0;
	stored[i] = 0;
	set_state(i, S_empty)
}

/* Where the model allows a verb: compared with the table at each call. */
#define LEGAL(v, s)                                                          \
	(((v) == V_populate && (s) == S_empty) ||                            \
	 (((v) == V_unpopulate || (v) == V_bind || (v) == V_to_anonymous) && \
	  (s) == S_populated) ||                                             \
	 ((v) == V_unbind && (s) == S_bound) ||                              \
	 (((v) == V_to_device || (v) == V_handover) && (s) == S_anonymous) || \
	 (((v) == V_swapout || (v) == V_swapout__a_part) &&                  \
	  ((s) == S_populated || (s) == S_anonymous || (s) == S_partial)) || \
	 ((v) == V_swapin && ((s) == S_swapped || (s) == S_partial)) ||      \
	 ((v) == V_drop && (s) != S_empty && (s) != S_bound))

/* Verbs that need the device fail once it is gone. */
#define NEEDS_DEVICE(v) \
	((v) == V_populate || (v) == V_bind || (v) == V_to_device || (v) == V_swapin)

inline handover(i, to, err)
{
	if
	:: atomic { to != i && !locked[to] && state[to] == S_empty ->
		here[to] = here[i];
		good[to] = good[i];
		set_state(to, S_anonymous);
		here[i] = 0;
		good[i] = 0;
		set_state(i, S_empty);
		err = false;
		check()
		}
	:: else -> err = true
	fi
}

inline do_verb(v, i, err)
{
	if
	:: v == V_populate -> populate(i, err)
	:: v == V_swapin -> swapin(i, err)
	:: v == V_swapout -> swapout(i, false, err)
	:: v == V_swapout__a_part -> swapout(i, true, err)
	:: v == V_handover ->
		if
		:: other = 0
		:: other = 1
		:: other = 2
		fi;
		handover(i, other, err)
	:: v == V_unpopulate || v == V_drop ->
		atomic { end_contents(i); err = false; check() }
	:: v == V_bind -> atomic { set_state(i, S_bound); err = false; check() }
	:: v == V_unbind ->
		atomic { set_state(i, S_populated); err = false; check() }
	:: v == V_to_device -> atomic { device[i] = ALL;
		set_state(i, S_populated); err = false; check() }
	:: v == V_to_device -> err = true
	:: v == V_to_anonymous -> atomic {
#ifndef BUG_ANON
		device[i] = 0;
#endif
		set_state(i, S_anonymous); err = false; check() }
	:: v == V_to_anonymous -> err = true /* and nothing has changed */
	:: v == V_to_anonymous -> atomic { /* nor could that be restored */
		device[i] = 0; set_state(i, S_partial); err = true; check() }
	fi
}

/*
 * A driver: any verb on any buffer. A refused verb changes nothing, and the only check of
 * it is that the table refuses it in the same place.
 */
active proctype driver()
{
	byte i, v, was, other, had;
	bool err, ignored;

	do
	:: atomic {
		i = 0;
		do
		:: i < N - 1 -> i++
		:: break
		od;
		!locked[i] -> locked[i] = true;
		v = 0;
		do
		:: v < NR_VERBS - 1 -> v++
		:: break
		od;
		was = state[i];
		assert(LEGAL(v, was) == (LEADS(v, was) != REFUSED));
		if
		:: LEGAL(v, was) && !(gone && NEEDS_DEVICE(v)) -> skip
		:: else -> locked[i] = false; i = 0; v = 0; was = 0; goto next
		fi
		}
		do_verb(v, i, err);
		atomic {
			if
			:: !err -> led(v, was, i)
			:: else -> skip
			fi;
			locked[i] = false;
			check();
			i = 0; v = 0; was = 0; other = 0; err = false;
			ignored = false
		}
next:		skip
	od
}

/* The shrinker: at any time, and without waiting. */
active proctype shrinker()
{
	byte other, had;
	bool err;

	do
	:: atomic { !swapping -> swapping = true };
		if
		:: other = 0
		:: other = 1
		:: other = 2
		fi;
		swap_other(other, err);
		atomic { swapping = false; other = 0; err = false }
	od
}

/* The device goes: first no buffer may begin to use it, then each one that uses it
 * stops. */
active proctype unplug()
{
	byte i;

	gone = true;
	do
	:: i < N ->
#ifndef BUG_UNPLUG
		atomic { !locked[i] -> locked[i] = true };
		atomic {
			if
			:: state[i] == S_bound -> set_state(i, S_populated)
			:: else -> skip
			fi;
			check()
		}
		atomic {
			if
			:: state[i] == S_populated -> device[i] = 0;
				set_state(i, S_anonymous)
			:: state[i] == S_populated -> end_contents(i)
			:: state[i] == S_partial -> device[i] = 0
			:: else -> skip
			fi;
			locked[i] = false;
			check()
		}
#endif
		i++
	:: else -> break
	od;
	atomic { i = 0; dead = true; check() }
}
