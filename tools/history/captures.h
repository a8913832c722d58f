/* The captures of one instance, oldest first, and since when each shows what it shows. */
#ifndef RCF_CAPTURES_H
#define RCF_CAPTURES_H

#include "tools/history/history.h"

struct capture {
    const struct view *view;
    int64_t ms; /* it was saved at this moment or later: the newest pong of a node that it lists, or, when it has
                 * heard of none, the ctime of the dump that was collected with it; 0 when neither says */
    uint64_t lines; /* of the log that was collected with it, 0 when there is none */
};

/* All of them in `arena`; views that leave facts out or that an interrupted save has left are none. Where each was collected
 * with a log, and all these logs are beginnings of one, their lengths are the order; else times are, then paths. NULL
 * without memory. */
struct capture *captures_of(const struct evidence *evidence, size_t instance, struct arena *arena, size_t *count);

/* The moment at which a server loaded the nodes.conf from which its view comes, by its own line: ms since 1970, 0 when it
 * does not say. A server sets all pongs that it loads to that moment, and its own stays until gossip brings another, which
 * has whole seconds. */
int64_t capture_loaded_ms(const struct view *view);

#endif
