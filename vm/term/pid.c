#include "vm/term/pid.h"

Term pid_make_ref(Heap *h, uint64_t number)
{
    Word *at = heap_alloc(h, 2);
    return at == NULL ? TERM_NONE : pid_ref_at(at, number);
}

Term pid_make_alias(Heap *h, uint64_t number, Term pid)
{
    Word *at = heap_alloc(h, 3);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(KIND_REF, 2);
    at[1] = number;
    at[2] = pid.w;
    return boxed_from(at);
}

static Term make_remote(Heap *h, Kind kind, Term node, uint32_t creation, Word number)
{
    Word *at = heap_alloc(h, 4);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(kind, 3);
    at[1] = node.w;
    at[2] = creation;
    at[3] = number;
    return boxed_from(at);
}

Term pid_make_remote(Heap *h, Term node, uint32_t creation, uint32_t id, uint32_t serial)
{
    return make_remote(h, KIND_REMOTE_PID, node, creation, (Word)serial << 32 | id);
}

Term pid_make_remote_port(Heap *h, Term node, uint32_t creation, uint64_t number)
{
    return make_remote(h, KIND_REMOTE_PORT, node, creation, number);
}

Term pid_make_remote_ref(Heap *h, Term node, uint32_t creation, size_t count,
                         const uint32_t *ids)
{
    ASSERT(count >= 1 && count <= PID_REF_MAX_IDS);
    Word *at = heap_alloc(h, 4 + count);
    if (at == NULL) return TERM_NONE;
    at[0] = header_make(KIND_REMOTE_REF, 3 + count);
    at[1] = node.w;
    at[2] = creation;
    at[3] = count;
    for (size_t i = 0; i < count; i++) at[4 + i] = ids[i];
    return boxed_from(at);
}

void pid_numbers(Term pid, uint32_t *id, uint32_t *serial)
{
    bool local = term_is_local_pid(pid);
    *id = local ? pid_slot(pid) : pid_remote_id(pid);
    *serial = local ? pid_generation(pid) : pid_remote_serial(pid);
}

/* A local reference's number is spread over 18, 32 and 14 bits: the first word of the external
 * form has only 18 that other nodes keep.  An alias adds its owner's slot and generation. */
size_t pid_ref_ids(Term ref, uint32_t ids[PID_REF_MAX_IDS])
{
    if (boxed_kind(ref) == KIND_REMOTE_REF) {
        size_t count = (size_t)boxed_words(ref)[3];
        for (size_t i = 0; i < count; i++) ids[i] = (uint32_t)boxed_words(ref)[4 + i];
        return count;
    }
    uint64_t number = pid_ref_number(ref);
    ids[0] = (uint32_t)(number & 0x3FFFF);
    ids[1] = (uint32_t)(number >> 18);
    ids[2] = (uint32_t)(number >> 50);
    if (!pid_ref_is_alias(ref)) return 3;
    ids[3] = pid_slot(pid_ref_owner(ref));
    ids[4] = pid_generation(pid_ref_owner(ref));
    return 5;
}

bool pid_ref_from_ids(size_t count, const uint32_t *ids, uint64_t *number, Term *owner)
{
    if (count != 3 && count != 5) return false;
    if (ids[0] > 0x3FFFF || ids[2] > 0x3FFF) return false;
    *number = (uint64_t)ids[2] << 50 | (uint64_t)ids[1] << 18 | ids[0];
    *owner = TERM_NONE;
    if (count == 3) return true;
    if (ids[3] >= (uint32_t)1 << PID_SLOT_BITS) return false;
    *owner = pid_make(ids[3], ids[4]);
    return true;
}

static uint32_t node_number(Term t) { return pid_is_remote(t) ? atom_index(pid_node(t)) : 0; }

void pid_print(Bytes *to, Term t)
{
    if (term_is_pid(t)) {
        uint32_t id = 0;
        uint32_t serial = 0;
        pid_numbers(t, &id, &serial);
        bytes_printf(to, "<%u.%u.%u>", node_number(t), id, serial);
    } else if (term_is_port(t)) {
        uint64_t number = term_is_local_port(t) ? port_number(t) : pid_remote_port(t);
        bytes_printf(to, "#Port<%u.%llu>", node_number(t), (unsigned long long)number);
    } else {
        uint32_t ids[PID_REF_MAX_IDS];
        size_t count = pid_ref_ids(t, ids);
        bytes_printf(to, "#Ref<%u", node_number(t));
        while (count-- > 0) bytes_printf(to, ".%u", ids[count]);
        bytes_put_u8(to, '>');
    }
}

/* `prefix`, then at most `max` numbers with dots between them, then `>`: how many, or 0. */
static size_t read_numbers(const char *text, size_t length, const char *prefix, size_t max,
                           uint64_t *numbers)
{
    const char *end = text + length;
    for (; *prefix != 0; prefix++, text++)
        if (text == end || *text != *prefix) return 0;
    for (size_t n = 0; n < max; n++) {
        const char *start = text;
        uint64_t value = 0;
        for (; text < end && *text >= '0' && *text <= '9'; text++) {
            if (value > (UINT64_MAX - 9) / 10) return 0;
            value = value * 10 + (uint64_t)(*text - '0');
        }
        if (text == start || text == end) return 0;
        numbers[n] = value;
        if (*text == '>') return text + 1 == end ? n + 1 : 0;
        if (*text++ != '.') return 0;
    }
    return 0;
}

Term pid_read(const char *text, size_t length)
{
    uint64_t n[3];
    if (read_numbers(text, length, "<", 3, n) != 3) return TERM_NONE;
    if (n[0] != 0 || n[1] >> PID_SLOT_BITS != 0 || n[2] > UINT32_MAX) return TERM_NONE;
    return pid_make((uint32_t)n[1], (uint32_t)n[2]);
}

Term pid_read_port(const char *text, size_t length)
{
    uint64_t n[2];
    if (read_numbers(text, length, "#Port<", 2, n) != 2) return TERM_NONE;
    if (n[0] != 0 || n[1] >> 58 != 0) return TERM_NONE;
    return port_make(n[1]);
}

Term pid_read_ref(Heap *h, const char *text, size_t length)
{
    uint64_t n[1 + PID_REF_MAX_IDS];
    size_t count = read_numbers(text, length, "#Ref<", 1 + PID_REF_MAX_IDS, n);
    if (count < 2 || n[0] != 0) return TERM_NONE;
    uint32_t ids[PID_REF_MAX_IDS];
    for (size_t i = 1; i < count; i++) {
        if (n[i] > UINT32_MAX) return TERM_NONE;
        ids[count - 1 - i] = (uint32_t)n[i];
    }
    uint64_t number = 0;
    Term owner = TERM_NONE;
    if (!pid_ref_from_ids(count - 1, ids, &number, &owner)) return TERM_NONE;
    return term_is_none(owner) ? pid_make_ref(h, number) : pid_make_alias(h, number, owner);
}
