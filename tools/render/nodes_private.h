/* What the tables and the text of a nodes.conf share. */
#ifndef RCF_RENDER_NODES_PRIVATE_H
#define RCF_RENDER_NODES_PRIVATE_H

#include "tools/render/nodes.h"

/* The columns of nodes_node_record, which the text adapts. */
enum { NODE_FILE, NODE_LINE, NODE_ID, NODE_ADDRESS, NODE_IP, NODE_PORT, NODE_BUS_PORT, NODE_TLS_PORT, NODE_HOSTNAME,
       NODE_NODENAME, NODE_SHARD_ID, NODE_FLAGS, NODE_ROLE, NODE_PRIMARY_ID, NODE_EPOCH, NODE_LINK, NODE_PING,
       NODE_PONG, NODE_SLOT_COUNT, NODE_SLOTS, NODE_OPEN, NODE_COLUMNS };

/* "127.0.0.6:7000"; the TLS port where there is no other. */
const char *nodes_address(struct arena *arena, const struct entry *entry);

/* Different slots on all lines. */
unsigned nodes_slots(const struct view *view);

#endif
