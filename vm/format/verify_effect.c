#include "vm/format/verify_parts.h"

/* ---- what an instruction reads ---- */

static Fact fact_of(const Verifier *v, int64_t r) { return v->now.facts[r]; }

static bool is_value(Fact f)
{
    return fact_kind(f) != FACT_UNDEFINED && fact_kind(f) <= FACT_LAST_VALUE;
}

static bool needs_value(Verifier *v, int64_t r)
{
    return is_value(fact_of(v, r)) || verify_fail(v, "a register is read that holds no value");
}

static bool needs(Verifier *v, int64_t r, FactKind kind)
{
    return fact_kind(fact_of(v, r)) == kind
           || verify_fail(v, "a register does not hold what the instruction wants");
}

/* Registers r(first) … hold `n` values, inside the frame. */
static bool needs_row(Verifier *v, uint32_t first, uint32_t n)
{
    if (first + n > v->f->extent) return verify_fail(v, "arguments lie outside the frame");
    for (uint32_t i = 0; i < n; i++)
        if (!needs_value(v, first + i)) return false;
    return true;
}

static bool needs_tuple(Verifier *v, int64_t r, int64_t more_than)
{
    if (!needs(v, r, FACT_TUPLE)) return false;
    return fact_number(fact_of(v, r)) > more_than
           || verify_fail(v, "a tuple is not known to be that long");
}

/* Every SRC is a value. */
static bool needs_plain(Verifier *v, const CodeInstr *instr)
{
    const OpInfo *info = &op_info[instr->op];
    for (unsigned i = 0; i < info->operand_count; i++)
        if (info->operands[i] == OPERAND_SRC && !needs_value(v, instr->operands[i]))
            return false;
    return true;
}

static bool needs_list(Verifier *v, const CodeInstr *instr)
{
    OperandKind kind = (OperandKind)op_info[instr->op].list_kind;
    for (uint32_t i = 0; i < instr->list_count; i++) {
        if (kind == OPERAND_SRCS && !needs_value(v, code_list_half(instr, i))) return false;
        if (kind == OPERAND_PAIRS && !needs_value(v, code_list_half(instr, 2 * i + 1)))
            return false;
        if (kind != OPERAND_SEGMENTS) continue;
        BitsSegment s = code_segment(instr, i);
        if (!needs_value(v, s.value)) return false;
        if (!(s.type_flags & (BITS_SIZE_CONST | BITS_SIZE_ALL)) && !needs_value(v, s.size))
            return false;
    }
    return true;
}

/* The last argument of a call to a fun's body is that fun. */
static bool needs_fun_argument(Verifier *v, uint32_t function, uint32_t first)
{
    uint32_t free_count = v->fun_free[function];
    if (free_count <= 1) return true;
    uint32_t r = first + v->m->functions[function].arity - 1u;
    if (!needs(v, r, FACT_FUN)) return false;
    return fact_number(fact_of(v, r)) == free_count - 1
           || verify_fail(v, "a fun's body is called with another fun");
}

/* Arguments of a function of this module: values, but a context where it wants one. */
static bool needs_arguments(Verifier *v, uint32_t function, uint32_t first)
{
    const ModFunction *f = &v->m->functions[function];
    if (!f->context) return needs_row(v, first, f->arity);
    uint32_t at = f->context - 1u;
    return needs_row(v, first, at) && needs_row(v, first + at + 1, f->arity - at - 1u)
           && needs(v, first + at, FACT_CONTEXT);
}

/* The return address and the result have their place in the frame. */
static bool needs_window(Verifier *v, uint32_t window)
{
    return window <= v->now.frame
           || verify_fail(v, "a call's window lies beyond the frame's room");
}

