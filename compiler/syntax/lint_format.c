#include <stdio.h>
#include <string.h>

#include "compiler/syntax/lint_state.h"

/* Position of the format among the arguments of a call of io or io_lib, 0 when it has none. */
static uint32_t format_argument(const Lint *l, NameId module, NameId function, uint32_t arity)
{
    const char *m = names_text(&l->c->names, module);
    const char *f = names_text(&l->c->names, function);
    bool named = strcmp(f, "format") == 0 || strcmp(f, "fwrite") == 0;
    if (!named) return 0;
    if (strcmp(m, "io") == 0) return arity == 1 || arity == 2 ? 1 : arity == 3 ? 2 : 0;
    return strcmp(m, "io_lib") == 0 && arity == 2 ? 1 : 0;
}

/* One control sequence from behind its `~`: how many arguments it takes; -1: it is none. */
static int sequence_arguments(const AstStr *text, uint32_t *at)
{
    int stars = 0;
    uint32_t i = *at;
    for (int part = 0; part < 3; part++) {
        if (part > 0) {
            if (i >= text->n || text->at[i] != '.') break;
            i++;
        }
        if (part == 2) { /* padding: any character */
            if (i < text->n && text->at[i] == '*') stars++;
            i++;
            break;
        }
        if (i < text->n && text->at[i] == '-') i++;
        if (i < text->n && text->at[i] == '*') {
            stars++;
            i++;
            continue;
        }
        while (i < text->n && text->at[i] >= '0' && text->at[i] <= '9') i++;
    }
    while (i < text->n
           && (text->at[i] == 't' || text->at[i] == 'l' || text->at[i] == 'k'
               || text->at[i] == 'K'))
        i++;
    if (i >= text->n || text->at[i] > 127) return -1;
    *at = i + 1;
    switch (text->at[i]) {
    case 'c':
    case 'f':
    case 'e':
    case 'g':
    case 's':
    case 'w':
    case 'p':
    case 'b':
    case 'B':
    case '#':
    case '+':
    case 'i': return stars + 1;
    case 'W':
    case 'P':
    case 'x':
    case 'X': return stars + 2;
    case 'n':
    case '~': return stars;
    default: return -1;
    }
}

/* Arguments that a format takes; -1: it holds something that is no control sequence. */
static int format_arguments(const AstStr *text)
{
    int count = 0;
    for (uint32_t i = 0; i < text->n;) {
        if (text->at[i++] != '~') continue;
        int taken = sequence_arguments(text, &i);
        if (taken < 0) return -1;
        count += taken;
    }
    return count;
}

void lint_format_call(Lint *l, const Ast *call, NameId module, NameId function)
{
    const AstList *args = &call->call.args;
    uint32_t place = format_argument(l, module, function, args->n);
    if (place == 0 || !l->enabled[OPT_FORMAT]) return;
    const Ast *format = args->at[place - 1];
    if (format->kind != AST_STRING) return;
    int wanted = format_arguments(format->v.str);
    if (wanted < 0) {
        LINT_REPORT(l, DIAG_FORMAT_WRONG, call->pos,
                    "this format holds an invalid control sequence");
        return;
    }
    const Ast *values = place < args->n ? args->at[place] : NULL;
    int given = 0;
    if (values && values->kind == AST_LIST && !values->list.tail)
        given = (int)values->list.items.n;
    else if (values && values->kind == AST_STRING)
        given = (int)values->v.str->n;
    else if (values && values->kind != AST_NIL)
        return;
    if (given == wanted) return;
    const char *text =
        arena_printf(l->arena, "this format takes %d argument%s, %d %s given", wanted,
                     wanted == 1 ? "" : "s", given, given == 1 ? "is" : "are");
    LINT_REPORT(l, DIAG_FORMAT_WRONG, call->pos, text);
}
