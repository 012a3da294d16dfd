#include "compiler/source/compilation.h"

void compilation_init(Compilation *c, const CompileOptions *options)
{
    arena_init(&c->arena, NULL, MEM_COMPILER);
    names_init(&c->names, &c->arena);
    sources_init(&c->sources, &c->arena);
    diags_init(&c->diags, &c->arena, &c->names);
    c->options = options ? *options : (CompileOptions){0};
}

void compilation_free(Compilation *c) { arena_free(&c->arena); }

bool compilation_failed(const Compilation *c)
{
    return c->diags.errors > 0 || (c->options.warnings_as_errors && c->diags.warnings > 0);
}
