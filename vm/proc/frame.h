/*
 * The link of a frame, its word fp[0]: the address of the descriptor that stands behind the call in
 * the caller's code, and the call's window in the upper 16 bits.  A return needs the window at once
 * to find the caller's frame; from here it is one load away, from the descriptor two that wait for
 * each other.  Descriptors are aligned code addresses below 2^48, so a link looks like a small
 * integer to whoever scans the stack.  Design page: docs/design/bytecode.md.
 */
#pragma once

#include "vm/code/operands.h"

#define FRAME_WINDOW_SHIFT 48

static inline Word frame_link(const void *descriptor, size_t window)
{
    return (Word)(uintptr_t)descriptor | (Word)window << FRAME_WINDOW_SHIFT;
}
/* Slots between this frame and its caller's. */
static inline size_t frame_window(Word link) { return link >> FRAME_WINDOW_SHIFT; }
static inline const uint8_t *frame_descriptor(Word link)
{
    int unused = 64 - FRAME_WINDOW_SHIFT;
    return (const uint8_t *)(uintptr_t)(link << unused >> unused);
}
/* Where the caller goes on. */
static inline const uint8_t *frame_return(Word link)
{
    return frame_descriptor(link) + sizeof(LiveMap);
}
