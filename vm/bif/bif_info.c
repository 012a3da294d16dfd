/* What processes tell about themselves, and what they can be told: process_info,
 * process_flag. */
#include "vm/bif/bif_process.h"

#include "vm/actor/registry.h"
#include "vm/actor/signal.h"
#include "vm/format/opcodes.h"
#include "vm/proc/dict.h"
#include "vm/proc/extra.h"
#include "vm/proc/links.h"
#include "vm/proc/state.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"
#include "vm/term/map.h"

/* Entries of current_stacktrace. */
#define INFO_TRACE_DEPTH 8

/* What OTP reports where nothing has been set. */
#define INFO_MIN_HEAP    233
#define INFO_MIN_HANDLES 46422

typedef struct Inspection {
    RunContext *rc;
    Process *p;
    Heap *h;
    bool self; /* it asks about itself */
} Inspection;

/* ---- items ---- */

static Term info_status(const Inspection *i)
{
    uint64_t state = atomic_load_relaxed(&i->p->state);
    if ((state & STATE_SUSPENDED) != 0) return TERM_ATOM(SUSPENDED);
    if (i->self) return TERM_ATOM(RUNNING);
    switch ((int)*i->p->pc) {
    case OP_RECV_WAIT:
    case OP_RECV_WAIT_FOR:
    case OP_HIBERNATE:
    case OP_BIF_STUB: return TERM_ATOM(WAITING);
    default: return TERM_ATOM(RUNNABLE);
    }
}

static Term info_links(const Inspection *i)
{
    ListBuilder all = list_builder(i->h);
    size_t cursor = 0;
    for (Relation *r; (r = links_next(i->p, &cursor)) != NULL;)
        if (r->kind == RELATION_LINK && r->number == 0) list_add(&all, r->other);
    return list_finish(&all, TERM_NIL);
}

static Term info_monitors(const Inspection *i)
{
    ListBuilder all = list_builder(i->h);
    size_t cursor = 0;
    for (Relation *r; (r = links_next(i->p, &cursor)) != NULL;) {
        if (r->kind != RELATION_MONITOR) continue;
        Term item = r->other;
        if ((r->flags & RELATION_BY_NAME) != 0)
            item = heap_tuple2(i->h, r->name, TERM_ATOM(NONODE_AT_NOHOST));
        list_add(&all, heap_tuple2(i->h, TERM_ATOM(PROCESS), item));
    }
    return list_finish(&all, TERM_NIL);
}

static Term info_monitored_by(const Inspection *i)
{
    ListBuilder all = list_builder(i->h);
    size_t cursor = 0;
    for (Relation *r; (r = links_next(i->p, &cursor)) != NULL;)
        if (r->kind == RELATION_WATCHER) list_add(&all, r->other);
    return list_finish(&all, TERM_NIL);
}

static Term info_suspending(const Inspection *i)
{
    ListBuilder all = list_builder(i->h);
    size_t cursor = 0;
    for (Relation *r; (r = links_next(i->p, &cursor)) != NULL;)
        if (r->kind == RELATION_SUSPENDED)
            list_add(&all, heap_tuple3(i->h, r->other, small_from((int64_t)r->number),
                                       small_from(0)));
    return list_finish(&all, TERM_NIL);
}

static bool info_is_sensitive(const Inspection *i)
{
    return (atomic_load_relaxed(&i->p->state) & STATE_SENSITIVE) != 0 && !i->self;
}

/* Messages lie in fragments of their own: what is told about them is a copy. */
static Term info_messages(const Inspection *i)
{
    ListBuilder all = list_builder(i->h);
    if (info_is_sensitive(i)) return TERM_NIL;
    for (Message *m = mailbox_first(&i->p->mailbox); m != NULL;
         m = mailbox_after(&i->p->mailbox, m))
        list_add(&all, copy_term(i->h, m->value, message_limit(i->rc->mem), &i->rc->literals));
    return list_finish(&all, TERM_NIL);
}

static Term info_dictionary(const Inspection *i)
{
    ListBuilder all = list_builder(i->h);
    if (info_is_sensitive(i)) return TERM_NIL;
    size_t cursor = 0;
    Term key;
    Term value;
    while (dict_next(i->p, &cursor, &key, &value))
        list_add(&all, heap_tuple2(i->h, key, value));
    return list_finish(&all, TERM_NIL);
}

/* Where it stands; who asks about itself is where it called process_info. */
static Term info_trace(const Inspection *i, size_t depth)
{
    bool asks = i->self && *i->p->pc == OP_BIF_STUB;
    Term trace = i->rc->worker->sched->hooks.trace(i->p, i->h, depth + asks);
    return asks && term_is_cons(trace) ? list_tail(trace) : trace;
}

