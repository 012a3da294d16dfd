#include "vm/proc/process.h"

#include "vm/proc/extra.h"
#include "vm/proc/state.h"

#include <string.h>

Process *process_new(Mem *mem, size_t block_words)
{
    block_words =
        block_words <= PROCESS_FIRST_WORDS ? PROCESS_FIRST_WORDS : gc_block_size(block_words);
    Process *p = mem_try_alloc(mem, MEM_PROCESS, sizeof(Process));
    if (p == NULL) return NULL;
    memset((void *)p, 0, sizeof *p);
    p->block = mem_try_alloc(mem, MEM_HEAP, block_words * sizeof(Word));
    if (p->block == NULL) {
        mem_free(mem, MEM_PROCESS, p, sizeof *p);
        return NULL;
    }
    p->block_words = (uint32_t)block_words;
    p->heap = (Heap){.top = p->block, .limit = p->block + block_words, .mem = mem};
    p->fp = p->block + block_words;
    p->pid = TERM_NONE;
    p->group_leader = TERM_NONE;
    p->parent = TERM_NONE;
    atomic_init(&p->state, (uint64_t)PRIORITY_NORMAL << STATE_PRIORITY_SHIFT);
    mailbox_init(&p->mailbox);
    return p;
}

Term process_list_registers(Process *p, size_t first, size_t n)
{
    Term list = TERM_NIL;
    while (n > 0) {
        n--;
        list = heap_cons(&p->heap, arg(p, first + n), list);
        if (term_is_none(list)) return TERM_NIL;
    }
    return list;
}

void process_free_block(Process *p)
{
    heap_release(&p->heap);
    mem_free(p->heap.mem, MEM_HEAP, p->block, p->block_words * sizeof(Word));
    p->block = NULL;
    p->block_words = 0;
    p->heap.top = p->heap.limit = NULL;
    p->fp = NULL;
}

void process_release(void *context, void *process)
{
    Mem *mem = context;
    ASSERT(((Process *)process)->block == NULL);
    mem_free(mem, MEM_PROCESS, process, sizeof(Process));
}
