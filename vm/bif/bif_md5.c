/* Built-ins of erlang for MD5 (libmd). */
#include "vm/bif/bif_bytes.h"
#include "vm/bif/iolist.h"
#include "vm/bif/task.h"

#include "vm/term/binary.h"

#include <md5.h>
#include <string.h>

typedef struct Md5Task {
    Pause pause; /* first */
    IolistWalk walk;
    MD5_CTX context;
} Md5Task;

/* Reductions that 64 bytes, or an element, cost. */
#define MD5_COST 10

static void md5_release(Pause *pause, Process *p)
{
    iolist_end(&((Md5Task *)pause)->walk);
    task_free(pause, sizeof(Md5Task), p);
}

static bool md5_part(void *context, BitView part)
{
    uint8_t room[IOLIST_PART];
    MD5Update(&((Md5Task *)context)->context, iolist_aligned(part, room), part.bits / 8);
    return true;
}

static BifResult md5_binary(Process *p, const void *bytes, size_t n)
{
    Term t = binary_from_bytes(&p->heap, bytes, n);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* Takes in `data`; true when all of it is, *context then being what it is then.  Else *result is
 * what to return for now. */
static bool md5_take(Process *p, Term data, MD5_CTX *context, BifResult *result)
{
    static const IolistSink sink = {md5_part, NULL, 0};
    Md5Task here;
    Md5Task *t = (Md5Task *)pause_find(p, md5_release);
    if (t == NULL) {
        *result = TERM_NONE;
        if (!term_is_list(data) && !term_is_binary(data)) {
            raise_badarg(p);
            return false;
        }
        t = &here;
        t->context = *context;
        iolist_begin(&t->walk, data, IOLIST_BYTES, p->heap.mem);
    }
    size_t budget = task_budget(p, 1) / MD5_COST + 1;
    size_t left = budget;
    IolistStep step = iolist_step(&t->walk, &sink, t, &left);
    bif_charge(p, (int64_t)(budget - left) * MD5_COST);
    if (step == IOLIST_MORE) {
        Md5Task *kept = task_keep(p, t, sizeof *t, md5_release);
        if (kept != t) iolist_moved(&kept->walk, &t->walk);
        *result = bif_yield(p);
        return false;
    }
    *context = t->context;
    task_end(p, &t->pause, md5_release);
    *result = step == IOLIST_END ? TERM_NIL : raise_badarg(p);
    return step == IOLIST_END;
}

static BifResult md5_digest(Process *p, MD5_CTX *context)
{
    uint8_t digest[MD5_DIGEST_LENGTH];
    MD5Final(digest, context);
    return md5_binary(p, digest, sizeof digest);
}

/* False: argument 0 is no context. */
static bool md5_context(const Process *p, MD5_CTX *context)
{
    Term t = arg(p, 0);
    if (!term_is_binary(t) || binary_bytes(t) != sizeof *context) return false;
    BitView v = binary_view(t);
    Bytes copy = {0};
    if (v.offset == 0)
        memcpy(context, v.at, sizeof *context);
    else if (bif_binary_put(t, &copy))
        memcpy(context, copy.at, sizeof *context);
    bytes_free(&copy);
    return true;
}

BifResult bif_md5(Process *p)
{
    MD5_CTX context;
    BifResult result;
    MD5Init(&context);
    return md5_take(p, arg(p, 0), &context, &result) ? md5_digest(p, &context) : result;
}

BifResult bif_md5_init(Process *p)
{
    MD5_CTX context;
    memset(&context, 0, sizeof context);
    MD5Init(&context);
    return md5_binary(p, &context, sizeof context);
}

BifResult bif_md5_update(Process *p)
{
    MD5_CTX context;
    BifResult result;
    if (!md5_context(p, &context)) return raise_badarg(p);
    return md5_take(p, arg(p, 1), &context, &result) ? md5_binary(p, &context, sizeof context)
                                                     : result;
}

BifResult bif_md5_final(Process *p)
{
    MD5_CTX context;
    return md5_context(p, &context) ? md5_digest(p, &context) : raise_badarg(p);
}
