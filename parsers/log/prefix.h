/* The prefix that servers put before a message, by any version and log format. Forms: docs/formats/log.md. */
#ifndef RCF_LOG_PREFIX_H
#define RCF_LOG_PREFIX_H

#include "parsers/log/shape.h"
#include "parsers/log/time.h"

enum { LOG_PREFIX_KEPT = 48 };

struct log_prefix {
    uint32_t pid;
    char role;                /* 'X' sentinel, 'C' child, 'S' replica, 'M' primary; 0 when unknown */
    char level;               /* '.', '-', '*', '#'; 0 when unknown */
    bool from_signal_handler; /* its time is Unix time, whatever the other lines have */
    struct log_time time;
    struct bytes message; /* what stands behind the prefix */
};

/* Reads the prefix at the start of `text` (a line without its LF). False leaves `prefix` as it is. */
bool log_prefix_read(struct bytes text, struct log_prefix *prefix);

/* The prefix of a shape that was read last. Lines of the same second differ from it in level and milliseconds only: a
 * storm of events has hundreds of them. Zeroed memory: none. */
struct log_prefix_latest {
    uint8_t text[LOG_PREFIX_KEPT];
    size_t len;
    struct log_prefix prefix;
};

/* log_prefix_read() for a line of a known shape, quicker within the second of the latest one. */
bool log_prefix_read_shaped(struct log_prefix_latest *latest, struct bytes text, const struct log_shaped *shaped,
                            struct log_prefix *prefix);

/* The same for a prefix that begins anywhere in the first bytes of the text, behind what somebody has put before it;
 * `before` is how much that is. */
bool log_prefix_find(struct bytes text, struct log_prefix *prefix, size_t *before);

#endif
