#include "tools/plan/plan.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

#include "tools/cluster/membership.h"

enum { BAN_S = 60, KEYS_NAMED = 20 };

/* ------------------------------------------------------------------ saying no */

static bool stop(struct plan *plan, enum plan_outcome outcome, const char *why, const char *hint)
{
    plan->outcome = outcome;
    plan->why = why ? why : "out of memory";
    plan->hint = hint;
    return false;
}

static void detail(struct plan *plan, struct arena *arena, const char *line)
{
    const char **lines = arena_array(arena, plan->detail_count + 1, sizeof(*lines));
    if (!lines || !line)
        return;
    for (size_t i = 0; i < plan->detail_count; i++)
        lines[i] = plan->details[i];
    lines[plan->detail_count++] = line;
    plan->details = lines;
}

/* ------------------------------------------------------------------ who the target is */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Plain, or in the container that Valkey itself writes. */
static bool is_as_on_host(const struct evidence_file *file)
{
    return file->facts.coding == SOURCE_PLAIN || file->facts.coding == SOURCE_VCS;
}

/* The name of a file on its host: a compressed copy was compressed by whoever collected it. */
static const char *name_on_host(const struct evidence *evidence, size_t file, struct arena *arena)
{
    const struct evidence_file *found = &evidence->files[file];
    const char *name = base_name(found->path), *dot = strrchr(name, '.');
    bool packed = !is_as_on_host(found) && dot;
    return packed ? arena_copy(arena, name, (size_t)(dot - name)) : name;
}

static bool find_address(struct plan *plan, struct arena *arena, const struct node *node)
{
    const struct instance *instance = &plan->evidence->instances[plan->target];
    plan->target_ip = instance->ip && *instance->ip ? instance->ip : NULL;
    plan->target_port = instance->port;
    for (size_t c = 0; node && c < node->claim_count; c++) {
        const struct entry *entry = node->claims[c].sighting->entry;
        if (!plan->target_ip && *entry->ip)
            plan->target_ip = entry->ip;
        if (!plan->target_port)
            plan->target_port = entry->port;
    }
    if (!plan->target_ip && instance->settings) {
        const char *announce = settings_text(instance->settings, "cluster-announce-ip", NULL);
        plan->target_ip = announce ? announce : settings_text(instance->settings, "bind", NULL);
    }
    if (!plan->target_ip || !plan->target_port)
        return false;
    plan->target_name = arena_format(arena, "%s:%u", plan->target_ip, plan->target_port);
    return plan->target_name != NULL;
}

static bool find_target(struct plan *plan, const struct plan_wish *wish, struct arena *arena, uint32_t *index)
{
    const struct clusters *clusters = plan->clusters;
    const struct instance *instance = &plan->evidence->instances[wish->target];
    plan->target = wish->target;
    plan->target_host = instance->host;
    plan->target_name = instance->name;
    if (clusters->count == 0)
        return stop(plan, PLAN_IMPOSSIBLE, "the case holds no cluster: no view lists more than one node",
                    "add the nodes.conf files of the members to the case");
    plan->cluster = clusters_of(clusters, wish->target);
    if (!plan->cluster && clusters->count > 1)
        return stop(plan, PLAN_IMPOSSIBLE, arena_format(arena, "the case holds %zu clusters, and %s belongs to none of them",
                                                        clusters->count, instance->name),
                    "give only the files of the cluster that it is to join");
    if (!plan->cluster)
        plan->cluster = &clusters->all[0];
    *index = cluster_node_of(plan->cluster, wish->target);
    const struct node *node = *index == NO_NODE ? NULL : &plan->cluster->nodes[*index];
    plan->target_id = instance->node == NO_NODE ? NULL : view_store_id(plan->evidence->store, instance->node);
    const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
    plan->target_replica = own && own->entry->flags & NODE_REPLICA;
    if (!find_address(plan, arena, node))
        return stop(plan, PLAN_IMPOSSIBLE, arena_format(arena, "the address of %s is not known from its files", instance->name),
                    "add its redis.conf, or a member's view that lists it");
    return true;
}

