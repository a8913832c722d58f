/* What a stage is made on: the case, or the model as the stages before have left it. Makers look at a scene and never
 * at the case behind it, so a second stage is made for the cluster that the first one leaves. */
#ifndef RCF_PLAN_SCENE_H
#define RCF_PLAN_SCENE_H

#include "tools/findings/findings.h"
#include "tools/plan/model.h"

enum plan_dialect { DIALECT_TRIB, DIALECT_REDIS_CLI, DIALECT_VALKEY_CLI };

struct scene {
    const struct evidence *evidence; /* of the model */
    const struct clusters *clusters;
    const struct findings *findings; /* NULL until scene_judge() */
    struct model *model;
};

/* The model as it is now; it must not change while the scene is used. NULL without memory. */
struct scene *scene_of(struct model *model, struct arena *arena);

/* Runs the checks of rcf-check on it. False without memory. */
bool scene_judge(struct scene *scene, struct arena *arena);

/* The tool that speaks to this cluster: by its version, else by the instance's. */
enum plan_dialect scene_dialect(const struct scene *scene, const struct cluster *cluster, size_t instance);

/* Seconds after which a node that was forgotten and not brought back stays forgotten: the ban of CLUSTER FORGET and two
 * node timeouts. */
uint32_t scene_ban_wait(const struct cluster *cluster);

#endif
