#include "tools/cluster/tolerance.h"

#include <stdlib.h>
#include <string.h>

#include "tools/evidence/hosts.h"

/* A voting primary and its copies. */
struct shard {
    uint32_t primary;
    bool alive;               /* has not failed before */
    size_t copies, eligible;  /* replicas that have not failed; those that may stand for election */
    const uint32_t *replicas; /* members that follow it and have not failed */
};

struct weighing {
    const struct cluster *cluster;
    struct arena *arena;
    struct tolerance *tolerance;
    struct shard *shards;
    size_t shard_count;
    uint32_t *shard_of; /* member -> the shard that it serves or copies without having failed, or NO_NODE */
    bool *eligible;     /* member: a copy that may stand for election */
    uint32_t unserved;  /* slots that nobody serves now: uncovered, or of a failed owner */
};

/* ------------------------------------------------------------------ words */

const char *fate_word(enum fate fate)
{
    static const char *const words[] = {"taken-over", "no-candidate", "no-majority", "lost"};
    return words[fate];
}

const char *service_word(enum service service)
{
    static const char *const words[] = {"whole", "partial", "down"};
    return words[service];
}

const char *loss_word(enum loss_kind kind)
{
    static const char *const words[] = {"host", "zone", "instance", "pair"};
    return words[kind];
}

const char *heir_word(enum heir_basis basis)
{
    static const char *const words[] = {"none", "only", "offset", "open"};
    return words[basis];
}

/* ------------------------------------------------------------------ the shards as they are */

static const struct instance *instance_of(const struct cluster *cluster, uint32_t node)
{
    size_t instance = cluster->nodes[node].instance;
    return instance == SIZE_MAX ? NULL : &cluster->evidence->instances[instance];
}

static bool may_stand(const struct cluster *cluster, uint32_t node)
{
    const struct instance *instance = instance_of(cluster, node);
    return !instance || !settings_yes(instance->settings, "cluster-replica-no-failover", false);
}

static bool describe_shards(struct weighing *w)
{
    const struct cluster *cluster = w->cluster;
    uint32_t *replicas = arena_array(w->arena, cluster->member_count, sizeof(*replicas));
    w->shards = arena_array(w->arena, cluster->voting, sizeof(*w->shards));
    w->shard_of = arena_array(w->arena, cluster->member_count, sizeof(*w->shard_of));
    w->eligible = arena_array(w->arena, cluster->member_count, sizeof(*w->eligible));
    if (!replicas || !w->shards || !w->shard_of || !w->eligible)
        return false;
    memset(w->shard_of, 0xff, cluster->member_count * sizeof(*w->shard_of));
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (cluster->nodes[n].slots_owned && w->shard_count < cluster->voting) {
            w->shard_of[n] = (uint32_t)w->shard_count;
            w->shards[w->shard_count++] = (struct shard){.primary = n, .alive = !cluster->nodes[n].failed};
        }
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (node->slots_owned || node->failed || !node->replica || node->follows == NO_NODE ||
            node->follows >= cluster->member_count || !cluster->nodes[node->follows].slots_owned)
            continue;
        w->shard_of[n] = w->shard_of[node->follows];
        w->eligible[n] = may_stand(cluster, n);
        w->shards[w->shard_of[n]].copies++;
        w->shards[w->shard_of[n]].eligible += w->eligible[n];
    }
    for (size_t s = 0; s < w->shard_count; s++) {
        w->shards[s].replicas = replicas;
        replicas += w->shards[s].copies;
        w->shards[s].copies = 0;
    }
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        struct shard *shard = w->shard_of[n] == NO_NODE ? NULL : &w->shards[w->shard_of[n]];
        if (shard && shard->primary != n) /* the array was cut for these counts above */
            ((uint32_t *)(uintptr_t)shard->replicas)[shard->copies++] = n;
    }
    return true;
}

static enum service service_of(const struct weighing *w, bool majority, uint32_t unserved)
{
    if (!majority || (unserved && w->cluster->full_coverage))
        return SERVICE_DOWN;
    return unserved ? SERVICE_PARTIAL : SERVICE_WHOLE;
}

static void describe_now(struct weighing *w)
{
    struct tolerance *t = w->tolerance;
    t->majority = w->cluster->voting / 2 + 1;
    w->unserved = w->cluster->uncovered;
    for (size_t s = 0; s < w->shard_count; s++) {
        t->voting_now += w->shards[s].alive;
        if (!w->shards[s].alive)
            w->unserved += w->cluster->nodes[w->shards[s].primary].slots_owned;
    }
    t->now = service_of(w, t->voting_now >= t->majority, w->unserved);
}

