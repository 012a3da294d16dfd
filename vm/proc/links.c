#include "vm/proc/links.h"

#include "vm/base/htab.h"

#include <string.h>

/* Up to this many entries are searched one by one. */
#define LINKS_PLAIN 8
/* Entries of a segment. */
#define LINKS_SEGMENT 1024
/* Places of a table that does not grow but splits in two. */
#define LINKS_TABLE 1024
/* Bits of the hash that choose a table, at most. */
#define LINKS_DEPTH 20

/*
 * No step may take long, however many entries there are.  So they lie in segments, which do not
 * move:
 *
 *   segments ─▶ [entries 0 … 1023] [1024 … 2047] …      up to one segment: `room` of them
 *
 * and are found by extendible hashing: the upper `depth` bits of the hash choose a table of open
 * addressing; one that is full splits by one more bit.
 *
 * Where more than half of the entries are removed ones, those behind move down a few with every
 * entry that is added ("squeezing"): [0, to) is done, [to, from) is empty, [from, used) is not.
 */
typedef struct LinksTable {
    uint32_t depth; /* bits of the hash in which its entries agree */
    uint32_t count;
    uint32_t room;
    uint32_t place[]; /* entry + 1, 0 free */
} LinksTable;

struct Relations {
    Relation **segments;
    LinksTable *
        *tables; /* 2^depth, a table several times if its depth is less; NULL for few entries */
    uint32_t segment_room; /* of `segments` */
    uint32_t depth;
    uint32_t first; /* entries before are all removed, and their segments may be gone */
    uint32_t used;  /* entries, removed ones included */
    uint32_t room;
    uint32_t live;
    uint32_t moves; /* how often entries have changed their places */
    bool squeezing;
    uint32_t to;
    uint32_t from;
};

static Relation *links_at(const Relations *s, uint32_t entry)
{
    return &s->segments[entry / LINKS_SEGMENT][entry % LINKS_SEGMENT];
}

/* ---- the index ---- */

/* Links and suspensions share the other's pid as key, a monitor of oneself would share a
 * reference: the kind is part of the key. */
static uint32_t links_hash(RelationKind kind, uint64_t key)
{
    uint64_t x = (key ^ (uint64_t)kind << 58) * 0x9E3779B97F4A7C15u;
    return (uint32_t)(x >> 32);
}
static uint32_t links_hash_of(const Relation *r)
{
    return links_hash((RelationKind)r->kind, r->key);
}

static bool links_is(const Relation *r, RelationKind kind, uint64_t key)
{
    return r->key == key && r->kind == kind;
}

static size_t links_table_bytes(uint32_t room)
{
    return sizeof(LinksTable) + room * sizeof(uint32_t);
}

static LinksTable *links_table_new(Mem *mem, uint32_t room, uint32_t depth)
{
    LinksTable *t = mem_alloc_zero(mem, MEM_PROCESS, links_table_bytes(room));
    t->room = room;
    t->depth = depth;
    return t;
}

static void links_table_free(LinksTable *t, Mem *mem)
{
    mem_free(mem, MEM_PROCESS, t, links_table_bytes(t->room));
}

/* Which of the tables: the upper bits, of which there may be none. */
static uint32_t links_branch(const Relations *s, uint32_t hash)
{
    return (uint32_t)((uint64_t)hash >> (32 - s->depth));
}

/* Where the entry stands in the table, or the free place where it would. */
static uint32_t links_place(const Relations *s, const LinksTable *t, RelationKind kind,
                            uint64_t key, uint32_t hash)
{
    uint32_t mask = t->room - 1;
    for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t entry = t->place[i];
        if (entry == 0 || links_is(links_at(s, entry - 1), kind, key)) return i;
    }
}

/* An entry whose key is in no table. */
static void links_table_put(LinksTable *t, uint32_t hash, uint32_t entry)
{
    uint32_t i = hash & (t->room - 1);
    while (t->place[i] != 0) i = (i + 1) & (t->room - 1);
    t->place[i] = entry + 1;
    t->count++;
}

