#include "compiler/compile.h"

#include <string.h>

#include "compiler/codegen/codegen.h"
#include "compiler/codegen/dump.h"
#include "compiler/core/carry.h"
#include "compiler/core/expand.h"
#include "compiler/core/fold.h"
#include "compiler/core/inline.h"
#include "compiler/syntax/lint.h"
#include "compiler/syntax/parser.h"

/* What passes hand on. */
typedef struct {
    Compilation *c;
    AtomTable *atoms;
    const CompileInput *input;
    AstFile *file;
    CoreUnit *unit;
    Bytes *out;
} Compile;

/* Debug builds prove what each pass over core has made. */
static bool checked(Compile *s)
{
    if (CONFIG_DEBUG) core_check(s->unit);
    return true;
}

/* A pass is false when compiling cannot go on; dump writes what it has made. */
typedef struct {
    const char *name;
    bool (*pass)(Compile *s);
    void (*dump)(Compile *s, FILE *out);
} CompilePass;

static bool pass_parse(Compile *s)
{
    const CompileInput *in = s->input;
    s->file =
        in->text ? parse_text(s->c, in->path, in->text, in->size) : parse_file(s->c, in->path);
    return s->file != NULL;
}

/* Lint runs over what was right even after syntax errors, so that one run reports them all. */
static bool pass_lint(Compile *s)
{
    if (s->c->options.no_lint) return s->c->diags.errors == 0;
    return lint_file(s->c, s->file, NULL) && s->c->diags.errors == 0;
}

static bool pass_expand(Compile *s)
{
    s->unit = expand_file(s->c, s->atoms, s->file);
    return checked(s) && s->c->diags.errors == 0;
}

static bool pass_inline(Compile *s)
{
    inline_unit(s->unit);
    return checked(s);
}

static bool pass_fold(Compile *s)
{
    fold_unit(s->unit);
    if (!checked(s)) return false;
    carry_unit(s->unit, fold_again);
    return checked(s);
}

static bool pass_code(Compile *s) { return codegen_unit(s->unit, NULL, s->out); }

static void dump_ast(Compile *s, FILE *out)
{
    for (uint32_t i = 0; i < s->file->forms.n; i++) ast_dump(s->file->forms.at[i], s->c, out);
}

static void dump_core(Compile *s, FILE *out) { core_dump(s->unit, out); }

static void dump_module(Compile *s, FILE *out) { dump_code(s->atoms, s->out, out); }

static const CompilePass passes[] = {
    {"parse", pass_parse, dump_ast},    {"lint", pass_lint, NULL},
    {"expand", pass_expand, dump_core}, {"inline", pass_inline, dump_core},
    {"core", pass_fold, dump_core},     {"code", pass_code, dump_module},
};

const char *const *compile_pass_names(void)
{
    static const char *const names[] = {"parse", "expand", "inline", "core", "code", NULL};
    return names;
}

bool compile_module(Compilation *c, AtomTable *atoms, const CompileInput *input, Bytes *out,
                    CompileResult *result)
{
    Compile s = {.c = c, .atoms = atoms, .input = input, .out = out};
    bool going = true;
    for (size_t i = 0; going && i < ARRAY_LEN(passes); i++) {
        going = passes[i].pass(&s);
        if (!going || !input->dump || strcmp(input->dump, passes[i].name) != 0) continue;
        passes[i].dump(&s, input->dump_out);
        going = false;
    }
    going = going && !compilation_failed(c);
    if (going && result) *result = (CompileResult){s.unit->name, s.unit->is_script};
    if (s.unit) core_unit_free(s.unit);
    return going;
}
