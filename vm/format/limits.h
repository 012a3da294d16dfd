/* Every number that bounds what a program may do, each with its reason. */
#pragma once

/* arguments of a function: one byte in the language's own formats */
#define LIMIT_ARITY 255
/* registers of a frame: operands are 16 bits (machine.md 8) */
#define LIMIT_FRAME           4000
#define LIMIT_TUPLE_SIZE      16777215 /* as Erlang */
#define LIMIT_ATOM_CHARACTERS 255      /* as Erlang */
#define LIMIT_ATOMS           1048576  /* default of +t in Erlang */
#define LIMIT_ATOMS_LIBRARY   65536    /* more that only the embedded library may make */
#define LIMIT_PROCESSES       16777216 /* default of the option; 28 bits of a pid bound it */
#define LIMIT_BIG_WORDS       524287   /* limbs of a big integer: 33,554,368 bits, as OTP 25 */
#define LIMIT_INLINE_MAP      32       /* registers that a LIVE descriptor's own bits cover */
/* words that a function leaves below its frame when it takes promised heap: so many registers
 * above a call's window its caller may use at once */
#define LIMIT_CALL_GAP 8
/* words that ENTER and RESERVE may promise across TAKES instructions */
#define LIMIT_NEED        8191 /* words of a NEED operand: bytes of 16 bits in loaded code */
#define LIMIT_BLOCK_SLACK 256
