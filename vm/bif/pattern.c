#include "vm/bif/pattern.h"

#include "vm/base/panic.h"

#include <string.h>

/* Bytes looked at in one step at least; a longer pattern makes it more, so that the part of a
 * window that overlaps the next stays a fraction. */
#define PATTERN_WINDOW_FIRST 256
#define PATTERN_WINDOW       16384

struct Pattern {
    Counted counted; /* first */
    Mem *mem;
    size_t bytes;   /* of this block */
    size_t longest; /* bytes of the longest run */
    size_t nodes;   /* 0: one run, its bytes behind */
    PatternNode trie[];
};

static void pattern_release(Counted *object)
{
    Pattern *pattern = (Pattern *)object;
    mem_free(pattern->mem, MEM_WORK, pattern, pattern->bytes);
}

bool pattern_is(const Counted *object) { return object->release == pattern_release; }
bool pattern_is_single(const Pattern *pattern) { return pattern->nodes == 0; }

size_t pattern_longest(const Pattern *pattern) { return pattern->longest; }

static Pattern *pattern_alloc(Mem *mem, size_t longest, size_t nodes)
{
    size_t bytes = sizeof(Pattern) + (nodes == 0 ? longest : nodes * sizeof(PatternNode));
    Pattern *pattern = mem_try_alloc(mem, MEM_WORK, bytes);
    if (pattern == NULL) return NULL;
    atomic_store_relaxed(&pattern->counted.references, 1);
    pattern->counted.release = pattern_release;
    pattern->counted.bytes = bytes;
    pattern->mem = mem;
    pattern->bytes = bytes;
    pattern->longest = longest;
    pattern->nodes = nodes;
    return pattern;
}

static uint32_t pattern_child(const PatternNode *trie, uint32_t node, uint8_t byte)
{
    uint32_t child = trie[node].child;
    while (child != 0 && trie[child].byte != byte) child = trie[child].sibling;
    return child;
}

/* Adds the run turned round; `used` nodes are taken. */
static void pattern_add(PatternNode *trie, size_t *used, PatternRun run)
{
    uint32_t node = 0;
    for (size_t i = run.count; i > 0; i--) {
        uint8_t byte = run.at[i - 1];
        uint32_t child = pattern_child(trie, node, byte);
        if (child == 0) {
            child = (uint32_t)(*used)++;
            trie[child] = (PatternNode){.sibling = trie[node].child, .byte = byte};
            trie[node].child = child;
        }
        node = child;
    }
    trie[node].longest = (uint32_t)run.count;
}

/* The node that one more byte leads to. */
static uint32_t pattern_next(const PatternNode *trie, uint32_t node, uint8_t byte)
{
    for (;;) {
        uint32_t child = pattern_child(trie, node, byte);
        if (child != 0 || node == 0) return child;
        node = trie[node].fail;
    }
}

/* Failure links, level by level; `queue` has room for all nodes. */
static void pattern_link(PatternNode *trie, uint32_t *queue)
{
    size_t first = 0;
    size_t count = 0;
    queue[count++] = 0;
    while (first < count) {
        uint32_t node = queue[first++];
        for (uint32_t child = trie[node].child; child != 0; child = trie[child].sibling) {
            uint32_t fail =
                node == 0 ? 0 : pattern_next(trie, trie[node].fail, trie[child].byte);
            trie[child].fail = fail;
            if (trie[child].longest == 0) trie[child].longest = trie[fail].longest;
            queue[count++] = child;
        }
    }
}

static Pattern *pattern_new_several(Mem *mem, const PatternRun *runs, size_t n)
{
    size_t total = 1;
    size_t longest = 0;
    for (size_t i = 0; i < n; i++) {
        total += runs[i].count;
        if (runs[i].count > longest) longest = runs[i].count;
    }
    if (total > UINT32_MAX) return NULL;
    Pattern *pattern = pattern_alloc(mem, longest, total);
    uint32_t *queue = mem_try_alloc(mem, MEM_WORK, total * sizeof *queue);
    if (pattern != NULL && queue != NULL) {
        size_t used = 1;
        pattern->trie[0] = (PatternNode){0};
        for (size_t i = 0; i < n; i++) pattern_add(pattern->trie, &used, runs[i]);
        pattern_link(pattern->trie, queue);
    } else if (pattern != NULL) {
        counted_drop(&pattern->counted);
        pattern = NULL;
    }
    if (queue != NULL) mem_free(mem, MEM_WORK, queue, total * sizeof *queue);
    return pattern;
}

