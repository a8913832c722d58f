/* Several captures of one instance: what its view shows later that it did not show before.
 *
 * When it happened is known between the two captures only: the moment is that of the later one, its error reaches back to
 * the earlier one. Where only one of them has a time, that is taken, and its error is not known.
 */
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "tools/history/captures.h"
#include "tools/history/history_private.h"

/* Two captures, one behind the other. */
struct change {
    struct gathering *gathering;
    size_t instance;
    const struct view *before, *after;
    int64_t before_ms, after_ms;
    uint32_t *owners; /* of the slots before, then after: node numbers */
    bool *told;       /* of each slot */
};

static struct occurrence draft(const struct change *change, enum occurrence_kind kind, uint32_t node)
{
    const struct evidence *evidence = change->gathering->evidence;
    int64_t before_ms = change->before_ms, after_ms = change->after_ms;
    struct occurrence occurrence = occurrence_blank(kind);
    const struct sighting *own = view_own(change->after), *sighting = view_find(change->after, node);
    if (!sighting)
        sighting = view_find(change->before, node);
    occurrence.instance = change->instance;
    occurrence.writer = own ? view_store_id(evidence->store, own->entry->node) : NULL;
    occurrence.node = node == NO_NODE ? NULL : view_store_id(evidence->store, node);
    occurrence.file = view_find(change->after, node) || !sighting ? change->after->file : change->before->file;
    if (sighting)
        occurrence.place = (struct place){sighting->offset, sighting->length, sighting->line};
    if (after_ms || before_ms)
        occurrence.when = moment_epoch(after_ms ? after_ms : before_ms,
                                       after_ms && before_ms && after_ms >= before_ms ? after_ms - before_ms : INT64_MAX);
    return occurrence;
}

static bool tell_identity(const struct change *change)
{
    const struct evidence *evidence = change->gathering->evidence;
    const struct sighting *before = view_own(change->before), *after = view_own(change->after);
    if (!before || !after || before->entry->node == after->entry->node)
        return true;
    struct occurrence occurrence = draft(change, OCCURRENCE_IDENTITY_CHANGED, after->entry->node);
    occurrence.peer = view_store_id(evidence->store, before->entry->node);
    occurrence.text = "the instance has another node id than in its capture before";
    return gathering_add(change->gathering, &occurrence);
}

static const char *role_of(const struct entry *entry)
{
    return entry->flags & NODE_REPLICA ? "replica" : entry->flags & NODE_PRIMARY ? "primary" : "node without a role";
}

/* What is different about a member that both captures list. */
static bool tell_member(const struct change *change, const struct entry *before, const struct entry *after)
{
    const struct evidence *evidence = change->gathering->evidence;
    struct arena *arena = change->gathering->history->arena;
    bool told = true;
    if (role_of(before) != role_of(after) || before->primary != after->primary) {
        struct occurrence occurrence = draft(change, OCCURRENCE_ROLE_CHANGED, after->node);
        occurrence.peer = after->primary == NO_NODE ? NULL : view_store_id(evidence->store, after->primary);
        occurrence.text = arena_format(arena, "%s before, %s%s%.8s now", role_of(before), role_of(after), occurrence.peer ? " of " : "",
                                       occurrence.peer ? occurrence.peer : "");
        told = gathering_add(change->gathering, &occurrence);
    }
    if (after->flags & NODE_PRIMARY && after->config_epoch > before->config_epoch && after->config_epoch <= INT64_MAX) {
        struct occurrence occurrence = draft(change, OCCURRENCE_EPOCH_RAISED, after->node);
        occurrence.epoch = (int64_t)after->config_epoch;
        occurrence.text = arena_format(arena, "configEpoch %llu before, %llu now", (unsigned long long)before->config_epoch,
                                       (unsigned long long)after->config_epoch);
        told = told && gathering_add(change->gathering, &occurrence);
    }
    return told;
}

