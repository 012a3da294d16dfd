/*
 * Funs: what identifies them and what they carry.
 *
 *   KIND_FUN         [FunEntry *][free variable 1] ...       a closure of a module of this VM
 *   KIND_EXPORT_FUN  [Export *]                              fun M:F/A
 *   KIND_REMOTE_FUN  [module atom][index][arity][old index][old uniq][uniq a][uniq b][uniq c]
 *                    [creator pid][free variable 1] ...      a closure of code that is not here
 *
 * FunEntry and Export live as long as the Vm (vm/code); their first member is the key declared
 * here, which is all that order, hash, print and codec look at.  Keys never change.
 */
#pragma once

#include "vm/term/heap.h"

typedef struct FunKey {
    Term module;
    uint32_t index;     /* of the fun in its module, from 0 */
    uint32_t arity;     /* without the free variables */
    uint32_t old_index; /* what the external format calls OldIndex, OldUniq */
    uint32_t old_uniq;
    uint8_t uniq[16]; /* hash of the module's code */
} FunKey;

typedef struct ExportKey {
    Term module;
    Term function;
    uint32_t arity;
} ExportKey;

#define FUN_REMOTE_FIXED 9

/* KIND_FUN only. */
static inline const FunKey *fun_key(Term t)
{
    return (const FunKey *)(uintptr_t)boxed_words(t)[1];
}
/* KIND_EXPORT_FUN only. */
static inline const ExportKey *fun_export(Term t)
{
    return (const ExportKey *)(uintptr_t)boxed_words(t)[1];
}
/* Arity as seen by the caller, of any kind of fun. */
uint32_t fun_arity(Term t);
Term fun_module(Term t);

/* The key of a KIND_FUN or KIND_REMOTE_FUN, as a value. */
FunKey fun_key_of(Term t);
/* Free variables of a KIND_FUN or KIND_REMOTE_FUN. */
size_t fun_free_count(Term t);
Term fun_free_at(Term t, size_t i);

/* `entry` points to a struct whose first member is a FunKey; free variables come from
 * memory. */
Term fun_make(Heap *h, const void *entry, size_t n, const Term *free);
/* `export` points to a struct whose first member is an ExportKey. */
Term fun_make_export(Heap *h, const void *export);
/* Free variables are left nil, to be filled by the caller. */
Term fun_make_remote(Heap *h, const FunKey *key, Term creator, size_t n);

/* How something below vm/code finds code: given by whoever knows the code tables. */
typedef struct FunResolver {
    void *context;
    /* The struct beginning with this key; made if absent, unless `only_existing`.  NULL:
     * refused. */
    const void *(*export)(void *context, Term module, Term function, uint32_t arity,
                          bool only_existing);
    /* The struct beginning with this key, if that fun is here and has `n` free variables; else
     * NULL. */
    const void *(*entry)(void *context, const FunKey *key, size_t n);
} FunResolver;