static void choose_dialect(struct plan *plan)
{
    struct server server = plan->evidence->instances[plan->target].server;
    if (plan->cluster->server.product != PRODUCT_UNKNOWN)
        server = plan->cluster->server;
    plan->dialect = server.product == PRODUCT_VALKEY ? DIALECT_VALKEY_CLI
                    : server.product == PRODUCT_REDIS && server_compare(server, 5, 0, 0) < 0 ? DIALECT_TRIB : DIALECT_REDIS_CLI;
    plan->ban_wait_s = BAN_S + (2 * plan->cluster->node_timeout_ms + 999) / 1000;
}

static bool choose_entry(struct plan *plan, struct arena *arena, uint32_t target)
{
    const struct cluster *cluster = plan->cluster;
    uint32_t entry = NO_NODE;
    for (uint32_t n = 0; n < cluster->member_count && entry == NO_NODE; n++)
        if (n != target && cluster->nodes[n].slots_owned && !cluster->nodes[n].failed)
            entry = n;
    if (entry == NO_NODE)
        return stop(plan, PLAN_REFUSED, "no member with slots is known that is not failed: there is no cluster to join", NULL);
    plan->entry = cluster->nodes[entry].name;
    /* What was a replica comes back as a replica of the same shard. */
    if (target == NO_NODE || !plan->target_replica)
        return true;
    uint32_t primary = cluster->nodes[target].follows;
    for (size_t hops = 0; primary != NO_NODE && cluster->nodes[primary].replica && hops < cluster->node_count; hops++)
        primary = cluster->nodes[primary].follows;
    if (primary != NO_NODE && cluster->nodes[primary].standing == STANDING_MEMBER && cluster->nodes[primary].primary)
        plan->primary_id = cluster->nodes[primary].id;
    else
        detail(plan, arena, "its former primary is no member any more: it is added without one; CLUSTER REPLICATE gives it another");
    return true;
}

/* ------------------------------------------------------------------ reasons to refuse */

static bool check_identity(struct plan *plan, struct arena *arena, const struct node *node)
{
    if (node && node->instance_count > 1)
        return stop(plan, PLAN_REFUSED, arena_format(arena, "%zu instances of the case carry its id %.8s", node->instance_count, node->id),
                    "stop the copy first; rcf-check shows both places (duplicate-node-id)");
    return true;
}

static bool check_slots_and_replicas(struct plan *plan, struct arena *arena, uint32_t index)
{
    const struct cluster *cluster = plan->cluster;
    if (index == NO_NODE)
        return true;
    const struct node *node = &cluster->nodes[index];
    if (node->slots_owned)
        return stop(plan, PLAN_REFUSED, arena_format(arena, "Node %s is not empty! Reshard data away and try again: it owns %u slots (%s)",
                                                     node->name, node->slots_owned, cluster_slots_of(cluster, index, arena)),
                    "move its slots to other members first");
    size_t followers = 0;
    for (size_t n = 0; n < cluster->node_count; n++)
        if (cluster->nodes[n].replica && cluster->nodes[n].follows == index) {
            followers++;
            detail(plan, arena, arena_format(arena, "%s (%.8s) replicates it: FLUSHALL would reach it, and it refuses to forget its primary",
                                             cluster->nodes[n].name, cluster->nodes[n].id));
        }
    if (followers)
        return stop(plan, PLAN_REFUSED, arena_format(arena, "%zu node%s replicate%s %s", followers, followers == 1 ? "" : "s",
                                                     followers == 1 ? "s" : "", node->name),
                    "let them replicate another primary first (CLUSTER REPLICATE)");
    return true;
}

