/* Atoms: named ones, text and back, limits, order, many threads. */
#include "tests/unit/terms.h"
#include "vm/base/thread.h"

TEST(named_atoms_have_their_index)
{
    Terms x;
    terms_open(&x);
    EXPECT(term_same(atom_make(x.atoms, "ok"), TERM_ATOM(OK)));
    EXPECT(term_same(atom_make(x.atoms, "true"), TERM_TRUE));
    EXPECT_EQ(atom_of(atom_make(x.atoms, "badmatch")), ATOM_BADMATCH);
    EXPECT_EQ(atom_count(x.atoms), ATOM_NAMED_COUNT);
    terms_close(&x);
}

TEST(text_and_back)
{
    Terms x;
    terms_open(&x);
    char name[32];
    for (unsigned i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "atom_%u", i);
        Term t = atom_make(x.atoms, name);
        EXPECT_STR(atom_text(x.atoms, t), name);
    }
    EXPECT_EQ(atom_count(x.atoms), ATOM_NAMED_COUNT + 5000);
    EXPECT(term_same(atom_make(x.atoms, "atom_17"), atom_find(x.atoms, "atom_17", 7)));
    EXPECT(term_is_none(atom_find(x.atoms, "atom_5000", 9)));
    Term latin;
    EXPECT_EQ(atom_put_latin1(x.atoms, "\xE9", 1, &latin), ATOM_PUT_DONE);
    EXPECT_STR(atom_text(x.atoms, latin), "é");
    EXPECT(term_same(latin, atom_find_latin1(x.atoms, "\xE9", 1)));
    terms_close(&x);
}

TEST(limits)
{
    Mem *mem = mem_new(0);
    AtomTable *atoms = atom_table_new(mem, ATOM_NAMED_COUNT + 2);
    char text[1100];
    Term t = TERM_NONE;
    memset(text, 'a', sizeof text);
    EXPECT_EQ(atom_put(atoms, text, 256, &t), ATOM_PUT_TOO_LONG);
    EXPECT_EQ(atom_put(atoms, text, 1100, &t), ATOM_PUT_TOO_LONG);
    EXPECT_EQ(atom_put(atoms, text, 255, &t), ATOM_PUT_DONE);
    for (size_t i = 0; i < 255; i++) memcpy(text + i * 4, "\xF0\x9F\x98\x80", 4);
    EXPECT_EQ(atom_put(atoms, text, 1020, &t), ATOM_PUT_DONE);
    EXPECT_EQ(atom_put(atoms, "\xFF", 1, &t), ATOM_PUT_NOT_UTF8);
    EXPECT_EQ(atom_put(atoms, "one more", 8, &t), ATOM_PUT_FULL);
    EXPECT_EQ(atom_put(atoms, "ok", 2, &t), ATOM_PUT_DONE);
    atom_table_delete(atoms);
    EXPECT_EQ(mem_total(mem), 0);
    mem_delete(mem);
}

TEST(order_is_by_character)
{
    static const char *const sorted[] = {"",         "A",         "a",         "aa",
                                         "aaaaaaaa", "aaaaaaaaa", "aaaaaaaab", "aaaaaaab",
                                         "ab",       "b",         "\xC3\xA9",  "\xD0\xB6"};
    Terms x;
    terms_open(&x);
    for (size_t i = 0; i < ARRAY_LEN(sorted); i++)
        for (size_t k = 0; k < ARRAY_LEN(sorted); k++) {
            int order = atom_compare(x.atoms, atom_make(x.atoms, sorted[i]),
                                     atom_make(x.atoms, sorted[k]));
            EXPECT_EQ((order > 0) - (order < 0), (i > k) - (i < k));
        }
    terms_close(&x);
}

typedef struct Racer {
    AtomTable *atoms;
    unsigned seed;
    Term made[2000];
} Racer;

static void race(void *arg)
{
    Racer *r = arg;
    char name[32];
    for (unsigned i = 0; i < ARRAY_LEN(r->made); i++) {
        unsigned number = (i * 7 + r->seed * 13) % ARRAY_LEN(r->made);
        snprintf(name, sizeof name, "race%u", number);
        r->made[number] = atom_make(r->atoms, name);
        EXPECT_STR(atom_text(r->atoms, r->made[number]), name);
    }
}

TEST(threads_agree)
{
    enum { THREADS = 4 };
    Mem *mem = mem_new(0);
    AtomTable *atoms = atom_table_new(mem, 0);
    Racer *racers = calloc(THREADS, sizeof *racers);
    Thread threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        racers[i].atoms = atoms;
        racers[i].seed = i;
        EXPECT(thread_start(&threads[i], "racer", race, &racers[i], 0));
    }
    for (unsigned i = 0; i < THREADS; i++) thread_join(&threads[i]);
    for (unsigned i = 1; i < THREADS; i++)
        EXPECT(memcmp(racers[0].made, racers[i].made, sizeof racers[0].made) == 0);
    EXPECT_EQ(atom_count(atoms), ATOM_NAMED_COUNT + 2000);
    free(racers);
    atom_table_delete(atoms);
    mem_delete(mem);
}
