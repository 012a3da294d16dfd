/* Built-ins that start processes: spawn and its relatives, spawn_request. */
#include "vm/bif/bif_process.h"

#include "vm/actor/send.h"
#include "vm/actor/signal.h"
#include "vm/actor/spawn.h"
#include "vm/proc/compare.h"
#include "vm/proc/extra.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/fun.h"
#include "vm/term/list.h"
#include "vm/term/map.h"
#include "vm/term/pid.h"

/* ---- options ---- */

bool bif_heap_limit(Process *p, Term t, HeapLimit *limit)
{
    *limit = (HeapLimit){.kill = true, .report = true};
    if (term_is_small(t)) {
        limit->words = (uint64_t)small_value(t);
        return small_value(t) >= 0;
    }
    if (!term_is_map(t)) return false;
    const AtomTable *atoms = p->run->atoms;
    Term size = map_get_immediate(atoms, t, TERM_ATOM(SIZE));
    if (!term_is_small(size) || small_value(size) < 0) return false;
    limit->words = (uint64_t)small_value(size);
    Term kill = map_get_immediate(atoms, t, TERM_ATOM(KILL));
    Term report = map_get_immediate(atoms, t, TERM_ATOM(ERROR_LOGGER));
    Term shared = map_get_immediate(atoms, t, TERM_ATOM(INCLUDE_SHARED_BINARIES));
    if (!term_is_none(kill)) limit->kill = term_same(kill, TERM_TRUE);
    if (!term_is_none(report)) limit->report = term_same(report, TERM_TRUE);
    limit->include_shared = term_same(shared, TERM_TRUE);
    return (term_is_none(kill) || term_is_boolean(kill))
           && (term_is_none(report) || term_is_boolean(report))
           && (term_is_none(shared) || term_is_boolean(shared));
}

static bool small_count(Term t, int64_t *out)
{
    if (!term_is_small(t) || small_value(t) < 0 || small_value(t) > INT32_MAX) return false;
    *out = small_value(t);
    return true;
}

static bool spawn_priority(Term t, SpawnRequest *r)
{
    if (!term_is_atom(t)) return false;
    switch ((int)atom_of(t)) {
    case ATOM_MAX: r->priority = PRIORITY_MAX; return true;
    case ATOM_HIGH: r->priority = PRIORITY_HIGH; return true;
    case ATOM_NORMAL: r->priority = PRIORITY_NORMAL; return true;
    case ATOM_LOW: r->priority = PRIORITY_LOW; return true;
    default: return false;
    }
}

static bool spawn_pair(Process *p, Term key, Term value, SpawnRequest *r)
{
    HeapLimit limit;
    unsigned flags;
    if (!term_is_atom(key)) return false;
    switch ((int)atom_of(key)) {
    case ATOM_PRIORITY: return spawn_priority(value, r);
    case ATOM_MONITOR:
        if (!bif_monitor_options(value, &flags, &r->monitor_tag)) return false;
        r->monitor = true;
        r->monitor_flags = (uint8_t)flags;
        return true;
    case ATOM_FULLSWEEP_AFTER: return small_count(value, &r->fullsweep_after);
    case ATOM_MIN_HEAP_SIZE: return small_count(value, &r->min_heap_words);
    case ATOM_MIN_BIN_VHEAP_SIZE: return small_count(value, &r->min_handle_words);
    case ATOM_MAX_HEAP_SIZE:
        if (!bif_heap_limit(p, value, &limit)) return false;
        r->has_max_heap = true;
        r->max_heap_words = limit.words;
        r->max_heap_kill = limit.kill;
        r->max_heap_report = limit.report;
        r->max_heap_include_shared = limit.include_shared;
        return true;
    case ATOM_MESSAGE_QUEUE_DATA:
        r->off_heap_messages = term_is_the_atom(value, ATOM_OFF_HEAP);
        return r->off_heap_messages || term_is_the_atom(value, ATOM_ON_HEAP);
    case ATOM_ASYNC_DIST: return term_is_boolean(value);
    default: return false;
    }
}

