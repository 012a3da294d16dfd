/* Built-ins of persistent_term (vm/ets/persist.h). */
#include "vm/bif/bif.h"

#include "vm/ets/persist.h"
#include "vm/term/atom.h"
#include "vm/term/copy.h"
#include "vm/term/map.h"

/* A copy of an entry's term for p, and the entry dropped. */
static Term persistent_copy(Process *p, Term t)
{
    uint64_t before = p->heap.fragment_words;
    Term copy = copy_term(&p->heap, t, SIZE_MAX, NULL);
    bif_charge(p, (int64_t)((p->heap.fragment_words - before) / 16) + 1);
    return copy;
}

static BifResult persistent_get(Process *p, Term otherwise)
{
    PersistEntry *e = persist_find(p->run->persist, arg(p, 0));
    if (e == NULL) return term_is_none(otherwise) ? raise_badarg(p) : otherwise;
    Term value = persistent_copy(p, e->value);
    persist_drop(p->run->persist, e);
    return term_is_none(value) ? raise_system_limit(p) : value;
}

BifResult bif_persistent_get_1(Process *p) { return persistent_get(p, TERM_NONE); }
BifResult bif_persistent_get_2(Process *p) { return persistent_get(p, arg(p, 1)); }

BifResult bif_persistent_get_0(Process *p)
{
    size_t n;
    PersistEntry **all = persist_all(p->run->persist, &n);
    if (all == NULL) return raise_system_limit(p);
    Term list = TERM_NIL;
    for (size_t i = 0; i < n && !term_is_none(list); i++) {
        Term key = persistent_copy(p, all[i]->key);
        Term value = persistent_copy(p, all[i]->value);
        Term pair = TERM_NONE;
        if (!term_is_none(key) && !term_is_none(value))
            pair = heap_tuple2(&p->heap, key, value);
        list = term_is_none(pair) ? TERM_NONE : heap_cons(&p->heap, pair, list);
    }
    persist_all_free(p->run->persist, all, n);
    return term_is_none(list) ? raise_system_limit(p) : list;
}

static BifResult persistent_put(Process *p, bool only_new)
{
    switch (persist_put(p->run->persist, arg(p, 0), arg(p, 1), only_new)) {
    case PERSIST_PUT_DONE: return TERM_ATOM(OK);
    case PERSIST_PUT_TAKEN: return raise_badarg(p);
    case PERSIST_PUT_NO_MEMORY: break;
    }
    return raise_system_limit(p);
}

BifResult bif_persistent_put(Process *p) { return persistent_put(p, false); }
BifResult bif_persistent_put_new(Process *p) { return persistent_put(p, true); }
BifResult bif_persistent_erase(Process *p)
{
    return term_bool(persist_erase(p->run->persist, arg(p, 0)));
}

BifResult bif_persistent_info(Process *p)
{
    size_t count;
    size_t bytes;
    persist_size(p->run->persist, &count, &bytes);
    Term pairs[] = {TERM_ATOM(COUNT), small_from((int64_t)count), TERM_ATOM(MEMORY),
                    small_from((int64_t)bytes)};
    Term map = map_from_pairs(&p->heap, p->run->atoms, pairs, 2);
    return term_is_none(map) ? raise_system_limit(p) : map;
}
