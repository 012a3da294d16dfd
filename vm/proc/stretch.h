/*
 * How long processes go without looking at their slice: debug builds remember the worst
 * (machine.md 9), and `--stats` shows it.
 *
 * Counted are reductions, not time: what a built-in charges in one call, or half the words that it
 * builds if that is more, so that one which charges nothing is noticed; and how far a process had
 * overdrawn its slice when it stopped.  One record per worker, which alone writes it.
 */
#pragma once

#include "vm/proc/process.h"

#include <stdio.h>

/* A process has stopped with so many reductions left: below zero, the slice is overdrawn. */
void stretch_note_slice(RunContext *rc, const Process *p, int64_t left);

/* The longest of all that `other` or `into` know of. */
void stretch_merge(Stretch *into, const Stretch *other);
/* Two lines of text. */
void stretch_print(const Stretch *s, FILE *file);

typedef struct StretchMark {
    int64_t reductions;
    uint64_t words;
} StretchMark;

StretchMark stretch_begin(const Process *p);
/* Also asserts that a row which pauses says so in bifs.def: tests/actor/slices.mote asks for all
 * of those. */
void stretch_end(Process *p, StretchMark mark, uint32_t row, Term result);

/* Runs the built-in of that row of bifs.def on p. */
static inline Term stretch_run_bif(Process *p, uint32_t row)
{
    if (!CONFIG_DEBUG) return p->run->bifs[row](p);
    StretchMark mark = stretch_begin(p);
    Term result = p->run->bifs[row](p);
    stretch_end(p, mark, row, result);
    return result;
}
