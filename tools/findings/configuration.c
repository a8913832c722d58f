/* Tests:     members' configurations against what they do to the cluster.
 * Relies on: redis.conf of members, and of Sentinels in the case.
 * Reports:   nothing-persisted, sentinel-on-member. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/findings/checks.h"

/* ------------------------------------------------------------------ primaries without persistence */

static bool persists_nothing(const struct instance *instance, const struct setting **decisive, const char **why)
{
    const struct settings *settings = instance->settings;
    return settings && !settings->missing_include_count && !settings_yes(settings, "appendonly", false) &&
           settings_save_points(settings, instance->server, why, decisive) == SAVE_POINTS_NONE;
}

static void check_unpersisted(struct findings *findings, const struct cluster *cluster)
{
    struct finding *f = NULL;
    size_t count = 0, replicas = 0;
    const char *names = "";
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        const struct setting *decisive = NULL;
        const char *why;
        if (!node->slots_owned || node->instance == SIZE_MAX)
            continue;
        const struct instance *instance = &cluster->evidence->instances[node->instance];
        if (!persists_nothing(instance, &decisive, &why))
            continue;
        if (!f && !(f = findings_add(findings, FINDING_NOTHING_PERSISTED, CERTAINTY_PROBABLE)))
            return;
        if (count++ < 6)
            names = arena_format(findings->arena, "%s%s%s", names ? names : "", count > 1 ? ", " : "", node->name);
        for (uint32_t r = 0; r < cluster->member_count; r++)
            replicas += cluster->nodes[r].replica && cluster->nodes[r].follows == n;
        if (decisive)
            finding_shows(findings, f, decisive->file, decisive->place);
        else
            finding_shows_claim(findings, f, node->stands);
    }
    if (!f)
        return;
    f->cluster = (size_t)(cluster - findings->clusters->all);
    f->summary = arena_format(
        findings->arena, "%zu voting primar%s (%s%s) %s neither save points nor an AOF: after a restart %s empty%s.",
        count, count == 1 ? "y" : "ies", names ? names : "", count > 6 ? ", ..." : "", count == 1 ? "has" : "have",
        count == 1 ? "it is" : "they are",
        replicas ? ", and one that is quicker than the failover makes its replicas empty too" : "");
    f->rule = "the effective save points and appendonly of their redis.conf; a replica copies whatever its primary has";
    f->settles = "CONFIG GET save and appendonly; no supervisor that restarts them at once";
}

/* ------------------------------------------------------------------ Sentinels */

/* `sentinel monitor NAME IP PORT QUORUM` names an address. */
static bool monitors(struct findings *findings, const struct setting *setting, char ip[256], unsigned *port)
{
    char line[1024];
    struct bytes text = evidence_excerpt(findings->evidence, setting->file, setting->place.offset,
                                         setting->place.length, sizeof(line) - 1, findings->arena);
    if (!text.len || memchr(text.at, 0, text.len))
        return false;
    memcpy(line, text.at, text.len);
    line[text.len] = 0;
    return sscanf(line, " %*[Ss]%*[A-Za-z] %*[Mm]%*[A-Za-z] %*255s %255s %u", ip, port) == 2;
}

static void check_sentinels(struct findings *findings, const struct cluster *cluster)
{
    for (size_t n = 0; n < findings->evidence->file_count; n++) {
        const struct settings *settings = findings->evidence->files[n].settings;
        for (size_t s = 0; settings && settings->sentinel && s < settings->count; s++) {
            char ip[256];
            unsigned port;
            if (strcmp(settings->all[s].name, "sentinel") != 0 || !monitors(findings, &settings->all[s], ip, &port))
                continue;
            for (uint32_t m = 0; m < cluster->member_count; m++) {
                const struct node *node = &cluster->nodes[m];
                if (!node->entry || node->entry->port != port || strcmp(node->entry->ip, ip) != 0)
                    continue;
                struct finding *f = findings_add(findings, FINDING_SENTINEL_ON_MEMBER, CERTAINTY_PROVED);
                if (!f)
                    return;
                finding_about(findings, f, cluster, m);
                f->summary = arena_format(
                    findings->arena,
                    "A Sentinel (%s) watches this member: when it fails, Sentinel and cluster both elect a successor.",
                    findings->evidence->files[n].path);
                f->rule = "\"sentinel monitor\" names the address of a member; a cluster fails over by itself, and "
                          "Sentinels do not know its slots";
                f->settles = "that this Sentinel does not run any more; a server without cluster mode at this address";
                finding_shows(findings, f, settings->all[s].file, settings->all[s].place);
                finding_shows_claim(findings, f, node->stands);
            }
        }
    }
}

void check_configuration(struct findings *findings, const struct cluster *cluster)
{
    check_unpersisted(findings, cluster);
    check_sentinels(findings, cluster);
}
