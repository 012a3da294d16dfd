#include "vm/format/opcodes.h"

#define OP_COUNT_ARGS(...) OP_COUNT_ARGS_(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)

#define OP_COUNT_ARGS_(name, a, b, c, d, e, f, g, h, count, ...) count

/* The table's words for effects. */
#define PURE      EFFECT_PURE
#define ALLOCATES EFFECT_ALLOCATES
#define TAKES     EFFECT_TAKES
#define RAISES    EFFECT_RAISES
#define BRANCHES  EFFECT_BRANCHES
#define CALLS     EFFECT_CALLS
#define ENDS      EFFECT_ENDS
#define MUTATES   EFFECT_MUTATES

#define OP_IS_LIST(kind) ((kind) >= OPERAND_SRCS)

/* The last operand is the list if there is one. */
#define OP_LIST(a, b, c, d, e, f, g, h) \
    (OP_IS_LIST(a)   ? (a)              \
     : OP_IS_LIST(b) ? (b)              \
     : OP_IS_LIST(c) ? (c)              \
     : OP_IS_LIST(d) ? (d)              \
     : OP_IS_LIST(e) ? (e)              \
     : OP_IS_LIST(f) ? (f)              \
     : OP_IS_LIST(g) ? (g)              \
     : OP_IS_LIST(h) ? (h)              \
                     : OPERAND_END)

/* The nearest U16 before a list counts its entries. */
#define OP_COUNTER(a, b, c, d, e, f, g, h) \
    ((h) == OPERAND_U16   ? 7              \
     : (g) == OPERAND_U16 ? 6              \
     : (f) == OPERAND_U16 ? 5              \
     : (e) == OPERAND_U16 ? 4              \
     : (d) == OPERAND_U16 ? 3              \
     : (c) == OPERAND_U16 ? 2              \
     : (b) == OPERAND_U16 ? 1              \
                          : 0)

#define OP_ROW(...) OP_ROW_(__VA_ARGS__, END, END, END, END, END, END, END, END, END)
#define OP_ROW_(row, a, b, c, d, e, f, g, h, ...)                                           \
    .operands = {OPERAND_##a, OPERAND_##b, OPERAND_##c, OPERAND_##d, OPERAND_##e,           \
                 OPERAND_##f, OPERAND_##g, OPERAND_##h, OPERAND_END},                       \
    .offsets = {OPOFF##row##_0, OPOFF##row##_1, OPOFF##row##_2, OPOFF##row##_3,             \
                OPOFF##row##_4, OPOFF##row##_5, OPOFF##row##_6, OPOFF##row##_7},            \
    .list_kind = OP_LIST(OPERAND_##a, OPERAND_##b, OPERAND_##c, OPERAND_##d, OPERAND_##e,   \
                         OPERAND_##f, OPERAND_##g, OPERAND_##h),                            \
    .count_operand = OP_COUNTER(OPERAND_##a, OPERAND_##b, OPERAND_##c, OPERAND_##d,         \
                                OPERAND_##e, OPERAND_##f, OPERAND_##g, OPERAND_##h),        \
    .fixed_bytes = OP_LIST(OPERAND_##a, OPERAND_##b, OPERAND_##c, OPERAND_##d, OPERAND_##e, \
                           OPERAND_##f, OPERAND_##g, OPERAND_##h)                           \
                       ? OPEND##row                                                         \
                       : OPLEN##row

#include "vm/format/opcodes_words.h"
#define OP(row, words, does, means)                             \
    [OP_##row] = {.name = #row,                                 \
                  .meaning = means,                             \
                  .effects = does,                              \
                  .operand_count = OP_COUNT_ARGS(_##row words), \
                  OP_ROW(_##row words)},
const OpInfo op_info[OP_COUNT] = {
#include "vm/format/opcodes.def"
};
#undef OP
#define OPCODES_WORDS_END
#include "vm/format/opcodes_words.h"
