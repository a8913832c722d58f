#include <stdlib.h>

#include "parsers/aof/aof.h"
#include "parsers/aof/leading_number.h"
#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"
#include "parsers/conf/conf.h"

/* Servers read by fgets() into MANIFEST_MAX_LINE + 1 bytes. */
enum { READ_CHUNK = 1024, WORDS = READ_CHUNK / 2, WORDS_LEAST = 6 };

struct manifest {
    struct cursor text;
    uint32_t next_line;
    bool started, pending; /* pending: the damage of `item` was given, the item itself was not */
    bool has_base;
    int64_t last_incremental;
    struct manifest_item item;
    struct damage damage;
    uint8_t scratch[READ_CHUNK];
    struct bytes words[WORDS];
};

struct message {
    const char *expected;
    const char *server; /* aofLoadManifestFromFile(), Redis 7.0 to 8 and Valkey */
};

static const struct message messages[] = {
    [MANIFEST_EMPTY] = {"at least one line", "Found an empty AOF manifest"},
    [MANIFEST_LONG_LINE] = {"a line of at most 1023 bytes without NUL, with LF",
                            "The AOF manifest file contains too long line"},
    [MANIFEST_FORMAT] = {"file NAME seq NUMBER type b|h|i", "Invalid AOF manifest file format"},
    [MANIFEST_PATH] = {"a name without slash and backslash", "File can't be a path, just a filename"},
    [MANIFEST_DUPLICATE_BASE] = {"at most one base", "Found duplicate base file information"},
    [MANIFEST_NON_MONOTONIC] = {"a seq above 0 and above those of earlier incremental files",
                                "Found a non-monotonic sequence number"},
    [MANIFEST_UNKNOWN_TYPE] = {"type b, h or i", "Unknown AOF file type"},
};

struct manifest *manifest_open(struct bytes text)
{
    struct manifest *reader = calloc(1, sizeof(*reader));
    if (!reader)
        return NULL;
    reader->text = cursor_over(text);
    reader->next_line = 1;
    return reader;
}

void manifest_close(struct manifest *reader)
{
    free(reader);
}

const struct damage *manifest_damage(const struct manifest *reader)
{
    return &reader->damage;
}

const char *manifest_why(const struct manifest *reader)
{
    (void)reader;
    return NULL;
}

static enum parse_step damaged(struct manifest *reader, enum manifest_defect defect, struct place place)
{
    reader->damage = (struct damage){place, defect, messages[defect].expected, messages[defect].server,
                                     cursor_offset(&reader->text)};
    return PARSE_DAMAGE;
}

/* What a server's fgets() returns: up to and with a LF, or READ_CHUNK bytes. `ended` says whether the LF is there. */
static struct bytes next_chunk(struct manifest *reader, struct place *place, bool *ended)
{
    struct cursor probe = reader->text;
    size_t len = cursor_until(&probe, '\n').len;
    *ended = cursor_left(&probe) > 0 && len < READ_CHUNK;
    if (len > READ_CHUNK)
        len = READ_CHUNK;
    *place = (struct place){cursor_offset(&reader->text), len, reader->next_line};
    struct bytes chunk = cursor_take(&reader->text, len);
    cursor_take(&reader->text, *ended);
    reader->next_line += *ended;
    return chunk;
}

static void skip_line(struct manifest *reader)
{
    struct bytes rest;
    bool ended;
    if (cursor_line(&reader->text, &rest, &ended))
        reader->next_line += ended;
}

/* The word up to its first NUL, which only \x00 in quotes can make: servers take words as C strings. */
static struct bytes c_string(struct bytes word)
{
    struct bytes head, tail;
    text_split(word, 0, &head, &tail);
    return head;
}

/* Reads the pairs of a line into the reader's item. The defect goes to `defect`; false when there is one. */
static bool read_pairs(struct manifest *reader, struct bytes line, enum manifest_defect *defect)
{
    struct manifest_item *item = &reader->item;
    int count = conf_split(line, reader->scratch, reader->words, WORDS);
    *defect = MANIFEST_FORMAT;
    if (count < WORDS_LEAST || count % 2)
        return false;
    for (int i = 0; i < count; i += 2) {
        struct bytes key = c_string(reader->words[i]), value = c_string(reader->words[i + 1]);
        if (text_is_nocase(key, "file")) {
            item->name = value;
            if (memchr(value.at, '/', value.len) || memchr(value.at, '\\', value.len)) {
                *defect = MANIFEST_PATH;
                return false;
            }
        } else if (text_is_nocase(key, "seq")) {
            item->seq = leading_number(value);
        } else if (text_is_nocase(key, "type")) {
            item->type = value.len ? (char)value.at[0] : 0;
        } else if (text_is_nocase(key, "startoffset")) {
            item->has_start_offset = true;
            item->start_offset = leading_number(value);
        } else if (text_is_nocase(key, "endoffset")) {
            item->has_end_offset = true;
            item->end_offset = leading_number(value);
        }
    }
    if (!item->name.at || !item->seq || !item->type)
        return false;
    *defect = MANIFEST_UNKNOWN_TYPE;
    return item->type == 'b' || item->type == 'h' || item->type == 'i';
}

/* Whether the item goes with those before it, which it joins in any case. */
static bool in_order(struct manifest *reader, enum manifest_defect *defect)
{
    const struct manifest_item *item = &reader->item;
    if (item->type == 'b') {
        *defect = MANIFEST_DUPLICATE_BASE;
        bool first = !reader->has_base;
        reader->has_base = true;
        return first;
    }
    if (item->type == 'i') {
        *defect = MANIFEST_NON_MONOTONIC;
        bool above = item->seq > reader->last_incremental;
        if (above)
            reader->last_incremental = item->seq;
        return above;
    }
    return true;
}

enum parse_step manifest_next(struct manifest *reader, struct manifest_item *item)
{
    if (reader->pending) {
        reader->pending = false;
        *item = reader->item;
        return PARSE_ITEM;
    }
    if (!reader->started && !cursor_left(&reader->text)) {
        reader->started = true;
        return damaged(reader, MANIFEST_EMPTY, (struct place){0, 0, 1});
    }
    reader->started = true;
    while (cursor_left(&reader->text)) {
        struct place place;
        enum manifest_defect defect;
        bool ended;
        struct bytes line = next_chunk(reader, &place, &ended);
        if (text_starts(line, "#"))
            continue;
        if (!ended || memchr(line.at, 0, line.len)) {
            if (!ended)
                skip_line(reader);
            return damaged(reader, MANIFEST_LONG_LINE, place);
        }
        reader->item = (struct manifest_item){.place = place};
        if (!read_pairs(reader, line, &defect))
            return damaged(reader, defect, place);
        if (!in_order(reader, &defect)) {
            reader->pending = true;
            return damaged(reader, defect, place);
        }
        *item = reader->item;
        return PARSE_ITEM;
    }
    return PARSE_END;
}

unsigned manifest_likeness(struct bytes head)
{
    struct manifest *reader = manifest_open(head);
    struct manifest_item item;
    unsigned files = 0, defects = 0;
    enum parse_step step;
    size_t at;
    while (reader && files + defects < 16 && (step = manifest_next(reader, &item)) != PARSE_END)
        *(step == PARSE_ITEM ? &files : &defects) += 1;
    manifest_close(reader);
    if (files)
        return defects ? 60 : 95;
    return text_starts(head, "file ") && text_find(head, " seq ", &at) && text_find(head, " type ", &at) ? 50 : 0;
}
