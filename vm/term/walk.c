#include "vm/term/walk.h"

#include <string.h>

void walk_grow(Walk *w, size_t more)
{
    size_t room = w->room * 2;
    while (room - w->count < more) room *= 2;
    if (w->at == w->first) {
        w->at = mem_alloc(w->mem, MEM_WORK, room * sizeof(Word));
        memcpy(w->at, w->first, w->count * sizeof(Word));
    } else {
        w->at =
            mem_realloc(w->mem, MEM_WORK, w->at, w->room * sizeof(Word), room * sizeof(Word));
    }
    w->room = room;
}

void walk_free(Walk *w)
{
    if (w->at != w->first) mem_free(w->mem, MEM_WORK, w->at, w->room * sizeof(Word));
    walk_init(w, w->mem);
}
