#include "tools/cluster/prejoin.h"

#include <string.h>

#include "tools/cluster/prejoin_private.h"
#include "tools/cluster/startup.h"
#include "tools/evidence/names.h"

enum { NODESCONF_MOST = 64 * 1024 * 1024 };

const char *prejoin_verdict_word(enum prejoin_verdict verdict)
{
    static const char *const words[] = {"empty", "not-empty", "cannot-tell"};
    return words[verdict];
}

const char *prejoin_effect_word(enum prejoin_effect effect)
{
    static const char *const words[] = {"note", "against", "open"};
    return words[effect];
}

const char *prejoin_subject_word(enum prejoin_subject subject)
{
    static const char *const words[PREJOIN_SUBJECTS] = {
        [PREJOIN_KNOWS_OTHERS] = "knows-others",
        [PREJOIN_SLOTS] = "slots",
        [PREJOIN_OPEN_SLOTS] = "open-slots",
        [PREJOIN_REPLICA] = "replica",
        [PREJOIN_EPOCHS] = "epochs",
        [PREJOIN_NODESCONF] = "nodes-conf",
        [PREJOIN_DATA] = "data",
        [PREJOIN_UNREAD] = "unread",
        [PREJOIN_UNATTRIBUTED] = "unattributed",
        [PREJOIN_LISTED] = "listed-by-member",
        [PREJOIN_ADDRESS] = "address-conflict",
        [PREJOIN_MEMBERS] = "members",
        [PREJOIN_CONFIG] = "config",
    };
    return words[subject];
}

void prejoin_say(struct judging *judging, enum prejoin_subject subject, enum prejoin_effect effect,
                 const struct evidence *in, size_t file, const struct place *place, const char *text)
{
    struct prejoin *prejoin = judging->prejoin;
    struct prejoin_reason *reasons =
        arena_grow(judging->arena, judging->reasons, prejoin->reason_count, &judging->cap, sizeof(*reasons));
    if (!reasons)
        return;
    prejoin->reasons = judging->reasons = reasons;
    reasons[prejoin->reason_count++] = (struct prejoin_reason){
        .subject = subject,
        .effect = effect,
        .text = text,
        .in = in,
        .file = file,
        .place = place ? *place : (struct place){0},
    };
}

static void say_own(struct judging *judging, enum prejoin_subject subject, enum prejoin_effect effect, size_t file,
                    const struct place *place, const char *text)
{
    prejoin_say(judging, subject, effect, judging->evidence, file, place, text);
}

static struct place place_of(const struct sighting *sighting)
{
    return (struct place){sighting->offset, sighting->length, sighting->line};
}

/* Handshakes that an old server wrote are not loaded. */
static bool counts(const struct sighting *sighting)
{
    return !(sighting->entry->flags & NODE_HANDSHAKE);
}

static void judge_others(struct judging *judging, const struct view *view)
{
    const struct sighting *other = NULL;
    size_t known = 0;
    for (size_t i = 0; i < view->count; i++) {
        const struct sighting *sighting = &view->sightings[i];
        known += counts(sighting);
        if (!other && !sighting->myself && counts(sighting))
            other = sighting;
    }
    judging->prejoin->known_nodes = known ? known : 1;
    if (!other)
        return;
    struct place place = place_of(other);
    size_t others = known - (view->myself_count ? 1 : 0);
    say_own(judging, PREJOIN_KNOWS_OTHERS, PREJOIN_AGAINST, view->file, &place,
            others == 1 ? "it knows another node"
                        : arena_format(judging->arena, "it knows %zu other nodes, this is the first", others));
}

static void judge_own_line(struct judging *judging, const struct view *view)
{
    struct prejoin *prejoin = judging->prejoin;
    const struct sighting *own = view_own(view);
    if (!own) {
        say_own(judging, PREJOIN_NODESCONF, PREJOIN_OPEN, view->file, NULL, "it has no line about itself");
        return;
    }
    struct place place = place_of(own);
    const struct entry *entry = own->entry;
    prejoin->slots = entry->slot_count;
    prejoin->marks = entry->mark_count;
    prejoin->config_epoch = entry->config_epoch;
    if (entry->slot_count)
        say_own(
            judging, PREJOIN_SLOTS, PREJOIN_AGAINST, view->file, &place,
            arena_format(judging->arena, "it owns %u slot%s", entry->slot_count, entry->slot_count == 1 ? "" : "s"));
    if (entry->mark_count)
        say_own(judging, PREJOIN_OPEN_SLOTS, PREJOIN_AGAINST, view->file, &place,
                arena_format(judging->arena, "%u open slot%s (migrating or importing)", entry->mark_count,
                             entry->mark_count == 1 ? "" : "s"));
    if (entry->flags & NODE_REPLICA)
        say_own(judging, PREJOIN_REPLICA, PREJOIN_AGAINST, view->file, &place, "it is a replica");
}

