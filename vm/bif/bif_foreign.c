#include "vm/bif/bif_foreign.h"

#include "vm/sched/sched.h"

#define FOREIGN_WORDS 4 /* KIND_FOREIGN: header, next, counted, number */

Term bif_foreign_new(Process *p, Counted *object)
{
    Word *at = heap_alloc(&p->heap, FOREIGN_WORDS);
    if (at == NULL) {
        counted_drop(object);
        return TERM_NONE;
    }
    at[0] = header_make(KIND_FOREIGN, FOREIGN_WORDS - 1);
    at[2] = (Word)object;
    at[3] = sched_reference(p->run);
    heap_add_handle(&p->heap, at, object->bytes);
    return boxed_from(at);
}
