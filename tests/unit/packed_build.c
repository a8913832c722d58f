#include "tests/unit/packed_build.h"

#include <stdlib.h>
#include <string.h>

static void append_be(struct rdb_build *build, uint64_t value, size_t width)
{
    while (width--)
        rdb_build_u8(build, (unsigned)(value >> 8 * width) & 0xff);
}

static bool within(int64_t number, int64_t least, int64_t most)
{
    return number >= least && number <= most;
}

static bool fits(int64_t number, unsigned bits)
{
    return bits == 64 || within(number, -(1ll << (bits - 1)), (1ll << (bits - 1)) - 1);
}

static void listpack_number(struct rdb_build *build, int64_t number)
{
    static const struct {
        unsigned byte, bits;
    } wide[] = {{0xf1, 16}, {0xf2, 24}, {0xf3, 32}, {0xf4, 64}};
    if (within(number, 0, 127)) {
        rdb_build_u8(build, (unsigned)number);
        return;
    }
    if (fits(number, 13)) {
        append_be(build, 0xc000 | ((uint64_t)number & 0x1fff), 2);
        return;
    }
    size_t i = 0;
    while (!fits(number, wide[i].bits))
        i++;
    rdb_build_u8(build, wide[i].byte);
    rdb_build_le(build, (uint64_t)number, wide[i].bits / 8);
}

static void listpack_word(struct rdb_build *build, const struct packed_word *word)
{
    size_t from = build->len;
    if (word->integer) {
        listpack_number(build, word->number);
    } else {
        if (word->len < 64) {
            rdb_build_u8(build, 0x80 | (unsigned)word->len);
        } else if (word->len < 4096) {
            append_be(build, 0xe000 | word->len, 2);
        } else {
            rdb_build_u8(build, 0xf0);
            rdb_build_le(build, word->len, 4);
        }
        rdb_build_bytes(build, word->text, word->len);
    }
    size_t length = build->len - from;
    size_t width = length <= 127 ? 1 : length < 16383 ? 2 : length < 2097151 ? 3 : 4;
    for (size_t i = 0; i < width; i++)
        rdb_build_u8(build, (unsigned)(length >> 7 * (width - 1 - i) & 127) | (i ? 128 : 0));
}

static void ziplist_number(struct rdb_build *build, int64_t number)
{
    static const struct {
        unsigned byte, bits;
    } wide[] = {{0xfe, 8}, {0xc0, 16}, {0xf0, 24}, {0xd0, 32}, {0xe0, 64}};
    if (within(number, 0, 12)) {
        rdb_build_u8(build, 0xf1 + (unsigned)number);
        return;
    }
    size_t i = 0;
    while (!fits(number, wide[i].bits))
        i++;
    rdb_build_u8(build, wide[i].byte);
    rdb_build_le(build, (uint64_t)number, wide[i].bits / 8);
}

static void ziplist_word(struct rdb_build *build, const struct packed_word *word, size_t before)
{
    if (before < 254) {
        rdb_build_u8(build, (unsigned)before);
    } else {
        rdb_build_u8(build, 0xfe);
        rdb_build_le(build, before, 4);
    }
    if (word->integer) {
        ziplist_number(build, word->number);
        return;
    }
    if (word->len < 64) {
        rdb_build_u8(build, (unsigned)word->len);
    } else if (word->len < 16384) {
        append_be(build, 0x4000 | word->len, 2);
    } else {
        rdb_build_u8(build, 0x80);
        append_be(build, word->len, 4);
    }
    rdb_build_bytes(build, word->text, word->len);
}

static void zipmap_word(struct rdb_build *build, const struct packed_word *word, bool value)
{
    if (word->len < 254) {
        rdb_build_u8(build, (unsigned)word->len);
    } else {
        rdb_build_u8(build, 254);
        rdb_build_le(build, word->len, 4);
    }
    unsigned unused = value ? word->len % 3 : 0;
    if (value)
        rdb_build_u8(build, unused);
    rdb_build_bytes(build, word->text, word->len);
    rdb_build_bytes(build, "???", unused);
}

