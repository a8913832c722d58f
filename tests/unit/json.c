#include "tools/render/json.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static void expect_held(struct out *out, const char *expected)
{
    struct bytes held = out_held(out);
    cr_expect_eq(out_error(out), 0);
    cr_expect(held.len == strlen(expected) && memcmp(held.at, expected, held.len) == 0, "got:\n%.*s\nexpected:\n%s",
              (int)held.len, (const char *)held.at, expected);
    out_close(out);
}

static void write_sample(struct json *json)
{
    json_object(json, NULL);
    json_text(json, "schema", "sample");
    json_number(json, "version", 1);
    json_array(json, "empty");
    json_end(json);
    json_object(json, "also_empty");
    json_end(json);
    json_array(json, "mixed");
    json_u64(json, NULL, UINT64_MAX);
    json_number(json, NULL, -5);
    json_bool(json, NULL, true);
    json_null(json, NULL);
    json_text(json, NULL, NULL);
    json_object(json, NULL);
    json_time(json, "at", 1795358545199);
    json_format(json, "place", "%s:%d", "a\"b", 7);
    json_end(json);
    json_end(json);
    json_end(json);
}

Test(json, one_line)
{
    struct out *out = out_open_memory();
    struct json json = json_on(out, JSON_LINE);
    write_sample(&json);
    write_sample(&json);
    static const char line[] =
        "{\"schema\":\"sample\",\"version\":1,\"empty\":[],\"also_empty\":{},"
        "\"mixed\":[\"18446744073709551615\",-5,true,null,null,"
        "{\"at\":\"2026-11-22T14:42:25.199Z\",\"place\":\"a\\\"b:7\"}]}\n";
    char twice[2 * sizeof line];
    snprintf(twice, sizeof twice, "%s%s", line, line);
    expect_held(out, twice);
}

Test(json, indented)
{
    struct out *out = out_open_memory();
    struct json json = json_on(out, JSON_INDENTED);
    write_sample(&json);
    expect_held(out, "{\n"
                     "  \"schema\": \"sample\",\n"
                     "  \"version\": 1,\n"
                     "  \"empty\": [],\n"
                     "  \"also_empty\": {},\n"
                     "  \"mixed\": [\n"
                     "    \"18446744073709551615\",\n"
                     "    -5,\n"
                     "    true,\n"
                     "    null,\n"
                     "    null,\n"
                     "    {\n"
                     "      \"at\": \"2026-11-22T14:42:25.199Z\",\n"
                     "      \"place\": \"a\\\"b:7\"\n"
                     "    }\n"
                     "  ]\n"
                     "}\n");
}

Test(json, bytes_bring_their_truth_when_they_are_no_text)
{
    struct out *out = out_open_memory();
    struct json json = json_on(out, JSON_LINE);
    json_object(&json, NULL);
    json_bytes(&json, "key", (struct bytes){(const uint8_t *)"a\0b", 3});
    json_bytes(&json, "other", (struct bytes){(const uint8_t *)"a\xff", 2});
    json_string(&json, "word", (struct bytes){(const uint8_t *)"a\xff", 2});
    json_end(&json);
    expect_held(out, "{\"key\":\"a\\u0000b\","
                     "\"other\":\"a\\\\xff\",\"other_base64\":\"Yf8=\",\"word\":\"a\\\\xff\"}\n");
}

static unsigned hex4(const uint8_t *at)
{
    unsigned value = 0;
    for (size_t i = 0; i < 4; i++)
        value = value << 4 | (at[i] <= '9' ? at[i] - (unsigned)'0' : at[i] - (unsigned)'a' + 10);
    return value;
}

static size_t put_utf8(uint8_t *to, unsigned code)
{
    size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len; i > 1; i--) {
        to[i - 1] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    to[0] = (uint8_t)(lead[len] | code);
    return len;
}

/* What a JSON reader makes of a string with its quotes. Fails the test at anything RFC 8259 forbids. */
static size_t read_string(struct bytes text, uint8_t *bytes)
{
    size_t len = 0;
    cr_assert(text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"');
    for (size_t i = 1; i < text.len - 1; i++) {
        cr_assert(text.at[i] >= 0x20 && text.at[i] != '"');
        if (text.at[i] != '\\') {
            bytes[len++] = text.at[i];
        } else if (text.at[i + 1] == 'u') {
            unsigned code = hex4(text.at + i + 2);
            i += 5;
            if (code >= 0xd800 && code < 0xdc00) {
                cr_assert(text.at[i + 1] == '\\' && text.at[i + 2] == 'u');
                code = 0x10000 + ((code - 0xd800) << 10) + (hex4(text.at + i + 3) - 0xdc00);
                i += 6;
            }
            len += put_utf8(bytes + len, code);
        } else {
            cr_assert(text.at[i + 1] == '\\' || text.at[i + 1] == '"');
            bytes[len++] = text.at[++i];
        }
    }
    return len;
}

Test(json, every_character_comes_back)
{
    struct out *out = out_open_memory();
    struct json json = json_on(out, JSON_INDENTED);
    for (unsigned code = 0; code <= 0x10ffff; code++) {
        if (code >= 0xd800 && code <= 0xdfff)
            continue;
        uint8_t bytes[4], back[16];
        size_t len = put_utf8(bytes, code);
        out_empty(out);
        json_string(&json, NULL, (struct bytes){bytes, len});
        struct bytes written = out_held(out);
        cr_assert_eq(read_string((struct bytes){written.at, written.len - 1}, back), len, "U+%04X", code);
        cr_assert(memcmp(back, bytes, len) == 0, "U+%04X", code);
    }
    out_close(out);
}

static int error_after(void (*misuse)(struct json *json))
{
    struct out *out = out_open_memory();
    struct json json = json_on(out, JSON_LINE);
    misuse(&json);
    int error = out_error(out);
    out_close(out);
    return error;
}

static void end_of_nothing(struct json *json)
{
    json_end(json);
}

static void too_deep(struct json *json)
{
    for (unsigned i = 0; i <= JSON_DEPTH; i++)
        json_array(json, NULL);
}

static void deepest(struct json *json)
{
    for (unsigned i = 0; i < JSON_DEPTH; i++)
        json_array(json, NULL);
    for (unsigned i = 0; i < JSON_DEPTH; i++)
        json_end(json);
}

static void key_in_array(struct json *json)
{
    json_array(json, NULL);
    json_null(json, "key");
}

static void no_key_in_object(struct json *json)
{
    json_object(json, NULL);
    json_null(json, NULL);
}

Test(json, misuse_fails_the_output)
{
    cr_expect_eq(error_after(end_of_nothing), EINVAL);
    cr_expect_eq(error_after(too_deep), EINVAL);
    cr_expect_eq(error_after(key_in_array), EINVAL);
    cr_expect_eq(error_after(no_key_in_object), EINVAL);
    cr_expect_eq(error_after(deepest), 0);
}