static void links_double_tables(Relations *s, Mem *mem)
{
    size_t n = (size_t)1 << s->depth;
    LinksTable **tables = mem_alloc(mem, MEM_PROCESS, 2 * n * sizeof *tables);
    for (size_t i = 0; i < 2 * n; i++) tables[i] = s->tables[i / 2];
    mem_free(mem, MEM_PROCESS, s->tables, n * sizeof *tables);
    s->tables = tables;
    s->depth++;
}

/* Puts all of a full table into two, or one of twice the size, in its place. */
static void links_widen(Relations *s, LinksTable *t, uint32_t branch, Mem *mem)
{
    bool splits = t->room >= LINKS_TABLE && t->depth < LINKS_DEPTH;
    if (splits && t->depth == s->depth) {
        links_double_tables(s, mem);
        branch *= 2;
    }
    uint32_t room = splits ? t->room : t->room * 2;
    uint32_t depth = splits ? t->depth + 1 : t->depth;
    LinksTable *half[2];
    half[0] = links_table_new(mem, room, depth);
    half[1] = splits ? links_table_new(mem, room, depth) : half[0];
    uint32_t same = (uint32_t)1 << (s->depth - t->depth); /* places that name t */
    uint32_t start = branch & ~(same - 1);
    for (uint32_t i = 0; i < same; i++) s->tables[start + i] = half[i >= same / 2];
    for (uint32_t i = 0; i < t->room; i++) {
        if (t->place[i] == 0) continue;
        uint32_t hash = links_hash_of(links_at(s, t->place[i] - 1));
        links_table_put(s->tables[links_branch(s, hash)], hash, t->place[i] - 1);
    }
    links_table_free(t, mem);
}

static void links_index(Relations *s, const Relation *r, uint32_t entry, Mem *mem)
{
    uint32_t hash = links_hash_of(r);
    uint32_t branch = links_branch(s, hash);
    LinksTable *t = s->tables[branch];
    if (t->count * 2 >= t->room) {
        links_widen(s, t, branch, mem);
        t = s->tables[links_branch(s, hash)];
    }
    links_table_put(t, hash, entry);
}

/* Takes an entry out of its table by moving back those that had to go past it. */
static void links_unindex(const Relations *s, const Relation *r)
{
    uint32_t hash = links_hash_of(r);
    LinksTable *t = s->tables[links_branch(s, hash)];
    uint32_t mask = t->room - 1;
    uint32_t hole = links_place(s, t, (RelationKind)r->kind, r->key, hash);
    for (uint32_t i = (hole + 1) & mask; t->place[i] != 0; i = (i + 1) & mask) {
        uint32_t home = links_hash_of(links_at(s, t->place[i] - 1)) & mask;
        if (((i - home) & mask) < ((i - hole) & mask)) continue;
        t->place[hole] = t->place[i];
        hole = i;
    }
    t->place[hole] = 0;
    t->count--;
}

static void links_drop_tables(Relations *s, Mem *mem)
{
    if (s->tables == NULL) return;
    uint32_t n = (uint32_t)1 << s->depth;
    for (uint32_t i = 0; i < n;) {
        LinksTable *t = s->tables[i];
        i += (uint32_t)1 << (s->depth - t->depth);
        links_table_free(t, mem);
    }
    mem_free(mem, MEM_PROCESS, s->tables, n * sizeof *s->tables);
    s->tables = NULL;
    s->depth = 0;
}

Relation *links_find(const Process *p, RelationKind kind, uint64_t key)
{
    const Relations *s = p->relations;
    if (s == NULL) return NULL;
    if (s->tables != NULL) {
        uint32_t hash = links_hash(kind, key);
        const LinksTable *t = s->tables[links_branch(s, hash)];
        uint32_t entry = t->place[links_place(s, t, kind, key, hash)];
        return entry == 0 ? NULL : links_at(s, entry - 1);
    }
    for (uint32_t i = s->first; i < s->used; i++)
        if (links_is(links_at(s, i), kind, key)) return links_at(s, i);
    return NULL;
}

