/* Built-ins that start processes: spawn and its relatives, spawn_request. */
#include "vm/bif/bif_process.h"

#include "vm/actor/send.h"
#include "vm/actor/signal.h"
#include "vm/actor/spawn.h"
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

/* ---- what to run ---- */

static bool spawn_fun(Process *p, SpawnRequest *r, size_t at)
{
    spawn_request_init(r);
    r->function = arg(p, at);
    return term_is_fun(r->function);
}

/* Some of the family want a fun without arguments from the start, the others let the process
 * fail. */
static bool spawn_thunk(Process *p, SpawnRequest *r, size_t at)
{
    return spawn_fun(p, r, at) && fun_arity(r->function) == 0;
}

static bool spawn_mfa(Process *p, SpawnRequest *r, size_t at)
{
    spawn_request_init(r);
    r->module = arg(p, at);
    r->name = arg(p, at + 1);
    r->arguments = arg(p, at + 2);
    return term_is_atom(r->module) && term_is_atom(r->name) && list_length(r->arguments) >= 0;
}

/* ---- starting ---- */

static BifResult spawn_start(Process *p, const SpawnRequest *r)
{
    Term pid = TERM_NONE;
    uint64_t monitor = 0;
    if (spawn_process(p->run, p, r, &pid, &monitor) != SPAWN_DONE) return raise_system_limit(p);
    if (!r->monitor) return pid;
    Term ref = bif_reference(p, monitor, r->monitor_flags);
    if (term_is_none(ref)) return ref;
    Term pair = heap_tuple2(&p->heap, pid, ref);
    return term_is_none(pair) ? raise_system_limit(p) : pair;
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
    links_add(p, RELATION_MONITOR, number, TERM_NONE)->flags = r->monitor_flags;
    signal_send_down(rc, pid, p->pid, number, TERM_ATOM(NOCONNECTION));
    Term ref = bif_reference(p, number, r->monitor_flags);
    if (term_is_none(ref)) return ref;
    Term pair = heap_tuple2(&p->heap, pid, ref);
    return term_is_none(pair) ? raise_system_limit(p) : pair;
}

static BifResult spawn_on(Process *p, Term node, const SpawnRequest *r)
{
    if (!term_is_atom(node)) return raise_badarg(p);
    if (term_is_the_atom(node, ATOM_NONODE_AT_NOHOST)) return spawn_start(p, r);
    return spawn_elsewhere(p, node, r);
}

BifResult bif_spawn_1(Process *p)
{
    SpawnRequest r;
    return spawn_fun(p, &r, 0) ? spawn_start(p, &r) : raise_badarg(p);
}

BifResult bif_spawn_2(Process *p)
{
    SpawnRequest r;
    return spawn_fun(p, &r, 1) ? spawn_on(p, arg(p, 0), &r) : raise_badarg(p);
}

BifResult bif_spawn_3(Process *p)
{
    SpawnRequest r;
    return spawn_mfa(p, &r, 0) ? spawn_start(p, &r) : raise_badarg(p);
}

BifResult bif_spawn_4(Process *p)
{
    SpawnRequest r;
    return spawn_mfa(p, &r, 1) ? spawn_on(p, arg(p, 0), &r) : raise_badarg(p);
}

BifResult bif_spawn_link_1(Process *p)
{
    SpawnRequest r;
    if (!spawn_fun(p, &r, 0)) return raise_badarg(p);
    r.link = true;
    return spawn_start(p, &r);
}

BifResult bif_spawn_link_2(Process *p)
{
    SpawnRequest r;
    if (!spawn_fun(p, &r, 1)) return raise_badarg(p);
    r.link = true;
    return spawn_on(p, arg(p, 0), &r);
}

BifResult bif_spawn_link_3(Process *p)
{
    SpawnRequest r;
    if (!spawn_mfa(p, &r, 0)) return raise_badarg(p);
    r.link = true;
    return spawn_start(p, &r);
}

BifResult bif_spawn_link_4(Process *p)
{
    SpawnRequest r;
    if (!spawn_mfa(p, &r, 1)) return raise_badarg(p);
    r.link = true;
    return spawn_on(p, arg(p, 0), &r);
}

BifResult bif_spawn_monitor_1(Process *p)
{
    SpawnRequest r;
    if (!spawn_thunk(p, &r, 0)) return raise_badarg(p);
    r.monitor = true;
    return spawn_start(p, &r);
}

BifResult bif_spawn_monitor_2(Process *p)
{
    SpawnRequest r;
    if (!spawn_thunk(p, &r, 1)) return raise_badarg(p);
    r.monitor = true;
    return spawn_on(p, arg(p, 0), &r);
}

BifResult bif_spawn_monitor_3(Process *p)
{
    SpawnRequest r;
    if (!spawn_mfa(p, &r, 0)) return raise_badarg(p);
    r.monitor = true;
    return spawn_start(p, &r);
}

BifResult bif_spawn_monitor_4(Process *p)
{
    SpawnRequest r;
    if (!spawn_mfa(p, &r, 1)) return raise_badarg(p);
    r.monitor = true;
    return spawn_on(p, arg(p, 0), &r);
}

