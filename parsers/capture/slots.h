/* CLUSTER SLOTS: which nodes serve which range, the primary first.
 *
 *   start, end, { address, port [, id] [, { name, value }... ] }...
 *
 * Ids are there from Redis 3.2 on, the metadata of a node ("ip", "hostname", "availability-zone") from 7.0 on. Servers
 * leave out failed replicas, primaries without slots and their replicas, epochs, and who answers.
 */
#ifndef RCF_CAPTURE_SLOTS_H
#define RCF_CAPTURE_SLOTS_H

#include "parsers/capture/reply.h"
#include "parsers/nodesconf/nodesconf.h"

struct slots_reader;

/* A node that serves a range. Texts point into the evidence. */
struct slots_item {
    struct slot_range range;
    bool first;            /* the primary: the first node behind the range */
    struct bytes ip;       /* as the first element gives it: an address, or a host name; empty when unknown */
    struct bytes id;       /* 40 digits, or empty */
    struct bytes hostname; /* of the metadata; empty when there is none */
    uint16_t port;
    struct place place; /* from the address to the id */
};

/* A reader over the whole text of a capture, in any form of parsers/capture/reply.h. The text stays the caller's and
 * must outlive the reader. NULL without memory. */
struct slots_reader *slots_open(struct bytes text);

/* The next step; see parsers/parse.h. Never PARSE_STOP. Damage codes: enum capture_defect. */
enum parse_step slots_next(struct slots_reader *reader, struct slots_item *item);

/* The damage of the latest PARSE_DAMAGE step. Borrowed until the next call. */
const struct damage *slots_damage(const struct slots_reader *reader);

void slots_close(struct slots_reader *reader);

/* How much the head of a text looks like this reply, 0 to 100. */
unsigned slots_likeness(struct bytes head);

#endif
