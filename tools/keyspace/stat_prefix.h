/* Prefixes of key names.
 *
 * A prefix is the first words of a name with their separators: with depth 2, "user:42:cart" is counted under "user:*:".
 * Names are cut behind ':' '/' '.' and '|', and where none of these is, behind '-' and '_'. A hash tag in braces is a
 * word of its own in which nothing is cut. What is likely to differ from key to key is made one: a run of digits is
 * '*', and so is a word of eight or more hexadecimal digits with a decimal one among them. A name without a separator
 * in its first 256 bytes, or whose first word makes more than PREFIX_LONGEST bytes, has no prefix.
 */
#ifndef RCF_STAT_PREFIX_H
#define RCF_STAT_PREFIX_H

#include "tools/keyspace/sum_table.h"

enum {
    PREFIX_LONGEST = SUM_NAME_LONGEST,
    PREFIX_ROOM = PREFIX_LONGEST + 2,
    PREFIX_DEEPEST = 8,
    PREFIX_TOLD = 65536, /* different prefixes of a dump that are told apart, the first ones */
    PREFIX_KEPT = 4096,  /* of a dump when it has been read, those with most bytes */
};

/* The prefix of a name, at most `depth` words (1 to PREFIX_DEEPEST), into `room`; borrowed from it. */
struct bytes prefix_of(struct bytes name, unsigned depth, uint8_t room[PREFIX_ROOM]);

/* The same for names one after the other, most of which begin like the one before. Zeros to begin with; the prefix is
 * borrowed until the next call. */
struct prefix_memory {
    size_t settled, len;
    uint8_t start[PREFIX_LONGEST], room[PREFIX_ROOM];
};
struct bytes prefix_next(struct prefix_memory *memory, struct bytes name, unsigned depth);

#endif
