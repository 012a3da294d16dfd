#include "compiler/codegen/share.h"

#include "compiler/codegen/dominate.h"

#include <string.h>

/* A part that has been taken out: which, where, into which variable. */
typedef struct Part {
    CoreKind kind;
    CoreVar of;
    uint32_t index;
    uint32_t block;
    CoreVar var;
    uint32_t next; /* index + 1 of an older one under the same key */
} Part;

typedef struct Share {
    CoreUnit *u;
    CoreFunction *f;
    Arena *arena;
    Dominators d;
    Htab known; /* key of a part -> index + 1 into parts */
    VEC(Part) parts;
    CoreVar *same_as; /* by variable: what it is replaced by, or 0 */
    uint32_t *wanted; /* by variable: index + 1 into wants */
    VEC(Part) wants;  /* HEADs and TAILs of the function */
} Share;

/* Longer lists of equal parts in unrelated blocks are not looked through. */
#define SHARE_LOOKS 16

static bool is_part(const CoreInstr *i)
{
    return (i->kind == CORE_HEAD || i->kind == CORE_TAIL || i->kind == CORE_ELEMENT
            || i->kind == CORE_FREE_VAR)
           && core_is_var(i->args[0]) && i->dst;
}

static uint64_t part_key(const CoreInstr *i)
{
    uint64_t index = i->kind == CORE_HEAD || i->kind == CORE_TAIL ? 0 : i->index;
    return (uint64_t)i->args[0].n << 34 | index << 2
           | (i->kind == CORE_HEAD   ? 0u
              : i->kind == CORE_TAIL ? 1u
                                     : 2u);
}

static CoreRef renamed(const Share *s, CoreRef ref)
{
    return core_is_var(ref) && s->same_as[ref.n] ? core_var(s->same_as[ref.n]) : ref;
}

/* Where HEAD and TAIL of each variable are taken. */
static void find_wants(Share *s)
{
    for (uint32_t b = 1; b < s->f->blocks.count; b++) {
        const CoreBlock *block = &s->f->blocks.at[b];
        for (uint32_t i = 0; i < block->count; i++) {
            const CoreInstr *instr = &block->at[i];
            if (instr->kind != CORE_HEAD && instr->kind != CORE_TAIL) continue;
            if (!core_is_var(instr->args[0])) continue;
            uint32_t of = instr->args[0].n;
            VEC_PUSH(&s->wants,
                     (Part){(CoreKind)instr->kind, of, 0, b, instr->dst, s->wanted[of]});
            s->wanted[of] = (uint32_t)s->wants.count;
        }
    }
}

static bool wants(const Share *s, CoreVar of, CoreKind kind, uint32_t in)
{
    unsigned looks = 0;
    for (uint32_t i = s->wanted[of]; i && looks++ < SHARE_LOOKS; i = s->wants.at[i - 1].next)
        if (s->wants.at[i - 1].kind == kind && dominate_is(&s->d, in, s->wants.at[i - 1].block))
            return true;
    return false;
}

/* Put HEAD and TAIL of a variable at the start of a block. */
static void insert_parts(Share *s, uint32_t block, CoreRef of, SrcPos pos)
{
    CoreBlock *b = &s->f->blocks.at[block];
    uint32_t room = b->count + 4;
    CoreInstr *at = ARENA_ARRAY(&s->u->c->arena, CoreInstr, room);
    memcpy(at + 2, b->at, b->count * sizeof *at);
    for (uint32_t i = 0; i < 2; i++) {
        at[i] = (CoreInstr){.kind = i ? CORE_TAIL : CORE_HEAD, .pos = pos, .arg_count = 1};
        at[i].args = ARENA_ARRAY(&s->u->c->arena, CoreRef, 1);
        at[i].args[0] = of;
        at[i].dst = core_var_new(s->f);
    }
    b->at = at;
    b->count += 2;
    b->room = room;
}

/* Blocks behind an IS_CONS that want both parts get them at once. */
static void take_both(Share *s)
{
    CoreVar var_count = s->f->var_count;
    for (uint32_t b = 1; b < s->f->blocks.count; b++) {
        const CoreInstr *last = core_last(s->f, b);
        if (!last || last->kind != CORE_IS_CONS || !core_is_var(last->args[0])) continue;
        uint32_t then_ = last->then_;
        CoreVar of = last->args[0].n;
        if (of > var_count || s->d.edges[then_] != 1) continue;
        if (wants(s, of, CORE_HEAD, then_) && wants(s, of, CORE_TAIL, then_))
            insert_parts(s, then_, last->args[0], last->pos);
    }
}

/* Replace an extraction by a variable that already has the value; else remember it. */
static bool share_part(Share *s, const CoreInstr *instr, uint32_t block)
{
    bool added;
    HtabValue *head = htab_put(&s->known, part_key(instr), &added);
    unsigned looks = 0;
    for (uint32_t i = added ? 0 : (uint32_t)head->num; i && looks++ < SHARE_LOOKS;
         i = s->parts.at[i - 1].next) {
        const Part *part = &s->parts.at[i - 1];
        if (part->kind != instr->kind || !dominate_is(&s->d, part->block, block)) continue;
        s->same_as[instr->dst] = part->var;
        return true;
    }
    uint32_t older = added ? 0 : (uint32_t)head->num;
    VEC_PUSH(&s->parts, (Part){(CoreKind)instr->kind, instr->args[0].n, instr->index, block,
                               instr->dst, older});
    head->num = s->parts.count;
    return false;
}

static void rename_uses(const Share *s, CoreInstr *instr)
{
    for (uint32_t a = 0; a < instr->arg_count; a++) instr->args[a] = renamed(s, instr->args[a]);
    if (instr->kind != CORE_BITS_BUILD && instr->kind != CORE_GUARD_BITS_BUILD) return;
    for (uint32_t i = 0; i < instr->case_count; i++) {
        instr->segments[i].value = renamed(s, instr->segments[i].value);
        instr->segments[i].size = renamed(s, instr->segments[i].size);
    }
}

static void share_block(Share *s, uint32_t block)
{
    CoreBlock *b = &s->f->blocks.at[block];
    uint32_t kept = 0;
    for (uint32_t i = 0; i < b->count; i++) {
        CoreInstr *instr = &b->at[i];
        rename_uses(s, instr);
        if (is_part(instr) && share_part(s, instr, block)) continue;
        if (kept != i) b->at[kept] = *instr;
        kept++;
    }
    b->count = kept;
}

void share_function(CoreUnit *u, CoreFunction *f, Arena *arena)
{
    Share s = {.u = u, .f = f, .arena = arena, .d = dominate_find(f, arena)};
    htab_init_in_arena(&s.known, arena);
    VEC_IN_ARENA(&s.parts, arena);
    VEC_IN_ARENA(&s.wants, arena);
    s.wanted = ARENA_ARRAY(arena, uint32_t, (size_t)f->var_count + 1);
    find_wants(&s);
    if (s.wants.count) take_both(&s);
    s.same_as = ARENA_ARRAY(arena, CoreVar, (size_t)f->var_count + 1);
    for (uint32_t b = 1; b < f->blocks.count; b++) share_block(&s, b);
}
