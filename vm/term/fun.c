#include "vm/term/fun.h"

#include <string.h>

enum {
    REMOTE_MODULE,
    REMOTE_INDEX,
    REMOTE_ARITY,
    REMOTE_OLD_INDEX,
    REMOTE_OLD_UNIQ,
    REMOTE_UNIQ
};

/* Bytes of the code hash in each of the three smalls that hold it. */
static const uint8_t uniq_part[3] = {6, 6, 4};

uint32_t fun_arity(Term t)
{
    if (boxed_kind(t) == KIND_EXPORT_FUN) return fun_export(t)->arity;
    if (boxed_kind(t) == KIND_FUN) return fun_key(t)->arity;
    return (uint32_t)small_value(boxed_term(t, REMOTE_ARITY));
}

Term fun_module(Term t)
{
    if (boxed_kind(t) == KIND_EXPORT_FUN) return fun_export(t)->module;
    if (boxed_kind(t) == KIND_FUN) return fun_key(t)->module;
    return boxed_term(t, REMOTE_MODULE);
}

FunKey fun_key_of(Term t)
{
    if (boxed_kind(t) == KIND_FUN) return *fun_key(t);
    ASSERT(boxed_kind(t) == KIND_REMOTE_FUN);
    FunKey key = {
        .module = boxed_term(t, REMOTE_MODULE),
        .index = (uint32_t)small_value(boxed_term(t, REMOTE_INDEX)),
        .arity = (uint32_t)small_value(boxed_term(t, REMOTE_ARITY)),
        .old_index = (uint32_t)small_value(boxed_term(t, REMOTE_OLD_INDEX)),
        .old_uniq = (uint32_t)small_value(boxed_term(t, REMOTE_OLD_UNIQ)),
    };
    uint8_t *to = key.uniq;
    for (size_t i = 0; i < 3; i++) {
        uint64_t part = (uint64_t)small_value(boxed_term(t, REMOTE_UNIQ + i));
        for (size_t k = 0; k < uniq_part[i]; k++) *to++ = (uint8_t)(part >> (8 * k));
    }
    return key;
}

static size_t fixed_words(Term t) { return boxed_kind(t) == KIND_FUN ? 1 : FUN_REMOTE_FIXED; }

size_t fun_free_count(Term t) { return header_words(boxed_header(t)) - fixed_words(t); }

Term fun_free_at(Term t, size_t i) { return boxed_term(t, fixed_words(t) + i); }

Term fun_make(Heap *h, const void *entry, size_t n, const Term *free)
{
    Word *at = heap_alloc(h, 2 + n);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(KIND_FUN, 1 + n);
    at[1] = (Word)(uintptr_t)entry;
    for (size_t i = 0; i < n; i++) at[2 + i] = free[i].w;
    return boxed_from(at);
}

Term fun_make_export(Heap *h, const void *export)
{
    Word *at = heap_alloc(h, 2);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(KIND_EXPORT_FUN, 1);
    at[1] = (Word)(uintptr_t) export;
    return boxed_from(at);
}

Term fun_make_remote(Heap *h, const FunKey *key, Term creator, size_t n)
{
    Word *at = heap_alloc(h, 1 + FUN_REMOTE_FIXED + n);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(KIND_REMOTE_FUN, FUN_REMOTE_FIXED + n);
    Word *body = at + 1;
    body[REMOTE_MODULE] = key->module.w;
    body[REMOTE_INDEX] = small_from(key->index).w;
    body[REMOTE_ARITY] = small_from(key->arity).w;
    body[REMOTE_OLD_INDEX] = small_from(key->old_index).w;
    body[REMOTE_OLD_UNIQ] = small_from(key->old_uniq).w;
    const uint8_t *from = key->uniq;
    for (size_t i = 0; i < 3; i++) {
        uint64_t part = 0;
        for (size_t k = 0; k < uniq_part[i]; k++) part |= (uint64_t)*from++ << (8 * k);
        body[REMOTE_UNIQ + i] = small_from((int64_t)part).w;
    }
    body[FUN_REMOTE_FIXED - 1] = creator.w;
    for (size_t i = 0; i < n; i++) body[FUN_REMOTE_FIXED + i] = TERM_NIL.w;
    return boxed_from(at);
}