/* ---- room for entries ---- */

/* Of one segment: squeezes out removed entries and sizes it for at least one more. */
static void links_rebuild(Relations *s, Mem *mem)
{
    links_drop_tables(s, mem);
    s->moves++;
    if (s->segments == NULL) {
        s->segments = mem_alloc_zero(mem, MEM_PROCESS, sizeof *s->segments);
        s->segment_room = 1;
    }
    Relation *at = s->segments[0];
    uint32_t live = 0;
    for (uint32_t i = s->first; i < s->used; i++)
        if (at[i].kind != RELATION_NONE) at[live++] = at[i];
    s->first = 0;
    s->used = live;
    uint32_t room = s->room == 0 ? 1 : s->room;
    if (live * 4 >= room * 3) room *= 2;
    s->segments[0] = mem_realloc(mem, MEM_PROCESS, at, s->room * sizeof *at, room * sizeof *at);
    s->room = room;
    if (room <= LINKS_PLAIN) return;
    s->tables = mem_alloc(mem, MEM_PROCESS, sizeof(LinksTable *));
    s->tables[0] = links_table_new(mem, room * 2 < LINKS_TABLE ? room * 2 : LINKS_TABLE, 0);
    for (uint32_t i = 0; i < live; i++) links_index(s, links_at(s, i), i, mem);
}

static size_t links_segment_bytes(const Relations *s)
{
    return (s->room < LINKS_SEGMENT ? s->room : LINKS_SEGMENT) * sizeof(Relation);
}

static void links_free_segment(Relations *s, uint32_t i, Mem *mem)
{
    mem_free(mem, MEM_PROCESS, s->segments[i], links_segment_bytes(s));
    s->segments[i] = NULL;
}

/* Sees to it that the segment is there. */
static void links_need_segment(Relations *s, uint32_t i, Mem *mem)
{
    if (i >= s->segment_room) {
        uint32_t room = s->segment_room * 2;
        s->segments =
            mem_realloc(mem, MEM_PROCESS, s->segments, s->segment_room * sizeof *s->segments,
                        room * sizeof *s->segments);
        memset(s->segments + s->segment_room, 0,
               (room - s->segment_room) * sizeof *s->segments);
        s->segment_room = room;
    }
    if (s->segments[i] == NULL)
        s->segments[i] = mem_alloc(mem, MEM_PROCESS, LINKS_SEGMENT * sizeof(Relation));
}

/* A large table keeps the segment of the next entry and one more. */
static void links_cut(Relations *s, Mem *mem)
{
    if (s->room < LINKS_SEGMENT) return;
    uint32_t next = s->used / LINKS_SEGMENT;
    while (s->room > (next + 2) * LINKS_SEGMENT) {
        s->room -= LINKS_SEGMENT;
        if (s->segments[s->room / LINKS_SEGMENT] != NULL)
            links_free_segment(s, s->room / LINKS_SEGMENT, mem);
    }
    for (; next < s->room / LINKS_SEGMENT; next++) links_need_segment(s, next, mem);
}

static void links_move_down(Relations *s, Mem *mem)
{
    Relation *r = links_at(s, s->from);
    if (r->kind == RELATION_NONE) return;
    if (s->to != s->from) {
        uint32_t hash = links_hash_of(r);
        LinksTable *t = s->tables[links_branch(s, hash)];
        t->place[links_place(s, t, (RelationKind)r->kind, r->key, hash)] = s->to + 1;
        links_need_segment(s, s->to / LINKS_SEGMENT, mem);
        *links_at(s, s->to) = *r;
        r->kind = RELATION_NONE;
    }
    s->to++;
}

static void links_squeeze(Relations *s, uint32_t steps, Mem *mem)
{
    s->moves++;
    for (; steps > 0 && s->from < s->used; steps--) {
        links_move_down(s, mem);
        s->from++;
        if (s->from % LINKS_SEGMENT == 0 && s->from - s->to >= LINKS_SEGMENT)
            links_free_segment(s, s->from / LINKS_SEGMENT - 1, mem);
    }
    if (s->from < s->used) return;
    s->squeezing = false;
    s->used = s->to;
    links_cut(s, mem);
}

