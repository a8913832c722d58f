#include "parsers/capture/info.h"

#include <stdlib.h>

#include "parsers/bytes/text.h"

struct info_reader {
    struct capture_lines lines;
    struct damage damage;
};

struct info_reader *info_open(struct bytes text)
{
    struct info_reader *reader = calloc(1, sizeof(*reader));
    if (reader)
        reader->lines = capture_lines_over(text);
    return reader;
}

static enum parse_step damaged(struct info_reader *reader, enum capture_defect code, struct place place,
                               const char *found)
{
    reader->damage = (struct damage){place, code, capture_expected(code), found, place.offset + place.length};
    return PARSE_DAMAGE;
}

/* "cluster_state", "slave0", "errorstat_ERR": a name holds no blank. */
static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.at[i] <= ' ' || name.at[i] >= 0x7f)
            return false;
    return name.len > 0;
}

enum parse_step info_next(struct info_reader *reader, struct info_item *item)
{
    struct capture_line line;
    struct bytes name, value;
    while (capture_line_next(&reader->lines, &line)) {
        if (!line.text.len)
            continue;
        if (!line.ended)
            return damaged(reader, CAPTURE_CUT, line.place, "a last line without its end");
        if (text_starts(line.text, "#")) {
            *item = (struct info_item){INFO_SECTION, text_trim(text_from(line.text, 1)), {NULL, 0}, line.place};
            return PARSE_ITEM;
        }
        if (!text_split(line.text, ':', &name, &value) || !is_name(name))
            return damaged(reader, CAPTURE_FIELD, line.place, "something else");
        *item = (struct info_item){INFO_FIELD, name, value, line.place};
        return PARSE_ITEM;
    }
    return PARSE_END;
}

const struct damage *info_damage(const struct info_reader *reader)
{
    return &reader->damage;
}

void info_close(struct info_reader *reader)
{
    free(reader);
}

bool info_part(struct bytes list, const char *name, struct bytes *value)
{
    struct bytes part, rest = list, key;
    while (rest.len) {
        text_split(rest, ',', &part, &rest);
        if (text_split(part, '=', &key, value) && text_is(key, name))
            return true;
    }
    return false;
}
