#include "compiler/syntax/prep.h"

bool prep_skipping(const Prep *prep)
{
    return prep->conds.count > 0 && !VEC_LAST(&prep->conds).active;
}

void prep_check_open(Prep *prep, size_t base)
{
    while (prep->conds.count > base) {
        const PrepCond *cond = &VEC_LAST(&prep->conds);
        diag_add(&prep->c->diags, DIAG_UNTERMINATED_IF, cond->pos, cond->word);
        prep->conds.count--;
    }
}

/* The directive's name when the form begins with one, else NAME_NONE. */
static NameId directive_name(const Prep *prep)
{
    const Token *t = prep->form.at;
    if (prep->form.count < 3 || t[0].kind != TOKEN_MINUS) return NAME_NONE;
    switch (t[1].kind) {
    case TOKEN_ATOM: return t[1].v.name;
    case TOKEN_ELSE: return NAME_ELSE;
    case TOKEN_IF: return NAME_IF;
    default: return NAME_NONE;
    }
}

static void cond_open(Prep *prep, NameId word, bool active)
{
    bool inside = !prep_skipping(prep);
    VEC_PUSH(&prep->conds, (PrepCond){prep->form.at[0].pos, word, active && inside,
                                      active || !inside, false});
}

/* The condition that -else, -elif or -endif belongs to; NULL after a report. */
static PrepCond *cond_here(Prep *prep, NameId word)
{
    if (prep->conds.count > VEC_LAST(&prep->files)->cond_base) return &VEC_LAST(&prep->conds);
    prep_error(prep, DIAG_UNBALANCED, prep->form.at[0].pos, word);
    return NULL;
}

static void cond_ifdef(Prep *prep, NameId word)
{
    const Token *t = prep->form.at;
    bool right = prep->form.count == 6 && t[2].kind == TOKEN_LPAREN
                 && (t[3].kind == TOKEN_ATOM || t[3].kind == TOKEN_VAR)
                 && t[4].kind == TOKEN_RPAREN;
    if (prep_skipping(prep))
        right = true;
    else if (!right)
        prep_error(prep, DIAG_BAD_DIRECTIVE, t[1].pos, word);
    bool active = right && !prep_skipping(prep)
                  && prep_is_defined(prep, t[3].v.name) == (word == NAME_IFDEF);
    cond_open(prep, word, active);
}

static void cond_else(Prep *prep, NameId word)
{
    PrepCond *cond = cond_here(prep, word);
    if (!cond) return;
    if (cond->saw_else) {
        prep_error(prep, DIAG_REPEATED_ELSE, prep->form.at[0].pos, word);
        return;
    }
    bool may = !cond->taken;
    if (word == NAME_ELSE) {
        cond->saw_else = true;
        if (prep->form.count != 3)
            prep_error(prep, DIAG_BAD_DIRECTIVE, prep->form.at[2].pos, word);
        cond->active = may;
    } else {
        cond->active = false;
        bool value = may && prep_if_value(prep, word);
        cond = &VEC_LAST(&prep->conds);
        cond->active = value;
    }
    cond->taken = cond->taken || cond->active;
}

static void cond_endif(Prep *prep)
{
    if (prep->form.count != 3)
        prep_error(prep, DIAG_BAD_DIRECTIVE, prep->form.at[2].pos, NAME_ENDIF);
    if (cond_here(prep, NAME_ENDIF)) prep->conds.count--;
}

/* Conditions; false for any other directive. */
static bool cond_directive(Prep *prep, NameId word)
{
    switch (word) {
    case NAME_IFDEF:
    case NAME_IFNDEF: cond_ifdef(prep, word); return true;
    case NAME_IF:
        cond_open(prep, word, !prep_skipping(prep) && prep_if_value(prep, word));
        return true;
    case NAME_ELIF:
    case NAME_ELSE: cond_else(prep, word); return true;
    case NAME_ENDIF: cond_endif(prep); return true;
    default: return false;
    }
}

void prep_skipped(Prep *prep)
{
    prep->form_broken = false;
    cond_directive(prep, directive_name(prep));
}

void prep_broken(Prep *prep)
{
    NameId word = directive_name(prep);
    if (word != NAME_IF && word != NAME_IFDEF && word != NAME_IFNDEF) {
        prep_skipped(prep);
        prep->form_broken = true;
        return;
    }
    VEC_PUSH(&prep->conds, (PrepCond){prep->form.at[0].pos, word, false, true, false});
}

/* -error(Term) and -warning(Term). */
static void directive_message(Prep *prep, NameId word)
{
    if (!prep_expand(prep, prep->form.at, prep->form.count)) return;
    const Token *t = prep->out.at;
    size_t count = prep->out.count;
    if (count < 6 - 1 || t[2].kind != TOKEN_LPAREN || t[count - 2].kind != TOKEN_RPAREN) {
        prep_error(prep, DIAG_BAD_DIRECTIVE, t[1].pos, word);
        return;
    }
    size_t size = 0;
    const char *text = lexer_stringify(prep->c, t + 3, count - 5, &size);
    diag_add(&prep->c->diags,
             word == NAME_ERROR ? DIAG_ERROR_DIRECTIVE : DIAG_WARNING_DIRECTIVE, t[0].pos,
             text);
}

/* -feature(Name, enable|disable) */
static void directive_feature(Prep *prep)
{
    const Token *t = prep->form.at;
    bool right = prep->form.count == 8 && t[2].kind == TOKEN_LPAREN && t[3].kind == TOKEN_ATOM
                 && t[4].kind == TOKEN_COMMA && t[5].kind == TOKEN_ATOM
                 && (t[5].v.name == NAME_ENABLE || t[5].v.name == NAME_DISABLE)
                 && t[6].kind == TOKEN_RPAREN;
    if (!right) {
        prep_error(prep, DIAG_BAD_DIRECTIVE, t[1].pos, NAME_FEATURE);
    } else if (!prep->in_prefix) {
        prep_error(prep, DIAG_FEATURE_LATE, t[0].pos, NAME_NONE);
    } else if (t[3].v.name != NAME_MAYBE_EXPR) {
        prep_error(prep, DIAG_FEATURE_UNKNOWN, t[3].pos, t[3].v.name);
    } else {
        for (size_t i = 0; i < prep->files.count; i++)
            prep->files.at[i]->lexer.maybe_enabled = t[5].v.name == NAME_ENABLE;
    }
}

bool prep_directive(Prep *prep)
{
    NameId word = directive_name(prep);
    if (word == NAME_NONE) return false;
    if (cond_directive(prep, word)) return true;
    switch (word) {
    case NAME_DEFINE: prep_define(prep, prep->form.at, prep->form.count); return true;
    case NAME_UNDEF: prep_undef(prep, prep->form.at, prep->form.count); return true;
    case NAME_INCLUDE: prep_include(prep, false); return true;
    case NAME_INCLUDE_LIB: prep_include(prep, true); return true;
    case NAME_ERROR:
    case NAME_WARNING: directive_message(prep, word); return true;
    case NAME_FEATURE: directive_feature(prep); return true;
    default: return false;
    }
}
