#include "vm/proc/codeuse.h"

#include "vm/proc/frame.h"

static bool codeuse_in(const ModuleVersion *v, const Half *at)
{
    return at >= v->code && at < v->code + 2 * (size_t)v->code_units;
}

bool codeuse_check(const Process *p, const ModuleVersion *v)
{
    if (codeuse_in(v, p->pc)) return true;
    const Word *base = p->block + p->block_words - 1;
    for (const Word *fp = p->fp; fp < base; fp += frame_window(*fp))
        if (codeuse_in(v, (const Half *)(const void *)frame_descriptor(*fp))) return true;
    return false;
}
