/* Private to parsers/rdb: words of a collection as users tell them apart, however they are stored.
 *
 * To be included before anything else: it has xxhash inlined, which is what short words need.
 */
#ifndef RCF_RDB_WORD_H
#define RCF_RDB_WORD_H

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "parsers/rdb/packed.h"

enum { RDB_NUMBER_TEXT = 20 }; /* characters of the longest int64 */

/* The number whose decimal text this is, as a server would write it. */
static inline bool rdb_word_number(struct bytes text, int64_t *number)
{
    struct cursor cursor = cursor_over(text);
    if (!text.len || text.len > RDB_NUMBER_TEXT || *text.at > '9')
        return false;
    bool negative = *text.at == '-';
    if (negative)
        cursor_take(&cursor, 1);
    if (!cursor_left(&cursor) || (*cursor.at == '0' && text.len > 1))
        return false;
    uint64_t value = 0;
    while (cursor_left(&cursor)) {
        unsigned digit = (unsigned)cursor_u8(&cursor) - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10u, &value) || __builtin_add_overflow(value, digit, &value))
            return false;
    }
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    *number = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

/* A word whose text is that of a number is that number. */
static inline struct rdb_scalar rdb_word_plain(struct rdb_scalar word)
{
    if (!word.integer && rdb_word_number(word.text, &word.number))
        return (struct rdb_scalar){.integer = true, .number = word.number};
    return word;
}

/* Equal for words that users cannot tell apart. */
static inline XXH128_hash_t rdb_word_hash(const struct rdb_scalar *word)
{
    enum { INTEGERS = 1 };
    struct rdb_scalar plain = rdb_word_plain(*word);
    if (!plain.integer)
        return XXH3_128bits(plain.text.at, plain.text.len);
    uint8_t raw[8];
    for (size_t i = 0; i < sizeof(raw); i++)
        raw[i] = (uint8_t)((uint64_t)plain.number >> (8 * i));
    return XXH3_128bits_withSeed(raw, sizeof(raw), INTEGERS);
}

#endif
