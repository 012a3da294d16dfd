/* Names that were perhaps meant, told under the message that was added last.  Private to lint.
 *
 * Owns: nothing; the state is Lint's. */
#pragma once

#include "compiler/syntax/lint_state.h"

void lint_hint_function(Lint *l, NameId name, uint32_t arity);
void lint_hint_variable(Lint *l, NameId name);
void lint_hint_record(Lint *l, NameId name);
void lint_hint_field(Lint *l, const RecordInfo *r, NameId field);
void lint_hint_type(Lint *l, NameId name);

/* A warning about an attribute of one's own that is nearly one of the language. */
void lint_check_attribute_name(Lint *l, const Ast *form);
