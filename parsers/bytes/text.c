#include "parsers/bytes/text.h"

#include <string.h>

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool text_is(struct bytes word, const char *string)
{
    return word.len == strlen(string) && (word.len == 0 || memcmp(word.at, string, word.len) == 0);
}

bool text_is_nocase(struct bytes word, const char *string)
{
    if (word.len != strlen(string))
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (lower(word.at[i]) != lower((uint8_t)string[i]))
            return false;
    return true;
}

bool text_starts(struct bytes word, const char *prefix)
{
    size_t len = strlen(prefix);
    return word.len >= len && (len == 0 || memcmp(word.at, prefix, len) == 0);
}

bool text_ends(struct bytes word, const char *suffix)
{
    size_t len = strlen(suffix);
    return word.len >= len && (len == 0 || memcmp(word.at + word.len - len, suffix, len) == 0);
}

bool text_find(struct bytes hay, const char *needle, size_t *at)
{
    const uint8_t *hit = hay.len ? memmem(hay.at, hay.len, needle, strlen(needle)) : NULL;
    if (!hit)
        return false;
    *at = (size_t)(hit - hay.at);
    return true;
}

struct bytes text_from(struct bytes word, size_t from)
{
    if (from > word.len)
        from = word.len;
    return (struct bytes){word.at + from, word.len - from};
}

static bool blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

struct bytes text_trim(struct bytes word)
{
    while (word.len && blank(word.at[0])) {
        word.at++;
        word.len--;
    }
    while (word.len && blank(word.at[word.len - 1]))
        word.len--;
    return word;
}

static bool split_at(struct bytes word, const uint8_t *hit, struct bytes *head, struct bytes *tail)
{
    if (!hit) {
        *head = word;
        *tail = (struct bytes){word.at + word.len, 0};
        return false;
    }
    size_t n = (size_t)(hit - word.at);
    *head = (struct bytes){word.at, n};
    *tail = (struct bytes){hit + 1, word.len - n - 1};
    return true;
}

bool text_split(struct bytes word, uint8_t mark, struct bytes *head, struct bytes *tail)
{
    return split_at(word, word.len ? memchr(word.at, mark, word.len) : NULL, head, tail);
}

bool text_split_last(struct bytes word, uint8_t mark, struct bytes *head, struct bytes *tail)
{
    return split_at(word, word.len ? memrchr(word.at, mark, word.len) : NULL, head, tail);
}

bool text_u64(struct bytes word, uint64_t *value)
{
    uint64_t sum = 0;
    if (!word.len)
        return false;
    for (size_t i = 0; i < word.len; i++) {
        uint8_t digit = (uint8_t)(word.at[i] - '0');
        if (digit > 9 || __builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum))
            return false;
    }
    *value = sum;
    return true;
}

bool text_i64(struct bytes word, int64_t *value)
{
    bool minus = word.len && word.at[0] == '-';
    uint64_t size;
    if (!text_u64(text_from(word, minus), &size) || size > (uint64_t)INT64_MAX + minus)
        return false;
    *value = minus ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

bool text_is_node_id(struct bytes word)
{
    if (word.len != 40)
        return false;
    for (size_t i = 0; i < 40; i++)
        if (!((word.at[i] >= '0' && word.at[i] <= '9') || (word.at[i] >= 'a' && word.at[i] <= 'f')))
            return false;
    return true;
}
