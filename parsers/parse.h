/* The contract that every reader in parsers/ keeps.
 *
 * A reader is pulled: x_open() takes a source, x_next() gives one step at a time, x_why() says in words
 * why reading stopped, x_close() ends it. A step is one of four:
 *
 *   PARSE_ITEM    one fact; what it points to is borrowed until the next call
 *   PARSE_DAMAGE  the bytes at a place do not say what the format demands; reading goes on
 *   PARSE_END     the evidence ended where it may end
 *   PARSE_STOP    nothing after this place can be read safely; x_why() has the cause
 *
 * Readers never print, exit, judge, or read the clock or the environment. A count or a length that stands in
 * the evidence is a claim: it is compared with what is left before anything is allocated or looped over.
 */
#ifndef RCF_PARSE_H
#define RCF_PARSE_H

#include <stddef.h>
#include <stdint.h>

enum parse_step { PARSE_ITEM, PARSE_DAMAGE, PARSE_END, PARSE_STOP };

/* A borrowed run of bytes. Never NUL-terminated by promise; may hold any byte. */
struct bytes {
    const uint8_t *at;
    size_t len;
};

/* Where in a file a fact stands. Offsets count decoded bytes: for a .gz, .lz4 or .zst file, those of its content. */
struct place {
    uint64_t offset;
    uint64_t length;
    uint32_t line; /* from 1; 0 in binary formats */
};

/* What was expected and what was found instead. The texts are static or borrowed until the next call. */
struct damage {
    struct place place;
    unsigned code;        /* the format's own enum of defects */
    const char *expected; /* "40 hexadecimal digits", ... */
    const char *found;    /* in words, without evidence bytes */
    uint64_t resumed;     /* offset at which reading went on */
};

#endif
