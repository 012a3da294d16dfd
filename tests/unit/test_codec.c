/* The external format: bytes and phash2 values as OTP 25 gives them, hostile input, slices. */
#include "tests/unit/terms.h"
#include "vm/term/codec.h"
#include "vm/term/hash.h"
#include "vm/term/pid.h"

static const CodecNode node = {{(Word)ATOM_NONODE_AT_NOHOST << 4 | TAG4_ATOM}, 0};

static size_t unhex(const char *hex, uint8_t *to)
{
    size_t n = strlen(hex) / 2;
    for (size_t i = 0; i < n; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        to[i] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return n;
}

/* One export key per arity is enough here. */
static const void *find_export(void *context, Term module, Term function, uint32_t arity,
                               bool existing)
{
    ExportKey *keys = context;
    if (existing) return NULL;
    keys[arity] = (ExportKey){module, function, arity};
    return &keys[arity];
}

static const void *find_entry(void *context, const FunKey *key, size_t n)
{
    (void)context;
    (void)key;
    (void)n;
    return NULL;
}

static CodecResult decode(Terms *x, const uint8_t *bytes, size_t n, Term *out)
{
    static ExportKey keys[256];
    FunResolver funs = {keys, find_export, find_entry};
    return codec_decode(&x->heap, x->atoms, node, bytes, n, &funs, false, CODEC_PLAIN, out,
                        NULL);
}

/* From term_to_binary/1, phash2(T, 1 bsl 32) and ~w. */
static const struct {
    const char *hex;
    uint32_t phash2;
    const char *text;
} known[] = {
    {"836100", 3175731469, "0"},
    {"836101", 539485162, "1"},
    {"8361ff", 715823293, "255"},
    {"836200000100", 3929335767, "256"},
    {"8362ffffffff", 1117813597, "-1"},
    {"83627fffffff", 2137393463, "2147483647"},
    {"836e040000000080", 2832818325, "2147483648"},
    {"836280000000", 1672643025, "-2147483648"},
    {"836e040101000080", 850223756, "-2147483649"},
    {"836207ffffff", 4273352567, "134217727"},
    {"836208000000", 2562491755, "134217728"},
    {"8362f8000000", 874979335, "-134217728"},
    {"8362f7ffffff", 1418916782, "-134217729"},
    {"836e0900000000000000000001", 2519041713, "18446744073709551616"},
    {"836e0901000000000000000001", 2563594619, "-18446744073709551616"},
    {"8364000161", 97, "a"},
    {"83640000", 0, "''"},
    {"83640001e9", 233, "é"},
    {"837706d0b6d183d0ba", 230924474, "'жук'"},
    {"836a", 3468870702, "[]"},
    {"836c00000001640001616a", 1634476877, "[a]"},
    {"836b0003616263", 519996486, "[97,98,99]"},
    {"836c00000002610161026103", 4169601349, "[1,2|3]"},
    {"836c0000000162000001006a", 1684221134, "[256]"},
    {"836c000000016400016164000162", 2356411656, "[a|b]"},
    {"836800", 221703996, "{}"},
    {"83680164000161", 2853905094, "{a}"},
    {"836803640001616400016264000163", 113425870, "{a,b,c}"},
    {"837400000000", 844985373, "#{}"},
    {"837400000001640001616101", 1401795262, "#{a => 1}"},
    {"837400000002610164000161640001626800", 1167945531, "#{1 => a,b => {}}"},
    {"83463ff8000000000000", 2023646235, "1.5"},
    {"83468000000000000000", 423528920, "-0.0"},
    {"836d00000000", 147926629, "<<>>"},
    {"836d00000003010203", 4167228639, "<<1,2,3>>"},
    {"834d00000002030140", 2841540738, "<<1,2:3>>"},
    {"834d0000000103a0", 3354768668, "<<5:3>>"},
    {"836c000000016a6a", 499070068, "[[]]"},
    {"83716400056c697374736400036d61706102", 840287883, "fun lists:map/2"},
    {"836b001468656c6c6f20776f726c642c2074686973206973", 2705333065,
     "[104,101,108,108,111,32,119,111,114,108,100,44,32,116,104,105,115,32,105,115]"},
    {"834d00000002016180", 2229122972, "<<97,1:1>>"},
    {"836c0000000361016400016161026a", 2452592867, "[1,a,2]"},
};

TEST(known_bytes)
{
    Terms x;
    terms_open(&x);
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        uint8_t bytes[200];
        Bytes again = {0};
        Term t = TERM_NONE;
        size_t n = unhex(known[i].hex, bytes);
        EXPECT_EQ(decode(&x, bytes, n, &t), CODEC_OK);
        EXPECT_STR(terms_text(&x, t), known[i].text);
        EXPECT_EQ(hash_phash2(x.atoms, t), known[i].phash2);
        EXPECT(codec_encode(&again, x.atoms, node, t, CODEC_PLAIN));
        EXPECT(again.count == n && memcmp(again.at, bytes, n) == 0);
        EXPECT_EQ(codec_size(x.atoms, node, t, CODEC_PLAIN), n);
        bytes_free(&again);
    }
    terms_close(&x);
}

