#include "tools/findings/findings.h"

#include <stdlib.h>
#include <string.h>

#include "tools/findings/checks.h"

static const struct {
    const char *word, *title;
    enum severity severity;
} catalogue[FINDING_IDS] = {
#define FINDING(id, word, severity, title) [FINDING_##id] = {word, title, SEVERITY_##severity},
#include "tools/findings/catalogue.def"
#undef FINDING
};

const char *finding_word(enum finding_id id)
{
    return catalogue[id].word;
}

const char *finding_title(enum finding_id id)
{
    return catalogue[id].title;
}

enum severity finding_severity(enum finding_id id)
{
    return catalogue[id].severity;
}

enum finding_id finding_by_word(const char *word)
{
    for (int id = 0; id < FINDING_IDS; id++)
        if (strcmp(catalogue[id].word, word) == 0)
            return (enum finding_id)id;
    return FINDING_IDS;
}

const char *severity_word(enum severity severity)
{
    static const char *const words[] = {"info", "warning", "error"};
    return words[severity];
}

const char *certainty_word(enum certainty certainty)
{
    return certainty == CERTAINTY_PROVED ? "proved" : "probable";
}

struct finding *findings_add(struct findings *findings, enum finding_id id, enum certainty certainty)
{
    struct finding *all = arena_grow(findings->arena, findings->all, findings->count, &findings->cap, sizeof(*all));
    if (!all)
        return NULL;
    findings->all = all;
    struct finding *finding = &all[findings->count++];
    *finding = (struct finding){.id = id, .severity = catalogue[id].severity, .certainty = certainty,
                                .cluster = SIZE_MAX, .summary = catalogue[id].title, .rule = "", .settles = ""};
    return finding;
}

void finding_about(struct findings *findings, struct finding *finding, const struct cluster *cluster, uint32_t index)
{
    if (!finding)
        return;
    const struct node *node = &cluster->nodes[index];
    finding->cluster = (size_t)(cluster - findings->clusters->all);
    finding->node = node->name;
    finding->node_id = node->id;
    finding->host = node->host;
}

void finding_shows(struct findings *findings, struct finding *finding, size_t file, struct place place)
{
    enum { MOST = 64 };
    if (!finding || finding->exhibit_count == MOST)
        return;
    for (size_t e = 0; e < finding->exhibit_count; e++)
        if (finding->exhibits[e].file == file && finding->exhibits[e].place.offset == place.offset)
            return;
    struct exhibit *all = arena_grow(findings->arena, finding->exhibits, finding->exhibit_count, &finding->exhibit_cap,
                                     sizeof(*all));
    if (!all)
        return;
    finding->exhibits = all;
    all[finding->exhibit_count++] = (struct exhibit){file, place};
}

void finding_about_instance(struct findings *findings, struct finding *finding, size_t number)
{
    if (!finding)
        return;
    const struct instance *instance = &findings->evidence->instances[number];
    const struct cluster *cluster = clusters_of(findings->clusters, number);
    finding->cluster = cluster ? (size_t)(cluster - findings->clusters->all) : SIZE_MAX;
    finding->node = instance->name;
    finding->host = instance->host;
    finding->node_id = instance->node == NO_NODE ? NULL : view_store_id(findings->evidence->store, instance->node);
}

void finding_shows_line(struct findings *findings, struct finding *finding, const struct view *view,
                        const struct sighting *sighting)
{
    if (view && sighting)
        finding_shows(findings, finding, view->file,
                      (struct place){sighting->offset, sighting->length, sighting->line});
}

void finding_shows_vars(struct findings *findings, struct finding *finding, const struct view *view)
{
    if (view->has_vars)
        finding_shows(findings, finding, view->file, view->vars);
    else if (view->count)
        finding_shows_line(findings, finding, view, &view->sightings[0]);
}

void finding_shows_claim(struct findings *findings, struct finding *finding, const struct claim *claim)
{
    if (claim)
        finding_shows(findings, finding, claim->view->file,
                      (struct place){claim->sighting->offset, claim->sighting->length, claim->sighting->line});
}

static int text_order(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int by_weight(const void *one, const void *two)
{
    const struct finding *a = one, *b = two;
    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    int order = text_order(a->node, b->node);
    if (!order)
        order = text_order(a->host, b->host);
    if (!order)
        order = text_order(a->slots, b->slots);
    return order ? order : text_order(a->summary, b->summary);
}

struct findings *findings_of(const struct evidence *evidence, const struct clusters *clusters, const struct history *history,
                             struct arena *arena)
{
    static void (*const of_cluster[])(struct findings *, const struct cluster *) = {
        check_membership, check_origins, check_identity, check_slots,   check_open_slots,    check_epochs,
        check_quorum,     check_replicas, check_hosts,   check_keys,    check_layouts,       check_configuration,
        check_statuses,
    };
    static void (*const of_case[])(struct findings *) = {
        check_case, check_identities, check_dumps, check_nodesconf, check_journals, check_persistence,
    };
    struct findings *findings = arena_alloc(arena, sizeof(*findings));
    if (!findings)
        return NULL;
    *findings = (struct findings){.evidence = evidence, .clusters = clusters, .history = history, .arena = arena};
    for (size_t c = 0; c < clusters->count; c++)
        for (size_t i = 0; i < sizeof(of_cluster) / sizeof(of_cluster[0]); i++)
            of_cluster[i](findings, &clusters->all[c]);
    for (size_t i = 0; i < sizeof(of_case) / sizeof(of_case[0]); i++)
        of_case[i](findings);
    if (history)
        check_history(findings);
    if (findings->count)
        qsort(findings->all, findings->count, sizeof(*findings->all), by_weight);
    return arena_failed(arena) ? NULL : findings;
}
