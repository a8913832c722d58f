/* The words of a line, separated as the servers' loader does it (sdssplitargs): blanks between words; "..." with the
 * escapes \n \r \t \b \a \xHH and '...' with \' may be any part of a word; a closing quote must end the word.
 *
 * Nearly every line is plain, and its words are runs of the evidence. Only a line with quotes or odd blanks is decoded.
 */
#include "parsers/nodesconf/nodesconf_private.h"

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool peek(const struct cursor *cursor, uint8_t *c)
{
    struct cursor ahead = *cursor;
    *c = cursor_u8(&ahead);
    return cursor_ok(&ahead);
}

static int hex(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What follows a backslash within double quotes. */
static uint8_t unescape(struct cursor *cursor)
{
    static const char from[] = "nrtba", to[] = "\n\r\t\b\a";
    uint8_t c = cursor_u8(cursor);
    struct cursor ahead = *cursor;
    int high = hex(cursor_u8(&ahead)), low = hex(cursor_u8(&ahead));
    if (c == 'x' && cursor_ok(&ahead) && high >= 0 && low >= 0) {
        *cursor = ahead;
        return (uint8_t)(high << 4 | low);
    }
    const char *hit = c ? strchr(from, c) : NULL;
    return hit ? (uint8_t)to[hit - from] : c;
}

/* The rest of a quoted part; false when it does not end, or when the word goes on behind it. */
static bool quoted_part(struct words *words, uint8_t quote)
{
    struct cursor *cursor = &words->cursor;
    uint8_t c, next;
    while (peek(cursor, &c)) {
        cursor_u8(cursor);
        if (c == quote)
            return !peek(cursor, &next) || is_space(next);
        if (c == '\\' && peek(cursor, &next) && (quote == '"' || next == '\''))
            c = quote == '"' ? unescape(cursor) : cursor_u8(cursor);
        words->scratch[words->used++] = c;
    }
    return false;
}

/* One word by the servers' rules into the scratch. False at the end of the line and, with `broken`, at a bad quote. */
static bool decode_word(struct words *words, struct word *word, bool *broken)
{
    struct cursor *cursor = &words->cursor;
    uint8_t c;
    while (peek(cursor, &c) && is_space(c))
        cursor_u8(cursor);
    word->from = cursor_offset(cursor);
    word->text.at = words->scratch + words->used;
    if (!cursor_left(cursor))
        return false;
    size_t start = words->used;
    while (peek(cursor, &c) && c != ' ' && c != '\r' && c != '\t') {
        cursor_u8(cursor);
        if (c != '"' && c != '\'') {
            words->scratch[words->used++] = c;
        } else if (!quoted_part(words, c)) {
            *broken = true;
            return false;
        }
    }
    word->text.len = words->used - start;
    word->length = cursor_offset(cursor) - word->from;
    return true;
}

bool nodesconf_words_balanced(struct bytes line, uint8_t *scratch)
{
    struct words words = {.cursor = cursor_over(line), .scratch = scratch};
    struct word word;
    bool broken = false;
    while (decode_word(&words, &word, &broken))
        ;
    return !broken;
}

bool nodesconf_word(struct words *words, struct word *word)
{
    bool broken = false;
    if (words->scratch)
        return decode_word(words, word, &broken);
    uint8_t c;
    while (peek(&words->cursor, &c) && c == ' ')
        cursor_u8(&words->cursor);
    word->from = cursor_offset(&words->cursor);
    word->text = cursor_until(&words->cursor, ' ');
    word->length = word->text.len;
    return word->length > 0;
}