/* ------------------------------------------------------------------ one loss */

/* What becomes of a shard of which `copies` and `eligible` are left. */
static enum fate fate_of(size_t copies, size_t eligible, bool majority)
{
    if (!copies)
        return FATE_LOST;
    if (!eligible)
        return FATE_NO_CANDIDATE;
    return majority ? FATE_TAKEN_OVER : FATE_NO_MAJORITY;
}

/* The shard is concerned: it loses its primary, or the last copy of what a failed one held. */
static bool concerned(const struct shard *shard, bool primary_lost, size_t copies_left)
{
    return shard->alive ? primary_lost : shard->copies && !copies_left;
}

static void count_fate(const struct weighing *w, struct loss *loss, const struct shard *shard, enum fate fate,
                       uint32_t *unserved)
{
    uint32_t slots = w->cluster->nodes[shard->primary].slots_owned;
    loss->slots[fate] += slots;
    if (shard->alive && fate != FATE_TAKEN_OVER)
        *unserved += slots;
}

static void count_votes(const struct weighing *w, struct loss *loss)
{
    loss->voting_left = w->tolerance->voting_now - loss->voting;
    loss->majority = loss->voting_left >= w->tolerance->majority;
}

/* ------------------------------------------------------------------ hosts and zones */

struct group_key {
    const char *name;
    uint32_t node;
};

static int by_key(const void *one, const void *two)
{
    const struct group_key *a = one, *b = two;
    int order = strcmp(a->name, b->name);
    return order ? order : a->node < b->node ? -1 : a->node > b->node;
}

static const struct dump *offset_of(const struct cluster *cluster, uint32_t node)
{
    const struct instance *instance = instance_of(cluster, node);
    const struct dump *dump = instance ? instance->dump : NULL;
    return dump && dump->repl_id && dump->has_repl_offset ? dump : NULL;
}

/* Puts the candidate that its dump shows to be ahead first. */
static enum heir_basis choose_heir(const struct cluster *cluster, uint32_t *candidates, size_t count)
{
    if (count < 2)
        return count ? HEIR_ONLY : HEIR_NONE;
    const struct dump *best = offset_of(cluster, candidates[0]);
    size_t ahead = 0;
    bool tied = false;
    for (size_t c = 1; best && c < count; c++) {
        const struct dump *dump = offset_of(cluster, candidates[c]);
        if (!dump || strcmp(dump->repl_id, best->repl_id) != 0)
            return HEIR_OPEN;
        if (dump->repl_offset > best->repl_offset) {
            best = dump;
            ahead = c;
            tied = false;
        } else if (dump->repl_offset == best->repl_offset) {
            tied = true;
        }
    }
    if (!best || tied)
        return HEIR_OPEN;
    uint32_t heir = candidates[ahead];
    memmove(candidates + 1, candidates, ahead * sizeof(*candidates));
    candidates[0] = heir;
    return HEIR_OFFSET;
}

static bool describe_shard(struct weighing *w, const bool *lost, const struct shard *shard, bool majority,
                           struct shard_loss *answer)
{
    uint32_t *candidates = arena_array(w->arena, shard->copies, sizeof(*candidates));
    size_t copies = 0, count = 0;
    for (size_t r = 0; candidates && r < shard->copies; r++) {
        uint32_t replica = shard->replicas[r];
        copies += !lost[replica];
        if (!lost[replica] && w->eligible[replica])
            candidates[count++] = replica;
    }
    *answer = (struct shard_loss){.primary = shard->primary,
                                  .fate = fate_of(copies, count, majority),
                                  .candidates = candidates,
                                  .candidate_count = count};
    answer->basis = candidates ? choose_heir(w->cluster, candidates, count) : HEIR_NONE;
    return candidates;
}

/* The shards that a member of the group is part of, each once, by the name of the primary. */
static size_t touched_shards(const struct weighing *w, const struct group_key *keys, size_t count, bool *seen,
                             uint32_t *touched)
{
    size_t shards = 0;
    for (size_t k = 0; k < count; k++) {
        uint32_t s = w->shard_of[keys[k].node];
        if (s == NO_NODE || seen[s])
            continue;
        seen[s] = true;
        touched[shards++] = s;
    }
    for (size_t i = 0; i < shards; i++)
        seen[touched[i]] = false;
    return shards;
}

static int by_number(const void *one, const void *two)
{
    const uint32_t *a = one, *b = two;
    return *a < *b ? -1 : *a > *b;
}

