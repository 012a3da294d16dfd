#include "vm/base/opts.h"

#include "tests/unit/unit.h"

static OptsResult parse(Opts *o, int argc, const char *const *argv, int *next)
{
    opts_init(o);
    char *words[16];
    for (int i = 0; i < argc; i++) words[i] = (char *)(uintptr_t)argv[i];
    return opts_parse(o, argc, words, 1, next);
}

TEST(options_end_at_the_file)
{
    const char *const argv[] = {"mote", "--schedulers", "4", "--trace-hash", "-pa",
                                "a",    "-pa",          "b", "x.mote",       "--seed",
                                "1"};
    Opts o;
    int next;
    EXPECT_EQ(parse(&o, 11, argv, &next), OPTS_OK);
    EXPECT_EQ(next, 8);
    EXPECT_EQ(o.schedulers, 4);
    EXPECT(o.trace_hash && !o.otp25);
    EXPECT_EQ(o.seed, -1);
    EXPECT_EQ(o.path.count, 2);
    EXPECT_STR(o.path.at[1], "b");
    opts_free(&o);
}

TEST(spellings)
{
    const char *const argv[] = {"mote", "--seed=7",        "-DX=1", "-I",
                                "inc",  "--max-memory=2G", "-",     "y"};
    Opts o;
    int next;
    EXPECT_EQ(parse(&o, 8, argv, &next), OPTS_OK);
    EXPECT_EQ(next, 6);
    EXPECT_EQ(o.seed, 7);
    EXPECT_STR(o.define.at[0], "X=1");
    EXPECT_STR(o.include.at[0], "inc");
    EXPECT_EQ(o.max_memory, INT64_C(2) << 30);
    opts_free(&o);
}

static void explain(OptsResult result, const char *word, char *to, size_t size)
{
    char copy[64];
    snprintf(copy, sizeof copy, "%s", word);
    char *argv[] = {copy};
    opts_explain(result, 1, argv, 0, to, size);
}

TEST(mistakes_are_named)
{
    const char *const unknown[] = {"mote", "--sed", "1"};
    const char *const missing[] = {"mote", "--seed"};
    const char *const bad[] = {"mote", "--seed", "x1"};
    const char *const flag[] = {"mote", "--otp25=yes"};
    const char *const behind[] = {"mote", "--", "--seed"};
    Opts o;
    int next;
    EXPECT_EQ(parse(&o, 3, unknown, &next), OPTS_UNKNOWN);
    EXPECT_EQ(next, 1);
    EXPECT_EQ(parse(&o, 2, missing, &next), OPTS_NO_ARGUMENT);
    EXPECT_EQ(parse(&o, 3, bad, &next), OPTS_BAD_ARGUMENT);
    EXPECT_EQ(parse(&o, 2, flag, &next), OPTS_BAD_ARGUMENT);
    EXPECT_EQ(parse(&o, 3, behind, &next), OPTS_OK);
    EXPECT_EQ(next, 2);
    char text[80];
    explain(OPTS_UNKNOWN, "--sed", text, sizeof text);
    EXPECT_STR(text, "--sed is not an option; did you mean --seed?");
    explain(OPTS_UNKNOWN, "--warning-as-errors", text, sizeof text);
    EXPECT_STR(text,
               "--warning-as-errors is not an option; did you mean --warnings-as-errors?");
    explain(OPTS_UNKNOWN, "-x", text, sizeof text);
    EXPECT_STR(text, "-x is not an option");
    explain(OPTS_NO_ARGUMENT, "--seed", text, sizeof text);
    EXPECT_STR(text, "--seed needs an argument");
    explain(OPTS_BAD_ARGUMENT, "--seed=x", text, sizeof text);
    EXPECT_STR(text, "--seed=x takes a whole number, not \"x\"");
    explain(OPTS_BAD_ARGUMENT, "--otp25=yes", text, sizeof text);
    EXPECT_STR(text, "--otp25 takes no argument");
}

TEST(every_option_has_a_meaning)
{
    for (size_t i = 0; i < opts_info_count; i++) EXPECT(strlen(opts_info[i].meaning) >= 5);
}
