/* Links and monitors: against a plain list, and in constant time when there are many. */
#include "tests/unit/unit.h"

#include "vm/base/rng.h"
#include "vm/proc/links.h"

static Process *owner(Mem *mem) { return process_new(mem, PROCESS_FIRST_WORDS); }

static void drop(Mem *mem, Process *p)
{
    links_free(p);
    process_free_block(p);
    process_release(mem, p);
    EXPECT_EQ(mem_total(mem), 0);
    mem_delete(mem);
}

TEST(kinds_do_not_mix)
{
    Mem *mem = mem_new(0);
    Process *p = owner(mem);
    Term other = pid_make(1, 2);
    EXPECT(links_find(p, RELATION_LINK, other.w) == NULL);
    links_add(p, RELATION_LINK, other.w, other);
    links_add(p, RELATION_SUSPENDED, other.w, other)->number = 3;
    links_add(p, RELATION_MONITOR, 77, other);
    links_add(p, RELATION_WATCHER, 77, other);
    EXPECT_EQ(links_count(p), 4);
    EXPECT_EQ(links_find(p, RELATION_SUSPENDED, other.w)->number, 3);
    links_remove(p, links_find(p, RELATION_MONITOR, 77));
    EXPECT(links_find(p, RELATION_MONITOR, 77) == NULL);
    EXPECT(links_find(p, RELATION_WATCHER, 77) != NULL);
    links_check(p);
    drop(mem, p);
}

TEST(iteration_follows_making)
{
    Mem *mem = mem_new(0);
    Process *p = owner(mem);
    for (uint64_t i = 1; i <= 100; i++) links_add(p, RELATION_WATCHER, i, TERM_NIL);
    for (uint64_t i = 3; i <= 100; i += 3) links_remove(p, links_find(p, RELATION_WATCHER, i));
    size_t cursor = 0;
    uint64_t expected = 1;
    for (Relation *r; (r = links_next(p, &cursor)) != NULL; expected++) {
        if (expected % 3 == 0) expected++;
        EXPECT_EQ(r->key, expected);
    }
    Relation first;
    EXPECT(links_take_first(p, &first));
    EXPECT_EQ(first.key, 1);
    EXPECT(links_take_first(p, &first));
    EXPECT_EQ(first.key, 2);
    while (links_take_first(p, &first)) {
    }
    EXPECT_EQ(links_count(p), 0);
    links_check(p);
    drop(mem, p);
}

TEST(it_agrees_with_an_array)
{
    enum { KEYS = 200 };
    Mem *mem = mem_new(0);
    Process *p = owner(mem);
    bool there[KEYS] = {false};
    Rng rng;
    rng_seed(&rng, 5);
    for (size_t i = 0; i < UNIT_SIZE(20000); i++) {
        uint64_t key = rng_below(&rng, KEYS);
        Relation *r = links_find(p, RELATION_LINK, key);
        EXPECT_EQ(r != NULL, there[key]);
        if (r == NULL)
            links_add(p, RELATION_LINK, key, TERM_NIL);
        else
            links_remove(p, r);
        there[key] = !there[key];
        if (i % 64 == 0) links_check(p);
    }
    drop(mem, p);
}

/* So many that a search looking at all of them would not end within the test's time limit. */
TEST(many_links_are_found_and_removed)
{
    Mem *mem = mem_new(0);
    Process *p = owner(mem);
    uint64_t n = UNIT_SIZE(300000);
    for (uint64_t i = 0; i < n; i++) links_add(p, RELATION_LINK, i * 16 + 7, TERM_NIL);
    uint64_t found = 0;
    for (uint64_t i = 0; i < n; i++) {
        Relation *r = links_find(p, RELATION_LINK, (n - 1 - i) * 16 + 7);
        if (r == NULL) continue;
        found++;
        links_remove(p, r);
    }
    EXPECT(found == n);
    EXPECT(links_find(p, RELATION_LINK, 7) == NULL);
    drop(mem, p);
}

/* Tables in segments: split, trimmed at both ends, and squeezed where most entries are gone. */
TEST(large_tables_agree_with_an_array)
{
    enum { KEYS = 12000 };
    Mem *mem = mem_new(0);
    Process *p = owner(mem);
    bool *there = mem_alloc_zero(mem, MEM_WORK, KEYS);
    Rng rng;
    rng_seed(&rng, 7);
    uint64_t live = 0;
    for (size_t i = 0; i < UNIT_SIZE(400000); i++) {
        /* It swells and shrinks; keys come in turn for a while, then at random. */
        uint64_t most = i / 20000 % 3 == 0 ? KEYS : KEYS / 8;
        uint64_t key = i / 30000 % 2 == 0 ? i % most : rng_below(&rng, KEYS);
        Relation *r = links_find(p, RELATION_MONITOR, key);
        EXPECT_EQ(r != NULL, there[key]);
        bool adds = r == NULL && live < most;
        if (adds) links_add(p, RELATION_MONITOR, key, TERM_NIL)->number = key;
        if (r != NULL) EXPECT_EQ(r->number, key);
        if (r != NULL) links_remove(p, r);
        live += adds;
        live -= r != NULL;
        there[key] = adds;
        if (i % 5000 == 0) links_check(p);
    }
    EXPECT_EQ(links_count(p), live);
    uint64_t n = 0;
    size_t cursor = 0;
    for (Relation *r; (r = links_next(p, &cursor)) != NULL; n++) {
        EXPECT(there[r->key]);
        links_remove(p, r);
    }
    EXPECT_EQ(n, live);
    EXPECT_EQ(links_count(p), 0);
    mem_free(mem, MEM_WORK, there, KEYS);
    drop(mem, p);
}

/* The oldest go while new ones come: places are used again, and order is kept. */
TEST(a_queue_of_entries)
{
    Mem *mem = mem_new(0);
    Process *p = owner(mem);
    links_add(p, RELATION_LINK, 7, TERM_NIL);
    uint64_t n = UNIT_SIZE(200000);
    for (uint64_t i = 0; i < n; i++) {
        links_add(p, RELATION_WATCHER, i, TERM_NIL);
        if (i >= 3000) links_remove(p, links_find(p, RELATION_WATCHER, i - 3000));
        if (i % 20000 == 0) links_check(p);
    }
    EXPECT(mem_total(mem) < 2000000);
    size_t cursor = 0;
    EXPECT_EQ(links_next(p, &cursor)->key, 7);
    uint64_t next = n < 3000 ? 0 : n - 3000;
    for (Relation *r; (r = links_next(p, &cursor)) != NULL; next++) EXPECT_EQ(r->key, next);
    EXPECT_EQ(next, n);
    drop(mem, p);
}
