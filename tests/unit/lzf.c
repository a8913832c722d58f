#include "parsers/bytes/lzf.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Both sides are on the heap and exactly as long as said, so that the address sanitizer sees a byte too far. */
static bool expands(const void *packed, size_t packed_len, const void *expected, size_t len)
{
    uint8_t *in = malloc(packed_len + !packed_len);
    uint8_t *out = malloc(len + !len);
    memcpy(in, packed, packed_len);
    bool whole = lzf_expand((struct bytes){in, packed_len}, out, len);
    cr_assert_eq(lzf_verify((struct bytes){in, packed_len}, len), whole, "both ways say the same");
    if (whole && expected)
        cr_assert_eq(memcmp(out, expected, len), 0);
    uint8_t *roomy_in = calloc(1, packed_len + LZF_ROOM), *roomy_out = malloc(len + LZF_ROOM);
    memcpy(roomy_in, packed, packed_len);
    cr_assert_eq(lzf_expand_roomy((struct bytes){roomy_in, packed_len}, roomy_out, len), whole, "and the third");
    if (whole)
        cr_assert_eq(memcmp(roomy_out, out, len), 0);
    free(roomy_in);
    free(roomy_out);
    free(in);
    free(out);
    return whole;
}

#define EXPANDS(packed, expected) expands(packed, sizeof(packed) - 1, expected, sizeof(expected) - 1)

Test(lzf, literals_and_copies)
{
    cr_assert(EXPANDS("", ""));
    cr_assert(EXPANDS("\x00" "a", "a"));
    cr_assert(EXPANDS("\x02" "abc" "\x20\x02", "abcabc"));
    cr_assert(EXPANDS("\x1f" "0123456789abcdef0123456789ABCDEF" "\x00" "!", "0123456789abcdef0123456789ABCDEF!"));
    cr_assert(EXPANDS("\x03" "abcd" "\x60\x01" "\x00" "e", "abcdcdcdce"), "reaches into what it writes");
    cr_assert(EXPANDS("\x00" "a" "\xe0\x02\x00", "aaaaaaaaaaaa"), "a long copy of one byte");
}

Test(lzf, the_longest_copy)
{
    char expected[265];
    memset(expected, 'x', sizeof(expected));
    cr_assert(expands("\x00x\xe0\xff\x00", 5, expected, 265));
    cr_assert_eq(lzf_most(3), 264);
    cr_assert_eq(lzf_most(0), 0);
}

