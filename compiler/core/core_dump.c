#include "compiler/core/core.h"
#include "vm/term/print.h"

#include <ctype.h>

typedef struct {
    CoreUnit *u;
    FILE *out;
    Bytes text;
} Dump;

static void dump_term(Dump *d, Term t)
{
    bytes_clear(&d->text);
    print_term_limited(&d->text, d->u->atoms, t, PRINT_SORT_MAPS, 200);
    fwrite(d->text.at, 1, d->text.count, d->out);
}

static void dump_ref(Dump *d, CoreRef r)
{
    if (core_is_none(r)) {
        fputc('_', d->out);
    } else if (core_is_var(r)) {
        fprintf(d->out, "v%u", r.n);
    } else {
        dump_term(d, core_term(d->u, r));
    }
}

static void dump_vars(Dump *d, const CoreVar *vars, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) fprintf(d->out, "%sv%u", i == 0 ? "" : ", ", vars[i]);
}

static void dump_mfa(Dump *d, Term module, Term name, uint32_t arity)
{
    fputc(' ', d->out);
    dump_term(d, module);
    fputc(':', d->out);
    dump_term(d, name);
    fprintf(d->out, "/%u", arity);
}

static void dump_segments(Dump *d, const CoreInstr *i)
{
    static const char *const types[] = {"integer", "float", "bits", "utf8", "utf16", "utf32"};
    fputs(" <<", d->out);
    for (uint32_t n = 0; n < i->case_count; n++) {
        const CoreSegment *s = &i->segments[n];
        if (n > 0) fputs(", ", d->out);
        dump_ref(d, s->value);
        if (!core_is_none(s->size)) {
            fputc(':', d->out);
            dump_ref(d, s->size);
        }
        fprintf(d->out, "/%s%s%s-unit:%u", types[s->type],
                s->flags & CORE_SEG_SIGNED ? "-signed" : "",
                s->flags & CORE_SEG_LITTLE ? "-little" : "", s->unit);
    }
    fputs(">>", d->out);
}

static void dump_cases(Dump *d, const CoreInstr *i)
{
    for (uint32_t n = 0; n < i->case_count; n++) {
        fputs(n == 0 ? " [" : ", ", d->out);
        dump_term(d, i->cases[n].key);
        fprintf(d->out, ": b%u", i->cases[n].block);
    }
    fputc(']', d->out);
}

/* What follows the name: index, M:F/A, segments, cases. */
static void dump_extra(Dump *d, const CoreInstr *i)
{
    switch (i->kind) {
    case CORE_BIF:
    case CORE_GUARD_BIF:
    case CORE_CALL_EXT:
    case CORE_TAIL_EXT: dump_mfa(d, i->module, i->name, i->arg_count); return;
    case CORE_EXPORT_FUN: dump_mfa(d, i->module, i->name, i->index); return;
    case CORE_CALL:
    case CORE_TAIL_CALL: {
        const CoreFunction *f = d->u->functions.at[i->index];
        fputc(' ', d->out);
        dump_term(d, f->name);
        fprintf(d->out, "/%u", f->arity);
        return;
    }
    case CORE_BITS_BUILD:
    case CORE_GUARD_BITS_BUILD: dump_segments(d, i); return;
    case CORE_SWITCH_ATOM:
    case CORE_SWITCH_SMALL:
    case CORE_SWITCH_ARITY: dump_cases(d, i); return;
    case CORE_SET_ELEMENTS:
        for (uint32_t n = 1; n < i->arg_count; n++) fprintf(d->out, " #%u", i->indexes[n - 1]);
        return;
    case CORE_ELEMENT:
    case CORE_MAKE_FUN:
    case CORE_FREE_VAR:
    case CORE_IS_TUPLE_OF:
    case CORE_IS_RECORD:
    case CORE_BITS_INT:
    case CORE_BITS_FLOAT:
    case CORE_BITS_BINARY:
    case CORE_BITS_REST:
    case CORE_BITS_UTF:
    case CORE_BITS_SKIP:
    case CORE_BITS_SKIP_UTF:
    case CORE_BITS_IS_UNIT: fprintf(d->out, " #%u", i->index); return;
    default: return;
    }
}

static void dump_instr(Dump *d, const CoreInstr *i)
{
    fputs("    ", d->out);
    if (i->dst != 0) fprintf(d->out, "v%u = ", i->dst);
    for (const char *name = core_info[i->kind].name; *name != '\0'; name++)
        fputc(tolower((unsigned char)*name), d->out);
    dump_extra(d, i);
    if (i->flags & CORE_SEG_SIGNED) fputs(" signed", d->out);
    if (i->flags & CORE_SEG_LITTLE) fputs(" little", d->out);
    if (i->kind == CORE_JUMP) fprintf(d->out, " b%u", i->then_);
    bool parens = i->kind != CORE_BITS_BUILD && i->kind != CORE_GUARD_BITS_BUILD
                  && (i->arg_count > 0 || i->kind == CORE_JUMP);
    if (parens) {
        fputs(" (", d->out);
        for (uint32_t n = 0; n < i->arg_count; n++) {
            if (n > 0) fputs(", ", d->out);
            dump_ref(d, i->args[n]);
        }
        fputc(')', d->out);
    }
    if (i->kind != CORE_JUMP && i->then_ != 0) fprintf(d->out, " -> b%u", i->then_);
    if (i->else_ != 0) fprintf(d->out, " else b%u", i->else_);
    fputc('\n', d->out);
}

static void dump_block(Dump *d, CoreFunction *f, CoreBlockId id)
{
    const CoreBlock *b = &f->blocks.at[id];
    fprintf(d->out, "  b%u", id);
    if (b->param_count > 0) {
        fputc('(', d->out);
        dump_vars(d, b->params, b->param_count);
        fputc(')', d->out);
    }
    if (b->in_try != 0) fprintf(d->out, " try b%u", f->tries.at[b->in_try].handler);
    if (b->is_loop) fputs(" loop", d->out);
    fputs(":\n", d->out);
    for (uint32_t i = 0; i < b->count; i++) dump_instr(d, &b->at[i]);
}

void core_dump(CoreUnit *u, FILE *out)
{
    Dump d = {.u = u, .out = out};
    bytes_init(&d.text, NULL, MEM_COMPILER);
    for (size_t n = 0; n < u->functions.count; n++) {
        CoreFunction *f = u->functions.at[n];
        if (n > 0) fputc('\n', out);
        dump_term(&d, f->name);
        fprintf(out, "/%u(", f->arity);
        dump_vars(&d, f->params, f->param_count);
        fprintf(out, ")%s%s", f->is_fun ? " fun" : "", f->exported ? " exported" : "");
        if (f->carries) fprintf(out, " context v%u", f->params[f->carries - 1]);
        fputc('\n', out);
        for (CoreBlockId b = 1; b < f->blocks.count; b++) dump_block(&d, f, b);
    }
    bytes_free(&d.text);
}
