#include "tools/evidence/server.h"

#include <criterion/criterion.h>
#include <string.h>

static struct bytes text(const char *string)
{
    return (struct bytes){(const uint8_t *)string, strlen(string)};
}

Test(server, parses_versions)
{
    static const struct {
        const char *text;
        bool ok;
        unsigned major, minor, patch;
    } cases[] = {
        {"7.0.15", true, 7, 0, 15},
        {"8.0.1-rc1", true, 8, 0, 1},
        {"6.2", true, 6, 2, 0},
        {"7", true, 7, 0, 0},
        {"7.", true, 7, 0, 0},
        {"7.0.", true, 7, 0, 0},
        {"255.255.255", true, 255, 255, 255},
        {"99999999999999999999.1.2", true, 999999999, 1, 2},
        {"", false, 0, 0, 0},
        {"v7.0", false, 0, 0, 0},
        {".7", false, 0, 0, 0},
        {"-7", false, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct server server = {PRODUCT_VALKEY, 1, 2, 3};
        bool ok = server_parse(PRODUCT_REDIS, text(cases[i].text), &server);
        cr_expect_eq(ok, cases[i].ok, "%s", cases[i].text);
        if (ok) {
            cr_expect_eq(server.product, PRODUCT_REDIS);
            cr_expect_eq(server_compare(server, cases[i].major, cases[i].minor, cases[i].patch), 0, "%s",
                         cases[i].text);
        } else {
            cr_expect_eq(server.product, PRODUCT_VALKEY, "untouched");
        }
    }
}

Test(server, finds_the_generation)
{
    static const struct {
        struct server server;
        enum generation generation;
    } cases[] = {
        {{PRODUCT_REDIS, 3, 0, 0}, GENERATION_REDIS_3_0},
        {{PRODUCT_REDIS, 3, 2, 13}, GENERATION_REDIS_3_2},
        {{PRODUCT_REDIS, 6, 1, 240}, GENERATION_REDIS_6_0},
        {{PRODUCT_REDIS, 7, 4, 1}, GENERATION_REDIS_7_4},
        {{PRODUCT_REDIS, 255, 255, 255}, GENERATION_REDIS_8_0},
        {{PRODUCT_VALKEY, 7, 2, 5}, GENERATION_VALKEY_7_2},
        {{PRODUCT_VALKEY, 8, 0, 1}, GENERATION_VALKEY_8_0},
        {{PRODUCT_VALKEY, 9, 1, 0}, GENERATION_VALKEY_9_0},
        {{PRODUCT_REDIS, 2, 8, 24}, GENERATIONS},
        {{PRODUCT_UNKNOWN, 7, 0, 0}, GENERATIONS},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        cr_expect_eq(server_generation(cases[i].server), cases[i].generation, "case %zu", i);
}

Test(server, names)
{
    char name[40];
    cr_expect_str_eq(generation_name(GENERATION_VALKEY_8_1), "Valkey 8.1");
    cr_expect_str_eq(generation_name(GENERATIONS), "unknown server");
    cr_expect_eq(generation_product(GENERATION_VALKEY_7_2), PRODUCT_VALKEY);
    cr_expect_eq(generation_product(GENERATIONS), PRODUCT_UNKNOWN);
    cr_expect_str_eq(server_name((struct server){PRODUCT_REDIS, 4, 0, 1}, name), "Redis 4.0.1");
    cr_expect_str_eq(server_name((struct server){PRODUCT_UNKNOWN, 4, 0, 1}, name), "unknown server");
    const unsigned most = 4294967295;
    cr_expect_str_eq(server_name((struct server){PRODUCT_VALKEY, most, most, most}, name),
                     "Valkey 4294967295.4294967295.4294967295");
}

Test(server, compares_number_by_number)
{
    const struct server server = {PRODUCT_REDIS, 4, 0, 12};
    cr_expect_eq(server_compare(server, 4, 0, 12), 0);
    cr_expect_gt(server_compare(server, 4, 0, 9), 0);
    cr_expect_lt(server_compare(server, 4, 1, 0), 0);
    cr_expect_gt(server_compare(server, 3, 9, 99), 0);
}
