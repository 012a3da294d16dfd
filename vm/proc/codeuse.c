#include "vm/proc/codeuse.h"

#include "vm/code/operands.h"
#include "vm/proc/extra.h"

typedef struct CodeRange {
    const Half *from;
    const Half *to;
} CodeRange;

static bool range_has(const CodeRange *r, const void *at)
{
    return (const Half *)at >= r->from && (const Half *)at < r->to;
}

static bool stack_uses(const Process *p, const CodeRange *r)
{
    if (range_has(r, p->pc)) return true;
    const Word *base = p->block + p->block_words - 1;
    for (const Word *fp = p->fp; fp < base;) {
        const uint8_t *back = (const uint8_t *)(uintptr_t)fp[0];
        if (range_has(r, back)) return true;
        fp += operand_live(back).window;
    }
    return false;
}

/* Objects follow each other; a word that is no header belongs to a cons cell. */
static bool words_use(const Word *at, const Word *end, const CodeRange *r)
{
    while (at < end) {
        Term t = TERM_RAW(*at);
        if (!term_is_header(t)) {
            at++;
            continue;
        }
        if (header_kind(t.w) == KIND_FUN) {
            FunEntry *entry = (FunEntry *)(uintptr_t)at[1];
            if (range_has(r, atomic_load_acquire(&entry->entry))) return true;
        }
        at += 1 + header_words(t.w);
    }
    return false;
}

bool codeuse_in_range(Process *p, const Half *from, const Half *to)
{
    CodeRange r = {from, to};
    if (stack_uses(p, &r) || words_use(p->block, p->heap.top, &r)) return true;
    for (const HeapFragment *f = p->heap.fragments; f != NULL; f = f->next)
        if (words_use(f->data, f->data + f->used, &r)) return true;
    return p->extra != NULL && words_use(p->extra->old.start, p->extra->old.top, &r);
}