Test(lzf, the_longest_distance)
{
    enum { FAR = 8192 };
    uint8_t *packed = malloc(FAR + FAR / 32 + 2), *expected = malloc(FAR + 3);
    size_t n = 0;
    for (size_t i = 0; i < FAR; i++) {
        if (i % 32 == 0)
            packed[n++] = 31;
        packed[n++] = expected[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    memcpy(packed + n, "\x3f\xff", 2);
    memcpy(expected + FAR, expected, 3);
    cr_assert(expands(packed, n + 2, expected, FAR + 3));
    free(packed);
    free(expected);
}

Test(lzf, what_is_refused)
{
    cr_assert(!EXPANDS("", "x"));
    cr_assert(!EXPANDS("\x00" "a", ""), "longer than stated");
    cr_assert(!EXPANDS("\x00" "a", "ab"), "shorter than stated");
    cr_assert(!EXPANDS("\x02" "ab", "abc"), "literals cut off");
    cr_assert(!EXPANDS("\x20\x00", "abc"), "a copy before the first byte");
    cr_assert(!EXPANDS("\x00" "a" "\x20\x01", "aaaa"), "a distance of 2 after one byte");
    cr_assert(!EXPANDS("\x00" "a" "\x20", "aaaa"), "no distance");
    cr_assert(!EXPANDS("\x00" "a" "\xe0", "aaaaaaaaaa"), "no length");
    cr_assert(!EXPANDS("\x00" "a" "\xe0\x00", "aaaaaaaaaa"), "a length, no distance");
    cr_assert(!EXPANDS("\x00" "a" "\x20\x00", "aaa"), "a copy longer than what is left");
    cr_assert(!EXPANDS("\x00" "a" "\x1f", "a"), "a control byte alone at the end");
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Each head is the beginning of the whole. */
static void expect_heads(const uint8_t *packed, size_t packed_len, const uint8_t *expected, size_t len)
{
    static const size_t wants[] = {0, 1, 8, 11, 100, 300, SIZE_MAX};
    for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
        size_t want = wants[i] < len + 9 ? wants[i] : len + 9, expected_len = want < len ? want : len;
        uint8_t *head = malloc(want + !want);
        cr_assert_eq(lzf_head((struct bytes){packed, packed_len}, head, want), expected_len);
        cr_assert_eq(memcmp(head, expected, expected_len), 0);
        free(head);
    }
}

Test(lzf, the_head_of_what_is_broken)
{
    static const struct {
        const char *packed;
        size_t packed_len, head_len;
    } cases[] = {
        {"\x02" "abc" "\x20\x03", 6, 3}, /* a distance of 4 after three bytes */
        {"\x02" "abc" "\x20", 5, 3},
        {"\x02" "ab", 3, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t head[8];
        struct bytes packed = {(const uint8_t *)cases[i].packed, cases[i].packed_len};
        cr_assert_eq(lzf_head(packed, head, sizeof(head)), cases[i].head_len, "case %zu", i);
        cr_assert_eq(memcmp(head, "abc", cases[i].head_len), 0);
    }
}

/* Random instructions, expanded byte by byte on the side, at every distance around the width of a fast copy. */
Test(lzf, random_instructions_mean_what_they_say)
{
    enum { OUT = 4096, ROUNDS = 2000 };
    uint8_t packed[3 * OUT], expected[OUT + 300];
    uint32_t state = 42;
    for (size_t round = 0; round < ROUNDS; round++) {
        size_t n = 0, made = 0, limit = next_random(&state) % OUT;
        while (made < limit) {
            if (!made || next_random(&state) % 3 == 0) {
                size_t run = 1 + next_random(&state) % 32;
                packed[n++] = (uint8_t)(run - 1);
                for (size_t i = 0; i < run; i++)
                    packed[n++] = expected[made++] = (uint8_t)next_random(&state);
            } else {
                size_t distance = 1 + next_random(&state) % (next_random(&state) % 2 ? made : made < 40 ? made : 40);
                size_t len = 3 + next_random(&state) % (next_random(&state) % 2 ? 262 : 20);
                size_t stored = len - 2;
                packed[n++] = (uint8_t)((stored < 7 ? stored : 7) << 5 | (distance - 1) >> 8);
                if (stored >= 7)
                    packed[n++] = (uint8_t)(stored - 7);
                packed[n++] = (uint8_t)(distance - 1);
                for (size_t i = 0; i < len; i++, made++)
                    expected[made] = expected[made - distance];
            }
        }
        cr_assert_leq(made, lzf_most(n));
        cr_assert(expands(packed, n, expected, made));
        expect_heads(packed, n, expected, made);
        cr_assert(!expands(packed, n, NULL, made + 1));
        if (made) {
            cr_assert(!expands(packed, n, NULL, made - 1));
            cr_assert(!expands(packed, n - 1, NULL, made));
        }
    }
}

/* Whatever the input, nothing outside is touched; what it becomes does not matter. */
Test(lzf, noise_does_no_harm)
{
    uint8_t packed[64];
    uint32_t state = 7;
    for (size_t round = 0; round < 20000; round++) {
        size_t n = next_random(&state) % sizeof(packed);
        for (size_t i = 0; i < n; i++)
            packed[i] = (uint8_t)(next_random(&state) >> (next_random(&state) % 2 ? 5 : 0)) & (i % 3 ? 0x1f : 0xff);
        expands(packed, n, NULL, next_random(&state) % 400);
    }
}
