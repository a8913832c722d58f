/* Who an instance is, and what lies on its disk, as the scene shows it. */
#include <string.h>

#include "tools/cluster/membership.h"
#include "tools/plan/making.h"

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

bool target_address(struct making *m, size_t number, const char **ip, uint16_t *port)
{
    const struct instance *instance = &m->scene->evidence->instances[number];
    const struct cluster *cluster = m->stage && m->stage->cluster ? m->stage->cluster
                                                                  : clusters_of(m->scene->clusters, number);
    uint32_t index = cluster ? cluster_node_of(cluster, number) : NO_NODE;
    const struct node *node = index == NO_NODE ? NULL : &cluster->nodes[index];
    *ip = instance->ip && *instance->ip ? instance->ip : NULL;
    *port = instance->port;
    for (size_t c = 0; node && c < node->claim_count; c++) {
        const struct entry *entry = node->claims[c].sighting->entry;
        if (!*ip && *entry->ip)
            *ip = entry->ip;
        if (!*port)
            *port = entry->port;
    }
    if (!*ip && *settings_address(instance->settings))
        *ip = settings_address(instance->settings);
    return *ip && *port;
}

bool target_find(struct making *m, size_t number, uint32_t *index)
{
    const struct clusters *clusters = m->scene->clusters;
    const struct instance *instance = &m->scene->evidence->instances[number];
    struct target *target = &m->stage->target;
    target->instance = number;
    target->host = instance->host;
    target->name = instance->name;
    target->assumed = !*instance->folder && !instance->view && !instance->settings && !instance->dump;
    if (clusters->count == 0)
        return making_stop(m, PLAN_IMPOSSIBLE, "the case holds no cluster: no view lists more than one node",
                           "add the nodes.conf files of the members to the case");
    const struct cluster *cluster = clusters_of(clusters, number);
    if (!cluster && clusters->count > 1)
        return making_stop(m, PLAN_IMPOSSIBLE,
                           arena_format(m->arena, "the case holds %zu clusters, and %s belongs to none of them",
                                        clusters->count, instance->name),
                           "give only the files of the cluster that it is to join");
    cluster = cluster ? cluster : &clusters->all[0];
    if (!making_about(m, cluster, number))
        return false;
    *index = cluster_node_of(cluster, number);
    target->id = instance->node != NO_NODE ? view_store_id(m->scene->evidence->store, instance->node)
                 : target->assumed && *index != NO_NODE ? cluster->nodes[*index].id : NULL;
    const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
    target->replica = own && own->entry->flags & NODE_REPLICA;
    if (!target_address(m, number, &target->ip, &target->port))
        return making_stop(m, PLAN_IMPOSSIBLE,
                           arena_format(m->arena, "the address of %s is not known from its files", instance->name),
                           "add its redis.conf, or a member's view that lists it");
    target->name = arena_format(m->arena, "%s:%u", target->ip, target->port);
    if (m->plan->stage_count == 0) {
        m->plan->target_name = target->name;
        m->plan->target_id = target->id;
    }
    return target->name || making_stop(m, PLAN_IMPOSSIBLE, NULL, NULL);
}

/* From 7.0 the AOF is a directory with a manifest, before a file. */
static void name_aof(struct target *target, const struct instance *instance, const struct start *start)
{
    bool folder = instance->manifest || instance->server.product == PRODUCT_VALKEY ||
                  (instance->server.product == PRODUCT_REDIS && server_compare(instance->server, 7, 0, 0) >= 0);
    target->aof = start->appendonly || !start->appendonly_known;
    if (!target->empties || !target->aof)
        return;
    target->aof_certain = start->appendonly_known && start->appendonly;
    target->aof_name = folder ? settings_text(instance->settings, "appenddirname", "appendonlydir")
                              : settings_text(instance->settings, "appendfilename", "appendonly.aof");
}

bool target_take_stock(struct making *m, const struct start *start)
{
    const struct evidence *evidence = m->scene->evidence;
    struct target *target = &m->stage->target;
    const struct instance *instance = &evidence->instances[target->instance];
    const struct dump *dump = instance->dump;
    target->config_file = instance->view && !instance->view->capture && instance->view->file != SIZE_MAX
                              ? name_on_host(evidence, instance->view->file, m->arena)
                          : instance->settings ? settings_text(instance->settings, "cluster-config-file", "nodes.conf")
                                               : "nodes.conf";
    if (dump) {
        const struct evidence_file *file = &evidence->files[dump->file];
        target->dump_file = name_on_host(evidence, dump->file, m->arena);
        target->dump_sha256 = is_as_on_host(file) && *file->sha256 ? file->sha256 : NULL;
        for (size_t d = 0; d < dump->db_count; d++)
            if (dump->dbs[d].db == 0)
                target->db0_keys = dump->dbs[d].keys;
    }
    target->dump_name = dump                 ? target->dump_file
                        : instance->settings ? settings_text(instance->settings, "dbfilename", "dump.rdb")
                                             : "dump.rdb";
    const char *folder = settings_text(instance->settings, "dir", NULL);
    const struct binding path = {"dir", FORM_FOLDER, folder, false};
    target->folder = binding_fits(&path) ? folder : NULL;
    if (start) {
        target->functions = start->functions;
        name_aof(target, instance, start);
    }
    return target->config_file && (!dump || target->dump_file);
}