/* Forms that OTP reads but does not write, and what it refuses. */
TEST(other_bytes)
{
    static const struct {
        const char *hex;
        const char *text; /* NULL: refused */
    } cases[] = {
        {"836c000000006a", "[]"},
        {"836c000000006101", "1"},
        {"836e010005", "5"},
        {"836e02000500", "5"},
        {"836e0000", "0"},
        {"836e010100", "0"},
        {"834d0000000000", "<<>>"},
        {"834d0000000103ff", "<<7:3>>"},
        {"836200000001", "1"},
        {"83730161", "a"},
        {"83770161", "a"},
        {"837702c3a9", "é"},
        {"8363312e3530303030303030303030303030303030303030652b30300000000000", "1.5"},
        {"835000000196789ccb616060484961604c1cc5830767010030464e93",
         "[a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,"
         "a,a,a,a,a,a,a,a,"
         "a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,"
         "a,a,a,a,a,a,a,a]"},
        {"8374000000026101610261016103", NULL},
        {"834d000000010001", NULL},
        {"834d000000010901", NULL},
        {"834d0000000008", NULL},
        {"83467ff0000000000000", NULL},
        {"837701ff", NULL},
        {"83", NULL},
        {"", NULL},
        {"826101", NULL},
        {"83760001c3", NULL},
        {"83680261", NULL},
        {"836cffffffff", NULL},
        {"8369ffffffff61", NULL},
        {"8374ffffffff61", NULL},
        {"836fffffffff0000", NULL},
        {"836dffffffff00", NULL},
        {"8350ffffffff789c0000", NULL},
        {"8350000000000000", NULL},
        {"83ff", NULL},
        {"83680001", NULL},
        {"836363", NULL},
        {"837261", NULL},
    };
    Terms x;
    terms_open(&x);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t bytes[200];
        Term t = TERM_NONE;
        CodecResult result = decode(&x, bytes, unhex(cases[i].hex, bytes), &t);
        EXPECT_EQ(result, cases[i].text == NULL ? CODEC_BAD : CODEC_OK);
        if (cases[i].text != NULL) EXPECT_STR(terms_text(&x, t), cases[i].text);
    }
    terms_close(&x);
}

