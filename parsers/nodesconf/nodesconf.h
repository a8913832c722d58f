/* nodes.conf and the output of CLUSTER NODES: one line a node, and in the file a line of variables.
 *
 * Grammar, by server generation, and what servers do with lines that break it: docs/formats/nodes-conf.md. The reader
 * accepts every generation at once (Redis 3.0 to 8.x, Valkey 7.2 to 9.x); which server could load a file is not its
 * business. Each deviation is a DAMAGE step with a code from nodesconf_defects.def, and what can be read of the line is
 * still given as an ITEM after it.
 *
 * The facts of a cut file are the first facts of the whole one: a last line without its line feed may have lost the end
 * of a number or of a name, so it is LINE_UNENDED and nothing else. Only the length of a run of padding may be shorter.
 */
#ifndef RCF_NODESCONF_H
#define RCF_NODESCONF_H

#include <stdbool.h>

#include "parsers/parse.h"

struct nodesconf;

enum nodesconf_flag {
    NODE_MYSELF = 1 << 0,
    NODE_PRIMARY = 1 << 1, /* "master", and "primary" as Valkey 8+ accepts it */
    NODE_REPLICA = 1 << 2, /* "slave", "replica" */
    NODE_PFAIL = 1 << 3,   /* "fail?" */
    NODE_FAIL = 1 << 4,
    NODE_HANDSHAKE = 1 << 5,
    NODE_NOADDR = 1 << 6,
    NODE_NOFAILOVER = 1 << 7,
    NODE_NOFLAGS = 1 << 8,
};

enum nodesconf_link { LINK_UNKNOWN, LINK_CONNECTED, LINK_DISCONNECTED };

struct slot_range {
    uint16_t first, last;
};

enum slot_mark { SLOT_MIGRATING, SLOT_IMPORTING };

struct open_slot {
    uint16_t slot;
    enum slot_mark mark;
    struct bytes peer; /* node id as written */
};

/* One node line. Runs of bytes point into the evidence, or into the reader where a quoted word had to be decoded.
 * Ranges keep the order in which they are written; a slot that one line names twice is given once. */
struct nodesconf_node {
    struct bytes id;
    struct bytes ip;       /* empty when unknown */
    struct bytes hostname; /* empty when none */
    struct bytes shard_id; /* empty when none */
    struct bytes nodename; /* the human name of 7.2+, empty when none */
    uint16_t port, bus_port, tls_port; /* 0 when unknown */
    bool has_bus_port;                 /* "@cport" was written: Redis 4.0 or newer */
    bool has_aux;                      /* aux fields were written: Redis or Valkey 7.2 or newer */
    bool has_client_address;           /* client-ipv4, client-ipv6: Valkey 8.0 or newer */
    bool has_client_port;              /* client-tcp-port, client-tls-port: Valkey 9 */
    unsigned flags;                    /* enum nodesconf_flag */
    struct bytes flags_text;           /* as written */
    struct bytes primary;              /* id as written; empty for "-" */
    int64_t ping_ms, pong_ms;          /* Unix milliseconds, 0 when none */
    uint64_t config_epoch;
    enum nodesconf_link link;
    const struct slot_range *ranges;
    size_t range_count;
    const struct open_slot *open;
    size_t open_count;
};

struct nodesconf_vars {
    bool has_current, has_last_vote;
    uint64_t current_epoch, last_vote_epoch;
};

enum nodesconf_kind { NODESCONF_NODE, NODESCONF_VARS, NODESCONF_PADDING };

struct nodesconf_item {
    enum nodesconf_kind kind;
    struct place place;   /* the line without its LF */
    bool ended;           /* the LF was there */
    struct nodesconf_node node; /* NODESCONF_NODE */
    struct nodesconf_vars vars; /* NODESCONF_VARS */
    uint64_t padding;           /* NODESCONF_PADDING: how many LF or how many NUL bytes in a row */
    struct bytes before, behind; /* NODESCONF_NODE: see struct nodesconf_ahead; empty when the line is not plain */
};

/* A line that is to be read next, taken apart at the two words that differ at every save: the bytes up to its ping and
 * behind its pong. A plain line (its LF is there, no damage, no quotes, no blanks but spaces) that is the same around
 * its times as another plain line says the same but for them. */
struct nodesconf_ahead {
    struct place place;
    struct bytes before, behind;
    int64_t ping_ms, pong_ms;
};

enum nodesconf_defect {
#define NODESCONF_DEFECT(id, expected) NODESCONF_##id,
#include "parsers/nodesconf/nodesconf_defects.def"
#undef NODESCONF_DEFECT
    NODESCONF_DEFECTS
};

/* Where a text comes from, as far as it shows. */
enum nodesconf_origin {
    NODESCONF_UNCLEAR, /* node lines only: a capture, or a file cut before its vars line */
    NODESCONF_FILE,    /* has a vars line, a shard-id, which servers show to no client, or NUL bytes */
    NODESCONF_CAPTURE, /* has what only a reply or a terminal adds, or a handshake flag */
};

/* A reader over the whole text of a nodes.conf, which stays the caller's and must outlive the reader. NULL without
 * memory. */
struct nodesconf *nodesconf_open(struct bytes text);

/* The same over a capture of CLUSTER NODES. What a client or a terminal adds is no damage here: a prompt line, a RESP
 * header ($N, or =N with "txt:"), quotes around all, "\n" instead of line feeds, CRLF, blank lines, a missing last line
 * feed (the line is an item then, with `ended` false), the handshake flag. A RESP header or an opening quote shows
 * whether the capture is whole; where it is not, its last line is LINE_UNENDED as in a file. */
struct nodesconf *nodesconf_open_capture(struct bytes text);

/* Which of the two ways to read `text` it calls for. Reads all of it, but does not parse it. */
enum nodesconf_origin nodesconf_origin(struct bytes text);

/* The next step; see parsers/parse.h. For PARSE_DAMAGE, nodesconf_damage() has the details. Damage of a line comes
 * before the line's item; adjacent words with the same damage are one step. A line gives no item when its first word is
 * not 40 letters and digits and it has not both an address and a known flag either. PARSE_STOP only without memory. */
enum parse_step nodesconf_next(struct nodesconf *reader, struct nodesconf_item *item);

/* For those who read many files that repeat each other: shows the next line without reading it. False when the next
 * step belongs to the latest line, or when the next line has no LF, is too long, or has no valid numbers for times.
 * When another item of a reader opened the same way had the same `before` and `behind`, none of them empty, then
 * nodesconf_next() would give the same item but for times and place, and nodesconf_pass() may be called instead. */
bool nodesconf_peek(struct nodesconf *reader, struct nodesconf_ahead *ahead);

/* Goes past the line that nodesconf_peek() has just shown. */
void nodesconf_pass(struct nodesconf *reader);

/* The damage of the latest PARSE_DAMAGE step. Borrowed until the next call. */
const struct damage *nodesconf_damage(const struct nodesconf *reader);

/* Why reading stopped: NULL, or "no memory". */
const char *nodesconf_why(const struct nodesconf *reader);

void nodesconf_close(struct nodesconf *reader);

/* "nodesconf" text as far as its first lines show: a score from 0 (is not) to 100 (certainly), for recognition. */
unsigned nodesconf_likeness(struct bytes head);

#endif