/* ------------------------------------------------------------------ who lists it */

static bool check_membership(struct making *m, const struct node *node, const struct membership *membership)
{
    const char *name = m->stage->target.name;
    if (node && node->standing == STANDING_MEMBER && membership->lists == 0)
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena, "no view of another member is in the case: nothing shows whether %s is a member",
                         name),
            "collect the nodes.conf files of the other members");
    if (node && node->standing == STANDING_OUTSIDER && membership->forgot == 0)
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena,
                         "nothing shows that %s was removed: the members' files may be older than its joining", name),
            "collect the files of the members again, or CLUSTER NODES of each");
    return true;
}

bool target_examine(struct making *m, size_t instance, uint32_t *index, struct membership *membership)
{
    struct stage *stage = m->stage;
    if (!target_find(m, instance, index))
        return false;
    const struct node *node = *index == NO_NODE ? NULL : &stage->cluster->nodes[*index];
    if (node)
        *membership = membership_of(stage->cluster, *index, m->arena);
    stage->target.listed = membership->lists > 0;
    stage->answers = node && node->standing == STANDING_OUTSIDER ? finding_word(FINDING_STALE_SELF_MEMBERSHIP)
                     : membership->lists && membership->forgot ? finding_word(FINDING_HALF_FORGOTTEN) : NULL;
    return check_single(m, *index) && check_membership(m, node, membership);
}

/* Within one view, so by one clock: other nodes answered the member for longer than it takes to suspect a node, and
 * this one did not. A healthy pong is younger than half a node timeout when a view is saved. */
static bool has_stopped(const struct cluster *cluster, const struct claim *claim)
{
    return claim->sighting->pong_ms &&
           claim->view->newest_pong_ms - claim->sighting->pong_ms > 2 * (int64_t)cluster->node_timeout_ms;
}

void target_judge_life(struct making *m, uint32_t index)
{
    const struct cluster *cluster = m->stage->cluster;
    const struct node *node = index == NO_NODE ? NULL : &cluster->nodes[index];
    size_t asked = 0, stopped = 0;
    for (size_t c = 0; node && c < node->claim_count; c++)
        if (!node->claims[c].own && cluster_testifies(cluster, node->claims[c].instance)) {
            asked++;
            stopped += has_stopped(cluster, &node->claims[c]);
        }
    bool shown = node && (node->failed || (asked && stopped == asked));
    m->stage->target.down = m->wish->life == LIFE_DOWN || (m->wish->life == LIFE_BY_EVIDENCE && shown);
    if (m->stage->target.down)
        making_detail(m, m->wish->life == LIFE_DOWN ? "it is taken as not running, as --target says"
                         : node->failed ? "it does not run: a member marks it as failed"
                                        : "it does not run: it has stopped answering every member that lists it");
    for (uint32_t n = 0; n < cluster->member_count; n++)
        if (n != index && cluster->nodes[n].failed)
            making_detail(
                m, arena_format(m->arena,
                                "%s is failed and is not asked: if it lists %.8s when it returns, it brings it back",
                                cluster->nodes[n].name, m->stage->target.id ? m->stage->target.id : "the node"));
}

bool target_headline(struct making *m, const char *verb, const char *preposition, uint32_t index)
{
    const struct cluster *cluster = m->stage->cluster;
    const struct target *target = &m->stage->target;
    const struct node *node = index == NO_NODE ? NULL : &cluster->nodes[index];
    m->stage->headline = arena_format(m->arena, "%s %s (%.8s, %s, %s) %s the cluster of %s", verb, target->name,
                                      target->id ? target->id : "no id", target->replica ? "replica" : "primary",
                                      node && node->entry && node->entry->slot_count ? "claims slots in its own file"
                                                                                     : "no slots",
                                      preposition, m->stage->entry);
    if (cluster->server.product == PRODUCT_VALKEY && server_compare(cluster->server, 8, 1, 0) >= 0)
        making_detail(m, "Valkey 8.1 and newer: while it runs with its old nodes.conf, the node introduces itself to "
                         "the members again");
    return m->stage->headline != NULL;
}
