/* Step 2: where views of one cluster disagree, and who holds with whom.
 *
 * Views that state the same facts are one group; grouping goes by hashes of stances (see tools/evidence/view.h),
 * verified, so thousands of views are not compared in pairs. The *baseline* is the largest group; of equally large ones
 * that with the highest epoch, then the newest pong, then the first named view. Each node about which groups disagree
 * is then taken apart into aspects: a *difference* is one aspect of one node, with its values and who holds each.
 *
 * What stances leave out is never compared: ping, pong, link, line order, `myself`, the port for clients, a replica's
 * own epoch. Nor is what a view's source never says (view->limits): a node that CLUSTER SLOTS cannot list is no difference,
 * one that it lists elsewhere is. An own line without an ip, as servers write it before they learn their address, agrees with the address
 * that the other views list.
 */
#ifndef RCF_DIFF_H
#define RCF_DIFF_H

#include "tools/evidence/view.h"

/* A view to be compared, under the name that it is shown by. */
struct diff_operand {
    const char *name;
    const struct view *view;
};

enum diff_aspect {
#define DIFF_ASPECT(id, word, title) DIFF_##id,
#include "tools/cluster/diff_aspects.def"
#undef DIFF_ASPECT
    DIFF_ASPECTS
};

/* One value and who holds it. */
struct diff_value {
    const char *text; /* "listed", "127.0.0.6:7000@17000", "replica", a node id, "0-5460 10923", "8", "fail?"; "none"
                       * where there is no primary, slot or flag */
    const struct entry *entry; /* that states it; NULL: the views do not list the node */
    const uint32_t *groups;    /* ascending */
    size_t group_count;
    size_t views; /* in these groups */
};

struct difference {
    uint32_t node;
    const char *name; /* "ip:port" by the baseline, else by the first value; the id's first 8 digits without one */
    enum diff_aspect aspect;
    struct diff_value *values; /* two or more: the baseline's first if it has one, then by number of views */
    size_t value_count;
    bool baseline; /* values[0] is the baseline's; false: it does not list the node, or as what has no such value */
};

/* That a group holds another value than the baseline, or a value where the baseline has none. */
struct deviation {
    uint32_t difference, value; /* indexes */
};

struct diff_group {
    const uint32_t *views; /* indexes of operands, ascending */
    size_t count;
    uint64_t epoch;    /* the highest currentEpoch of its views; of captures, the highest configEpoch they show */
    int64_t pong_ms;   /* the newest */
    size_t nodes;      /* that it lists */
    const struct deviation *deviations; /* in the order of the differences; none for the baseline */
    size_t deviation_count;
};

struct diff {
    const struct view_store *store;
    const struct diff_operand *operands; /* borrowed */
    size_t operand_count;
    const uint32_t *group_of;  /* operand -> group */
    struct diff_group *groups; /* the baseline first, then as it was chosen */
    size_t group_count;
    struct difference *differences; /* by node name, id, aspect */
    size_t difference_count;
};

/* Compares `count` views of one store; the operands must outlive the result, which lives in `arena`. The store gains
 * entries that no view has. NULL without memory. */
struct diff *diff_views(struct view_store *store, const struct diff_operand *operands, size_t count,
                        struct arena *arena);

/* "address", ... and for people: "addresses". */
const char *diff_aspect_word(enum diff_aspect aspect);
const char *diff_aspect_title(enum diff_aspect aspect);

/* "ip:port" of an entry, or the id's first 8 digits; in `arena`. */
const char *diff_node_name(const struct view_store *store, const struct entry *entry, struct arena *arena);

#endif