TEST(choices_of_the_writer)
{
    Terms x;
    terms_open(&x);
    Bytes b = {0};
    EXPECT(codec_encode(&b, x.atoms, node, heap_float(&x.heap, 1.5), CODEC_OLD_FLOATS));
    EXPECT_EQ(b.count, 33);
    bytes_clear(&b);
    EXPECT(codec_encode(&b, x.atoms, node, TERM_ATOM(OK), CODEC_UTF8_ATOMS | CODEC_NO_VERSION));
    EXPECT(b.count == 4 && memcmp(b.at, "w\2ok", 4) == 0);
    bytes_clear(&b);
    Term list = TERM_NIL;
    for (int i = 0; i < 100; i++) list = heap_cons(&x.heap, atom_make(x.atoms, "a"), list);
    EXPECT(codec_encode(&b, x.atoms, node, list, CODEC_PLAIN));
    EXPECT(codec_compress(&b, 0, 6, NULL, NULL));
    uint8_t wanted[40];
    size_t n = unhex("835000000196789ccb616060484961604c1cc5830767010030464e93", wanted);
    EXPECT(b.count == n && memcmp(b.at, wanted, n) == 0);
    EXPECT(codec_is_compressed(b.at, b.count));
    bytes_free(&b);
    terms_close(&x);
}

/* Large maps with the same content, made differently, give the same bytes. */
TEST(deterministic)
{
    Terms x;
    terms_open(&x);
    Bytes b = {0};
    Term map = map_empty(&x.heap);
    for (int i = 1; i <= 40; i++)
        map = map_put(&x.heap, x.atoms, map, small_from(i), small_from(i * i));
    EXPECT(codec_encode(&b, x.atoms, node, map, CODEC_DETERMINISTIC));
    /* erlang:crc32 of OTP's bytes for the same map. */
    EXPECT_EQ(bytes_crc32(0, b.at, b.count), 3425505283);
    EXPECT_EQ(hash_phash2(x.atoms, map), 708446302);
    bytes_free(&b);
    terms_close(&x);
}

TEST(safe_makes_no_atoms)
{
    Terms x;
    terms_open(&x);
    Term t;
    uint8_t bytes[40];
    size_t n = unhex("8364000871776572747a7569", bytes);
    uint32_t before = atom_count(x.atoms);
    EXPECT_EQ(codec_decode(&x.heap, x.atoms, node, bytes, n, NULL, true, CODEC_PLAIN, &t, NULL),
              CODEC_NEW_ATOM);
    EXPECT_EQ(atom_count(x.atoms), before);
    EXPECT_EQ(decode(&x, bytes, n, &t), CODEC_OK);
    EXPECT_EQ(codec_decode(&x.heap, x.atoms, node, bytes, n, NULL, true, CODEC_PLAIN, &t, NULL),
              CODEC_OK);
    terms_close(&x);
}

static void expect_round_trip(Terms *x, Term t)
{
    Bytes b = {0};
    Term back = TERM_NONE;
    EXPECT(codec_encode(&b, x->atoms, node, t, CODEC_PLAIN));
    EXPECT_EQ(decode(x, b.at, b.count, &back), CODEC_OK);
    EXPECT(order_same(t, back));
    EXPECT_EQ(hash_internal(x->atoms, t), hash_internal(x->atoms, back));
    bytes_free(&b);
}

/* One term at a time, and stopped somewhere. */
static void expect_slices(Terms *x, Term t)
{
    Bytes b = {0};
    Bytes slow = {0};
    CodecWriter w;
    CodecReader r;
    size_t budget = 1;
    EXPECT(codec_encode(&b, x->atoms, node, t, CODEC_DETERMINISTIC));
    codec_encode_begin(&w, &slow, x->atoms, node, t, CODEC_DETERMINISTIC, x->mem);
    while (!codec_encode_step(&w, &budget)) budget = 1;
    codec_encode_end(&w);
    EXPECT(slow.count == b.count && memcmp(slow.at, b.at, b.count) == 0);
    codec_decode_begin(&r, &x->heap, x->atoms, node, b.at, b.count, CODEC_PLAIN);
    while (!codec_decode_step(&r, &budget)) budget = 1;
    codec_decode_end(&r);
    EXPECT(r.result == CODEC_OK && order_same(r.term, t));
    budget = (size_t)terms_below(x, 100);
    codec_encode_begin(&w, &slow, x->atoms, node, t, CODEC_DETERMINISTIC, x->mem);
    codec_encode_step(&w, &budget);
    codec_encode_end(&w);
    budget = (size_t)terms_below(x, 100);
    codec_decode_begin(&r, &x->heap, x->atoms, node, b.at, b.count, CODEC_PLAIN);
    codec_decode_step(&r, &budget);
    codec_decode_end(&r);
    bytes_free(&b);
    bytes_free(&slow);
}