/* The list entry of the running function; `whole` with its location. */
static Term info_current(const Inspection *i, bool whole)
{
    Term trace = info_trace(i, 1);
    if (!term_is_cons(trace)) return TERM_ATOM(UNDEFINED);
    Term entry = list_head(trace);
    if (whole || !term_is_tuple_of(entry, 4)) return entry;
    return heap_tuple3(i->h, tuple_at(entry, 0), tuple_at(entry, 1), tuple_at(entry, 2));
}

static Term info_initial_call(const Inspection *i)
{
    uint64_t call = i->p->initial_call;
    return heap_tuple3(i->h, process_call_module(call), process_call_function(call),
                       small_from(process_call_arity(call)));
}

static Term info_priority(const Inspection *i)
{
    switch (state_priority(atomic_load_relaxed(&i->p->state))) {
    case PRIORITY_MAX: return TERM_ATOM(MAX);
    case PRIORITY_HIGH: return TERM_ATOM(HIGH);
    case PRIORITY_NORMAL: return TERM_ATOM(NORMAL);
    case PRIORITY_LOW: return TERM_ATOM(LOW);
    }
    UNREACHABLE();
}

static size_t info_stack_words(const Process *p)
{
    return (size_t)(p->block + p->block_words - p->fp);
}
static size_t info_old_words(const Process *p)
{
    return p->extra == NULL ? 0 : (size_t)(p->extra->old.end - p->extra->old.start);
}

static Term info_words(size_t n) { return small_from((int64_t)n); }

static Term info_memory(const Inspection *i)
{
    const Process *p = i->p;
    size_t bytes =
        sizeof *p
        + (p->block_words + info_old_words(p) + p->heap.fragment_words) * sizeof(Word);
    if (p->extra != NULL) bytes += sizeof *p->extra;
    return info_words(bytes + links_count(p) * sizeof(Relation));
}

static Term info_max_heap(const Inspection *i)
{
    HeapLimit l =
        i->p->extra == NULL ? (HeapLimit){.kill = true, .report = true} : i->p->extra->max_heap;
    if (l.words == 0) l.kill = l.report = true;
    const Term pairs[] = {TERM_ATOM(SIZE),
                          info_words(l.words),
                          TERM_ATOM(KILL),
                          term_bool(l.kill),
                          TERM_ATOM(ERROR_LOGGER),
                          term_bool(l.report),
                          TERM_ATOM(INCLUDE_SHARED_BINARIES),
                          term_bool(l.include_shared)};
    return map_from_pairs(i->h, i->rc->atoms, pairs, 4);
}

static Term info_collection(const Inspection *i)
{
    const ProcessExtra *x = i->p->extra;
    size_t heap = x == NULL || x->min_heap_words == 0 ? INFO_MIN_HEAP : x->min_heap_words;
    size_t handles =
        x == NULL || x->min_handle_words == 0 ? INFO_MIN_HANDLES : x->min_handle_words;
    size_t sweep = x == NULL ? EXTRA_FULLSWEEP_AFTER : x->fullsweep_after;
    ListBuilder all = list_builder(i->h);
    list_add(&all, heap_tuple2(i->h, TERM_ATOM(MAX_HEAP_SIZE), info_max_heap(i)));
    list_add(&all, heap_tuple2(i->h, TERM_ATOM(MIN_BIN_VHEAP_SIZE), info_words(handles)));
    list_add(&all, heap_tuple2(i->h, TERM_ATOM(MIN_HEAP_SIZE), info_words(heap)));
    list_add(&all, heap_tuple2(i->h, TERM_ATOM(FULLSWEEP_AFTER), info_words(sweep)));
    list_add(&all, heap_tuple2(i->h, TERM_ATOM(MINOR_GCS),
                               info_words(x == NULL ? 0 : x->minor_collections)));
    return list_finish(&all, TERM_NIL);
}

/* [{Id, Bytes, References}] of the shared binaries that the process holds. */
static Term info_binary(const Inspection *i)
{
    ListBuilder all = list_builder(i->h);
    for (Word *at = i->p->heap.handles; at != NULL; at = (Word *)(uintptr_t)at[1]) {
        const Counted *c = (const Counted *)(uintptr_t)at[2];
        Term references =
            info_words(atomic_load_relaxed((AtomicU64 *)(uintptr_t)&c->references));
        /* The place says nothing (machine.md 22): a running number stands for it. */
        list_add(&all, heap_tuple3(i->h, small_from(0), info_words(c->bytes), references));
    }
    return list_finish(&all, TERM_NIL);
}

