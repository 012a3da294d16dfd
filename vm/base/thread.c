#include "vm/base/thread.h"

#include "vm/base/mem.h"
#include "vm/base/panic.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ThreadStart {
    void (*run)(void *);
    void *arg;
    char name[16];
} ThreadStart;

static void *thread_main(void *arg)
{
    ThreadStart start = *(ThreadStart *)arg;
    mem_free(NULL, MEM_MISC, arg, sizeof start);
    (void)pthread_setname_np(pthread_self(), start.name);
    start.run(start.arg);
    return NULL;
}

/* Create with every signal blocked: the new thread inherits the mask. */
static bool thread_create(pthread_t *handle, ThreadStart *start, size_t stack_bytes)
{
    pthread_attr_t attributes;
    CHECK(pthread_attr_init(&attributes) == 0);
    bool ok = stack_bytes == 0 || pthread_attr_setstacksize(&attributes, stack_bytes) == 0;
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ok = ok && pthread_create(handle, &attributes, thread_main, start) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return ok;
}

bool thread_start(Thread *t, const char *name, void (*run)(void *), void *arg,
                  size_t stack_bytes)
{
    ThreadStart *start = mem_alloc_zero(NULL, MEM_MISC, sizeof *start);
    start->run = run;
    start->arg = arg;
    snprintf(start->name, sizeof start->name, "%s", name);
    t->started = thread_create(&t->handle, start, stack_bytes);
    if (!t->started) mem_free(NULL, MEM_MISC, start, sizeof *start);
    return t->started;
}

void thread_join(Thread *t)
{
    if (!t->started) return;
    CHECK(pthread_join(t->handle, NULL) == 0);
    t->started = false;
}

bool thread_pin(unsigned core)
{
    cpu_set_t allowed;
    if (pthread_getaffinity_np(pthread_self(), sizeof allowed, &allowed) != 0) return false;
    for (unsigned i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &allowed) || core-- != 0) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        return pthread_setaffinity_np(pthread_self(), sizeof one, &one) == 0;
    }
    return false;
}

/* Whole cores of a control group's quota ("200000 100000"), 0 without one. */
static unsigned thread_quota(void)
{
    FILE *f = fopen("/sys/fs/cgroup/cpu.max", "re");
    if (!f) return 0;
    char line[64];
    bool ok = fgets(line, sizeof line, f) != NULL;
    fclose(f);
    if (!ok) return 0;
    char *end;
    unsigned long quota = strtoul(line, &end, 10);
    if (end == line) return 0; /* "max" */
    unsigned long period = strtoul(end, NULL, 10);
    if (period == 0) return 0;
    unsigned long cores = (quota + period - 1) / period;
    return cores == 0 ? 1 : (unsigned)cores;
}

unsigned thread_cores(void)
{
    cpu_set_t allowed;
    unsigned cores = 1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        cores = (unsigned)CPU_COUNT(&allowed);
    unsigned quota = thread_quota();
    if (quota && quota < cores) cores = quota;
    return cores ? cores : 1;
}

void thread_yield(void) { sched_yield(); }

uint64_t thread_id(void)
{
    /* The address of the thread's control block: no system call, no thread-local of ours. */
    return (uint64_t)pthread_self() >> 6;
}
