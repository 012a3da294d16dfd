#include "vm/bif/inspect.h"

#include "vm/actor/registry.h"
#include "vm/format/opcodes.h"
#include "vm/proc/dict.h"
#include "vm/proc/extra.h"
#include "vm/proc/links.h"
#include "vm/proc/state.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/binary.h"
#include "vm/term/map.h"

/* Entries of current_stacktrace. */
#define INSPECT_TRACE_DEPTH 8

/* Steps of a budget that an entry of a list costs. */
#define INSPECT_ENTRY_STEPS 8

/* ---- items that take no time ---- */

static Term inspect_words(size_t n) { return small_from((int64_t)n); }

static Term inspect_status(const Inspection *i)
{
    uint64_t state = atomic_load_relaxed(&i->p->state);
    if ((state & STATE_SUSPENDED) != 0) return TERM_ATOM(SUSPENDED);
    if (i->self) return TERM_ATOM(RUNNING);
    if (pause_is_held(i->p)) return TERM_ATOM(RUNNABLE);
    switch ((int)*i->p->pc) {
    case OP_RECV_WAIT:
    case OP_RECV_WAIT_FOR:
    case OP_HIBERNATE:
    case OP_BIF_STUB: return TERM_ATOM(WAITING);
    default: return TERM_ATOM(RUNNABLE);
    }
}

/* Where it stands; who asks about itself is where it called process_info. */
static Term inspect_trace(Inspection *i, size_t depth)
{
    bool asks = i->self && *i->p->pc == OP_BIF_STUB;
    Term trace = i->rc->worker->sched->hooks.trace(i->p, i->h, depth + asks);
    return asks && term_is_cons(trace) ? list_tail(trace) : trace;
}

/* The list entry of the running function; `whole` with its location. */
static Term inspect_current(Inspection *i, bool whole)
{
    Term trace = inspect_trace(i, 1);
    if (!term_is_cons(trace)) return TERM_ATOM(UNDEFINED);
    Term entry = list_head(trace);
    if (whole || !term_is_tuple_of(entry, 4)) return entry;
    return heap_tuple3(i->h, tuple_at(entry, 0), tuple_at(entry, 1), tuple_at(entry, 2));
}

static Term inspect_initial_call(Inspection *i)
{
    uint64_t call = i->p->initial_call;
    return heap_tuple3(i->h, process_call_module(call), process_call_function(call),
                       small_from(process_call_arity(call)));
}

Term inspect_priority(const Process *p)
{
    switch (state_priority(atomic_load_relaxed(&p->state))) {
    case PRIORITY_MAX: return TERM_ATOM(MAX);
    case PRIORITY_HIGH: return TERM_ATOM(HIGH);
    case PRIORITY_NORMAL: return TERM_ATOM(NORMAL);
    case PRIORITY_LOW: return TERM_ATOM(LOW);
    }
    UNREACHABLE();
}

static size_t inspect_stack_words(const Process *p)
{
    return (size_t)(p->block + p->block_words - p->fp);
}
static size_t inspect_old_words(const Process *p)
{
    return p->extra == NULL ? 0 : (size_t)(p->extra->old.end - p->extra->old.start);
}
static size_t inspect_old_used(const Process *p)
{
    return p->extra == NULL ? 0 : (size_t)(p->extra->old.top - p->extra->old.start);
}

static Term inspect_memory(const Process *p)
{
    size_t bytes =
        sizeof *p
        + (p->block_words + inspect_old_words(p) + p->heap.fragment_words) * sizeof(Word);
    if (p->extra != NULL) bytes += sizeof *p->extra;
    return inspect_words(bytes + links_count(p) * sizeof(Relation));
}

