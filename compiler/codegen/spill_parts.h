/* What spill.c and spill_find.c share: where values are defined and used, counted along the order
 * of blocks.  Owns nothing; all lies in the arena of one function.  One thread. */
#pragma once

#include "compiler/codegen/spill.h"

/* Values put into one tuple. */
#define SPILL_GROUP 200

typedef enum SpillKind {
    SPILL_NEVER, /* no term, or something is known of it that a reloaded value would not have */
    SPILL_FREELY,   /* reloaded in front of each use */
    SPILL_UNTESTED, /* spilled before the first use only, then reloaded once on each way */
} SpillKind;

/* A variable's life.  Instructions of the function count from 1 in the order of blocks. */
typedef struct SpillVar {
    uint32_t defined_at;
    uint32_t first_use; /* UINT32_MAX: none */
    uint32_t last_use;
    uint8_t kind; /* SpillKind */
} SpillVar;

typedef struct SpillFacts {
    SpillVar *vars;     /* by variable */
    uint32_t *start;    /* by block: the number of its first instruction */
    uint32_t most;      /* values live at once, never less than there really are */
    bool is_wide_joint; /* a block has more parameters than fit into one tuple */
} SpillFacts;

/* Cheap, and exact enough to say no for nearly all functions. */
SpillFacts spill_find(const CoreFunction *f, Arena *arena);

/* Parameters of blocks that have very many come in tuples. */
void spill_narrow_joints(CoreFunction *f, Arena *arena);