static bool tell_members(const struct change *change)
{
    for (size_t s = 0; s < change->after->count; s++) {
        const struct sighting *after = &change->after->sightings[s];
        const struct sighting *before = view_find(change->before, after->entry->node);
        if (!sighting_names(after) || after->myself || view_find(change->after, after->entry->node) != after)
            continue;
        if (before && sighting_names(before)) {
            if (!tell_member(change, before->entry, after->entry))
                return false;
            continue;
        }
        struct occurrence occurrence = draft(change, OCCURRENCE_MEMBER_NEW, after->entry->node);
        occurrence.text = "a member that was not listed before";
        if (!gathering_add(change->gathering, &occurrence))
            return false;
    }
    for (size_t s = 0; s < change->before->count; s++) {
        const struct sighting *before = &change->before->sightings[s];
        if (!sighting_names(before) || before->myself || view_find(change->after, before->entry->node))
            continue;
        struct occurrence occurrence = draft(change, OCCURRENCE_MEMBER_GONE, before->entry->node);
        occurrence.text = "a member before that is not listed any more";
        if (!gathering_add(change->gathering, &occurrence))
            return false;
    }
    const struct sighting *before = view_own(change->before), *after = view_own(change->after);
    return !before || !after || before->entry->node != after->entry->node ||
           tell_member(change, before->entry, after->entry);
}

static void own_slots(const struct view *view, uint32_t *owners)
{
    for (size_t slot = 0; slot < SLOT_COUNT; slot++)
        owners[slot] = NO_NODE;
    for (size_t s = 0; s < view->count; s++) {
        const struct entry *entry = view->sightings[s].entry;
        for (uint32_t r = 0; r < entry->range_count; r++)
            for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last && slot < SLOT_COUNT; slot++)
                owners[slot] = entry->node;
    }
}

/* The slots that went from one node to another. */
struct passage {
    const struct change *change;
    uint32_t from, to;
};

static bool went(const void *context, unsigned slot)
{
    const struct passage *passage = context;
    const uint32_t *owners = passage->change->owners;
    return owners[slot] == passage->from && owners[SLOT_COUNT + slot] == passage->to;
}

static bool tell_slots(const struct change *change)
{
    const struct evidence *evidence = change->gathering->evidence;
    const uint32_t *before = change->owners, *after = change->owners + SLOT_COUNT;
    own_slots(change->before, change->owners);
    own_slots(change->after, change->owners + SLOT_COUNT);
    memset(change->told, 0, SLOT_COUNT * sizeof(*change->told));
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        if (before[slot] == after[slot] || change->told[slot])
            continue;
        struct passage passage = {change, before[slot], after[slot]};
        for (unsigned other = slot; other < SLOT_COUNT; other++)
            change->told[other] |= went(&passage, other);
        struct occurrence occurrence = draft(change, OCCURRENCE_SLOTS_CHANGED, passage.to == NO_NODE ? passage.from : passage.to);
        occurrence.node = passage.to == NO_NODE ? NULL : view_store_id(evidence->store, passage.to);
        occurrence.peer = passage.from == NO_NODE ? NULL : view_store_id(evidence->store, passage.from);
        occurrence.slots = slots_text(change->gathering->history->arena, went, &passage);
        occurrence.text = passage.to == NO_NODE     ? "slots that have no owner any more"
                          : passage.from == NO_NODE ? "slots that had no owner before"
                                                    : "slots that have another owner now";
        if (!occurrence.slots || !gathering_add(change->gathering, &occurrence))
            return false;
    }
    return true;
}

static bool tell(const struct change *change)
{
    return tell_identity(change) && tell_members(change) && tell_slots(change);
}

bool gather_captures(struct gathering *gathering)
{
    const struct evidence *evidence = gathering->evidence;
    struct change change = {.gathering = gathering,
                            .owners = malloc(2 * (size_t)SLOT_COUNT * sizeof(*change.owners)),
                            .told = malloc((size_t)SLOT_COUNT * sizeof(*change.told))};
    bool done = change.owners && change.told;
    for (size_t i = 0; done && i < evidence->instance_count; i++) {
        size_t count;
        const struct capture *captures = captures_of(evidence, i, gathering->history->arena, &count);
        change.instance = i;
        done = captures;
        for (size_t c = 1; done && c < count; c++) {
            change.before = captures[c - 1].view;
            change.after = captures[c].view;
            change.before_ms = captures[c - 1].ms;
            change.after_ms = captures[c].ms;
            done = tell(&change);
        }
    }
    free(change.owners);
    free(change.told);
    return done;
}
