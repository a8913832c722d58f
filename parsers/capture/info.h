/* INFO and CLUSTER INFO: sections and lines of the form name:value.
 *
 * What the names mean is said where they are used. Values of some lines are lists of name=value, such as
 * "slave0:ip=127.0.0.7,port=8001,state=online,offset=14,lag=1" and "db0:keys=3,expires=0,avg_ttl=0".
 */
#ifndef RCF_CAPTURE_INFO_H
#define RCF_CAPTURE_INFO_H

#include "parsers/capture/capture.h"

struct info_reader;

enum info_kind { INFO_SECTION, INFO_FIELD };

struct info_item {
    enum info_kind kind;
    struct bytes name;  /* of the section, or of the field */
    struct bytes value; /* INFO_FIELD */
    struct place place; /* of the line */
};

/* A reader over the whole text of a capture, which stays the caller's and must outlive it. NULL without memory. */
struct info_reader *info_open(struct bytes text);

/* The next step; see parsers/parse.h. Never PARSE_STOP. Damage codes: enum capture_defect. The last line of a capture
 * that has lost its end is damage and no item. */
enum parse_step info_next(struct info_reader *reader, struct info_item *item);

/* The damage of the latest PARSE_DAMAGE step. Borrowed until the next call. */
const struct damage *info_damage(const struct info_reader *reader);

void info_close(struct info_reader *reader);

/* The value of `name` in a list "name=value,name=value"; false when it is not there. */
bool info_part(struct bytes list, const char *name, struct bytes *value);

#endif
