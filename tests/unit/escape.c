#include "tools/render/escape.h"

#include <criterion/criterion.h>
#include <string.h>

typedef void escape_form(struct out *out, struct bytes bytes);

static struct out *form_of(escape_form *form, struct bytes bytes)
{
    struct out *out = out_open_memory();
    cr_assert_not_null(out);
    form(out, bytes);
    cr_assert_eq(out_error(out), 0);
    return out;
}

static void expect_held(struct out *out, const char *expected, const char *what)
{
    struct bytes held = out_held(out);
    cr_expect(held.len == strlen(expected) && memcmp(held.at, expected, held.len) == 0, "%s: '%.*s', not '%s'", what,
              (int)held.len, (const char *)held.at, expected);
    out_close(out);
}

static void expect_form(escape_form *form, const char *bytes, size_t len, const char *expected)
{
    expect_held(form_of(form, (struct bytes){(const uint8_t *)bytes, len}), expected, expected);
}

#define EXPECT_FORM(form, literal, expected) expect_form(form, literal, sizeof(literal) - 1, expected)

/* Every byte of a form of one or two input bytes is ASCII that can be seen, or belongs to a two-byte character that
 * may be shown. Decoding is done anew here, on purpose. */
static bool is_safe(struct bytes form)
{
    for (size_t i = 0; i < form.len; i++) {
        if (form.at[i] >= 0x20 && form.at[i] <= 0x7e)
            continue;
        if (i + 1 == form.len || form.at[i] < 0xc2 || form.at[i] > 0xdf || (form.at[i + 1] & 0xc0) != 0x80)
            return false;
        unsigned code = (form.at[i] & 0x1fu) << 6 | (form.at[i + 1] & 0x3fu);
        if (code <= 0xa0 || code == 0xad || code == 0x34f || code == 0x61c)
            return false;
        i++;
    }
    return true;
}

static unsigned hex_digit(uint8_t digit)
{
    return digit <= '9' ? digit - (unsigned)'0' : digit - (unsigned)'a' + 10;
}

/* The bytes that a printable form stands for. */
static size_t undo(struct bytes form, uint8_t *bytes)
{
    size_t len = 0;
    for (size_t i = 0; i < form.len; i++) {
        if (form.at[i] != '\\') {
            bytes[len++] = form.at[i];
        } else if (form.at[i + 1] == '\\') {
            bytes[len++] = '\\';
            i++;
        } else {
            bytes[len++] = (uint8_t)(hex_digit(form.at[i + 2]) << 4 | hex_digit(form.at[i + 3]));
            i += 3;
        }
    }
    return len;
}

static void check_pair(struct bytes bytes)
{
    struct out *printable = form_of(escape_printable, bytes);
    uint8_t undone[16];
    size_t len = undo(out_held(printable), undone);
    cr_assert(is_safe(out_held(printable)), "%02x %02x", bytes.at[0], bytes.at[bytes.len - 1]);
    cr_assert(len == bytes.len && memcmp(undone, bytes.at, len) == 0, "%02x %02x", bytes.at[0], bytes.at[len - 1]);
    out_close(printable);

    struct out *terminal = form_of(escape_terminal, bytes);
    cr_assert(is_safe(out_held(terminal)));
    out_close(terminal);

    struct out *word = form_of(escape_word, bytes);
    cr_assert(is_safe(out_held(word)) && !memchr(out_held(word).at, ' ', out_held(word).len));
    out_close(word);

    struct out *json = form_of(escape_json, bytes);
    cr_assert(is_safe(out_held(json)));
    out_close(json);

    struct out *shell = out_open_memory();
    bool written = escape_shell(shell, bytes);
    cr_assert(is_safe(out_held(shell)) && (written || out_held(shell).len == 0));
    out_close(shell);
}

Test(escape, no_byte_and_no_pair_reaches_a_terminal_raw)
{
    for (unsigned first = 0; first < 256; first++) {
        uint8_t pair[2] = {(uint8_t)first};
        check_pair((struct bytes){pair, 1});
        for (unsigned second = 0; second < 256; second++) {
            pair[1] = (uint8_t)second;
            check_pair((struct bytes){pair, 2});
        }
    }
}

