/*
 * New processes.
 */
#pragma once

#include "vm/proc/process.h"
#include "vm/proc/state.h"

typedef struct SpawnRequest {
    Term function; /* a fun; or TERM_NONE: */
    Term module;   /* atoms */
    Term name;
    Term arguments; /* list of arguments; of a fun: nil */
    bool link;
    bool monitor;
    uint8_t monitor_flags; /* RELATION_ALIAS_... */
    Term monitor_tag;      /* or TERM_NONE */
    ProcessPriority priority;
    int64_t min_heap_words; /* -1: default, likewise below */
    int64_t min_handle_words;
    int64_t fullsweep_after;
    bool has_max_heap;
    uint64_t max_heap_words;
    bool max_heap_kill;
    bool max_heap_report;
    bool max_heap_include_shared;
    bool off_heap_messages;
} SpawnRequest;

/* Defaults: normal priority, nothing set. */
void spawn_request_init(SpawnRequest *r);

typedef enum SpawnResult {
    SPAWN_DONE,
    SPAWN_TOO_MANY,
    SPAWN_NO_MEMORY,
    SPAWN_MORE /* the parent's slice is over: run me again with the same request */
} SpawnResult;

/* Starts a process; parent may be NULL (the machine does it, at once).  *monitor gets the number
 * of the monitor's reference.  The fun or the arguments, and the tag, are copied, in slices if they
 * are large; nothing happens before the last one.  Nothing collects.  Counts the words copied as
 * reductions. */
MUST_USE SpawnResult spawn_process(RunContext *rc, Process *parent, const SpawnRequest *r,
                                   Term *pid, uint64_t *monitor);