static Term info_name(const Inspection *i)
{
    Term name = registry_name_of(i->rc, i->p->pid);
    return term_is_none(name) ? TERM_NIL : name;
}

static Term info_reductions(const Inspection *i)
{
    int64_t now =
        i->p == i->rc->current ? i->rc->slice - i->rc->reductions - i->rc->reductions_held : 0;
    return heap_int64(i->h, (int64_t)i->p->reductions + now);
}

/* The values that need no more than a look. */
static Term info_plain(const Inspection *i, AtomName item)
{
    const Process *p = i->p;
    uint64_t state = atomic_load_relaxed(&p->state);
    switch ((int)item) {
    case ATOM_MESSAGE_QUEUE_LEN: return info_words(mailbox_length(&p->mailbox));
    case ATOM_TRAP_EXIT: return term_bool((state & STATE_TRAP_EXIT) != 0);
    case ATOM_ERROR_HANDLER:
        return p->extra == NULL ? TERM_ATOM(ERROR_HANDLER) : p->extra->error_handler;
    case ATOM_GROUP_LEADER: return p->group_leader;
    case ATOM_PARENT: return term_same(p->parent, p->pid) ? TERM_ATOM(UNDEFINED) : p->parent;
    case ATOM_TOTAL_HEAP_SIZE:
        return info_words(p->block_words + info_old_words(p) + p->heap.fragment_words);
    case ATOM_HEAP_SIZE: return info_words(p->block_words);
    case ATOM_STACK_SIZE: return info_words(info_stack_words(p));
    case ATOM_CATCHLEVEL: return small_from(0);
    case ATOM_SEQUENTIAL_TRACE_TOKEN:
    case ATOM_BACKTRACE: return TERM_NIL;
    case ATOM_TRACE: return small_from(0);
    case ATOM_LABEL:
        return p->extra == NULL || term_is_none(p->extra->label) ? TERM_ATOM(UNDEFINED)
                                                                 : p->extra->label;
    case ATOM_MESSAGE_QUEUE_DATA:
        return p->extra != NULL && p->extra->off_heap_messages ? TERM_ATOM(OFF_HEAP)
                                                               : TERM_ATOM(ON_HEAP);
    case ATOM_ASYNC_DIST: return TERM_FALSE;
    default: return TERM_NONE;
    }
}

/* The value of an item; TERM_NONE: there is no such item. */
static Term info_value(const Inspection *i, AtomName item)
{
    switch ((int)item) {
    case ATOM_REGISTERED_NAME: return info_name(i);
    case ATOM_CURRENT_FUNCTION: return info_current(i, false);
    case ATOM_CURRENT_LOCATION: return info_current(i, true);
    case ATOM_CURRENT_STACKTRACE: return info_trace(i, INFO_TRACE_DEPTH);
    case ATOM_INITIAL_CALL: return info_initial_call(i);
    case ATOM_STATUS: return info_status(i);
    case ATOM_LINKS: return info_links(i);
    case ATOM_MONITORS: return info_monitors(i);
    case ATOM_MONITORED_BY: return info_monitored_by(i);
    case ATOM_SUSPENDING: return info_suspending(i);
    case ATOM_MESSAGES: return info_messages(i);
    case ATOM_DICTIONARY: return info_dictionary(i);
    case ATOM_PRIORITY: return info_priority(i);
    case ATOM_REDUCTIONS: return info_reductions(i);
    case ATOM_MEMORY: return info_memory(i);
    case ATOM_GARBAGE_COLLECTION:
    case ATOM_GARBAGE_COLLECTION_INFO: return info_collection(i);
    case ATOM_BINARY: return info_binary(i);
    default: return info_plain(i, item);
    }
}

/* In the order in which process_info/1 tells them. */
static const AtomName info_usual[] = {ATOM_REGISTERED_NAME,   ATOM_CURRENT_FUNCTION,
                                      ATOM_INITIAL_CALL,      ATOM_STATUS,
                                      ATOM_MESSAGE_QUEUE_LEN, ATOM_LINKS,
                                      ATOM_DICTIONARY,        ATOM_TRAP_EXIT,
                                      ATOM_ERROR_HANDLER,     ATOM_PRIORITY,
                                      ATOM_GROUP_LEADER,      ATOM_TOTAL_HEAP_SIZE,
                                      ATOM_HEAP_SIZE,         ATOM_STACK_SIZE,
                                      ATOM_REDUCTIONS,        ATOM_GARBAGE_COLLECTION,
                                      ATOM_SUSPENDING};

