#include <string.h>

#include "compiler/syntax/lint_hint.h"
#include "compiler/syntax/lint_state.h"

void vars_init(Lint *l)
{
    l->env_size = l->c->names.count;
    l->env = ARENA_ARRAY(l->arena, Binding *, l->env_size);
    l->pending = ARENA_ARRAY(l->arena, Binding *, l->env_size);
    l->slot = ARENA_ARRAY(l->arena, uint32_t, l->env_size);
}

VarMark vars_mark(const Lint *l) { return (VarMark){l->trail.count, l->deltas.count}; }

void vars_bind(Lint *l, NameId name, Binding *binding)
{
    VEC_PUSH(&l->trail, (TrailEntry){name, l->env[name]});
    l->env[name] = binding;
}

Binding *vars_new(Lint *l, SrcPos pos)
{
    Binding *b = ARENA_NEW(l->arena, Binding);
    b->state = VAR_BOUND;
    b->scope = l->scope;
    b->place.pos = pos;
    return b;
}

void vars_undo(Lint *l, VarMark mark)
{
    while (l->trail.count > mark.trail) {
        TrailEntry entry = VEC_POP(&l->trail);
        l->env[entry.name] = entry.old;
    }
}

void vars_take(Lint *l, VarMark mark, uint32_t part)
{
    size_t first = l->deltas.count;
    /* Backwards, so that the last value written to `before` is the oldest; slot[name] is the
     * name's delta + 1 while this runs. */
    while (l->trail.count > mark.trail) {
        TrailEntry entry = VEC_POP(&l->trail);
        Binding *after = l->env[entry.name];
        l->env[entry.name] = entry.old;
        if (l->slot[entry.name] == 0) {
            VEC_PUSH(&l->deltas, (Delta){entry.name, part, entry.old, after});
            l->slot[entry.name] = (uint32_t)l->deltas.count;
        } else {
            l->deltas.at[l->slot[entry.name] - 1].before = entry.old;
        }
    }
    for (size_t i = first; i < l->deltas.count; i++) l->slot[l->deltas.at[i].name] = 0;
}

/* `to` also stands for the places of `from`. */
static void places_add(Lint *l, Binding *to, const Binding *from)
{
    for (const VarPlace *place = &from->place; place && place->pos; place = place->next) {
        if (to->place.pos == SRC_POS_NONE) {
            to->place.pos = place->pos;
            continue;
        }
        VarPlace *more = ARENA_NEW(l->arena, VarPlace);
        *more = (VarPlace){place->pos, to->place.next};
        to->place.next = more;
    }
}

static void warn_twice(Lint *l, NameId name, const Binding *b)
{
    if (b->used || !vars_is_ignored(l, name)) return;
    for (const VarPlace *place = &b->place; place && place->pos; place = place->next)
        LINT_WARN(l, OPT_UNDERSCORE_MATCH, DIAG_VAR_UNDERSCORE_TWICE, place->pos, name);
}

/* Both parts bound the name: it counts as used, the second place compares with the first. */
static void merge_into(Lint *l, NameId name, Binding *to, Binding *b)
{
    warn_twice(l, name, to);
    warn_twice(l, name, b);
    if (to->state != VAR_UNSAFE && b->state != VAR_BOUND) {
        to->state = b->state;
        to->where = b->where;
        to->where_pos = b->where_pos;
    }
    to->used = b->used = true;
}

void vars_merge_all(Lint *l, VarMark mark)
{
    size_t base = l->trail.count;
    for (size_t i = mark.deltas; i < l->deltas.count; i++) {
        Delta d = l->deltas.at[i];
        if (l->slot[d.name] == 0) {
            vars_bind(l, d.name, d.after);
            l->slot[d.name] = 1;
        } else if (!d.before) {
            merge_into(l, d.name, l->env[d.name], d.after);
        }
    }
    for (size_t i = base; i < l->trail.count; i++) l->slot[l->trail.at[i].name] = 0;
    l->deltas.count = mark.deltas;
}

/* The merged binding of one name while the deltas of all clauses are gone through. */
typedef struct {
    NameId name;
    uint32_t count;  /* clauses that bind it */
    Binding *before; /* it was bound already: then the clauses only used it */
    Binding *merged;
} ClauseMerge;

static void merge_clause(Lint *l, ClauseMerge *m, const Delta *d, const char *where, SrcPos pos)
{
    Binding *to = m->merged;
    const Binding *b = d->after;
    m->count++;
    if (b->state == VAR_UNSAFE) {
        bool both = to->state == VAR_UNSAFE;
        to->state = VAR_UNSAFE;
        to->where = both ? where : b->where;
        to->where_pos = both ? pos : b->where_pos;
    }
    if (!b->used) places_add(l, to, b);
}

