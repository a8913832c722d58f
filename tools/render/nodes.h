/* One nodes.conf or captured table of nodes for people and for programs: its nodes, its conditions, and which servers
 * would start on it. */
#ifndef RCF_RENDER_NODES_H
#define RCF_RENDER_NODES_H

#include "parsers/bytes/source.h"
#include "tools/cluster/startup.h"
#include "tools/evidence/evidence.h"
#include "tools/render/table.h"

struct nodes_file {
    const char *path; /* as named */
    enum evidence_kind kind;
    struct source_facts facts;
    const struct view *view;
    const struct view_store *store; /* of the view */
    const struct startup *startup;  /* NULL for a capture */
    bool damaged;
    struct arena *arena; /* for texts of the output; they live until it ends */
};

extern const struct record_type nodes_node_record, nodes_file_record, nodes_condition_record, nodes_startup_record;

/* The rows of one file. A capture has defects without a word of condition, and no verdicts. */
void nodes_node_rows(struct table *table, const struct nodes_file *file);
void nodes_condition_rows(struct table *table, const struct nodes_file *file);
void nodes_startup_rows(struct table *table, const struct nodes_file *file);

/* The row of a file; and, in JSON, the same with the other tables within it. */
void nodes_file_row(struct table *table, const struct nodes_file *file);
void nodes_all_row(struct table *table, const struct nodes_file *file);

/* The whole file as text. `verbose`: ids in full length, every condition. */
void nodes_text(struct out *out, const struct nodes_file *file, bool verbose);

#endif