static bool info_is_item(Term t)
{
    static const AtomName others[] = {ATOM_CURRENT_LOCATION,
                                      ATOM_CURRENT_STACKTRACE,
                                      ATOM_MONITORS,
                                      ATOM_MONITORED_BY,
                                      ATOM_MESSAGES,
                                      ATOM_MEMORY,
                                      ATOM_GARBAGE_COLLECTION_INFO,
                                      ATOM_BINARY,
                                      ATOM_PARENT,
                                      ATOM_CATCHLEVEL,
                                      ATOM_SEQUENTIAL_TRACE_TOKEN,
                                      ATOM_BACKTRACE,
                                      ATOM_TRACE,
                                      ATOM_LABEL,
                                      ATOM_MESSAGE_QUEUE_DATA,
                                      ATOM_ASYNC_DIST};
    if (!term_is_atom(t)) return false;
    for (size_t i = 0; i < ARRAY_LEN(info_usual); i++)
        if (term_is_the_atom(t, info_usual[i])) return true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (term_is_the_atom(t, others[i])) return true;
    return false;
}

static Term info_pair(const Inspection *i, AtomName item)
{
    Term value = info_value(i, item);
    return term_is_none(value) ? value : heap_tuple2(i->h, atom_from(item), value);
}

static Term info_all(const Inspection *i)
{
    ListBuilder all = list_builder(i->h);
    for (size_t n = 0; n < ARRAY_LEN(info_usual); n++) {
        if (info_usual[n] == ATOM_REGISTERED_NAME && term_is_nil(info_name(i))) continue;
        list_add(&all, info_pair(i, info_usual[n]));
    }
    return list_finish(&all, TERM_NIL);
}

static Term info_items(const Inspection *i, Term items)
{
    if (term_is_the_atom(items, ATOM_ALL)) return info_all(i);
    if (term_is_atom(items)) {
        bool nameless =
            term_is_the_atom(items, ATOM_REGISTERED_NAME) && term_is_nil(info_name(i));
        return nameless ? TERM_NIL : info_pair(i, atom_of(items));
    }
    ListBuilder all = list_builder(i->h);
    for (; term_is_cons(items); items = list_tail(items))
        list_add(&all, info_pair(i, atom_of(list_head(items))));
    return list_finish(&all, TERM_NIL);
}

Term bif_inspect(RunContext *rc, Process *p, Term items, Heap *h)
{
    Inspection i = {.rc = rc, .p = p, .h = h};
    return info_items(&i, items);
}

/* ---- process_info ---- */

static BifResult info_ask(Process *p, size_t at, Term items)
{
    Term other = arg(p, 0);
    if (!term_same(other, p->pid)) return bif_ask(p, at, SIGNAL_INFO, other, items);
    /* What was sent before counts: the outer inbox is looked at, and may end this process. */
    if (raw_slot(p, at) == 0 && mailbox_has_outer(&p->mailbox)) {
        raw_slot_set(p, at, 1);
        return bif_wait(p);
    }
    Inspection i = {.rc = p->run, .p = p, .h = &p->heap, .self = true};
    Term answer = info_items(&i, items);
    return term_is_none(answer) ? raise_system_limit(p) : answer;
}

BifResult bif_process_info_1(Process *p)
{
    enum { ASKED = 1 };
    if (!term_is_local_pid(arg(p, 0))) return raise_badarg(p);
    return info_ask(p, ASKED, TERM_ATOM(ALL));
}

BifResult bif_process_info_2(Process *p)
{
    enum { ASKED = 2 };
    Term items = arg(p, 1);
    if (!term_is_local_pid(arg(p, 0))) return raise_badarg(p);
    if (term_is_list(items)) {
        Term rest = items;
        for (; term_is_cons(rest); rest = list_tail(rest))
            if (!info_is_item(list_head(rest))) return raise_badarg(p);
        if (!term_is_nil(rest)) return raise_badarg(p);
    } else if (!info_is_item(items)) {
        return raise_badarg(p);
    }
    return info_ask(p, ASKED, items);
}

/* ---- process_flag: the old value ---- */

static BifResult flag_bit(Process *p, uint64_t bit, Term value)
{
    if (!term_is_boolean(value)) return raise_badarg(p);
    uint64_t old = term_same(value, TERM_TRUE) ? atomic_or_acq_rel(&p->state, bit)
                                               : atomic_and_acq_rel(&p->state, ~bit);
    return term_bool((old & bit) != 0);
}

