/*
 * Streams of module zlib: a counted object behind a reference.
 *
 * A stream belongs to one process, which alone looks into it, but for `owner`. What is to be
 * deflated or inflated is queued in it first; then each step takes at most 8 KB of the queue and
 * gives at most as much (deflate) or twice as much (inflate), in shares that keep the worker free.
 * Design page: docs/design/library.md.
 */
#pragma once

#include "vm/base/atomic.h"
#include "vm/base/bytes.h"
#include "vm/base/vec.h"
#include "vm/bif/bif.h"

#include <zlib.h>

typedef enum ZlibMode { ZLIB_NONE, ZLIB_DEFLATE, ZLIB_INFLATE, ZLIB_CLOSED } ZlibMode;

/* What happens with data behind the end of a stream that is inflated. */
typedef enum ZlibAfter { ZLIB_AFTER_ERROR, ZLIB_AFTER_RESET, ZLIB_AFTER_CUT } ZlibAfter;

/* Bytes that wait: kept where they are, or owned. */
typedef struct ZlibInput {
    Counted *held;
    Bytes own;
    const uint8_t *at;
    size_t count;
} ZlibInput;

typedef struct ZlibStream {
    Counted counted; /* first */
    Mem *mem;
    AtomicU64
        owner; /* pid; released when it changes, acquired by who looks whether it is theirs */
    ZlibMode mode;
    z_stream z;
    VEC(ZlibInput) queue;
    size_t first; /* of the queue; what is before it is done */
    size_t taken; /* bytes of this step's input */
    Bytes output; /* of this step */
    Bytes stash;  /* output that a later call gives */
    size_t buffer_size;
    int level;
    bool raw;   /* no header and no sum: the sum is kept here */
    bool ended; /* the end was written, or seen */
    bool wants_dictionary;
    ZlibAfter after;
    uint32_t crc;
} ZlibStream;

/* Bytes of input and output of a step. */
#define ZLIB_IN          8192
#define ZLIB_DEFLATE_OUT 8192

ZlibStream *zlib_stream_new(Mem *mem, Term owner);
/* The stream behind a reference, borrowed; NULL: there is none. */
ZlibStream *zlib_stream_of(Term t);
void zlib_stream_queue_clear(ZlibStream *s);
/* Ends what was begun; a code of zlib. */
int zlib_stream_end(ZlibStream *s);
/* Gives the queue's next bytes to zlib, at most `most`; how many there are. */
size_t zlib_stream_feed(ZlibStream *s, size_t most);
/* Takes off the queue what zlib has used since. */
void zlib_stream_fed(ZlibStream *s, size_t had);
static inline bool zlib_stream_is_empty(const ZlibStream *s)
{
    return s->first == s->queue.count;
}
