#include <string.h>

#include "compiler/syntax/prep.h"
#include "vm/base/utf8.h"

#define OTP_RELEASE_NEW 28
#define OTP_RELEASE_OLD 25

/* The table of macros. */

MacroDef *prep_macro_defs(const Prep *prep, NameId name)
{
    const HtabValue *value = htab_find(&prep->macros, name);
    return value ? value->ptr : NULL;
}

MacroDef *prep_macro_find(MacroDef *defs, int32_t arity)
{
    for (; defs; defs = defs->next)
        if (defs->arity == arity) return defs;
    return NULL;
}

/* Macros whose value depends on where they are used. */
bool prep_macro_is_dynamic(NameId name)
{
    switch (name) {
    case NAME_FILE_MACRO:
    case NAME_LINE_MACRO:
    case NAME_MODULE_MACRO:
    case NAME_MODULE_STRING_MACRO:
    case NAME_FUNCTION_NAME_MACRO:
    case NAME_FUNCTION_ARITY_MACRO:
    case NAME_FEATURE_AVAILABLE_MACRO:
    case NAME_FEATURE_ENABLED_MACRO: return true;
    default: return false;
    }
}

bool prep_is_defined(const Prep *prep, NameId name)
{
    if (name == NAME_MODULE_MACRO || name == NAME_MODULE_STRING_MACRO) return prep->module_seen;
    if (name == NAME_FUNCTION_NAME_MACRO || name == NAME_FUNCTION_ARITY_MACRO) return false;
    return prep_macro_is_dynamic(name) || prep_macro_defs(prep, name) != NULL;
}

static void macro_add(Prep *prep, NameId name, MacroDef *def)
{
    HtabValue *value = htab_put(&prep->macros, name, NULL);
    def->next = value->ptr;
    value->ptr = def;
    prep->generation++;
}

static void macro_add_token(Prep *prep, NameId name, Token token)
{
    MacroDef *def = ARENA_NEW(&prep->c->arena, MacroDef);
    Token *body = ARENA_NEW(&prep->c->arena, Token);
    *body = token;
    *def = (MacroDef){.arity = -1, .body = body, .body_size = 1, .predefined = true};
    macro_add(prep, name, def);
}

/* -D NAME=TEXT: the tokens of TEXT. */
static void define_option(Prep *prep, const MacroOption *option)
{
    Compilation *c = prep->c;
    const char *text = option->text ? option->text : "true";
    const Source *source = sources_add(&c->sources, "command line", text, strlen(text));
    uint32_t errors = c->diags.errors;
    VEC(Token) body = {0};
    Lexer lexer;
    Token token;
    CHECK(source);
    lexer_init(&lexer, c, source);
    for (lexer_next(&lexer, &token); token.kind != TOKEN_EOF && token.kind != TOKEN_DOT;
         lexer_next(&lexer, &token))
        VEC_PUSH(&body, token);
    NameId name = names_intern_text(&c->names, option->name);
    if (c->diags.errors != errors || prep_macro_defs(prep, name) || prep_macro_is_dynamic(name)
        || option->name[0] == '\0') {
        diag_add(&c->diags, DIAG_MACRO_OPTION, SRC_POS_NONE, option->name);
    } else {
        MacroDef *def = ARENA_NEW(&c->arena, MacroDef);
        *def = (MacroDef){.arity = -1, .body_size = (uint32_t)body.count};
        if (body.count)
            def->body = arena_copy_bytes(&c->arena, body.at, body.count * sizeof *body.at);
        macro_add(prep, name, def);
    }
    VEC_FREE(&body);
}

void prep_define_options(Prep *prep)
{
    macro_add_token(prep, NAME_MACHINE_MACRO, (Token){.kind = TOKEN_ATOM, .v.name = NAME_BEAM});
    macro_add_token(prep, NAME_BEAM, (Token){.kind = TOKEN_ATOM, .v.name = NAME_TRUE});
    int release = prep->c->options.otp25 ? OTP_RELEASE_OLD : OTP_RELEASE_NEW;
    macro_add_token(prep, NAME_OTP_RELEASE_MACRO, (Token){.kind = TOKEN_INT, .v.i = release});
    for (uint32_t i = 0; i < prep->c->options.macro_count; i++)
        define_option(prep, &prep->c->options.macros[i]);
}

/* Arguments.  While they are read, what is open in them stands on prep->closers. */

