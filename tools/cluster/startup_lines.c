/* Conditions across lines: who is myself, who is there twice, whose slots, primaries and peers have no line, what the
 * variables contradict; and the grammar of newer generations. */
#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "tools/cluster/startup_private.h"

enum { BEHIND_ID = 41 }; /* what a line shows beyond its own words takes effect once its id is read */

static const struct sighting *first_line(const struct startup_work *work, const struct sighting *sighting)
{
    return view_find(work->seen, sighting->entry->node);
}

static void note(struct startup_work *work, enum startup_condition condition, const struct sighting *sighting,
                 const struct sighting *before)
{
    startup_note(work, sighting->offset + BEHIND_ID,
                 (struct startup_fact){condition, startup_line(sighting), NULL, NULL, before ? before->line : 0});
}

/* About the whole: its place is the last line there is. */
static void note_whole(struct startup_work *work, enum startup_condition condition)
{
    const struct view *seen = work->seen;
    struct place place = {0, 0, 1};
    if (seen->count)
        place = startup_line(&seen->sightings[seen->count - 1]);
    if (seen->has_vars && seen->vars.offset >= place.offset)
        place = seen->vars;
    startup_note(work, UINT64_MAX, (struct startup_fact){condition, place, NULL, NULL, 0});
}

static void note_own(struct startup_work *work)
{
    const struct sighting *own = view_own(work->seen);
    if (!own) {
        note_whole(work, STARTUP_NO_MYSELF);
        return;
    }
    for (size_t i = work->seen->myself + 1; i < work->seen->count; i++)
        if (work->seen->sightings[i].myself)
            note(work, STARTUP_TWO_MYSELF, &work->seen->sightings[i], own);
    /* At an unknown flag every server has stopped before it looks at its role. */
    if (work->kept[STARTUP_FLAG_UNKNOWN])
        return;
    struct startup_fact fact = {STARTUP_OWN_NO_ROLE, startup_line(own), NULL, NULL, 0};
    if (own->entry->flags & NODE_REPLICA && own->entry->primary == NO_NODE)
        fact.condition = STARTUP_OWN_NO_PRIMARY;
    else if (own->entry->flags & (NODE_REPLICA | NODE_PRIMARY))
        return;
    startup_note(work, UINT64_MAX, fact);
}

static void note_twice(struct startup_work *work, const struct sighting *sighting)
{
    const struct sighting *first = first_line(work, sighting);
    if (first == sighting)
        return;
    bool equal = first->entry == sighting->entry && first->myself == sighting->myself;
    note(work, equal ? STARTUP_LINE_TWICE : STARTUP_ID_TWICE, sighting, first);
}

/* Which line has a slot, by the loader's rule that the first one keeps it. */
struct taken {
    uint64_t bits[SLOT_COUNT / 64];   /* bit s % 64 of element s / 64: slot s is taken */
    uint32_t sighting[SLOT_COUNT];
};

/* Takes what is free of a word of 64 slots for a line; gives the first slot that another node's line has, or
 * SLOT_COUNT. */
static unsigned take(struct startup_work *work, struct taken *taken, size_t word, uint64_t wanted, uint32_t line)
{
    const struct sighting *sightings = work->seen->sightings;
    uint64_t both = taken->bits[word] & wanted, fresh = wanted & ~both;
    unsigned conflict = SLOT_COUNT;
    taken->bits[word] |= wanted;
    for (unsigned bit = 0; fresh; bit++, fresh >>= 1)
        if (fresh & 1)
            taken->sighting[word * 64 + bit] = line;
    for (unsigned bit = 0; both && conflict == SLOT_COUNT; bit++, both >>= 1) {
        unsigned slot = (unsigned)word * 64 + bit;
        if (both & 1 && sightings[taken->sighting[slot]].entry->node != sightings[line].entry->node)
            conflict = slot;
    }
    return conflict;
}

static void note_overlap(struct startup_work *work, struct taken *taken, uint32_t line)
{
    const struct sighting *sighting = &work->seen->sightings[line];
    unsigned conflict = SLOT_COUNT;
    for (uint32_t r = 0; r < sighting->entry->range_count; r++) {
        unsigned first = sighting->entry->ranges[r].first, last = sighting->entry->ranges[r].last;
        for (unsigned word = first / 64; word <= last / 64; word++) {
            uint64_t wanted = UINT64_MAX;
            if (word == first / 64)
                wanted &= UINT64_MAX << first % 64;
            if (word == last / 64)
                wanted &= UINT64_MAX >> (63 - last % 64);
            unsigned slot = take(work, taken, word, wanted, line);
            if (conflict == SLOT_COUNT)
                conflict = slot;
        }
    }
    if (conflict != SLOT_COUNT)
        note(work, STARTUP_SLOT_OVERLAP, sighting, &work->seen->sightings[taken->sighting[conflict]]);
}

