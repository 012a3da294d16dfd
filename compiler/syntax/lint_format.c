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

static bool text_has(const AstStr *text, uint32_t at, char c)
{
    return at < text->n && text->at[at] == (uint32_t)(unsigned char)c;
}

/* A width or precision at *at: `*`, which takes an argument, or a number.  Arguments taken. */
static int take_number(const AstStr *text, uint32_t *at)
{
    if (text_has(text, *at, '-')) (*at)++;
    if (text_has(text, *at, '*')) {
        (*at)++;
        return 1;
    }
    while (*at < text->n && text->at[*at] >= '0' && text->at[*at] <= '9') (*at)++;
    return 0;
}

/* One control sequence from behind its `~`, F.P.PadModC: how many arguments it takes; -1: it is
 * none. */
static int sequence_arguments(const AstStr *text, uint32_t *at)
{
    uint32_t i = *at;
    int stars = take_number(text, &i);
    if (text_has(text, i, '.')) {
        i++;
        stars += take_number(text, &i);
        if (text_has(text, i, '.')) {
            stars += text_has(text, i + 1, '*');
            i += 2;
        }
    }
    while (text_has(text, i, 't') || text_has(text, i, 'l') || text_has(text, i, 'k')
           || text_has(text, i, 'K'))
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
