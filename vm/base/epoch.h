/* Free later, once every registered thread has moved on (quiescent-state reclamation).
 *
 * A thread that reads shared structures without a lock registers, and says epoch_quiescent() at a
 * moment when it holds no pointer into them, at least once per turn of its loop.  Before it sleeps
 * or blocks it goes offline.  What was unlinked from a shared structure is retired; its release
 * function runs after each thread that was online at that time has been quiescent, on some
 * registered thread, inside epoch_quiescent (or epoch_delete).
 *
 * An EpochThread is used by its own thread only; Epoch by all.  Design page:
 * docs/design/scheduler.md. */
#pragma once

#include "vm/base/mem.h"

typedef struct Epoch Epoch;
typedef struct EpochThread EpochThread;

/* Releases `at`; `context` is what was handed to epoch_retire. */
typedef void EpochRelease(void *context, void *at);

Epoch *epoch_new(Mem *mem);
/* All threads have unregistered; runs every release function still due. */
void epoch_delete(Epoch *e);

/* Join, online.  The record lives until unregistered; what it has retired is then handed on. */
EpochThread *epoch_register(Epoch *e);
void epoch_unregister(EpochThread *t);

/* The caller holds no pointer into anything shared.  A few loads and one store as a rule; now and
 * then it looks at the other threads and runs release functions. */
void epoch_quiescent(EpochThread *t);

/* Around sleeping and blocking calls.  Offline, a thread touches nothing shared and delays
 * nobody. */
void epoch_offline(EpochThread *t);
void epoch_online(EpochThread *t);

/* `at` has been unlinked: no thread can reach it any more that does not hold it already.
 * The caller is online. */
void epoch_retire(EpochThread *t, EpochRelease *release, void *context, void *at);
/* The same from a thread that is not registered; takes a lock. */
void epoch_retire_shared(Epoch *e, EpochRelease *release, void *context, void *at);

/* To wait for a quiescent period without blocking: take a ticket after unlinking; once it has
 * elapsed, no thread holds what was reachable before.  Somebody must keep calling
 * epoch_quiescent. */
uint64_t epoch_ticket(Epoch *e);
bool epoch_elapsed(Epoch *e, uint64_t ticket);

/* Retired and not yet released, over all threads; for accounting and tests. */
size_t epoch_pending(Epoch *e);