Term inspect_max_heap(const Process *p, Heap *h)
{
    HeapLimit l =
        p->extra == NULL ? (HeapLimit){.kill = true, .report = true} : p->extra->max_heap;
    if (l.words == 0) l.kill = l.report = true;
    const Term pairs[] = {TERM_ATOM(SIZE),
                          inspect_words(l.words),
                          TERM_ATOM(KILL),
                          term_bool(l.kill),
                          TERM_ATOM(ERROR_LOGGER),
                          term_bool(l.report),
                          TERM_ATOM(INCLUDE_SHARED_BINARIES),
                          term_bool(l.include_shared)};
    return map_from_pairs(h, p->run->atoms, pairs, 4);
}

static size_t inspect_min_heap(const Process *p)
{
    return p->extra == NULL || p->extra->min_heap_words == 0 ? INSPECT_MIN_HEAP
                                                             : p->extra->min_heap_words;
}
static size_t inspect_min_handles(const Process *p)
{
    return p->extra == NULL || p->extra->min_handle_words == 0 ? INSPECT_MIN_HANDLES
                                                               : p->extra->min_handle_words;
}
static size_t inspect_fullsweep(const Process *p)
{
    return p->extra == NULL ? EXTRA_FULLSWEEP_AFTER : p->extra->fullsweep_after;
}

static Term inspect_collection(Inspection *i)
{
    const Process *p = i->p;
    Heap *h = i->h;
    ListBuilder all = list_builder(h);
    list_add(&all, heap_tuple2(h, TERM_ATOM(MAX_HEAP_SIZE), inspect_max_heap(p, h)));
    list_add(&all, heap_tuple2(h, TERM_ATOM(MIN_BIN_VHEAP_SIZE),
                               inspect_words(inspect_min_handles(p))));
    list_add(&all,
             heap_tuple2(h, TERM_ATOM(MIN_HEAP_SIZE), inspect_words(inspect_min_heap(p))));
    list_add(&all,
             heap_tuple2(h, TERM_ATOM(FULLSWEEP_AFTER), inspect_words(inspect_fullsweep(p))));
    list_add(&all,
             heap_tuple2(h, TERM_ATOM(MINOR_GCS),
                         inspect_words(p->extra == NULL ? 0 : p->extra->minor_collections)));
    return list_finish(&all, TERM_NIL);
}

/* Sizes in words; those of binaries are the bytes that count against a collection, as words. */
static Term inspect_collection_info(Inspection *i)
{
    const Process *p = i->p;
    Heap *h = i->h;
    size_t old_handles = p->extra == NULL ? 0 : (size_t)p->extra->old.handle_bytes;
    const struct {
        AtomName name;
        size_t words;
    } facts[] = {
        {ATOM_OLD_HEAP_BLOCK_SIZE, inspect_old_words(p)},
        {ATOM_HEAP_BLOCK_SIZE, p->block_words},
        {ATOM_MBUF_SIZE, p->heap.fragment_words},
        {ATOM_RECENT_SIZE, p->high_water},
        {ATOM_STACK_SIZE, inspect_stack_words(p)},
        {ATOM_OLD_HEAP_SIZE, inspect_old_used(p)},
        {ATOM_HEAP_SIZE, (size_t)(p->heap.top - p->block)},
        {ATOM_BIN_VHEAP_SIZE, p->heap.handle_bytes / sizeof(Word)},
        {ATOM_BIN_VHEAP_BLOCK_SIZE, inspect_min_handles(p)},
        {ATOM_BIN_OLD_VHEAP_SIZE, old_handles / sizeof(Word)},
        {ATOM_BIN_OLD_VHEAP_BLOCK_SIZE, inspect_min_handles(p)},
    };
    ListBuilder all = list_builder(h);
    for (size_t n = 0; n < ARRAY_LEN(facts); n++)
        list_add(&all, heap_tuple2(h, atom_from(facts[n].name), inspect_words(facts[n].words)));
    return list_finish(&all, TERM_NIL);
}

static Term inspect_name(const Inspection *i)
{
    Term name = registry_name_of(i->rc, i->p->pid);
    return term_is_none(name) ? TERM_NIL : name;
}

