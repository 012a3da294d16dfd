#include "vm/proc/codeuse.h"

#include "vm/code/operands.h"
#include "vm/proc/extra.h"

static bool codeuse_in(const ModuleVersion *v, const Half *at)
{
    return at >= v->code && at < v->code + 2 * (size_t)v->code_units;
}

static bool codeuse_stack(const Process *p, const ModuleVersion *v)
{
    if (codeuse_in(v, p->pc)) return true;
    const Word *base = p->block + p->block_words - 1;
    for (const Word *fp = p->fp; fp < base; fp += operand_live((const uint8_t *)fp[0]).window)
        if (codeuse_in(v, (const Half *)fp[0])) return true;
    return false;
}

/* Funs among the objects in [at, end). */
static bool codeuse_funs(const Word *at, const Word *end, const ModuleVersion *v)
{
    while (at < end) {
        Term t = TERM_RAW(*at);
        if (!term_is_header(t)) {
            at++;
            continue;
        }
        if (header_kind(t.w) == KIND_FUN) {
            FunEntry *e = (FunEntry *)at[1];
            if (codeuse_in(v, atomic_load_acquire(&e->entry))) return true;
        }
        at += 1 + (kind_is_raw(header_kind(t.w)) ? header_words(t.w) : 0);
    }
    return false;
}

bool codeuse_check(Process *p, const ModuleVersion *v)
{
    if (codeuse_stack(p, v) || codeuse_funs(p->block, p->heap.top, v)) return true;
    for (const HeapFragment *f = p->heap.fragments; f != NULL; f = f->next)
        if (codeuse_funs(f->data, f->data + f->used, v)) return true;
    const OldGeneration *old = p->extra == NULL ? NULL : &p->extra->old;
    return old != NULL && codeuse_funs(old->start, old->top, v);
}
