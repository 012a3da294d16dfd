/*
 * The variables of the environment, as one VM has them: a copy made at boot, so that setting one
 * races with nobody and touches neither the host's environment nor another VM's.
 *
 * Any thread, at any time.  Texts are bytes without NUL.
 */
#pragma once

#include "vm/base/bytes.h"

typedef struct Env Env;

/* A copy of `from`, "KEY=VALUE" texts with a NULL at the end. */
Env *env_new(Mem *mem, char *const *from);
void env_delete(Env *e);

/* Appends the value to `value`; false: there is none. */
bool env_get(Env *e, const uint8_t *key, size_t n, Bytes *value);
void env_set(Env *e, const uint8_t *key, size_t n, const uint8_t *value, size_t value_size);
void env_unset(Env *e, const uint8_t *key, size_t n);
/* Appends all of them, each "KEY=VALUE" with a NUL behind; how many there are. */
size_t env_put_all(Env *e, Bytes *to);
