#include "vm/proc/stretch.h"

#include "vm/base/panic.h"
#include "vm/format/opcodes.h"
#include "vm/format/tables.h"
#include "vm/proc/pause.h"

#include <inttypes.h>

static uint64_t stretch_words(const Process *p)
{
    return (uint64_t)(p->heap.top - p->block) + p->heap.fragment_words
           - p->run->stretch.adopted;
}

StretchMark stretch_begin(const Process *p)
{
    return (StretchMark){.reductions = p->run->reductions, .words = stretch_words(p)};
}

/* Only rows that say so pause. */
static void stretch_check_kind(uint32_t row, Term result)
{
    unsigned kind = tables_bifs[row].kind;
    bool pauses = term_same(result, TERM_YIELD) || term_same(result, TERM_WAIT);
    CHECK(!pauses || (kind != BIF_KIND_GUARD && kind != BIF_KIND_PLAIN));
}

void stretch_end(Process *p, StretchMark mark, uint32_t row, Term result)
{
    if (CONFIG_DEBUG) stretch_check_kind(row, result);
    int64_t charged = mark.reductions - p->run->reductions;
    /* After a collection there may be fewer words than before. */
    int64_t built = (int64_t)(stretch_words(p) - mark.words) / 2;
    /* What is half-way has room for all of its result, and charges for what it fills. */
    int64_t length = charged > built || pause_is_held(p) ? charged : built;
    Stretch *s = &p->run->stretch;
    if (length <= s->longest) return;
    s->longest = length;
    s->row = row;
}

void stretch_note_slice(RunContext *rc, const Process *p, int64_t left)
{
    if (-left <= rc->stretch.overdraft) return;
    rc->stretch.overdraft = -left;
    if (p->pc != NULL) rc->stretch.opcode = *p->pc; /* tests run processes without code */
}

void stretch_merge(Stretch *into, const Stretch *other)
{
    if (other->longest > into->longest) {
        into->longest = other->longest;
        into->row = other->row;
    }
    if (other->overdraft > into->overdraft) {
        into->overdraft = other->overdraft;
        into->opcode = other->opcode;
    }
}

void stretch_print(const Stretch *s, FILE *file)
{
    const BifRow *row = &tables_bifs[s->row];
    fprintf(file, "longest stretch %6" PRId64 " reductions in %s:%s/%u\n", s->longest,
            row->module, row->name, (unsigned)row->arity);
    fprintf(file, "worst overdraft %6" PRId64 " reductions at %s\n", s->overdraft,
            s->opcode < OP_COUNT ? op_info[s->opcode].name : "?");
}
