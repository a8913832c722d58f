/* What the tables and the text of a nodes.conf share. */
#ifndef RCF_RENDER_NODES_PRIVATE_H
#define RCF_RENDER_NODES_PRIVATE_H

#include "tools/render/nodes.h"

/* Columns of nodes_node_record that the text adapts. */
enum { NODES_COLUMNS = 21, NODES_COLUMN_ID = 2, NODES_COLUMN_HOSTNAME = 8, NODES_COLUMN_PRIMARY = 13 };

/* "127.0.0.6:7000"; the TLS port where there is no other. */
const char *nodes_address(struct arena *arena, const struct entry *entry);

/* Different slots on all lines. */
unsigned nodes_slots(const struct view *view);

#endif
