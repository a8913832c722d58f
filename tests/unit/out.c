#include "tools/render/out.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void expect_held(const struct out *out, const char *expected)
{
    struct bytes held = out_held(out);
    cr_expect(held.len == strlen(expected) && memcmp(held.at, expected, held.len) == 0, "'%.*s', not '%s'",
              (int)held.len, (const char *)held.at, expected);
}

Test(out, numbers)
{
    struct out *out = out_open_memory();
    out_u64(out, 0);
    out_byte(out, ' ');
    out_u64(out, UINT64_MAX);
    out_byte(out, ' ');
    out_i64(out, INT64_MIN);
    out_byte(out, ' ');
    out_i64(out, INT64_MAX);
    expect_held(out, "0 18446744073709551615 -9223372036854775808 9223372036854775807");
    out_close(out);
}

Test(out, humane_numbers)
{
    static const struct {
        uint64_t value;
        const char *text;
    } rows[] = {
        {0, "0 keys"},       {1, "1 key"},         {999, "999 keys"},
        {1000, "1,000 keys"}, {999999, "999,999 keys"}, {1000000, "1,000,000 keys"},
        {UINT64_MAX, "18,446,744,073,709,551,615 keys"},
    };
    struct out *out = out_open_memory();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        out_empty(out);
        out_count(out, rows[i].value, "key", "keys");
        expect_held(out, rows[i].text);
    }
    out_close(out);
}

Test(out, formats_of_any_length)
{
    char *text = calloc(1, 100001);
    memset(text, 'x', 100000);
    struct out *out = out_open_memory();
    out_format(out, "%s%d", text, 7);
    cr_expect_eq(out_held(out).len, 100001);
    cr_expect_eq(out_held(out).at[100000], '7');
    out_close(out);
    free(text);
}

Test(out, colour_only_when_told)
{
    struct out *out = out_open_memory();
    out_styled(out, OUT_RED, "error");
    expect_held(out, "error");
    out_empty(out);
    out_colour(out, true);
    out_styled(out, OUT_RED, "error");
    expect_held(out, "\033[31merror\033[0m");
    out_close(out);
}

static void count_notice(void *context)
{
    ++*(unsigned *)context;
}

/* Pieces smaller and larger than any buffer arrive whole and in order. */
Test(out, reaches_the_descriptor)
{
    int fd = memfd_create("out", MFD_CLOEXEC);
    cr_assert(fd >= 0);
    struct out *out = out_open(fd);
    unsigned notices = 0;
    out_on_flush(out, count_notice, &notices);
    size_t total = 0;
    static uint8_t block[300000];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (uint8_t)(i * 31 >> 3);
    for (size_t len = 1; len <= sizeof block; len = len * 3 + 1) {
        out_bytes(out, block, len);
        total += len;
    }
    cr_expect(out_flush(out));
    cr_expect_geq(notices, 1);
    cr_expect_eq(lseek(fd, 0, SEEK_END), (off_t)total);

    static uint8_t back[sizeof block];
    off_t at = 0;
    for (size_t len = 1; len <= sizeof block; len = len * 3 + 1) {
        cr_assert_eq(pread(fd, back, len, at), (ssize_t)len);
        cr_assert(memcmp(back, block, len) == 0);
        at += (off_t)len;
    }
    out_close(out);
    close(fd);
}

Test(out, failure_is_sticky_and_the_first_counts)
{
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cr_assert(fd >= 0);
    struct out *out = out_open(fd);
    out_text(out, "lost");
    cr_expect_eq(out_error(out), 0, "still buffered");
    cr_expect(!out_flush(out));
    cr_expect_eq(out_error(out), ENOSPC);
    out_fail(out, ENOMEM);
    out_text(out, "more");
    cr_expect(!out_flush(out));
    cr_expect_eq(out_error(out), ENOSPC);
    out_close(out);
    close(fd);
}

Test(out, silence)
{
    int fd = memfd_create("out", MFD_CLOEXEC);
    cr_assert(fd >= 0);
    struct out *out = out_open(fd);
    out_silence(out);
    for (size_t i = 0; i < 100000; i++)
        out_text(out, "nothing");
    cr_expect(out_flush(out));
    cr_expect_eq(lseek(fd, 0, SEEK_END), 0);
    out_close(out);
    close(fd);
}
