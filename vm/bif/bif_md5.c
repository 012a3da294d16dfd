/* Built-ins of erlang for MD5 (libmd). */
#include "vm/bif/bif_bytes.h"

#include "vm/term/binary.h"

#include <md5.h>
#include <string.h>

/* Bytes that are taken in before others may run. */
#define MD5_STEP 65536

/* Behind the argument with the data: all bytes as one binary, how many are
 * done, the context so far. */
enum { MD5_DATA, MD5_DONE, MD5_STATE };

static BifResult md5_binary(Process *p, const void *bytes, size_t n)
{
    Term t = binary_from_bytes(&p->heap, bytes, n);
    return term_is_none(t) ? raise_system_limit(p) : t;
}

/* An iolist as one binary that stands on a byte border; TERM_NONE: an exception was raised. */
static Term md5_data(Process *p, Term t)
{
    if (term_is_binary(t) && binary_view(t).offset == 0) return t;
    Bytes b = bif_bytes(p);
    bool good =
        term_is_binary(t) ? bif_binary_put(t, &b) : term_is_list(t) && bif_iolist_put(p, t, &b);
    if (good) return bif_bytes_to_binary(p, &b);
    bytes_free(&b);
    return raise_badarg(p);
}

/* Takes in the data of argument `data`; true when all are.  Else *result is what to return for
 * now. */
static bool md5_take(Process *p, size_t data, MD5_CTX *context, BifResult *result)
{
    size_t slots = data + 1;
    size_t done = raw_slot(p, slots + MD5_DONE);
    if (done > 0) memcpy(context, binary_view(slot(p, slots + MD5_STATE)).at, sizeof *context);
    Term bytes = done > 0 ? slot(p, slots + MD5_DATA) : md5_data(p, arg(p, data));
    *result = bytes;
    if (term_is_none(bytes)) return false;
    BitView v = binary_view(bytes);
    size_t n = v.bits / 8;
    while (done < n) {
        size_t step = n - done < MD5_STEP ? n - done : MD5_STEP;
        MD5Update(context, v.at + done, step);
        done += step;
        bif_charge(p, (int64_t)(step / 4));
        if (done == n || !bif_spent(p)) continue;
        Term state = binary_from_bytes(&p->heap, context, sizeof *context);
        *result = term_is_none(state) ? raise_system_limit(p) : bif_yield(p);
        slot_set(p, slots + MD5_DATA, bytes);
        raw_slot_set(p, slots + MD5_DONE, done);
        slot_set(p, slots + MD5_STATE, term_is_none(state) ? TERM_NIL : state);
        return false;
    }
    return true;
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
    return md5_take(p, 0, &context, &result) ? md5_digest(p, &context) : result;
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
    return md5_take(p, 1, &context, &result) ? md5_binary(p, &context, sizeof context) : result;
}

BifResult bif_md5_final(Process *p)
{
    MD5_CTX context;
    return md5_context(p, &context) ? md5_digest(p, &context) : raise_badarg(p);
}
