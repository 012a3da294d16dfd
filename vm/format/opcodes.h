/* The instruction set as constants, from opcodes.def: numbers, operand kinds, where operands lie.
 *
 * Pure data; any thread.  OPOFF_ADD_1 is the byte offset of ADD's second operand from the start of
 * the instruction, OPLEN_ADD the bytes of its fixed part (its length, where no list follows).
 * Design page: docs/design/bytecode.md. */
#pragma once

#include "vm/base/config.h"
#include "vm/format/limits.h"

typedef enum Opcode {
#define OP(name, operands, effects, meaning) OP_##name,
#include "vm/format/opcodes.def"
#undef OP
    OP_COUNT
} Opcode;

typedef enum OperandKind {
    OPERAND_END,
    OPERAND_DST,
    OPERAND_SRC,
    OPERAND_S16,
    OPERAND_U16,
    OPERAND_ARITY,
    OPERAND_NEED,
    OPERAND_WEIGHT,
    OPERAND_I32,
    OPERAND_ATOM,
    OPERAND_LIT,
    OPERAND_LABEL,
    OPERAND_FAIL,
    OPERAND_FUN,
    OPERAND_IMPORT,
    OPERAND_BIF,
    OPERAND_LAMBDA,
    OPERAND_LIVE,
    OPERAND_SRCS,
    OPERAND_PAIRS,
    OPERAND_SEGMENTS,
    OPERAND_CASES,
    OPERAND_KIND_COUNT
} OperandKind;

/* What an instruction may do besides writing its DSTs; opcodes.def explains each. */
typedef enum OpEffect {
    EFFECT_PURE = 0,
    EFFECT_ALLOCATES = 1,
    EFFECT_TAKES = 2,
    EFFECT_RAISES = 4,
    EFFECT_BRANCHES = 8,
    EFFECT_CALLS = 16,
    EFFECT_ENDS = 32,
    EFFECT_MUTATES = 64
} OpEffect;

#define OP_MAX_OPERANDS 8

typedef struct OpInfo {
    const char *name;
    const char *meaning;
    uint8_t operands[OP_MAX_OPERANDS + 1]; /* OperandKind, OPERAND_END behind the last */
    uint8_t offsets[OP_MAX_OPERANDS];      /* bytes from the start of the instruction */
    uint8_t effects;                       /* OpEffect bits */
    uint8_t operand_count;                 /* the list, if any, included */
    uint8_t fixed_bytes;                   /* where a list begins; else the whole length */
    uint8_t list_kind;                     /* OPERAND_SRCS … OPERAND_CASES, or OPERAND_END */
    uint8_t count_operand;                 /* which operand counts the list's entries */
} OpInfo;

extern const OpInfo op_info[OP_COUNT];

/* A FAIL operand that means "raise", in the file. */
#define NO_LABEL UINT32_MAX

/* Flags of a LIVE operand. */
#define LIVE_FLAG_IN_TRY  1u /* a handler's range covers the call */
#define LIVE_FLAG_BIG_MAP 2u /* `map` is an index into the module's big maps */

/* Flags of BITS_ instructions (all of them use only the lower byte) and of the first half of a
 * BITS_BUILD segment, whose type stands in the low four bits of that half. */
enum {
    BITS_TYPE_INTEGER = 0,
    BITS_TYPE_FLOAT = 1,
    BITS_TYPE_BINARY = 2, /* any bitstring; of whole units */
    BITS_TYPE_UTF8 = 3,
    BITS_TYPE_UTF16 = 4,
    BITS_TYPE_UTF32 = 5,
    BITS_TYPE_MASK = 15,
    BITS_LITTLE = 0x10,
    BITS_SIGNED = 0x20,
    BITS_SIZE_CONST = 0x40, /* the segment's size is a number of units, not a register */
    BITS_SIZE_ALL = 0x80    /* a binary segment without size: all of the value; size is zero */
};

/* The operators of TRY_ARITHMETIC. */
enum {
    ARITHMETIC_ADD,
    ARITHMETIC_SUB,
    ARITHMETIC_MUL,
    ARITHMETIC_DIVIDE, /* the operator / */
    ARITHMETIC_DIV,
    ARITHMETIC_REM,
    ARITHMETIC_BAND,
    ARITHMETIC_BOR,
    ARITHMETIC_BXOR,
    ARITHMETIC_BSL,
    ARITHMETIC_BSR,
    ARITHMETIC_COUNT
};

