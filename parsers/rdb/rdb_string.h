/* Private to parsers/rdb: lengths and strings, the two things that a dump is made of.
 *
 *     00xxxxxx            length in six bits
 *     01xxxxxx b          in fourteen, big-endian
 *     10000000 b b b b    in 32; 10000001 in 64, since version 8
 *     11xxxxxx            a string in an encoding: 0 to 2 integers of 1, 2 and 4 bytes, 3 LZF
 *
 * All of them return false when the reader has stopped.
 */
#ifndef RCF_RDB_STRING_H
#define RCF_RDB_STRING_H

#include "parsers/rdb/rdb_private.h"

enum {
    RDB_LENGTH_SHORT = 0x40,               /* below: the length itself */
    RDB_STRING_LARGEST = 512 * 1024 * 1024 /* what is decoded into memory; the servers' default for a string */
};

/* No server held so much: a length or count beyond it was never written by one. */
#define RDB_ABSURD (UINT64_C(1) << 40)

/* What is expected of a compressed string, for damages. */
extern const char rdb_string_sound[];

/* The encoding of a string key whose value is stored as an integer. */
extern const char rdb_integer_encoding[];

/* What stands before the bytes of a string. */
struct rdb_string_head {
    uint64_t offset; /* of the string, for what is said about it */
    uint64_t stored; /* bytes that follow; none of an integer, which has been read */
    uint64_t size;   /* LZF: bytes that they stand for; otherwise the same */
    bool integer;
    bool lzf;
    int64_t number;
};

/* Counts the string in reader->value. */
bool rdb_string_head(struct rdb *reader, struct rdb_string_head *head);

/* The bytes behind the head, expanded where they are compressed, into a run. *sound is false when they do not expand;
 * then the run is empty, and nothing has been reported. An integer gives an empty run. */
bool rdb_string_body(struct rdb *reader, const struct rdb_string_head *head, struct rdb_run *run, bool *sound);

/* Expands what stands in the run. */
bool rdb_string_expand(struct rdb *reader, const struct rdb_string_head *head, struct rdb_run *run, bool *sound);

/* The same as rdb_string_body() without the bytes: whether they expand. */
bool rdb_string_verify(struct rdb *reader, const struct rdb_string_head *head, struct rdb_run *run, bool *sound);

/* Past a string, whose compression is not looked at. */
bool rdb_string_skip(struct rdb *reader);

/* Past `n` bytes. */
bool rdb_skip(struct rdb *reader, uint64_t n);

/* The place of a string that has just been read. */
struct place rdb_string_place(const struct rdb *reader, const struct rdb_string_head *head);

/* The common case: fewer than 64 bytes as they are, all of them in the window. False, with nothing read, otherwise. */
static inline bool rdb_string_short(struct rdb *reader, struct bytes *bytes)
{
    struct cursor *cursor = &reader->window.cursor;
    size_t left = cursor_left(cursor);
    if (!left || *cursor->at >= RDB_LENGTH_SHORT || *cursor->at >= left)
        return false;
    uint8_t length = cursor_u8(cursor);
    *bytes = cursor_take(cursor, length);
    reader->value.strings++;
    reader->value.string_bytes += length;
    return true;
}

#endif
