#include "parsers/conf/conf.h"

#include <stdlib.h>

#include "parsers/bytes/cursor.h"
#include "parsers/bytes/text.h"

/* Servers read the file by fgets() with a buffer of CONFIG_MAX_LINE + 1 bytes and append each piece as a C string. */
enum { READ_CHUNK = 1024 };

struct conf {
    struct cursor text;
    uint32_t next_line;
    uint8_t *line; /* the line as servers see it; as large as the text */
    size_t len;
    struct place place;
    bool started, pending; /* pending: the line's damage was given, its directive was not */
    struct damage damage;
    struct bytes words[CONF_WORDS];
};

struct conf *conf_open(struct bytes text)
{
    struct conf *reader = calloc(1, sizeof(*reader));
    uint8_t *line = malloc(text.len + 1);
    if (!reader || !line) {
        free(line);
        free(reader);
        return NULL;
    }
    reader->text = cursor_over(text);
    reader->line = line;
    reader->next_line = 1;
    return reader;
}

void conf_close(struct conf *reader)
{
    if (!reader)
        return;
    free(reader->line);
    free(reader);
}

const struct damage *conf_damage(const struct conf *reader)
{
    return &reader->damage;
}

const char *conf_why(const struct conf *reader)
{
    (void)reader;
    return NULL;
}

static const char *const expected[] = {
    [CONF_UNBALANCED_QUOTES] = "each quote closed, and a blank or the end after it",
    [CONF_BYTE_ORDER_MARK] = "a directive or a comment",
    [CONF_NUL] = "text without NUL bytes",
    [CONF_TOO_MANY_WORDS] = "at most 1024 words",
};

static const char *const found[] = {
    [CONF_UNBALANCED_QUOTES] = "unbalanced quotes",
    [CONF_BYTE_ORDER_MARK] = "a byte order mark",
    [CONF_NUL] = "a NUL, after which servers lose the rest of what they read at once",
    [CONF_TOO_MANY_WORDS] = "more words",
};

static enum parse_step damaged(struct conf *reader, enum conf_defect defect, struct place place, uint64_t resumed)
{
    reader->damage = (struct damage){place, defect, expected[defect], found[defect], resumed};
    return PARSE_DAMAGE;
}

static bool skip_byte_order_mark(struct conf *reader)
{
    struct cursor probe = reader->text;
    struct bytes head = cursor_take(&probe, 3);
    if (!text_is(head, "\xEF\xBB\xBF"))
        return false;
    reader->text = probe;
    return true;
}

/* What one fgets() of a server returns: up to and with a LF, or READ_CHUNK bytes. */
static struct bytes next_chunk(struct cursor *text)
{
    struct cursor probe = *text;
    size_t len = cursor_until(&probe, '\n').len + 1;
    if (len > READ_CHUNK)
        len = READ_CHUNK;
    if (len > cursor_left(text))
        len = cursor_left(text);
    return cursor_take(text, len);
}

/* Collects one line as servers put it together. A NUL ends its chunk, LF included, so that the next line continues
 * this one; the first such place goes to `lost`. */
static void collect_line(struct conf *reader, struct place *lost)
{
    reader->len = 0;
    reader->place = (struct place){cursor_offset(&reader->text), 0, reader->next_line};
    for (bool ended = false; !ended && cursor_left(&reader->text);) {
        uint64_t offset = cursor_offset(&reader->text);
        struct bytes chunk = next_chunk(&reader->text), kept, rest;
        bool cut = text_split(chunk, 0, &kept, &rest);
        if (cut && !lost->length)
            *lost = (struct place){offset + kept.len, chunk.len - kept.len, reader->next_line};
        bool has_lf = text_ends(chunk, "\n");
        reader->next_line += has_lf;
        ended = has_lf && !cut;
        kept.len -= ended;
        if (kept.len)
            memcpy(reader->line + reader->len, kept.at, kept.len);
        reader->len += kept.len;
        reader->place.length = offset + chunk.len - ended - reader->place.offset;
    }
}

enum parse_step conf_next(struct conf *reader, struct conf_directive *directive)
{
    if (!reader->started) {
        reader->started = true;
        if (skip_byte_order_mark(reader))
            return damaged(reader, CONF_BYTE_ORDER_MARK, (struct place){0, 3, 1}, 3);
    }
    while (reader->pending || cursor_left(&reader->text)) {
        if (!reader->pending) {
            struct place lost = {0};
            collect_line(reader, &lost);
            if (lost.length) {
                reader->pending = true;
                return damaged(reader, CONF_NUL, lost, lost.offset + lost.length);
            }
        }
        reader->pending = false;
        struct bytes line = text_trim((struct bytes){reader->line, reader->len});
        if (!line.len || text_starts(line, "#"))
            continue;
        int count = conf_split(line, reader->line, reader->words, CONF_WORDS);
        if (count < 0) {
            enum conf_defect defect = count == CONF_SPLIT_TOO_MANY ? CONF_TOO_MANY_WORDS : CONF_UNBALANCED_QUOTES;
            return damaged(reader, defect, reader->place, cursor_offset(&reader->text));
        }
        if (!count)
            continue;
        *directive = (struct conf_directive){
            .place = reader->place,
            .name = reader->words[0],
            .words = reader->words + 1,
            .word_count = (size_t)count - 1,
        };
        return PARSE_ITEM;
    }
    return PARSE_END;
}
