#include "parsers/rdb/packed.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "parsers/rdb/rdb.h"
#include "tests/unit/packed_build.h"

/* What a blob gives, with the entries of which it consists. */
struct reading {
    enum parse_step last;
    size_t entries, damages;
    uint64_t hash; /* of words */
    uint64_t places;
};

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * 1099511628211u;
}

/* From a copy of exact size, so that a sanitizer sees a byte too far. */
static struct reading read_blob(enum packed_form form, const uint8_t *at, size_t len)
{
    uint8_t *copy = malloc(len + !len);
    memcpy(copy, at, len);
    struct packed packed;
    struct packed_entry entry;
    struct reading reading = {0};
    packed_open(&packed, form, (struct bytes){copy, len});
    while ((reading.last = packed_next(&packed, &entry)) == PARSE_ITEM || reading.last == PARSE_DAMAGE) {
        const struct place *place = reading.last == PARSE_ITEM ? &entry.place : &packed_damage(&packed)->place;
        cr_assert(place->offset <= len && place->length <= len - place->offset);
        if (reading.last == PARSE_DAMAGE) {
            reading.damages++;
            cr_assert(*packed_damage(&packed)->found && *packed_damage(&packed)->expected);
            continue;
        }
        reading.entries++;
        reading.places = mix(mix(reading.places, place->offset), place->length);
        reading.hash = mix(reading.hash, entry.word.integer);
        reading.hash = mix(reading.hash, entry.word.integer ? (uint64_t)entry.word.number : 0);
        for (size_t i = 0; i < entry.word.text.len; i++)
            reading.hash = mix(reading.hash, entry.word.text.at[i]);
    }
    if (reading.last == PARSE_STOP) {
        reading.damages++;
        unsigned code = packed_damage(&packed)->code;
        cr_assert(code == RDB_BAD_PACKED || code == RDB_BAD_FRAME);
    }
    cr_assert_eq(packed_next(&packed, &entry), reading.last, "the last step is given again");
    free(copy);
    return reading;
}

Test(packed, words_come_back_as_they_were_packed)
{
    enum { ROUNDS = 40 };
    for (unsigned form = 0; form < PACKED_FORMS; form++) {
        for (uint32_t round = 0; round < ROUNDS; round++) {
            size_t n = round * round / 2 * 2;
            struct packed_word *words = packed_random(form, &n, round + 1);
            struct rdb_build blob = packed_build(form, words, n);
            struct packed packed;
            struct packed_entry entry;
            packed_open(&packed, form, (struct bytes){blob.at, blob.len});
            for (size_t i = 0; i < n; i++) {
                enum parse_step step = packed_next(&packed, &entry);
                cr_assert_eq(step, PARSE_ITEM, "%s, round %u, word %zu: %s", packed_form_name(form), round, i,
                             step == PARSE_ITEM ? "" : packed_damage(&packed)->expected);
                cr_assert_eq(entry.word.integer, words[i].integer);
                cr_assert_eq(entry.word.text.len, words[i].len);
                if (words[i].integer)
                    cr_assert_eq(entry.word.number, words[i].number);
                else
                    cr_assert_eq(memcmp(entry.word.text.at, words[i].text, words[i].len), 0);
            }
            cr_assert_eq(packed_next(&packed, &entry), PARSE_END);
            uint64_t stated;
            cr_assert_eq(packed_stated(form, (struct bytes){blob.at, blob.len < 11 ? blob.len : 11}, &stated),
                         form != PACKED_ZIPMAP || n / 2 < 254);
            cr_assert(form == PACKED_ZIPMAP || stated == n);
            rdb_build_free(&blob);
            free(words);
        }
    }
}

static void expect_same(const struct packed_entry *one, const struct packed_entry *other)
{
    cr_assert_eq(one->word.integer, other->word.integer);
    cr_assert(!one->word.integer || one->word.number == other->word.number);
    cr_assert_eq(one->word.text.len, other->word.text.len);
    cr_assert(!one->word.text.len || one->word.text.at == other->word.text.at);
    cr_assert_eq(one->place.offset, other->place.offset);
    cr_assert_eq(one->place.length, other->place.length);
}

