/* Config epochs that a primary took without an election: at the end of an import, for CLUSTER BUMPEPOCH, or for
 * TAKEOVER. Redis writes nothing of a slot move but that, and only where the epoch of the target was not the
 * highest already. */
#include <string.h>

#include "parsers/bytes/keyslot.h"
#include "tools/history/chronicle.h"

enum {
    SLACK_MS = 5000, /* a view is saved a little later than its newest pong, never earlier */
    EARLY_MS = 500,
};

/* The move that the line belongs to. */
static struct move *move_of(struct chronicle *chronicle, const char *to, int64_t ms)
{
    for (size_t m = 0; m < chronicle->move_count; m++) {
        struct move *move = &chronicle->moves[m];
        if (same_id(move->to, to) && ms >= move->low_ms - EARLY_MS && ms <= move->high_ms + SLACK_MS)
            return move;
    }
    return NULL;
}

/* The slots came by steps, each an import of its own: one move may take several epochs only if others took some
 * between. */
static bool attach(struct chronicle *chronicle, const struct occurrence *line, size_t bumped, size_t imported)
{
    struct move *move = move_of(chronicle, line->writer, line->when.ms);
    if (!move)
        return false;
    numbers_add(chronicle, &move->lines, bumped);
    numbers_add(chronicle, &move->lines, imported);
    if (move->imported == NONE)
        move->imported = bumped;
    move->epoch = line->epoch > move->epoch ? line->epoch : move->epoch;
    return true;
}

static bool is_takeover(const struct chronicle *chronicle, size_t number)
{
    for (size_t e = 0; e < chronicle->election_count; e++)
        if (chronicle->elections[e].epoch_won == number)
            return true;
    return false;
}

static void add_import(struct chronicle *chronicle, size_t instance, size_t bumped, size_t imported)
{
    const struct occurrence *bump = chronicle_at(chronicle, bumped), *import = chronicle_at(chronicle, imported);
    const char *name = chronicle->evidence->instances[instance].name;
    struct draft *draft = draft_new(chronicle, EPISODE_SLOT_MOVE, BASIS_STATED);
    size_t view;
    if (!draft)
        return;
    draft_begins(chronicle, draft, bumped);
    draft_ends(chronicle, draft, imported);
    draft->episode.node = bump->writer;
    draft->episode.instance = instance;
    draft->episode.epoch = bump->epoch;
    const struct entry *entry = entry_at_epoch(chronicle, bump->writer, bump->epoch, &view);
    draft->episode.slots = import->slot < 0 ? NULL : chronicle_text(chronicle, "%d", (int)import->slot);
    draft->episode.title = chronicle_text(chronicle, "%s imported slot %d, and perhaps more, epoch %lld", name,
                                          (int)import->slot, (long long)bump->epoch);
    draft_detail(chronicle, draft,
                 "Redis writes only the import that raises the epoch; those that follow need no new one");
    if (entry) {
        draft->episode.how = BASIS_INFERRED;
        draft->episode.basis = chronicle_text(chronicle, "by a view saved later it has slots %s at this epoch",
                                              entry_slots(chronicle, entry, NULL));
        draft->episode.slots = entry_slots(chronicle, entry, NULL);
        draft_shows(chronicle, draft, view);
    }
}

/* Nobody asked for votes and nothing was imported. */
static void add_bump(struct chronicle *chronicle, size_t instance, size_t bumped)
{
    const struct occurrence *bump = chronicle_at(chronicle, bumped);
    struct draft *draft = draft_new(chronicle, EPISODE_SLOT_MOVE, BASIS_GAP);
    if (!draft)
        return;
    draft_begins(chronicle, draft, bumped);
    draft_ends(chronicle, draft, bumped);
    draft->episode.node = bump->writer;
    draft->episode.instance = instance;
    draft->episode.epoch = bump->epoch;
    draft->episode.title = chronicle_text(chronicle, "%s took config epoch %lld without an election or an import",
                                          chronicle->evidence->instances[instance].name, (long long)bump->epoch);
    draft->episode.basis =
        "CLUSTER BUMPEPOCH does that, by hand or by a tool that gave slots to this node; its views before and after "
        "would show them";
}

/* A slot that one node imported twice had left it in between. */
static void add_return(struct chronicle *chronicle, size_t instance, size_t first, size_t second)
{
    const struct occurrence *one = chronicle_at(chronicle, first), *two = chronicle_at(chronicle, second);
    for (size_t m = 0; m < chronicle->move_count; m++) {
        const struct move *move = &chronicle->moves[m];
        for (size_t p = 0; p < move->part_count; p++)
            if (same_id(move->parts[p].from, one->writer) && move->high_ms >= one->when.ms &&
                move->low_ms <= two->when.ms)
                return; /* told by captures or lines */
    }
    struct draft *draft = draft_new(chronicle, EPISODE_SLOT_MOVE, BASIS_INFERRED);
    if (!draft)
        return;
    draft_begins(chronicle, draft, first);
    draft_ends(chronicle, draft, second);
    draft->episode.peer = one->writer;
    draft->episode.instance = instance;
    draft->episode.slots = chronicle_text(chronicle, "%d", (int)one->slot);
    draft->episode.title = chronicle_text(chronicle, "slot %d, and perhaps more, left %s again", (int)one->slot,
                                          chronicle->evidence->instances[instance].name);
    draft->episode.basis = chronicle_text(
        chronicle, "it imported slot %d twice, so it had lost it in between; where to, nothing says", (int)one->slot);
}

