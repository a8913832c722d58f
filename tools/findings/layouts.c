/* Tests:     dumps against each other: whose slots they fit, which copy is behind, who could load whose.
 * Relies on: slot owners, standing claims, tools/findings/loaders.h.
 * Reports:   dump-misplaced, replica-behind, replica-older-server. */
#include <inttypes.h>
#include <string.h>

#include "tools/findings/checks.h"
#include "tools/findings/loaders.h"

/* Fewer keys can all lie in one other node's slots by chance. */
enum { KEYS_TELLING = 16 };

static const struct instance *instance_of(const struct cluster *cluster, const struct node *node)
{
    return node->instance == SIZE_MAX ? NULL : &cluster->evidence->instances[node->instance];
}

static const struct dump *dump_of(const struct cluster *cluster, const struct node *node)
{
    const struct instance *instance = instance_of(cluster, node);
    return instance ? instance->dump : NULL;
}

static struct place head_of(const struct findings *findings, const struct dump *dump)
{
    const uint64_t shown = 128, size = findings->evidence->files[dump->file].facts.decoded;
    return (struct place){0, size < shown ? size : shown, 0};
}

/* ------------------------------------------------------------------ dumps in the wrong place */

/* The one other primary in whose slots all keys of this primary's dump lie; NO_NODE when it is not so. */
static uint32_t fits(const struct cluster *cluster, uint32_t index)
{
    const struct dump *dump = dump_of(cluster, &cluster->nodes[index]);
    uint32_t owner = NO_NODE;
    if (!cluster->nodes[index].slots_owned || !dump || !dump->whole || !dump->slot_keys || dump->keys < KEYS_TELLING)
        return NO_NODE;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) {
        uint32_t its = cluster->slots[slot].node;
        if (!dump->slot_keys[slot])
            continue;
        if (its == NO_NODE || its == index || (owner != NO_NODE && its != owner))
            return NO_NODE;
        owner = its;
    }
    return owner;
}

static bool has_keys(const void *context, unsigned slot)
{
    const struct dump *dump = context;
    return dump->slot_keys[slot] > 0;
}

static void check_fit(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    uint32_t owner = fits(cluster, index);
    if (owner == NO_NODE)
        return;
    const struct node *node = &cluster->nodes[index], *other = &cluster->nodes[owner];
    const struct dump *dump = dump_of(cluster, node);
    bool swapped = fits(cluster, owner) == index;
    struct finding *f = findings_add(findings, FINDING_DUMP_MISPLACED, swapped ? CERTAINTY_PROVED : CERTAINTY_PROBABLE);
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    f->slots = slots_text(findings->arena, has_keys, dump);
    f->has_keys = true;
    f->keys = dump->keys;
    f->summary =
        arena_format(findings->arena, "All %" PRIu64 " keys of its dump are in slots of %s and none in its own%s.",
                     dump->keys, other->name,
                     swapped ? ", and that one's dump holds its: the two are swapped"
                             : ": a dump of that node, or of this one under another layout");
    f->rule = "each dump was held against the present owners of the slots of its keys";
    f->settles = swapped ? "newer dumps of both nodes"
                         : "a newer dump of this node, or a former layout in which it owned these slots";
    finding_shows(findings, f, dump->file, head_of(findings, dump));
    finding_shows_claim(findings, f, node->stands);
    finding_shows_claim(findings, f, other->stands);
}

/* Primaries of different slots whose dumps are the same file: a copy of one dump, such as that of a server without
 * cluster mode. A replica's dump may well be its primary's. */
static void check_copies(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    const struct dump *dump = dump_of(cluster, node);
    struct finding *f = NULL;
    const char *names = NULL;
    if (!node->slots_owned || !dump || !dump->keys)
        return;
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct dump *other = dump_of(cluster, &cluster->nodes[n]);
        if (n == index || !cluster->nodes[n].slots_owned || !other || other == dump ||
            strcmp(findings->evidence->files[other->file].sha256, findings->evidence->files[dump->file].sha256) != 0)
            continue;
        if (n < index)
            return; /* told with the first */
        if (!f && !(f = findings_add(findings, FINDING_DUMP_MISPLACED, CERTAINTY_PROVED)))
            return;
        names = arena_format(findings->arena, "%s%s%s", names ? names : "", names ? ", " : "", cluster->nodes[n].name);
        finding_shows(findings, f, other->file, head_of(findings, other));
    }
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    f->slots = slots_text(findings->arena, has_keys, dump);
    f->has_keys = true;
    f->keys = dump->keys;
    f->summary = arena_format(findings->arena,
                              "Its dump of %" PRIu64
                              " keys is, byte for byte, that of %s too: one dump was copied to several primaries, "
                              "which own different slots.",
                              dump->keys, names ? names : "others");
    f->rule = "equal SHA-256 of the dumps of primaries that own different slots";
    f->settles = "newer dumps of these nodes";
    finding_shows(findings, f, dump->file, head_of(findings, dump));
}

