/* Moving slots: the fewest, and the ones that the tools would take. Every slot is moved by itself, its keys with
 * it, so that a run which ends in the middle leaves one slot open at most, and can be run again.
 *
 * A plan names its slots. That is what makes it repeatable: `--slots 100` of the tools moves another hundred each
 * time. */
#include <inttypes.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/plan/making.h"
#include "tools/plan/shares.h"

/* What is known of a source. */
struct giver {
    size_t instance;
    uint32_t node;
    bool owned[SLOT_COUNT];
    struct slot_set gives;
    uint64_t keys, bytes; /* of what it gives, by its dump */
    bool counted;
};

struct reshard {
    struct making *m;
    const struct cluster *cluster;
    uint32_t target;
    struct giver *givers;
    size_t count;
    struct slot_set moving;
    bool chosen; /* slots were named, not counted */
    unsigned wanted;
};

/* ------------------------------------------------------------------ what the user asked for */

/* "100" is a number of slots, "0-99" and "5,7-9" are slots. */
static bool read_slots(struct reshard *r, const char *text)
{
    struct making *m = r->m;
    uint64_t number;
    if (text_u64((struct bytes){(const uint8_t *)text, strlen(text)}, &number) && !strchr(text, '-') &&
        !strchr(text, ',')) {
        if (number == 0 || number > SLOT_COUNT)
            return making_stop(m, PLAN_IMPOSSIBLE, "--slots takes 1 to 16384 slots, or ranges such as 0-99,200-200",
                               NULL);
        r->wanted = (unsigned)number;
        return true;
    }
    r->chosen = true;
    if (!slot_set_read(text, &r->moving))
        return making_stop(m, PLAN_IMPOSSIBLE,
                           arena_format(m->arena, "--slots %s: neither a number nor slots such as 0-99,200-200", text),
                           NULL);
    return true;
}

/* A member by the name that the user gives, as a primary that runs; NO_NODE when the plan was stopped. */
static uint32_t find_primary(struct reshard *r, const char *name, const char *option)
{
    struct making *m = r->m;
    const char *why = "no such node";
    size_t instance = evidence_instance(m->scene->evidence, name, &why);
    const struct cluster *cluster = r->cluster;
    uint32_t index = instance == SIZE_MAX || !cluster ? NO_NODE : cluster_node_of(cluster, instance);
    if (instance == SIZE_MAX)
        making_stop(m, PLAN_IMPOSSIBLE, arena_format(m->arena, "%s %s: %s", option, name, why), NULL);
    else if (index == NO_NODE || cluster->nodes[index].standing != STANDING_MEMBER)
        making_stop(m, PLAN_REFUSED, arena_format(m->arena, "%s %s is no member of the cluster", option, name),
                    "rcf-plan add makes it one");
    else if (!cluster->nodes[index].primary)
        making_stop(m, PLAN_REFUSED,
                    arena_format(m->arena, "%s is a replica: only primaries have slots", cluster->nodes[index].name),
                    "name its primary");
    else if (cluster->nodes[index].failed)
        making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena, "%s has failed: slots move only between nodes that run", cluster->nodes[index].name),
            "bring it back first: rcf-plan repair");
    else if (cluster->nodes[index].instance == SIZE_MAX)
        making_stop(m, PLAN_REFUSED,
                    arena_format(m->arena, "the files of %s are missing: what it holds is not known",
                                 cluster->nodes[index].name),
                    "add its nodes.conf and its dump to the case");
    else
        return index;
    return NO_NODE;
}

static bool add_giver(struct reshard *r, uint32_t node)
{
    struct making *m = r->m;
    struct giver *giver = &r->givers[r->count];
    for (size_t g = 0; g < r->count; g++)
        if (r->givers[g].node == node)
            return true;
    if (node == r->target)
        return making_stop(m, PLAN_REFUSED, "It is not possible to use the target node as source node.", NULL);
    *giver = (struct giver){.instance = r->cluster->nodes[node].instance, .node = node};
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        giver->owned[slot] = r->cluster->slots[slot].node == node;
    r->count++;
    return true;
}

/* --from all: every other primary with slots, all of which must be there and run. */
static bool take_all(struct reshard *r)
{
    for (uint32_t n = 0; n < r->cluster->member_count; n++)
        if (n != r->target && r->cluster->nodes[n].slots_owned &&
            (find_primary(r, r->cluster->nodes[n].name, "--from") == NO_NODE || !add_giver(r, n)))
            return false;
    return true;
}