static Term inspect_reductions(Inspection *i)
{
    const RunContext *rc = i->rc;
    int64_t now = i->p == rc->current ? rc->slice - rc->reductions - rc->reductions_held : 0;
    return heap_int64(i->h, (int64_t)i->p->reductions + now);
}

/* The values that need no more than a look. */
static Term inspect_plain(const Inspection *i, AtomName item)
{
    const Process *p = i->p;
    const ProcessExtra *x = p->extra;
    uint64_t state = atomic_load_relaxed(&p->state);
    switch ((int)item) {
    case ATOM_MESSAGE_QUEUE_LEN: return inspect_words(mailbox_length(&p->mailbox));
    case ATOM_TRAP_EXIT: return term_bool((state & STATE_TRAP_EXIT) != 0);
    case ATOM_ERROR_HANDLER: return x == NULL ? TERM_ATOM(ERROR_HANDLER) : x->error_handler;
    case ATOM_GROUP_LEADER: return p->group_leader;
    case ATOM_PARENT: return term_same(p->parent, p->pid) ? TERM_ATOM(UNDEFINED) : p->parent;
    case ATOM_TOTAL_HEAP_SIZE:
        return inspect_words(p->block_words + inspect_old_words(p) + p->heap.fragment_words);
    case ATOM_HEAP_SIZE: return inspect_words(p->block_words);
    case ATOM_STACK_SIZE: return inspect_words(inspect_stack_words(p));
    case ATOM_MIN_HEAP_SIZE: return inspect_words(inspect_min_heap(p));
    case ATOM_MIN_BIN_VHEAP_SIZE: return inspect_words(inspect_min_handles(p));
    case ATOM_FULLSWEEP_AFTER: return inspect_words(inspect_fullsweep(p));
    case ATOM_MAGIC_REF:
    case ATOM_SEQUENTIAL_TRACE_TOKEN: return TERM_NIL;
    case ATOM_TRACE: return small_from(0);
    case ATOM_LAST_CALLS: return x == NULL || x->save_calls == 0 ? TERM_FALSE : TERM_NIL;
    case ATOM_LABEL:
        return x == NULL || term_is_none(x->label) ? TERM_ATOM(UNDEFINED) : x->label;
    case ATOM_MESSAGE_QUEUE_DATA:
        return x != NULL && x->off_heap_messages ? TERM_ATOM(OFF_HEAP) : TERM_ATOM(ON_HEAP);
    case ATOM_ASYNC_DIST: return TERM_FALSE;
    default: return TERM_NONE;
    }
}

static Term inspect_short(Inspection *i, AtomName item)
{
    switch ((int)item) {
    case ATOM_REGISTERED_NAME: return inspect_name(i);
    case ATOM_CURRENT_FUNCTION: return inspect_current(i, false);
    case ATOM_CURRENT_LOCATION: return inspect_current(i, true);
    case ATOM_CURRENT_STACKTRACE: return inspect_trace(i, INSPECT_TRACE_DEPTH);
    case ATOM_INITIAL_CALL: return inspect_initial_call(i);
    case ATOM_STATUS: return inspect_status(i);
    case ATOM_PRIORITY: return inspect_priority(i->p);
    case ATOM_REDUCTIONS: return inspect_reductions(i);
    case ATOM_MEMORY: return inspect_memory(i->p);
    case ATOM_MAX_HEAP_SIZE: return inspect_max_heap(i->p, i->h);
    case ATOM_GARBAGE_COLLECTION: return inspect_collection(i);
    case ATOM_GARBAGE_COLLECTION_INFO: return inspect_collection_info(i);
    default: return inspect_plain(i, item);
    }
}

/* ---- items that may take long: each works off part of the budget; true when it is told ---- */

static bool inspect_is_sensitive(const Inspection *i)
{
    return (atomic_load_relaxed(&i->p->state) & STATE_SENSITIVE) != 0 && !i->self;
}

