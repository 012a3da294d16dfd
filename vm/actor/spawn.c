#include "vm/actor/spawn.h"

#include "vm/format/limits.h"
#include "vm/proc/extra.h"
#include "vm/proc/frame.h"
#include "vm/proc/links.h"
#include "vm/proc/parcel.h"
#include "vm/proc/proctab.h"
#include "vm/sched/sched.h"
#include "vm/term/atom.h"
#include "vm/term/list.h"

/* Return address and three registers; some stack for the first function. */
#define SPAWN_FRAME 4
#define SPAWN_ROOM  12

#define SPAWN_REDUCTIONS 200

void spawn_request_init(SpawnRequest *r)
{
    *r = (SpawnRequest){.function = TERM_NONE,
                        .arguments = TERM_NIL,
                        .monitor_tag = TERM_NONE,
                        .priority = PRIORITY_NORMAL,
                        .min_heap_words = -1,
                        .min_handle_words = -1,
                        .fullsweep_after = -1};
}

/* What the options say that needs the side record. */
static void spawn_set_options(Process *p, const SpawnRequest *r)
{
    uint64_t state = (uint64_t)r->priority << STATE_PRIORITY_SHIFT;
    atomic_store_relaxed(&p->state, state);
    bool plain = r->min_heap_words < 0 && r->min_handle_words < 0 && r->fullsweep_after < 0
                 && !r->has_max_heap && !r->off_heap_messages;
    if (plain) return;
    ProcessExtra *x = extra_get(p);
    if (r->min_heap_words > 0) x->min_heap_words = (uint32_t)r->min_heap_words;
    if (r->min_handle_words > 0) x->min_handle_words = (uint32_t)r->min_handle_words;
    if (r->fullsweep_after >= 0) x->fullsweep_after = (uint32_t)r->fullsweep_after;
    if (r->has_max_heap)
        x->max_heap = (HeapLimit){.words = r->max_heap_words,
                                  .kill = r->max_heap_kill,
                                  .report = r->max_heap_report,
                                  .include_shared = r->max_heap_include_shared};
    x->off_heap_messages = r->off_heap_messages;
}

/* ---- the new process, with what it is to run ---- */

/* What is copied for it: a fun, or arguments. */
static Term spawn_payload(const SpawnRequest *r)
{
    if (term_is_none(r->function)) return r->arguments;
    ASSERT(term_is_nil(r->arguments));
    return r->function;
}

/* The arity that process_info shows; calls with more arguments fail as soon as they run. */
static uint32_t spawn_arity(Term arguments)
{
    uint32_t n = 0;
    for (; term_is_cons(arguments) && n <= LIMIT_ARITY; arguments = list_tail(arguments)) n++;
    return n;
}

/* The first frame: apply or apply_fun, about to run. */
static void spawn_first_frame(RunContext *rc, Process *p, const SpawnRequest *r, Term payload)
{
    const SchedHooks *hooks = &rc->worker->sched->hooks;
    if (term_is_none(r->function)) {
        slot_set(p, 0, r->module);
        slot_set(p, 1, r->name);
        slot_set(p, 2, payload);
        p->pc = hooks->apply;
        p->initial_call = process_pack_call(r->module, r->name, spawn_arity(payload));
    } else {
        slot_set(p, 0, payload);
        slot_set(p, 1, TERM_NIL);
        slot_set(p, 2, TERM_NIL);
        p->pc = hooks->apply_fun;
        p->initial_call = process_pack_call(TERM_ATOM(ERLANG), TERM_ATOM(APPLY), 2);
    }
    p->heap.limit = p->heap.top;
    spawn_set_options(p, r);
}

/* A process with room for `words` of payload; NULL: no memory. */
static Process *spawn_allocate(RunContext *rc, const SpawnRequest *r, size_t words)
{
    if (words > UINT32_MAX / 2) return NULL;
    words += SPAWN_FRAME + SPAWN_ROOM;
    if (r->min_heap_words > (int64_t)words) words = (size_t)r->min_heap_words;
    Process *p = process_new(rc->mem, words);
    if (p == NULL) return NULL;
    p->fp = p->block + p->block_words - 1;
    p->fp[0] = frame_link(rc->worker->sched->hooks.process_end, 1);
    return p;
}

