#include "vm/code/weigh.h"

/* What running into a handler costs: the search for it. */
#define WEIGH_HANDLER 16
#define WEIGH_MOST    UINT16_MAX

static void weigh_reach(Weigh *w, uint32_t unit, uint32_t cost)
{
    if (unit <= w->units && w->longest[unit] < cost) w->longest[unit] = cost;
}

static bool weigh_is_charged(const OpInfo *info)
{
    for (unsigned i = 0; i < info->operand_count; i++)
        if (info->operands[i] == OPERAND_WEIGHT) return true;
    return false;
}

static void weigh_labels(Weigh *w, const CodeInstr *instr, const OpInfo *info, uint32_t cost)
{
    for (unsigned i = 0; i < info->operand_count; i++) {
        uint8_t kind = info->operands[i];
        if (kind != OPERAND_LABEL && kind != OPERAND_FAIL) continue;
        uint32_t label = (uint32_t)instr->operands[i];
        if (label != NO_LABEL) weigh_reach(w, label, cost);
    }
    if (info->list_kind == OPERAND_CASES)
        for (uint32_t i = 0; i < instr->list_count; i++)
            weigh_reach(w, code_case_label(instr, i), cost);
}

uint32_t weigh_visit(Weigh *w, const CodeInstr *instr, uint32_t unit)
{
    const OpInfo *info = &op_info[instr->op];
    uint32_t cost = w->longest[unit] + 1;
    if (instr->op == OP_ENTER) cost = 1;
    bool charged = weigh_is_charged(info);
    uint32_t after = charged ? 0 : cost;
    /* LIST_CALL branches before it charges for its call. */
    weigh_labels(w, instr, info, instr->op == OP_LIST_CALL ? cost : after);
    if ((info->effects & EFFECT_ENDS) == 0) weigh_reach(w, unit + instr->units, after);
    return cost < WEIGH_MOST ? cost : WEIGH_MOST;
}

void weigh_handler(Weigh *w, uint32_t unit) { weigh_reach(w, unit, WEIGH_HANDLER); }
