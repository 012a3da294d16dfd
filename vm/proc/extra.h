/*
 * What most processes never have: the old generation, dictionary, limits, names of things.
 * Made when first needed, freed with the process; the owner's alone.
 */
#pragma once

#include "vm/gc/gc.h"
#include "vm/proc/process.h"

typedef struct Dict Dict;
typedef struct Timer Timer;

/* What max_heap_size says. */
typedef struct HeapLimit {
    uint64_t words; /* 0: none */
    bool kill;
    bool report; /* error_logger */
    bool include_shared;
} HeapLimit;

/* How a process dies; made when that begins (vm/actor/exit.c). */
typedef struct Dying Dying;

struct ProcessExtra {
    OldGeneration old;
    uint64_t minor_collections; /* since the last full sweep */
    uint64_t collections;       /* of both kinds, since it began */
    HeapLimit max_heap;
    uint32_t min_heap_words;
    uint32_t min_handle_words;
    uint32_t fullsweep_after;
    uint32_t suspend_count;
    uint32_t save_calls; /* what process_flag set */
    Term label;          /* root */
    Term error_handler;  /* atom */
    Dict *dict;          /* roots: dict_roots */
    Timer *receive_timer;
    bool timeout_active; /* the receive timer was armed for the receive that runs now */
    Message *checks;     /* CHECK_CODE signals that wait for a safepoint, newest first */
    Message *replies;    /* answers to requests of a waiting built-in (vm/actor/signal.c) */
    Dying *dying;
    struct Pause *pause;    /* what an instruction that stopped half-way has done: pause.h */
    struct Pause *answer;   /* likewise an answer to a signal (vm/actor/arrival.c) */
    Intake intake;          /* taken from the inbox, not yet sorted */
    bool off_heap_messages; /* what message_queue_data was set to */
    bool collect_wanted;    /* garbage_collect/1: at the next start of a slice */
    bool collect_minor;
};

#define EXTRA_FULLSWEEP_AFTER 65535

/* Signals were taken from the inbox that have not been acted upon. */
static inline bool extra_has_intake(const Process *p)
{
    return p->extra != NULL && !intake_is_empty(&p->extra->intake);
}

/* The side record, made now if need be.  Stops the VM when there is no memory. */
ProcessExtra *extra_get(Process *p);
/* Frees the record, old generation and dictionary; its timer and `dying` are gone before. */
void extra_free(Process *p);