/* Nobody has seen it yet. */
static void spawn_discard(Process *p)
{
    Mem *mem = p->heap.mem;
    extra_free(p);
    process_free_block(p);
    process_release(mem, p);
}

static Process *spawn_at_once(RunContext *rc, const SpawnRequest *r, size_t words)
{
    Process *p = spawn_allocate(rc, r, words);
    if (p == NULL) return NULL;
    Term payload = spawn_payload(r);
    if (words > 0)
        payload =
            copy_into(&p->heap, heap_take(&p->heap, words), words, payload, &rc->literals);
    spawn_first_frame(rc, p, r, payload);
    rc->reductions -= (int64_t)(words / 4);
    return p;
}

/* ---- what is large: in slices ---- */

typedef struct Spawning {
    Pause pause;
    CopyWalk copy;
    Process *child; /* NULL while the size of its payload is counted */
    Message *tag;   /* of the monitor, or NULL */
} Spawning;

static void spawn_release(Pause *pause, Process *p)
{
    Spawning *s = (Spawning *)pause;
    copy_end(&s->copy);
    if (s->child != NULL) spawn_discard(s->child);
    if (s->tag != NULL) message_drop(s->tag, &p->heap);
    mem_free(p->heap.mem, MEM_WORK, s, sizeof *s);
}

static void spawn_begin_copy(RunContext *rc, Spawning *s, const SpawnRequest *r)
{
    copy_begin(&s->copy, spawn_payload(r), message_limit(rc->mem), &rc->literals, rc->mem);
}

static Spawning *spawn_begin(Process *parent, const SpawnRequest *r, Message *tag)
{
    Spawning *s = (Spawning *)pause_new(parent, sizeof *s, spawn_release);
    s->tag = tag;
    spawn_begin_copy(parent->run, s, r);
    return s;
}

/* Literals began to leave on the way.  Nobody will ask a child that is not there yet to let go of
 * them: once more, without. */
static void spawn_begin_again(RunContext *rc, Spawning *s, const SpawnRequest *r)
{
    copy_end(&s->copy);
    spawn_discard(s->child);
    s->child = NULL;
    spawn_begin_copy(rc, s, r);
}

/* The child of a walk that has counted; false: refused. */
static bool spawn_open(RunContext *rc, Spawning *s, const SpawnRequest *r)
{
    size_t words = s->copy.words;
    if (words != COPY_TOO_LARGE) s->child = spawn_allocate(rc, r, words);
    if (s->child == NULL) return false;
    copy_place(&s->copy, &s->child->heap, heap_take(&s->child->heap, words));
    return true;
}

static SpawnResult spawn_work(RunContext *rc, Spawning *s, const SpawnRequest *r,
                              size_t *budget)
{
    if (s->child == NULL) {
        if (!copy_count(&s->copy, budget)) return SPAWN_MORE;
        if (!spawn_open(rc, s, r)) return SPAWN_NO_MEMORY;
    }
    if (!copy_step(&s->copy, &s->child->heap, budget)) return SPAWN_MORE;
    if (UNLIKELY(copy_is_stale(&s->copy))) {
        spawn_begin_again(rc, s, r);
        return SPAWN_MORE;
    }
    spawn_first_frame(rc, s->child, r, s->copy.result);
    return SPAWN_DONE;
}

static SpawnResult spawn_continue(Process *parent, Spawning *s, const SpawnRequest *r,
                                  Process **child, Message **tag)
{
    size_t budget = pause_budget(parent);
    size_t left = budget;
    SpawnResult result = spawn_work(parent->run, s, r, &left);
    pause_charge(parent, budget, left);
    if (result == SPAWN_MORE) return result;
    if (result == SPAWN_DONE) {
        *child = s->child;
        *tag = s->tag;
        s->child = NULL;
        s->tag = NULL;
    }
    pause_end(parent);
    return result;
}

