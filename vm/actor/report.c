#include "vm/actor/report.h"

#include "vm/actor/exit.h"
#include "vm/actor/registry.h"
#include "vm/base/bytes.h"
#include "vm/base/utf8.h"
#include "vm/proc/extra.h"
#include "vm/term/atom.h"
#include "vm/term/explain.h"
#include "vm/term/print.h"

#include <stdio.h>

#define REPORT_BYTES 4000
#define REPORT_DEPTH 20
#define REPORT_PRINT ((PrintFlags)(PRINT_STRINGS | PRINT_SORT_MAPS))

static void report_character(Bytes *to, Term t)
{
    uint8_t text[4];
    if (!term_is_small(t) || !utf8_is_scalar((uint32_t)small_value(t))) return;
    bytes_put(to, text, (size_t)utf8_encode((uint32_t)small_value(t), text));
}

/* "    at M:F/A (File:Line)" for one entry {M, F, A, Location}. */
static void report_entry(Bytes *to, const AtomTable *atoms, Term entry)
{
    if (!term_is_tuple_of(entry, 4)) return;
    bytes_printf(to, "    at ");
    print_atom(to, atoms, tuple_at(entry, 0), PRINT_PLAIN);
    bytes_printf(to, ":");
    print_atom(to, atoms, tuple_at(entry, 1), PRINT_PLAIN);
    Term arity = tuple_at(entry, 2);
    size_t n = 0;
    for (Term l = arity; term_is_cons(l); l = list_tail(l)) n++;
    bytes_printf(to, "/%lld",
                 (long long)(term_is_small(arity) ? small_value(arity) : (int64_t)n));
    Term file = TERM_NONE;
    Term line = TERM_NONE;
    for (Term l = tuple_at(entry, 3); term_is_cons(l); l = list_tail(l)) {
        Term item = list_head(l);
        if (!term_is_tuple_of(item, 2)) continue;
        if (term_is_the_atom(tuple_at(item, 0), ATOM_FILE)) file = tuple_at(item, 1);
        if (term_is_the_atom(tuple_at(item, 0), ATOM_LINE)) line = tuple_at(item, 1);
    }
    if (term_is_cons(file)) {
        bytes_printf(to, " (");
        for (; term_is_cons(file); file = list_tail(file))
            report_character(to, list_head(file));
        if (term_is_small(line)) bytes_printf(to, ":%lld", (long long)small_value(line));
        bytes_printf(to, ")");
    }
    bytes_printf(to, "\n");
}

/* The arguments of the first entry, when the trace has them, and what is wrong with them. */
static void report_arguments(Bytes *to, const AtomTable *atoms, Term trace, Term reason)
{
    if (!term_is_cons(trace) || !term_is_tuple_of(list_head(trace), 4)) return;
    Term arguments = tuple_at(list_head(trace), 2);
    if (!term_is_cons(arguments)) return;
    bytes_printf(to, "    called with ");
    print_term_limited(to, atoms, arguments, REPORT_PRINT, REPORT_BYTES);
    bytes_printf(to, "\n");
    ExplainNote notes[EXPLAIN_MOST];
    Term entry = list_head(trace);
    size_t n =
        explain_call(atoms, tuple_at(entry, 0), tuple_at(entry, 1), arguments, reason, notes);
    for (size_t i = 0; i < n; i++)
        bytes_printf(to, "    argument %u: %s\n", notes[i].argument, notes[i].text);
}

/* "process <0.4.0> (name)" */
static void report_process(RunContext *rc, Bytes *to, const Process *p)
{
    bytes_printf(to, "process ");
    print_term(to, rc->atoms, p->pid, PRINT_PLAIN);
    Term name = registry_name_of(rc, p->pid);
    if (term_is_none(name)) return;
    bytes_printf(to, " (");
    print_atom(to, rc->atoms, name, PRINT_PLAIN);
    bytes_printf(to, ")");
}

static void report_trace(RunContext *rc, Bytes *to, Term trace)
{
    for (int depth = 0; term_is_cons(trace) && depth < REPORT_DEPTH;
         trace = list_tail(trace), depth++)
        report_entry(to, rc->atoms, list_head(trace));
}

static void report_out(RunContext *rc, Bytes *text)
{
    if (rc->exit_hooks != NULL && rc->exit_hooks->report != NULL)
        rc->exit_hooks->report(rc, (const char *)text->at, text->count);
    else
        fwrite(text->at, 1, text->count, stderr);
    bytes_free(text);
}

void report_crash(RunContext *rc, Process *p, Term exc_class, Term reason, Term trace)
{
    Bytes text = {0};
    report_process(rc, &text, p);
    bytes_printf(&text, " ended by ");
    print_atom(&text, rc->atoms, exc_class, PRINT_PLAIN);
    bytes_printf(&text, ": ");
    /* The lines below say what the trace in the reason says. */
    bool with_trace = term_is_tuple_of(reason, 2) && term_is_cons(trace)
                      && term_same(tuple_at(reason, 1), trace);
    print_term_limited(&text, rc->atoms, with_trace ? tuple_at(reason, 0) : reason,
                       REPORT_PRINT, REPORT_BYTES);
    bytes_printf(&text, "\n");
    report_arguments(&text, rc->atoms, trace, reason);
    report_trace(rc, &text, trace);
    report_out(rc, &text);
}

void report_signal(RunContext *rc, Process *p, Term reason)
{
    Bytes text = {0};
    report_process(rc, &text, p);
    bytes_printf(&text, ", which runs the program, ended by a signal: ");
    print_term_limited(&text, rc->atoms, reason, REPORT_PRINT, REPORT_BYTES);
    bytes_printf(&text, "\n");
    report_out(rc, &text);
}

void report_heap(RunContext *rc, Process *p, bool refused, Term trace)
{
    Bytes text = {0};
    report_process(rc, &text, p);
    unsigned long long words = p->block_words;
    if (refused || p->extra == NULL) {
        bytes_printf(&text, " is killed: no memory for a heap of more than %llu words\n",
                     words);
    } else {
        const HeapLimit *limit = &p->extra->max_heap;
        bytes_printf(&text, "%s its heap needs more than the %llu words of max_heap_size\n",
                     limit->kill ? " is killed:" : ":", (unsigned long long)limit->words);
    }
    report_trace(rc, &text, trace);
    report_out(rc, &text);
}
