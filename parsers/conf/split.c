#include "parsers/bytes/cursor.h"
#include "parsers/conf/conf.h"

/* The byte `n` places ahead; 0 at the end, so that a NUL and the end are one, as in the C strings of the servers. */
static uint8_t ahead(const struct cursor *in, size_t n)
{
    return n < cursor_left(in) ? in->at[n] : 0;
}

/* isspace() of the C locale. */
static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* What ends a word without quotes: VT and FF do not, although both may stand between words. */
static bool ends_word(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint8_t escaped(uint8_t c)
{
    static const char names[] = "nrtba", values[] = "\n\r\t\b\a";
    const char *hit = memchr(names, c, sizeof(names) - 1);
    return hit ? (uint8_t)values[hit - names] : c;
}

/* One byte of a quoted word, its escape resolved. */
static uint8_t quoted_byte(struct cursor *in, uint8_t quote)
{
    uint8_t c = cursor_u8(in);
    if (c != '\\')
        return c;
    if (quote == '\'')
        return ahead(in, 0) == '\'' ? cursor_u8(in) : c;
    int high = hex_digit(ahead(in, 1)), low = hex_digit(ahead(in, 2));
    if (ahead(in, 0) == 'x' && high >= 0 && low >= 0) {
        cursor_take(in, 3);
        return (uint8_t)(high << 4 | low);
    }
    return ahead(in, 0) ? escaped(cursor_u8(in)) : c;
}

/* One word to `out`, where `used` bytes stand already. A quote may open anywhere in a word, but closes it. */
static bool split_word(struct cursor *in, uint8_t *out, size_t *used)
{
    for (uint8_t quote = 0;;) {
        uint8_t c = ahead(in, 0);
        if (!quote && ends_word(c))
            return true;
        if (!c)
            return false;
        if (!quote && (c == '"' || c == '\'')) {
            quote = cursor_u8(in);
        } else if (quote && c == quote) {
            cursor_take(in, 1);
            return !ahead(in, 0) || is_space(ahead(in, 0));
        } else {
            /* Never overtakes the reading: each byte out costs one or more in. So `out` may be the line itself. */
            out[(*used)++] = quote ? quoted_byte(in, quote) : cursor_u8(in);
        }
    }
}

int conf_split(struct bytes line, uint8_t *scratch, struct bytes *words, size_t cap)
{
    struct cursor in = cursor_over(line);
    size_t used = 0, count = 0;
    for (;;) {
        while (is_space(ahead(&in, 0)))
            cursor_take(&in, 1);
        if (!ahead(&in, 0))
            return (int)count;
        if (count == cap)
            return CONF_SPLIT_TOO_MANY;
        size_t from = used;
        if (!split_word(&in, scratch, &used))
            return CONF_SPLIT_UNBALANCED;
        words[count++] = (struct bytes){scratch + from, used - from};
    }
}
