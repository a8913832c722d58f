#include "tools/render/json.h"

#include <errno.h>

#include "tools/render/escape.h"
#include "tools/render/time.h"

struct json json_on(struct out *out, enum json_layout layout)
{
    return (struct json){.out = out, .layout = layout};
}

static void line_break(struct json *json)
{
    if (json->layout == JSON_INDENTED) {
        out_byte(json->out, '\n');
        out_repeat(json->out, ' ', 2 * (size_t)json->depth);
    }
}

static void write_key(struct json *json, const char *key, const char *suffix)
{
    out_byte(json->out, '"');
    out_text(json->out, key);
    out_text(json->out, suffix);
    out_text(json->out, json->layout == JSON_INDENTED ? "\": " : "\":");
}

/* What stands before a value: comma, line break, key. */
static void before_value(struct json *json, const char *key, const char *suffix)
{
    bool in_object = json->depth > 0 && !json->level[json->depth - 1].array;
    if (in_object != (key != NULL)) {
        out_fail(json->out, EINVAL);
        return;
    }
    if (json->depth == 0)
        return;
    if (json->level[json->depth - 1].used)
        out_byte(json->out, ',');
    json->level[json->depth - 1].used = true;
    line_break(json);
    if (key)
        write_key(json, key, suffix);
}

static void after_value(struct json *json)
{
    if (json->depth == 0)
        out_byte(json->out, '\n');
}

static void begin(struct json *json, const char *key, bool array)
{
    before_value(json, key, "");
    if (json->depth == JSON_DEPTH) {
        out_fail(json->out, EINVAL);
        return;
    }
    out_byte(json->out, array ? '[' : '{');
    json->level[json->depth].array = array;
    json->level[json->depth].used = false;
    json->depth++;
}

void json_object(struct json *json, const char *key)
{
    begin(json, key, false);
}

void json_array(struct json *json, const char *key)
{
    begin(json, key, true);
}

void json_end(struct json *json)
{
    if (json->depth == 0) {
        out_fail(json->out, EINVAL);
        return;
    }
    json->depth--;
    if (json->level[json->depth].used)
        line_break(json);
    out_byte(json->out, json->level[json->depth].array ? ']' : '}');
    after_value(json);
}

void json_string(struct json *json, const char *key, struct bytes bytes)
{
    before_value(json, key, "");
    escape_json(json->out, bytes);
    after_value(json);
}

static void write_bare(struct json *json, const char *key, const char *word)
{
    before_value(json, key, "");
    out_text(json->out, word);
    after_value(json);
}

void json_text(struct json *json, const char *key, const char *text)
{
    if (text)
        json_string(json, key, escape_string(text));
    else
        json_null(json, key);
}

void json_format(struct json *json, const char *key, const char *format, ...)
{
    struct out *text = out_open_memory();
    if (!text) {
        out_fail(json->out, ENOMEM);
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    out_vformat(text, format, arguments);
    va_end(arguments);
    if (out_error(text))
        out_fail(json->out, out_error(text));
    json_string(json, key, out_held(text));
    out_close(text);
}

void json_bytes(struct json *json, const char *key, struct bytes bytes)
{
    json_string(json, key, bytes);
    if (key && !escape_is_utf8(bytes)) {
        before_value(json, key, "_base64");
        out_byte(json->out, '"');
        escape_base64(json->out, bytes);
        out_byte(json->out, '"');
    }
}

void json_number(struct json *json, const char *key, int64_t number)
{
    before_value(json, key, "");
    out_i64(json->out, number);
    after_value(json);
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
    before_value(json, key, "");
    out_byte(json->out, '"');
    out_u64(json->out, value);
    out_byte(json->out, '"');
    after_value(json);
}

void json_time(struct json *json, const char *key, int64_t ms)
{
    char text[TIME_SIZE];
    json_text(json, key, time_write(text, ms));
}

void json_bool(struct json *json, const char *key, bool value)
{
    write_bare(json, key, value ? "true" : "false");
}

void json_null(struct json *json, const char *key)
{
    write_bare(json, key, "null");
}