static void inspect_add_relation(Inspection *i, AtomName item, const Relation *r)
{
    Heap *h = i->h;
    switch ((int)item) {
    case ATOM_LINKS:
        if (r->kind == RELATION_LINK && r->number == 0) list_add(&i->values, r->other);
        break;
    case ATOM_MONITORED_BY:
        if (r->kind == RELATION_WATCHER) list_add(&i->values, r->other);
        break;
    case ATOM_SUSPENDING:
        if (r->kind == RELATION_SUSPENDED)
            list_add(&i->values,
                     heap_tuple3(h, r->other, small_from((int64_t)r->number), small_from(0)));
        break;
    default: /* monitors */
        if (r->kind == RELATION_MONITOR) {
            Term other = r->other;
            if ((r->flags & RELATION_BY_NAME) != 0)
                other = heap_tuple2(h, r->name, TERM_ATOM(NONODE_AT_NOHOST));
            list_add(&i->values, heap_tuple2(h, TERM_ATOM(PROCESS), other));
        }
    }
}

static bool inspect_relations(Inspection *i, AtomName item, size_t *budget)
{
    /* Signals that arrive between slices may have moved the entries: then from the start. */
    if (i->moves != links_moves(i->p)) {
        i->moves = links_moves(i->p);
        i->values = list_builder(i->h);
        i->cursor = 0;
    }
    for (const Relation *r; (r = links_next(i->p, &i->cursor)) != NULL;) {
        inspect_add_relation(i, item, r);
        if (!inspect_spend(budget, INSPECT_ENTRY_STEPS)) return false;
    }
    return true;
}

/* Messages lie in blocks of their own: of those that stay in the queue a copy is told. */
static bool inspect_message(Inspection *i, const Message *m, size_t *budget)
{
    if (!i->self) {
        list_add(&i->values, m->value);
        return true;
    }
    if (!i->copying)
        copy_begin(&i->copy, m->value, message_limit(i->rc->mem), &i->rc->literals, i->rc->mem);
    i->copying = !copy_step(&i->copy, i->h, budget);
    if (i->copying) return false;
    list_add(&i->values, i->copy.result);
    copy_end(&i->copy);
    return true;
}

static bool inspect_messages(Inspection *i, size_t *budget)
{
    if (i->message == NULL && i->cursor == 0) i->message = mailbox_first(&i->p->mailbox);
    while (i->message != NULL) {
        if (!inspect_message(i, i->message, budget)) return false;
        i->message = mailbox_after(&i->p->mailbox, i->message);
        i->cursor++;
        if (!inspect_spend(budget, INSPECT_ENTRY_STEPS) && i->message != NULL) return false;
    }
    return true;
}

static bool inspect_dictionary(Inspection *i, size_t *budget)
{
    Term key;
    Term value;
    while (dict_next(i->p, &i->cursor, &key, &value)) {
        list_add(&i->values, heap_tuple2(i->h, key, value));
        if (!inspect_spend(budget, INSPECT_ENTRY_STEPS)) return false;
    }
    return true;
}

/* [{Id, Bytes, References}] of the shared binaries that the process holds. */
static bool inspect_binaries(Inspection *i, size_t *budget)
{
    if (i->cursor++ == 0) i->place = i->p->heap.handles;
    while (i->place != NULL) {
        const Counted *c = (const Counted *)(uintptr_t)i->place[2];
        Term references =
            inspect_words(atomic_load_relaxed((AtomicU64 *)(uintptr_t)&c->references));
        /* The place says nothing (machine.md 22): a running number stands for it. */
        list_add(&i->values,
                 heap_tuple3(i->h, small_from(0), inspect_words(c->bytes), references));
        i->place = (const Word *)(uintptr_t)i->place[1];
        if (!inspect_spend(budget, INSPECT_ENTRY_STEPS)) return false;
    }
    return true;
}

/* ---- one item after the other ---- */