static bool accepted_missing(const struct plan_wish *wish, const struct node *node)
{
    for (size_t i = 0; i < wish->missing_ok_count; i++) {
        const char *name = wish->missing_ok[i];
        size_t len = strlen(name);
        if (strcmp(name, node->name) == 0 || (len >= 8 && len <= 40 && strncmp(name, node->id, len) == 0))
            return true;
    }
    return false;
}

static bool check_missing(struct plan *plan, const struct plan_wish *wish, struct arena *arena)
{
    const struct cluster *cluster = plan->cluster;
    const char **names = arena_array(arena, cluster->missing_count, sizeof(*names));
    const char *list = "";
    size_t open = 0;
    for (size_t m = 0; names && m < cluster->missing_count; m++) {
        const struct node *node = &cluster->nodes[cluster->missing[m]];
        names[plan->missing_count++] = node->name;
        if (accepted_missing(wish, node))
            continue;
        open++;
        list = arena_format(arena, "%s%s%s", list ? list : "", open > 1 ? "," : "", node->name);
        detail(plan, arena, arena_format(arena, "%s (%.8s): its nodes.conf may still list %.8s%s", node->name, node->id,
                                         plan->target_id ? plan->target_id : "the target",
                                         node->slots_owned ? arena_format(arena, ", and only its dump could prove keys of slots %s",
                                                                          cluster_slots_of(cluster, cluster->missing[m], arena)) : ""));
    }
    plan->missing = names;
    if (open && plan->empties)
        return stop(plan, PLAN_REFUSED, arena_format(arena, "files of %zu member%s are missing, and this plan destroys: what they hold could change it",
                                                     open, open == 1 ? "" : "s"),
                    arena_format(arena, "add them to the case, or go without them: --missing-ok %s", list ? list : ""));
    return true;
}

static const char *key_text(struct arena *arena, struct bytes name)
{
    /* Evidence bytes travel as they are: whoever prints them escapes them. */
    return arena_copy(arena, name.at, name.len < 120 ? name.len : 120);
}

static bool check_copies(struct plan *plan, const struct plan_wish *wish, struct arena *arena)
{
    const struct copies *copies = plan->copies = copies_of(plan->cluster, plan->target, arena);
    const struct start *start = plan->start = start_of(plan->evidence, plan->target, arena);
    if (!copies || !start)
        return stop(plan, PLAN_IMPOSSIBLE, NULL, NULL);
    plan->functions = start->functions;
    plan->aof = start->appendonly || !start->appendonly_known;
    plan->destroys_keys = copies->count;
    if (plan->empties && start->save_points == SAVE_POINTS_NONE)
        detail(plan, arena, arena_format(arena, "no save points (%s): the old dump survives FLUSHALL and comes back at a start; SAVE rewrites it",
                                         start->save_why ? start->save_why : "as configured"));
    if (!copies->possible)
        return stop(plan, PLAN_REFUSED, copies->why_not, "take a whole dump of the running node with redis-cli --rdb and make the plan again");
    if (start->keys == START_CANNOT_TELL || (start->source == START_AOF && start->keys == START_KEYS)) {
        for (size_t r = 0; r < start->reason_count; r++)
            if (start->reasons[r].against)
                detail(plan, arena, start->reasons[r].text);
        return stop(plan, PLAN_REFUSED, arena_format(arena, "its keys cannot be compared with those of the members: %s", start->verdict),
                    "take a dump of the running node with redis-cli --rdb, put it into the case in place of these files, and make the plan again");
    }
    if (copies->only_here == 0 && wish->has_accepted_loss && wish->accepted_loss)
        return stop(plan, PLAN_REFUSED, arena_format(arena, "--accept-loss=%" PRIu64 " does not fit: no key exists only here", wish->accepted_loss), NULL);
    if (copies->only_here == 0 || (wish->has_accepted_loss && wish->accepted_loss == copies->only_here))
        return true;
    size_t slots = copies->slot_count;
    for (size_t k = 0; k < copies->listed && k < KEYS_NAMED; k++)
        detail(plan, arena, arena_format(arena, "%s (slot %u)", key_text(arena, copies->keys[k].name), copies->keys[k].slot));
    if (copies->only_here > KEYS_NAMED)
        detail(plan, arena, arena_format(arena, "and %" PRIu64 " more", copies->only_here - KEYS_NAMED));
    for (size_t i = 0; i < copies->skipped_count; i++)
        detail(plan, arena, arena_format(arena, "no proof: %s", copies->skipped[i]));
    return stop(plan, PLAN_REFUSED, arena_format(arena, "%" PRIu64 " key%s in %zu slot%s exist%s only in the dump of %s", copies->only_here,
                                                 copies->only_here == 1 ? "" : "s", slots, slots == 1 ? "" : "s",
                                                 copies->only_here == 1 ? "s" : "", plan->target_name),
                arena_format(arena, "carry them to the owners of their slots first and collect again, or give them up: --accept-loss=%" PRIu64,
                             copies->only_here));
}

