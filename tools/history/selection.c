#include "tools/history/selection.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"

enum { ID_BEGINNING = 8 };

static const char *const occurrence_words[] = {
#define OCCURRENCE(id, word, meaning) word,
#include "tools/history/occurrences.def"
#undef OCCURRENCE
};

bool history_select_kind(struct history_selection *selection, const char *word)
{
    enum log_event_id event = log_event_of((struct bytes){(const uint8_t *)word, strlen(word)});
    bool found = event != LOG_EVENTS;
    if (found)
        selection->events[event] = true;
    for (size_t k = 0; k < EPISODE_KINDS; k++)
        if (strcmp(episode_word((enum episode_kind)k), word) == 0)
            found = selection->episodes[k] = true;
    for (size_t k = 0; k < OCCURRENCE_KINDS; k++)
        if (k != OCCURRENCE_LOG && strcmp(occurrence_words[k], word) == 0)
            found = selection->occurrences[k] = true;
    selection->by_kind = selection->by_kind || found;
    return found;
}

static bool in_time(const struct history_selection *selection, const struct moment *begin, const struct moment *end)
{
    if (!selection->has_since && !selection->has_until)
        return true;
    bool has_begin = begin->source != CLOCK_NONE, has_end = end->source != CLOCK_NONE;
    if (!has_begin && !has_end)
        return false;
    int64_t first = has_begin ? begin->ms : end->ms, last = has_end ? end->ms : begin->ms;
    return (!selection->has_since || last >= selection->since_ms) && (!selection->has_until || first < selection->until_ms);
}

/* What goes on all the time is of a time only where it begins or ends. */
static bool is_routine(enum episode_kind kind)
{
    return kind == EPISODE_LIFETIME || kind == EPISODE_SAVE;
}

static bool names_id(const char *id, const char *node)
{
    return id && strlen(node) >= ID_BEGINNING && strncmp(id, node, strlen(node)) == 0;
}

/* The id or the instance is what the user names: by id, or by the name that an instance with this id has. */
static bool is_node(const struct history *history, const char *node, size_t instance, const char *id)
{
    const struct evidence *evidence = history->evidence;
    if (names_id(id, node) || (instance != SIZE_MAX && strcmp(evidence->instances[instance].name, node) == 0))
        return true;
    for (size_t i = 0; id && i < evidence->instance_count; i++)
        if (strcmp(evidence->instances[i].name, node) == 0 && evidence->instances[i].node != NO_NODE &&
            strcmp(view_store_id(evidence->store, evidence->instances[i].node), id) == 0)
            return true;
    return false;
}

static bool is_wanted_node(const struct history *history, const struct history_selection *selection, size_t instance,
                           const char *node, const char *peer, const char *address)
{
    for (size_t n = 0; n < selection->node_count; n++) {
        const char *wanted = selection->nodes[n];
        if (is_node(history, wanted, instance, node) || is_node(history, wanted, SIZE_MAX, peer) ||
            (address && strcmp(address, wanted) == 0))
            return true;
    }
    return !selection->node_count;
}

/* Whether ranges as text, "0-99,200", hold a slot; anything between numbers that is no '-' divides them. */
static bool holds(const char *slots, unsigned slot)
{
    for (const char *at = slots; at && *at;) {
        at += strcspn(at, "0123456789");
        char *end;
        unsigned long first = strtoul(at, &end, 10), last = first;
        if (end == at)
            return false;
        if (*end == '-' && end[1] >= '0' && end[1] <= '9')
            last = strtoul(end + 1, &end, 10);
        if (first <= slot && slot <= last)
            return true;
        at = end;
    }
    return false;
}

bool history_wants_event(const struct history *history, const struct history_selection *selection,
                         const struct occurrence *occurrence)
{
    bool kind = !selection->by_kind || (occurrence->kind == OCCURRENCE_LOG ? selection->events[occurrence->event]
                                                                            : selection->occurrences[occurrence->kind]);
    bool slot = !selection->has_slot || holds(occurrence->slots, selection->slot) ||
                (occurrence->slot >= 0 && occurrence->slot <= (int32_t)selection->slot &&
                 occurrence->last_slot >= (int32_t)selection->slot);
    return kind && slot && in_time(selection, &occurrence->when, &occurrence->until) &&
           is_wanted_node(history, selection, occurrence->instance, occurrence->node, occurrence->peer, occurrence->address);
}

bool history_wants_episode(const struct history *history, const struct history_selection *selection,
                           const struct episode *episode)
{
    return (!selection->by_kind || selection->episodes[episode->kind]) &&
           (!selection->has_slot || holds(episode->slots, selection->slot)) &&
           (is_routine(episode->kind) ? in_time(selection, &episode->begin, &episode->begin) ||
                                            in_time(selection, &episode->end, &episode->end)
                                      : in_time(selection, &episode->begin, &episode->end)) &&
           is_wanted_node(history, selection, episode->instance, episode->node, episode->peer, NULL);
}

const char *history_node_name(const struct history *history, const char *id)
{
    const struct evidence *evidence = history->evidence;
    if (!id)
        return "";
    for (size_t i = 0; i < evidence->instance_count; i++)
        if (evidence->instances[i].node != NO_NODE &&
            strcmp(view_store_id(evidence->store, evidence->instances[i].node), id) == 0)
            return evidence->instances[i].name;
    return arena_copy(history->arena, id, strnlen(id, ID_BEGINNING));
}