/* A node that another line names has no line of its own. A word that is no id is a condition of its own. */
static bool is_missing(const struct startup_work *work, uint32_t node)
{
    const char *id = view_store_id(work->store, node);
    return node != NO_NODE && !view_find(work->seen, node) &&
           startup_is_id((struct bytes){(const uint8_t *)id, strlen(id)});
}

static void note_references(struct startup_work *work, const struct sighting *sighting)
{
    const struct entry *entry = sighting->entry;
    if (is_missing(work, entry->primary))
        note(work, STARTUP_UNKNOWN_PRIMARY, sighting, NULL);
    for (uint32_t m = 0; m < entry->mark_count; m++)
        if (is_missing(work, entry->marks[m].peer)) {
            note(work, STARTUP_UNKNOWN_PEER, sighting, NULL);
            return;
        }
}

/* Servers compare the two as soon as both lines have been read. */
static void note_shard(struct startup_work *work, const struct sighting *replica)
{
    const struct sighting *primary = view_find(work->seen, replica->entry->primary);
    if (!primary || !*replica->entry->shard_id || !*primary->entry->shard_id ||
        strcmp(replica->entry->shard_id, primary->entry->shard_id) == 0)
        return;
    const struct sighting *later = replica->offset > primary->offset ? replica : primary;
    note(work, STARTUP_SHARD_MISMATCH, later, later == replica ? primary : replica);
}

static void note_vars(struct startup_work *work)
{
    const struct view *seen = work->seen;
    if (!seen->has_vars) {
        note_whole(work, STARTUP_VARS_MISSING);
        return;
    }
    const struct sighting *newest = NULL;
    for (size_t i = 0; i < seen->count; i++) {
        const struct entry *entry = seen->sightings[i].entry;
        if (entry->flags & NODE_PRIMARY && (!newest || entry->config_epoch > newest->entry->config_epoch))
            newest = &seen->sightings[i];
    }
    const struct startup_fact about = {.place = seen->vars};
    struct startup_fact fact = about;
    bool spelled = !work->kept[STARTUP_VARS_NUMBER] && !work->kept[STARTUP_VARS_ODD];
    if (!seen->has_current_epoch && spelled) {
        fact.condition = STARTUP_CURRENT_MISSING;
        startup_note(work, UINT64_MAX, fact);
    }
    if (!seen->has_last_vote_epoch && spelled) {
        fact.condition = STARTUP_VOTE_MISSING;
        startup_note(work, UINT64_MAX, fact);
    }
    if (seen->has_current_epoch && newest && newest->entry->config_epoch > seen->current_epoch) {
        fact.condition = STARTUP_EPOCH_BELOW;
        fact.before = newest->line;
        startup_note(work, UINT64_MAX, fact);
    }
    fact = about;
    if (seen->has_current_epoch && seen->has_last_vote_epoch && seen->last_vote_epoch > seen->current_epoch) {
        fact.condition = STARTUP_VOTE_ABOVE;
        startup_note(work, UINT64_MAX, fact);
    }
}

/* Grammar is a property of the writer: its first line stands for all. */
static void note_grammar(struct startup_work *work)
{
    const struct view *seen = work->seen;
    const struct {
        enum startup_condition condition;
        bool present;
    } grammars[] = {
        {STARTUP_AUX, seen->any_aux},
        {STARTUP_CLIENT_ADDRESS, seen->any_client_address},
        {STARTUP_CLIENT_PORT, seen->any_client_port},
    };
    for (size_t g = 0; g < sizeof(grammars) / sizeof(grammars[0]); g++)
        if (grammars[g].present)
            note(work, grammars[g].condition, &seen->sightings[0], NULL);
    for (size_t i = 0; i < seen->count; i++)
        if (seen->sightings[i].entry->flags & NODE_NOFAILOVER) {
            note(work, STARTUP_NOFAILOVER, &seen->sightings[i], NULL);
            return;
        }
}

/* Nothing but padding: no line, not even a broken one. */
static bool has_no_lines(const struct startup_work *work)
{
    const struct view *view = work->view;
    if (view->count || view->has_vars)
        return false;
    for (size_t i = 0; i < view->defect_count; i++)
        if (view->defects[i].code != NODESCONF_LINE_NUL || !view->padding)
            return false;
    return true;
}

void startup_lines(struct startup_work *work)
{
    const struct view *seen = work->seen;
    struct taken *taken = arena_alloc(work->scratch, sizeof(*taken));
    if (!taken)
        return;
    if (has_no_lines(work)) {
        note_whole(work, work->view->padding ? STARTUP_ONLY_PADDING : STARTUP_EMPTY);
        return;
    }
    for (size_t i = 0; i < seen->count; i++) {
        const struct sighting *sighting = &seen->sightings[i];
        note_twice(work, sighting);
        note_overlap(work, taken, (uint32_t)i);
        note_references(work, sighting);
        note_shard(work, sighting);
    }
    note_own(work);
    note_vars(work);
    note_grammar(work);
}
