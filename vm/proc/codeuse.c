#include "vm/proc/codeuse.h"

#include "vm/code/operands.h"

static bool codeuse_in(const ModuleVersion *v, const Half *at)
{
    return at >= v->code && at < v->code + 2 * (size_t)v->code_units;
}

bool codeuse_check(const Process *p, const ModuleVersion *v)
{
    if (codeuse_in(v, p->pc)) return true;
    const Word *base = p->block + p->block_words - 1;
    for (const Word *fp = p->fp; fp < base; fp += operand_live((const uint8_t *)fp[0]).window)
        if (codeuse_in(v, (const Half *)fp[0])) return true;
    return false;
}
