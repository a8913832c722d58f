/* Tests:     the keys in dumps against who serves which slot.
 * Relies on: slot owners, and tools/cluster/copies.h for where else keys exist.
 * Reports:   keys-in-foreign-slot, keys-only-here. */
#include <string.h>

#include "tools/cluster/copies.h"
#include "tools/findings/checks.h"

struct foreign {
    const struct cluster *cluster;
    uint32_t serves;   /* node whose slots are at home here, or NO_NODE */
    const struct dump *dump;
    /* Slots that the instance or its primary imports, or that its own line claims: it finds them at its start as its
     * own, and whether it keeps them is told as slot-conflict. */
    const bool *expected;
};

static bool is_foreign(const void *context, unsigned slot)
{
    const struct foreign *f = context;
    uint32_t owner = f->cluster->slots[slot].node;
    if (!f->dump->slot_keys[slot] || f->expected[slot])
        return false;
    /* A slot that nobody owns is told as slot-uncovered; a member takes it when it starts with keys in it. */
    return f->serves == NO_NODE || (owner != NO_NODE && owner != f->serves);
}

static void expect_importing(const struct cluster *cluster, uint32_t index, bool *expected)
{
    if (index == NO_NODE)
        return;
    const struct node *node = &cluster->nodes[index];
    for (size_t c = 0; c < node->claim_count && node->claims[c].own; c++)
        for (uint32_t m = 0; m < node->claims[c].sighting->entry->mark_count; m++)
            if (node->claims[c].sighting->entry->marks[m].kind == SLOT_IMPORTING)
                expected[node->claims[c].sighting->entry->marks[m].slot] = true;
}

static void expect_claimed(const struct node *node, bool *expected)
{
    const struct entry *entry = node->claim_count && node->claims[0].own ? node->claims[0].sighting->entry : NULL;
    for (uint32_t r = 0; entry && r < entry->range_count; r++)
        for (unsigned slot = entry->ranges[r].first; slot <= entry->ranges[r].last && slot < SLOT_COUNT; slot++)
            expected[slot] = true;
}

/* The first keys of foreign slots, to be shown. */
struct showing {
    struct findings *findings;
    struct finding *finding;
    const struct foreign *foreign;
    size_t shown;
};

static bool show_key(void *context, const struct rdb_item *item)
{
    struct showing *showing = context;
    if (item->kind == RDB_KEY && is_foreign(showing->foreign, keyslot(item->key.name))) {
        struct place place = item->place;
        if (place.length > 160)
            place.length = 160;
        finding_shows(showing->findings, showing->finding, showing->foreign->dump->file, place);
        showing->shown++;
    }
    return showing->shown < 3;
}

static const char *at_start(struct server server, uint32_t slots)
{
    if (server.product == PRODUCT_VALKEY && server_compare(server, 8, 0, 0) >= 0)
        return "At its next start as a primary this server deletes them";
    if (server.product == PRODUCT_UNKNOWN)
        return "At its next start as a primary, Redis and Valkey 7.2 mark the slots as importing; Valkey 8.0 and newer delete the keys";
    return slots == 1 ? "At its next start as a primary this server marks the slot as importing"
                      : "At its next start as a primary this server marks the slots as importing";
}

/* The dump was saved after the instance's own view already named, for each of the slots, the owner that decides. */
static bool younger_than_change(const struct instance *instance, const struct foreign *foreign)
{
    if (!instance->view || !foreign->dump->has_ctime || foreign->dump->ctime_s * 1000 <= instance->view->newest_pong_ms)
        return false;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        if (!is_foreign(foreign, slot))
            continue;
        const struct node *owner = &foreign->cluster->nodes[foreign->cluster->slots[slot].node];
        const struct sighting *sighting = view_find(instance->view, owner->number);
        bool named = false;
        for (uint32_t r = 0; sighting && r < sighting->entry->range_count; r++)
            named |= sighting->entry->ranges[r].first <= slot && slot <= sighting->entry->ranges[r].last;
        if (!named)
            return false;
    }
    return true;
}

/* An instance as the subject: by its own address, also where it is no node of the cluster. */
static void about_instance(struct findings *findings, struct finding *f, const struct cluster *cluster, uint32_t index,
                           const struct instance *instance)
{
    if (index != NO_NODE)
        finding_about(findings, f, cluster, index);
    f->cluster = (size_t)(cluster - findings->clusters->all);
    f->node = instance->name;
    f->host = instance->host;
}

