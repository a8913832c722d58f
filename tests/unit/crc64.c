#include "parsers/bytes/crc64.h"

#include <criterion/criterion.h>

Test(crc64, check_value)
{
    struct bytes digits = {(const uint8_t *)"123456789", 9};
    cr_expect_eq(crc64(0, digits), UINT64_C(0xe9c6d914c4b8d9ca));
    cr_expect_eq(crc64(0, (struct bytes){digits.at, 0}), 0);
}

Test(crc64, runs_chain_and_join)
{
    uint8_t data[700];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 131 ^ i >> 3);
    uint64_t whole = crc64(0, (struct bytes){data, sizeof(data)});
    for (size_t cut = 0; cut <= sizeof(data); cut++) {
        struct bytes first = {data, cut}, second = {data + cut, sizeof(data) - cut};
        cr_assert_eq(crc64(crc64(0, first), second), whole, "cut at %zu", cut);
        cr_assert_eq(crc64_join(crc64(0, first), crc64(0, second), second.len), whole, "cut at %zu", cut);
    }
}
