/* Items of process_info that go through the stack, frame by frame. */
#include "vm/bif/inspect.h"

#include "vm/proc/frame.h"
#include "vm/term/atom.h"
#include "vm/term/print.h"

/* Steps of a budget that a frame costs. */
#define INSPECT_FRAME_STEPS 64

/* Bytes of text that backtrace gives a value. */
#define INSPECT_VALUE_BYTES 120

/* "(M:F/A + Offset)" */
static void inspect_print_place(Inspection *i, const void *at)
{
    CodePlace place;
    const AtomTable *atoms = i->rc->atoms;
    if (!code_place(i->rc->code, at, &place)) {
        bytes_printf(&i->text, "(<terminate process normally>)\n");
        return;
    }
    const CodeFunction *f = place.function;
    bytes_printf(&i->text, "(");
    print_atom(&i->text, atoms, atom_from(f->module), PRINT_PLAIN);
    bytes_printf(&i->text, ":");
    print_atom(&i->text, atoms, atom_from(f->name), PRINT_PLAIN);
    bytes_printf(&i->text, "/%u + %u)\n", (unsigned)f->arity,
                 (unsigned)(place.unit - f->start) * 4);
}

/* The caller's registers that live behind the call. */
static void inspect_print_registers(Inspection *i, const Word *caller, LiveMap live)
{
    for (unsigned r = 0; r + 1u < live.window && r < 32; r++) {
        if ((live.map >> r & 1) == 0) continue;
        bytes_printf(&i->text, "y(%u)     ", r);
        print_term_limited(&i->text, i->rc->atoms, TERM_RAW(caller[-1 - (ptrdiff_t)r]),
                           PRINT_PLAIN, INSPECT_VALUE_BYTES);
        bytes_printf(&i->text, "\n");
    }
}

bool inspect_backtrace(Inspection *i, size_t *budget)
{
    const Word *base = i->p->block + i->p->block_words - 1;
    if (i->place == NULL) {
        i->place = i->p->fp;
        bytes_printf(&i->text, "Program counter: ");
        inspect_print_place(i, i->p->pc);
    }
    while (i->place < base) {
        const uint8_t *descriptor = frame_descriptor(*i->place);
        LiveMap live = operand_live(descriptor);
        i->place += live.window;
        bytes_printf(&i->text, "\nReturn addr ");
        inspect_print_place(i, descriptor);
        if ((live.flags & LIVE_FLAG_BIG_MAP) == 0) inspect_print_registers(i, i->place, live);
        if (!inspect_spend(budget, INSPECT_FRAME_STEPS)) return false;
    }
    bytes_printf(&i->text, "\nReturn addr (<terminate process normally>)\n");
    return true;
}

/* Handlers around a place. */
static size_t inspect_handlers(const Inspection *i, const void *at)
{
    CodePlace place;
    size_t n = 0;
    if (!code_place(i->rc->code, at, &place)) return 0;
    const ModuleVersion *v = place.version;
    for (uint32_t k = 0; k < v->handler_count; k++)
        n += place.unit >= v->handlers[k].start && place.unit < v->handlers[k].end;
    return n;
}

/* The number of try and catch that the process is inside of; in `cursor`. */
bool inspect_catch_level(Inspection *i, size_t *budget)
{
    const Word *base = i->p->block + i->p->block_words - 1;
    if (i->place == NULL) {
        i->place = i->p->fp;
        i->cursor = inspect_handlers(i, i->p->pc);
    }
    while (i->place < base) {
        const uint8_t *descriptor = frame_descriptor(*i->place);
        LiveMap live = operand_live(descriptor);
        i->place += live.window;
        if ((live.flags & LIVE_FLAG_IN_TRY) != 0)
            i->cursor += inspect_handlers(i, descriptor - 4);
        if (!inspect_spend(budget, INSPECT_FRAME_STEPS)) return false;
    }
    return true;
}
