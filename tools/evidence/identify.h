/* What a file is, by its content.
 *
 * Each recogniser says how much the first bytes look like its kind, from 0 (not) to 100 (certainly); the highest wins,
 * the first of equals. The name decides only between readings that the content leaves open, and where the content says
 * nothing at all although the name is one that a server gives: then that is said in `note`.
 */
#ifndef RCF_IDENTIFY_H
#define RCF_IDENTIFY_H

#include "parsers/bytes/text.h"
#include "tools/evidence/evidence.h"

struct identity {
    enum evidence_kind kind;
    bool temporary;   /* by its name: see evidence_file.temporary */
    bool by_name;     /* the content does not show it */
    const char *note; /* static, or NULL */
};

/* `head`: the first SOURCE_PEEK_MAX bytes of the decoded content, or all when there are fewer. `stem`: the file's name
 * without the ending of a compressed file. Node lines are given as EVIDENCE_NODESCONF; see identify_nodes(). */
struct identity identify(struct bytes head, struct bytes stem);

/* EVIDENCE_NODESCONF or EVIDENCE_CLUSTER_NODES, for the whole text of node lines: a saved file has a line of variables,
 * or shows that it is one where that line has been lost. */
enum evidence_kind identify_nodes(struct bytes text, struct bytes stem);

/* What a primary sends before a dump: "$EOF:" and 40 bytes, or "$" and the length of the dump. */
bool identify_is_stream(struct bytes head);

/* How much a text looks like the output of a kind that has no reader of its own: CLUSTER INFO, CLUSTER SLOTS, CLUSTER
 * SHARDS, INFO, redis-trib.rb, redis-cli --cluster, sha256sum, host tables, ACL files. */
enum evidence_kind identify_output(struct bytes head, unsigned *score);

#endif
