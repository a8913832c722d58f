#include "parsers/bytes/keyslot.h"

#include <criterion/criterion.h>
#include <string.h>

static unsigned slot_of(const char *key)
{
    return keyslot((struct bytes){(const uint8_t *)key, strlen(key)});
}

/* The check value of CRC16/XMODEM is 31C3; the others are what CLUSTER KEYSLOT answers. */
Test(keyslot, known_slots)
{
    static const struct {
        const char *key;
        unsigned slot;
    } known[] = {
        {"", 0}, {"123456789", 0x31c3}, {"foo", 12182}, {"bar", 5061}, {"hello", 866}, {"a", 15495}, {"somekey", 11058},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        cr_assert_eq(slot_of(known[i].key), known[i].slot, "%s: %u", known[i].key, slot_of(known[i].key));
}

Test(keyslot, the_tag_alone_is_hashed)
{
    static const struct {
        const char *key, *hashed;
    } pairs[] = {
        {"{user1000}.following", "user1000"},
        {"{user1000}.followers", "user1000"},
        {"foo{{bar}}zap", "{bar"},
        {"foo{bar}{zap}", "bar"},
        {"foo{bar", "foo{bar"},
        {"foo}bar", "foo}bar"},
        {"}foo{bar}", "bar"},
        {"{bar}", "bar"},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        cr_assert_eq(slot_of(pairs[i].key), slot_of(pairs[i].hashed), "%s", pairs[i].key);
}

Test(keyslot, an_empty_tag_is_no_tag)
{
    cr_assert_eq(slot_of("foo{}{bar}"), 8363);
    cr_assert_neq(slot_of("foo{}{bar}"), slot_of("bar"));
    cr_assert_eq(slot_of("{}"), 15257);
}

Test(keyslot, any_byte_may_stand_in_a_key)
{
    static const uint8_t key[] = {0, '{', 0xff, 0, '}', 0};
    cr_assert_eq(keyslot((struct bytes){key, sizeof(key)}), keyslot((struct bytes){key + 2, 2}));
    cr_assert_lt(keyslot((struct bytes){key, 3}), SLOT_COUNT);
}

/* Bit by bit, as the polynomial is defined. */
static unsigned slow_slot(struct bytes key)
{
    unsigned crc = 0;
    for (size_t i = 0; i < key.len; i++) {
        crc ^= (unsigned)key.at[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x8000 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1;
    }
    return crc % SLOT_COUNT;
}

Test(keyslot, many_at_once)
{
    static const char *const names[] = {"", "foo", "{user1000}.following", "user1000", "a-name-of-more-than-sixteen-bytes",
                                        "foo{}{bar}", "sixteen--bytes--", "seventeen--bytes-", "{a}", "eight---"};
    enum { NAMES = sizeof(names) / sizeof(names[0]) };
    struct bytes keys[NAMES];
    uint16_t slots[NAMES];
    for (size_t i = 0; i < NAMES; i++)
        keys[i] = (struct bytes){(const uint8_t *)names[i], strlen(names[i])};
    keyslot_each(keys, NAMES, slots);
    for (size_t i = 0; i < NAMES; i++) {
        cr_assert_eq(slots[i], keyslot(keys[i]), "%s", names[i]);
        cr_assert_eq(slots[i], keyslot_by_tables(keys[i]), "%s", names[i]);
    }
}

Test(keyslot, any_length)
{
    uint8_t name[167];
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = (uint8_t)(i * 199 + 131) | 0x80; /* without braces */
    for (size_t from = 0; from < 8; from++)
        for (size_t len = 0; from + len <= sizeof(name); len++) {
            struct bytes key = {name + from, len};
            cr_assert_eq(keyslot(key), slow_slot(key), "%zu bytes", len);
            cr_assert_eq(keyslot_by_tables(key), slow_slot(key), "%zu bytes", len);
        }
}

/* However far in front the tag stands, and whatever the length. */
Test(keyslot, a_tag_anywhere)
{
    char name[80];
    for (size_t len = 5; len < sizeof(name); len++)
        for (size_t at = 0; at + 5 <= len; at++) {
            memset(name, 'x', len);
            memcpy(name + at, "{tag}", 5);
            cr_assert_eq(keyslot((struct bytes){(const uint8_t *)name, len}), slot_of("tag"), "%zu of %zu", at, len);
        }
}
