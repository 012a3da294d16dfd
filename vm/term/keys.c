#include "vm/term/keys.h"

static const KeysFact *keys_find(const Keys *k, KeysKind kind, Term a, Term b)
{
    for (size_t i = 0; UNLIKELY(i < k->count); i++) {
        const KeysFact *fact = &k->known[i];
        if (fact->a.w == a.w && fact->b.w == b.w && fact->kind == kind) return fact;
    }
    return NULL;
}

static void keys_ask(Keys *k, KeysKind kind, Term a, Term b)
{
    k->more = true;
    k->question = (KeysFact){.kind = kind, .a = a, .b = b};
}

bool keys_hash_slow(Keys *k, Term t, uint64_t *hash)
{
    const KeysFact *fact = keys_find(k, KEYS_HASH, t, TERM_NIL);
    if (fact != NULL) {
        *hash = fact->answer;
        return true;
    }
    if (LIKELY(hash_internal_within(k->atoms, t, &k->budget, hash))) return true;
    keys_ask(k, KEYS_HASH, t, TERM_NIL);
    return false;
}

bool keys_same_slow(Keys *k, Term a, Term b)
{
    const KeysFact *fact = keys_find(k, KEYS_SAME, a, b);
    if (fact != NULL) return fact->answer == 0;
    int order = order_within(k->atoms, ORDER_KIND_SAME, a, b, &k->budget);
    if (order == ORDER_MORE) keys_ask(k, KEYS_SAME, a, b);
    return order == 0;
}

int keys_order_slow(Keys *k, Term a, Term b)
{
    const KeysFact *fact = keys_find(k, KEYS_ORDER, a, b);
    if (fact != NULL) return (int)(int64_t)fact->answer;
    int order = order_within(k->atoms, ORDER_KIND_KEYS, a, b, &k->budget);
    if (order != ORDER_MORE) return order;
    keys_ask(k, KEYS_ORDER, a, b);
    return 0;
}

/* ---- long questions ---- */

void keys_study_begin(KeysStudy *s, const AtomTable *atoms, Mem *mem)
{
    keys_init(&s->keys, atoms, KEYS_QUICK);
    s->mem = mem;
    s->facts = NULL;
    s->room = 0;
    s->working = false;
}

void keys_study_take(KeysStudy *s, const Keys *k)
{
    s->keys.more = k->more;
    s->keys.question = k->question;
}

static void keys_study_open(KeysStudy *s)
{
    const Keys *k = &s->keys;
    const KeysFact *q = &k->question;
    if (q->kind == KEYS_HASH)
        hash_internal_begin(&s->at.hash, k->atoms, q->a, s->mem);
    else
        order_begin_kind(&s->at.order, k->atoms,
                         q->kind == KEYS_SAME ? ORDER_KIND_SAME : ORDER_KIND_KEYS, q->a, q->b,
                         s->mem);
    s->working = true;
}

static void keys_study_close(KeysStudy *s)
{
    if (!s->working) return;
    s->working = false;
    if (s->keys.question.kind == KEYS_HASH)
        hash_internal_end(&s->at.hash);
    else
        order_end(&s->at.order);
}

static void keys_study_learn(KeysStudy *s, uint64_t answer)
{
    Keys *k = &s->keys;
    if (k->count == s->room) {
        size_t room = s->room == 0 ? 8 : s->room * 2;
        s->facts = mem_realloc(s->mem, MEM_WORK, s->facts, s->room * sizeof *s->facts,
                               room * sizeof *s->facts);
        s->room = room;
        k->known = s->facts;
    }
    s->facts[k->count] = k->question;
    s->facts[k->count++].answer = answer;
}

bool keys_study_step(KeysStudy *s, size_t *budget)
{
    Keys *k = &s->keys;
    if (k->more) {
        if (!s->working) keys_study_open(s);
        uint64_t answer;
        if (k->question.kind == KEYS_HASH) {
            if (!hash_internal_step(&s->at.hash, budget)) return false;
            answer = s->at.hash.hash;
        } else {
            if (!order_step(&s->at.order, budget)) return false;
            answer = (uint64_t)(int64_t)s->at.order.result;
        }
        keys_study_close(s);
        keys_study_learn(s, answer);
        k->more = false;
    }
    k->budget = KEYS_QUICK;
    return true;
}

void keys_study_forget(KeysStudy *s)
{
    ASSERT(!s->working && !s->keys.more);
    s->keys.count = 0;
    s->keys.budget = KEYS_QUICK;
}

void keys_study_end(KeysStudy *s)
{
    keys_study_close(s);
    mem_free(s->mem, MEM_WORK, s->facts, s->room * sizeof *s->facts);
    s->facts = NULL;
    s->keys.count = s->room = 0;
}