static bool inspect_is_long(AtomName item)
{
    switch ((int)item) {
    case ATOM_LINKS:
    case ATOM_MONITORS:
    case ATOM_MONITORED_BY:
    case ATOM_SUSPENDING:
    case ATOM_MESSAGES:
    case ATOM_DICTIONARY:
    case ATOM_BINARY:
    case ATOM_BACKTRACE:
    case ATOM_CATCHLEVEL: return true;
    default: return false;
    }
}

static bool inspect_long(Inspection *i, AtomName item, size_t *budget)
{
    switch ((int)item) {
    case ATOM_MESSAGES: return inspect_is_sensitive(i) || inspect_messages(i, budget);
    case ATOM_DICTIONARY: return inspect_is_sensitive(i) || inspect_dictionary(i, budget);
    case ATOM_BINARY: return inspect_binaries(i, budget);
    case ATOM_BACKTRACE: return inspect_is_sensitive(i) || inspect_backtrace(i, budget);
    case ATOM_CATCHLEVEL: return inspect_catch_level(i, budget);
    default: return inspect_relations(i, item, budget);
    }
}

static Term inspect_long_value(Inspection *i, AtomName item)
{
    if (item == ATOM_CATCHLEVEL) return inspect_words(i->cursor);
    if (item != ATOM_BACKTRACE) return list_finish(&i->values, TERM_NIL);
    Term text = binary_from_bytes(i->h, i->text.at, i->text.count);
    bytes_free(&i->text);
    i->text = (Bytes){0};
    return text;
}

static void inspect_end_study(Inspection *i)
{
    if (i->study == NULL) return;
    keys_study_end(i->study);
    mem_free(i->p->heap.mem, MEM_WORK, i->study, sizeof *i->study);
    i->study = NULL;
}

/* The key is large, and `k` has a question about it. */
static void inspect_begin_study(Inspection *i, const Keys *k)
{
    if (i->study != NULL) return;
    Mem *mem = i->p->heap.mem;
    i->study = mem_alloc(mem, MEM_WORK, sizeof *i->study);
    keys_study_begin(i->study, k->atoms, mem);
    keys_study_take(i->study, k);
}

/* {dictionary, Key}; false: the budget is used up. */
static bool inspect_entry(Inspection *i, Term key, size_t *budget, Term *value)
{
    *value = TERM_ATOM(UNDEFINED);
    if (inspect_is_sensitive(i)) return true;
    Keys quick;
    keys_init(&quick, i->rc->atoms, KEYS_QUICK);
    Keys *k = i->study == NULL ? &quick : &i->study->keys;
    if (i->study != NULL && !keys_study_step(i->study, budget)) return false;
    Term found = dict_get_by(k, i->p, key);
    inspect_spend(budget, KEYS_QUICK - k->budget);
    if (k->more) {
        inspect_begin_study(i, k);
        return false;
    }
    inspect_end_study(i);
    if (!term_is_none(found)) *value = found;
    return true;
}

/* The value of an item; false: the budget is used up. */
static bool inspect_value(Inspection *i, Term item, size_t *budget, Term *value)
{
    if (term_is_tuple(item)) return inspect_entry(i, tuple_at(item, 1), budget, value);
    AtomName name = atom_of(item);
    if (!inspect_is_long(name)) {
        *value = inspect_short(i, name);
        return true;
    }
    if (!i->begun) {
        i->begun = true;
        i->values = list_builder(i->h);
        i->cursor = 0;
        i->moves = links_moves(i->p);
        i->message = NULL;
        i->place = NULL;
    }
    if (!inspect_long(i, name, budget)) return false;
    i->begun = false;
    *value = inspect_long_value(i, name);
    return true;
}