static bool needs_call(Verifier *v, const CodeInstr *instr)
{
    const int64_t *o = instr->operands;
    uint32_t first = 0;
    if (op_info[instr->op].effects & EFFECT_ENDS)
        first = 0;
    else
        first = code_live(o[op_info[instr->op].operand_count - 1]).window;
    if (!needs_window(v, first)) return false;
    switch (instr->op) {
    case OP_CALL:
    case OP_TAIL_CALL:
        return needs_arguments(v, (uint32_t)o[1], first)
               && needs_fun_argument(v, (uint32_t)o[1], first);
    case OP_CALL_EXT:
    case OP_TAIL_EXT: return needs_row(v, first, v->m->imports[o[1]].arity);
    case OP_CALL_FUN:
    case OP_TAIL_FUN: return needs_row(v, first, (uint32_t)o[1] + 1);
    default: return needs_row(v, first, (uint32_t)o[1] + 2);
    }
}

static bool needs_context(Verifier *v, const CodeInstr *instr)
{
    const OpInfo *info = &op_info[instr->op];
    bool first = true;
    for (unsigned i = 0; i < info->operand_count; i++) {
        if (info->operands[i] != OPERAND_SRC) continue;
        int64_t r = instr->operands[i];
        if (!(first ? needs(v, r, FACT_CONTEXT) : needs_value(v, r))) return false;
        first = false;
    }
    return true;
}

/* A position may go only with the context that it came from. */
static bool needs_position(Verifier *v, int64_t r, int64_t position)
{
    if (!needs(v, r, FACT_CONTEXT) || !needs(v, position, FACT_POSITION)) return false;
    uint32_t context = fact_number(fact_of(v, r));
    return (context && context == fact_number(fact_of(v, position)))
           || verify_fail(v, "a position belongs to another context");
}

static bool check_reads(Verifier *v, const CodeInstr *instr)
{
    const int64_t *o = instr->operands;
    switch (instr->op) {
    case OP_MOVE: return fact_of(v, o[1]) != FACT_UNDEFINED || needs_value(v, o[1]);
    case OP_MOVE2:
    case OP_MOVE_CALL:
    case OP_MOVE2_CALL:
    case OP_MOVE_TAIL:
    case OP_MOVE2_TAIL:
    case OP_LIST_CALL: return true; /* when it happens */
    case OP_SWAP:
        return (fact_of(v, o[0]) && fact_of(v, o[1]))
               || verify_fail(v, "an undefined register is swapped");
    case OP_CALL:
    case OP_CALL_EXT:
    case OP_CALL_FUN:
    case OP_CALL_DYN:
    case OP_TAIL_CALL:
    case OP_TAIL_EXT:
    case OP_TAIL_FUN:
    case OP_TAIL_DYN: return needs_call(v, instr);
    case OP_BIF: return needs_row(v, (uint32_t)o[1], v->m->imports[o[3]].arity);
    case OP_FUNCTION_CLAUSE: return needs_row(v, 0, (uint32_t)o[0]);
    case OP_HEAD:
    case OP_TAIL: return needs(v, o[1], FACT_CONS);
    case OP_UNCONS: return needs(v, o[2], FACT_CONS);
    case OP_ELEMENT: return needs_tuple(v, o[1], o[2]);
    case OP_FREE_VAR:
        return needs(v, o[1], FACT_FUN)
               && (fact_number(fact_of(v, o[1])) > o[2]
                   || verify_fail(v, "a fun has fewer free variables"));
    case OP_MAP_GET: return needs(v, o[1], FACT_MAP) && needs_value(v, o[2]);
    case OP_MAP_HAS: return needs(v, o[0], FACT_MAP) && needs_value(v, o[1]);
    case OP_BITS_INT:
    case OP_BITS_INT_CONST:
    case OP_BITS_FLOAT:
    case OP_BITS_BINARY:
    case OP_BITS_REST:
    case OP_BITS_UTF:
    case OP_BITS_SKIP:
    case OP_BITS_SKIP_CONST:
    case OP_BITS_SKIP_UTF:
    case OP_BITS_IS_END:
    case OP_BITS_IS_UNIT:
    case OP_BITS_IS_STRING:
    case OP_BITS_POSITION: return needs_context(v, instr);
    case OP_BITS_SEEK: return needs_position(v, o[0], o[1]);
    case OP_BITS_TAIL: return needs_position(v, o[1], o[2]);
    case OP_RECV_FROM: return needs(v, o[0], FACT_MARKER);
    default: return needs_plain(v, instr) && needs_list(v, instr);
    }
}