/* One entry of a BITS_BUILD list: four halves. */
typedef struct BitsSegment {
    uint16_t type_flags;
    uint16_t value; /* register */
    uint16_t size;  /* register, or a number of units with BITS_SIZE_CONST */
    uint16_t unit;  /* bits, 1 to 256 */
} BitsSegment;

/* Size and alignment in bytes of one operand of each kind; a list counts nothing itself. */
#define OPSIZE_END      0
#define OPSIZE_DST      2
#define OPSIZE_SRC      2
#define OPSIZE_S16      2
#define OPSIZE_U16      2
#define OPSIZE_ARITY    2
#define OPSIZE_NEED     2
#define OPSIZE_WEIGHT   2
#define OPSIZE_I32      4
#define OPSIZE_ATOM     4
#define OPSIZE_LIT      4
#define OPSIZE_LABEL    4
#define OPSIZE_FAIL     4
#define OPSIZE_FUN      4
#define OPSIZE_IMPORT   4
#define OPSIZE_BIF      4
#define OPSIZE_LAMBDA   4
#define OPSIZE_LIVE     8
#define OPSIZE_SRCS     0
#define OPSIZE_PAIRS    0
#define OPSIZE_SEGMENTS 0
#define OPSIZE_CASES    0

/* LIVE is read as {u32, u16, u16}: it needs the alignment of its largest part only.  A list stands
 * at the next half, CASES at the next multiple of four. */
#define OPALIGN_END      1
#define OPALIGN_DST      2
#define OPALIGN_SRC      2
#define OPALIGN_S16      2
#define OPALIGN_U16      2
#define OPALIGN_ARITY    2
#define OPALIGN_NEED     2
#define OPALIGN_WEIGHT   2
#define OPALIGN_I32      4
#define OPALIGN_ATOM     4
#define OPALIGN_LIT      4
#define OPALIGN_LABEL    4
#define OPALIGN_FAIL     4
#define OPALIGN_FUN      4
#define OPALIGN_IMPORT   4
#define OPALIGN_BIF      4
#define OPALIGN_LAMBDA   4
#define OPALIGN_LIVE     4
#define OPALIGN_SRCS     2
#define OPALIGN_PAIRS    2
#define OPALIGN_SEGMENTS 2
#define OPALIGN_CASES    4

/* A row's operand words become the arguments of a macro: `DST SRC` is `, DST , SRC` after
 * expansion of the words by opcodes_words.h.  The name is passed with an underscore in front,
 * because one row is called like an operand word. */
#define OP_ALIGN_TO(offset, alignment) (((offset) + (alignment)-1) / (alignment) * (alignment))

#define OP_LAYOUT(...) \
    OP_LAYOUT_PADDED(__VA_ARGS__, END, END, END, END, END, END, END, END, END)
#define OP_LAYOUT_PADDED(name, a, b, c, d, e, f, g, h, ...)                   \
    OPOFF##name##_0 = OP_ALIGN_TO(2, OPALIGN_##a),                            \
    OPOFF##name##_1 = OP_ALIGN_TO(OPOFF##name##_0 + OPSIZE_##a, OPALIGN_##b), \
    OPOFF##name##_2 = OP_ALIGN_TO(OPOFF##name##_1 + OPSIZE_##b, OPALIGN_##c), \
    OPOFF##name##_3 = OP_ALIGN_TO(OPOFF##name##_2 + OPSIZE_##c, OPALIGN_##d), \
    OPOFF##name##_4 = OP_ALIGN_TO(OPOFF##name##_3 + OPSIZE_##d, OPALIGN_##e), \
    OPOFF##name##_5 = OP_ALIGN_TO(OPOFF##name##_4 + OPSIZE_##e, OPALIGN_##f), \
    OPOFF##name##_6 = OP_ALIGN_TO(OPOFF##name##_5 + OPSIZE_##f, OPALIGN_##g), \
    OPOFF##name##_7 = OP_ALIGN_TO(OPOFF##name##_6 + OPSIZE_##g, OPALIGN_##h), \
    OPEND##name = OPOFF##name##_7 + OPSIZE_##h, OPLEN##name = OP_ALIGN_TO(OPEND##name, 4),

enum {
#include "vm/format/opcodes_words.h"
#define OP(name, operands, effects, meaning) OP_LAYOUT(_##name operands)
#include "vm/format/opcodes.def"
#undef OP
#define OPCODES_WORDS_END
#include "vm/format/opcodes_words.h"
    OP_LAYOUT_END_MARK
};
