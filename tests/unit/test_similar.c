/* Which word was meant. */
#include <string.h>

#include "vm/base/similar.h"

#include "tests/unit/unit.h"

static const char *nearest(const char *word, const char *const *words)
{
    const char *best = "";
    Similar s = similar_to(word, strlen(word));
    for (; *words; words++)
        if (similar_offer(&s, *words, strlen(*words))) best = *words;
    return best;
}

TEST(nearest_word)
{
    static const char *const words[] = {"schedulers", "seed", "stats", "e", "length", NULL};
    EXPECT_STR(nearest("shedulers", words), "schedulers");
    EXPECT_STR(nearest("scheduler", words), "schedulers");
    EXPECT_STR(nearest("lenght", words), "length");
    EXPECT_STR(nearest("Sede", words), "seed");
    EXPECT_STR(nearest("status", words), "stats");
    EXPECT_STR(nearest("E", words), "e");
    EXPECT_STR(nearest("x", words), "");
    EXPECT_STR(nearest("nothing", words), "");
    EXPECT_STR(nearest("", words), "");
}

TEST(long_words_are_left_alone)
{
    char text[200];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    const char *const words[] = {text, NULL};
    EXPECT_STR(nearest(text, words), "");
}
