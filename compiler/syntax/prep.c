#include "compiler/syntax/prep.h"

#include <string.h>

#include "vm/base/utf8.h"

void prep_init(Prep *prep, Compilation *c, Parser *parser, const Source *source,
               bool supply_dot)
{
    *prep = (Prep){.c = c,
                   .parser = parser,
                   .main_source = source,
                   .generation = 1,
                   .in_prefix = true,
                   .supply_dot = supply_dot};
    htab_init_in_arena(&prep->macros, &c->arena);
    const char *base = strrchr(source->path, '/');
    base = base ? base + 1 : source->path;
    const char *suffix = strrchr(base, '.');
    size_t size = suffix && suffix != base ? (size_t)(suffix - base) : strlen(base);
    prep->module = names_intern(&c->names, base, size);
    prep_define_options(prep);
    prep_push_file(prep, source);
}

void prep_free(Prep *prep)
{
    VEC_FREE(&prep->files);
    VEC_FREE(&prep->conds);
    VEC_FREE(&prep->form);
    VEC_FREE(&prep->out);
    VEC_FREE(&prep->frames);
    VEC_FREE(&prep->args);
    VEC_FREE(&prep->arg_ends);
    VEC_FREE(&prep->closers);
}

void prep_error(Prep *prep, DiagCode code, SrcPos pos, NameId name)
{
    prep->form_broken = true;
    diag_add(&prep->c->diags, code, pos, name);
}

void prep_push_file(Prep *prep, const Source *source)
{
    PrepFile *file = ARENA_NEW(&prep->c->arena, PrepFile);
    lexer_init(&file->lexer, prep->c, source);
    if (prep->files.count)
        file->lexer.maybe_enabled = VEC_LAST(&prep->files)->lexer.maybe_enabled;
    file->cond_base = prep->conds.count;
    VEC_PUSH(&prep->files, file);
    /* Nothing that a file of another kind holds is worth a further message. */
    if (source->is_binary) file->lexer.at = file->lexer.end;
    if (source->invalid_at != UINT32_MAX)
        diag_add_range(&prep->c->diags, source->is_binary ? DIAG_NOT_TEXT : DIAG_NOT_UTF8,
                       source->base + source->invalid_at, 1);
}

/* Read one form's tokens into prep->form.  False at the end of the file with nothing read. */
static bool prep_read_form(Prep *prep, PrepFile *file)
{
    Lexer *lexer = &file->lexer;
    VEC_CLEAR(&prep->form);
    prep->form_has_macros = prep->form_broken = false;
    lexer->quiet = prep_skipping(prep);
    Token token;
    do {
        lexer_next(lexer, &token);
        if (token.kind == TOKEN_EOF) break;
        if (token.kind == TOKEN_ERROR) prep->form_broken = true;
        if (token.kind == TOKEN_QUESTION) prep->form_has_macros = true;
        VEC_PUSH(&prep->form, token);
    } while (token.kind != TOKEN_DOT);
    if (token.kind == TOKEN_DOT) return true;
    if (prep->form.count == 0) return false;
    bool supply = prep->supply_dot && prep->files.count == 1;
    if (!supply && !lexer->quiet && !prep->form_broken)
        prep_error(prep, DIAG_MISSING_DOT, VEC_LAST(&prep->form).pos, NAME_NONE);
    token.kind = TOKEN_DOT;
    VEC_PUSH(&prep->form, token);
    return true;
}

/* Which token the `-` of an attribute becomes. */
static uint8_t attribute_kind(NameId name)
{
    switch (name) {
    case NAME_TYPE:
    case NAME_OPAQUE:
    case NAME_NOMINAL: return TOKEN_ATTR_TYPE;
    case NAME_SPEC:
    case NAME_CALLBACK: return TOKEN_ATTR_SPEC;
    case NAME_RECORD: return TOKEN_ATTR_RECORD;
    default: return TOKEN_ATTR;
    }
}

/* Forms in front of which -feature may still stand. */
static bool keeps_prefix(NameId name) { return name == NAME_MODULE || name == NAME_FILE; }

/* A -file("name", Line) that is well formed changes what later positions are called. */
static void prep_note_file(Prep *prep, const Token *t, size_t count)
{
    if (count < 8 || t[2].kind != TOKEN_LPAREN || t[3].kind != TOKEN_STRING
        || t[4].kind != TOKEN_COMMA || t[5].kind != TOKEN_INT)
        return;
    size_t size = 0;
    const AstStr *name = t[3].v.str;
    char *text = arena_alloc(&prep->c->arena, name->n * 4u + 1);
    for (uint32_t i = 0; i < name->n; i++)
        size += (size_t)utf8_encode(name->at[i], (uint8_t *)text + size);
    text[size] = '\0';
    sources_remap(&prep->c->sources, t[count - 1].pos, text, t[5].v.i + 1);
}

/* The form is complete: name the kind of attribute it is, and note what later macros ask for. */
static const Token *prep_finish(Prep *prep, Token *tokens, size_t count)
{
    bool attribute = count > 2 && tokens[0].kind == TOKEN_MINUS && tokens[1].kind == TOKEN_ATOM;
    if (!attribute) {
        prep->in_prefix = false;
        return tokens;
    }
    NameId name = tokens[1].v.name;
    tokens[0].kind = attribute_kind(name);
    tokens[0].v.name = name;
    tokens[0].pos = tokens[1].pos;
    prep->in_prefix = prep->in_prefix && keeps_prefix(name);
    if (name == NAME_MODULE && count > 4 && tokens[2].kind == TOKEN_LPAREN
        && tokens[3].kind == TOKEN_ATOM) {
        prep->module = tokens[3].v.name;
        prep->module_seen = true;
    }
    if (name == NAME_FILE) prep_note_file(prep, tokens, count);
    return tokens;
}

const Token *prep_next(Prep *prep, size_t *count)
{
    while (prep->files.count > 0) {
        PrepFile *file = VEC_LAST(&prep->files);
        if (!prep_read_form(prep, file)) {
            prep_check_open(prep, file->cond_base);
            prep->files.count--;
            continue;
        }
        if (prep_skipping(prep)) {
            prep_skipped(prep);
            continue;
        }
        *count = prep->form.count;
        if (prep->form_broken) {
            prep_broken(prep);
            return prep->form.at;
        }
        if (prep_directive(prep)) continue;
        if (!prep->form_has_macros) return prep_finish(prep, prep->form.at, *count);
        if (!prep_expand(prep, prep->form.at, prep->form.count)) return prep->form.at;
        *count = prep->out.count;
        return prep_finish(prep, prep->out.at, *count);
    }
    return NULL;
}