/* Entries that are looked at when a large table gets one more. */
#define LINKS_STEPS 8

static void links_make_room(Relations *s, Mem *mem)
{
    if (s->room < LINKS_SEGMENT) {
        links_rebuild(s, mem);
        return;
    }
    if (!s->squeezing && s->used > 2 * s->live + LINKS_SEGMENT) {
        s->squeezing = true;
        s->to = 0;
        s->from = s->first;
        s->first = 0;
    }
    links_need_segment(s, s->room / LINKS_SEGMENT, mem);
    s->room += LINKS_SEGMENT;
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
    if (UNLIKELY(s->squeezing)) links_squeeze(s, LINKS_STEPS, mem);
    if (s->used == s->room) links_make_room(s, mem);
    Relation *r = links_at(s, s->used);
    *r = (Relation){.key = key, .other = other, .name = TERM_NONE, .kind = (uint8_t)kind};
    if (s->tables != NULL) links_index(s, r, s->used, mem);
    s->used++;
    s->live++;
    links_hold(r, mem);
    return r;
}

/* Removed entries at both ends are not looked at again: at most so many at a time. */
#define LINKS_TRIM 64

static void links_trim(Relations *s, Mem *mem)
{
    for (int i = 0; i < LINKS_TRIM && links_at(s, s->first)->kind == RELATION_NONE; i++) {
        s->first++;
        if (s->first % LINKS_SEGMENT == 0)
            links_free_segment(s, s->first / LINKS_SEGMENT - 1, mem);
    }
    for (int i = 0; i < LINKS_TRIM && links_at(s, s->used - 1)->kind == RELATION_NONE; i++)
        s->used--;
    links_cut(s, mem);
}

static void links_unlink(Relations *s, Relation *r, Mem *mem)
{
    if (s->tables != NULL) links_unindex(s, r);
    r->kind = RELATION_NONE;
    s->live--;
    if (s->live == 0) {
        s->used = s->first = 0;
        s->squeezing = false;
        links_cut(s, mem);
    } else if (!s->squeezing) {
        links_trim(s, mem);
    }
}

void links_remove(Process *p, Relation *r)
{
    links_free_parts(r, p->heap.mem);
    links_unlink(p->relations, r, p->heap.mem);
}

Relation *links_next(const Process *p, size_t *cursor)
{
    const Relations *s = p->relations;
    if (s == NULL) return NULL;
    if (*cursor < s->first) *cursor = s->first;
    while (*cursor < s->used) {
        if (s->squeezing && *cursor >= s->to && *cursor < s->from) {
            *cursor = s->from;
            continue;
        }
        Relation *r = links_at(s, (uint32_t)(*cursor)++);
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
    links_unlink(p->relations, r, p->heap.mem);
    return true;
}

void links_free(Process *p)
{
    Relations *s = p->relations;
    if (s == NULL) return;
    Mem *mem = p->heap.mem;
    size_t cursor = 0;
    for (const Relation *r; s->live > 0 && (r = links_next(p, &cursor)) != NULL;)
        links_free_parts(r, mem);
    links_drop_tables(s, mem);
    for (uint32_t i = 0; i < s->segment_room; i++)
        if (s->segments[i] != NULL) links_free_segment(s, i, mem);
    mem_free(mem, MEM_PROCESS, s->segments, s->segment_room * sizeof *s->segments);
    mem_free(mem, MEM_PROCESS, s, sizeof *s);
    p->relations = NULL;
}

void links_check(const Process *p)
{
    const Relations *s = p->relations;
    if (s == NULL) return;
    uint32_t live = 0;
    size_t cursor = 0;
    for (const Relation *r; (r = links_next(p, &cursor)) != NULL; live++)
        CHECK(links_find(p, (RelationKind)r->kind, r->key) == r);
    CHECK(live == s->live && s->used <= s->room);
}