/* ------------------------------------------------------------------ replicas */

static void check_behind(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const int64_t skew_s = 60;
    const struct node *node = &cluster->nodes[index], *primary = &cluster->nodes[node->follows];
    const struct dump *mine = dump_of(cluster, node), *theirs = dump_of(cluster, primary);
    if (!mine || !theirs || !mine->repl_id || !theirs->repl_id || strcmp(mine->repl_id, theirs->repl_id) != 0 ||
        !mine->has_repl_offset || !theirs->has_repl_offset || !mine->has_ctime || !theirs->has_ctime ||
        mine->repl_offset >= theirs->repl_offset)
        return;
    int64_t later_s = mine->ctime_s - theirs->ctime_s;
    bool one_clock = strcmp(node->host, primary->host) == 0;
    if (later_s <= (one_clock ? 1 : skew_s))
        return;
    struct finding *f = findings_add(findings, FINDING_REPLICA_BEHIND, CERTAINTY_PROVED);
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    f->summary = arena_format(findings->arena,
                              "Its dump was saved %" PRId64 " s after that of %s and is %" PRId64
                              " bytes behind it in the same history: "
                              "it does not follow, and what it lacks is lost if it is promoted.",
                              later_s, primary->name, theirs->repl_offset - mine->repl_offset);
    f->rule = "equal repl-id, a later ctime and a lower repl-offset; a minute is granted to clocks of two hosts";
    f->settles = "INFO replication of both: master_link_status and the offsets as they are now";
    finding_shows(findings, f, mine->file, head_of(findings, mine));
    finding_shows(findings, f, theirs->file, head_of(findings, theirs));
    finding_shows_claim(findings, f, node->stands);
}

/* What the server generation makes of a dump that the primary's own loads; NULL when it is not known. */
static const struct loader *loader_of(const struct loader *loaders, struct server server)
{
    enum generation generation = server_generation(server);
    for (size_t l = 0; generation != GENERATIONS && l < loaders_count(); l++)
        if (strcmp(loaders[l].server, generation_name(generation)) == 0)
            return &loaders[l];
    return NULL;
}

static void check_server(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index], *primary = &cluster->nodes[node->follows];
    const struct instance *mine = instance_of(cluster, node), *theirs = instance_of(cluster, primary);
    const struct dump *dump = dump_of(cluster, primary);
    if (!mine || !theirs || !dump || !dump->whole || mine->server.product == PRODUCT_UNKNOWN ||
        server_generation(mine->server) == server_generation(theirs->server))
        return;
    struct loader *loaders = arena_array(findings->arena, loaders_count(), sizeof(*loaders));
    if (!loaders || !loaders_judge(findings->arena, dump, loaders))
        return;
    const struct loader *here = loader_of(loaders, mine->server), *there = loader_of(loaders, theirs->server);
    if (!here || !there || here->outcome != LOADER_REFUSES || there->outcome != LOADER_LOADS)
        return;
    struct finding *f = findings_add(findings, FINDING_REPLICA_OLDER_SERVER, CERTAINTY_PROBABLE);
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    f->summary = arena_format(
        findings->arena,
        "It runs %s, which refuses the dump of its primary %s (%s): %s. A full synchronization would fail in the "
        "same way.",
        here->server, primary->name, there->server, here->why ? here->why : "its version is newer");
    f->rule = "what a primary sends in a full synchronization is a dump of its own version";
    f->settles = "the versions that run now: one of the two may have been upgraded since";
    finding_shows(findings, f, dump->file, (struct place){0, 9, 0});
    finding_shows_claim(findings, f, node->stands);
}

void check_layouts(struct findings *findings, const struct cluster *cluster)
{
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        check_fit(findings, cluster, n);
        check_copies(findings, cluster, n);
        if (!cluster->nodes[n].replica || cluster->nodes[n].follows >= cluster->member_count)
            continue;
        check_behind(findings, cluster, n);
        check_server(findings, cluster, n);
    }
}