/* ---- room ---- */

static bool take_room(Verifier *v, const CodeInstr *instr)
{
    uint32_t words = 0;
    switch (instr->op) {
    case OP_CONS:
    case OP_EXPORT_FUN:
    case OP_ADD_FLOATS:
    case OP_SUB_FLOATS:
    case OP_MUL_FLOATS:
    case OP_DIV_FLOATS: words = 2; break;
    case OP_TUPLE: words = instr->list_count + 1; break;
    case OP_MAKE_FUN:
    case OP_MAP_BUILD: words = instr->list_count + 2; break;
    case OP_SET_ELEMENTS:
        if (!needs(v, instr->operands[1], FACT_TUPLE)) return false;
        words = fact_number(fact_of(v, instr->operands[1])) + 1;
        for (uint32_t i = 0; i < instr->list_count; i++)
            if (code_list_half(instr, 2 * i) + 1u >= words)
                return verify_fail(v, "a tuple is not known to be that long");
        if (words > FACT_NUMBER_MAX) return verify_fail(v, "a tuple is too long to be copied");
        break;
    default: break;
    }
    if (words > v->now.room) return verify_fail(v, "more heap is taken than was promised");
    v->now.room -= words;
    if ((op_info[instr->op].effects & EFFECT_TAKES) && v->now.room > LIMIT_BLOCK_SLACK)
        v->now.room = LIMIT_BLOCK_SLACK;
    return true;
}

/* ---- what is known behind an instruction ---- */

static void define(Verifier *v, int64_t r, FactKind kind, uint64_t number)
{
    v->now.facts[r] = fact_make(kind, number) | (v->now.peeking ? FACT_MESSAGE : 0);
}

static void define_literal(Verifier *v, int64_t r, const VerifyLiteral *literal)
{
    switch ((VerifyLiteralKind)literal->kind) {
    case VERIFY_LITERAL_CONS: define(v, r, FACT_CONS, 0); break;
    case VERIFY_LITERAL_TUPLE:
        if (literal->size < FACT_NUMBER_MAX)
            define(v, r, FACT_TUPLE, literal->size);
        else
            define(v, r, FACT_ANY, 0);
        break;
    case VERIFY_LITERAL_MAP: define(v, r, FACT_MAP, 0); break;
    default: define(v, r, FACT_ANY, 0);
    }
}

/* A new context under an old number: what belongs to the old one is no longer that. */
static void define_context(Verifier *v, int64_t r)
{
    uint32_t number = v->unit - v->f->start;
    for (uint32_t i = 0; i < v->f->extent; i++) {
        Fact f = v->now.facts[i];
        if (fact_number(f) != number) continue;
        if (fact_kind(f) == FACT_CONTEXT)
            v->now.facts[i] = fact_make(FACT_CONTEXT, 0) | (f & FACT_MESSAGE);
        if (fact_kind(f) == FACT_POSITION)
            v->now.facts[i] = fact_make(FACT_ANY, 0) | (f & FACT_MESSAGE);
    }
    define(v, r, FACT_CONTEXT, number < FACT_NUMBER_MAX ? number : 0);
}

static void move_fact(Verifier *v, int64_t to, int64_t from)
{
    v->now.facts[to] = v->now.facts[from];
}

static bool move_twice(Verifier *v, const int64_t *o)
{
    for (unsigned i = 0; i < 4; i += 2) {
        if (fact_of(v, o[i + 1]) == FACT_UNDEFINED)
            return verify_fail(v, "an undefined register is moved");
        move_fact(v, o[i], o[i + 1]);
    }
    return true;
}

/* A test holds: what it says about its register. */
static void refine(Verifier *v, int64_t r, FactKind kind, uint64_t number)
{
    if (number >= FACT_NUMBER_MAX) return;
    v->now.facts[r] = fact_make(kind, number) | (v->now.facts[r] & FACT_MESSAGE);
}