Test(escape, printable_form)
{
    EXPECT_FORM(escape_printable, "", "");
    EXPECT_FORM(escape_printable, "user:1", "user:1");
    EXPECT_FORM(escape_printable, "a\\x1b", "a\\\\x1b");
    EXPECT_FORM(escape_printable, "a\x1b[31m\n\r\t\0\x7f", "a\\x1b[31m\\x0a\\x0d\\x09\\x00\\x7f");
    EXPECT_FORM(escape_printable, "\xc2\x9b", "\\xc2\\x9b");
    EXPECT_FORM(escape_printable, "gr\xc3\xbc\xc3\x9f \xe6\xbc\xa2 \xf0\x9f\x98\x80",
                "gr\xc3\xbc\xc3\x9f \xe6\xbc\xa2 \xf0\x9f\x98\x80");
    EXPECT_FORM(escape_word, "a b\\", "a\\x20b\\\\");
    EXPECT_FORM(escape_terminal, "a b\\x1b\x1b", "a b\\x1b\\x1b");
}

Test(escape, characters_that_cannot_be_seen)
{
    static const char *const hidden[] = {
        "\xc2\x80",     "\xc2\x85",     "\xc2\xa0",         "\xc2\xad",         "\xd8\x9c",     "\xe2\x80\x8b",
        "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8",     "\xe2\x80\xa9",     "\xe2\x80\xaa", "\xe2\x80\xab",
        "\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae",     "\xe2\x81\xa0",     "\xe2\x81\xa6", "\xe2\x81\xa7",
        "\xe2\x81\xa8", "\xe2\x81\xa9", "\xe3\x80\x80",     "\xee\x80\x80",     "\xef\xbb\xbf", "\xef\xbf\xb9",
        "\xef\xbf\xbe", "\xef\xb7\x90", "\xf0\x9f\xbf\xbf", "\xf3\xa0\x80\x81", "\xf4\x8f\xbf\xbf",
    };
    for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
        cr_expect(escape_is_utf8(escape_string(hidden[i])), "%zu", i);
        struct out *out = form_of(escape_printable, escape_string(hidden[i]));
        cr_expect_eq(out_held(out).len, 4 * strlen(hidden[i]), "%zu", i);
        out_close(out);
    }
}

Test(escape, utf8_is_strict)
{
    static const char *const valid[] = {
        "",             "a",            "\x7f",         "\xc2\x80",         "\xdf\xbf",
        "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf",
    };
    static const char *const invalid[] = {
        "\x80",     "\xbf",         "\xc0\x80",     "\xc1\xbf",         "\xc2",
        "\xc2\x41", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",     "\xf0\x8f\xbf\xbf",
        "\xf5\x80", "\xe2\x80",     "\xe2\x80\x41", "\xf4\x90\x80\x80", "\xf0\x9f\x98",
        "\xff",     "\xfe",         "a\xe2\x28\xa1", "\xf8\x88\x80\x80\x80",
    };
    for (size_t i = 0; i < sizeof valid / sizeof valid[0]; i++)
        cr_expect(escape_is_utf8(escape_string(valid[i])), "valid %zu", i);
    for (size_t i = 0; i < sizeof invalid / sizeof invalid[0]; i++)
        cr_expect(!escape_is_utf8(escape_string(invalid[i])), "invalid %zu", i);
    cr_expect(escape_is_utf8(escape_string(NULL)));
}

static void expect_cut(const char *text, size_t columns, const char *expected)
{
    struct out *out = out_open_memory();
    escape_cut(out, escape_string(text), columns);
    expect_held(out, expected, text);
}

