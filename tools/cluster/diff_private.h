/* What the files of the comparison share.
 *
 *   diff.c          the whole: groups, then deviations from the baseline, then differences
 *   diff_groups.c   views -> groups
 *   diff_partial.c  what a view never says, taken from one that does
 *   diff_aspects.c  entry -> one aspect: its identity and its text
 */
#ifndef RCF_DIFF_PRIVATE_H
#define RCF_DIFF_PRIVATE_H

#include "tools/cluster/diff.h"

struct comparing {
    struct view_store *store;
    const struct diff_operand *operands;
    size_t count;
    struct arena *arena;   /* what stays */
    struct arena *scratch; /* ends with the comparison */
    const struct entry **own; /* operand -> what its own line without an ip is taken for, or NULL */
    struct diff *diff;
};

/* What a sighting of an operand states. */
static inline const struct entry *stated(const struct comparing *comparing, size_t operand,
                                         const struct sighting *sighting)
{
    const struct entry *own = comparing->own[operand];
    const struct view *view = comparing->operands[operand].view;
    return own && sighting == &view->sightings[view->myself] ? own : sighting->entry;
}

/* Replaces the views that leave facts out by ones that can be compared. False without memory. */
bool diff_complete_partial(struct comparing *comparing);

/* Fills `own`. False without memory. */
bool diff_complete_own_lines(struct comparing *comparing);

/* Fills the groups of the result. False without memory. */
bool diff_make_groups(struct comparing *comparing);

enum { NO_VALUE = UINT32_MAX };

/* A number that two entries of one node share exactly when they agree in this aspect; NO_VALUE where it does not apply.
 * Not for DIFF_MEMBER. NO_VALUE also without memory (arena_failed() of the store's arena). */
uint32_t diff_aspect_identity(struct view_store *store, enum diff_aspect aspect, const struct entry *entry);

/* Its text. NULL without memory. */
const char *diff_aspect_text(const struct view_store *store, enum diff_aspect aspect, const struct entry *entry,
                             struct arena *arena);

#endif
