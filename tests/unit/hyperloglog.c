#include "parsers/rdb/hyperloglog.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { DENSE_BYTES = 16 + 12288 };

#define HEADER(encoding) "HYLL" encoding "\0\0\0" "\0\0\0\0\0\0\0\0"
#define VALUE(text) .value = text, .len = sizeof(text) - 1

static const char *fault_of(const void *value, size_t len, uint64_t *at)
{
    uint8_t *copy = malloc(len + !len);
    memcpy(copy, value, len);
    const char *fault = hyperloglog_fault((struct bytes){copy, len}, at);
    free(copy);
    return fault;
}

Test(hyperloglog, sparse_counters)
{
    static const struct {
        const char *value;
        size_t len;
        const char *fault; /* a part of it */
        uint64_t at;
    } cases[] = {
        {VALUE(HEADER("\1") "\x7f\xff"), NULL, 0},
        {VALUE(HEADER("\1") "\x7f\xfe\x80"), NULL, 0},
        {VALUE(HEADER("\1") "\x7f\xbf\x3f"), NULL, 0},
        {VALUE(HEADER("\1") "\x7f\xf7\x83\xff"), NULL, 0},
        {VALUE(HEADER("\1")), "less than", 16},
        {VALUE(HEADER("\1") "\x7f\xfe"), "less than", 18},
        {VALUE(HEADER("\1") "\x7f\xff\x00"), "more than", 18},
        {VALUE(HEADER("\1") "\x7f\xff\x7f\xff"), "more than", 18},
        {VALUE(HEADER("\1") "\x3f\x7f"), "cut off", 17},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t at = 0;
        const char *fault = fault_of(cases[i].value, cases[i].len, &at);
        cr_assert_eq(!fault, !cases[i].fault, "case %zu", i);
        if (!fault)
            continue;
        cr_assert(strstr(fault, cases[i].fault), "case %zu: %s", i, fault);
        cr_assert_eq(at, cases[i].at, "case %zu", i);
    }
}

/* Registers add up beyond 32 bits only in values that are longer than any test; the first too many ends the count. */
Test(hyperloglog, opcodes_without_end)
{
    enum { MANY = 1 << 20 };
    uint8_t *value = malloc(MANY);
    memset(value, 0x7f, MANY);
    memcpy(value, HEADER("\1"), 16);
    uint64_t at = 0;
    cr_assert(strstr(fault_of(value, MANY, &at), "more than"));
    cr_assert_eq(at, 18);
    free(value);
}

/* Registers of a dense counter may hold anything; of another length it is a string to every server. */
Test(hyperloglog, dense_counters)
{
    uint8_t *value = calloc(1, DENSE_BYTES + 1);
    memset(value, 0xff, DENSE_BYTES + 1);
    memcpy(value, HEADER("\0"), 16);
    uint64_t at;
    cr_assert(hyperloglog_begins((struct bytes){value, DENSE_BYTES}));
    cr_assert_null(fault_of(value, DENSE_BYTES, &at));
    cr_assert(!hyperloglog_begins((struct bytes){value, DENSE_BYTES - 1}));
    cr_assert(!hyperloglog_begins((struct bytes){value, DENSE_BYTES + 1}));
    cr_assert_null(fault_of(value, DENSE_BYTES + 1, &at));
    free(value);
}

Test(hyperloglog, other_strings)
{
    static const struct {
        const char *value;
        size_t len;
    } strings[] = {
        {VALUE("")}, {VALUE("HYLL")}, {VALUE("HYLL\1\0\0\0" "\0\0\0\0\0\0\0")}, {VALUE(HEADER("\2") "\0")},
        {VALUE(HEADER("\0") "\0")}, {VALUE("hyll\1\0\0\0" "\0\0\0\0\0\0\0\0" "\0")},
    };
    uint64_t at;
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        cr_assert(!hyperloglog_begins((struct bytes){(const uint8_t *)strings[i].value, strings[i].len}));
        cr_assert_null(fault_of(strings[i].value, strings[i].len, &at));
    }
}