static uint8_t closer_of(uint8_t kind)
{
    switch (kind) {
    case TOKEN_LPAREN: return TOKEN_RPAREN;
    case TOKEN_LBRACKET: return TOKEN_RBRACKET;
    case TOKEN_LBRACE: return TOKEN_RBRACE;
    case TOKEN_LBIN: return TOKEN_RBIN;
    case TOKEN_BEGIN:
    case TOKEN_IF:
    case TOKEN_CASE:
    case TOKEN_RECEIVE:
    case TOKEN_TRY:
    case TOKEN_MAYBE: return TOKEN_END;
    default: return TOKEN_NONE;
    }
}

/* Does the parenthesis that follows `n` tokens open the clauses of a fun? */
static bool opens_fun(const Token *tokens, size_t n)
{
    if (n >= 1 && tokens[n - 1].kind == TOKEN_FUN) return true;
    return n >= 2 && tokens[n - 1].kind == TOKEN_VAR && tokens[n - 2].kind == TOKEN_FUN;
}

ArgStep prep_arg_step(Prep *prep, const Token *tokens, size_t n, uint8_t kind)
{
    if (prep->closers.count == 0) {
        if (kind == TOKEN_COMMA) return ARG_ENDS;
        if (kind == TOKEN_RPAREN) return ARGS_END;
    } else if (VEC_LAST(&prep->closers) == kind) {
        prep->closers.count--;
        return ARG_GOES_ON;
    }
    if (kind == TOKEN_LPAREN && opens_fun(tokens, n)) VEC_PUSH(&prep->closers, TOKEN_END);
    uint8_t closer = closer_of(kind);
    if (closer) VEC_PUSH(&prep->closers, closer);
    return ARG_GOES_ON;
}

/* How many arguments stand behind a use in a macro's text: what the check for circles needs. */
static int32_t count_args(Prep *prep, const Token *tokens, size_t count)
{
    if (count == 0 || tokens[0].kind != TOKEN_LPAREN) return -1;
    if (count > 1 && tokens[1].kind == TOKEN_RPAREN) return 0;
    int32_t n = 1;
    size_t first = 1;
    VEC_CLEAR(&prep->closers);
    for (size_t i = 1; i < count; i++) {
        ArgStep step = prep_arg_step(prep, tokens + first, i - first, tokens[i].kind);
        if (step == ARGS_END) return n;
        if (step == ARG_ENDS) {
            n++;
            first = i + 1;
        }
    }
    return -1;
}

/* Definitions. */

static void macro_note_uses(Prep *prep, MacroDef *def)
{
    VEC(MacroUse) uses = {0};
    VEC_IN_ARENA(&uses, &prep->c->arena);
    for (uint32_t i = 0; i + 1 < def->body_size; i++) {
        if (def->body[i].kind != TOKEN_QUESTION) continue;
        const Token *next = &def->body[i + 1];
        if (next->kind == TOKEN_QUESTION) {
            i++;
            continue;
        }
        if (next->kind != TOKEN_ATOM && next->kind != TOKEN_VAR) continue;
        int32_t arity = count_args(prep, next + 1, def->body_size - i - 2);
        VEC_PUSH(&uses, (MacroUse){next->v.name, arity});
    }
    def->uses = uses.at;
    def->use_count = (uint32_t)uses.count;
}

typedef VEC(NameId) MacroParams;

static bool define_error(Prep *prep, const Token *tokens, size_t count, size_t at)
{
    prep_error(prep, DIAG_BAD_DIRECTIVE, tokens[at < count ? at : count - 1].pos, NAME_DEFINE);
    return false;
}

/* One parameter at tokens[at] and what follows it; false after a report. */
static bool macro_take_param(Prep *prep, const Token *tokens, size_t count, size_t at,
                             MacroParams *params)
{
    if (at + 1 >= count || tokens[at].kind != TOKEN_VAR
        || (tokens[at + 1].kind != TOKEN_COMMA && tokens[at + 1].kind != TOKEN_RPAREN))
        return define_error(prep, tokens, count, at);
    NameId name = tokens[at].v.name;
    for (size_t k = 0; k < params->count; k++) {
        if (params->at[k] != name) continue;
        prep_error(prep, DIAG_MACRO_DUPLICATE_PARAMETER, tokens[at].pos, name);
        return false;
    }
    VEC_PUSH(params, name);
    return true;
}

/* Parameters from tokens[*at] on, behind the parenthesis; *at is then the comma behind them.
 * False after a report. */