BifResult bif_spawn_opt_2(Process *p)
{
    SpawnRequest r;
    if (!spawn_fun(p, &r, 0) || !spawn_options(p, arg(p, 1), &r, NULL)) return raise_badarg(p);
    return spawn_start(p, &r);
}

BifResult bif_spawn_opt_3(Process *p)
{
    SpawnRequest r;
    if (!spawn_fun(p, &r, 1) || !spawn_options(p, arg(p, 2), &r, NULL)) return raise_badarg(p);
    return spawn_on(p, arg(p, 0), &r);
}

BifResult bif_spawn_opt_4(Process *p)
{
    SpawnRequest r;
    if (!spawn_mfa(p, &r, 0) || !spawn_options(p, arg(p, 3), &r, NULL)) return raise_badarg(p);
    return spawn_start(p, &r);
}

BifResult bif_spawn_opt_5(Process *p)
{
    SpawnRequest r;
    if (!spawn_mfa(p, &r, 1) || !spawn_options(p, arg(p, 4), &r, NULL)) return raise_badarg(p);
    return spawn_on(p, arg(p, 0), &r);
}

/* ---- spawn_request: the answer comes as {Tag, RequestId, ok | error, Pid | Reason} ---- */

static BifResult request_reply(Process *p, const ReplyOptions *reply, Term id, Term what,
                               Term value)
{
    Term message = heap_tuple(&p->heap, 4, (const Term[]){reply->tag, id, what, value});
    if (term_is_none(message) || !send_system(p->run, p->pid, message))
        return raise_system_limit(p);
    return id;
}

static BifResult request_failed(Process *p, const ReplyOptions *reply, Term id, Term reason)
{
    return reply->on_error ? request_reply(p, reply, id, TERM_ATOM(ERROR), reason) : id;
}

static BifResult request_start(Process *p, Term node, SpawnRequest *r, Term options)
{
    ReplyOptions reply = {.tag = TERM_ATOM(SPAWN_REPLY), .on_success = true, .on_error = true};
    if (!term_is_atom(node) || list_length(options) < 0) return raise_badarg(p);
    bool good = spawn_options(p, options, r, &reply);
    r->reference = sched_reference(p->run);
    Term id = bif_reference(p, r->reference, good ? r->monitor_flags : 0);
    if (term_is_none(id)) return id;
    if (!good) return request_failed(p, &reply, id, TERM_ATOM(BADOPT));
    if (!term_is_the_atom(node, ATOM_NONODE_AT_NOHOST))
        return request_failed(p, &reply, id, TERM_ATOM(NOCONNECTION));
    Term pid = TERM_NONE;
    uint64_t monitor;
    if (spawn_process(p->run, p, r, &pid, &monitor) != SPAWN_DONE)
        return request_failed(p, &reply, id, TERM_ATOM(SYSTEM_LIMIT));
    return reply.on_success ? request_reply(p, &reply, id, TERM_ATOM(OK), pid) : id;
}

BifResult bif_spawn_request_1(Process *p)
{
    SpawnRequest r;
    if (!spawn_thunk(p, &r, 0)) return raise_badarg(p);
    return request_start(p, TERM_ATOM(NONODE_AT_NOHOST), &r, TERM_NIL);
}

/* (Fun, Options) or (Node, Fun) */
BifResult bif_spawn_request_2(Process *p)
{
    SpawnRequest r;
    if (spawn_thunk(p, &r, 0))
        return request_start(p, TERM_ATOM(NONODE_AT_NOHOST), &r, arg(p, 1));
    if (!spawn_thunk(p, &r, 1)) return raise_badarg(p);
    return request_start(p, arg(p, 0), &r, TERM_NIL);
}

/* (Node, Fun, Options) or (M, F, A) */
BifResult bif_spawn_request_3(Process *p)
{
    SpawnRequest r;
    if (spawn_thunk(p, &r, 1)) return request_start(p, arg(p, 0), &r, arg(p, 2));
    if (!spawn_mfa(p, &r, 0)) return raise_badarg(p);
    return request_start(p, TERM_ATOM(NONODE_AT_NOHOST), &r, TERM_NIL);
}

/* (Node, M, F, A) or (M, F, A, Options) */
BifResult bif_spawn_request_4(Process *p)
{
    SpawnRequest r;
    if (term_is_atom(arg(p, 2))) {
        if (!spawn_mfa(p, &r, 1)) return raise_badarg(p);
        return request_start(p, arg(p, 0), &r, TERM_NIL);
    }
    if (!spawn_mfa(p, &r, 0)) return raise_badarg(p);
    return request_start(p, TERM_ATOM(NONODE_AT_NOHOST), &r, arg(p, 3));
}

BifResult bif_spawn_request_5(Process *p)
{
    SpawnRequest r;
    if (!spawn_mfa(p, &r, 1)) return raise_badarg(p);
    return request_start(p, arg(p, 0), &r, arg(p, 4));
}

/* The request has been answered by the time its reference is known: nothing can be
 * abandoned. */
BifResult bif_spawn_request_abandon(Process *p)
{
    return term_is_ref(arg(p, 0)) ? TERM_FALSE : raise_badarg(p);
}