static void judge_epochs(struct judging *judging, const struct view *view)
{
    struct prejoin *prejoin = judging->prejoin;
    prejoin->current_epoch = view->current_epoch;
    prejoin->last_vote_epoch = view->last_vote_epoch;
    if (prejoin->current_epoch || prejoin->config_epoch || prejoin->last_vote_epoch)
        say_own(judging, PREJOIN_EPOCHS, PREJOIN_NOTE, view->file, view->has_vars ? &view->vars : NULL,
                arena_format(
                    judging->arena,
                    "epochs above 0 (currentEpoch %llu, configEpoch %llu, lastVoteEpoch %llu): a trace of an earlier "
                    "membership, no obstacle by itself; CLUSTER RESET HARD sets them to 0",
                    (unsigned long long)prejoin->current_epoch, (unsigned long long)prejoin->config_epoch,
                    (unsigned long long)prejoin->last_vote_epoch));
}

/* A file that no server writes proves nothing by what it leaves out. */
static void judge_damage(struct judging *judging, const struct view *view)
{
    const struct evidence_file *file = &judging->evidence->files[view->file];
    if (view->capture)
        return;
    struct bytes text =
        evidence_excerpt(judging->evidence, view->file, 0, file->facts.decoded, NODESCONF_MOST, judging->arena);
    const struct startup *startup = startup_of(view, judging->evidence->store, text, judging->arena);
    enum generation generation = server_generation(judging->instance->server);
    if (!startup)
        return;
    const struct startup_verdict *verdict = generation == GENERATIONS ? NULL : &startup->of[generation];
    if (verdict && verdict->outcome != STARTUP_RIGHT)
        say_own(judging, PREJOIN_NODESCONF, PREJOIN_OPEN, view->file, verdict->fact ? &verdict->fact->place : NULL,
                arena_format(judging->arena, "%s: its server %s",
                             verdict->fact ? startup_means(verdict->fact->condition) : "damaged", verdict->sentence));
    else if (startup_damaged(startup))
        say_own(
            judging, PREJOIN_NODESCONF, PREJOIN_OPEN, view->file, startup->fact_count ? &startup->facts[0].place : NULL,
            arena_format(judging->arena, "it is damaged: %s",
                         startup->fact_count ? startup_means(startup->facts[0].condition) : "no server writes it so"));
}

/* The last line of its logs that shows a nodes.conf with a past. */
static const struct logbook_line *past_of(const struct instance *instance)
{
    const struct logbook_line *found = NULL;
    for (size_t i = 0; i < instance->logbook_count; i++)
        for (size_t l = 0; l < instance->logbooks[i]->count; l++) {
            enum logbook_event event = instance->logbooks[i]->lines[l].event;
            if (event == LOGBOOK_CLUSTER_OK || event == LOGBOOK_LOADED_IDENTITY)
                found = &instance->logbooks[i]->lines[l];
        }
    return found;
}

static void judge_absent_view(struct judging *judging)
{
    const struct instance *instance = judging->instance;
    const struct logbook_line *past = past_of(instance);
    judging->prejoin->known_nodes = 1;
    if (instance->history_count)
        say_own(judging, PREJOIN_NODESCONF, PREJOIN_OPEN, instance->history[0]->file, NULL,
                "only an unfinished copy of its nodes.conf is here: the file itself would settle it");
    else if (past)
        say_own(judging, PREJOIN_NODESCONF, PREJOIN_OPEN, past->file, &past->place,
                "its log shows that it had a nodes.conf, which is not here: the file would settle it, or knowing that "
                "it was removed");
    else
        say_own(judging, PREJOIN_NODESCONF, PREJOIN_NOTE, SIZE_MAX, NULL, "no nodes.conf: its start makes a new id");
}

