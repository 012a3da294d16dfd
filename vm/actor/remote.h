/*
 * RemoteHooks: the pid, name or reference belongs to another node.  Filled by vm/dist; while it
 * is absent (NULL in the RunContext) every other node is unreachable: sends vanish, monitors
 * and links report noconnection.
 */
#pragma once

#include "vm/proc/process.h"

typedef struct RemoteHooks {
    /* Message to a pid of another node, or to {Name, Node}. */
    void (*send)(RunContext *rc, Process *from, Term to, Term message);
    /* exit/2, link, unlink, monitor, demonitor; `kind` is the SignalKind. False:
     * noconnection. */
    bool (*signal)(RunContext *rc, Process *from, int kind, Term to, uint64_t number,
                   Term value);
} RemoteHooks;
