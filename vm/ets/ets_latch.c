#include "vm/ets/ets_latch.h"

#include <sched.h>
#include <time.h>

void ets_latch_wait(unsigned turns)
{
    enum { SPIN = 64, SLEEP = 1024 };
    const struct timespec little = {0, 20000};
    atomic_pause();
    if (turns % SPIN != SPIN - 1) return;
    if (turns < SLEEP)
        (void)sched_yield();
    else
        (void)nanosleep(&little, NULL);
}
