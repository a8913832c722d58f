/* Which part of a history is wanted. */
#ifndef RCF_HISTORY_SELECTION_H
#define RCF_HISTORY_SELECTION_H

#include "tools/history/episode.h"

enum { HISTORY_NODES_MAX = 64, HISTORY_KINDS_MAX = 64 };

/* Zeroed memory wants all. */
struct history_selection {
    bool has_since, has_until;
    int64_t since_ms, until_ms; /* corrected; since <= time < until; what has no time is not in between */
    const char *nodes[HISTORY_NODES_MAX]; /* addresses, names of instances, node ids or their beginnings of 8 characters or more */
    size_t node_count;
    bool has_slot;
    unsigned slot;
    bool episodes[EPISODE_KINDS];       /* with `by_kind`: these, and of events: */
    bool events[LOG_EVENTS];            /* lines of these */
    bool occurrences[OCCURRENCE_KINDS]; /* and others of these */
    bool by_kind;
};

/* Adds a kind of episodes or events by its word; a word may be both. False when it is none. */
bool history_select_kind(struct history_selection *selection, const char *word);

bool history_wants_episode(const struct history *history, const struct history_selection *selection,
                           const struct episode *episode);
bool history_wants_event(const struct history *history, const struct history_selection *selection,
                         const struct occurrence *occurrence);

/* The name of the instance that has this node id, else the beginning of the id. In the history's arena; "" for NULL. */
const char *history_node_name(const struct history *history, const char *id);

#endif
