#include "compiler/syntax/lint_hint.h"

#include "compiler/source/builtins.h"
#include "compiler/syntax/slip.h"
#include "vm/base/similar.h"

/* What stands under messages about names that nobody defined: the names that were perhaps meant.
 * Only the first messages are looked after, and only so many names. */
enum { HINTS_MAX = 100, NAMES_MAX = 5000 };

static bool may_hint(Lint *l) { return l->hints++ < HINTS_MAX; }

static Similar to_name(const Lint *l, NameId name)
{
    return similar_to(names_text(&l->c->names, name), names_size(&l->c->names, name));
}

static bool offer_name(const Lint *l, Similar *s, NameId other)
{
    return similar_offer(s, names_text(&l->c->names, other), names_size(&l->c->names, other));
}

void lint_hint_function(Lint *l, NameId name, uint32_t arity)
{
    if (!may_hint(l)) return;
    const FunctionInfo *best = NULL;
    Similar s = to_name(l, name);
    for (size_t i = 0; i < l->function_list.count && i < NAMES_MAX; i++) {
        const FunctionInfo *other = l->function_list.at[i];
        if (!other->form) continue;
        /* Of equally near names the one with the right number of arguments. */
        bool better = best && best->arity != arity && other->arity == arity;
        s.distance += better;
        if (offer_name(l, &s, other->name))
            best = other;
        else
            s.distance -= better;
    }
    if (best) {
        diag_hint(&l->c->diags, "there is a function %a/%d", best->name, (int)best->arity);
        return;
    }
    uint32_t has = 0;
    const char *builtin = builtin_similar(s.word, s.size, arity, &has);
    if (builtin)
        diag_hint(&l->c->diags, "there is a built-in function %s/%d", builtin, (int)has);
}

void lint_hint_variable(Lint *l, NameId name)
{
    if (!may_hint(l)) return;
    NameId best = NAME_NONE;
    Similar s = to_name(l, name);
    for (size_t i = l->trail.count, looked = 0; i-- > 0 && looked < 200; looked++) {
        NameId other = l->trail.at[i].name;
        if (other != name && l->env[other] && offer_name(l, &s, other)) best = other;
    }
    if (best != NAME_NONE) diag_hint(&l->c->diags, "there is a variable '%v'", best);
}

void lint_hint_record(Lint *l, NameId name)
{
    if (!may_hint(l)) return;
    NameId best = NAME_NONE;
    Similar s = to_name(l, name);
    for (size_t i = 0; i < l->record_list.count && i < NAMES_MAX; i++)
        if (offer_name(l, &s, l->record_list.at[i]->name)) best = l->record_list.at[i]->name;
    if (best != NAME_NONE) diag_hint(&l->c->diags, "there is a record %a", best);
}

void lint_hint_field(Lint *l, const RecordInfo *r, NameId field)
{
    if (!may_hint(l)) return;
    NameId best = NAME_NONE;
    Similar s = to_name(l, field);
    for (uint32_t i = 0; i < r->count && i < NAMES_MAX; i++)
        if (offer_name(l, &s, r->fields[i].name)) best = r->fields[i].name;
    if (best != NAME_NONE) diag_hint(&l->c->diags, "there is a field %a", best);
}

void lint_hint_type(Lint *l, NameId name)
{
    if (!may_hint(l)) return;
    const TypeInfo *best = NULL;
    Similar s = to_name(l, name);
    for (size_t i = 0; i < l->type_list.count && i < NAMES_MAX; i++) {
        const TypeInfo *other = l->type_list.at[i];
        if (other->form && offer_name(l, &s, other->name)) best = other;
    }
    if (best) diag_hint(&l->c->diags, "there is a type %a/%d", best->name, (int)best->arity);
}

void lint_check_attribute_name(Lint *l, const Ast *form)
{
    NameId meant = slip_attribute(&l->c->names, form->v.name);
    if (meant != NAME_NONE) LINT_REPORT(l, DIAG_ATTRIBUTE_SLIP, form->pos, form->v.name, meant);
}
