#include "compiler/syntax/slip.h"

#include "vm/base/config.h"
#include "vm/base/similar.h"

/* Attributes and directives that mean something. */
static const NameId attributes[] = {
    NAME_MODULE,     NAME_EXPORT,   NAME_IMPORT,    NAME_COMPILE,  NAME_RECORD,
    NAME_TYPE,       NAME_OPAQUE,   NAME_SPEC,      NAME_ON_LOAD,  NAME_CALLBACK,
    NAME_BEHAVIOUR,  NAME_BEHAVIOR, NAME_DEFINE,    NAME_INCLUDE,  NAME_EXPORT_TYPE,
    NAME_UNDEF,      NAME_IFDEF,    NAME_IFNDEF,    NAME_ENDIF,    NAME_INCLUDE_LIB,
    NAME_DEPRECATED, NAME_FEATURE,  NAME_MODULEDOC, NAME_DIALYZER, NAME_OPTIONAL_CALLBACKS};

/* One's own attributes are allowed, so short ones are never slips, and one step is the most. */
#define SIZE_LEAST 4

NameId slip_attribute(const Names *names, NameId name)
{
    NameId best = NAME_NONE;
    Similar s = similar_to(names_text(names, name), names_size(names, name));
    if (s.size < SIZE_LEAST) return NAME_NONE;
    s.distance = 2;
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        if (attributes[i] == name) return NAME_NONE;
        if (similar_offer(&s, names_text(names, attributes[i]),
                          names_size(names, attributes[i])))
            best = attributes[i];
    }
    return best;
}