TEST(names_of_this_node_and_others)
{
    Terms x;
    terms_open(&x);
    Term other = atom_make(x.atoms, "other@host");
    expect_round_trip(&x, pid_make(7, 3));
    expect_round_trip(&x, pid_make_remote(&x.heap, other, 5, 7, 3));
    expect_round_trip(&x, port_make(12));
    expect_round_trip(&x, port_make(UINT64_C(1) << 50));
    expect_round_trip(&x, pid_make_remote_port(&x.heap, other, 5, UINT64_C(1) << 63));
    expect_round_trip(&x, pid_make_ref(&x.heap, UINT64_MAX));
    Term alias = pid_make_alias(&x.heap, 99, pid_make(1, 2));
    expect_round_trip(&x, alias);
    expect_round_trip(&x,
                      pid_make_remote_ref(&x.heap, other, 5, 5, (uint32_t[]){1, 2, 3, 4, 5}));
    FunKey key = {TERM_ATOM(ERLANG),
                  3,
                  2,
                  4,
                  0xFFFFFFFF,
                  {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255}};
    Term fun = fun_make_remote(&x.heap, &key, pid_make(1, 1), 2);
    boxed_words(fun)[1 + FUN_REMOTE_FIXED] = alias.w;
    expect_round_trip(&x, fun);
    FunKey back = fun_key_of(fun);
    EXPECT(memcmp(back.uniq, key.uniq, sizeof key.uniq) == 0 && back.old_uniq == key.old_uniq);
    EXPECT_EQ(fun_arity(fun), 2);
    terms_close(&x);
}

/* Cut off, and with changed bytes, nothing but a clear answer comes back. */
TEST(damaged_bytes)
{
    Terms x;
    terms_open(&x);
    for (int round = 0; round < UNIT_SIZE(1500); round++) {
        Bytes b = {0};
        Term t = terms_random(&x, 3);
        Term back;
        expect_round_trip(&x, t);
        if (round % 4 == 0) expect_slices(&x, t);
        EXPECT(codec_encode(&b, x.atoms, node, t, CODEC_PLAIN));
        size_t cut = (size_t)terms_below(&x, b.count);
        EXPECT(decode(&x, b.at, cut, &back) == CODEC_BAD);
        for (int i = 0; i < 20; i++) {
            size_t at = (size_t)terms_below(&x, b.count);
            b.at[at] = (uint8_t)terms_below(&x, i % 2 ? 256 : 20);
            if (i % 3 == 0) b.at[at] = (uint8_t)(97 + terms_below(&x, 24));
            if (decode(&x, b.at, b.count, &back) == CODEC_OK) expect_round_trip(&x, back);
        }
        bytes_free(&b);
        terms_clear(&x);
    }
    heap_release(&x.heap);
    atom_table_delete(x.atoms);
    bytes_free(&x.text);
    EXPECT_EQ(mem_total(x.mem), 0);
    mem_delete(x.mem);
}

TEST(deep_terms)
{
    Terms x;
    terms_open(&x);
    size_t n = UNIT_SIZE(1000000);
    uint8_t *bytes = malloc(2 * n + 2);
    bytes[0] = 131;
    for (size_t i = 0; i < n; i++) memcpy(bytes + 1 + 2 * i, "h\1", 2);
    bytes[1 + 2 * n] = 106;
    Term t;
    Bytes b = {0};
    EXPECT_EQ(decode(&x, bytes, 2 * n + 2, &t), CODEC_OK);
    EXPECT(codec_encode(&b, x.atoms, node, t, CODEC_PLAIN));
    EXPECT(b.count == 2 * n + 2 && memcmp(b.at, bytes, b.count) == 0);
    bytes_free(&b);
    free(bytes);
    terms_close(&x);
}
