#include "vm/bif/bif_foreign.h"

#include "vm/sched/sched.h"

#define FOREIGN_WORDS 4 /* KIND_FOREIGN: header, next, counted, number */

Term bif_foreign_at(Heap *h, Counted *object, Word number)
{
    Word *at = heap_alloc(h, FOREIGN_WORDS);
    if (at == NULL) {
        counted_drop(object);
        return TERM_NONE;
    }
    at[0] = header_make(KIND_FOREIGN, FOREIGN_WORDS - 1);
    at[2] = (Word)object;
    at[3] = number;
    heap_add_handle(h, at, object->bytes);
    return boxed_from(at);
}

Term bif_foreign_new(Process *p, Counted *object)
{
    return bif_foreign_at(&p->heap, object, sched_reference(p->run));
}
