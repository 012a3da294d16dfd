/*
 * Built-ins of kind BLOCKS: work on a thread of the blocking pool while the process waits.
 *
 *   Job *job = bif_job_at(p, SLOT);
 *   if (job == NULL) { make one; return bif_job_start(p, SLOT, job); }
 *   if (!job_done(job)) return bif_wait(p);
 *   ... build the result from the job; its handle frees it
 *
 * SLOT is a state slot of the stub; it holds a KIND_FOREIGN handle, so a process that dies
 * meanwhile leaves nothing behind.
 */
#pragma once

#include "vm/bif/bif.h"
#include "vm/sched/blocking.h"

/* The job in that slot, or NULL. */
Job *bif_job_at(const Process *p, size_t slot_index);
/* Takes the job, made with one reference, and submits it; the result of the built-in for now. */
BifResult bif_job_start(Process *p, size_t slot_index, Job *job);
