#include <string.h>

#include "compiler/syntax/prep.h"
#include "vm/base/similar.h"
#include "vm/base/utf8.h"

/* A form that grows beyond this is a mistake, or an attack. */
#define PREP_TOKENS_MAX 20000000

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
        ArgStep step = prep_arg_step(prep, prep->args.at + first, n, token.kind);
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
        if (to.count) pos = VEC_LAST(&to).pos;
        if (!count_expanded(prep, n, pos)) return;
    }
    frame_push(prep, to.at, to.count, SRC_POS_NONE, false);
}

/* Under the message that a macro is undefined: another arity, or a name that is near. */
static void hint_macro(Prep *prep, NameId id)
{
    const Names *names = &prep->c->names;
    Similar s = similar_to(names_text(names, id), names_size(names, id));
    NameId best = NAME_NONE;
    size_t cursor = 0;
    for (const HtabEntry *entry; (entry = htab_next(&prep->macros, &cursor)) != NULL;) {
        NameId other = (NameId)entry->key;
        if (entry->value.ptr == NULL || other == id) continue;
        bool smaller =
            best != NAME_NONE && strcmp(names_text(names, other), names_text(names, best)) < 0;
        s.distance += smaller; /* of equally near ones the first by name */
        if (similar_offer(&s, names_text(names, other), names_size(names, other)))
            best = other;
        else
            s.distance -= smaller;
    }
    if (best != NAME_NONE) diag_hint(&prep->c->diags, "there is a macro '%v'", best);
}

static void expand_macro(Prep *prep, const Token *name)
{
    NameId id = name->v.name;
    if (name->kind == TOKEN_VAR && prep_macro_is_dynamic(id)) {
        expand_dynamic(prep, name);
        return;
    }
    MacroDef *defs = prep_macro_defs(prep, id);
    bool plain = defs && !defs->next && defs->arity < 0;
    int32_t arity = plain ? -1 : take_args(prep, name);
    if (arity == -2) return;
    if (!defs && arity < 0) {
        prep_error(prep, DIAG_UNDEFINED_MACRO, name->pos, id);
        hint_macro(prep, id);
        return;
    }
    if (!defs) {
        prep->form_broken = true;
        diag_add(&prep->c->diags, DIAG_UNDEFINED_MACRO_ARITY, name->pos, id, (int)arity);
        hint_macro(prep, id);
        return;
    }
    MacroDef *def = prep_macro_find(defs, arity);
    if (!def) {
        prep_error(prep, DIAG_MACRO_MISMATCH, name->pos, id);
        return;
    }
    if (prep_macro_is_circular(prep, def)) {
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