static void judge_view(struct judging *judging)
{
    const struct view *view = judging->prejoin->view;
    if (!view) {
        judge_absent_view(judging);
        return;
    }
    judge_others(judging, view);
    if (view->limits) {
        say_own(judging, PREJOIN_NODESCONF, PREJOIN_OPEN, view->file, NULL,
                arena_format(judging->arena, "its view is a capture of %s: %s", view_source_name(view->source), view_limits_text(view)));
        return;
    }
    judge_own_line(judging, view);
    judge_epochs(judging, view);
    judge_damage(judging, view);
}

static bool holds_something(const struct start *start)
{
    return start->keys == START_KEYS || start->held_keys || start->ignored_keys || start->functions;
}

/* The running server, as INFO and CLUSTER INFO show it: the newest capture that says so. */
static void judge_running(struct judging *judging)
{
    const struct instance *instance = judging->instance;
    const struct status *keyspace = NULL, *nodes = NULL;
    for (size_t s = 0; s < instance->status_count; s++) {
        const struct status *status = instance->statuses[s];
        keyspace = keyspace || !status->has_keyspace ? keyspace : status;
        nodes = nodes || !status->numbers[STATUS_KNOWN_NODES].known ? nodes : status;
    }
    for (size_t k = 0; keyspace && k < keyspace->keys_count; k++) {
        const struct status_keys *keys = &keyspace->keys[k];
        if (keys->keys)
            say_own(judging, PREJOIN_DATA, PREJOIN_AGAINST, keyspace->file, &keys->place,
                    arena_format(judging->arena, "INFO of the running server shows %llu key%s in database %llu",
                                 (unsigned long long)keys->keys, keys->keys == 1 ? "" : "s", (unsigned long long)keys->db));
    }
    if (keyspace && status_is_empty(keyspace))
        say_own(judging, PREJOIN_DATA, PREJOIN_NOTE, keyspace->file, &keyspace->keyspace,
                "INFO of the running server shows no keys; what its files hold is loaded at its next start");
    if (nodes && nodes->numbers[STATUS_KNOWN_NODES].number > judging->prejoin->known_nodes)
        judging->prejoin->known_nodes = (size_t)nodes->numbers[STATUS_KNOWN_NODES].number;
    if (nodes && nodes->numbers[STATUS_KNOWN_NODES].number > 1)
        say_own(judging, PREJOIN_KNOWS_OTHERS, PREJOIN_AGAINST, nodes->file, &nodes->numbers[STATUS_KNOWN_NODES].place,
                arena_format(judging->arena, "CLUSTER INFO of the running server says cluster_known_nodes:%llu",
                             (unsigned long long)nodes->numbers[STATUS_KNOWN_NODES].number));
}

static void judge_data(struct judging *judging)
{
    const struct start *start = judging->prejoin->start;
    const struct settings *settings = judging->instance->settings;
    enum prejoin_effect effect = holds_something(start) ? PREJOIN_AGAINST : PREJOIN_OPEN;
    for (size_t i = 0; i < start->reason_count; i++) {
        const struct start_reason *reason = &start->reasons[i];
        say_own(judging, PREJOIN_DATA, reason->against ? effect : PREJOIN_NOTE, reason->file, &reason->place,
                reason->text);
    }
    if (settings && !settings_yes(settings, "cluster-enabled", false))
        say_own(judging, PREJOIN_CONFIG, PREJOIN_NOTE, settings->file, NULL,
                "cluster-enabled is not yes here: unless the command line says so, it cannot join any cluster");
}

/* Files that lie with the instance's own and that nobody could read, or whose owner nothing shows. */
static void judge_surroundings(struct judging *judging)
{
    const struct evidence *evidence = judging->evidence;
    struct bytes folder = {(const uint8_t *)judging->instance->folder, strlen(judging->instance->folder)};
    bool alone = evidence->instance_count == 1; /* then all that is here may be its own */
    for (size_t i = 0; i < evidence->file_count; i++) {
        const struct evidence_file *file = &evidence->files[i];
        bool owned = file->instance != SIZE_MAX && &evidence->instances[file->instance] == judging->instance;
        bool near = alone || names_is_below(names_split(file->path).folder, folder);
        if (!owned && (file->instance != SIZE_MAX || !near))
            continue;
        const struct dump *dump = file->dump ? file->dump : file->journal ? file->journal->preamble : NULL;
        if (file->unread && !file->skipped)
            say_own(judging, PREJOIN_UNREAD, PREJOIN_OPEN, i, NULL,
                    arena_format(judging->arena, "not read to its end: %s", file->unread));
        else if (file->changed)
            say_own(judging, PREJOIN_UNREAD, PREJOIN_OPEN, i, NULL, "it changed while it was read");
        else if (!owned && !file->temporary && ((dump && dump->keys) || (file->journal && file->journal->db_count)))
            say_own(
                judging, PREJOIN_UNATTRIBUTED, PREJOIN_OPEN, i, NULL,
                arena_format(judging->arena, "it holds data, and whose it is is not known: %s", file->unattributed));
    }
}

