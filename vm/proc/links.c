#include "vm/proc/links.h"

#include "vm/base/htab.h"

#include <string.h>

/* Up to this many entries are searched one by one. */
#define LINKS_PLAIN 8

struct Relations {
    Relation *at;
    uint32_t
        *index; /* NULL for few; else open addressing: entry + 1, 0 free; twice `room` places */
    uint32_t first; /* entries before are all removed */
    uint32_t used;  /* entries, removed ones included */
    uint32_t room;
    uint32_t live;
    uint32_t moves; /* how often entries have changed their places */
};

/* Links and suspensions share the other's pid as key, a monitor of oneself would share a
 * reference: the kind is part of the key. */
static uint32_t links_hash(RelationKind kind, uint64_t key)
{
    uint64_t x = (key ^ (uint64_t)kind << 58) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(x >> 32);
}

static bool links_is(const Relation *r, RelationKind kind, uint64_t key)
{
    return r->key == key && r->kind == kind;
}

static uint32_t links_place(const Relations *s, RelationKind kind, uint64_t key)
{
    uint32_t mask = s->room * 2 - 1;
    for (uint32_t i = links_hash(kind, key) & mask;; i = (i + 1) & mask) {
        uint32_t entry = s->index[i];
        if (entry == 0 || links_is(&s->at[entry - 1], kind, key)) return i;
    }
}

Relation *links_find(const Process *p, RelationKind kind, uint64_t key)
{
    const Relations *s = p->relations;
    if (s == NULL) return NULL;
    if (s->index != NULL) {
        uint32_t entry = s->index[links_place(s, kind, key)];
        return entry == 0 ? NULL : &s->at[entry - 1];
    }
    for (uint32_t i = s->first; i < s->used; i++)
        if (links_is(&s->at[i], kind, key)) return &s->at[i];
    return NULL;
}

static void links_drop_index(Relations *s, Mem *mem)
{
    mem_free(mem, MEM_PROCESS, s->index, (size_t)s->room * 2 * sizeof *s->index);
    s->index = NULL;
}

/* Squeezes out removed entries and sizes the table for at least one more. */
static void links_rebuild(Relations *s, Mem *mem)
{
    links_drop_index(s, mem);
    s->moves++;
    uint32_t live = 0;
    for (uint32_t i = s->first; i < s->used; i++)
        if (s->at[i].kind != RELATION_NONE) s->at[live++] = s->at[i];
    s->first = 0;
    s->used = live;
    uint32_t room = s->room == 0 ? 1 : s->room;
    if (live * 4 >= room * 3) room *= 2;
    s->at = mem_realloc(mem, MEM_PROCESS, s->at, s->room * sizeof *s->at, room * sizeof *s->at);
    s->room = room;
    if (room <= LINKS_PLAIN) return;
    s->index = mem_alloc_zero(mem, MEM_PROCESS, (size_t)room * 2 * sizeof *s->index);
    for (uint32_t i = 0; i < live; i++)
        s->index[links_place(s, (RelationKind)s->at[i].kind, s->at[i].key)] = i + 1;
}

uint64_t links_key(Term pid)
{
    if (!term_is_boxed(pid)) return pid.w;
    const Word *at = boxed_words(pid);
    uint64_t x = 0;
    for (size_t i = 1; i <= header_words(at[0]); i++) x = htab_hash_number(x ^ at[i]);
    return x & ~(uint64_t)TAG4_MASK; /* no local pid is such a word */
}

static void links_hold(Relation *r, Mem *mem)
{
    if (!term_is_boxed(r->other)) return;
    const Word *from = boxed_words(r->other);
    size_t bytes = (1 + header_words(from[0])) * sizeof(Word);
    r->held = mem_alloc(mem, MEM_PROCESS, bytes);
    memcpy(r->held, from, bytes);
    r->other = boxed_from(r->held);
}

