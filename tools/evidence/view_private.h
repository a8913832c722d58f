/* What the two halves of reading a view share.
 *
 *   view.c        node lines, and how any source's facts become entries and sightings
 *   view_reply.c  CLUSTER SHARDS, CLUSTER SLOTS and the tools' check, turned into the facts of node lines
 */
#ifndef RCF_VIEW_PRIVATE_H
#define RCF_VIEW_PRIVATE_H

#include "parsers/capture/capture.h"
#include "tools/evidence/view.h"

enum { VIEW_DEFECT_CODES = NODESCONF_DEFECTS + CAPTURE_DEFECTS };

/* What reading one view needs; arrays are reused from line to line. */
struct reading {
    struct view_store *store;
    struct arena *arena;   /* of the store: what stays */
    struct arena *scratch; /* ends with the reading */
    struct known_lines *known;
    struct view *view;
    size_t sighting_cap;
    struct view_defect *defects;
    size_t defect_cap;
    size_t kept[VIEW_DEFECT_CODES];
    char *text; /* the strings of the draft */
    size_t text_cap;
    struct slot_range *ranges;
    size_t range_cap;
    struct mark *marks;
    size_t mark_cap;
};

/* Takes a node's facts into the view, and damage with a code of struct view_defect. False without memory. */
bool view_add_node(struct reading *reading, const struct nodesconf_item *item);
bool view_add_defect(struct reading *reading, const struct damage *damage);

/* Reads what is no node line. False without memory. */
bool view_read_reply(struct reading *reading, struct bytes text);

unsigned view_limits_of(enum view_source source);

#endif
