/* The process table: finding, reuse of slots, growth, limit. */
#include "tests/unit/unit.h"

#include "vm/proc/proctab.h"

static Process *process(Mem *mem) { return process_new(mem, PROCESS_FIRST_WORDS); }

static void forget(Mem *mem, Process *p)
{
    process_free_block(p);
    process_release(mem, p);
}

TEST(found_until_removed)
{
    Mem *mem = mem_new(0);
    ProcTable *t = proctab_new(mem, 100);
    Process *p = process(mem);
    EXPECT(proctab_insert(t, p));
    Term pid = p->pid;
    EXPECT(proctab_find(t, pid) == p);
    EXPECT_EQ(proctab_count(t), 1);
    EXPECT(proctab_find(t, pid_make(pid_slot(pid), pid_generation(pid) + 1)) == NULL);
    EXPECT(proctab_find(t, pid_make(99, 0)) == NULL);
    EXPECT(proctab_find(t, pid_make(100000000, 0)) == NULL);
    proctab_remove(t, p);
    EXPECT(proctab_find(t, pid) == NULL);
    EXPECT_EQ(proctab_count(t), 0);
    forget(mem, p);
    proctab_delete(t);
    EXPECT_EQ(mem_total(mem), 0);
    mem_delete(mem);
}

TEST(slots_come_back_oldest_first_with_another_generation)
{
    Mem *mem = mem_new(0);
    ProcTable *t = proctab_new(mem, 3);
    Process *p[3];
    Term pids[3];
    for (size_t i = 0; i < 3; i++) {
        p[i] = process(mem);
        EXPECT(proctab_insert(t, p[i]));
        pids[i] = p[i]->pid;
    }
    Process *none = process(mem);
    EXPECT(!proctab_insert(t, none));
    proctab_remove(t, p[1]);
    proctab_remove(t, p[0]);
    EXPECT(proctab_insert(t, none));
    EXPECT_EQ(pid_slot(none->pid), pid_slot(pids[1]));
    EXPECT_EQ(pid_generation(none->pid), pid_generation(pids[1]) + 1);
    EXPECT(proctab_find(t, pids[1]) == NULL);
    EXPECT(proctab_find(t, none->pid) == none);
    EXPECT(proctab_find(t, pids[2]) == p[2]);
    proctab_remove(t, none);
    proctab_remove(t, p[2]);
    for (size_t i = 0; i < 3; i++) forget(mem, p[i]);
    forget(mem, none);
    proctab_delete(t);
    mem_delete(mem);
}

TEST(it_grows)
{
    Mem *mem = mem_new(0);
    ProcTable *t = proctab_new(mem, 1 << 20);
    size_t n = UNIT_SIZE(5000);
    Process **p = malloc(n * sizeof *p);
    for (size_t i = 0; i < n; i++) {
        p[i] = process(mem);
        EXPECT(proctab_insert(t, p[i]));
    }
    EXPECT_EQ(proctab_slots(t), n);
    for (size_t i = 0; i < n; i++) {
        EXPECT(proctab_find(t, p[i]->pid) == p[i]);
        EXPECT(proctab_at(t, i) == p[i]);
    }
    for (size_t i = 0; i < n; i++) {
        proctab_remove(t, p[i]);
        forget(mem, p[i]);
    }
    free(p);
    proctab_delete(t);
    EXPECT_EQ(mem_total(mem), 0);
    mem_delete(mem);
}

/* What a process costs: control block, first block, slot; the allocator adds at most the
 * rest to 560. */
TEST(an_idle_process_is_small)
{
    Mem *mem = mem_new(0);
    Process *p = process(mem);
    EXPECT(sizeof(Process) <= 208);
    EXPECT(mem_total(mem) <= 208 + 256);
    forget(mem, p);
    mem_delete(mem);
}
