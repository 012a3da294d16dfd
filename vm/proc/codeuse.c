#include "vm/proc/codeuse.h"

#include "vm/gc/expel.h"
#include "vm/proc/dict.h"
#include "vm/proc/extra.h"
#include "vm/proc/frame.h"
#include "vm/proc/links.h"
#include "vm/proc/reserve.h"

static bool codeuse_in(const ModuleVersion *v, const Half *at)
{
    return at >= v->code && at < v->code + 2 * (size_t)v->code_units;
}

bool codeuse_check(const Process *p, const ModuleVersion *v)
{
    if (codeuse_in(v, p->pc)) return true;
    const Word *base = p->block + p->block_words - 1;
    for (const Word *fp = p->fp; fp < base; fp += frame_window(*fp))
        if (codeuse_in(v, (const Half *)(const void *)frame_descriptor(*fp))) return true;
    return false;
}

/* ---- literals that leave ---- */

static void codeuse_expel_slot(void *context, Word *slot) { expel_slot(context, slot); }

/* Stack, heap and what else is a root of the collector. */
static bool codeuse_expel_heap(Process *p)
{
    ProcessExtra *x = p->extra;
    Expel e;
    expel_begin(&e, p->run->literals, &p->heap, x == NULL ? NULL : &x->old);
    reserve_visit_stack(p, RESERVE_BY_PC, codeuse_expel_slot, &e);
    expel_slot(&e, &p->group_leader.w);
    expel_slot(&e, &p->parent.w);
    if (x != NULL) {
        expel_slot(&e, &x->label.w);
        size_t n;
        Term *terms = dict_roots(p, &n);
        for (size_t i = 0; i < n; i++) expel_slot(&e, &terms[i].w);
    }
    expel_generations(&e, p->block);
    /* What was built before the copies points to them now: it must not become old before them. */
    if (expel_has_copied(&e)) p->high_water = 0;
    return expel_end(&e);
}

/* Messages that p keeps beside its queue. */
static bool codeuse_expel_kept(Process *p)
{
    const LiteralRange *literals = &p->run->literals;
    Mem *mem = p->heap.mem;
    bool done = true;
    if (p->extra != NULL)
        for (Message *m = p->extra->replies; m != NULL && done; m = m->next)
            done = message_expel(m, literals, mem);
    size_t cursor = 0;
    for (const Relation *r; done && (r = links_next(p, &cursor)) != NULL;)
        if (r->tag != NULL) done = message_expel(r->tag, literals, mem);
    return done;
}

bool codeuse_expel(Process *p)
{
    if (!literals_leave(&p->run->literals)) return true;
    if (!codeuse_expel_heap(p) || !codeuse_expel_kept(p)) return false;
    const Mailbox *b = &p->mailbox;
    for (Message *m = mailbox_first(b); m != NULL; m = mailbox_after(b, m))
        if (!message_expel(m, &p->run->literals, p->heap.mem)) return false;
    return true;
}
