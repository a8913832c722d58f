#include "tools/render/time.h"

#include <criterion/criterion.h>
#include <string.h>

static struct bytes of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

static const struct {
    int64_t ms;
    const char *text;
} known[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {951782400000, "2000-02-29T00:00:00.000Z"},
    {951868800000, "2000-03-01T00:00:00.000Z"},
    {1795358545199, "2026-11-22T14:42:25.199Z"},
    {2147483648000, "2038-01-19T03:14:08.000Z"},
    {4107542400000, "2100-03-01T00:00:00.000Z"},
    {253402300799999, "9999-12-31T23:59:59.999Z"},
    {253402300800000, "+010000-01-01T00:00:00.000Z"},
    {-62167219200000, "0000-01-01T00:00:00.000Z"},
    {-62167219200001, "-000001-12-31T23:59:59.999Z"},
    {INT64_MAX, "+292278994-08-17T07:12:55.807Z"},
    {INT64_MIN, "-292275055-05-16T16:47:04.192Z"},
};

Test(time, known_times_both_ways)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char text[TIME_SIZE];
        int64_t ms = 0;
        cr_expect_str_eq(time_write(text, known[i].ms), known[i].text);
        cr_expect(time_read(of(known[i].text), &ms), "%s", known[i].text);
        cr_expect_eq(ms, known[i].ms, "%s", known[i].text);
    }
}

/* A step that is no multiple of a day or a year, over 30,000 years. */
Test(time, what_is_written_is_read)
{
    char text[TIME_SIZE];
    for (int64_t ms = -473040000000000; ms < 473040000000000; ms += 12345678901) {
        int64_t back = 0;
        cr_assert(time_read(of(time_write(text, ms)), &back), "%s", text);
        cr_assert_eq(back, ms, "%s", text);
    }
}

Test(time, shorter_forms_and_zones)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"2026-11-22", 1795305600000},
        {"2026-11-22T14:42", 1795358520000},
        {"2026-11-22 14:42:25", 1795358545000},
        {"2026-11-22T14:42:25.1Z", 1795358545100},
        {"2026-11-22T14:42:25.1999999", 1795358545199},
        {"2026-11-22T20:27:25.199+05:45", 1795358545199},
        {"2026-11-22T09:42:25.199-05:00", 1795358545199},
        {"1970-01-01T00:00:00+00:01", -60000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = 0;
        cr_expect(time_read(of(rows[i].text), &ms), "%s", rows[i].text);
        cr_expect_eq(ms, rows[i].ms, "%s", rows[i].text);
    }
}

Test(time, no_times)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-11",
        "2026-11-2",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "1900-02-29",
        "2026-11-31",
        "2026-11-00",
        "2026-11-22T",
        "2026-11-22T14",
        "2026-11-22T24:00",
        "2026-11-22T14:60",
        "2026-11-22T14:42:60",
        "2026-11-22T14:42:25.",
        "2026-11-22T14:42:25Zx",
        "2026-11-22T14:42:25+24:00",
        "2026-11-22T14:42:25+0100",
        "26-11-22",
        "+2026-11-22",
        "+292278994-08-17T07:12:55.808Z",
        "-292275055-05-16T16:47:04.191Z",
        "+999999999-01-01",
        " 2026-11-22",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t ms;
        cr_expect(!time_read(of(texts[i]), &ms), "%s", texts[i]);
    }
}