/* The monitor's tag comes first. */
static SpawnResult spawn_tag(Process *parent, const SpawnRequest *r, Message **tag)
{
    *tag = NULL;
    if (term_is_none(r->monitor_tag)) return SPAWN_DONE;
    switch (parcel_make(parent, SIGNAL_MESSAGE, 0, r->monitor_tag, tag)) {
    case PARCEL_DONE: return SPAWN_DONE;
    case PARCEL_MORE: return SPAWN_MORE;
    case PARCEL_REFUSED: break;
    }
    return SPAWN_NO_MEMORY;
}

static SpawnResult spawn_child(RunContext *rc, Process *parent, const SpawnRequest *r,
                               Process **child, Message **tag)
{
    Spawning *s = parent == NULL ? NULL : (Spawning *)pause_find(parent, spawn_release);
    *tag = NULL;
    if (LIKELY(s == NULL)) {
        SpawnResult tagged = parent == NULL ? SPAWN_DONE : spawn_tag(parent, r, tag);
        if (tagged != SPAWN_DONE) return tagged;
        size_t limit = parent == NULL ? SIZE_MAX - 1 : PARCEL_QUICK_WORDS;
        size_t words = copy_size(spawn_payload(r), limit, &rc->literals);
        if (LIKELY(words != COPY_TOO_LARGE)) {
            *child = spawn_at_once(rc, r, words);
            if (*child != NULL) return SPAWN_DONE;
            if (*tag != NULL) message_free(*tag, rc->mem);
            return SPAWN_NO_MEMORY;
        }
        ASSERT(parent != NULL); /* the machine copies at once, without a limit */
        s = spawn_begin(parent, r, *tag);
    }
    return spawn_continue(parent, s, r, child, tag);
}

/* ---- its place among the others ---- */

static void spawn_relate(RunContext *rc, Process *parent, Process *p, const SpawnRequest *r,
                         Message *tag, uint64_t *monitor)
{
    if (r->link) {
        links_add(p, RELATION_LINK, parent->pid.w, parent->pid);
        links_add(parent, RELATION_LINK, p->pid.w, p->pid);
    }
    if (!r->monitor) return;
    *monitor = sched_reference(rc);
    links_add(p, RELATION_WATCHER, *monitor, parent->pid);
    Relation *mine = links_add(parent, RELATION_MONITOR, *monitor, p->pid);
    mine->flags = r->monitor_flags;
    mine->tag = tag;
}

static void spawn_inherit(RunContext *rc, Process *p, Process *parent)
{
    p->parent = parent->pid;
    p->group_leader = term_is_atomic(parent->group_leader)
                          ? parent->group_leader
                          : copy_term(&p->heap, parent->group_leader, SIZE_MAX, &rc->literals);
    if (term_is_none(p->group_leader)) p->group_leader = parent->pid;
    uint64_t inherited = atomic_load_relaxed(&parent->state) & STATE_REFUSED;
    if (inherited != 0) atomic_or_relaxed(&p->state, inherited);
}

SpawnResult spawn_process(RunContext *rc, Process *parent, const SpawnRequest *r, Term *pid,
                          uint64_t *monitor)
{
    Process *p;
    Message *tag;
    SpawnResult made = spawn_child(rc, parent, r, &p, &tag);
    if (made != SPAWN_DONE) return made;
    rc->reductions -= SPAWN_REDUCTIONS;
    if (parent != NULL) spawn_inherit(rc, p, parent);
    if (!proctab_insert(rc->processes, p)) {
        spawn_discard(p);
        if (tag != NULL) message_free(tag, rc->mem);
        return SPAWN_TOO_MANY;
    }
    *pid = p->pid;
    if (parent == NULL) {
        p->parent = p->pid;
        p->group_leader = p->pid;
    } else {
        spawn_relate(rc, parent, p, r, tag, monitor);
    }
    chance_note(&rc->worker->sched->chance, CHANCE_SPAWN, pid->w, p->parent.w);
    sched_start(rc, p);
    return SPAWN_DONE;
}
