/* A nested reply, as clients print it, as a flat row of values: the readers of CLUSTER SLOTS and CLUSTER SHARDS are
 * built on it, since what a value means follows from the values before it in every form.
 *
 *   numbered   1) 1) (integer) 0        on a terminal, or with --no-raw; maps of RESP3 as 1# "slots" => ...
 *   raw        0                        into a pipe, or with --raw: a value a line, an empty array as an empty line
 *   json       [[0,5460,[...]]]         --json, --quoted-json (redis-cli 7.0 on); and --csv, without brackets
 *   resp       *3 CR LF :0 CR LF        from the connection itself
 */
#ifndef RCF_REPLY_H
#define RCF_REPLY_H

#include "parsers/capture/capture.h"

struct reply;

enum reply_form { REPLY_RAW, REPLY_NUMBERED, REPLY_JSON, REPLY_RESP };

enum reply_kind {
    REPLY_LINE,    /* of the raw form, which does not show what it is */
    REPLY_STRING,  /* without its quotes, escapes as they are written */
    REPLY_INTEGER,
    REPLY_NIL,
    REPLY_EMPTY, /* an empty array or map */
};

struct reply_item {
    enum reply_kind kind;
    struct bytes text; /* points into the evidence: stays valid as long as that does */
    struct place place;
};

/* A reader over the whole text of a capture, which stays the caller's and must outlive it. NULL without memory. */
struct reply *reply_open(struct bytes text);

/* The next step; see parsers/parse.h. Never PARSE_STOP. Damage codes: enum capture_defect. */
enum parse_step reply_next(struct reply *reader, struct reply_item *item);

/* The damage of the latest PARSE_DAMAGE step. Borrowed until the next call. */
const struct damage *reply_damage(const struct reply *reader);

enum reply_form reply_form(const struct reply *reader);

/* The value is a decimal number, as far as the form shows. */
bool reply_number(const struct reply_item *item, uint64_t *value);

void reply_close(struct reply *reader);

#endif
