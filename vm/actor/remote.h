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
    /* exit/2, link, unlink and its acknowledgement, monitor, demonitor, down, group leader; `kind`
     * is the SignalKind.  `from` is a local pid, perhaps of a process that is dead by now; `to` a
     * pid, or for (de)monitoring a name the node, with the name as `value`.  Terms are copied
     * before it returns.  False: noconnection. */
    bool (*signal)(RunContext *rc, int kind, Term from, Term to, uint64_t number, Term value);
    /* A connection to that node is there: sends with `noconnect` ask. */
    bool (*is_connected)(RunContext *rc, Term node);
} RemoteHooks;