static BifResult flag_priority(Process *p, Term value)
{
    Inspection i = {.rc = p->run, .p = p, .h = &p->heap, .self = true};
    Term old = info_priority(&i);
    uint64_t priority;
    if (term_is_the_atom(value, ATOM_MAX))
        priority = PRIORITY_MAX;
    else if (term_is_the_atom(value, ATOM_HIGH))
        priority = PRIORITY_HIGH;
    else if (term_is_the_atom(value, ATOM_NORMAL))
        priority = PRIORITY_NORMAL;
    else if (term_is_the_atom(value, ATOM_LOW))
        priority = PRIORITY_LOW;
    else
        return raise_badarg(p);
    /* Others set flags in the same word, but only the owner changes its priority. */
    uint64_t state = atomic_load_relaxed(&p->state);
    while (!atomic_cas_acq_rel(&p->state, &state,
                               (state & ~STATE_PRIORITY) | priority << STATE_PRIORITY_SHIFT)) {
    }
    return old;
}

static BifResult flag_count(Process *p, AtomName flag, Term value)
{
    if (!term_is_small(value) || small_value(value) < 0 || small_value(value) > INT32_MAX)
        return raise_badarg(p);
    ProcessExtra *x = extra_get(p);
    uint32_t *field = flag == ATOM_MIN_HEAP_SIZE        ? &x->min_heap_words
                      : flag == ATOM_MIN_BIN_VHEAP_SIZE ? &x->min_handle_words
                                                        : &x->fullsweep_after;
    uint32_t old = *field;
    *field = (uint32_t)small_value(value);
    if (old == 0 && flag == ATOM_MIN_HEAP_SIZE) old = INFO_MIN_HEAP;
    if (old == 0 && flag == ATOM_MIN_BIN_VHEAP_SIZE) old = INFO_MIN_HANDLES;
    return info_words(old);
}

static BifResult flag_max_heap(Process *p, Term value)
{
    HeapLimit limit;
    if (!bif_heap_limit(p, value, &limit)) return raise_badarg(p);
    Inspection i = {.rc = p->run, .p = p, .h = &p->heap, .self = true};
    Term old = info_max_heap(&i);
    extra_get(p)->max_heap = limit;
    return term_is_none(old) ? raise_system_limit(p) : old;
}

static BifResult flag_message_data(Process *p, Term value)
{
    bool off = term_is_the_atom(value, ATOM_OFF_HEAP);
    if (!off && !term_is_the_atom(value, ATOM_ON_HEAP)) return raise_badarg(p);
    bool old = p->extra != NULL && p->extra->off_heap_messages;
    extra_get(p)->off_heap_messages = off;
    return old ? TERM_ATOM(OFF_HEAP) : TERM_ATOM(ON_HEAP);
}

static BifResult flag_error_handler(Process *p, Term value)
{
    if (!term_is_atom(value)) return raise_badarg(p);
    Term old = extra_get(p)->error_handler;
    p->extra->error_handler = value;
    return old;
}

BifResult bif_process_flag_2(Process *p)
{
    Term flag = arg(p, 0);
    Term value = arg(p, 1);
    if (!term_is_atom(flag)) return raise_badarg(p);
    switch ((int)atom_of(flag)) {
    case ATOM_TRAP_EXIT: return flag_bit(p, STATE_TRAP_EXIT, value);
    case ATOM_SENSITIVE: return flag_bit(p, STATE_SENSITIVE, value);
    case ATOM_PRIORITY: return flag_priority(p, value);
    case ATOM_MIN_HEAP_SIZE:
    case ATOM_MIN_BIN_VHEAP_SIZE:
    case ATOM_FULLSWEEP_AFTER: return flag_count(p, atom_of(flag), value);
    case ATOM_MAX_HEAP_SIZE: return flag_max_heap(p, value);
    case ATOM_MESSAGE_QUEUE_DATA: return flag_message_data(p, value);
    case ATOM_ERROR_HANDLER: return flag_error_handler(p, value);
    case ATOM_SAVE_CALLS:
        return term_is_small(value) && small_value(value) >= 0 ? small_from(0)
                                                               : raise_badarg(p);
    case ATOM_ASYNC_DIST: return term_is_boolean(value) ? TERM_FALSE : raise_badarg(p);
    default: return raise_badarg(p);
    }
}

BifResult bif_set_label(Process *p)
{
    extra_get(p)->label = arg(p, 0);
    return TERM_ATOM(OK);
}
