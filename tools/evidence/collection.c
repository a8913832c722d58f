#include "tools/evidence/collection.h"

#include <string.h>

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"
#include "parsers/log/log.h"

enum { HASH_DIGITS = 64, MINUTE_S = 60, HOUR_S = 3600 };

/* A number of exactly `width` digits, from `least` to `most`. */
static bool take_number(struct cursor *in, size_t width, uint64_t least, uint64_t most, uint64_t *value)
{
    return text_u64(cursor_take(in, width), value) && cursor_ok(in) && *value >= least && *value <= most;
}

static bool take_mark(struct cursor *in, const char *marks)
{
    struct bytes mark = cursor_take(in, 1);
    return mark.len && memchr(marks, mark.at[0], strlen(marks));
}

bool collection_zone(struct bytes text, int32_t *zone_s)
{
    struct cursor in = cursor_over(text_from(text, 1));
    uint64_t hours, minutes;
    *zone_s = 0;
    if (text_is_nocase(text, "UTC") || text_is_nocase(text, "Z"))
        return true;
    if (!text_starts(text, "+") && !text_starts(text, "-"))
        return false;
    if (!take_number(&in, 2, 0, 14, &hours) || (cursor_left(&in) == 3 && !take_mark(&in, ":")) ||
        !take_number(&in, 2, 0, 59, &minutes) || cursor_left(&in))
        return false;
    *zone_s = (int32_t)(hours * HOUR_S + minutes * MINUTE_S);
    if (text_starts(text, "-"))
        *zone_s = -*zone_s;
    return true;
}

bool collection_time(struct bytes text, int64_t *ms)
{
    struct cursor in = cursor_over(text);
    uint64_t year, month, day, hour, minute, second, millisecond = 0;
    int32_t zone_s;
    if (!take_number(&in, 4, 1970, 9999, &year) || !take_mark(&in, "-") || !take_number(&in, 2, 1, 12, &month) ||
        !take_mark(&in, "-") || !take_number(&in, 2, 1, 31, &day) || !take_mark(&in, "T ") ||
        !take_number(&in, 2, 0, 23, &hour) || !take_mark(&in, ":") || !take_number(&in, 2, 0, 59, &minute) ||
        !take_mark(&in, ":") || !take_number(&in, 2, 0, 60, &second))
        return false;
    if (cursor_left(&in) && *in.at == '.' && (!take_mark(&in, ".") || !take_number(&in, 3, 0, 999, &millisecond)))
        return false;
    if (!collection_zone(cursor_take(&in, cursor_left(&in)), &zone_s))
        return false;
    struct log_time time = {
        .known = true,
        .has_year = true,
        .has_zone = true,
        .zone_s = zone_s,
        .year = (int16_t)year,
        .month = (int8_t)month,
        .day = (int8_t)day,
        .hour = (int8_t)hour,
        .minute = (int8_t)minute,
        .second = (int8_t)second,
        .millisecond = (int16_t)millisecond,
    };
    *ms = log_unix_ms(&time, 0, 0);
    return true;
}

/* "# KEY: VALUE" */
static bool comment_value(struct bytes line, const char *key, struct bytes *value)
{
    struct bytes name;
    line = text_trim(text_from(line, 1));
    if (!text_split(line, ':', &name, value) || !text_is_nocase(text_trim(name), key))
        return false;
    *value = text_trim(*value);
    return value->len > 0;
}

static void read_comment(struct arena *arena, struct collection *collection, struct bytes line)
{
    struct bytes value;
    if (comment_value(line, "collected-at", &value)) {
        collection->has_time = collection_time(value, &collection->collected_ms);
    } else if (comment_value(line, "timezone", &value)) {
        collection->timezone = arena_copy(arena, value.at, value.len);
        collection->has_zone = collection_zone(value, &collection->zone_s);
    } else if (comment_value(line, "host", &value)) {
        collection->host = arena_copy(arena, value.at, value.len);
    }
}

/* sha256sum writes a backslash before the hash of a name in which it has escaped backslash, LF and CR. */
static char *unescape(struct arena *arena, struct bytes name)
{
    char *plain = arena_copy(arena, name.at, name.len);
    size_t len = 0;
    for (size_t i = 0; plain && i < name.len; i++) {
        char c = (char)name.at[i];
        if (c == '\\' && i + 1 < name.len) {
            char next = (char)name.at[++i];
            c = next;
            if (next == 'n')
                c = '\n';
            else if (next == 'r')
                c = '\r';
        }
        plain[len++] = c;
    }
    if (plain)
        plain[len] = 0;
    return plain;
}

static bool is_hash(struct bytes word)
{
    for (size_t i = 0; i < word.len; i++) {
        uint8_t c = (uint8_t)(word.at[i] | 0x20);
        if (!((word.at[i] >= '0' && word.at[i] <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return word.len == HASH_DIGITS;
}

/* "HASH  NAME", "HASH *NAME", "\HASH  NAME"; "SHA256 (NAME) = HASH" as BSD tools write. */
static bool split_line(struct bytes line, struct bytes *hash, struct bytes *name, bool *escaped)
{
    struct bytes rest;
    *escaped = text_starts(line, "\\");
    if (text_starts(line, "SHA256 (") && text_split_last(line, ' ', &rest, hash) && text_ends(rest, ") =")) {
        *name = text_from((struct bytes){rest.at, rest.len - strlen(") =")}, strlen("SHA256 ("));
        return is_hash(*hash) && name->len;
    }
    if (*escaped)
        line = text_from(line, 1);
    struct cursor in = cursor_over(line);
    *hash = cursor_take(&in, HASH_DIGITS);
    bool separated = take_mark(&in, " ") && take_mark(&in, " *");
    *name = cursor_take(&in, cursor_left(&in));
    return separated && is_hash(*hash) && name->len;
}

struct collection *collection_read(struct arena *arena, struct bytes text, size_t file)
{
    struct collection *collection = arena_alloc(arena, sizeof(*collection));
    struct collected *files = NULL;
    size_t cap = 0;
    struct cursor in = cursor_over(text);
    struct bytes line, hash, name;
    bool ended, escaped;
    if (!collection)
        return NULL;
    collection->file = file;
    for (uint32_t number = 1;; number++) {
        uint64_t offset = cursor_offset(&in);
        if (!cursor_line(&in, &line, &ended))
            break;
        struct place place = {offset, line.len, number};
        if (text_ends(line, "\r"))
            line.len--;
        if (text_starts(line, "#")) {
            read_comment(arena, collection, line);
        } else if (split_line(line, &hash, &name, &escaped)) {
            files = arena_grow(arena, files, collection->count, &cap, sizeof(*files));
            char *digits = arena_copy(arena, hash.at, hash.len);
            if (!files || !digits)
                return NULL;
            for (size_t i = 0; i < HASH_DIGITS; i++)
                digits[i] = (char)(digits[i] >= 'A' && digits[i] <= 'F' ? digits[i] | 0x20 : digits[i]);
            char *path = escaped ? unescape(arena, name) : arena_copy(arena, name.at, name.len);
            files[collection->count++] = (struct collected){digits, path, place};
        } else {
            collection->unread_lines += text_trim(line).len > 0;
        }
    }
    collection->files = files;
    return arena_failed(arena) ? NULL : collection;
}