/* A plan rests on what views do not say; a damaged one may not say what it knew. */
static bool check_views(struct plan *plan, struct arena *arena)
{
    for (size_t i = 0; i < plan->cluster->core_count; i++) {
        const struct instance *instance = &plan->evidence->instances[plan->cluster->core[i]];
        const struct view *view = instance->view;
        if (!view_may_have_lost(view))
            continue;
        detail(plan, arena, arena_format(arena, "%s%s", plan->evidence->files[view->file].path,
                                         view->defect_count ? ": damaged, see rcf-nodes" : ": no vars line, so it may be cut"));
    }
    if (plan->detail_count)
        return stop(plan, PLAN_REFUSED, "the view of a member is damaged: what it does not list may be what it has lost",
                    "collect the file again, or add a capture of CLUSTER NODES of this member");
    return true;
}

static bool check_readable(struct plan *plan, struct arena *arena)
{
    for (size_t f = 0; f < plan->evidence->file_count; f++) {
        const struct evidence_file *file = &plan->evidence->files[f];
        if (file->instance == SIZE_MAX || (!file->unread && !file->changed))
            continue;
        if (file->instance == plan->target || cluster_testifies(plan->cluster, file->instance))
            return stop(plan, PLAN_IMPOSSIBLE, arena_format(arena, "%s: %s", file->path, file->unread ? file->unread : "changed while it was read"),
                        "collect the file again");
    }
    return true;
}

/* ------------------------------------------------------------------ what the plan is made for */

static void hash_text(XXH3_state_t *state, const char *text)
{
    XXH3_64bits_update(state, text, strlen(text) + 1);
}

