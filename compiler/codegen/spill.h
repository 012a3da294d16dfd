/* Values that would need more registers than a frame has wait in tuples on the heap.
 *
 * Functions in which few values live at once are left as they are.  In others a value that is used
 * far from its definition is put into a tuple together with its neighbours soon after, and taken
 * out again in front of each use.  So a function may hold any number of values, and the passes
 * behind this one never see more than about a thousand of them live at once.
 *
 * Changes the core function in place; needs blocks in the order of core_tidy, and nothing that
 * looks through tuples may follow.  One thread.  Design page: docs/design/codegen.md. */
#pragma once

#include "compiler/core/core.h"

void spill_function(CoreFunction *f, Arena *arena);
