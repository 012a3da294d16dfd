/*
 * What the files about processes share.  One thread: the worker that runs the process.
 */
#pragma once

#include "vm/bif/bif.h"
#include "vm/proc/message.h"

/* monitor/3's options: flags are RELATION_ALIAS_..., tag TERM_NONE or a term.  False:
 * badarg. */
bool bif_monitor_options(Term options, unsigned *flags, Term *tag);
/* A reference of that number, an alias if the flags say so; or an exception. */
Term bif_reference(Process *p, uint64_t number, unsigned flags);
/* Asks another process and waits: bif_wait until the answer is there.  Uses slots `at` and
 * `at` + 1. */
Term bif_ask(Process *p, size_t at, SignalKind kind, Term other, Term value);
/* max_heap_size: a number of words or a map.  False: badarg. */
struct HeapLimit;
bool bif_heap_limit(Process *p, Term t, struct HeapLimit *limit);
/* SchedHooks.inspect: what process_info says. */
Message *bif_inspect(RunContext *rc, Process *p, Term items);