static bool set_facts(Verifier *v, const CodeInstr *instr)
{
    const int64_t *o = instr->operands;
    switch (instr->op) {
    case OP_MOVE: move_fact(v, o[0], o[1]); return true;
    case OP_MOVE2: return move_twice(v, o);
    case OP_SWAP: {
        Fact kept = fact_of(v, o[0]);
        move_fact(v, o[0], o[1]);
        v->now.facts[o[1]] = kept;
        return true;
    }
    case OP_LOAD_LIT: define_literal(v, o[0], &v->literals[o[1]]); return true;
    case OP_IS_CONS: refine(v, o[0], FACT_CONS, 0); return true;
    case OP_IS_LIST:
        if (fact_kind(fact_of(v, o[0])) == FACT_NOT_NIL)
            refine(v, o[0], FACT_CONS, 0);
        else if (fact_kind(fact_of(v, o[0])) != FACT_CONS)
            refine(v, o[0], FACT_LIST, 0);
        return true;
    case OP_IS_TUPLE_OF:
    case OP_IS_RECORD:
        if (instr->op == OP_IS_TUPLE_OF || o[1] > 0)
            refine(v, o[0], FACT_TUPLE, (uint64_t)o[1]);
        return true;
    case OP_IS_MAP: refine(v, o[0], FACT_MAP, 0); return true;
    case OP_CONS: define(v, o[0], FACT_CONS, 0); return true;
    case OP_UNCONS:
    case OP_UNCONS_OR:
        refine(v, o[2], FACT_CONS, 0);
        define(v, o[0], FACT_ANY, 0);
        define(v, o[1], FACT_ANY, 0);
        return true;
    case OP_TUPLE: define(v, o[0], FACT_TUPLE, instr->list_count); return true;
    case OP_SET_ELEMENTS:
        define(v, o[0], FACT_TUPLE, fact_number(fact_of(v, o[1])));
        return true;
    case OP_MAKE_FUN: define(v, o[0], FACT_FUN, instr->list_count); return true;
    case OP_MAP_BUILD:
    case OP_MAP_PUT:
    case OP_MAP_UPDATE: define(v, o[0], FACT_MAP, 0); return true;
    case OP_BITS_START: define_context(v, o[0]); return true;
    case OP_BITS_POSITION:
        define(v, o[0], FACT_POSITION, fact_number(fact_of(v, o[1])));
        return true;
    case OP_RECV_MARK: define(v, o[0], FACT_MARKER, 0); return true;
    default:
        if (op_info[instr->op].operands[0] == OPERAND_DST) define(v, o[0], FACT_ANY, 0);
        return true;
    }
}

/* ---- receive ---- */

static bool step_receive(Verifier *v, const CodeInstr *instr)
{
    VerifyState *now = &v->now;
    switch (instr->op) {
    case OP_RECV_PEEK:
        if (now->peeking) return verify_fail(v, "a message is looked at while another one is");
        if (!verify_edge(v, (uint32_t)instr->operands[1])) return false;
        now->peeking = true;
        return true;
    case OP_RECV_ACCEPT:
        if (!now->peeking) return verify_fail(v, "no message is there to be accepted");
        now->peeking = false;
        for (uint32_t i = 0; i < v->f->extent; i++) now->facts[i] &= ~FACT_MESSAGE;
        return true;
    case OP_RECV_NEXT:
        if (!now->peeking) return verify_fail(v, "no message is there to be passed over");
        now->peeking = false;
        return true;
    default: return true;
    }
}

/* While a message is only looked at, nothing may collect, leave the function or raise. */
static bool check_peeking(Verifier *v, const CodeInstr *instr)
{
    if (!v->now.peeking || instr->op == OP_RECV_NEXT) return true;
    uint8_t effects = op_info[instr->op].effects;
    bool raises = (effects & EFFECT_RAISES) != 0;
    if (instr->op == OP_BIF && instr->operands[4] != NO_LABEL) raises = false;
    if (instr->op == OP_BITS_BUILD && instr->operands[3] != NO_LABEL) raises = false;
    if (raises || (effects & EFFECT_CALLS))
        return verify_fail(v, "a message must be accepted first");
    return true;
}