static bool macro_take_params(Prep *prep, const Token *tokens, size_t count, size_t *at,
                              MacroDef *def)
{
    MacroParams params = {0};
    VEC_IN_ARENA(&params, &prep->c->arena);
    size_t i = *at;
    if (tokens[i].kind != TOKEN_RPAREN) {
        do {
            if (!macro_take_param(prep, tokens, count, i, &params)) return false;
            i += 2;
        } while (tokens[i - 1].kind == TOKEN_COMMA);
        i--;
    }
    if (++i >= count || tokens[i].kind != TOKEN_COMMA)
        return define_error(prep, tokens, count, i);
    def->arity = (int32_t)params.count;
    def->params = params.at;
    *at = i;
    return true;
}

void prep_define(Prep *prep, const Token *t, size_t count)
{
    /* - define ( NAME , body ) .   or   - define ( NAME ( A , B ) , body ) . */
    bool named = count > 5 && t[2].kind == TOKEN_LPAREN
                 && (t[3].kind == TOKEN_ATOM || t[3].kind == TOKEN_VAR);
    if (!named || (t[4].kind != TOKEN_COMMA && t[4].kind != TOKEN_LPAREN)) {
        prep_error(prep, DIAG_BAD_DIRECTIVE, count > 4 && named ? t[4].pos : t[1].pos,
                   NAME_DEFINE);
        return;
    }
    NameId name = t[3].v.name;
    MacroDef *def = ARENA_NEW(&prep->c->arena, MacroDef);
    def->arity = -1;
    size_t at = 4;
    if (t[4].kind == TOKEN_LPAREN) {
        at = 5;
        if (!macro_take_params(prep, t, count, &at, def)) return;
    }
    if (t[count - 2].kind != TOKEN_RPAREN || count - 2 <= at) {
        prep_error(prep, DIAG_BAD_DIRECTIVE, t[count - 1].pos, NAME_DEFINE);
        return;
    }
    def->body_size = (uint32_t)(count - 2 - (at + 1));
    if (def->body_size)
        def->body = arena_copy_bytes(&prep->c->arena, t + at + 1, def->body_size * sizeof *t);
    MacroDef *defs = prep_macro_defs(prep, name);
    if (prep_macro_is_dynamic(name) || (defs && defs->predefined)) {
        prep_error(prep, DIAG_MACRO_PREDEFINED, t[3].pos, name);
        return;
    }
    if (prep_macro_find(defs, def->arity)) {
        prep_error(prep, DIAG_MACRO_REDEFINED, t[3].pos, name);
        return;
    }
    macro_note_uses(prep, def);
    macro_add(prep, name, def);
}

void prep_undef(Prep *prep, const Token *t, size_t count)
{
    bool right = count == 6 && t[2].kind == TOKEN_LPAREN
                 && (t[3].kind == TOKEN_ATOM || t[3].kind == TOKEN_VAR)
                 && t[4].kind == TOKEN_RPAREN;
    if (!right) {
        prep_error(prep, DIAG_BAD_DIRECTIVE, t[1].pos, NAME_UNDEF);
        return;
    }
    htab_remove(&prep->macros, t[3].v.name);
    prep->generation++;
}

/* Circles: a walk over what definitions use, each definition once per generation of the table. */

enum { CIRCLE_OPEN = UINT32_MAX };

typedef struct {
    MacroDef *def;
    uint32_t next_use;
} CircleStep;

static MacroDef *macro_used(const Prep *prep, MacroUse use)
{
    MacroDef *defs = prep_macro_defs(prep, use.name);
    MacroDef *def = prep_macro_find(defs, use.arity);
    return def ? def : prep_macro_find(defs, -1);
}

bool prep_macro_is_circular(Prep *prep, MacroDef *start)
{
    if (start->checked == prep->generation) return false;
    VEC(CircleStep) path = {0};
    bool circular = false;
    VEC_PUSH(&path, (CircleStep){start, 0});
    start->checked = CIRCLE_OPEN;
    while (path.count > 0 && !circular) {
        CircleStep *step = &VEC_LAST(&path);
        if (step->next_use == step->def->use_count) {
            step->def->checked = prep->generation;
            path.count--;
            continue;
        }
        MacroDef *used = macro_used(prep, step->def->uses[step->next_use++]);
        if (!used || used->checked == prep->generation) continue;
        circular = used->checked == CIRCLE_OPEN;
        if (circular) break;
        used->checked = CIRCLE_OPEN;
        VEC_PUSH(&path, (CircleStep){used, 0});
    }
    for (size_t i = 0; i < path.count; i++) path.at[i].def->checked = 0;
    VEC_FREE(&path);
    return circular;
}