static void check_foreign(struct findings *findings, const struct cluster *cluster, uint32_t index, size_t number)
{
    const struct instance *instance = &findings->evidence->instances[number];
    const struct node *node = index == NO_NODE ? NULL : &cluster->nodes[index];
    bool member = node && node->standing == STANDING_MEMBER;
    bool *expected = arena_array(findings->arena, SLOT_COUNT, sizeof(*expected));
    struct foreign foreign = {cluster, NO_NODE, instance->dump, expected};
    if (!instance->dump || !instance->dump->slot_keys || !expected)
        return;
    /* A removed replica still copies its primary, whose slots are at home in its dump. */
    if (node && !member && node->replica && node->follows != NO_NODE && cluster->nodes[node->follows].standing == STANDING_MEMBER)
        foreign.serves = node->follows;
    if (member) {
        foreign.serves = node->replica && node->follows != NO_NODE ? node->follows : index;
        expect_importing(cluster, index, expected);
        expect_importing(cluster, foreign.serves, expected);
        expect_claimed(node, expected);
    }
    const char *slots = slots_text(findings->arena, is_foreign, &foreign);
    if (!slots || !*slots)
        return;
    uint64_t keys = 0;
    uint32_t slot_count = 0;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (is_foreign(&foreign, slot)) {
            keys += instance->dump->slot_keys[slot];
            slot_count++;
        }
    bool severe = !member || younger_than_change(instance, &foreign);
    struct finding *f = findings_add(findings, FINDING_KEYS_IN_FOREIGN_SLOT, CERTAINTY_PROVED);
    if (!f)
        return;
    about_instance(findings, f, cluster, index, instance);
    if (!severe)
        f->severity = SEVERITY_WARNING;
    f->slots = slots;
    f->has_keys = true;
    f->keys = keys;
    f->summary = arena_format(findings->arena, "Its dump holds %llu key%s of %u slot%s%s. %s.", (unsigned long long)keys,
                              keys == 1 ? "" : "s", slot_count, slot_count == 1 ? "" : "s",
                              member ? " that neither it nor its primary serves" : ", and it is no member",
                              at_start(instance->server, slot_count));
    f->rule = !member ? "an outsider serves no slots"
              : severe ? "the dump is younger than the view of this instance that already names other owners"
                       : "the dump may be older than the change of owner";
    f->settles = "a newer dump of this instance, or newer views in which it owns the slots";
    struct source *source = evidence_reopen(findings->evidence, instance->dump->file);
    struct showing showing = {findings, f, &foreign, 0};
    const char *why;
    if (source)
        dump_walk(source, false, show_key, &showing, &why);
    source_close(source);
    if (node && node->claim_count)
        finding_shows_claim(findings, f, &node->claims[0]);
}

static bool is_marked(const void *context, unsigned slot)
{
    const bool *marked = context;
    return marked[slot];
}

/* Its keys cannot be listed, so nothing shows that they exist elsewhere. */
static void report_unknown_keys(struct findings *findings, const struct cluster *cluster, uint32_t index,
                                const struct instance *instance, const struct copies *copies)
{
    struct finding *f = findings_add(findings, FINDING_KEYS_ONLY_HERE, CERTAINTY_PROBABLE);
    if (!f)
        return;
    about_instance(findings, f, cluster, index, instance);
    f->summary = arena_format(findings->arena, "Whether its keys exist elsewhere cannot be shown: %s.", copies->why_not);
    f->rule = "what cannot be compared counts as existing nowhere else";
    f->settles = "a whole dump of this instance";
    finding_shows(findings, f, instance->dump->file, (struct place){0, 9, 0});
}

static void check_only_here(struct findings *findings, const struct cluster *cluster, uint32_t index, size_t number)
{
    const struct instance *instance = &findings->evidence->instances[number];
    if (!instance->dump || (instance->dump->whole && !instance->dump->keys))
        return;
    struct copies *copies = copies_of(cluster, number, findings->arena);
    if (!copies)
        return;
    if (!copies->possible) {
        report_unknown_keys(findings, cluster, index, instance, copies);
        return;
    }
    if (!copies->only_here)
        return;
    struct finding *f = findings_add(findings, FINDING_KEYS_ONLY_HERE, CERTAINTY_PROVED);
    if (!f)
        return;
    about_instance(findings, f, cluster, index, instance);
    if (cluster->missing_count || copies->skipped_count)
        f->certainty = CERTAINTY_PROBABLE;
    f->slots = slots_text(findings->arena, is_marked, copies->slots);
    f->has_keys = true;
    f->keys = copies->only_here;
    f->summary = arena_format(findings->arena, "%llu of its %llu keys are in no dump of a member that could cover them: flushing it would destroy them.",
                              (unsigned long long)copies->only_here, (unsigned long long)copies->count);
    f->rule = "a key is covered only by a whole dump of its slot's owner or that owner's replica, not older, with an equal value";
    f->settles = copies->skipped_count ? arena_format(findings->arena, "better dumps of the owners: %s", copies->skipped[0])
                                       : "newer dumps of the slots' owners that hold them";
    f->goal = "rejoin";
    for (size_t k = 0; k < copies->listed && k < 8; k++) {
        struct place place = copies->keys[k].place;
        if (place.length > 160)
            place.length = 160;
        finding_shows(findings, f, copies->file, place);
    }
}

void check_keys(struct findings *findings, const struct cluster *cluster)
{
    for (size_t i = 0; i < findings->evidence->instance_count; i++) {
        uint32_t index = cluster_node_of(cluster, i);
        bool alone = clusters_of(findings->clusters, i) == NULL;
        /* An instance of no cluster is judged against the only one there is. */
        if (index == NO_NODE && !(alone && findings->clusters->count == 1))
            continue;
        check_foreign(findings, cluster, index, i);
        if (index == NO_NODE || cluster->nodes[index].standing == STANDING_OUTSIDER)
            check_only_here(findings, cluster, index, i);
    }
}