static void put_le(struct rdb_build *build, size_t at, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        build->at[at + i] = (uint8_t)(value >> 8 * i);
}

static uint64_t stated(size_t n)
{
    return n < 65535 ? n : 65535;
}

struct rdb_build packed_build(enum packed_form form, const struct packed_word *words, size_t n)
{
    struct rdb_build build = rdb_build_begin("");
    unsigned width = 2;
    size_t last = 10;
    switch (form) {
    case PACKED_LISTPACK:
        rdb_build_le(&build, 0, 4);
        rdb_build_le(&build, stated(n), 2);
        for (size_t i = 0; i < n; i++)
            listpack_word(&build, &words[i]);
        rdb_build_u8(&build, 0xff);
        put_le(&build, 0, build.len, 4);
        break;
    case PACKED_ZIPLIST:
        rdb_build_le(&build, 0, 8);
        rdb_build_le(&build, stated(n), 2);
        for (size_t i = 0; i < n; i++) {
            size_t before = build.len - last;
            last = build.len;
            ziplist_word(&build, &words[i], before);
        }
        rdb_build_u8(&build, 0xff);
        put_le(&build, 0, build.len, 4);
        put_le(&build, 4, last, 4);
        break;
    case PACKED_INTSET:
        for (size_t i = 0; i < n; i++)
            while (!fits(words[i].number, 8 * width))
                width *= 2;
        rdb_build_le(&build, width, 4);
        rdb_build_le(&build, n, 4);
        for (size_t i = 0; i < n; i++)
            rdb_build_le(&build, (uint64_t)words[i].number, width);
        break;
    default:
        rdb_build_u8(&build, n / 2 < 254 ? (unsigned)n / 2 : 254);
        for (size_t i = 0; i < n; i++)
            zipmap_word(&build, &words[i], i % 2);
        rdb_build_u8(&build, 0xff);
    }
    return build;
}

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Of any width, negative or not, and often next to a border of widths. */
static int64_t random_number(uint32_t *state)
{
    uint64_t number = (uint64_t)next_random(state) << 32 | next_random(state);
    unsigned bits = next_random(state) % 64;
    number = next_random(state) % 2 ? number >> bits : (1ull << bits) + number % 3 - 1;
    return (int64_t)(next_random(state) % 2 ? -number : number);
}

static int ascending(const void *a, const void *b)
{
    const struct packed_word *one = a, *other = b;
    return (one->number > other->number) - (one->number < other->number);
}

struct packed_word *packed_random(enum packed_form form, size_t *count, uint32_t seed)
{
    enum { LONGEST = 70000 };
    static const size_t most[] = {4, 20, 70, 130, 300, 5000, 17000, LONGEST};
    size_t n = *count;
    struct packed_word *words = calloc(1, n * sizeof(*words) + LONGEST);
    if (!words)
        abort();
    char *letters = (char *)(words + n);
    uint32_t state = seed;
    for (size_t i = 0; i < LONGEST; i++)
        letters[i] = (char)('A' + next_random(&state) % 50);
    for (size_t i = 0; i < n; i++) {
        words[i].integer = form == PACKED_INTSET || (form != PACKED_ZIPMAP && next_random(&state) % 2);
        if (words[i].integer) {
            words[i].number = random_number(&state);
        } else {
            words[i].len = next_random(&state) % most[next_random(&state) % 64 ? i % 4 : next_random(&state) % 8];
            words[i].text = letters + next_random(&state) % (LONGEST - words[i].len);
        }
    }
    if (form == PACKED_INTSET) {
        qsort(words, n, sizeof(*words), ascending);
        size_t kept = 0;
        for (size_t i = 0; i < n; i++)
            if (!i || words[i].number != words[kept - 1].number)
                words[kept++] = words[i];
        *count = kept;
    }
    return words;
}
