#include "vm/proc/keyed.h"

typedef struct KeyedPause {
    Pause pause; /* first */
    KeysStudy study;
} KeyedPause;

static void keyed_release(Pause *pause, Process *p)
{
    KeyedPause *held = (KeyedPause *)pause;
    keys_study_end(&held->study);
    mem_free(p->heap.mem, MEM_WORK, held, sizeof *held);
}

Keys *keyed_begin_again(Process *p, Keys *here)
{
    KeyedPause *held = (KeyedPause *)pause_find(p, keyed_release);
    if (held == NULL) {
        keys_init(here, p->run->atoms, KEYS_QUICK);
        return here;
    }
    size_t budget = pause_budget(p);
    size_t left = budget;
    bool done = keys_study_step(&held->study, &left);
    pause_charge(p, budget, left);
    return done ? &held->study.keys : NULL;
}

Term keyed_yield(Process *p, const Keys *k)
{
    p->run->reductions -= (int64_t)((KEYS_QUICK - k->budget) / PAUSE_STEPS);
    if (k->known != NULL) return TERM_YIELD;
    KeyedPause *held = (KeyedPause *)pause_new(p, sizeof *held, keyed_release);
    keys_study_begin(&held->study, p->run->atoms, p->heap.mem);
    keys_study_take(&held->study, k);
    return TERM_YIELD;
}

void keyed_end_study(Process *p)
{
    ASSERT(pause_find(p, keyed_release) != NULL);
    pause_end(p);
}
