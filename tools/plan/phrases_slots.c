/* The words of steps about who serves which slots. */
#include <inttypes.h>
#include <string.h>

#include "tools/plan/making.h"

/* The slots are the first ones of their owner: then the tool, asked for so many, takes the same. */
static bool are_lowest(const struct making *m, const struct step *step)
{
    const struct cluster *cluster = m->stage->cluster;
    uint32_t owner = cluster_node_of(cluster, step->peer);
    unsigned left = step->slots->count;
    for (unsigned slot = 0; slot < SLOT_COUNT && left; slot++) {
        if (cluster->slots[slot].node != owner)
            continue;
        if (!step->slots->has[slot])
            return false;
        left--;
    }
    return left == 0;
}

static bool move_slots(struct making *m, struct step *step)
{
    const struct evidence *evidence = m->scene->evidence;
    const char *from = view_store_id(evidence->store, evidence->instances[step->peer].node);
    const char *to = view_store_id(evidence->store, evidence->instances[step->on].node);
    const char *count = arena_format(m->arena, "%u", step->slots->count), *name = making_name(m, step->peer);
    const char *list = slot_set_text(step->slots, ',', m->arena);
    if (!count || !name || !list)
        return false;
    if (!are_lowest(m, step))
        step->argv = phrase_words(
            m->arena,
            arena_format(m->arena,
                         "(%s: CLUSTER SETSLOT {slot} IMPORTING on %s, MIGRATING on %s, "
                         "MIGRATE of its keys, SETSLOT {slot} NODE %s on both and on the other primaries)",
                         slot_set_words(step->slots, m->arena), making_name(m, step->on), name, to),
            NULL);
    else if (m->plan->dialect == DIALECT_TRIB)
        step->argv = phrase_words(m->arena, "redis-trib.rb", "reshard", "--from", from, "--to", to, "--slots", count,
                                  "--yes", name, NULL);
    else
        step->argv = phrase_words(m->arena, phrase_client(m->plan->dialect), "--cluster", "reshard", name,
                                  "--cluster-from", from, "--cluster-to", to, "--cluster-slots", count, "--cluster-yes",
                                  NULL);
    step->expect =
        arena_format(m->arena, "%s from %s, each with its keys", slot_set_words(step->slots, m->arena), name);
    /* One slot as a range: a number alone would be a count. */
    step->undo = arena_format(m->arena, "rcf-plan reshard --from %.8s --to %.8s --slots %s%s%s", to, from, list,
                              step->slots->count == 1 ? "-" : "", step->slots->count == 1 ? list : "");
    return step->argv && step->expect && step->undo;
}

static const char *list_of(struct making *m, const struct step *step)
{
    return slot_set_words(step->slots, m->arena);
}

static bool gather_keys(struct making *m, struct step *step)
{
    const char *list = list_of(m, step);
    step->argv =
        phrase_words(m->arena,
                     arena_format(m->arena, "(%s: CLUSTER SETSLOT {slot} IMPORTING on %s, MIGRATE of its keys to %s)",
                                  list, making_name(m, step->peer), making_name(m, step->on)),
                     NULL);
    step->expect = arena_format(m->arena, "no key of %s left on %s", list, making_name(m, step->peer));
    return step->argv && step->expect;
}

static bool close_slots(struct making *m, struct step *step)
{
    step->expect = arena_format(m->arena, "OK for %s, of which it holds no key unless it serves it", list_of(m, step));
    return step->expect != NULL;
}

static bool add_slots(struct making *m, struct step *step)
{
    step->expect = arena_format(m->arena, "OK for %s, then CLUSTER BUMPEPOCH", list_of(m, step));
    step->undo = "CLUSTER DELSLOTS";
    return step->expect != NULL;
}

static bool verify_owner(struct making *m, struct step *step)
{
    step->expect =
        arena_format(m->arena, "%s on the line of %s, not open anywhere", list_of(m, step), making_name(m, step->on));
    return step->expect != NULL;
}

const struct phrase phrases_slots[ACTIONS] = {
    [ACTION_VERIFY_CLUSTER] = {PLACE_EVERY,
                               {"CLUSTER", "NODES"},
                               "the members and slot owners of the fingerprint, no other open slots",
                               NULL,
                               NULL},
    [ACTION_MOVE_SLOTS] = {PLACE_NODE, .more = move_slots},
    [ACTION_GATHER_KEYS] = {PLACE_NODE, .more = gather_keys},
    [ACTION_CLOSE_SLOTS] = {PLACE_NODE, {"CLUSTER", "SETSLOT", "{slot}", "STABLE"}, .more = close_slots},
    [ACTION_ADD_SLOTS] = {PLACE_NODE, {"CLUSTER", "ADDSLOTS", "{slot}"}, .more = add_slots},
    [ACTION_VERIFY_OWNER] = {PLACE_EVERY, {"CLUSTER", "NODES"}, .more = verify_owner},
};
