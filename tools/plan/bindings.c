/* What every stage tells its script: the subject, the members, and the picture of members and slots that is expected. A
 * script holds those that its steps use. */
#include <inttypes.h>
#include <string.h>

#include "tools/plan/making.h"

static bool is_subject(const struct stage *stage, const struct node *node)
{
    return (stage->target.instance != SIZE_MAX && node->instance == stage->target.instance) ||
           (stage->target.id && strcmp(node->id, stage->target.id) == 0);
}

bool making_unsettled(struct making *m, uint32_t node)
{
    const struct cluster *cluster = m->stage->cluster;
    return !cluster->nodes[node].slots_owned && membership_of(cluster, node, m->arena).forgot;
}

/* Whom the script asks: members that are not failed, but for the subject. */
static const char *members(struct making *m)
{
    const struct stage *stage = m->stage;
    struct arena *arena = m->arena;
    const char *list = "";
    for (uint32_t n = 0; list && n < stage->cluster->member_count; n++) {
        const struct node *node = &stage->cluster->nodes[n];
        if (node->failed || is_subject(stage, node) || making_unsettled(m, n))
            continue;
        list = arena_format(arena, "%s%s%s,%u", list, *list ? " " : "", node->entry ? node->entry->ip : "",
                            node->entry ? node->entry->port : 0);
    }
    return list;
}

static const char *unsettled(struct making *m)
{
    const char *list = "";
    for (uint32_t n = 0; list && n < m->stage->cluster->member_count; n++)
        if (making_unsettled(m, n))
            list = arena_format(m->arena, "%s%s%s", list, *list ? " " : "", m->stage->cluster->nodes[n].id);
    return list;
}

static const char *picture(struct making *m)
{
    const struct stage *stage = m->stage;
    struct arena *arena = m->arena;
    const char *lines = "";
    for (uint32_t n = 0; lines && n < stage->cluster->member_count; n++) {
        if ((stage->target.id && strcmp(stage->cluster->nodes[n].id, stage->target.id) == 0) || making_unsettled(m, n))
            continue;
        char *slots = cluster_slots_of(stage->cluster, n, arena);
        for (char *c = slots; c && *c; c++)
            if (*c == ',')
                *c = ' ';
        lines = arena_format(arena, "%s%s%s%s%s", lines, *lines ? "\n" : "", stage->cluster->nodes[n].id,
                             slots && *slots ? " " : "", slots ? slots : "");
    }
    return lines;
}

static bool bind_files(struct stage *stage, struct arena *arena)
{
    const struct target *target = &stage->target;
    const char *files = arena_format(arena, "%s%s%s%s%s", target->config_file, target->dump_file ? " " : "",
                                     target->dump_file ? target->dump_file : "",
                                     target->aof_certain && target->aof_name ? " " : "",
                                     target->aof_certain && target->aof_name ? target->aof_name : "");
    const char *unsure = target->aof_certain ? NULL : target->aof_name,
               *dump = target->down && !target->dump_file ? target->dump_name : NULL;
    const char *if_there = unsure && dump ? arena_format(arena, "%s %s", dump, unsure) : unsure ? unsure : dump;
    return stage_bind(stage, arena, "files", FORM_FILES, files, false) &&
           stage_bind(stage, arena, "files_if_there", FORM_FILES, if_there, true) &&
           stage_bind(stage, arena, "aof_file", FORM_FILE, target->aof_certain ? target->aof_name : NULL, true) &&
           stage_bind(stage, arena, "dump_unseen", FORM_WORD, target->dump_file ? "no" : "yes", false) &&
           stage_bind(stage, arena, "dump_file", FORM_FILE, target->dump_file, true) &&
           stage_bind(stage, arena, "dump_sha256", FORM_SHA256, target->dump_sha256, true) &&
           stage_bind(stage, arena, "config_file", FORM_FILE, target->config_file, false);
}

static bool bind_subject(struct making *m)
{
    struct stage *stage = m->stage;
    const struct target *target = &stage->target;
    const char *port = arena_format(m->arena, "%u", target->port);
    const char *keys = target->db0_keys ? arena_format(m->arena, "db0:keys=%" PRIu64, target->db0_keys) : NULL;
    return stage_bind(stage, m->arena, "target_ip", FORM_ADDRESS, target->ip, false) &&
           stage_bind(stage, m->arena, "target_port", FORM_PORT, port, false) &&
           stage_bind(stage, m->arena, "target_id", FORM_ID, target->id, true) &&
           stage_bind(stage, m->arena, "target_host", FORM_ADDRESS, target->host, false) &&
           stage_bind(stage, m->arena, "target_role", FORM_WORD, target->replica ? "slave" : "master", false) &&
           stage_bind(stage, m->arena, "target_state", FORM_WORD, target->down ? "down" : "running", false) &&
           stage_bind(stage, m->arena, "conf_dir", FORM_FOLDER, target->folder, true) &&
           stage_bind(stage, m->arena, "target_keys", FORM_KEYSPACE, keys, true) &&
           (!target->config_file || bind_files(stage, m->arena));
}

bool making_bind_stage(struct making *m)
{
    struct stage *stage = m->stage;
    if (stage->target.instance == SIZE_MAX ? !stage_bind(stage, m->arena, "target_id", FORM_ID, NULL, true)
                                           : !bind_subject(m))
        return false;
    if (!stage->cluster)
        return true;
    return stage_bind(stage, m->arena, "members", FORM_MEMBERS, members(m), true) &&
           stage_bind(stage, m->arena, "expected", FORM_PICTURE, picture(m), true) &&
           stage_bind(stage, m->arena, "unsettled", FORM_IDS, unsettled(m), true) &&
           stage_bind(stage, m->arena, "premise", FORM_WORD, stage->premise ? stage->premise : "any", false) &&
           stage_bind(stage, m->arena, "entry", FORM_ENDPOINT, stage->entry, true) &&
           stage_bind(stage, m->arena, "primary_id", FORM_ID, stage->primary_id, true) &&
           stage_bind(stage, m->arena, "joins_as", FORM_WORD, stage->primary_id ? "slave" : "master", false);
}