static bool lose_group(struct weighing *w, enum loss_kind kind, const struct group_key *keys, size_t count, bool *lost,
                       bool *seen, uint32_t *touched, struct loss *loss)
{
    uint32_t unserved = w->unserved;
    *loss = (struct loss){.kind = kind, .name = keys[0].name, .nodes = {NO_NODE, NO_NODE}, .instances = count};
    for (size_t k = 0; k < count; k++) {
        const struct node *node = &w->cluster->nodes[keys[k].node];
        lost[keys[k].node] = true;
        loss->voting += node->slots_owned && !node->failed;
    }
    count_votes(w, loss);
    size_t shards = touched_shards(w, keys, count, seen, touched);
    if (shards)
        qsort(touched, shards, sizeof(*touched), by_number);
    struct shard_loss *answers = arena_array(w->arena, shards, sizeof(*answers));
    bool done = answers;
    for (size_t i = 0; done && i < shards; i++) {
        const struct shard *shard = &w->shards[touched[i]];
        size_t copies = 0;
        for (size_t r = 0; r < shard->copies; r++)
            copies += !lost[shard->replicas[r]];
        if (!concerned(shard, lost[shard->primary], copies))
            continue;
        done = describe_shard(w, lost, shard, loss->majority, &answers[loss->shard_count]);
        count_fate(w, loss, shard, answers[loss->shard_count++].fate, &unserved);
    }
    loss->shards = answers;
    loss->service = service_of(w, loss->majority, unserved);
    for (size_t k = 0; k < count; k++)
        lost[keys[k].node] = false;
    return done;
}

static const char *zone_of(const struct cluster *cluster, uint32_t n)
{
    const struct entry *entry = cluster->nodes[n].entry;
    const struct instance *instance = instance_of(cluster, n);
    const char *zone = instance ? hosts_zone(cluster->evidence, instance->ip, instance->port) : NULL;
    return zone || !entry ? zone
                          : hosts_zone(cluster->evidence, entry->ip, entry->port ? entry->port : entry->tls_port);
}

static bool lose_groups(struct weighing *w)
{
    const struct cluster *cluster = w->cluster;
    struct group_key *keys = arena_array(w->arena, cluster->member_count, sizeof(*keys));
    bool *lost = arena_array(w->arena, cluster->member_count, sizeof(*lost));
    bool *seen = arena_array(w->arena, w->shard_count, sizeof(*seen));
    uint32_t *touched = arena_array(w->arena, w->shard_count, sizeof(*touched));
    struct loss *groups = NULL;
    size_t count = 0, cap = 0;
    if (!keys || !lost || !seen || !touched)
        return false;
    for (int kind = LOSS_HOST; kind <= LOSS_ZONE; kind++) {
        size_t keyed = 0;
        for (uint32_t n = 0; n < cluster->member_count; n++) {
            const char *name = kind == LOSS_HOST ? cluster->nodes[n].host : zone_of(cluster, n);
            if (name)
                keys[keyed++] = (struct group_key){name, n};
        }
        if (keyed)
            qsort(keys, keyed, sizeof(*keys), by_key);
        for (size_t first = 0, end; first < keyed; first = end) {
            for (end = first + 1; end < keyed && strcmp(keys[end].name, keys[first].name) == 0;)
                end++;
            groups = arena_grow(w->arena, groups, count, &cap, sizeof(*groups));
            if (!groups ||
                !lose_group(w, (enum loss_kind)kind, keys + first, end - first, lost, seen, touched, &groups[count++]))
                return false;
        }
    }
    w->tolerance->groups = groups;
    w->tolerance->group_count = count;
    return true;
}

/* ------------------------------------------------------------------ one instance, two instances */

/* `b` may be NO_NODE. `shards` has room for two, without candidates. */
static struct loss lose_two(const struct weighing *w, uint32_t a, uint32_t b, struct shard_loss shards[2])
{
    struct loss loss = {
        .kind = b == NO_NODE ? LOSS_INSTANCE : LOSS_PAIR, .nodes = {a, b}, .instances = b == NO_NODE ? 1 : 2};
    uint32_t unserved = w->unserved, before = NO_NODE;
    for (int i = 0; i < 2 && loss.nodes[i] != NO_NODE; i++) {
        const struct node *node = &w->cluster->nodes[loss.nodes[i]];
        loss.voting += node->slots_owned && !node->failed;
    }
    count_votes(w, &loss);
    for (int i = 0; i < 2 && loss.nodes[i] != NO_NODE; i++) {
        uint32_t s = w->shard_of[loss.nodes[i]];
        if (s == NO_NODE || s == before)
            continue;
        before = s;
        const struct shard *shard = &w->shards[s];
        size_t copies = shard->copies, eligible = shard->eligible;
        bool primary_lost = false;
        for (int k = 0; k < 2 && loss.nodes[k] != NO_NODE; k++) {
            if (w->shard_of[loss.nodes[k]] != s)
                continue;
            primary_lost |= loss.nodes[k] == shard->primary;
            copies -= loss.nodes[k] != shard->primary;
            eligible -= w->eligible[loss.nodes[k]];
        }
        if (!concerned(shard, primary_lost, copies))
            continue;
        enum fate fate = fate_of(copies, eligible, loss.majority);
        count_fate(w, &loss, shard, fate, &unserved);
        shards[loss.shard_count++] = (struct shard_loss){.primary = shard->primary, .fate = fate};
    }
    loss.service = service_of(w, loss.majority, unserved);
    return loss;
}

