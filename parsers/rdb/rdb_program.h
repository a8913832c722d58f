/* Private to parsers/rdb: what stands behind a type byte and its key, or behind an opcode, as a program of letters.
 *
 * One description for everybody: the stepper walks over the bytes, the walk over values gives them to the element that
 * they belong to, so the validator, the reader and the walk cannot disagree about where something ends. The letters:
 *
 *     #  a count, for the next ( ), which is walked so many times
 *     .  the element is complete
 *     e  length: how many entries a stream has
 *     l  length, u as well             1 4 8 R  so many bytes (R: 16)
 *     s  string                       o        0, or 1 and a length
 *
 * strings of an element:
 *     m  its name                     v        its value
 *     E  its expiry as Dragonfly writes it: text of seconds since February 2023, -1 for none
 * scores and times of an element:
 *     d  score, eight bytes           z        score as text, or 253 to 255
 *     x  expiry: length, 0 for none   y        the same, counted from the least of all, which is 1
 *     X  expiry: eight bytes, -1 for none
 *     w  the least expiry of all, eight bytes
 * collections in one string, arranged as the datatype says:
 *     L  listpack      Z  ziplist     I  intset     P  zipmap
 *     T  listpack of fields, values and expiries
 *     c  container of a list's node, 1 or 2; then q: one item, or a listpack of them
 * others:
 *     j  index of an array's element, then t: its tag and value
 *     i  a module's name and version, then M: its values, each behind an opcode, up to opcode 0
 *     H  a template of hashes: id, names of its fields
 *     h  id of a template, n: a template of the hash's own; both are counts for the next ( )
 *     k  listpack of a template's id and the values of its fields
 */
#ifndef RCF_RDB_PROGRAM_H
#define RCF_RDB_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

enum { RDB_DEEPEST = 4 }; /* nested loops */

/* Where a program stands. */
struct rdb_program {
    const char *at; /* the next letter */
    size_t depth;
    uint64_t count; /* for the next ( */
    struct {
        const char *body;
        uint64_t left;
    } loops[RDB_DEEPEST];
};

struct rdb;

enum { RDB_PROGRAM_END = 0, RDB_PROGRAM_STOP = '!' };

/* The next letter that is not # ( or ), which are carried out; RDB_PROGRAM_END behind the last; RDB_PROGRAM_STOP when a
 * count could not be read. */
char rdb_program_next(struct rdb *reader, struct rdb_program *program);

#endif