static void follow(struct chronicle *chronicle, size_t instance)
{
    const struct numbers *track = &chronicle->tracks[instance];
    struct numbers imports = {0};
    for (size_t p = 0; p < track->count; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        const struct occurrence *next = p + 1 < track->count ? chronicle_at(chronicle, track->at[p + 1]) : NULL;
        if (line->event == LOG_EPOCH_IMPORTED) {
            for (size_t i = imports.count; i-- > 0;)
                if (chronicle_at(chronicle, imports.at[i])->slot == line->slot) {
                    add_return(chronicle, instance, imports.at[i], track->at[p]);
                    break;
                }
            numbers_add(chronicle, &imports, track->at[p]);
        }
        if (line->event != LOG_EPOCH_BUMPED || is_takeover(chronicle, track->at[p]))
            continue;
        bool import = next && next->event == LOG_EPOCH_IMPORTED;
        if (attach(chronicle, line, track->at[p], import ? track->at[p + 1] : track->at[p]))
            continue;
        if (import)
            add_import(chronicle, instance, track->at[p], track->at[p + 1]);
        else
            add_bump(chronicle, instance, track->at[p]);
    }
}

/* ------------------------------------------------------------------ migrations of whole ranges */

static const char *migration_of(const struct occurrence *line)
{
    const char *name = occurrence_field(line, LOG_FIELD_TASK);
    return name ? name : occurrence_field(line, LOG_FIELD_MIGRATION);
}

/* Valkey 9 and Redis 8.4 move ranges by themselves, under a name. */
static void add_migration(struct chronicle *chronicle, size_t number)
{
    const struct occurrence *ended = chronicle_at(chronicle, number);
    const char *name = migration_of(ended), *slots = ended->slots;
    struct draft *draft = name ? draft_new(chronicle, EPISODE_SLOT_MOVE, BASIS_STATED) : NULL;
    if (!draft)
        return;
    draft_begins(chronicle, draft, number);
    draft_ends(chronicle, draft, number);
    for (size_t p = chronicle->positions[number]; p-- > 0;) {
        const struct occurrence *line = track_at(chronicle, ended->instance, p);
        const char *other = line->event == LOG_MIGRATION_STATE ? migration_of(line) : NULL;
        if (line->event == LOG_STARTING)
            break;
        if (!same_id(other, name))
            continue;
        draft_begins(chronicle, draft, chronicle->tracks[ended->instance].at[p]);
        slots = slots ? slots : line->slots;
    }
    draft->episode.node = ended->writer;
    draft->episode.instance = ended->instance;
    draft->episode.slots = slots;
    draft->episode.title =
        chronicle_text(chronicle, "%s: %s", chronicle->evidence->instances[ended->instance].name, ended->text);
    draft->episode.cause = occurrence_field(ended, LOG_FIELD_REASON);
}

/* Keys without an owner of their slot, found at a start. */
static void add_adopted(struct chronicle *chronicle, size_t instance)
{
    const struct numbers *track = &chronicle->tracks[instance];
    struct draft *draft = NULL;
    const char *slots = NULL;
    size_t count = 0;
    for (size_t p = 0; p < track->count; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        if (line->event != LOG_SLOT_ADOPTED) {
            if (line->event == LOG_STARTING || line->event == LOG_START) {
                draft = NULL;
                slots = NULL;
                count = 0;
            }
            continue;
        }
        if (!draft) {
            if (!(draft = draft_new(chronicle, EPISODE_SLOT_MOVE, BASIS_STATED)))
                return;
            draft_begins(chronicle, draft, track->at[p]);
            draft->episode.node = line->writer;
            draft->episode.instance = instance;
            draft->episode.cause = "it found keys of slots that nobody owned";
        }
        draft_ends(chronicle, draft, track->at[p]);
        if (count++ < 64)
            slots = slots ? chronicle_text(chronicle, "%s,%d", slots, (int)line->slot)
                          : chronicle_text(chronicle, "%d", (int)line->slot);
        draft->episode.slots = slots;
        draft->episode.title =
            chronicle_text(chronicle, "%s took %zu %s at its start", chronicle->evidence->instances[instance].name,
                           count, count == 1 ? "slot" : "slots");
    }
}

void build_imports(struct chronicle *chronicle)
{
    for (size_t i = 0; i < chronicle->evidence->instance_count; i++) {
        follow(chronicle, i);
        add_adopted(chronicle, i);
    }
    for (size_t o = 0; o < chronicle->history->count; o++)
        if (chronicle_at(chronicle, o)->event == LOG_MIGRATION_ENDED &&
            chronicle_at(chronicle, o)->instance != SIZE_MAX)
            add_migration(chronicle, o);
}
