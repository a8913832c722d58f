/* redis.conf, valkey.conf: one directive a line, words with quotes, as servers split them.
 *
 * Rules and their sources: docs/formats/conf.md. The reader does not know directives; includes are not followed.
 */
#ifndef RCF_CONF_H
#define RCF_CONF_H

#include <stdbool.h>

#include "parsers/parse.h"

struct conf;

/* Words in one line, its name included. Servers have no limit; the longest lines they write (users, ACL rules) stay far
 * below. */
enum { CONF_WORDS = 1024 };

struct conf_directive {
    struct place place;        /* the line without its LF */
    struct bytes name;         /* as written, quotes resolved; servers ignore the case of its letters */
    const struct bytes *words; /* the arguments, quotes and escapes resolved */
    size_t word_count;
};

enum conf_defect {
    CONF_UNBALANCED_QUOTES, /* no directive can be read of the line */
    CONF_BYTE_ORDER_MARK,   /* at the start; read over, though servers refuse the file */
    CONF_NUL,               /* servers lose the bytes after it; the directive that is left to them follows */
    CONF_TOO_MANY_WORDS,    /* more than CONF_WORDS; the line is left out */
};

/* A reader over the whole text, which stays the caller's and must outlive it. NULL without memory. The caller ends it
 * with conf_close(). */
struct conf *conf_open(struct bytes text);

/* The next step; see parsers/parse.h. Comments and blank lines are passed over. Never PARSE_STOP. */
enum parse_step conf_next(struct conf *reader, struct conf_directive *directive);

/* The damage of the latest PARSE_DAMAGE step (codes: enum conf_defect). Borrowed until the next call. */
const struct damage *conf_damage(const struct conf *reader);

/* Why reading stopped: always NULL, for this reader does not stop. */
const char *conf_why(const struct conf *reader);

/* Ends the reader. NULL is allowed. */
void conf_close(struct conf *reader);

enum { CONF_SPLIT_UNBALANCED = -1, CONF_SPLIT_TOO_MANY = -2 };

/* Splits one line into words as sdssplitargs() does (also used for AOF manifests): quotes, \n \r \t \b \a \xHH in
 * double quotes, \' in single quotes. As in a C string, a NUL ends the line. Words live in `scratch`, which must hold
 * as many bytes as the line and may be the line's own memory. Returns the number of words, at most `cap`, or
 * CONF_SPLIT_UNBALANCED or CONF_SPLIT_TOO_MANY. */
int conf_split(struct bytes line, uint8_t *scratch, struct bytes *words, size_t cap);

/* How much the head of a text looks like the configuration of a server or a sentinel, 0 to 100. A template in which
 * everything is commented out scores too. */
unsigned conf_likeness(struct bytes head);

/* A configuration of a sentinel: some line is a `sentinel` directive, which servers of data refuse. */
bool conf_is_sentinel(struct bytes text);

#endif
