#include "vm/actor/spawn.h"

#include "vm/proc/extra.h"
#include "vm/proc/frame.h"
#include "vm/proc/links.h"
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

static Term spawn_copy(RunContext *rc, Process *p, Term t, size_t words)
{
    return words == 0
               ? t
               : copy_into(&p->heap, heap_take(&p->heap, words), words, t, &rc->literals);
}

/* The first frame: apply or apply_fun, about to run. */
static void spawn_first_frame(RunContext *rc, Process *p, const SpawnRequest *r, size_t first,
                              size_t second)
{
    const SchedHooks *hooks = &rc->worker->sched->hooks;
    p->fp = p->block + p->block_words - 1;
    p->fp[0] = frame_link(hooks->process_end, 0);
    if (term_is_none(r->function)) {
        slot_set(p, 0, r->module);
        slot_set(p, 1, r->name);
        slot_set(p, 2, spawn_copy(rc, p, r->arguments, second));
        p->pc = hooks->apply;
        int64_t arity = list_length(r->arguments);
        /* Calls with more arguments fail as soon as they run. */
        p->initial_call = process_pack_call(r->module, r->name,
                                            arity > UINT16_MAX ? UINT16_MAX : (uint32_t)arity);
    } else {
        slot_set(p, 0, spawn_copy(rc, p, r->function, first));
        slot_set(p, 1, spawn_copy(rc, p, r->arguments, second));
        slot_set(p, 2, TERM_NIL);
        p->pc = hooks->apply_fun;
        p->initial_call = process_pack_call(TERM_ATOM(ERLANG), TERM_ATOM(APPLY), 2);
    }
    p->heap.limit = p->heap.top;
}

static Process *spawn_make(RunContext *rc, const SpawnRequest *r)
{
    size_t limit = message_limit(rc->mem);
    size_t first = term_is_none(r->function) ? 0 : copy_size(r->function, limit, &rc->literals);
    size_t second = copy_size(r->arguments, limit, &rc->literals);
    if (first == COPY_TOO_LARGE || second == COPY_TOO_LARGE || first + second > UINT32_MAX / 2)
        return NULL;
    size_t words = first + second + SPAWN_FRAME + SPAWN_ROOM;
    if (r->min_heap_words > (int64_t)words) words = (size_t)r->min_heap_words;
    Process *p = process_new(rc->mem, words);
    if (p == NULL) return NULL;
    spawn_first_frame(rc, p, r, first, second);
    spawn_set_options(p, r);
    rc->reductions -= (int64_t)(SPAWN_REDUCTIONS + (first + second) / 4);
    return p;
}

static void spawn_relate(RunContext *rc, Process *parent, Process *p, const SpawnRequest *r,
                         uint64_t *monitor)
{
    if (r->link) {
        links_add(p, RELATION_LINK, parent->pid.w, parent->pid);
        links_add(parent, RELATION_LINK, p->pid.w, p->pid);
    }
    if (!r->monitor) return;
    *monitor = r->reference != 0 ? r->reference : sched_reference(rc);
    links_add(p, RELATION_WATCHER, *monitor, parent->pid);
    Relation *mine = links_add(parent, RELATION_MONITOR, *monitor, p->pid);
    mine->flags = r->monitor_flags;
    if (!term_is_none(r->monitor_tag)) mine->tag = message_new(rc, r->monitor_tag);
}

SpawnResult spawn_process(RunContext *rc, Process *parent, const SpawnRequest *r, Term *pid,
                          uint64_t *monitor)
{
    Process *p = spawn_make(rc, r);
    if (p == NULL) return SPAWN_NO_MEMORY;
    if (parent != NULL) {
        p->parent = parent->pid;
        p->group_leader =
            term_is_atomic(parent->group_leader)
                ? parent->group_leader
                : copy_term(&p->heap, parent->group_leader, SIZE_MAX, &rc->literals);
    }
    if (!proctab_insert(rc->processes, p)) {
        extra_free(p);
        process_free_block(p);
        process_release(rc->mem, p);
        return SPAWN_TOO_MANY;
    }
    *pid = p->pid;
    if (parent == NULL) {
        p->parent = p->pid;
        p->group_leader = p->pid;
    } else {
        spawn_relate(rc, parent, p, r, monitor);
    }
    chance_note(&rc->worker->sched->chance, CHANCE_SPAWN, pid->w, p->parent.w);
    sched_start(rc, p);
    return SPAWN_DONE;
}
