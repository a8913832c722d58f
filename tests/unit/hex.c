#include "parsers/bytes/hex.h"

#include <criterion/criterion.h>

Test(hex, lower_case_digits_and_a_nul)
{
    static const uint8_t bytes[] = {0x00, 0x0f, 0xa0, 0xff, 0x9c};
    char text[HEX_SIZE(sizeof(bytes))];
    cr_assert_eq(hex_encode(text, (struct bytes){bytes, sizeof(bytes)}), text);
    cr_assert_str_eq(text, "000fa0ff9c");
    cr_assert_str_eq(hex_encode(text, (struct bytes){bytes, 0}), "");
}