static bool loses_majority(const struct weighing *w, const struct loss *loss)
{
    return !loss->majority && w->tolerance->voting_now >= w->tolerance->majority;
}

static uint32_t slots_lost(const struct loss *loss)
{
    return loss->slots[FATE_LOST] + loss->slots[FATE_NO_CANDIDATE] + loss->slots[FATE_NO_MAJORITY];
}

static bool harmful(const struct weighing *w, const struct loss *loss)
{
    return slots_lost(loss) || loses_majority(w, loss);
}

static bool add_pair(struct weighing *w, struct loss **pairs, size_t *cap, const struct loss *loss,
                     const struct shard_loss *shards)
{
    struct loss *all = arena_grow(w->arena, *pairs, w->tolerance->pair_count, cap, sizeof(*all));
    struct shard_loss *kept = arena_array(w->arena, loss->shard_count, sizeof(*kept));
    if (!all || !kept)
        return false;
    *pairs = all;
    memcpy(kept, shards, loss->shard_count * sizeof(*kept));
    all[w->tolerance->pair_count] = *loss;
    all[w->tolerance->pair_count++].shards = kept;
    return true;
}

static bool lose_pairs(struct weighing *w)
{
    struct tolerance *t = w->tolerance;
    uint32_t members = (uint32_t)w->cluster->member_count;
    struct loss *alone = arena_array(w->arena, members, sizeof(*alone)), *pairs = NULL;
    struct shard_loss shards[2];
    size_t cap = 0;
    if (!alone)
        return false;
    for (uint32_t a = 0; a < members; a++) {
        alone[a] = lose_two(w, a, NO_NODE, shards);
        if (harmful(w, &alone[a]) && !add_pair(w, &pairs, &cap, &alone[a], shards))
            return false;
    }
    for (uint32_t a = 0; a < members; a++)
        for (uint32_t b = a + 1; b < members; b++) {
            struct loss both = lose_two(w, a, b, shards);
            t->pairs_tried++;
            if (!harmful(w, &both))
                continue;
            t->pairs_harmful++;
            bool more = slots_lost(&both) > slots_lost(&alone[a]) + slots_lost(&alone[b]) ||
                        (loses_majority(w, &both) && !loses_majority(w, &alone[a]) && !loses_majority(w, &alone[b]));
            if (more && !add_pair(w, &pairs, &cap, &both, shards))
                return false;
        }
    t->pairs = pairs;
    return true;
}

/* ------------------------------------------------------------------ answers */

struct tolerance *tolerance_of(const struct cluster *cluster, struct arena *arena)
{
    struct tolerance *tolerance = arena_alloc(arena, sizeof(*tolerance));
    struct weighing w = {.cluster = cluster, .arena = arena, .tolerance = tolerance};
    if (!tolerance)
        return NULL;
    *tolerance = (struct tolerance){.cluster = cluster};
    if (!describe_shards(&w))
        return NULL;
    describe_now(&w);
    return lose_groups(&w) && lose_pairs(&w) && !arena_failed(arena) ? tolerance : NULL;
}

struct fated {
    const struct cluster *cluster;
    const bool *wanted; /* by node */
};

static bool is_fated(const void *context, unsigned slot)
{
    const struct fated *fated = context;
    uint32_t owner = fated->cluster->slots[slot].node;
    return owner != NO_NODE && fated->wanted[owner];
}

char *tolerance_slots(const struct cluster *cluster, const struct loss *loss, unsigned fates, struct arena *arena)
{
    bool *wanted = arena_array(arena, cluster->node_count, sizeof(*wanted));
    if (!wanted)
        return NULL;
    for (size_t s = 0; s < loss->shard_count; s++)
        wanted[loss->shards[s].primary] = fates >> loss->shards[s].fate & 1;
    return slots_text(arena, is_fated, &(struct fated){cluster, wanted});
}
