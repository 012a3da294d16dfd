/* Under a syntax error: what stands open in the form, or what seems to be missing.
 * Owns nothing; one compilation's thread. */
#pragma once

#include "compiler/syntax/lexer.h"

/* Adds a hint to the message just reported about tokens[at] of a form, where one helps. */
void balance_hint(Compilation *c, const Token *tokens, size_t count, size_t at);