/* What an entry has of its own. */
static void links_free_parts(const Relation *r, Mem *mem)
{
    if (r->tag != NULL) message_free(r->tag, mem);
    if (r->held != NULL)
        mem_free(mem, MEM_PROCESS, r->held, (1 + header_words(r->held[0])) * sizeof(Word));
}

Relation *links_add(Process *p, RelationKind kind, uint64_t key, Term other)
{
    ASSERT(links_find(p, kind, key) == NULL);
    Mem *mem = p->heap.mem;
    if (p->relations == NULL)
        p->relations = mem_alloc_zero(mem, MEM_PROCESS, sizeof(Relations));
    Relations *s = p->relations;
    if (s->used == s->room) links_rebuild(s, mem);
    if (s->index != NULL) s->index[links_place(s, kind, key)] = s->used + 1;
    Relation *r = &s->at[s->used++];
    *r = (Relation){.key = key, .other = other, .name = TERM_NONE, .kind = (uint8_t)kind};
    s->live++;
    links_hold(r, mem);
    return r;
}

/* Takes an entry out of the index by moving back those that had to go past it. */
static void links_unindex(Relations *s, uint32_t place)
{
    uint32_t mask = s->room * 2 - 1;
    uint32_t hole = place;
    for (uint32_t i = (place + 1) & mask; s->index[i] != 0; i = (i + 1) & mask) {
        const Relation *r = &s->at[s->index[i] - 1];
        uint32_t home = links_hash((RelationKind)r->kind, r->key) & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        s->index[hole] = s->index[i];
        hole = i;
    }
    s->index[hole] = 0;
}

static void links_unlink(Relations *s, Relation *r)
{
    if (s->index != NULL) links_unindex(s, links_place(s, (RelationKind)r->kind, r->key));
    r->kind = RELATION_NONE;
    s->live--;
    while (s->first < s->used && s->at[s->first].kind == RELATION_NONE) s->first++;
    while (s->used > s->first && s->at[s->used - 1].kind == RELATION_NONE) s->used--;
    if (s->used == s->first) s->used = s->first = 0;
}

void links_remove(Process *p, Relation *r)
{
    links_free_parts(r, p->heap.mem);
    links_unlink(p->relations, r);
}

Relation *links_next(const Process *p, size_t *cursor)
{
    const Relations *s = p->relations;
    if (s == NULL) return NULL;
    if (*cursor < s->first) *cursor = s->first;
    while (*cursor < s->used) {
        Relation *r = &s->at[(*cursor)++];
        if (r->kind != RELATION_NONE) return r;
    }
    return NULL;
}

uint32_t links_moves(const Process *p)
{
    return p->relations == NULL ? 0 : p->relations->moves;
}

size_t links_count(const Process *p) { return p->relations == NULL ? 0 : p->relations->live; }

bool links_take_first(Process *p, Relation *out)
{
    size_t cursor = 0;
    Relation *r = links_next(p, &cursor);
    if (r == NULL) return false;
    *out = *r;
    links_unlink(p->relations, r);
    return true;
}

void links_free(Process *p)
{
    Relations *s = p->relations;
    if (s == NULL) return;
    Mem *mem = p->heap.mem;
    for (uint32_t i = s->first; i < s->used; i++)
        if (s->at[i].kind != RELATION_NONE) links_free_parts(&s->at[i], mem);
    links_drop_index(s, mem);
    mem_free(mem, MEM_PROCESS, s->at, s->room * sizeof *s->at);
    mem_free(mem, MEM_PROCESS, s, sizeof *s);
    p->relations = NULL;
}

void links_check(const Process *p)
{
    const Relations *s = p->relations;
    if (s == NULL) return;
    uint32_t live = 0;
    for (uint32_t i = 0; i < s->used; i++) {
        if (s->at[i].kind == RELATION_NONE) continue;
        live++;
        CHECK(i >= s->first);
        CHECK(links_find(p, (RelationKind)s->at[i].kind, s->at[i].key) == &s->at[i]);
    }
    CHECK(live == s->live && s->used <= s->room);
}