/* ---- where control goes ---- */

/* A list that is not empty is a cons cell. */
static bool branch_is_nil(Verifier *v, const CodeInstr *instr)
{
    Fact kept = fact_of(v, instr->operands[0]);
    if (fact_kind(kept) == FACT_LIST) refine(v, instr->operands[0], FACT_CONS, 0);
    if (fact_kind(kept) == FACT_ANY) refine(v, instr->operands[0], FACT_NOT_NIL, 0);
    bool good = verify_edge(v, (uint32_t)instr->operands[1]);
    v->now.facts[instr->operands[0]] = kept;
    return good;
}

static bool branch(Verifier *v, const CodeInstr *instr)
{
    const OpInfo *info = &op_info[instr->op];
    if (instr->op == OP_IS_NIL) return branch_is_nil(v, instr);
    for (unsigned i = 0; i < info->operand_count; i++) {
        uint32_t to = (uint32_t)instr->operands[i];
        if (info->operands[i] == OPERAND_LABEL && !verify_edge(v, to)) return false;
        if (info->operands[i] == OPERAND_FAIL && to != NO_LABEL && !verify_edge(v, to))
            return false;
    }
    if (info->list_kind != OPERAND_CASES) return true;
    for (uint32_t i = 0; i < instr->list_count; i++) {
        Fact kept = fact_of(v, instr->operands[0]);
        if (instr->op == OP_SELECT_ARITY)
            refine(v, instr->operands[0], FACT_TUPLE, code_case_key(instr, i));
        if (!verify_edge(v, code_case_label(instr, i))) return false;
        v->now.facts[instr->operands[0]] = kept;
    }
    return true;
}

static bool jump_back(Verifier *v, const CodeInstr *instr)
{
    const OpInfo *info = &op_info[instr->op];
    CodeLive live = code_live(instr->operands[info->operand_count - 1]);
    uint32_t to = (uint32_t)instr->operands[info->operand_count - 2];
    v->now.room = 0;
    return verify_back_edge(v, to, live);
}

/* ENTER and RESERVE: the frame, and words of heap beside it and the gap that is left to callers. */
static void promise(Verifier *v, int64_t need)
{
    int64_t room = need - v->f->extent - LIMIT_CALL_GAP;
    v->now.room = room > 0 ? (uint32_t)room : 0;
    v->now.frame = v->f->extent;
}

/* The result arrives in r(K); what the map does not name is gone. */
static bool after_call(Verifier *v, const CodeInstr *instr)
{
    CodeLive live = code_live(instr->operands[op_info[instr->op].operand_count - 1]);
    verify_keep(v, live);
    if (v->why) return false;
    if (instr->op == OP_RESERVE) {
        promise(v, instr->operands[0]);
        return true;
    }
    v->now.room = 0;
    if (v->now.frame > live.window + 1u + LIMIT_CALL_GAP)
        v->now.frame = live.window + 1u + LIMIT_CALL_GAP;
    if (!verify_raises(v)) return false;
    if (live.window >= v->f->extent) return verify_fail(v, "arguments lie outside the frame");
    v->now.facts[live.window] = FACT_ANY;
    return true;
}

static bool enter(Verifier *v, const CodeInstr *instr)
{
    promise(v, instr->operands[0]);
    return verify_raises(v);
}

/* Registers are written only where the heap has not come to. */
static bool check_writes(Verifier *v, const CodeInstr *instr)
{
    const OpInfo *info = &op_info[instr->op];
    for (unsigned i = 0; i < info->operand_count; i++)
        if (info->operands[i] == OPERAND_DST && instr->operands[i] >= v->now.frame)
            return verify_fail(v, "a register is written beyond the frame's room");
    return true;
}