/* In the order in which process_info/1 tells them. */
static const AtomName inspect_usual[] = {
    ATOM_REGISTERED_NAME,   ATOM_CURRENT_FUNCTION,
    ATOM_INITIAL_CALL,      ATOM_STATUS,
    ATOM_MESSAGE_QUEUE_LEN, ATOM_LINKS,
    ATOM_DICTIONARY,        ATOM_TRAP_EXIT,
    ATOM_ERROR_HANDLER,     ATOM_PRIORITY,
    ATOM_GROUP_LEADER,      ATOM_TOTAL_HEAP_SIZE,
    ATOM_HEAP_SIZE,         ATOM_STACK_SIZE,
    ATOM_REDUCTIONS,        ATOM_GARBAGE_COLLECTION,
    ATOM_SUSPENDING,
};

bool inspect_is_item(Term t)
{
    static const AtomName others[] = {
        ATOM_CURRENT_LOCATION,
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
        ATOM_ASYNC_DIST,
        ATOM_MIN_HEAP_SIZE,
        ATOM_MIN_BIN_VHEAP_SIZE,
        ATOM_MAX_HEAP_SIZE,
        ATOM_FULLSWEEP_AFTER,
        ATOM_MAGIC_REF,
        ATOM_LAST_CALLS,
    };
    if (term_is_tuple_of(t, 2)) return term_is_the_atom(tuple_at(t, 0), ATOM_DICTIONARY);
    if (!term_is_atom(t)) return false;
    for (size_t i = 0; i < ARRAY_LEN(inspect_usual); i++)
        if (term_is_the_atom(t, inspect_usual[i])) return true;
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        if (term_is_the_atom(t, others[i])) return true;
    return false;
}

/* The item to be told next, or TERM_NONE. */
static Term inspect_next(const Inspection *i)
{
    if (i->usual < ARRAY_LEN(inspect_usual)) return atom_from(inspect_usual[i->usual]);
    if (i->usual != SIZE_MAX) return TERM_NONE;
    if (!i->listed) return i->items;
    return term_is_cons(i->items) ? list_head(i->items) : TERM_NONE;
}

void inspect_begin(Inspection *i, Process *p, bool self, Term items)
{
    bool all = term_is_the_atom(items, ATOM_ALL);
    *i = (Inspection){.p = p,
                      .self = self,
                      .items = items,
                      .listed = all || term_is_list(items),
                      .usual = all ? 0 : SIZE_MAX,
                      .answer = TERM_NONE};
    heap_init_detached(&i->detached, p->heap.mem);
    i->h = self ? &p->heap : &i->detached;
    i->pairs = list_builder(i->h);
}

/* The only item, told: who has no name has nothing to tell about it. */
static Term inspect_only(Inspection *i, Term item, Term value)
{
    if (term_is_the_atom(item, ATOM_REGISTERED_NAME) && term_is_nil(value)) return TERM_NIL;
    return term_is_none(value) ? TERM_NONE : heap_tuple2(i->h, item, value);
}

bool inspect_step(Inspection *i, RunContext *rc, size_t *budget)
{
    i->rc = rc;
    for (Term item; !term_is_none(item = inspect_next(i));) {
        Term value;
        if (!inspect_value(i, item, budget, &value)) return false;
        if (!i->listed) {
            i->answer = inspect_only(i, item, value);
            return true;
        }
        bool nameless = i->usual == 0 && term_is_nil(value);
        if (!nameless)
            list_add(&i->pairs, term_is_none(value) ? value : heap_tuple2(i->h, item, value));
        if (i->usual != SIZE_MAX)
            i->usual++;
        else
            i->items = list_tail(i->items);
        if (!inspect_spend(budget, INSPECT_ENTRY_STEPS)) return false;
    }
    i->answer = list_finish(&i->pairs, TERM_NIL);
    return true;
}

void inspect_end(Inspection *i)
{
    if (i->copying) copy_end(&i->copy);
    if (i->posting) parcel_end(&i->parcel, &i->p->heap);
    inspect_end_study(i);
    bytes_free(&i->text);
    heap_release(&i->detached);
}
