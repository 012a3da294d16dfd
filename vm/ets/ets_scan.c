#include "vm/ets/ets_scan.h"

#include "vm/ets/ets_tree_node.h"
#include "vm/term/list.h"
#include "vm/term/order.h"

/* More keys than this are not looked up one by one: putting them in order would cost too much. */
#define SCAN_KEYS 256

/* ---- what a specification concerns ---- */

static bool key_is_same(const EtsTable *t, Term a, Term b)
{
    return ets_table_is_ordered(t) ? order_compare(t->atoms, a, b) == 0 : order_same(a, b);
}

/* Keys in their order, each once. */
static void scan_add_key(EtsScan *s, const EtsTable *t, Term key)
{
    size_t i = 0;
    for (; i < s->keys.count; i++) {
        if (key_is_same(t, s->keys.at[i], key)) return;
        int order = order_compare(t->atoms, key, s->keys.at[i]);
        if (s->backward ? order > 0 : order < 0) break;
    }
    VEC_PUSH(&s->keys, key);
    for (size_t at = s->keys.count - 1; at > i; at--) s->keys.at[at] = s->keys.at[at - 1];
    s->keys.at[i] = key;
}

/* Can the first part of a key be told from the pattern? */
static bool pattern_is_bound(const AtomTable *atoms, Term pattern)
{
    int64_t number;
    if (ets_match_is_variable(atoms, pattern, &number) || term_is_map(pattern)) return false;
    return term_is_tuple(pattern) || term_is_cons(pattern);
}

static EtsScanMode scan_mode(EtsScan *s, const EtsTable *t, const EtsProgram *program)
{
    size_t open = 0;
    int64_t number;
    if (program->clauses.count > SCAN_KEYS) return ETS_SCAN_ALL;
    for (size_t i = 0; i < program->clauses.count; i++) {
        Term head = program->clauses.at[i].head;
        if (ets_match_is_variable(t->atoms, head, &number)) return ETS_SCAN_ALL;
        if (!term_is_tuple(head) || tuple_size(head) <= t->keypos) continue;
        Term key = tuple_at(head, t->keypos);
        if (ets_match_is_bound(t->atoms, key)) {
            scan_add_key(s, t, key);
            continue;
        }
        open++;
        s->pattern = key;
    }
    if (open == 0) return ETS_SCAN_KEYS;
    bool alone = open == 1 && s->keys.count == 0;
    return alone && ets_table_is_ordered(t) && pattern_is_bound(t->atoms, s->pattern)
               ? ETS_SCAN_RANGE
               : ETS_SCAN_ALL;
}

void ets_scan_begin(EtsScan *s, const EtsTable *t, const EtsProgram *program, bool backward)
{
    *s = (EtsScan){.backward = backward && ets_table_is_ordered(t), .mem = t->mem};
    s->last = TERM_NONE.w;
    VEC_IN_MEM(&s->keys, t->mem, MEM_WORK);
    s->mode = scan_mode(s, t, program);
}

void ets_scan_end(EtsScan *s)
{
    VEC_FREE(&s->keys);
    ets_node_free_key(s->mem, s->last);
    s->last = TERM_NONE.w;
}

/* ---- a key's pattern as a probe ---- */

/* Goes down to the first part that is not bound: up to there patterns have an order among keys.
 * What follows it does not count. */
static int compare_pattern(const AtomTable *atoms, const void *probe, Term key)
{
    Term pattern = *(const Term *)probe;
    int64_t number;
    for (;;) {
        if (ets_match_is_variable(atoms, pattern, &number) || term_is_map(pattern)) return 0;
        if (ets_match_is_ground(atoms, pattern)) return order_compare(atoms, pattern, key);
        if (term_is_cons(pattern)) {
            if (!term_is_cons(key)) return order_compare(atoms, pattern, key);
            Term head = list_head(pattern);
            if (!ets_match_is_ground(atoms, head)) {
                pattern = head;
                key = list_head(key);
                continue;
            }
            int order = order_compare(atoms, head, list_head(key));
            if (order != 0) return order;
            pattern = list_tail(pattern);
            key = list_tail(key);
            continue;
        }
        size_t n = tuple_size(pattern);
        if (!term_is_tuple(key) || tuple_size(key) != n)
            return order_compare(atoms, pattern, key);
        size_t i = 0;
        for (; ets_match_is_ground(atoms, tuple_at(pattern, i)); i++) {
            int order = order_compare(atoms, tuple_at(pattern, i), tuple_at(key, i));
            if (order != 0) return order;
        }
        pattern = tuple_at(pattern, i);
        key = tuple_at(key, i);
    }
}

/* ---- walking ---- */

static size_t scan_tree(EtsScan *s, const EtsTable *t, EtsObject **out, size_t n)
{
    Term last = TERM_RAW(s->last);
    EtsBound bound = {NULL, NULL, false};
    if (!term_is_none(last))
        bound = (EtsBound){ets_compare_term, &last, false};
    else if (s->mode == ETS_SCAN_RANGE)
        bound = (EtsBound){compare_pattern, &s->pattern, true};
    size_t got =
        ets_tree_gather(&ets_table_store(t)->ordered.tree, &bound, s->backward, out, n);
    if (s->mode != ETS_SCAN_RANGE) return got;
    for (size_t i = 0; i < got; i++)
        if (compare_pattern(t->atoms, &s->pattern, ets_table_key(t, out[i])) != 0) return i;
    return got;
}

static size_t scan_key(EtsScan *s, const EtsTable *t, EtsObject **out, size_t n)
{
    for (; s->key < s->keys.count; s->key++, s->at = (EtsPosition){0, 0}) {
        if (ets_table_is_ordered(t) && s->at.order != 0) continue;
        Term key = s->keys.at[s->key];
        size_t got = 0;
        for (EtsObject *o = ets_find(t, key); o != NULL && got < n;
             o = ets_find_more(t, o, key)) {
            if (s->at.order != 0 && o->sequence >= s->at.sequence) continue;
            out[got++] = o;
        }
        if (got > 0) return got;
    }
    return 0;
}

size_t ets_scan_some(EtsScan *s, const EtsTable *t, EtsObject **out, size_t n)
{
    if (s->mode == ETS_SCAN_KEYS) return scan_key(s, t, out, n);
    if (ets_table_is_ordered(t)) return scan_tree(s, t, out, n);
    EtsPosition at = s->at;
    return ets_hash_gather(&ets_table_store(t)->hash, &at, out, n);
}

void ets_scan_seek(EtsScan *s, Term key)
{
    Word old = s->last;
    s->last = ets_node_new_key(s->mem, key);
    ets_node_free_key(s->mem, old);
}

void ets_scan_keep(EtsScan *s, const EtsTable *t, const EtsObject *o)
{
    if (s->mode == ETS_SCAN_KEYS)
        s->at = (EtsPosition){1, o->sequence};
    else if (ets_table_is_ordered(t))
        ets_scan_seek(s, ets_table_key(t, o));
    else
        s->at = (EtsPosition){o->link.order, o->sequence};
}
