/* The operand words of opcodes.def as macro arguments, on and off again: include once before the
 * table, and once more, with OPCODES_WORDS_END defined, behind it. */
#ifndef OPCODES_WORDS_END
#define DST      , DST
#define SRC      , SRC
#define S16      , S16
#define U16      , U16
#define ARITY    , ARITY
#define NEED     , NEED
#define WEIGHT   , WEIGHT
#define I32      , I32
#define ATOM     , ATOM
#define LIT      , LIT
#define LABEL    , LABEL
#define FAIL     , FAIL
#define FUN      , FUN
#define IMPORT   , IMPORT
#define BIF      , BIF
#define LAMBDA   , LAMBDA
#define LIVE     , LIVE
#define SRCS     , SRCS
#define PAIRS    , PAIRS
#define SEGMENTS , SEGMENTS
#define CASES    , CASES
#else
#undef DST
#undef SRC
#undef S16
#undef U16
#undef ARITY
#undef NEED
#undef WEIGHT
#undef I32
#undef ATOM
#undef LIT
#undef LABEL
#undef FAIL
#undef FUN
#undef IMPORT
#undef BIF
#undef LAMBDA
#undef LIVE
#undef SRCS
#undef PAIRS
#undef SEGMENTS
#undef CASES
#undef OPCODES_WORDS_END
#endif