static bool move_each(Verifier *v, const int64_t *o, unsigned moves)
{
    for (unsigned i = 0; i < moves; i++) {
        if (fact_of(v, o[2 * i + 2]) == FACT_UNDEFINED)
            return verify_fail(v, "an undefined register is moved");
        move_fact(v, o[2 * i + 1], o[2 * i + 2]);
    }
    return true;
}

/* MOVE_CALL and MOVE2_CALL: the moves, then the call. */
static bool move_and_call(Verifier *v, const CodeInstr *instr, unsigned moves)
{
    const int64_t *o = instr->operands;
    if (!move_each(v, o, moves)) return false;
    CodeInstr call = {.op = OP_CALL, .operands = {0, o[2 * moves + 1], o[2 * moves + 2]}};
    return needs_call(v, &call) && after_call(v, &call);
}

/* MOVE_TAIL and MOVE2_TAIL likewise. */
static bool move_and_tail(Verifier *v, const CodeInstr *instr, unsigned moves)
{
    const int64_t *o = instr->operands;
    if (!move_each(v, o, moves)) return false;
    CodeInstr call = {.op = OP_TAIL_CALL, .operands = {0, o[2 * moves + 1]}};
    return needs_call(v, &call);
}

/* LIST_CALL: r0 is a list or control goes to the label; then both parts, the move, the call. */
static bool list_call(Verifier *v, const CodeInstr *instr)
{
    const int64_t *o = instr->operands;
    uint32_t window = code_live(o[5]).window;
    if (!needs_value(v, 0) || !verify_edge(v, (uint32_t)o[4])) return false;
    if (!needs_window(v, window + 1)) return false;
    define(v, o[1], FACT_ANY, 0);
    define(v, window, FACT_ANY, 0);
    const ModFunction *functions = v->m->functions;
    CodeInstr call = {.operands = {0, o[2], o[3], v->f - functions, o[5]}};
    return move_and_call(v, &call, 1);
}

/* If there is no room, the collector keeps what the map names. */
static bool return_cons(Verifier *v, const CodeInstr *instr)
{
    CodeLive live = code_live(instr->operands[4]);
    for (unsigned i = 1; i < 3; i++)
        if (!verify_in_map(v, live, (uint32_t)instr->operands[i]))
            return verify_fail(v, "a map does not name what is returned");
    verify_keep(v, live);
    return !v->why;
}

bool verify_effect(Verifier *v, const CodeInstr *instr)
{
    if (!check_peeking(v, instr) || !check_reads(v, instr) || !check_writes(v, instr))
        return false;
    switch (instr->op) {
    case OP_ENTER: return enter(v, instr);
    case OP_CALL:
    case OP_CALL_EXT:
    case OP_CALL_FUN:
    case OP_CALL_DYN:
    case OP_RESERVE: return after_call(v, instr);
    case OP_MOVE_CALL: return move_and_call(v, instr, 1);
    case OP_MOVE2_CALL: return move_and_call(v, instr, 2);
    case OP_MOVE_TAIL: return move_and_tail(v, instr, 1);
    case OP_MOVE2_TAIL: return move_and_tail(v, instr, 2);
    case OP_LIST_CALL: return list_call(v, instr);
    case OP_RETURN_CONS: return return_cons(v, instr);
    case OP_RECV_PEEK: return step_receive(v, instr) && set_facts(v, instr);
    case OP_RECV_ACCEPT: return step_receive(v, instr);
    case OP_RECV_NEXT: return step_receive(v, instr) && jump_back(v, instr);
    case OP_LOOP:
    case OP_RECV_WAIT: return jump_back(v, instr);
    case OP_RECV_WAIT_FOR: return jump_back(v, instr) && verify_raises(v);
    default: break;
    }
    if ((op_info[instr->op].effects & EFFECT_RAISES) && !verify_raises(v)) return false;
    /* Tests branch before they write, with the room of that moment. */
    if (!take_room(v, instr) || !branch(v, instr)) return false;
    return (op_info[instr->op].effects & EFFECT_ENDS) || set_facts(v, instr);
}