/* Read in runs, and one by one: the same entries and damages, also of blobs that are damaged. */
Test(packed, runs_are_the_same_entries)
{
    enum { ROUNDS = 300, MOST = 7 };
    for (unsigned form = 0; form < PACKED_FORMS; form++) {
        for (uint32_t round = 0; round < ROUNDS; round++) {
            size_t n = round % 40 / 2 * 2;
            struct packed_word *words = packed_random(form, &n, round + 1);
            struct rdb_build blob = packed_build(form, words, n);
            blob.at[round * 31 % blob.len] ^= (uint8_t)(round % 3 ? 1u << round % 8 : 0);
            struct packed packed, runs;
            struct packed_entry entry, run[MOST];
            enum parse_step step, other = PARSE_ITEM;
            packed_open(&packed, form, (struct bytes){blob.at, blob.len});
            packed_open(&runs, form, (struct bytes){blob.at, blob.len});
            for (size_t got = 0, at = 0;; at++) {
                if (at >= got) {
                    got = packed_read(&runs, run, MOST);
                    at = 0;
                    other = got ? PARSE_ITEM : packed_next(&runs, run);
                }
                step = packed_next(&packed, &entry);
                cr_assert_eq(step, other);
                if (step == PARSE_ITEM)
                    expect_same(&entry, &run[at]);
                else if (step == PARSE_END)
                    break;
                else
                    cr_assert_eq(packed_damage(&packed)->place.offset, packed_damage(&runs)->place.offset);
                if (step == PARSE_STOP)
                    break;
            }
            rdb_build_free(&blob);
            free(words);
        }
    }
}

Test(packed, more_entries_than_a_count_can_say)
{
    enum { MANY = 70000 };
    struct packed_word *words = calloc(MANY, sizeof(*words));
    for (size_t i = 0; i < MANY; i++)
        words[i] = (struct packed_word){.text = "x", .len = 1};
    for (unsigned form = 0; form < PACKED_FORMS; form++) {
        if (form == PACKED_INTSET)
            continue;
        for (size_t n = 65532; n <= 65538; n += 2) {
            struct rdb_build blob = packed_build(form, words, n);
            struct reading reading = read_blob(form, blob.at, blob.len);
            uint64_t stated;
            cr_assert_eq(reading.last, PARSE_END);
            cr_assert_eq(reading.entries, n);
            cr_assert_eq(reading.damages, 0);
            cr_assert_eq(packed_stated(form, (struct bytes){blob.at, 11}, &stated), form != PACKED_ZIPMAP && n < 65535);
            rdb_build_free(&blob);
        }
    }
    free(words);
}

static const struct packed_word sample[PACKED_FORMS][8] = {
    [PACKED_LISTPACK] = {PACKED_TEXT("name"), PACKED_NUMBER(7), PACKED_TEXT(""), PACKED_NUMBER(-4000),
                         PACKED_NUMBER(-30000), PACKED_NUMBER(8000000), PACKED_NUMBER(2000000000),
                         PACKED_NUMBER(INT64_MIN)},
    [PACKED_ZIPLIST] = {PACKED_TEXT("name"), PACKED_NUMBER(7), PACKED_TEXT(""), PACKED_NUMBER(-100),
                        PACKED_NUMBER(-30000), PACKED_NUMBER(8000000), PACKED_NUMBER(2000000000),
                        PACKED_NUMBER(INT64_MIN)},
    [PACKED_INTSET] = {PACKED_NUMBER(-70000), PACKED_NUMBER(-1), PACKED_NUMBER(0), PACKED_NUMBER(1), PACKED_NUMBER(2),
                       PACKED_NUMBER(3), PACKED_NUMBER(300), PACKED_NUMBER(70000)},
    [PACKED_ZIPMAP] = {PACKED_TEXT("f"), PACKED_TEXT("value"), PACKED_TEXT("field"), PACKED_TEXT("v"),
                       PACKED_TEXT(""), PACKED_TEXT(""), PACKED_TEXT("k"), PACKED_TEXT("12")},
};

