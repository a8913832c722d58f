#include "parsers/bytes/text.h"

#include <criterion/criterion.h>
#include <string.h>

static struct bytes word(const char *string)
{
    return (struct bytes){(const uint8_t *)string, strlen(string)};
}

Test(text, comparing)
{
    static const uint8_t with_nul[] = {'a', 0, 'b'};
    cr_assert(text_is(word("master"), "master"));
    cr_assert(text_is(word(""), ""));
    cr_assert(!text_is(word("master"), "maste"));
    cr_assert(!text_is(word("maste"), "master"));
    cr_assert(!text_is(word("Master"), "master"));
    cr_assert(!text_is((struct bytes){with_nul, 3}, "a"));
    cr_assert(text_is_nocase(word("AppendOnly"), "appendonly"));
    cr_assert(text_is_nocase(word("az"), "AZ"));
    cr_assert(!text_is_nocase(word("@["), "`{"), "letters only");
    cr_assert(!text_is_nocase(word("a"), "ab"));
}

Test(text, beginnings_and_ends)
{
    cr_assert(text_starts(word("vars currentEpoch"), "vars"));
    cr_assert(text_starts(word("vars"), ""));
    cr_assert(!text_starts(word("var"), "vars"));
    cr_assert(text_ends(word("dump.rdb"), ".rdb"));
    cr_assert(!text_ends(word("rdb"), ".rdb"));
    cr_assert(!text_ends(word("dump.rdb.gz"), ".rdb"));
}

Test(text, finding)
{
    size_t at = 99;
    cr_assert(text_find(word("one two two"), "two", &at));
    cr_assert_eq(at, 4);
    cr_assert(!text_find(word("one"), "two", &at));
    cr_assert(!text_find(word(""), "two", &at));
    cr_assert(!text_find((struct bytes){NULL, 0}, "two", &at));
}

Test(text, parts)
{
    struct bytes head, tail;
    cr_assert(text_is(text_from(word("abc"), 1), "bc"));
    cr_assert(text_is(text_from(word("abc"), 3), ""));
    cr_assert(text_is(text_from(word("abc"), 9), ""));
    cr_assert(text_is(text_trim(word(" \t a b \r")), "a b"));
    cr_assert(text_is(text_trim(word(" \r\t")), ""));

    cr_assert(text_split(word("a:b:c"), ':', &head, &tail));
    cr_assert(text_is(head, "a") && text_is(tail, "b:c"));
    cr_assert(text_split_last(word("a:b:c"), ':', &head, &tail));
    cr_assert(text_is(head, "a:b") && text_is(tail, "c"));
    cr_assert(text_split(word(":"), ':', &head, &tail));
    cr_assert(text_is(head, "") && text_is(tail, ""));
    cr_assert(!text_split(word("abc"), ':', &head, &tail));
    cr_assert(text_is(head, "abc") && text_is(tail, ""));
    cr_assert(!text_split_last(word(""), ':', &head, &tail));
    cr_assert(text_is(head, "") && text_is(tail, ""));
}

Test(text, unsigned_numbers)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } table[] = {
        {"0", true, 0},
        {"16383", true, 16383},
        {"007", true, 7},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999999", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"0x10", false, 0},
        {"1.0", false, 0},
        {"1:", false, 0},
        {"/", false, 0},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        uint64_t value = 5;
        cr_assert_eq(text_u64(word(table[i].text), &value), table[i].good, "%s", table[i].text);
        cr_assert_eq(value, table[i].good ? table[i].value : 5, "%s", table[i].text);
    }
}

Test(text, signed_numbers)
{
    static const struct {
        const char *text;
        bool good;
        int64_t value;
    } table[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"-1", true, -1},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"-9223372036854775808", true, INT64_MIN},
        {"-9223372036854775809", false, 0},
        {"18446744073709551615", false, 0},
        {"-", false, 0},
        {"--1", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        int64_t value = 5;
        cr_assert_eq(text_i64(word(table[i].text), &value), table[i].good, "%s", table[i].text);
        cr_assert_eq(value, table[i].good ? table[i].value : 5, "%s", table[i].text);
    }
}

Test(text, node_ids)
{
    cr_assert(text_is_node_id(word("0123456789abcdef0123456789abcdef01234567")));
    cr_assert(!text_is_node_id(word("0123456789abcdef0123456789abcdef0123456")));
    cr_assert(!text_is_node_id(word("0123456789abcdef0123456789abcdef012345678")));
    cr_assert(!text_is_node_id(word("0123456789ABCDEF0123456789abcdef01234567")));
    cr_assert(!text_is_node_id(word("0123456789abcdeg0123456789abcdef01234567")));
    cr_assert(!text_is_node_id(word("")));
}