static bool take_named(struct reshard *r, const char *list)
{
    for (const char *at = list;; at++) {
        size_t len = strcspn(at, ",");
        char *name = arena_copy(r->m->arena, at, len);
        uint32_t node = name ? find_primary(r, name, "--from") : NO_NODE;
        if (node == NO_NODE || r->count == r->cluster->member_count || !add_giver(r, node))
            return false;
        at += len;
        if (!*at)
            return true;
    }
}

/* ------------------------------------------------------------------ which slots */

/* Slots that were named: each from its owner, which must be one of the givers; those of the target are there
 * already. */
static bool share_named(struct reshard *r)
{
    struct making *m = r->m;
    struct slot_set foreign = {.count = 0};
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        uint32_t owner = r->cluster->slots[slot].node;
        if (!r->moving.has[slot])
            continue;
        if (owner == r->target) {
            r->moving.has[slot] = false;
            r->moving.count--;
            continue;
        }
        size_t g = 0;
        while (g < r->count && r->givers[g].node != owner)
            g++;
        if (g == r->count)
            slot_set_add(&foreign, slot);
        else
            slot_set_add(&r->givers[g].gives, slot);
    }
    if (foreign.count)
        return making_stop(m, PLAN_REFUSED,
                           arena_format(m->arena, "slots %s are not served by a node of --from",
                                        slot_set_text(&foreign, ',', m->arena)),
                           "name their owner, or --from all");
    return true;
}

/* A number of slots: from each its share, as the tools compute it. */
static bool share_counted(struct reshard *r)
{
    struct making *m = r->m;
    struct share *shares = arena_array(m->arena, r->count, sizeof(*shares));
    unsigned available = 0;
    if (!shares)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    for (size_t g = 0; g < r->count; g++) {
        shares[g] = (struct share){
            .source = g, .owned = r->givers[g].owned, .slots = r->cluster->nodes[r->givers[g].node].slots_owned};
        available += shares[g].slots;
    }
    if (available < r->wanted)
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena, "%u slots are wanted, and the nodes of --from have %u", r->wanted, available), NULL);
    unsigned given =
        shares_compute(shares, r->count, r->wanted, m->plan->dialect == DIALECT_TRIB ? SHARES_DOUBLE : SHARES_SINGLE);
    if (given < r->wanted)
        making_detail(
            m, arena_format(m->arena,
                            "%u slots are wanted; the shares of the sources, rounded as the tools do it, come to %u",
                            r->wanted, given));
    for (size_t g = 0; g < r->count; g++)
        for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
            if (share_gives(&shares[g], slot)) {
                slot_set_add(&r->givers[shares[g].source].gives, slot);
                slot_set_add(&r->moving, slot);
            }
    return true;
}

/* ------------------------------------------------------------------ what moves with them */

static bool count_key(void *context, const struct rdb_item *item)
{
    struct giver *giver = context;
    unsigned slot = keyslot(item->key.name);
    if (giver->gives.has[slot]) {
        giver->keys++;
        giver->bytes += item->key.value_length;
    }
    return true;
}

/* By the dump, where it was not changed by an earlier stage; else keys alone, by the model. */
static void weigh(struct making *m, struct giver *giver)
{
    const struct dump *dump = m->scene->evidence->instances[giver->instance].dump;
    const char *why;
    if (!dump || !dump->whole)
        return;
    struct source *source = evidence_reopen(m->scene->evidence, dump->file);
    giver->counted = source && dump_walk(source, false, count_key, giver, &why);
    source_close(source);
}

/* What the tools refuse to reshard on. */
static bool check_sound(struct reshard *r)
{
    static const enum finding_id unsound[] = {FINDING_SLOT_OPEN, FINDING_SLOT_UNCOVERED, FINDING_SLOT_CONFLICT,
                                              FINDING_SLOT_VIEW_MISMATCH};
    struct making *m = r->m;
    if (!scene_judge(m->scene, m->arena))
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    for (size_t f = 0; f < m->scene->findings->count; f++) {
        const struct finding *finding = &m->scene->findings->all[f];
        for (size_t i = 0; i < sizeof(unsound) / sizeof(unsound[0]); i++)
            if (finding->id == unsound[i])
                making_detail(m, arena_format(m->arena, "%s %s%s%s: %s", finding_word(finding->id),
                                              finding->node ? finding->node : "", finding->slots ? " slots " : "",
                                              finding->slots ? finding->slots : "", finding->summary));
    }
    if (m->plan->detail_count)
        return making_stop(m, PLAN_REFUSED, "Please fix your cluster problems before resharding",
                           "rcf-plan repair plans that");
    return true;
}

