#include "parsers/rdb/score.h"

#include <criterion/criterion.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From a copy without anything behind it. */
static bool parse(const char *text, double *score)
{
    size_t len = strlen(text);
    uint8_t *copy = malloc(len + !len);
    memcpy(copy, text, len);
    bool parsed = score_parse((struct bytes){copy, len}, score);
    free(copy);
    return parsed;
}

/* Bit for bit what the C library reads. */
static void expect_as_library(const char *text)
{
    double score = 42, expected = strtod(text, NULL);
    cr_assert(parse(text, &score), "%s", text);
    cr_assert_eq(memcmp(&score, &expected, sizeof(score)), 0, "%s: %.17g, not %.17g", text, score, expected);
}

Test(score, decimals)
{
    static const char *const texts[] = {
        "0", "-0", "1", "-1", "+5", "007", "1.", ".5", "-.5", "0.0", "1e0", "1E+3", "1e-3", "12345678901234567890",
        "3.14", "3.1400000000000001", "0.10000000000000001", "1e17", "1e+22", "1e23", "9007199254740993",
        "9007199254740992.5", "9007199254740993.0000000000000000000000000000001", "1.7976931348623157e+308",
        "1e309", "-1e999999999999", "1e-999999999999", "5e-324", "2.2250738585072011e-308", "4.9406564584124654e-324",
        "0e99999", "18446744073709551615", "18446744073709551616", "1e27", "1e-27", "18446744073709551615e27",
        "0.000000000000000000000000000000000000000001", "123456789012345678901234567890",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect_as_library(texts[i]);
}

Test(score, names)
{
    double score;
    cr_assert(parse("inf", &score) && isinf(score) && score > 0);
    cr_assert(parse("-inf", &score) && isinf(score) && score < 0);
    cr_assert(parse("nan", &score) && isnan(score));
}

Test(score, what_is_no_number)
{
    static const char *const texts[] = {
        "", "-", "+", ".", "e5", "1e", "1e+", "1.5x", " 1", "1 ", "0x10", "1.2.3", "--1", "1,5", "infinit", "nan(1)",
        "1e5.5",
    };
    double score;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        cr_assert(!parse(texts[i], &score), "%s", texts[i]);
    char longest[402] = {0};
    memset(longest, '1', 401);
    cr_assert(!parse(longest, &score));
    longest[400] = '\0';
    expect_as_library(longest);
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* As servers write doubles ("%.17g"), and any number of digits with exponents around the borders of the exact ways. */
Test(score, random_numbers_are_the_nearest_doubles)
{
    enum { ROUNDS = 200000 };
    uint64_t state = 88172645463325252u;
    for (size_t i = 0; i < ROUNDS; i++) {
        char text[64];
        uint64_t bits = next_random(&state), digits = next_random(&state) >> next_random(&state) % 64;
        double number;
        memcpy(&number, &bits, sizeof(number));
        if (isfinite(number)) {
            snprintf(text, sizeof(text), "%.17g", number);
            expect_as_library(text);
        }
        snprintf(text, sizeof(text), "%.17g", (double)(int64_t)bits / (double)(digits % 1000000 + 1));
        expect_as_library(text);
        snprintf(text, sizeof(text), "%llue%d", (unsigned long long)digits, (int)(bits % 64) - 32);
        expect_as_library(text);
    }
}

Test(score, the_locale_does_not_matter)
{
    static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "tr_TR.UTF-8", "C.UTF-8"};
    for (size_t i = 0; i < sizeof(commas) / sizeof(commas[0]); i++) {
        setlocale(LC_ALL, commas[i]); /* as far as it is installed */
        double score;
        cr_assert(parse("2.5e-300", &score) && score == 2.5e-300);
        cr_assert(!parse("2,5", &score));
    }
    setlocale(LC_ALL, "C");
}
