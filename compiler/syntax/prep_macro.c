#include <string.h>

#include "compiler/syntax/prep.h"
#include "vm/base/utf8.h"

/* A form that grows beyond this is a mistake, or an attack. */
#define PREP_TOKENS_MAX 20000000

#define OTP_RELEASE_NEW 28
#define OTP_RELEASE_OLD 25

/* The table of macros. */

static MacroDef *macro_defs(const Prep *prep, NameId name)
{
    const HtabValue *value = htab_find(&prep->macros, name);
    return value ? value->ptr : NULL;
}

static MacroDef *macro_find(MacroDef *defs, int32_t arity)
{
    for (; defs; defs = defs->next)
        if (defs->arity == arity) return defs;
    return NULL;
}

/* Macros whose value depends on where they are used. */
static bool macro_is_dynamic(NameId name)
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
    return macro_is_dynamic(name) || macro_defs(prep, name) != NULL;
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
    if (c->diags.errors != errors || macro_defs(prep, name) || macro_is_dynamic(name)
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

/* What the next token does to an argument whose tokens so far are tokens[0 … n-1]. */
typedef enum { ARG_GOES_ON, ARG_ENDS, ARGS_END } ArgStep;

static ArgStep arg_step(Prep *prep, const Token *tokens, size_t n, uint8_t kind)
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
        ArgStep step = arg_step(prep, tokens + first, i - first, tokens[i].kind);
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

/* Parameters from tokens[*at] on, behind the parenthesis; false after a report. */
static bool macro_take_params(Prep *prep, const Token *tokens, size_t count, size_t *at,
                              MacroDef *def)
{
    VEC(NameId) params = {0};
    VEC_IN_ARENA(&params, &prep->c->arena);
    size_t i = *at;
    if (tokens[i].kind == TOKEN_RPAREN) {
        i++;
    } else {
        for (;; i += 2) {
            if (i + 1 >= count || tokens[i].kind != TOKEN_VAR
                || (tokens[i + 1].kind != TOKEN_COMMA && tokens[i + 1].kind != TOKEN_RPAREN)) {
                prep_error(prep, DIAG_BAD_DIRECTIVE, tokens[i < count ? i : count - 1].pos,
                           NAME_DEFINE);
                return false;
            }
            for (size_t k = 0; k < params.count; k++) {
                if (params.at[k] != tokens[i].v.name) continue;
                prep_error(prep, DIAG_MACRO_DUPLICATE_PARAMETER, tokens[i].pos,
                           tokens[i].v.name);
                return false;
            }
            VEC_PUSH(&params, tokens[i].v.name);
            if (tokens[i + 1].kind == TOKEN_RPAREN) break;
        }
        i += 2;
    }
    if (i >= count || tokens[i].kind != TOKEN_COMMA) {
        prep_error(prep, DIAG_BAD_DIRECTIVE, tokens[i < count ? i : count - 1].pos,
                   NAME_DEFINE);
        return false;
    }
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
    MacroDef *defs = macro_defs(prep, name);
    if (macro_is_dynamic(name) || (defs && defs->predefined)) {
        prep_error(prep, DIAG_MACRO_PREDEFINED, t[3].pos, name);
        return;
    }
    if (macro_find(defs, def->arity)) {
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
    MacroDef *defs = macro_defs(prep, use.name);
    MacroDef *def = macro_find(defs, use.arity);
    return def ? def : macro_find(defs, -1);
}

static bool macro_is_circular(Prep *prep, MacroDef *start)
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

/* Reading from the frames. */

/* The next token, looking into lower frames but not beyond a barrier; false when there is none. */
static bool frame_peek(Prep *prep, Token *token)
{
    while (prep->frames.count > 0) {
        const PrepFrame *top = &VEC_LAST(&prep->frames);
        if (top->at < top->end) {
            *token = *top->at;
            if (top->pos != SRC_POS_NONE) token->pos = top->pos;
            return true;
        }
        if (top->barrier) return false;
        prep->frames.count--;
    }
    return false;
}

static bool frame_take(Prep *prep, Token *token)
{
    if (!frame_peek(prep, token)) return false;
    VEC_LAST(&prep->frames).at++;
    return true;
}

static void frame_push(Prep *prep, const Token *tokens, size_t count, SrcPos pos, bool barrier)
{
    const Token *end = count ? tokens + count : tokens;
    VEC_PUSH(&prep->frames, (PrepFrame){tokens, end, pos, barrier});
}

/* Replacement. */

static bool count_expanded(Prep *prep, uint64_t tokens, SrcPos pos)
{
    prep->expanded += tokens;
    if (prep->expanded <= PREP_TOKENS_MAX) return true;
    prep->form_broken = true;
    diag_add(&prep->c->diags, DIAG_MACRO_TOO_LARGE, pos, PREP_TOKENS_MAX);
    return false;
}

static void put_name(Prep *prep, uint8_t kind, SrcPos pos, NameId name)
{
    VEC_PUSH(&prep->out, (Token){.kind = kind, .pos = pos, .v.name = name});
}

static void put_int(Prep *prep, SrcPos pos, int64_t value)
{
    VEC_PUSH(&prep->out, (Token){.kind = TOKEN_INT, .pos = pos, .v.i = value});
}

static Token text_token(Prep *prep, SrcPos pos, const char *text, size_t size)
{
    AstStr *str = arena_alloc(&prep->c->arena, sizeof *str + size * sizeof str->at[0]);
    str->n = 0;
    for (size_t i = 0; i < size;) {
        uint32_t point = 0;
        int n = utf8_decode((const uint8_t *)text + i, size - i, &point);
        str->at[str->n++] = n > 0 ? point : (uint8_t)text[i];
        i += n > 0 ? (size_t)n : 1;
    }
    return (Token){.kind = TOKEN_STRING, .pos = pos, .v.str = str};
}

/* Arity of the function whose head begins prep->out; -1 when it is not that of a function. */
static int32_t function_arity(const Prep *prep)
{
    const Token *t = prep->out.at;
    size_t count = prep->out.count;
    if (count < 3 || t[0].kind != TOKEN_ATOM || t[1].kind != TOKEN_LPAREN) return -1;
    if (t[2].kind == TOKEN_RPAREN) return 0;
    int32_t arity = 1;
    int depth = 1;
    for (size_t i = 2; i < count; i++) {
        switch (t[i].kind) {
        case TOKEN_LPAREN:
        case TOKEN_LBRACE:
        case TOKEN_LBRACKET:
        case TOKEN_LBIN: depth++; break;
        case TOKEN_RPAREN:
        case TOKEN_RBRACE:
        case TOKEN_RBRACKET:
        case TOKEN_RBIN:
            if (--depth == 0) return arity;
            break;
        case TOKEN_COMMA: arity += depth == 1; break;
        default: break;
        }
    }
    return -1;
}

static void expand_feature(Prep *prep, const Token *name)
{
    Token t[3];
    for (int i = 0; i < 3; i++) {
        if (frame_take(prep, &t[i])) continue;
        prep_error(prep, DIAG_MACRO_MISMATCH, name->pos, name->v.name);
        return;
    }
    if (t[0].kind != TOKEN_LPAREN || t[1].kind != TOKEN_ATOM || t[2].kind != TOKEN_RPAREN) {
        prep_error(prep, DIAG_MACRO_MISMATCH, name->pos, name->v.name);
        return;
    }
    bool known = t[1].v.name == NAME_MAYBE_EXPR;
    bool enabled = known && VEC_LAST(&prep->files)->lexer.maybe_enabled;
    bool value = name->v.name == NAME_FEATURE_AVAILABLE_MACRO ? known : enabled;
    put_name(prep, TOKEN_ATOM, name->pos, value ? NAME_TRUE : NAME_FALSE);
}

static void expand_dynamic(Prep *prep, const Token *name)
{
    Compilation *c = prep->c;
    SrcPos pos = name->pos;
    switch (name->v.name) {
    case NAME_LINE_MACRO: put_int(prep, pos, sources_line(&c->sources, pos)); return;
    case NAME_FILE_MACRO: {
        const char *file = sources_file(&c->sources, pos);
        VEC_PUSH(&prep->out, text_token(prep, pos, file, strlen(file)));
        return;
    }
    case NAME_MODULE_MACRO: put_name(prep, TOKEN_ATOM, pos, prep->module); return;
    case NAME_MODULE_STRING_MACRO:
        VEC_PUSH(&prep->out, text_token(prep, pos, names_text(&c->names, prep->module),
                                        names_size(&c->names, prep->module)));
        return;
    case NAME_FUNCTION_NAME_MACRO:
    case NAME_FUNCTION_ARITY_MACRO: {
        int32_t arity = function_arity(prep);
        if (arity < 0)
            prep_error(prep, DIAG_MACRO_NOT_IN_FUNCTION, pos, name->v.name);
        else if (name->v.name == NAME_FUNCTION_ARITY_MACRO)
            put_int(prep, pos, arity);
        else
            put_name(prep, TOKEN_ATOM, pos, prep->out.at[0].v.name);
        return;
    }
    default: expand_feature(prep, name); return;
    }
}

/* Read the arguments behind a macro's name into prep->args.  The number of arguments, -1 when no
 * parenthesis follows, -2 after a report. */
static int32_t take_args(Prep *prep, const Token *name)
{
    Token token;
    VEC_CLEAR(&prep->args);
    VEC_CLEAR(&prep->arg_ends);
    VEC_CLEAR(&prep->closers);
    VEC_RESERVE(&prep->args, 16);
    if (!frame_peek(prep, &token) || token.kind != TOKEN_LPAREN) return -1;
    frame_take(prep, &token);
    if (frame_peek(prep, &token) && token.kind == TOKEN_RPAREN) {
        frame_take(prep, &token);
        return 0;
    }
    size_t first = 0;
    while (frame_take(prep, &token)) {
        size_t n = prep->args.count - first;
        ArgStep step = arg_step(prep, prep->args.at + first, n, token.kind);
        if (step == ARG_GOES_ON) {
            VEC_PUSH(&prep->args, token);
            continue;
        }
        if (n == 0) break;
        first = prep->args.count;
        VEC_PUSH(&prep->arg_ends, (uint32_t)first);
        if (step == ARGS_END) return (int32_t)prep->arg_ends.count;
    }
    prep_error(prep, DIAG_MACRO_BAD_ARGUMENT, name->pos, name->v.name);
    return -2;
}

static int32_t param_index(const MacroDef *def, NameId name)
{
    for (int32_t i = 0; i < def->arity; i++)
        if (def->params[i] == name) return i;
    return -1;
}

/* The macro's text with arguments in place of parameters becomes the next frame.  Tokens of the
 * text stand at the use, those behind an argument at its last token, as Erlang has it. */
static void push_replaced(Prep *prep, const MacroDef *def, SrcPos pos)
{
    VEC(Token) to = {0};
    VEC_IN_ARENA(&to, &prep->c->arena);
    for (uint32_t i = 0; i < def->body_size; i++) {
        Token token = def->body[i];
        token.pos = pos;
        bool text = token.kind == TOKEN_QUESTION && i + 2 < def->body_size
                    && def->body[i + 1].kind == TOKEN_QUESTION
                    && def->body[i + 2].kind == TOKEN_VAR;
        if (text) token = def->body[i += 2];
        int32_t k = token.kind == TOKEN_VAR ? param_index(def, token.v.name) : -1;
        token.pos = pos;
        if (k < 0) {
            VEC_PUSH(&to, token);
            continue;
        }
        uint32_t start = k ? prep->arg_ends.at[k - 1] : 0;
        uint32_t n = prep->arg_ends.at[k] - start;
        if (text) {
            size_t size = 0;
            const char *shown = lexer_stringify(prep->c, prep->args.at + start, n, &size);
            VEC_PUSH(&to, text_token(prep, pos, shown, size));
            continue;
        }
        VEC_APPEND(&to, prep->args.at + start, n);
        pos = VEC_LAST(&to).pos;
        if (!count_expanded(prep, n, pos)) return;
    }
    frame_push(prep, to.at, to.count, SRC_POS_NONE, false);
}

static void expand_macro(Prep *prep, const Token *name)
{
    NameId id = name->v.name;
    if (name->kind == TOKEN_VAR && macro_is_dynamic(id)) {
        expand_dynamic(prep, name);
        return;
    }
    MacroDef *defs = macro_defs(prep, id);
    bool plain = defs && !defs->next && defs->arity < 0;
    int32_t arity = plain ? -1 : take_args(prep, name);
    if (arity == -2) return;
    if (!defs && arity < 0) {
        prep_error(prep, DIAG_UNDEFINED_MACRO, name->pos, id);
        return;
    }
    if (!defs) {
        prep->form_broken = true;
        diag_add(&prep->c->diags, DIAG_UNDEFINED_MACRO_ARITY, name->pos, id, (int)arity);
        return;
    }
    MacroDef *def = macro_find(defs, arity);
    if (!def) {
        prep_error(prep, DIAG_MACRO_MISMATCH, name->pos, id);
        return;
    }
    if (macro_is_circular(prep, def)) {
        prep_error(prep, DIAG_MACRO_CIRCULAR, name->pos, id);
        return;
    }
    if (!count_expanded(prep, def->body_size + 1u, name->pos)) return;
    if (arity < 0)
        frame_push(prep, def->body, def->body_size, name->pos, true);
    else
        push_replaced(prep, def, name->pos);
}

bool prep_expand(Prep *prep, const Token *tokens, size_t count)
{
    VEC_CLEAR(&prep->out);
    VEC_CLEAR(&prep->frames);
    prep->expanded = 0;
    frame_push(prep, tokens, count, SRC_POS_NONE, false);
    while (prep->frames.count > 0 && !prep->form_broken) {
        Token token;
        if (!frame_take(prep, &token)) {
            if (prep->frames.count > 0) prep->frames.count--;
            continue;
        }
        if (token.kind != TOKEN_QUESTION) {
            VEC_PUSH(&prep->out, token);
            continue;
        }
        Token name;
        bool named =
            frame_take(prep, &name) && (name.kind == TOKEN_ATOM || name.kind == TOKEN_VAR);
        if (named)
            expand_macro(prep, &name);
        else
            prep_error(prep, DIAG_MACRO_CALL, token.pos, NAME_NONE);
    }
    return !prep->form_broken;
}
