/* CLUSTER SHARDS (Redis 7.0 on, Valkey): shards with their slots and their nodes.
 *
 *   "slots", { start, end }..., "nodes", { name, value }..., and from Valkey 9 on the shard's own "id"
 *
 * The names of a node begin with "id" and end with "health" or "availability-zone"; which of them are there depends on
 * the version and on TLS. Servers say FAIL as health "fail", but no suspicion, no epoch, and not who answers.
 */
#ifndef RCF_CAPTURE_SHARDS_H
#define RCF_CAPTURE_SHARDS_H

#include "parsers/capture/reply.h"
#include "parsers/nodesconf/nodesconf.h"

struct shards_reader;

enum shards_role { SHARDS_ROLE_UNKNOWN, SHARDS_PRIMARY, SHARDS_REPLICA };
enum shards_health { SHARDS_HEALTH_UNKNOWN, SHARDS_ONLINE, SHARDS_LOADING, SHARDS_FAIL };

/* A node of a shard. Texts point into the evidence; empty when they are not there. */
struct shards_item {
    size_t shard; /* from 0 */
    const struct slot_range *ranges; /* of the shard, borrowed until the next call */
    size_t range_count;
    struct bytes id, ip, endpoint, hostname;
    uint16_t port, tls_port;
    enum shards_role role;
    enum shards_health health;
    bool has_offset;
    uint64_t offset;    /* of replication */
    struct place place; /* of the id */
};

/* A reader over the whole text of a capture, in any form of parsers/capture/reply.h. The text stays the caller's and
 * must outlive the reader. NULL without memory. */
struct shards_reader *shards_open(struct bytes text);

/* The next step; see parsers/parse.h. Never PARSE_STOP. Damage codes: enum capture_defect; damage of a
 * node comes before it. A node without an id is no item. */
enum parse_step shards_next(struct shards_reader *reader, struct shards_item *item);

/* The damage of the latest PARSE_DAMAGE step. Borrowed until the next call. */
const struct damage *shards_damage(const struct shards_reader *reader);

void shards_close(struct shards_reader *reader);

/* How much the head of a text looks like this reply, 0 to 100. */
unsigned shards_likeness(struct bytes head);

#endif
