#include "compiler/syntax/parser.h"

#include <string.h>

#include "compiler/syntax/prep.h"

/* In a module, expressions between the functions are errors; a script has no -module. */
static void check_top_level(Compilation *c, const AstFile *file)
{
    for (uint32_t i = 0; i < file->forms.n && !file->is_script; i++) {
        const Ast *form = file->forms.at[i];
        if (form->kind == AST_EXPRS) diag_add(&c->diags, DIAG_TOP_LEVEL_EXPRESSION, form->pos);
    }
}

/* What a form that could not be parsed would have defined: a function or a record. */
static NameId broken_name(const Token *t, size_t count)
{
    if (count < 3) return NAME_NONE;
    if (t[0].kind == TOKEN_ATOM && t[1].kind == TOKEN_LPAREN) return t[0].v.name;
    bool attribute =
        t[0].kind == TOKEN_MINUS || (t[0].kind >= TOKEN_ATTR && t[0].kind <= TOKEN_ATTR_RECORD);
    if (!attribute || t[1].kind != TOKEN_ATOM) return NAME_NONE;
    size_t at = t[2].kind == TOKEN_LPAREN ? 3 : 2;
    return at < count && t[at].kind == TOKEN_ATOM ? t[at].v.name : NAME_NONE;
}

static AstFile *parse_source(Compilation *c, Source *source, bool supply_dot)
{
    AstFile *file = ARENA_NEW(&c->arena, AstFile);
    VEC(Ast *) forms = {0};
    VEC(NameId) broken = {0};
    VEC_IN_ARENA(&forms, &c->arena);
    VEC_IN_ARENA(&broken, &c->arena);
    Parser parser;
    Prep prep;
    parser_init(&parser, c);
    prep_init(&prep, c, &parser, source, supply_dot);
    file->is_script = true;
    size_t count = 0;
    for (const Token *tokens; (tokens = prep_next(&prep, &count)) != NULL;) {
        Ast *form = prep.form_broken ? NULL : parser_run(&parser, tokens, count);
        if (!form) {
            NameId name = broken_name(tokens, count);
            if (name != NAME_NONE) VEC_PUSH(&broken, name);
            continue;
        }
        if (form->kind == AST_MODULE && file->is_script) {
            file->is_script = false;
            file->module = form->v.name;
        }
        VEC_PUSH(&forms, form);
    }
    if (file->is_script) file->module = prep.module;
    prep_free(&prep);
    parser_free(&parser);
    file->source = source;
    file->forms = (AstList){forms.at, (uint32_t)forms.count};
    file->end = source->base + source->size;
    file->broken = broken.at;
    file->broken_count = (uint32_t)broken.count;
    if (c->options.module_required && file->is_script && !prep.module_seen)
        diag_add(&c->diags, DIAG_NO_MODULE, source->base);
    check_top_level(c, file);
    return file;
}

AstFile *parse_file(Compilation *c, const char *path)
{
    static const char *const reasons[] = {
        [SOURCE_OK] = "",
        [SOURCE_NOT_FOUND] = "no such file",
        [SOURCE_IS_DIRECTORY] = "it is a directory",
        [SOURCE_NOT_READABLE] = "it is not readable",
        [SOURCE_TOO_LARGE] = "it is too large",
    };
    Source *source = NULL;
    SourceResult result = sources_read(&c->sources, path, &source);
    if (result == SOURCE_OK) return parse_source(c, source, false);
    diag_add(&c->diags, DIAG_FILE_UNREADABLE, SRC_POS_NONE, path, reasons[result]);
    return NULL;
}

AstFile *parse_text(Compilation *c, const char *path, const char *text, size_t size)
{
    Source *source = sources_add(&c->sources, path, text, size);
    if (source) return parse_source(c, source, true);
    diag_add(&c->diags, DIAG_FILE_UNREADABLE, SRC_POS_NONE, path, "it is too large");
    return NULL;
}

ParseState parse_state(const char *text, size_t size)
{
    Compilation c;
    compilation_init(&c, NULL);
    ParseState state = PARSE_EMPTY;
    const Source *source = sources_add(&c.sources, "input", text, size);
    if (source) {
        Lexer lexer;
        Token token;
        lexer_init(&lexer, &c, source);
        lexer.quiet = true;
        for (lexer_next(&lexer, &token); token.kind != TOKEN_EOF; lexer_next(&lexer, &token))
            state = token.kind == TOKEN_DOT ? PARSE_COMPLETE : PARSE_INCOMPLETE;
        if (lexer.open_ended) state = PARSE_INCOMPLETE;
    }
    compilation_free(&c);
    return state;
}