static enum prejoin_verdict conclude(const struct prejoin *prejoin)
{
    const struct start *start = prejoin->start;
    bool against = holds_something(start);
    bool open = start->keys == START_CANNOT_TELL || start->source == START_REFUSES || start->ignored_may ||
                start->functions_may;
    for (size_t i = 0; i < prejoin->reason_count; i++) {
        against |= prejoin->reasons[i].effect == PREJOIN_AGAINST;
        open |= prejoin->reasons[i].effect == PREJOIN_OPEN;
    }
    return against ? PREJOIN_NOT_EMPTY : open ? PREJOIN_CANNOT_TELL : PREJOIN_EMPTY;
}

/* cluster_known_nodes:1 in CLUSTER INFO and no db0 in INFO, as asked of the server once it runs. */
static void judge_as_tool(struct judging *judging)
{
    struct prejoin *prejoin = judging->prejoin;
    const struct start *start = prejoin->start;
    bool view_open = false;
    for (size_t i = 0; i < prejoin->reason_count; i++)
        view_open |= prejoin->reasons[i].subject == PREJOIN_NODESCONF && prejoin->reasons[i].effect == PREJOIN_OPEN;
    prejoin->tool = PREJOIN_CANNOT_TELL;
    if (start->source == START_REFUSES) {
        prejoin->tool_why = "the server does not start on these files, so there is nobody to ask";
    } else if (view_open) {
        prejoin->tool_why = "how many nodes the server would know is left open by its nodes.conf";
    } else if (prejoin->known_nodes > 1) {
        prejoin->tool = PREJOIN_NOT_EMPTY;
        prejoin->tool_why = arena_format(judging->arena, "cluster_known_nodes:%zu", prejoin->known_nodes);
    } else if (start->keys == START_NO_KEYS) {
        prejoin->tool = PREJOIN_EMPTY;
        prejoin->tool_why = "cluster_known_nodes:1, and INFO has no db0";
    } else if (start->keys == START_KEYS && start->provable_keys) {
        prejoin->tool = PREJOIN_NOT_EMPTY;
        prejoin->tool_why = "cluster_known_nodes:1, and INFO has a db0";
    } else {
        prejoin->tool_why = "cluster_known_nodes:1; whether INFO has a db0 is not known";
    }
}

/* Stable: what decides stands first. */
static bool sort_reasons(struct judging *judging)
{
    static const enum prejoin_effect order[] = {PREJOIN_AGAINST, PREJOIN_OPEN, PREJOIN_NOTE};
    struct prejoin *prejoin = judging->prejoin;
    struct prejoin_reason *sorted = arena_array(judging->arena, prejoin->reason_count, sizeof(*sorted));
    size_t count = 0;
    if (!sorted)
        return false;
    for (size_t o = 0; o < sizeof(order) / sizeof(*order); o++)
        for (size_t i = 0; i < prejoin->reason_count; i++)
            if (prejoin->reasons[i].effect == order[o])
                sorted[count++] = prejoin->reasons[i];
    prejoin->reasons = sorted;
    return true;
}

struct prejoin *prejoin_of(const struct evidence *evidence, size_t instance, const struct evidence *members_case,
                           const struct clusters *members, struct arena *arena)
{
    struct prejoin *prejoin = arena_alloc(arena, sizeof(*prejoin));
    const struct start *start = start_of(evidence, instance, arena);
    struct judging judging = {
        .evidence = evidence,
        .instance = &evidence->instances[instance],
        .arena = arena,
        .prejoin = prejoin,
    };
    if (!prejoin || !start)
        return NULL;
    prejoin->instance = instance;
    prejoin->start = start;
    prejoin->view = judging.instance->view;
    judge_view(&judging);
    judge_data(&judging);
    judge_running(&judging);
    judge_surroundings(&judging);
    if (members_case && members)
        prejoin_ask_members(&judging, members_case, members);
    prejoin->verdict = conclude(prejoin);
    judge_as_tool(&judging);
    return sort_reasons(&judging) && !arena_failed(arena) ? prejoin : NULL;
}
