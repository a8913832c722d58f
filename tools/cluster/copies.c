#include "tools/cluster/copies.h"

#include <inttypes.h>
#include <string.h>

#include "tools/keyspace/compare.h"

/* A proof in the making. A dump that turns out not to be whole while it is compared is no proof, and what it seemed to
 * cover is not known any more: then all is compared again without it. */
struct proof {
    const struct cluster *cluster;
    const struct instance *suspect;
    struct arena *arena;
    struct copies *copies;
    struct compare *compare;
    const char **faults; /* by member: why its dump cannot be compared, or NULL */
    bool *owned;         /* by slot: this dump is a proof for its keys */
    bool *slots;
    struct copied_key *keys;
    size_t key_cap;
    const char **notes;
    size_t note_count, note_cap;
    size_t *covering;
    size_t covering_cap;
};

enum outcome { OUTCOME_DONE, OUTCOME_AGAIN, OUTCOME_NO_MEMORY };

static bool note(struct proof *proof, const char *text)
{
    const char **notes = arena_grow(proof->arena, proof->notes, proof->note_count, &proof->note_cap, sizeof(*notes));
    if (!notes || !text)
        return false;
    proof->notes = notes;
    notes[proof->note_count++] = text;
    return true;
}

/* Why a dump was not compared whole, or NULL. */
static const char *fault_of(const struct source *source, const struct compare_end *end, struct arena *arena)
{
    if (end->scan.stop == RDB_STOP_READ && source_why(source))
        return arena_string(arena, source_why(source));
    if (end->scan.stop != RDB_STOP_NONE)
        return arena_string(arena, end->scan.why);
    return end->corrupt ? arena_format(arena, "damaged at offset %" PRIu64, end->first.offset) : NULL;
}

/* ------------------------------------------------------------------ the members' keys */

/* Whether the dump of this instance proves anything about keys of the suspect; why not, or NULL. */
static const char *no_proof(const struct cluster *cluster, const struct instance *suspect,
                            const struct instance *witness, const struct node *owner, bool replica,
                            struct arena *arena)
{
    const struct dump *mine = suspect->dump, *theirs = witness->dump;
    if (!theirs)
        return arena_format(arena, "%s has no dump in the case", witness->name);
    if (!theirs->whole)
        return arena_format(arena, "the dump of %s is not whole", witness->name);
    if (!mine->has_ctime || !theirs->has_ctime)
        return arena_format(arena, "the dump of %s cannot be dated against this one", witness->name);
    if (theirs->ctime_s < mine->ctime_s)
        return arena_format(arena, "the dump of %s is %lld s older than this one", witness->name,
                            (long long)(mine->ctime_s - theirs->ctime_s));
    if (!replica)
        return NULL;
    const struct instance *primary =
        owner->instance == SIZE_MAX ? NULL : &cluster->evidence->instances[owner->instance];
    if (!primary || !primary->dump || !primary->dump->repl_id || !theirs->repl_id ||
        strcmp(primary->dump->repl_id, theirs->repl_id) != 0)
        return arena_format(arena, "the dump of the replica %s cannot be shown to share the history of %s",
                            witness->name, owner->name);
    return NULL;
}

static bool is_owned(const void *context, const struct rdb_key *key)
{
    const bool *owned = context;
    return owned[keyslot(key->name)];
}

static enum outcome compare_dump(struct proof *proof, uint32_t member, const struct instance *witness)
{
    struct source *source = evidence_reopen(proof->cluster->evidence, witness->dump->file);
    struct compare_end end;
    compare_narrow(proof->compare, is_owned, proof->owned);
    bool done = source && compare_read(proof->compare, COMPARE_B, source, &end);
    const char *fault = done ? fault_of(source, &end, proof->arena) : NULL;
    source_close(source);
    if (!done)
        return OUTCOME_NO_MEMORY;
    if (fault) {
        proof->faults[member] =
            arena_format(proof->arena, "the dump of %s could not be compared: %s", witness->name, fault);
        return proof->faults[member] ? OUTCOME_AGAIN : OUTCOME_NO_MEMORY;
    }
    size_t *files = arena_grow(proof->arena, proof->covering, proof->copies->covering_count, &proof->covering_cap,
                               sizeof(*files));
    if (!files)
        return OUTCOME_NO_MEMORY;
    proof->covering = files;
    files[proof->copies->covering_count++] = witness->dump->file;
    return OUTCOME_DONE;
}

static enum outcome compare_member(struct proof *proof, uint32_t index)
{
    const struct cluster *cluster = proof->cluster;
    const struct node *node = &cluster->nodes[index];
    const struct node *owner = node->replica && node->follows != NO_NODE ? &cluster->nodes[node->follows] : node;
    uint32_t owner_index = (uint32_t)(owner - cluster->nodes);
    bool wanted = false;
    for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
        proof->owned[slot] = cluster->slots[slot].node == owner_index;
        wanted |= proof->owned[slot] && proof->suspect->dump->slot_keys[slot];
    }
    if (!wanted)
        return OUTCOME_DONE;
    const char *why = proof->faults[index];
    const struct instance *witness = node->instance == SIZE_MAX ? NULL : &cluster->evidence->instances[node->instance];
    if (witness == proof->suspect)
        return OUTCOME_DONE;
    if (!why)
        why = witness ? no_proof(cluster, proof->suspect, witness, owner, owner != node, proof->arena)
                      : arena_format(proof->arena, "no files of %s are in the case", node->name);
    if (why)
        return note(proof, why) ? OUTCOME_DONE : OUTCOME_NO_MEMORY;
    return compare_dump(proof, index, witness);
}