/* ------------------------------------------------------------------ the stage */

static const char *amount(struct making *m, const struct giver *giver)
{
    if (!giver->counted)
        return "keys not counted: no whole dump of it is in the case";
    return arena_format(m->arena, "%" PRIu64 " key%s, %" PRIu64 " bytes as its dump has them", giver->keys,
                        giver->keys == 1 ? "" : "s", giver->bytes);
}

static bool add_move(struct reshard *r, struct giver *giver)
{
    struct making *m = r->m;
    if (!giver->gives.count)
        return true;
    weigh(m, giver);
    struct step *step =
        making_slots_step(m, ACTION_MOVE_SLOTS, m->stage->target.instance, giver->instance, &giver->gives);
    if (!step)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    step->expect = arena_format(m->arena, "%u slot%s, %s; %s", giver->gives.count, giver->gives.count == 1 ? "" : "s",
                                amount(m, giver), step->expect);
    return (step->expect && making_bind_side(m, step, "source", giver->instance) &&
            making_bind_side(m, step, "owner", m->stage->target.instance)) ||
           making_stop(m, PLAN_IMPOSSIBLE, "the address of a source is not known from its files", NULL);
}

static bool build(struct reshard *r)
{
    struct making *m = r->m;
    struct stage *stage = m->stage;
    struct slot_set *moving = arena_alloc(m->arena, sizeof(*moving));
    if (!moving)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    *moving = r->moving;
    stage->headline =
        arena_format(m->arena, "Move %u slot%s (%s) to %s (%.8s)", moving->count, moving->count == 1 ? "" : "s",
                     slot_set_text(moving, ',', m->arena), stage->target.name, stage->target.id);
    stage->content = "nothing: keys move with their slots";
    if (!making_step(m, ACTION_VERIFY_CLUSTER) || !making_step(m, ACTION_VERIFY_IDENTITY))
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    for (size_t g = 0; g < r->count; g++)
        if (!add_move(r, &r->givers[g]))
            return false;
    struct step *owner = making_slots_step(m, ACTION_VERIFY_OWNER, stage->target.instance, SIZE_MAX, moving);
    return (owner && making_bind_side(m, owner, "owner", stage->target.instance) && making_bind_cluster(m, moving)) ||
           making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
}

bool make_reshard(struct making *m)
{
    const struct plan_wish *wish = m->wish;
    struct reshard r = {.m = m};
    struct stage *stage = making_stage(m, STAGE_RESHARD);
    const char *why = "no such node";
    if (!stage)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!wish->from || !wish->to || !wish->slots)
        return making_stop(m, PLAN_IMPOSSIBLE, "reshard needs --from, --to and --slots", NULL);
    size_t instance = evidence_instance(m->scene->evidence, wish->to, &why);
    if (instance == SIZE_MAX)
        return making_stop(m, PLAN_IMPOSSIBLE, arena_format(m->arena, "--to %s: %s", wish->to, why), NULL);
    uint32_t index;
    if (!target_find(m, instance, &index))
        return false;
    r.cluster = stage->cluster;
    if ((r.target = find_primary(&r, wish->to, "--to")) == NO_NODE || !check_single(m, r.target) ||
        !check_readable(m) || !check_sound(&r))
        return false;
    r.givers = arena_array(m->arena, r.cluster->member_count + 1, sizeof(*r.givers));
    if (!r.givers)
        return making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
    if (!read_slots(&r, wish->slots) || !(strcmp(wish->from, "all") == 0 ? take_all(&r) : take_named(&r, wish->from)) ||
        !(r.chosen ? share_named(&r) : share_counted(&r)))
        return false;
    if (!r.moving.count)
        return making_stop(m, PLAN_NOTHING, arena_format(m->arena, "%s serves these slots already", stage->target.name),
                           NULL);
    return build(&r) && making_done(m);
}
