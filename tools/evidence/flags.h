/* The flags of a node in words. */
#ifndef RCF_FLAGS_H
#define RCF_FLAGS_H

#include <stdbool.h>

#include "parsers/memory/arena.h"
#include "parsers/nodesconf/nodesconf.h"

/* "master,fail?": the words of nodes.conf, in its order, joined by commas; with `ours`, primary and replica instead of
 * master and slave. NODE_MYSELF is no part of it. "" without flags; NULL without memory. */
char *flags_text(unsigned flags, bool ours, struct arena *arena);

#endif
