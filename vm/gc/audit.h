/*
 * Walks a whole process heap and believes nothing: every word a legal term or header, every
 * pointer into memory of the process or a literal, old never to young, each handle on its list
 * once. Debug and stress builds call it around collections; a violation stops the VM.
 */
#pragma once

#include "vm/gc/gc.h"

void audit_space(const GcSpace *s);
/* A message's fragment points only to itself, to literals and to counted objects (machine.md 5). */
void audit_fragment(const HeapFragment *f, LiteralRange literals);
