/* Private to parsers/rdb: templates of hashes (Redis 8.10), names of fields that many hashes share.
 *
 *     opcode 242       id, count, names                        the template
 *     type 30          listpack of id and values               a hash that refers to it
 *     type 32          id, values
 *     types 29 and 31  bring their own names: 0 and a listpack of them, or 1, a count and strings
 *
 * A reader keeps the templates of its dump, so a part of a dump cannot be read without what stands before it.
 */
#ifndef RCF_RDB_TEMPLATE_H
#define RCF_RDB_TEMPLATE_H

#include "parsers/rdb/packed.h"
#include "parsers/rdb/rdb_program.h"

struct rdb_templates; /* of a reader */

struct rdb_template {
    uint64_t id;
    size_t count;
    struct bytes *names;
};

void rdb_templates_free(struct rdb_templates *templates);

/* The template of that id, or NULL. */
const struct rdb_template *rdb_template_find(const struct rdb *reader, uint64_t id);

/* The next three read from the window and return false when the reader has stopped. */

/* Behind opcode 242: keeps the template; an id that is there already, no names at all, or names out of order are
 * damage. */
bool rdb_template_define(struct rdb *reader);

/* An id, of a template whose fields become program->count; without it there is no way past the value. */
bool rdb_template_refer(struct rdb *reader, struct rdb_program *program);

/* The hash's own names; their number becomes program->count. */
bool rdb_template_own(struct rdb *reader, struct rdb_program *program);

/* What the last of the two has read. */
const struct rdb_template *rdb_template_current(const struct rdb *reader);

#endif