Test(packed, every_truncation_is_seen)
{
    for (unsigned form = 0; form < PACKED_FORMS; form++) {
        struct rdb_build blob = packed_build(form, sample[form], 8);
        for (size_t len = 0; len < blob.len; len++) {
            struct reading reading = read_blob(form, blob.at, len);
            cr_assert_gt(reading.damages, 0, "%s cut at %zu", packed_form_name(form), len);
        }
        rdb_build_free(&blob);
    }
}

/* A flipped bit may be in the content of a word, which no form protects: then it is another word in the same place. */
Test(packed, every_flipped_bit_is_seen_or_in_a_word)
{
    for (unsigned form = 0; form < PACKED_FORMS; form++) {
        struct rdb_build blob = packed_build(form, sample[form], 8);
        struct reading whole = read_blob(form, blob.at, blob.len);
        cr_assert_eq(whole.damages, 0);
        for (size_t bit = 0; bit < blob.len * 8; bit++) {
            blob.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
            struct reading reading = read_blob(form, blob.at, blob.len);
            if (!reading.damages) {
                cr_assert_eq(reading.entries, whole.entries, "%s, bit %zu", packed_form_name(form), bit);
                cr_assert_eq(reading.places, whole.places, "%s, bit %zu", packed_form_name(form), bit);
                /* A zipmap has bytes that mean nothing. */
                cr_assert(form == PACKED_ZIPMAP || reading.hash != whole.hash, "%s, bit %zu", packed_form_name(form),
                          bit);
            }
            blob.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        rdb_build_free(&blob);
    }
}

Test(packed, a_byte_of_any_value_anywhere_does_no_harm)
{
    for (unsigned form = 0; form < PACKED_FORMS; form++) {
        struct rdb_build blob = packed_build(form, sample[form], 8);
        for (size_t i = 0; i < blob.len * 256; i++) {
            uint8_t kept = blob.at[i / 256];
            blob.at[i / 256] = (uint8_t)i;
            read_blob(form, blob.at, blob.len);
            blob.at[i / 256] = kept;
        }
        rdb_build_free(&blob);
    }
}

Test(packed, a_head_too_short_states_nothing)
{
    static const size_t heads[PACKED_FORMS] = {
        [PACKED_LISTPACK] = 6, [PACKED_ZIPLIST] = 10, [PACKED_INTSET] = 8, [PACKED_ZIPMAP] = 1};
    static const uint8_t zeros[16];
    uint64_t stated;
    for (unsigned form = 0; form < PACKED_FORMS; form++) {
        for (size_t len = 0; len < heads[form]; len++)
            cr_assert(!packed_stated(form, (struct bytes){zeros, len}, &stated));
        cr_assert(packed_stated(form, (struct bytes){zeros, heads[form]}, &stated));
        cr_assert_eq(stated, 0);
    }
}

Test(packed, names_of_forms)
{
    cr_assert_str_eq(packed_form_name(PACKED_LISTPACK), "listpack");
    cr_assert_str_eq(packed_form_name(PACKED_ZIPLIST), "ziplist");
    cr_assert_str_eq(packed_form_name(PACKED_INTSET), "intset");
    cr_assert_str_eq(packed_form_name(PACKED_ZIPMAP), "zipmap");
}

static void expect_digits(int64_t number)
{
    char room[RDB_SCALAR_ROOM], expected[32];
    struct rdb_scalar scalar = {.integer = true, .number = number};
    snprintf(expected, sizeof(expected), "%lld", (long long)number);
    cr_assert(text_is(rdb_scalar_text(&scalar, room), expected), "%s", expected);
}

Test(packed, words_as_text)
{
    char room[RDB_SCALAR_ROOM];
    struct rdb_scalar text = {.text = {(const uint8_t *)"007", 3}};
    cr_assert(text_is(rdb_scalar_text(&text, room), "007"));
    expect_digits(0);
    expect_digits(INT64_MIN);
    expect_digits(INT64_MAX);
    for (int64_t power = 1; power < INT64_MAX / 10; power *= 10)
        for (int64_t i = -12; i <= 12; i++) {
            expect_digits(power + i);
            expect_digits(-power + i);
        }
}