/* The reply that spawn_request wants. */
typedef struct ReplyOptions {
    Term tag;
    bool on_success;
    bool on_error;
} ReplyOptions;

static bool reply_pair(Term key, Term value, ReplyOptions *reply)
{
    if (term_is_the_atom(key, ATOM_REPLY_TAG)) {
        reply->tag = value;
        return true;
    }
    if (!term_is_the_atom(key, ATOM_REPLY) || !term_is_atom(value)) return false;
    bool yes = term_is_the_atom(value, ATOM_YES);
    reply->on_success = yes || term_is_the_atom(value, ATOM_SUCCESS_ONLY);
    reply->on_error = yes || term_is_the_atom(value, ATOM_ERROR_ONLY);
    return reply->on_success || reply->on_error || term_is_the_atom(value, ATOM_NO);
}

/* `reply` NULL: spawn_opt. */
static bool spawn_options(Process *p, Term options, SpawnRequest *r, ReplyOptions *reply)
{
    for (; term_is_cons(options); options = list_tail(options)) {
        Term option = list_head(options);
        if (term_is_the_atom(option, ATOM_LINK)) {
            r->link = true;
        } else if (term_is_the_atom(option, ATOM_MONITOR)) {
            r->monitor = true;
        } else if (term_is_tuple_of(option, 2)) {
            Term key = tuple_at(option, 0);
            Term value = tuple_at(option, 1);
            if (reply != NULL && reply_pair(key, value, reply)) continue;
            if (!spawn_pair(p, key, value, r)) return false;
        } else {
            return false;
        }
    }
    return term_is_nil(options);
}

/* ---- the family: where its members find what they need ---- */

enum {
    SPAWN_ON = 1,      /* the first argument is a node */
    SPAWN_MFA = 2,     /* module, function and arguments; else a fun */
    SPAWN_THUNK = 4,   /* the fun takes no arguments, or it is badarg; else the process fails */
    SPAWN_OPTIONS = 8, /* the last argument is a list of options */
    SPAWN_LINK = 16,   /* linked from the start */
    SPAWN_MONITOR = 32, /* watched from the start */
    SPAWN_REQUEST = 64  /* the answer is a message */
};

/* What became of the arguments. */
typedef enum SpawnRead { SPAWN_READ, SPAWN_READ_MORE, SPAWN_READ_BAD } SpawnRead;

/* A proper list, however long; looked at once, before anything is copied. */
static SpawnRead spawn_read_arguments(Process *p, Term arguments)
{
    if (pause_is_held(p) && !compare_is_counting(p)) return SPAWN_READ;
    int64_t n = compare_length(p, arguments);
    if (n >= 0) return SPAWN_READ;
    return n == COMPARE_LENGTH_MORE ? SPAWN_READ_MORE : SPAWN_READ_BAD;
}

/* What to run, from argument `at` on. */
static SpawnRead spawn_read(Process *p, unsigned shape, size_t at, SpawnRequest *r)
{
    spawn_request_init(r);
    r->link = (shape & SPAWN_LINK) != 0;
    r->monitor = (shape & SPAWN_MONITOR) != 0;
    if ((shape & SPAWN_MFA) == 0) {
        r->function = arg(p, at);
        bool good = term_is_fun(r->function)
                    && ((shape & SPAWN_THUNK) == 0 || fun_arity(r->function) == 0);
        return good ? SPAWN_READ : SPAWN_READ_BAD;
    }
    r->module = arg(p, at);
    r->name = arg(p, at + 1);
    r->arguments = arg(p, at + 2);
    if (!term_is_atom(r->module) || !term_is_atom(r->name)) return SPAWN_READ_BAD;
    return spawn_read_arguments(p, r->arguments);
}

/* ---- starting ---- */

static BifResult spawn_answer(Process *p, const SpawnRequest *r, Term pid, uint64_t monitor)
{
    if (!r->monitor) return pid;
    Term ref = bif_reference(p, monitor, r->monitor_flags);
    if (term_is_none(ref)) return ref;
    Term pair = heap_tuple2(&p->heap, pid, ref);
    return term_is_none(pair) ? raise_system_limit(p) : pair;
}