Pattern *pattern_new(Mem *mem, const PatternRun *runs, size_t n)
{
    if (n > 1) return pattern_new_several(mem, runs, n);
    Pattern *pattern = pattern_alloc(mem, runs[0].count, 0);
    if (pattern != NULL) memcpy(pattern->trie, runs[0].at, runs[0].count);
    return pattern;
}

/* ---- searching ---- */

static PatternStep pattern_found(PatternSearch *s, size_t at, size_t size)
{
    s->found_at = at;
    s->found_size = size;
    s->from = at + size;
    return PATTERN_FOUND;
}

static size_t pattern_window_size(const Pattern *pattern, size_t least)
{
    return pattern->longest > least / 4 ? 4 * pattern->longest : least;
}

static PatternStep pattern_step_single(const Pattern *pattern, PatternSearch *s, size_t *work)
{
    size_t n = s->end - s->from;
    if (n < pattern->longest) return PATTERN_END;
    size_t most = pattern_window_size(pattern, 4 * (size_t)PATTERN_WINDOW);
    if (n > most) n = most;
    const uint8_t *start = s->subject + s->from;
    const uint8_t *at = memmem(start, n, pattern->trie, pattern->longest);
    *work += (at == NULL ? n : (size_t)(at - start)) / 8 + 1;
    if (at != NULL) return pattern_found(s, (size_t)(at - s->subject), pattern->longest);
    s->from += n - pattern->longest + 1;
    return PATTERN_MORE;
}

void pattern_window_free(PatternWindow *w)
{
    mem_free(w->mem, MEM_WORK, w->longest, w->room * sizeof *w->longest);
    w->longest = NULL;
    w->room = 0;
}

static bool pattern_window_grow(PatternWindow *w, size_t count)
{
    if (count <= w->room) return true;
    pattern_window_free(w);
    w->longest = mem_try_alloc(w->mem, MEM_WORK, count * sizeof *w->longest);
    w->room = w->longest == NULL ? 0 : count;
    return w->longest != NULL;
}

/* Fills the window that begins at s->from: walks from as far behind it as a run may reach. */
static bool pattern_fill(const Pattern *pattern, const PatternSearch *s, PatternWindow *w,
                         size_t *work)
{
    size_t least = w->count == 0 ? PATTERN_WINDOW_FIRST : PATTERN_WINDOW;
    size_t count = pattern_window_size(pattern, least);
    if (count > s->end - s->from) count = s->end - s->from;
    if (!pattern_window_grow(w, count)) return false;
    size_t stop = s->end - s->from - count < pattern->longest
                      ? s->end
                      : s->from + count + pattern->longest - 1;
    uint32_t node = 0;
    for (size_t i = stop; i > s->from; i--) {
        node = pattern_next(pattern->trie, node, s->subject[i - 1]);
        if (i - 1 - s->from < count) w->longest[i - 1 - s->from] = pattern->trie[node].longest;
    }
    *work += stop - s->from;
    w->start = s->from;
    w->count = count;
    return true;
}

PatternStep pattern_step(const Pattern *pattern, PatternSearch *s, PatternWindow *w,
                         size_t *work)
{
    if (pattern->nodes == 0) return pattern_step_single(pattern, s, work);
    if (s->from >= s->end) return PATTERN_END;
    bool inside = w->count > 0 && s->from >= w->start && s->from < w->start + w->count;
    if (!inside && !pattern_fill(pattern, s, w, work)) return PATTERN_NO_MEMORY;
    for (size_t i = s->from - w->start; i < w->count; i++)
        if (w->longest[i] != 0) return pattern_found(s, w->start + i, w->longest[i]);
    s->from = w->start + w->count;
    return PATTERN_MORE;
}
