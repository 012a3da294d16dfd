/*
 * Walking lists in slices, for the built-ins that do.
 */
#pragma once

#include "vm/bif/bif.h"

/* Elements between two looks at the slice. */
#define BIF_LIST_STEP 128