static BifResult spawn_here(Process *p, const SpawnRequest *r)
{
    Term pid = TERM_NONE;
    uint64_t monitor = 0;
    switch (spawn_process(p->run, p, r, &pid, &monitor)) {
    case SPAWN_DONE: return spawn_answer(p, r, pid, monitor);
    case SPAWN_MORE: return bif_yield(p);
    case SPAWN_TOO_MANY:
    case SPAWN_NO_MEMORY: break;
    }
    return raise_system_limit(p);
}

/* Nobody can be started on another node while none can be reached: the pid is dead from the
 * start. */
static BifResult spawn_elsewhere(Process *p, Term node, const SpawnRequest *r)
{
    RunContext *rc = p->run;
    uint64_t number = sched_reference(rc);
    Term pid = pid_make_remote(&p->heap, node, 0, 0, 0);
    if (term_is_none(pid)) return raise_system_limit(p);
    if (r->link) signal_send_exit(rc, pid, p->pid, TERM_ATOM(NOCONNECTION), false);
    if (!r->monitor) return pid;
    links_add(p, RELATION_MONITOR, number, pid)->flags = r->monitor_flags;
    signal_send_down(rc, pid, p->pid, number, TERM_ATOM(NOCONNECTION));
    return spawn_answer(p, r, pid, number);
}

static BifResult spawn_start(Process *p, Term node, Term options, SpawnRequest *r)
{
    if (!term_is_atom(node) || !spawn_options(p, options, r, NULL)) return raise_badarg(p);
    if (term_is_the_atom(node, ATOM_NONODE_AT_NOHOST)) return spawn_here(p, r);
    return spawn_elsewhere(p, node, r);
}

/* ---- spawn_request: the answer comes as {Tag, RequestId, ok | error, Pid | Reason} ---- */

static BifResult request_reply(Process *p, Term tag, Term id, Term what, Term value)
{
    Term message = heap_tuple(&p->heap, 4, (const Term[]){tag, id, what, value});
    if (term_is_none(message) || !send_system(p->run, p->pid, message))
        return raise_system_limit(p);
    return id;
}

static BifResult request_failed(Process *p, const ReplyOptions *reply, Term reason)
{
    Term id = bif_reference(p, sched_reference(p->run), 0);
    if (term_is_none(id) || !reply->on_error) return id;
    return request_reply(p, reply->tag, id, TERM_ATOM(ERROR), reason);
}

static BifResult request_here(Process *p, const SpawnRequest *r, const ReplyOptions *reply)
{
    Term pid = TERM_NONE;
    uint64_t number = 0;
    switch (spawn_process(p->run, p, r, &pid, &number)) {
    case SPAWN_MORE: return bif_yield(p);
    case SPAWN_TOO_MANY:
    case SPAWN_NO_MEMORY: return request_failed(p, reply, TERM_ATOM(SYSTEM_LIMIT));
    case SPAWN_DONE: break;
    }
    if (!r->monitor) number = sched_reference(p->run);
    Term id = bif_reference(p, number, r->monitor_flags);
    if (term_is_none(id) || !reply->on_success) return id;
    return request_reply(p, reply->tag, id, TERM_ATOM(OK), pid);
}

static BifResult request_start(Process *p, Term node, Term options, SpawnRequest *r)
{
    ReplyOptions reply = {.tag = TERM_ATOM(SPAWN_REPLY), .on_success = true, .on_error = true};
    if (!term_is_atom(node) || list_length(options) < 0) return raise_badarg(p);
    if (!spawn_options(p, options, r, &reply))
        return request_failed(p, &reply, TERM_ATOM(BADOPT));
    if (!term_is_the_atom(node, ATOM_NONODE_AT_NOHOST))
        return request_failed(p, &reply, TERM_ATOM(NOCONNECTION));
    return request_here(p, r, &reply);
}

/* ---- the built-ins ---- */