Test(escape, cutting_keeps_escapes_and_characters_whole)
{
    expect_cut("abcdef", 0, "abcdef");
    expect_cut("abcdef", 6, "abcdef");
    expect_cut("abcdef", 5, "ab...");
    expect_cut("abcdef", 3, "...");
    expect_cut("\x01\x02", 8, "\\x01\\x02");
    expect_cut("\x01\x02", 7, "\\x01...");
    expect_cut("\x01\x02", 6, "...");
    expect_cut("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 5, "\xe6\xbc\xa2...");
    expect_cut("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 6, "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2");
}

Test(escape, width_counts_columns)
{
    cr_expect_eq(escape_width(escape_string("")), 0);
    cr_expect_eq(escape_width(escape_string("abc")), 3);
    cr_expect_eq(escape_width(escape_string("gr\xc3\xbc\xc3\x9f")), 4);
    cr_expect_eq(escape_width(escape_string("e\xcc\x81")), 1);
    cr_expect_eq(escape_width(escape_string("\xe6\xbc\xa2\xf0\x9f\x98\x80")), 4);
}

Test(escape, csv_cells)
{
    EXPECT_FORM(escape_csv, "plain", "plain");
    EXPECT_FORM(escape_csv, "", "\"\"");
    EXPECT_FORM(escape_csv, "a,b", "\"a,b\"");
    EXPECT_FORM(escape_csv, "say \"x\"", "\"say \"\"x\"\"\"");
    EXPECT_FORM(escape_csv, "\"", "\"\"\"\"");
    EXPECT_FORM(escape_csv, "a\r\nb", "\"a\r\nb\"");
    EXPECT_FORM(escape_csv, " a", "\" a\"");
    EXPECT_FORM(escape_csv, "a ", "\"a \"");
    EXPECT_FORM(escape_csv, "=1+1", "'=1+1");
    EXPECT_FORM(escape_csv, "+1", "'+1");
    EXPECT_FORM(escape_csv, "-1", "'-1");
    EXPECT_FORM(escape_csv, "@SUM(A1,A2)", "\"'@SUM(A1,A2)\"");
    EXPECT_FORM(escape_csv, "\tx", "'\tx");
    EXPECT_FORM(escape_csv, "\rx", "\"'\rx\"");
    EXPECT_FORM(escape_csv, "\nx", "\"'\nx\"");
    EXPECT_FORM(escape_csv, "a=1", "a=1");
    EXPECT_FORM(escape_csv, "'a'", "'a'");
    EXPECT_FORM(escape_csv, "'=1", "''=1");
}

Test(escape, json_strings)
{
    EXPECT_FORM(escape_json, "", "\"\"");
    EXPECT_FORM(escape_json, "a\"b\\c/", "\"a\\\"b\\\\c/\"");
    EXPECT_FORM(escape_json, "\0\n\x1b\x7f", "\"\\u0000\\u000a\\u001b\\u007f\"");
    EXPECT_FORM(escape_json, "\xc3\xbc\xc2\x9b", "\"\xc3\xbc\\u009b\"");
    EXPECT_FORM(escape_json, "\xe2\x80\xae\xef\xbb\xbf", "\"\\u202e\\ufeff\"");
    EXPECT_FORM(escape_json, "\xf3\xa0\x80\x81\xf4\x8f\xbf\xbf", "\"\\udb40\\udc01\\udbff\\udfff\"");
    EXPECT_FORM(escape_json, "\xff\\\"\n\xc2\x9b", "\"\\\\xff\\\\\\\\\\\"\\\\x0a\\\\xc2\\\\x9b\"");
}

/* RFC 4648, section 10. */
Test(escape, base64)
{
    EXPECT_FORM(escape_base64, "", "");
    EXPECT_FORM(escape_base64, "f", "Zg==");
    EXPECT_FORM(escape_base64, "fo", "Zm8=");
    EXPECT_FORM(escape_base64, "foo", "Zm9v");
    EXPECT_FORM(escape_base64, "foob", "Zm9vYg==");
    EXPECT_FORM(escape_base64, "fooba", "Zm9vYmE=");
    EXPECT_FORM(escape_base64, "foobar", "Zm9vYmFy");
    EXPECT_FORM(escape_base64, "\xff\xfe\x00\xfb", "//4A+w==");
}

static void expect_shell(const char *word, size_t len, const char *expected)
{
    struct out *out = out_open_memory();
    bool written = escape_shell(out, (struct bytes){(const uint8_t *)word, len});
    cr_expect_eq(written, expected != NULL, "%s", word);
    expect_held(out, expected ? expected : "", word);
}

Test(escape, shell_words)
{
    expect_shell("redis-cli", 9, "redis-cli");
    expect_shell("", 0, "''");
    expect_shell("a b", 3, "'a b'");
    expect_shell("it's", 4, "'it'\\''s'");
    expect_shell("$(touch pwned)", 14, "'$(touch pwned)'");
    expect_shell("~root", 5, "'~root'");
    expect_shell("{a}:1", 5, "'{a}:1'");
    expect_shell("a\\b", 3, "'a\\b'");
    expect_shell("gr\xc3\xbcn", 5, "'gr\xc3\xbcn'");
    expect_shell("a\nb", 3, NULL);
    expect_shell("a\0b", 3, NULL);
    expect_shell("\xff", 1, NULL);
    expect_shell("\xe2\x80\xae", 3, NULL);
}
