/* A view: what one nodes.conf, one captured reply or one output of the tools says about the cluster.
 *
 * Thousands of views mostly repeat each other, so what a line says about a node is stored once (`struct entry`,
 * interned in the view store) and a view is a list of sightings: an entry, with the times and the place of the line.
 * Two lines give the same entry exactly when they state the same facts, times, link and `myself` aside.
 */
#ifndef RCF_VIEW_H
#define RCF_VIEW_H

#include <stdbool.h>

#include "parsers/bytes/source.h"
#include "parsers/memory/arena.h"
#include "parsers/nodesconf/nodesconf.h"

enum { NO_NODE = UINT32_MAX };

struct mark {
    uint16_t slot;
    enum slot_mark kind;
    uint32_t peer; /* node number */
};

struct entry {
    uint32_t number;   /* of the entry: dense, from 0 */
    uint32_t node;     /* number of the node id in the store */
    const char *ip;    /* "" when unknown; as written */
    const char *hostname, *shard_id, *nodename; /* "" when absent */
    uint16_t port, bus_port, tls_port;
    unsigned flags;    /* enum nodesconf_flag without NODE_MYSELF */
    uint32_t primary;  /* node number, or NO_NODE */
    uint64_t config_epoch;
    const struct slot_range *ranges; /* ascending, joined, without overlap */
    uint32_t range_count;
    uint32_t slot_count;
    const struct mark *marks;
    uint32_t mark_count;
    uint32_t stance; /* dense, from 0; see "Stance" below */
};

/* Stance: equal for two entries exactly when a comparison of views sees no difference between them. It covers the node,
 * the ip in one spelling (IPv6 as inet_ntop() writes it, other text in lower case), the bus port (port + 10000 where it
 * is not written), the hostname, the flags, the primary, the slots, and the config epoch of everything but replicas.
 * It leaves out what differs between healthy views: ping, pong, link, `myself`, the client port, aux fields, the epoch
 * of replicas, and the marks of open slots, which only an own line has. */

/* One line about one node. */
struct sighting {
    const struct entry *entry;
    int64_t ping_ms, pong_ms;
    uint64_t offset;
    uint32_t length, line;
    uint8_t link; /* enum nodesconf_link */
    bool myself;
};

/* Where a view comes from. */
enum view_source {
    VIEW_NODESCONF,
    VIEW_CLUSTER_NODES,
    VIEW_CLUSTER_SHARDS,
    VIEW_CLUSTER_SLOTS,
    VIEW_TOOL, /* the check of redis-trib.rb or --cluster: each node's own line, of the nodes that were reached */
    VIEW_SOURCES
};

/* What a source never says, so that its silence about it states nothing. */
enum view_limit {
    VIEW_NO_EPOCHS = 1 << 0,
    VIEW_NO_TIMES = 1 << 1,   /* no ping, pong, link */
    VIEW_SOME_NODES = 1 << 2, /* nodes are left out by rule: failed ones, those without slots, those not reached */
    VIEW_SOME_SLOTS = 1 << 3, /* slots are left out with the nodes */
    VIEW_NO_FLAGS = 1 << 4,   /* beside the role, and FAIL where the source shows it */
    VIEW_NO_BUS = 1 << 5,     /* no port of the cluster bus */
};

struct view_defect {
    unsigned code; /* enum nodesconf_defect; of other sources NODESCONF_DEFECTS + enum capture_defect */
    struct place place;
    const char *expected, *found;
};

/* Where a view's sighting of a node stands: open addressing, `node` NO_NODE is free. */
struct view_slot {
    uint32_t node, sighting;
};

/* A file may repeat one defect without end: so many of each code are kept, all are counted. */
enum { VIEW_DEFECTS_KEPT = 1000 };

struct view {
    size_t file; /* number of the evidence file */
    enum view_source source;
    unsigned limits; /* enum view_limit */
    bool capture;    /* no nodes.conf: no vars, PFAIL and handshakes visible */
    bool placed_own; /* its own line was found by the address that the file's place states, not by its content */
    bool outdated;   /* the tool went on to change what it had shown */
    struct sighting *sightings; /* in the order of the file */
    size_t count;
    size_t myself; /* number of the first own line, or SIZE_MAX */
    size_t myself_count;
    bool has_vars, has_current_epoch, has_last_vote_epoch;
    uint64_t current_epoch, last_vote_epoch;
    struct place vars;
    int64_t newest_pong_ms; /* 0 when there is none: the view was saved at this moment or later. From 4.0 on a pong of
                             * whole seconds came by gossip. Times after the year 2200 are not believed. */
    uint64_t padding;       /* LF and NUL bytes beside lines */
    bool any_bus_port, any_hostname, any_aux, any_client_address, any_client_port;
    const struct view_defect *defects; /* the first VIEW_DEFECTS_KEPT of each code, in the order of the file */
    size_t defect_count;
    uint64_t defect_total;
    const struct view_slot *index; /* for view_find() */
    size_t index_mask;
};

struct view_store;

/* Empty store; all entries and strings live in `arena`. NULL without memory. */
struct view_store *view_store_new(struct arena *arena);

/* The number of a node id, given one when new; NO_NODE without memory. */
uint32_t view_store_node(struct view_store *store, struct bytes id);

/* The same without giving a new one: NO_NODE when the id is unknown. */
uint32_t view_store_find(const struct view_store *store, struct bytes id);

/* The id of a node number, NUL-terminated; "" for NO_NODE. */
const char *view_store_id(const struct view_store *store, uint32_t node);

size_t view_store_nodes(const struct view_store *store);
size_t view_store_entries(const struct view_store *store);

/* The arena that the store was made in. */
struct arena *view_store_arena(const struct view_store *store);

/* The interned entry that equals `draft` (number, stance and slot_count are ignored; texts and arrays are copied when
 * it is new; no text may be NULL, ranges must be ascending, joined and without overlap). NULL without memory. */
const struct entry *view_store_intern(struct view_store *store, const struct entry *draft);

/* Reads a view from text, which is not needed afterwards. NULL without memory only. */
struct view *view_read(struct view_store *store, struct bytes text, bool capture, size_t file);

/* The same of any source. Where a reply of CLUSTER SLOTS has no ids (Redis 3.0), a node's "ip:port" stands for its id.
 * Nodes that a tool only plans are none. */
struct view *view_read_as(struct view_store *store, enum view_source source, struct bytes text, size_t file);

/* Makes the only sighting at this address the view's own line; `port` 0 is any. False when there is none or several. */
bool view_set_own(struct view *view, struct bytes ip, uint16_t port);

/* "nodes.conf", "CLUSTER SHARDS", ... */
const char *view_source_name(enum view_source source);

/* What the view never says, in words, "" when nothing; static. */
const char *view_limits_text(const struct view *view);

/* Builds the index behind view_find() anew, after sightings were added or dropped. False without memory. */
bool view_index(struct view *view, struct arena *arena);

/* The sighting of a node in a view, the first when the file has several; NULL when the view does not list it. */
const struct sighting *view_find(const struct view *view, uint32_t node);

/* The view's own sighting, or NULL. */
const struct sighting *view_own(const struct view *view);

#endif
