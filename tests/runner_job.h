/* One job of the runner: a program in one mode, or a unit test.  Jobs run at the same time on
 * several threads; what they share is the Runner, which they only read. */
#pragma once

#include "tests/runner_spec.h"

typedef enum {
    RUN_PLAIN,
    RUN_SEEDS,
    RUN_DIAGNOSTICS,
    RUN_COMMAND,
    RUN_GOLDEN,
    RUN_UNIT
} RunKind;

typedef struct Job {
    RunKind kind;
    const Spec *spec;   /* NULL for a unit test and a golden one */
    const char *name;   /* path */
    const char *option; /* NULL or the number of schedulers */
    long first_seed;
    long last_seed;
} Job;

typedef struct JobSettings {
    const char *mote;
    long slow;    /* how many times smaller sizes are */
    long timeout; /* seconds, for tests that say nothing */
    long seeds;   /* most seeds of one job */
    bool rewrite; /* golden files are written, not compared */
    Words flags;  /* options for every plain run */
} JobSettings;

typedef struct JobResult {
    long passed;
    long failed;
    Bytes report; /* why it failed, as TAP comments; the caller frees it */
} JobResult;

JobResult job_run(const JobSettings *settings, const Job *job);
