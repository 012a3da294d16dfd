#include "vm/code/area.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#if CONFIG_ASAN
#include <sanitizer/asan_interface.h>
#endif

#define AREA_ALIGN  ((size_t)64)
#define AREA_COMMIT ((size_t)256 << 10) /* pages are made usable in steps of this */
#define AREA_LEAST  ((size_t)32 << 20)
#define AREA_SPARED ((size_t)32 << 20)
#define AREA_POISON 0xF6 /* neither term nor code */

/* Free ranges in order of their addresses; none touch. */
typedef struct AreaHole {
    struct AreaHole *next;
    size_t bytes;
} AreaHole;

struct CodeArea {
    uint8_t *start;
    uint8_t *end;
    uint8_t *top;       /* never used from here on */
    uint8_t *committed; /* readable and writable up to here */
    AreaHole *holes;    /* inside themselves */
    Mem *mem;
};

/* Checking builds notice who reads a hole, but for its head. */
#if CONFIG_ASAN
static void area_poison(void *at, size_t bytes) { ASAN_POISON_MEMORY_REGION(at, bytes); }
static void area_unpoison(void *at, size_t bytes) { ASAN_UNPOISON_MEMORY_REGION(at, bytes); }
#else
static void area_poison(void *at, size_t bytes)
{
    if (CONFIG_DEBUG) memset(at, AREA_POISON, bytes);
}
static void area_unpoison(void *at, size_t bytes)
{
    (void)at;
    (void)bytes;
}
#endif

/* Where addresses are limited most of them are for data. */
static size_t area_affordable(size_t bytes)
{
    struct rlimit addresses;
    if (getrlimit(RLIMIT_AS, &addresses) != 0 || addresses.rlim_cur == RLIM_INFINITY)
        return bytes;
    while (bytes > addresses.rlim_cur / 8 && bytes > AREA_LEAST) bytes /= 2;
    return bytes;
}

CodeArea *area_new(Mem *mem, size_t bytes)
{
    void *at = MAP_FAILED;
    for (bytes = area_affordable(bytes); at == MAP_FAILED && bytes >= AREA_LEAST; bytes /= 2)
        at = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) return NULL;
    CodeArea *a = mem_alloc_zero(mem, MEM_CODE, sizeof *a);
    a->mem = mem;
    a->start = a->top = a->committed = at;
    a->end = a->start + bytes * 2; /* the loop has halved it once more */
    return a;
}

void area_delete(CodeArea *a)
{
    area_unpoison(a->start, (size_t)(a->top - a->start));
    munmap(a->start, (size_t)(a->end - a->start));
    mem_free(a->mem, MEM_CODE, a, sizeof *a);
}

static size_t area_round(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

static void *area_from_holes(CodeArea *a, size_t bytes)
{
    for (AreaHole **at = &a->holes; *at != NULL; at = &(*at)->next) {
        AreaHole *hole = *at;
        if (hole->bytes < bytes) continue;
        if (hole->bytes == bytes) {
            *at = hole->next;
        } else {
            AreaHole *rest = (AreaHole *)(void *)((uint8_t *)hole + bytes);
            area_unpoison(rest, sizeof *rest);
            *rest = (AreaHole){hole->next, hole->bytes - bytes};
            *at = rest;
        }
        return hole;
    }
    return NULL;
}

static bool area_commit(CodeArea *a, uint8_t *up_to)
{
    if (up_to <= a->committed) return true;
    size_t more = area_round((size_t)(up_to - a->committed), AREA_COMMIT);
    if (more > (size_t)(a->end - a->committed)) more = (size_t)(a->end - a->committed);
    if (mprotect(a->committed, more, PROT_READ | PROT_WRITE) != 0) return false;
    a->committed += more;
    return true;
}

/* Debug builds make room anew as long as they can, so that a use of what is free stays visible. */
static bool area_spares_holes(const CodeArea *a)
{
    return CONFIG_DEBUG && (size_t)(a->top - a->start) < AREA_SPARED;
}

void *area_alloc(CodeArea *a, size_t bytes)
{
    bytes = area_round(bytes, AREA_ALIGN);
    void *at = area_spares_holes(a) ? NULL : area_from_holes(a, bytes);
    if (at == NULL) {
        if (bytes > (size_t)(a->end - a->top) || !area_commit(a, a->top + bytes)) return NULL;
        at = a->top;
        a->top += bytes;
    }
    area_unpoison(at, bytes);
    memset(at, 0, bytes);
    mem_count(a->mem, MEM_CODE, (ptrdiff_t)bytes);
    return at;
}

static bool area_touch(const AreaHole *low, const AreaHole *high)
{
    return (const uint8_t *)low + low->bytes == (const uint8_t *)high;
}

void area_free(CodeArea *a, void *at, size_t bytes)
{
    bytes = area_round(bytes, AREA_ALIGN);
    mem_count(a->mem, MEM_CODE, -(ptrdiff_t)bytes);
    area_poison((AreaHole *)at + 1, bytes - sizeof(AreaHole));
    AreaHole *hole = at;
    AreaHole *before = NULL;
    AreaHole *after = a->holes;
    while (after != NULL && after < hole) {
        before = after;
        after = after->next;
    }
    *hole = (AreaHole){after, bytes};
    if (before == NULL)
        a->holes = hole;
    else
        before->next = hole;
    if (after != NULL && area_touch(hole, after)) {
        hole->bytes += after->bytes;
        hole->next = after->next;
    }
    if (before != NULL && area_touch(before, hole)) {
        before->bytes += hole->bytes;
        before->next = hole->next;
    }
}

LiteralRange area_range(const CodeArea *a)
{
    return (LiteralRange){.start = (const Word *)(const void *)a->start,
                          .end = (const Word *)(const void *)a->end};
}
