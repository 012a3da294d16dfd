#include "vm/base/lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "vm/base/clock.h"
#include "vm/base/thread.h"

typedef struct Counter {
    Lock lock;
    LockCond changed;
    uint64_t value; /* under lock */
} Counter;

static void count_up(void *arg)
{
    Counter *c = arg;
    for (int i = 0; i < 1000; i++) {
        lock_take(&c->lock);
        c->value++;
        lock_signal(&c->changed);
        lock_drop(&c->lock);
    }
}

TEST(threads_exclude_each_other)
{
    Counter c = {.value = 0};
    lock_init(&c.lock, LOCK_RANK_LEAF, "counter");
    lock_cond_init(&c.changed);
    Thread threads[3];
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        EXPECT(thread_start(&threads[i], "count", count_up, &c, 0));
    lock_take(&c.lock);
    while (c.value < 3000) lock_wait(&c.changed, &c.lock);
    lock_drop(&c.lock);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) thread_join(&threads[i]);
    EXPECT_EQ(c.value, 3000);
    lock_cond_destroy(&c.changed);
    lock_destroy(&c.lock);
}

TEST(waiting_ends_in_time)
{
    Lock l;
    LockCond never;
    lock_init(&l, LOCK_RANK_LEAF, "leaf");
    lock_cond_init(&never);
    lock_take(&l);
    uint64_t due = clock_system_monotonic_ns() + 5000000;
    while (lock_wait_until(&never, &l, due)) continue;
    EXPECT(clock_system_monotonic_ns() >= due);
    lock_assert_held(&l);
    lock_drop(&l);
    if (lock_try(&l))
        lock_drop(&l);
    else
        unit_fail(__FILE__, __LINE__, "a free lock can be had");
    lock_cond_destroy(&never);
    lock_destroy(&l);
}

#if CONFIG_DEBUG && !CONFIG_TSAN
static void take_in_the_wrong_order(void) NO_THREAD_SAFETY
{
    Lock low;
    Lock high;
    lock_init(&low, LOCK_RANK_CODE, "low");
    lock_init(&high, LOCK_RANK_RUNQ, "high");
    lock_take(&high);
    lock_take(&low);
    _exit(0);
}

TEST(a_wrong_order_stops_the_program)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr)) _exit(0);
        signal(SIGABRT, SIG_DFL);
        take_in_the_wrong_order();
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
}
#endif