static BifResult spawn_by(Process *p, unsigned shape)
{
    SpawnRequest r;
    size_t at = (shape & SPAWN_ON) != 0;
    switch (spawn_read(p, shape, at, &r)) {
    case SPAWN_READ_MORE: return bif_yield(p);
    case SPAWN_READ_BAD: return raise_badarg(p);
    case SPAWN_READ: break;
    }
    Term node = at == 0 ? TERM_ATOM(NONODE_AT_NOHOST) : arg(p, 0);
    size_t behind = at + ((shape & SPAWN_MFA) != 0 ? 3 : 1);
    Term options = (shape & SPAWN_OPTIONS) != 0 ? arg(p, behind) : TERM_NIL;
    if ((shape & SPAWN_REQUEST) != 0) return request_start(p, node, options, &r);
    return spawn_start(p, node, options, &r);
}

#define SPAWN_ROW(name, shape) \
    BifResult bif_##name(Process *p) { return spawn_by(p, shape); }

SPAWN_ROW(spawn_1, 0)
SPAWN_ROW(spawn_2, SPAWN_ON)
SPAWN_ROW(spawn_3, SPAWN_MFA)
SPAWN_ROW(spawn_4, SPAWN_ON | SPAWN_MFA)
SPAWN_ROW(spawn_link_1, SPAWN_LINK)
SPAWN_ROW(spawn_link_2, SPAWN_LINK | SPAWN_ON)
SPAWN_ROW(spawn_link_3, SPAWN_LINK | SPAWN_MFA)
SPAWN_ROW(spawn_link_4, SPAWN_LINK | SPAWN_ON | SPAWN_MFA)
SPAWN_ROW(spawn_monitor_1, SPAWN_MONITOR | SPAWN_THUNK)
SPAWN_ROW(spawn_monitor_2, SPAWN_MONITOR | SPAWN_ON | SPAWN_THUNK)
SPAWN_ROW(spawn_monitor_3, SPAWN_MONITOR | SPAWN_MFA)
SPAWN_ROW(spawn_monitor_4, SPAWN_MONITOR | SPAWN_ON | SPAWN_MFA)
SPAWN_ROW(spawn_opt_2, SPAWN_OPTIONS)
SPAWN_ROW(spawn_opt_3, SPAWN_OPTIONS | SPAWN_ON)
SPAWN_ROW(spawn_opt_4, SPAWN_OPTIONS | SPAWN_MFA)
SPAWN_ROW(spawn_opt_5, SPAWN_OPTIONS | SPAWN_ON | SPAWN_MFA)
SPAWN_ROW(spawn_request_1, SPAWN_REQUEST | SPAWN_THUNK)
SPAWN_ROW(spawn_request_5, SPAWN_REQUEST | SPAWN_ON | SPAWN_MFA | SPAWN_OPTIONS)

/* (Fun, Options) or (Node, Fun) */
BifResult bif_spawn_request_2(Process *p)
{
    return spawn_by(p, SPAWN_REQUEST | SPAWN_THUNK
                           | (term_is_fun(arg(p, 0)) ? SPAWN_OPTIONS : SPAWN_ON));
}

/* (Node, Fun, Options) or (M, F, A) */
BifResult bif_spawn_request_3(Process *p)
{
    return spawn_by(
        p, SPAWN_REQUEST
               | (term_is_fun(arg(p, 1)) ? SPAWN_ON | SPAWN_THUNK | SPAWN_OPTIONS : SPAWN_MFA));
}

/* (Node, M, F, A) or (M, F, A, Options) */
BifResult bif_spawn_request_4(Process *p)
{
    return spawn_by(p, SPAWN_REQUEST | SPAWN_MFA
                           | (term_is_atom(arg(p, 2)) ? SPAWN_ON : SPAWN_OPTIONS));
}

/* The request has been answered by the time its reference is known: nothing can be
 * abandoned. */
BifResult bif_spawn_request_abandon(Process *p)
{
    return term_is_ref(arg(p, 0)) ? TERM_FALSE : raise_badarg(p);
}