void vars_merge_clauses(Lint *l, VarMark mark, uint32_t parts, const char *where, SrcPos pos)
{
    VEC(ClauseMerge) merges = {0};
    for (size_t i = mark.deltas; i < l->deltas.count; i++) {
        const Delta *d = &l->deltas.at[i];
        if (l->slot[d->name] == 0) {
            Binding *merged = vars_new(l, SRC_POS_NONE);
            merged->state = d->before ? VAR_BOUND : VAR_EXPORTED;
            merged->where = where;
            merged->where_pos = pos;
            merged->used = true;
            VEC_PUSH(&merges, (ClauseMerge){d->name, 0, d->before, merged});
            l->slot[d->name] = (uint32_t)merges.count;
        }
        ClauseMerge *m = &merges.at[l->slot[d->name] - 1];
        if (!m->before) merge_clause(l, m, d, where, pos);
    }
    VEC_EACH (ClauseMerge, m, &merges) {
        l->slot[m->name] = 0;
        if (!m->before && m->count != parts) {
            m->merged->state = VAR_UNSAFE;
            m->merged->where = where;
            m->merged->where_pos = pos;
        }
        if (!m->before) m->merged->used = m->merged->place.pos == SRC_POS_NONE;
        vars_bind(l, m->name, m->merged);
    }
    l->deltas.count = mark.deltas;
    VEC_FREE(&merges);
}

void vars_make_unsafe(Lint *l, VarMark mark, const char *where, SrcPos pos)
{
    for (size_t i = mark.trail; i < l->trail.count; i++) {
        const TrailEntry *entry = &l->trail.at[i];
        if (entry->old) continue;
        /* Bound since the mark: nothing outside refers to the binding yet. */
        Binding *b = l->env[entry->name];
        b->state = VAR_UNSAFE;
        b->where = where;
        b->where_pos = pos;
    }
}

static void report_unused(Lint *l, NameId name, Binding *b)
{
    if (!b || b->used || b->reported || b->scope < l->scope) return;
    b->reported = true;
    if (vars_is_ignored(l, name) || (l->options && l->options->is_shell && l->scope == 0))
        return;
    for (const VarPlace *place = &b->place; place && place->pos; place = place->next)
        LINT_WARN(l, OPT_UNUSED_VARS, DIAG_VAR_UNUSED, place->pos, name);
}

void vars_report_unused(Lint *l, VarMark mark)
{
    for (size_t i = mark.trail; i < l->trail.count; i++) {
        const TrailEntry *entry = &l->trail.at[i];
        report_unused(l, entry->name, l->env[entry->name]);
        report_unused(l, entry->name, entry->old);
    }
}

static void report_unsafe(Lint *l, const Ast *var, const Binding *b)
{
    SrcLoc loc = sources_locate(&l->c->sources, b->where_pos);
    LINT_REPORT(l, DIAG_VAR_UNSAFE, var->pos, var->v.name, b->where, (int)loc.line,
                (int)loc.column);
}

/* From here on the variable counts as bound, so that one mistake is reported once. */
static void bind_again(Lint *l, NameId name, SrcPos pos)
{
    Binding *b = vars_new(l, pos);
    b->used = true;
    vars_bind(l, name, b);
}

void vars_use(Lint *l, const Ast *var)
{
    NameId name = var->v.name;
    Binding *b = l->env[name];
    if (l->in_size && l->pending[name] && l->pending[name]->bin == l->bin) {
        l->pending[name]->used = true;
        return;
    }
    if (!b) {
        LINT_REPORT(l, DIAG_VAR_UNBOUND, var->pos, name);
        if (l->pending[name]) {
            l->pending[name]->used = true;
            diag_hint(&l->c->diags,
                      "what a pattern binds is known only behind the whole pattern");
        } else {
            lint_hint_variable(l, name);
        }
        bind_again(l, name, var->pos);
        return;
    }
    b->used = true;
    switch ((VarState)b->state) {
    case VAR_BOUND: return;
    case VAR_UNSAFE:
        report_unsafe(l, var, b);
        bind_again(l, name, var->pos);
        return;
    case VAR_EXPORTED:
        if (!l->enabled[OPT_EXPORT_VARS]) return;
        {
            SrcLoc loc = sources_locate(&l->c->sources, b->where_pos);
            LINT_REPORT(l, DIAG_VAR_EXPORTED, var->pos, name, b->where, (int)loc.line,
                        (int)loc.column);
        }
        bind_again(l, name, var->pos);
        return;
    case VAR_STACK: LINT_REPORT(l, DIAG_STACK_IN_GUARD, var->pos, name); return;
    }
}
