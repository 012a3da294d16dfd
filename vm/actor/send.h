/*
 * Sending messages.  None of these collects.
 */
#pragma once

#include "vm/proc/process.h"

typedef enum SendResult {
    SEND_DONE,      /* delivered, or to somebody who does not exist any more */
    SEND_BAD_NAME,  /* nobody is registered so: badarg */
    SEND_BAD_DEST,  /* not a pid, name, port, alias or {Name, Node}: badarg */
    SEND_NO_MEMORY, /* the budget refuses the copy: system_limit */
    SEND_MORE       /* the slice is over: run me again with the same arguments */
} SendResult;

/* to ! message.  `to` is a pid, a name, {Name, Node} or an alias; `message` a term of from's.
 * Charges for the words copied; what is large is copied in slices, and sent after the last. */
MUST_USE SendResult send_message(Process *from, Term to, Term message);
/* False: `to` is on another node, to which a connection would have to be made first. */
bool send_is_connected(Process *from, Term to);
/* The same on the machine's behalf: to a local pid; nobody there: dropped.  False: no
 * memory. */
bool send_system(RunContext *rc, Term pid, Term message);
/* Pushes a finished message; freed if the process is gone.  Whether it was taken. */
bool send_push(RunContext *rc, Term pid, Message *m);
/* The same to a process that is known to be there, under the epoch rule. */
bool send_push_to(RunContext *rc, Process *p, Message *m);