static bool make_fingerprint(struct plan *plan, struct arena *arena)
{
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return false;
    XXH3_64bits_reset(state);
    for (size_t f = 0; f < plan->evidence->file_count; f++)
        hash_text(state, plan->evidence->files[f].sha256);
    for (uint32_t n = 0; n < plan->cluster->member_count; n++) {
        hash_text(state, plan->cluster->nodes[n].id);
        hash_text(state, cluster_slots_of(plan->cluster, n, arena));
    }
    XXH3_64bits_update(state, &plan->cluster->current_epoch, sizeof(plan->cluster->current_epoch));
    snprintf(plan->fingerprint, sizeof(plan->fingerprint), "%016" PRIx64, (uint64_t)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    return true;
}

static const char *tell_content(const struct plan *plan, struct arena *arena)
{
    const struct copies *copies = plan->copies;
    if (plan->goal == GOAL_REMOVE)
        return "nothing: the node is stopped with its data saved, and its files stay where they are";
    if (!plan->empties)
        return "nothing: the node is empty already";
    if (copies->file == SIZE_MAX)
        return "nothing that the files show: it has no dump";
    const char *aof = plan->aof ? (plan->start->appendonly ? "; its AOF holds no keys" : "; whether it runs with an AOF is not known") : "; no AOF";
    if (copies->count == 0)
        return arena_format(arena, "nothing: its dump holds 0 keys in all databases%s", aof);
    return arena_format(arena, "%" PRIu64 " key%s of its dump: %" PRIu64 " exist with equal value in dumps of members, %" PRIu64
                        " with another value there, %" PRIu64 " nowhere else%s", copies->count, copies->count == 1 ? "" : "s",
                        copies->covered, copies->differs, copies->only_here, aof);
}

/* From 7.0 the AOF is a directory with a manifest, before a file. */
static void name_aof(struct plan *plan, const struct instance *instance)
{
    bool folder = instance->manifest || instance->server.product == PRODUCT_VALKEY ||
                  (instance->server.product == PRODUCT_REDIS && server_compare(instance->server, 7, 0, 0) >= 0);
    if (!plan->empties || !plan->aof)
        return;
    plan->aof_certain = plan->start->appendonly_known && plan->start->appendonly;
    plan->aof_name = folder ? settings_text(instance->settings, "appenddirname", "appendonlydir")
                            : settings_text(instance->settings, "appendfilename", "appendonly.aof");
}

static bool describe(struct plan *plan, struct arena *arena, uint32_t index)
{
    const struct instance *instance = &plan->evidence->instances[plan->target];
    const struct node *node = index == NO_NODE ? NULL : &plan->cluster->nodes[index];
    plan->headline = arena_format(arena, "%s %s (%.8s, %s, %s) %s the cluster of %s", plan->goal == GOAL_REJOIN ? "Re-add" : "Remove",
                                  plan->target_name, plan->target_id ? plan->target_id : "no id", plan->target_replica ? "replica" : "primary",
                                  node && node->entry && node->entry->slot_count ? "claims slots in its own file" : "no slots",
                                  plan->goal == GOAL_REJOIN ? "to" : "from", plan->entry);
    plan->content = tell_content(plan, arena);
    plan->void_if = "members, slot owners or the target's files have changed since the evidence was collected";
    plan->config_file = instance->view && !instance->view->capture ? name_on_host(plan->evidence, instance->view->file, arena)
                        : instance->settings ? settings_text(instance->settings, "cluster-config-file", "nodes.conf") : "nodes.conf";
    plan->dump_file = instance->dump ? name_on_host(plan->evidence, instance->dump->file, arena) : NULL;
    const struct evidence_file *dump = instance->dump ? &plan->evidence->files[instance->dump->file] : NULL;
    plan->dump_sha256 = dump && is_as_on_host(dump) && *dump->sha256 ? dump->sha256 : NULL;
    name_aof(plan, instance);
    for (size_t d = 0; instance->dump && d < instance->dump->db_count; d++)
        if (instance->dump->dbs[d].db == 0)
            plan->db0_keys = instance->dump->dbs[d].keys;
    if (plan->cluster->server.product == PRODUCT_VALKEY && server_compare(plan->cluster->server, 8, 1, 0) >= 0)
        detail(plan, arena, "Valkey 8.1 and newer: while it runs with its old nodes.conf, the node introduces itself to the members again");
    return plan->headline && plan->content && plan->config_file && make_fingerprint(plan, arena);
}

/* What the files already show to be so, where the plan has no step for it. */
static unsigned already(const struct plan *plan)
{
    unsigned facts = 0;
    if (!plan->target_id)
        facts |= FACT_IDENTITY;
    if (plan->goal == GOAL_REJOIN && !plan->empties)
        facts |= FACT_NO_KEYS | FACT_RESET | FACT_GONE | FACT_STAYED_FORGOTTEN;
    return facts;
}

static bool is_virgin(const struct plan *plan, const struct start *start)
{
    const struct instance *instance = &plan->evidence->instances[plan->target];
    const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
    bool alone = !instance->view || (instance->view->count == 1 && own && !own->entry->slot_count && !own->entry->mark_count &&
                                     own->entry->flags & NODE_PRIMARY);
    return alone && start->keys == START_NO_KEYS && !start->ignored_keys && !start->functions;
}

static bool examine(struct plan *plan, const struct plan_wish *wish, struct arena *arena)
{
    uint32_t index;
    if (!find_target(plan, wish, arena, &index))
        return false;
    const struct node *node = index == NO_NODE ? NULL : &plan->cluster->nodes[index];
    struct membership m = {0};
    if (node)
        m = membership_of(plan->cluster, index, arena);
    plan->listed = m.lists > 0;
    if (!check_identity(plan, arena, node))
        return false;
    if (node && node->standing == STANDING_MEMBER && m.lists == 0)
        return stop(plan, PLAN_REFUSED, arena_format(arena, "no view of another member is in the case: nothing shows whether %s is a member",
                                                     plan->target_name),
                    "collect the nodes.conf files of the other members");
    if (node && node->standing == STANDING_OUTSIDER && m.forgot == 0)
        return stop(plan, PLAN_REFUSED, arena_format(arena, "nothing shows that %s was removed: the members' files may be older than its joining",
                                                     plan->target_name),
                    "collect the files of the members again, or CLUSTER NODES of each");
    if (plan->goal == GOAL_REJOIN && node && node->standing == STANDING_MEMBER && m.forgot == 0)
        return stop(plan, PLAN_NOTHING, arena_format(arena, "%s is a member: %zu of %zu views of other members list it, and none has forgotten it",
                                                     plan->target_name, m.lists, m.lists + m.unsaved), NULL);
    if (plan->goal == GOAL_REMOVE && !node)
        return stop(plan, PLAN_NOTHING, arena_format(arena, "%s is no member, and its own file lists nobody", plan->target_name), NULL);
    choose_dialect(plan);
    if (!check_readable(plan, arena) || !check_views(plan, arena) || !check_slots_and_replicas(plan, arena, index) ||
        !choose_entry(plan, arena, index))
        return false;
    plan->answers = node && node->standing == STANDING_OUTSIDER ? finding_word(FINDING_STALE_SELF_MEMBERSHIP)
                    : m.lists && m.forgot ? finding_word(FINDING_HALF_FORGOTTEN) : NULL;
    if (plan->goal == GOAL_REJOIN) {
        const struct start *start = start_of(plan->evidence, plan->target, arena);
        if (!start)
            return stop(plan, PLAN_IMPOSSIBLE, NULL, NULL);
        plan->empties = plan->listed || !is_virgin(plan, start);
    }
    if (!check_missing(plan, wish, arena))
        return false;
    if (plan->goal == GOAL_REJOIN && !check_copies(plan, wish, arena))
        return false;
    plan->given = already(plan);
    return describe(plan, arena, index) || stop(plan, PLAN_IMPOSSIBLE, NULL, NULL);
}

struct plan *plan_make(const struct evidence *evidence, const struct clusters *clusters, const struct plan_wish *wish,
                       struct arena *arena)
{
    static bool (*const makers[])(struct plan *, struct arena *) = {[GOAL_REJOIN] = plan_rejoin, [GOAL_REMOVE] = plan_remove};
    struct plan *plan = arena_alloc(arena, sizeof(*plan));
    const char *why = NULL;
    if (!plan)
        return NULL;
    *plan = (struct plan){.outcome = PLAN_READY, .goal = wish->goal, .evidence = evidence, .clusters = clusters};
    if (!examine(plan, wish, arena))
        return plan;
    if (!makers[wish->goal](plan, arena))
        return NULL;
    if (!plan_guarded(plan, &why))
        stop(plan, PLAN_REFUSED, arena_format(arena, "the steps do not establish %s", why), NULL);
    else if (!plan_rehearse(plan, arena, &why))
        stop(plan, PLAN_REFUSED, arena_format(arena, "the plan fails its rehearsal: %s", why), NULL);
    return arena_failed(arena) ? NULL : plan;
}
