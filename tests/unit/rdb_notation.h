/* Values of dumps in a notation that tests can read, in both directions.
 *
 * A body is words with blanks between them:
 *     text, "" (none)   a string               12 as a string: '12
 *     #3                a length               int:5             an integer as string, of one byte
 *     d:1.5             a double               e:-1              eight bytes
 *     x:00ff            bytes                  z:1.5             a score as text; nan, inf, -inf as their own lengths
 *     [1 a ""]          a listpack; (1 a) a ziplist; <1 2> an intset; {a 1} a zipmap: each in a string
 *     ~ before a string or a blob: the same compressed
 *
 * What a reader gives becomes one line: "a=1; b=2@1700; !duplicate-element".
 */
#ifndef RCF_RDB_NOTATION_H
#define RCF_RDB_NOTATION_H

#include "parsers/rdb/value.h"
#include "tests/unit/rdb_build.h"

enum { RDB_TRANSCRIPT = 4096 };

/* Appends the body. */
void rdb_notation_build(struct rdb_build *build, const char *body);

struct rdb_transcript {
    char text[RDB_TRANSCRIPT]; /* of the first key; cut when it is longer */
    enum parse_step last;
    size_t damages, said;
    struct rdb_key key; /* as rdb_value_key() gives it; its name is gone */
};

/* Pulls the elements of the first key of a dump, and reads to the end of the dump. */
struct rdb_transcript rdb_notation_read(const struct rdb_build *dump, size_t window);

#endif
