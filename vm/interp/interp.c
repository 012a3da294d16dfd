#include "vm/interp/interp.h"

#include "vm/interp/body.h"
#include "vm/interp/unwind.h"
#include "vm/proc/mailbox.h"
#include "vm/proc/stretch.h"
#include "vm/term/map.h"
#include "vm/term/order.h"

/* A body per row of opcodes.def, in one function so that its state stays in registers.
 * NOLINTNEXTLINE(readability-function-size,readability-function-cognitive-complexity) */
RunStop interp_run(RunContext *run, Process *p)
{
    const uint8_t *pc;
    Word *fp;
    Word *top;
    int64_t reductions;
    SlowResult slow;
    LOAD_STATE();

#if CONFIG_THREADED
    static const void *const labels[OP_COUNT] = {
#define OP(name, operands, effects, meaning) &&do_##name,
#include "vm/format/opcodes.def"
#undef OP
    };
    DISPATCH();
#else
dispatch:
    switch ((Opcode) * (const Half *)(const void *)pc) {
#endif

    /* -- frames and calls -- */

    CASE(ENTER) :
    {
        if (UNLIKELY((char *)fp - (char *)top < (ptrdiff_t)U16_AT(ENTER, 0)) || CONFIG_STRESS)
            SLOW(slow_enter(p));
        NEXT(ENTER);
    }
    CASE(CALL) :
    {
        const uint8_t *to = pc + (ptrdiff_t)I32_AT(CALL, 1) * 4;
        CHARGE(CALL);
        PUSH_FRAME(CALL, 2);
        pc = to;
        ENTERED_HERE();
    }
    CASE(TAIL_CALL) :
    {
        CHARGE(TAIL_CALL);
        pc += (ptrdiff_t)I32_AT(TAIL_CALL, 1) * 4;
        ENTERED_HERE();
    }
    CASE(MOVE_TAIL) :
    {
        CHARGE(MOVE_TAIL);
        REG(MOVE_TAIL, 1) = REG(MOVE_TAIL, 2);
        pc += (ptrdiff_t)I32_AT(MOVE_TAIL, 3) * 4;
        ENTERED_HERE();
    }
    CASE(MOVE2_TAIL) :
    {
        CHARGE(MOVE2_TAIL);
        REG(MOVE2_TAIL, 1) = REG(MOVE2_TAIL, 2);
        REG(MOVE2_TAIL, 3) = REG(MOVE2_TAIL, 4);
        pc += (ptrdiff_t)I32_AT(MOVE2_TAIL, 5) * 4;
        ENTERED_HERE();
    }
    CASE(CALL_EXT) :
    {
        Export *e = (Export *)LIT_AT(CALL_EXT, 1);
        CHARGE(CALL_EXT);
        PUSH_FRAME(CALL_EXT, 2);
        pc = (const uint8_t *)atomic_load_acquire(&e->entry);
        ENTERED();
    }
    CASE(TAIL_EXT) :
    {
        Export *e = (Export *)LIT_AT(TAIL_EXT, 1);
        CHARGE(TAIL_EXT);
        pc = (const uint8_t *)atomic_load_acquire(&e->entry);
        ENTERED();
    }
    CASE(CALL_FUN) :
    {
        uint32_t arity = U16_AT(CALL_FUN, 1);
        Term f = TERM_RAW(fp[-1 - (ptrdiff_t)(WINDOW_AT(CALL_FUN, 3) + arity)]);
        if (UNLIKELY(!term_is_kind(f, KIND_FUN))) SLOW(slow_call_fun(p));
        FunEntry *entry = (FunEntry *)boxed_words(f)[1];
        if (UNLIKELY(entry->key.arity != arity)) SLOW(slow_call_fun(p));
        CHARGE(CALL_FUN);
        PUSH_FRAME(CALL_FUN, 3);
        pc = (const uint8_t *)atomic_load_acquire(&entry->entry);
        ENTERED();
    }
    CASE(TAIL_FUN) :
    {
        uint32_t arity = U16_AT(TAIL_FUN, 1);
        Term f = TERM_RAW(fp[-1 - (ptrdiff_t)arity]);
        if (UNLIKELY(!term_is_kind(f, KIND_FUN))) SLOW(slow_tail_fun(p));
        FunEntry *entry = (FunEntry *)boxed_words(f)[1];
        if (UNLIKELY(entry->key.arity != arity)) SLOW(slow_tail_fun(p));
        CHARGE(TAIL_FUN);
        pc = (const uint8_t *)atomic_load_acquire(&entry->entry);
        ENTERED();
    }
    CASE(CALL_DYN) : SLOW(slow_call_dyn(p));
    CASE(TAIL_DYN) : SLOW(slow_tail_dyn(p));
    CASE(RETURN) :
    {
        CHARGE_OR_PAUSE(RETURN);
        Word value = REG(RETURN, 1);
        RETURN_VALUE(value);
    }
    CASE(RETURN_SMALL) :
    {
        CHARGE_OR_PAUSE(RETURN_SMALL);
        RETURN_VALUE(small_from(S16_AT(RETURN_SMALL, 1)).w);
    }
    CASE(RETURN_ATOM) :
    {
        CHARGE_OR_PAUSE(RETURN_ATOM);
        RETURN_VALUE(ATOM_AT(RETURN_ATOM, 1).w);
    }
    CASE(RETURN_LIT) :
    {
        CHARGE_OR_PAUSE(RETURN_LIT);
        RETURN_VALUE(LIT_AT(RETURN_LIT, 1));
    }
    CASE(RETURN_CONS) :
    {
        CHARGE_OR_PAUSE(RETURN_CONS);
        if (UNLIKELY((char *)fp - (char *)top < (ptrdiff_t)U16_AT(RETURN_CONS, 3))
            || CONFIG_STRESS)
            SLOW(slow_return_cons(p));
        top[0] = REG(RETURN_CONS, 1);
        top[1] = REG(RETURN_CONS, 2);
        RETURN_VALUE(interp_top_take(&top, 2) | TAG_CONS);
    }
    CASE(MOVE_CALL) :
    {
        const uint8_t *to = pc + (ptrdiff_t)I32_AT(MOVE_CALL, 3) * 4;
        CHARGE(MOVE_CALL);
        REG(MOVE_CALL, 1) = REG(MOVE_CALL, 2);
        PUSH_FRAME(MOVE_CALL, 4);
        pc = to;
        ENTERED_HERE();
    }
    CASE(MOVE2_CALL) :
    {
        const uint8_t *to = pc + (ptrdiff_t)I32_AT(MOVE2_CALL, 5) * 4;
        CHARGE(MOVE2_CALL);
        REG(MOVE2_CALL, 1) = REG(MOVE2_CALL, 2);
        REG(MOVE2_CALL, 3) = REG(MOVE2_CALL, 4);
        PUSH_FRAME(MOVE2_CALL, 6);
        pc = to;
        ENTERED_HERE();
    }
    /* A call of the function itself comes back here, with the list still in a register. */
    CASE(LIST_CALL) :
    {
        Word list = fp[-1];
    list_call_again:
        if (UNLIKELY((list & TAG_MASK) != TAG_CONS)) GOTO(LIST_CALL, 4);
        const Term *cell = cons_cell(TERM_RAW(list));
        list = cell[1].w;
        REG(LIST_CALL, 1) = cell[0].w;
        fp[-1 - (ptrdiff_t)WINDOW_AT(LIST_CALL, 5)] = list;
        REG(LIST_CALL, 2) = REG(LIST_CALL, 3);
        CHARGE(LIST_CALL);
        PUSH_FRAME(LIST_CALL, 5);
        ENTERED_AGAIN(list_call_again);
    }
    CASE(BIF) :
    {
        STORE_STATE();
        p->fp = fp - U16_AT(BIF, 1);
        p->heap.limit = fp - U16_AT(BIF, 2) - LIMIT_BLOCK_SLACK;
        Term result = stretch_run_bif(p, U32_AT(BIF, 3));
        p->fp = fp;
        top = p->heap.top;
        reductions = run->reductions;
        if (UNLIKELY((result.w & TAG6_MASK) == TAG6_CONSTANT) && !term_is_nil(result))
            SLOW(slow_bif_result(p, result));
        REG(BIF, 0) = result.w;
        NEXT(BIF);
    }
    CASE(BIF_STUB) :
    {
        CHARGE_OR_PAUSE(BIF_STUB);
        STORE_STATE();
        p->heap.limit = fp - U16_AT(BIF_STUB, 1) - LIMIT_BLOCK_SLACK;
        Term result = stretch_run_bif(p, U32_AT(BIF_STUB, 2));
        if (UNLIKELY((result.w & TAG6_MASK) == TAG6_CONSTANT) && !term_is_nil(result)) {
            slow = slow_stub_result(p, result);
            goto after_slow;
        }
        LOAD_STATE();
        RETURN_VALUE(result.w);
    }
    CASE(RESERVE) :
    {
        if (UNLIKELY((char *)fp - (char *)top < (ptrdiff_t)U16_AT(RESERVE, 0)) || CONFIG_STRESS)
            SLOW(slow_reserve(p));
        NEXT(RESERVE);
    }

    /* -- moves and constants -- */

    CASE(MOVE) :
    {
        REG(MOVE, 0) = REG(MOVE, 1);
        NEXT(MOVE);
    }
    CASE(MOVE2) :
    {
        REG(MOVE2, 0) = REG(MOVE2, 1);
        REG(MOVE2, 2) = REG(MOVE2, 3);
        NEXT(MOVE2);
    }
    CASE(SWAP) :
    {
        Word kept = REG(SWAP, 0);
        REG(SWAP, 0) = REG(SWAP, 1);
        REG(SWAP, 1) = kept;
        NEXT(SWAP);
    }
    CASE(LOAD_SMALL) :
    {
        REG(LOAD_SMALL, 0) = small_from(S16_AT(LOAD_SMALL, 1)).w;
        NEXT(LOAD_SMALL);
    }
    CASE(LOAD_INT) :
    {
        REG(LOAD_INT, 0) = small_from(I32_AT(LOAD_INT, 1)).w;
        NEXT(LOAD_INT);
    }
    CASE(LOAD_ATOM) :
    {
        REG(LOAD_ATOM, 0) = ATOM_AT(LOAD_ATOM, 1).w;
        NEXT(LOAD_ATOM);
    }
    CASE(LOAD_NIL) :
    {
        REG(LOAD_NIL, 0) = TERM_NIL.w;
        NEXT(LOAD_NIL);
    }
    CASE(LOAD_LIT) :
    {
        REG(LOAD_LIT, 0) = LIT_AT(LOAD_LIT, 1);
        NEXT(LOAD_LIT);
    }

    /* -- jumps and tests -- */

    CASE(JUMP) : GOTO(JUMP, 0);
    CASE(LOOP) :
    {
        CHARGE_OR_PAUSE(LOOP);
        GOTO(LOOP, 1);
    }
    CASE(IS_INTEGER) : TEST(IS_INTEGER, 1, term_is_integer(TERM_AT(IS_INTEGER, 0)));
    CASE(IS_FLOAT) : TEST(IS_FLOAT, 1, term_is_float(TERM_AT(IS_FLOAT, 0)));
    CASE(IS_NUMBER) : TEST(IS_NUMBER, 1, term_is_number(TERM_AT(IS_NUMBER, 0)));
    CASE(IS_ATOM) : TEST(IS_ATOM, 1, term_is_atom(TERM_AT(IS_ATOM, 0)));
    CASE(IS_BOOLEAN) : TEST(IS_BOOLEAN, 1, term_is_boolean(TERM_AT(IS_BOOLEAN, 0)));
    CASE(IS_PID) : TEST(IS_PID, 1, term_is_pid(TERM_AT(IS_PID, 0)));
    CASE(IS_PORT) : TEST(IS_PORT, 1, term_is_port(TERM_AT(IS_PORT, 0)));
    CASE(IS_REF) : TEST(IS_REF, 1, term_is_ref(TERM_AT(IS_REF, 0)));
    CASE(IS_FUN) : TEST(IS_FUN, 1, term_is_fun(TERM_AT(IS_FUN, 0)));
    CASE(IS_FUN_OF) :
    {
        Term f = TERM_AT(IS_FUN_OF, 0);
        Term arity = TERM_AT(IS_FUN_OF, 1);
        TEST(IS_FUN_OF, 2,
             term_is_fun(f) && term_is_small(arity)
                 && small_value(arity) == (int64_t)fun_arity(f));
    }
    CASE(IS_LIST) : TEST(IS_LIST, 1, term_is_list(TERM_AT(IS_LIST, 0)));
    CASE(IS_CONS) : TEST(IS_CONS, 1, term_is_cons(TERM_AT(IS_CONS, 0)));
    CASE(IS_NIL) : TEST(IS_NIL, 1, term_is_nil(TERM_AT(IS_NIL, 0)));
    CASE(IS_TUPLE) : TEST(IS_TUPLE, 1, term_is_tuple(TERM_AT(IS_TUPLE, 0)));
    CASE(IS_TUPLE_OF)
        : TEST(IS_TUPLE_OF, 2,
               term_is_tuple_of(TERM_AT(IS_TUPLE_OF, 0), U16_AT(IS_TUPLE_OF, 1)));
    CASE(IS_RECORD) :
    {
        Term t = TERM_AT(IS_RECORD, 0);
        TEST(IS_RECORD, 3,
             term_is_tuple_of(t, U16_AT(IS_RECORD, 1))
                 && term_same(tuple_at(t, 0), ATOM_AT(IS_RECORD, 2)));
    }
    CASE(IS_MAP) : TEST(IS_MAP, 1, term_is_map(TERM_AT(IS_MAP, 0)));
    CASE(IS_BINARY) : TEST(IS_BINARY, 1, term_is_binary(TERM_AT(IS_BINARY, 0)));
    CASE(IS_BITSTRING) : TEST(IS_BITSTRING, 1, term_is_bitstring(TERM_AT(IS_BITSTRING, 0)));
    CASE(IS_THE_ATOM) : TEST(IS_THE_ATOM, 2, REG(IS_THE_ATOM, 0) == ATOM_AT(IS_THE_ATOM, 1).w);
    CASE(IS_NOT_ATOM) : TEST(IS_NOT_ATOM, 2, REG(IS_NOT_ATOM, 0) != ATOM_AT(IS_NOT_ATOM, 1).w);
    CASE(IS_THE_SMALL)
        : TEST(IS_THE_SMALL, 2, REG(IS_THE_SMALL, 0) == small_from(S16_AT(IS_THE_SMALL, 1)).w);
    CASE(IS_NOT_SMALL)
        : TEST(IS_NOT_SMALL, 2, REG(IS_NOT_SMALL, 0) != small_from(S16_AT(IS_NOT_SMALL, 1)).w);
    CASE(IS_SAME) : COMPARE(IS_SAME, order_quick_same(x, y), order == 0);
    CASE(IS_NOT_SAME) : COMPARE(IS_NOT_SAME, order_quick_same(x, y), order != 0);
    CASE(IS_EQUAL) : COMPARE(IS_EQUAL, order_quick_equal(x, y), order == 0);
    CASE(IS_NOT_EQUAL) : COMPARE(IS_NOT_EQUAL, order_quick_equal(x, y), order != 0);
    CASE(IS_LESS) : COMPARE(IS_LESS, order_quick(run->atoms, x, y), order < 0);
    CASE(IS_AT_LEAST) : COMPARE(IS_AT_LEAST, order_quick(run->atoms, x, y), order >= 0);
    CASE(IS_LESS_SMALL) : COMPARE_SMALL(IS_LESS_SMALL, <);
    CASE(IS_AT_MOST_SMALL) : COMPARE_SMALL(IS_AT_MOST_SMALL, <=);
    CASE(IS_MORE_SMALL) : COMPARE_SMALL(IS_MORE_SMALL, >);
    CASE(IS_AT_LEAST_SMALL) : COMPARE_SMALL(IS_AT_LEAST_SMALL, >=);
    CASE(SELECT_ATOM) :
    {
        Term t = TERM_AT(SELECT_ATOM, 0);
        if (!term_is_atom(t)) GOTO(SELECT_ATOM, 2);
        pc += interp_select(pc + LIST_AT(SELECT_ATOM), U16_AT(SELECT_ATOM, 1), atom_index(t),
                            I32_AT(SELECT_ATOM, 2));
        DISPATCH();
    }
    CASE(SELECT_SMALL) :
    {
        Term t = TERM_AT(SELECT_SMALL, 0);
        if (!term_is_small(t) || small_value(t) != (int32_t)small_value(t))
            GOTO(SELECT_SMALL, 2);
        pc += interp_select(pc + LIST_AT(SELECT_SMALL), U16_AT(SELECT_SMALL, 1),
                            (uint32_t)small_value(t), I32_AT(SELECT_SMALL, 2));
        DISPATCH();
    }
    CASE(SELECT_ARITY) :
    {
        Term t = TERM_AT(SELECT_ARITY, 0);
        if (!term_is_tuple(t)) GOTO(SELECT_ARITY, 2);
        pc += interp_select(pc + LIST_AT(SELECT_ARITY), U16_AT(SELECT_ARITY, 1),
                            (uint32_t)tuple_size(t), I32_AT(SELECT_ARITY, 2));
        DISPATCH();
    }

    /* -- lists, tuples, funs -- */

    CASE(CONS) :
    {
        top[0] = REG(CONS, 1);
        top[1] = REG(CONS, 2);
        REG(CONS, 0) = interp_top_take(&top, 2) | TAG_CONS;
        NEXT(CONS);
    }
    CASE(HEAD) :
    {
        REG(HEAD, 0) = list_head(TERM_AT(HEAD, 1)).w;
        NEXT(HEAD);
    }
    CASE(TAIL) :
    {
        REG(TAIL, 0) = list_tail(TERM_AT(TAIL, 1)).w;
        NEXT(TAIL);
    }
    CASE(UNCONS) :
    {
        const Term *cell = cons_cell(TERM_AT(UNCONS, 2));
        REG(UNCONS, 0) = cell[0].w;
        REG(UNCONS, 1) = cell[1].w;
        NEXT(UNCONS);
    }
    CASE(UNCONS_OR) :
    {
        Term t = TERM_AT(UNCONS_OR, 2);
        if (!term_is_cons(t)) GOTO(UNCONS_OR, 3);
        const Term *cell = cons_cell(t);
        REG(UNCONS_OR, 0) = cell[0].w;
        REG(UNCONS_OR, 1) = cell[1].w;
        NEXT(UNCONS_OR);
    }
    CASE(TUPLE) :
    {
        size_t n = U16_AT(TUPLE, 1);
        top[0] = header_make(KIND_TUPLE, n);
        interp_fill(top + 1, fp, pc + OPEND_TUPLE, n);
        REG(TUPLE, 0) = interp_top_take(&top, n + 1) | TAG_BOXED;
        NEXT_BYTES(LIST_BYTES(TUPLE, n, 2));
    }
    CASE(ELEMENT) :
    {
        REG(ELEMENT, 0) = tuple_at(TERM_AT(ELEMENT, 1), U16_AT(ELEMENT, 2)).w;
        NEXT(ELEMENT);
    }
    CASE(SET_ELEMENTS) : SLOW(slow_set_elements(p));
    CASE(MAKE_FUN) :
    {
        size_t n = U16_AT(MAKE_FUN, 1);
        top[0] = header_make(KIND_FUN, n + 1);
        top[1] = LIT_AT(MAKE_FUN, 2);
        interp_fill(top + 2, fp, pc + OPEND_MAKE_FUN, n);
        REG(MAKE_FUN, 0) = interp_top_take(&top, n + 2) | TAG_BOXED;
        NEXT_BYTES(LIST_BYTES(MAKE_FUN, n, 2));
    }
    CASE(EXPORT_FUN) :
    {
        top[0] = header_make(KIND_EXPORT_FUN, 1);
        top[1] = LIT_AT(EXPORT_FUN, 1);
        REG(EXPORT_FUN, 0) = interp_top_take(&top, 2) | TAG_BOXED;
        NEXT(EXPORT_FUN);
    }
    CASE(FREE_VAR) :
    {
        REG(FREE_VAR, 0) = boxed_term(TERM_AT(FREE_VAR, 1), 1 + U16_AT(FREE_VAR, 2)).w;
        NEXT(FREE_VAR);
    }

    /* -- maps -- */

    CASE(MAP_BUILD) :
    {
        size_t n = U16_AT(MAP_BUILD, 1);
        top[0] = header_make(KIND_MAP, n + 1);
        top[1] = LIT_AT(MAP_BUILD, 2);
        interp_fill(top + 2, fp, pc + OPEND_MAP_BUILD, n);
        REG(MAP_BUILD, 0) = interp_top_take(&top, n + 2) | TAG_BOXED;
        NEXT_BYTES(LIST_BYTES(MAP_BUILD, n, 2));
    }
    CASE(MAP_PUT) : SLOW(slow_map_put(p, false));
    CASE(MAP_UPDATE) : SLOW(slow_map_put(p, true));
    CASE(MAP_GET) :
    {
        Term value = map_get_quick(run->atoms, TERM_AT(MAP_GET, 1), TERM_AT(MAP_GET, 2));
        if (term_is_none(value)) GOTO(MAP_GET, 3);
        if (UNLIKELY(term_same(value, TERM_YIELD))) SLOW(slow_map_get(p));
        REG(MAP_GET, 0) = value.w;
        NEXT(MAP_GET);
    }
    CASE(MAP_HAS) :
    {
        Term value = map_get_quick(run->atoms, TERM_AT(MAP_HAS, 0), TERM_AT(MAP_HAS, 1));
        if (UNLIKELY(term_same(value, TERM_YIELD))) SLOW(slow_map_has(p));
        TEST(MAP_HAS, 2, !term_is_none(value));
    }

    /* -- arithmetic -- */

    CASE(ADD) :
    {
        Word a = REG(ADD, 1);
        Word b = REG(ADD, 2);
        int64_t sum;
        if (UNLIKELY(((a | b) & TAG_MASK) != 0)
            || __builtin_add_overflow((int64_t)a, (int64_t)b, &sum)) {
            FLOATS(ADD, +);
            ARITHMETIC(ADD, NUMBER_ADD);
        }
        REG(ADD, 0) = (Word)sum;
        NEXT(ADD);
    }
    CASE(SUB) :
    {
        Word a = REG(SUB, 1);
        Word b = REG(SUB, 2);
        int64_t difference;
        if (UNLIKELY(((a | b) & TAG_MASK) != 0)
            || __builtin_sub_overflow((int64_t)a, (int64_t)b, &difference)) {
            FLOATS(SUB, -);
            ARITHMETIC(SUB, NUMBER_SUB);
        }
        REG(SUB, 0) = (Word)difference;
        NEXT(SUB);
    }
    CASE(MUL) :
    {
        Word a = REG(MUL, 1);
        Word b = REG(MUL, 2);
        int64_t product;
        if (UNLIKELY(((a | b) & TAG_MASK) != 0)
            || __builtin_mul_overflow((int64_t)a, (int64_t)b >> 2, &product)) {
            FLOATS(MUL, *);
            ARITHMETIC(MUL, NUMBER_MUL);
        }
        REG(MUL, 0) = (Word)product;
        NEXT(MUL);
    }
    CASE(DIV) :
    {
        Word a = REG(DIV, 1);
        Word b = REG(DIV, 2);
        FLOATS(DIV, /);
        ARITHMETIC(DIV, NUMBER_DIVIDE);
    }
    CASE(ADD_FLOATS)
        : EXPECT_NUMBERS(ADD_FLOATS, +, NUMBER_ADD,
                         __builtin_add_overflow((int64_t)a, (int64_t)b, &n));
    CASE(SUB_FLOATS)
        : EXPECT_NUMBERS(SUB_FLOATS, -, NUMBER_SUB,
                         __builtin_sub_overflow((int64_t)a, (int64_t)b, &n));
    CASE(MUL_FLOATS)
        : EXPECT_NUMBERS(MUL_FLOATS, *, NUMBER_MUL,
                         __builtin_mul_overflow((int64_t)a, (int64_t)b >> 2, &n));
    CASE(DIV_FLOATS) :
    {
        Word a = REG(DIV_FLOATS, 1);
        Word b = REG(DIV_FLOATS, 2);
        EXPECT_FLOATS(DIV_FLOATS, /, NUMBER_DIVIDE);
    }
    CASE(INT_DIV) :
    {
        Word a = REG(INT_DIV, 1);
        Word b = REG(INT_DIV, 2);
        if (UNLIKELY(((a | b) & TAG_MASK) != 0) || UNLIKELY(b == 0)
            || UNLIKELY(b == small_from(-1).w))
            ARITHMETIC(INT_DIV, NUMBER_DIV);
        REG(INT_DIV, 0) = (Word)((int64_t)a / (int64_t)b) << 2;
        NEXT(INT_DIV);
    }
    CASE(REM) :
    {
        Word a = REG(REM, 1);
        Word b = REG(REM, 2);
        if (UNLIKELY(((a | b) & TAG_MASK) != 0) || UNLIKELY(b == 0)
            || UNLIKELY(b == small_from(-1).w))
            ARITHMETIC(REM, NUMBER_REM);
        REG(REM, 0) = (Word)((int64_t)a % (int64_t)b);
        NEXT(REM);
    }
    CASE(BAND) : BITWISE(BAND, &, NUMBER_BAND);
    CASE(BOR) : BITWISE(BOR, |, NUMBER_BOR);
    CASE(BXOR) : BITWISE(BXOR, ^, NUMBER_BXOR);
    CASE(BSL) :
    {
        Word a = REG(BSL, 1);
        Word b = REG(BSL, 2);
        int64_t by = (int64_t)b >> 2;
        if (UNLIKELY(((a | b) & TAG_MASK) != 0) || by < 0 || by > 61
            || (int64_t)(a << by) >> by != (int64_t)a)
            ARITHMETIC(BSL, NUMBER_BSL);
        REG(BSL, 0) = a << by;
        NEXT(BSL);
    }
    CASE(BSR) :
    {
        Word a = REG(BSR, 1);
        Word b = REG(BSR, 2);
        int64_t by = (int64_t)b >> 2;
        if (UNLIKELY(((a | b) & TAG_MASK) != 0) || by < 0) ARITHMETIC(BSR, NUMBER_BSR);
        REG(BSR, 0) = (Word)((int64_t)a >> (by > 61 ? 61 : by)) & ~(Word)TAG_MASK;
        NEXT(BSR);
    }
    CASE(NEGATE) :
    {
        SLOW(slow_arithmetic(p, NUMBER_NEG, TERM_AT(NEGATE, 1), TERM_NIL, S16_AT(NEGATE, 0),
                             OPLEN_NEGATE));
    }
    CASE(BNOT) :
    {
        Word a = REG(BNOT, 1);
        if (UNLIKELY((a & TAG_MASK) != 0))
            SLOW(slow_arithmetic(p, NUMBER_BNOT, TERM_RAW(a), TERM_NIL, S16_AT(BNOT, 0),
                                 OPLEN_BNOT));
        REG(BNOT, 0) = ~a & ~(Word)TAG_MASK;
        NEXT(BNOT);
    }
    CASE(ADD_SMALL) :
    {
        Word a = REG(ADD_SMALL, 1);
        Word b = small_from(S16_AT(ADD_SMALL, 2)).w;
        int64_t sum;
        if (UNLIKELY((a & TAG_MASK) != 0)
            || __builtin_add_overflow((int64_t)a, (int64_t)b, &sum))
            SLOW(slow_arithmetic(p, NUMBER_ADD, TERM_RAW(a), TERM_RAW(b), S16_AT(ADD_SMALL, 0),
                                 OPLEN_ADD_SMALL));
        REG(ADD_SMALL, 0) = (Word)sum;
        NEXT(ADD_SMALL);
    }
    CASE(SUB_SMALL) :
    {
        Word a = REG(SUB_SMALL, 1);
        Word b = small_from(S16_AT(SUB_SMALL, 2)).w;
        int64_t difference;
        if (UNLIKELY((a & TAG_MASK) != 0)
            || __builtin_sub_overflow((int64_t)a, (int64_t)b, &difference))
            SLOW(slow_arithmetic(p, NUMBER_SUB, TERM_RAW(a), TERM_RAW(b), S16_AT(SUB_SMALL, 0),
                                 OPLEN_SUB_SMALL));
        REG(SUB_SMALL, 0) = (Word)difference;
        NEXT(SUB_SMALL);
    }

    CASE(MUL_SMALL) :
    {
        Word a = REG(MUL_SMALL, 1);
        int64_t product;
        if (UNLIKELY((a & TAG_MASK) != 0)
            || __builtin_mul_overflow((int64_t)a, (int64_t)S16_AT(MUL_SMALL, 2), &product))
            ARITHMETIC_SMALL(MUL_SMALL, NUMBER_MUL);
        REG(MUL_SMALL, 0) = (Word)product;
        NEXT(MUL_SMALL);
    }
    CASE(INT_DIV_SMALL)
        : WITH_SMALL(INT_DIV_SMALL, NUMBER_DIV, small_from(small_value(a) / n).w);
    CASE(REM_SMALL) : WITH_SMALL(REM_SMALL, NUMBER_REM, small_from(small_value(a) % n).w);
    CASE(BAND_SMALL) : WITH_SMALL(BAND_SMALL, NUMBER_BAND, a.w & small_from(n).w);
    CASE(BSL_SMALL) :
    {
        Word a = REG(BSL_SMALL, 1);
        int by = S16_AT(BSL_SMALL, 2);
        if (UNLIKELY((a & TAG_MASK) != 0) || (int64_t)(a << by) >> by != (int64_t)a)
            ARITHMETIC_SMALL(BSL_SMALL, NUMBER_BSL);
        REG(BSL_SMALL, 0) = a << by;
        NEXT(BSL_SMALL);
    }
    CASE(BSR_SMALL) : WITH_SMALL(BSR_SMALL, NUMBER_BSR, small_from(small_value(a) >> n).w);
    CASE(TRY_ARITHMETIC) :
    {
        Word a = REG(TRY_ARITHMETIC, 1);
        Word b = REG(TRY_ARITHMETIC, 2);
        uint32_t op = U16_AT(TRY_ARITHMETIC, 3);
        int64_t value;
        if (UNLIKELY(((a | b) & TAG_MASK) != 0)) SLOW(slow_try_arithmetic(p));
        if (op == ARITHMETIC_REM && (int64_t)b > 0)
            value = (int64_t)a % (int64_t)b;
        else if (op == ARITHMETIC_BAND)
            value = (int64_t)(a & b);
        else if (op > ARITHMETIC_SUB
                 || (op == ARITHMETIC_ADD
                         ? __builtin_add_overflow((int64_t)a, (int64_t)b, &value)
                         : __builtin_sub_overflow((int64_t)a, (int64_t)b, &value)))
            SLOW(slow_try_arithmetic(p));
        REG(TRY_ARITHMETIC, 0) = (Word)value;
        NEXT(TRY_ARITHMETIC);
    }

    /* -- bitstrings -- */

    CASE(BITS_BUILD) : SLOW(slow_bits_build(p));
    CASE(BITS_START) : SLOW(slow_bits_start(p));
    CASE(BITS_INT) : SLOW(slow_bits_int(p));
    CASE(BITS_INT_CONST) :
    {
        Word *context = boxed_words(TERM_AT(BITS_INT_CONST, 1));
        Word bits = small_from((int64_t)U16_AT(BITS_INT_CONST, 2)).w;
        if (context[3] - context[2] < bits) GOTO(BITS_INT_CONST, 4);
        if (UNLIKELY(U16_AT(BITS_INT_CONST, 3) != 0) || UNLIKELY(bits > small_from(56).w))
            SLOW(slow_bits_int_const(p));
        REG(BITS_INT_CONST, 0) = interp_bits_read(context, U16_AT(BITS_INT_CONST, 2));
        context[2] += bits;
        NEXT(BITS_INT_CONST);
    }
    CASE(BITS_FLOAT) : SLOW(slow_bits_float(p));
    CASE(BITS_BINARY) : SLOW(slow_bits_binary(p));
    CASE(BITS_REST) : SLOW(slow_bits_rest(p));
    CASE(BITS_UTF) : SLOW(slow_bits_utf(p));
    CASE(BITS_SKIP) : SLOW(slow_bits_skip(p));
    CASE(BITS_SKIP_CONST) :
    {
        Word *context = boxed_words(TERM_AT(BITS_SKIP_CONST, 0));
        Word bits = small_from((int64_t)U16_AT(BITS_SKIP_CONST, 1)).w;
        if (context[3] - context[2] < bits) GOTO(BITS_SKIP_CONST, 2);
        context[2] += bits;
        NEXT(BITS_SKIP_CONST);
    }
    CASE(BITS_SKIP_UTF) : SLOW(slow_bits_skip_utf(p));
    CASE(BITS_IS_END) :
    {
        const Word *context = boxed_words(TERM_AT(BITS_IS_END, 0));
        TEST(BITS_IS_END, 1, context[2] == context[3]);
    }
    CASE(BITS_IS_UNIT) :
    {
        const Word *context = boxed_words(TERM_AT(BITS_IS_UNIT, 0));
        Word left = (context[3] - context[2]) >> 2;
        Word unit = U16_AT(BITS_IS_UNIT, 1);
        TEST(BITS_IS_UNIT, 2, LIKELY(unit == 8) ? left % 8 == 0 : left % unit == 0);
    }
    CASE(BITS_IS_STRING) : SLOW(slow_bits_is_string(p));
    CASE(BITS_POSITION) :
    {
        REG(BITS_POSITION, 0) = boxed_words(TERM_AT(BITS_POSITION, 1))[2];
        NEXT(BITS_POSITION);
    }
    CASE(BITS_SEEK) :
    {
        boxed_words(TERM_AT(BITS_SEEK, 0))[2] = REG(BITS_SEEK, 1);
        NEXT(BITS_SEEK);
    }

    CASE(BITS_TAIL) : SLOW(slow_bits_tail(p));

    /* -- exceptions -- */

    CASE(BADMATCH) : SLOW(slow_raise_value(p, ATOM_BADMATCH, TERM_AT(BADMATCH, 0)));
    CASE(CASE_CLAUSE) : SLOW(slow_raise_value(p, ATOM_CASE_CLAUSE, TERM_AT(CASE_CLAUSE, 0)));
    CASE(TRY_CLAUSE) : SLOW(slow_raise_value(p, ATOM_TRY_CLAUSE, TERM_AT(TRY_CLAUSE, 0)));
    CASE(ELSE_CLAUSE) : SLOW(slow_raise_value(p, ATOM_ELSE_CLAUSE, TERM_AT(ELSE_CLAUSE, 0)));
    CASE(IF_CLAUSE) : SLOW(slow_raise_atom(p, ATOM_IF_CLAUSE));
    CASE(FUNCTION_CLAUSE) : SLOW(slow_raise_atom(p, ATOM_FUNCTION_CLAUSE));
    CASE(RAISE_ERROR) : SLOW(slow_raise_error(p, TERM_AT(RAISE_ERROR, 0)));
    CASE(RAISE)
        : SLOW(slow_raise_again(p, TERM_AT(RAISE, 0), TERM_AT(RAISE, 1), TERM_AT(RAISE, 2)));
    CASE(BUILD_TRACE) : SLOW(slow_build_trace(p));
    CASE(CATCH_VALUE) : SLOW(slow_catch_value(p));

    /* -- receive -- */

    CASE(RECV_PEEK) :
    {
        const Message *message = mailbox_peek(&p->mailbox);
        if (message == NULL) GOTO(RECV_PEEK, 1);
        REG(RECV_PEEK, 0) = message->value.w;
        NEXT(RECV_PEEK);
    }
    CASE(RECV_ACCEPT) : SLOW(slow_recv_accept(p));
    CASE(RECV_NEXT) :
    {
        CHARGE_OR_PAUSE(RECV_NEXT);
        mailbox_next(&p->mailbox);
        GOTO(RECV_NEXT, 1);
    }
    CASE(RECV_WAIT) :
    {
        CHARGE_OR_PAUSE(RECV_WAIT);
        SLOW(slow_recv_wait(p));
    }
    CASE(RECV_WAIT_FOR) :
    {
        CHARGE_OR_PAUSE(RECV_WAIT_FOR);
        SLOW(slow_recv_wait_for(p));
    }
    CASE(RECV_MARK) :
    {
        REG(RECV_MARK, 0) = mailbox_mark(&p->mailbox).w;
        NEXT(RECV_MARK);
    }
    CASE(RECV_FROM) :
    {
        mailbox_from(&p->mailbox, TERM_AT(RECV_FROM, 0));
        NEXT(RECV_FROM);
    }

    /* -- stubs -- */

    CASE(SEND) :
    {
        CHARGE_OR_PAUSE(SEND);
        SLOW(slow_send(p));
    }
    CASE(APPLY) :
    {
        CHARGE_OR_PAUSE(APPLY);
        SLOW(slow_apply(p));
    }
    CASE(APPLY_FUN) :
    {
        CHARGE_OR_PAUSE(APPLY_FUN);
        SLOW(slow_apply_fun(p));
    }
    CASE(HIBERNATE) :
    {
        CHARGE_OR_PAUSE(HIBERNATE);
        SLOW(slow_hibernate(p));
    }
    CASE(PROCESS_END) :
    {
        STORE_STATE();
        return RUN_ENDED;
    }
    CASE(UNDEFINED) : SLOW(slow_undefined(p));
    CASE(FUN_GONE) : SLOW(slow_fun_gone(p));

#if !CONFIG_THREADED
case OP_COUNT: UNREACHABLE();
}
#endif

after_slow : if (LIKELY(slow == SLOW_NEXT))
{
    LOAD_STATE();
    DISPATCH();
}
if (slow == SLOW_RAISE && unwind_to_handler(p)) {
    LOAD_STATE();
    DISPATCH();
}
return slow == SLOW_RAISE ? RUN_CRASHED : run->stop;
}
