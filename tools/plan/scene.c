#include "tools/plan/scene.h"

enum { BAN_S = 60 }; /* cluster.c, CLUSTER_BLACKLIST_TTL */

struct scene *scene_of(struct model *model, struct arena *arena)
{
    struct scene *scene = arena_alloc(arena, sizeof(*scene));
    struct evidence *evidence = arena_alloc(arena, sizeof(*evidence));
    if (!scene || !evidence)
        return NULL;
    *evidence = model->evidence;
    /* Instances change with the model's next step; what a stage was made on must stay. */
    evidence->instances = arena_array(arena, evidence->instance_count, sizeof(*evidence->instances));
    if (!evidence->instances)
        return NULL;
    for (size_t i = 0; i < evidence->instance_count; i++)
        evidence->instances[i] = model->evidence.instances[i];
    *scene = (struct scene){.evidence = evidence, .model = model, .clusters = clusters_build(evidence, arena)};
    return scene->clusters ? scene : NULL;
}

bool scene_judge(struct scene *scene, struct arena *arena)
{
    scene->findings = findings_of(scene->evidence, scene->clusters, NULL, arena);
    return scene->findings != NULL;
}

enum plan_dialect scene_dialect(const struct scene *scene, const struct cluster *cluster, size_t instance)
{
    struct server server = {0};
    if (instance != SIZE_MAX)
        server = scene->evidence->instances[instance].server;
    if (cluster && cluster->server.product != PRODUCT_UNKNOWN)
        server = cluster->server;
    return server.product == PRODUCT_VALKEY ? DIALECT_VALKEY_CLI
           : server.product == PRODUCT_REDIS && server_compare(server, 5, 0, 0) < 0 ? DIALECT_TRIB : DIALECT_REDIS_CLI;
}

uint32_t scene_ban_wait(const struct cluster *cluster)
{
    return BAN_S + (2 * cluster->node_timeout_ms + 999) / 1000;
}
