/* Which functions of `erlang` a program may call by their bare name, and which of them in guards.
 *
 * Owns: nothing; the table is constant.  Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { BUILTIN_NONE, BUILTIN_BODY, BUILTIN_GUARD, BUILTIN_TYPE_TEST } BuiltinKind;

/* What erlang:name/arity is to a call without a module; BUILTIN_NONE when it is not imported. */
BuiltinKind builtin_kind(const char *name, size_t size, uint32_t arity);

/* The name nearest to one that is no built-in, best with the same arity, which is stored; NULL:
 * none is near. */
const char *builtin_similar(const char *name, size_t size, uint32_t arity, uint32_t *has);
