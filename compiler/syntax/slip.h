/* Names of the language that a name of the program is perhaps a slip for.
 * Owns nothing; one compilation's thread. */
#pragma once

#include "compiler/source/names.h"

/* The attribute or directive that somebody meant who wrote `-name`; NAME_NONE: there is none near,
 * or it is one. */
NameId slip_attribute(const Names *names, NameId name);