/* ------------------------------------------------------------------ the suspect's keys */

static bool take_key(void *context, const struct compare_key *key)
{
    struct proof *proof = context;
    struct copies *copies = proof->copies;
    if (key->how != COMPARE_ONLY_A)
        return true;
    copies->slot_count += !proof->slots[key->slot];
    proof->slots[key->slot] = true;
    if (copies->listed == COPIES_LISTED)
        return true;
    struct copied_key *keys = arena_grow(proof->arena, proof->keys, copies->listed, &proof->key_cap, sizeof(*keys));
    char *name = arena_copy(proof->arena, key->name.at, key->name.len);
    if (!keys || !name)
        return false;
    proof->keys = keys;
    keys[copies->listed++] = (struct copied_key){
        .name = {(const uint8_t *)name, key->name.len}, .db = key->db, .slot = key->slot, .place = key->a->place};
    return true;
}

/* Names what exists only here. */
static enum outcome list_keys(struct proof *proof)
{
    struct copies *copies = proof->copies;
    proof->slots = arena_array(proof->arena, SLOT_COUNT, sizeof(*proof->slots));
    struct source *source = evidence_reopen(proof->cluster->evidence, copies->file);
    struct scan_end end;
    compare_narrow(proof->compare, NULL, NULL);
    bool done = source && proof->slots &&
                compare_list(proof->compare, COMPARE_A, (uint32_t)copies->file, source, take_key, proof, &end);
    source_close(source);
    if (!done)
        return OUTCOME_NO_MEMORY;
    copies->slots = proof->slots;
    copies->keys = proof->keys;
    if (compare_unlisted(proof->compare, COMPARE_A)) {
        copies->possible = false;
        copies->why_not = "its dump changed while it was read";
    }
    return OUTCOME_DONE;
}

static enum outcome read_suspect(struct proof *proof)
{
    struct copies *copies = proof->copies;
    struct source *source = evidence_reopen(proof->cluster->evidence, copies->file);
    struct compare_end end;
    bool done = source && compare_read(proof->compare, COMPARE_A, source, &end);
    copies->why_not = done ? fault_of(source, &end, proof->arena) : NULL;
    source_close(source);
    if (!done)
        return OUTCOME_NO_MEMORY;
    copies->possible = !copies->why_not;
    return OUTCOME_DONE;
}

static enum outcome attempt(struct proof *proof)
{
    struct copies *copies = proof->copies;
    proof->note_count = copies->covering_count = 0;
    enum outcome outcome = read_suspect(proof);
    for (uint32_t n = 0; outcome == OUTCOME_DONE && copies->possible && n < proof->cluster->member_count; n++)
        outcome = compare_member(proof, n);
    if (outcome != OUTCOME_DONE || !copies->possible)
        return outcome;
    if (!compare_settle(proof->compare))
        return OUTCOME_NO_MEMORY;
    struct compare_counts counts = compare_counts(proof->compare);
    if (counts.repeated[COMPARE_A]) {
        copies->possible = false;
        copies->why_not = "its dump holds keys twice, so what a server makes of them cannot be said";
        return OUTCOME_DONE;
    }
    copies->count = counts.read[COMPARE_A];
    copies->only_here = counts.keys[COMPARE_ONLY_A];
    copies->covered = counts.keys[COMPARE_EQUAL];
    copies->differs = copies->count - copies->only_here - copies->covered;
    copies->covering = proof->covering;
    copies->skipped = proof->notes;
    copies->skipped_count = proof->note_count;
    return copies->only_here ? list_keys(proof) : OUTCOME_DONE;
}

struct copies *copies_of(const struct cluster *cluster, size_t instance, struct arena *arena)
{
    const struct instance *suspect = &cluster->evidence->instances[instance];
    struct copies *copies = arena_alloc(arena, sizeof(*copies));
    if (!copies)
        return NULL;
    *copies = (struct copies){.possible = true, .file = SIZE_MAX};
    if (!suspect->dump)
        return copies;
    copies->file = suspect->dump->file;
    if (!suspect->dump->whole) {
        copies->possible = false;
        copies->why_not = "its dump is not whole, so its keys cannot be listed";
        return copies;
    }
    if (suspect->dump->keys == 0)
        return copies;
    struct proof proof = {
        .cluster = cluster,
        .suspect = suspect,
        .arena = arena,
        .copies = copies,
        .faults = arena_array(arena, cluster->member_count, sizeof(*proof.faults)),
        .owned = arena_array(arena, SLOT_COUNT, sizeof(*proof.owned)),
    };
    enum outcome outcome = proof.faults && proof.owned ? OUTCOME_AGAIN : OUTCOME_NO_MEMORY;
    while (outcome == OUTCOME_AGAIN) {
        const struct compare_options options = {.ignore_only_b = true};
        proof.compare = compare_new(&options);
        outcome = proof.compare ? attempt(&proof) : OUTCOME_NO_MEMORY;
        compare_free(proof.compare);
    }
    return outcome == OUTCOME_DONE ? copies : NULL;
}
