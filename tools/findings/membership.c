/* Tests:     each id of a cluster against the views that testify.
 * Relies on: tools/cluster/membership.h for what a file's silence is worth.
 * Reports:   stale-self-membership, half-forgotten, member-unsaved, shadow-replica, stale-claim-wins. */
#include <string.h>

#include "tools/cluster/membership.h"
#include "tools/findings/checks.h"

/* "a, b and 3 more", by name; at most `most` of them. */
static const char *names_of(struct arena *arena, const struct cluster *cluster, const uint32_t *nodes, size_t count,
                            size_t most)
{
    const char *text = "";
    for (size_t i = 0; i < count && i < most; i++)
        text = arena_format(arena, "%s%s%s (%.8s)", text ? text : "", i ? ", " : "", cluster->nodes[nodes[i]].name,
                            cluster->nodes[nodes[i]].id);
    return count > most ? arena_format(arena, "%s and %zu more", text ? text : "", count - most) : text;
}

static void shows_views(struct findings *findings, struct finding *finding, const struct cluster *cluster,
                        uint32_t index, const struct membership *m, enum silence which)
{
    const struct node *node = &cluster->nodes[index];
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *instance = &cluster->evidence->instances[cluster->core[i]];
        if (instance->node == node->number || membership_silence(cluster, index, cluster->core[i], m) != which)
            continue;
        const struct claim *claim = node_claim(node, cluster->core[i]);
        if (claim)
            finding_shows_claim(findings, finding, claim);
        else
            finding_shows_vars(findings, finding, instance->view);
    }
}

static const char *who(struct findings *findings, const struct cluster *cluster, uint32_t index,
                       const struct membership *m, enum silence which)
{
    const char *text = "";
    size_t shown = 0;
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *instance = &cluster->evidence->instances[cluster->core[i]];
        if (instance->node == cluster->nodes[index].number ||
            membership_silence(cluster, index, cluster->core[i], m) != which)
            continue;
        if (shown++ < 6)
            text = arena_format(findings->arena, "%s%s%s", text ? text : "", shown > 1 ? ", " : "", instance->name);
    }
    return shown > 6 ? arena_format(findings->arena, "%s and %zu more", text ? text : "", shown - 6) : text;
}

/* How many members a node's own view lists; 0 when it has no own line. */
static size_t listed_by(const struct cluster *cluster, const struct node *node)
{
    size_t members = 0;
    for (size_t n = 0; node->claim_count && node->claims[0].own && n < cluster->member_count; n++)
        members += view_find(node->claims[0].view, cluster->nodes[n].number) != NULL;
    return members;
}

/* Nobody lists it, no file was saved after it is known to have been a member - and yet it has been in touch with members for so
 * much longer than any of their files is old that it cannot just be joining: the member through which a node joins
 * saves at once. */
static bool long_in_touch(const struct cluster *cluster, const struct node *node)
{
    const int64_t joining_ms = 30 * 1000;
    if (membership_birth_ms(cluster, (uint32_t)(node - cluster->nodes)) > cluster->newest_pong_ms)
        return false; /* born after all of the members' files were saved */
    return listed_by(cluster, node) > cluster->member_count / 2 && cluster->missing_count == 0 &&
           node->claims[0].view->newest_pong_ms > cluster->newest_pong_ms + joining_ms;
}

static void report_stale(struct findings *findings, const struct cluster *cluster, uint32_t index,
                         const struct membership *m)
{
    struct arena *arena = findings->arena;
    const struct node *node = &cluster->nodes[index];
    bool proved = m->former != FORMER_UNKNOWN && m->unsaved == 0 && m->damaged == 0 && cluster->missing_count == 0;
    struct finding *f = findings_add(findings, FINDING_STALE_SELF_MEMBERSHIP, proved ? CERTAINTY_PROVED : CERTAINTY_PROBABLE);
    if (!f)
        return;
    size_t lines = listed_by(cluster, node), testified = m->forgot + m->unsaved;
    finding_about(findings, f, cluster, index);
    f->goal = "rejoin";
    f->summary = arena_format(arena, "Its %s lists %zu of the %zu members; %s.", node->claims[0].view->capture ? "view" : "nodes.conf",
                              lines, cluster->member_count,
                              testified == 1 ? "the only member's view in the case does not list it"
                                             : arena_format(arena, "none of the %zu members whose views are in the case lists it", testified));
    f->rule = m->forgot ? arena_format(arena, "%s; absent from every member's view saved since", membership_former_text(cluster, index, m, arena))
                        : "it has been in touch with most members for longer than their files are old, and the member through which "
                          "a node joins saves at once";
    if (cluster->missing_count)
        f->settles = arena_format(arena, "the views of the members whose files are missing (%s): one that lists %.8s makes it half-forgotten",
                                  names_of(arena, cluster, cluster->missing, cluster->missing_count, 12), node->id);
    else if (m->former == FORMER_UNKNOWN)
        f->settles = arena_format(arena, "its log (\"Cluster state changed: ok\"), or an older view of a member that lists %.8s", node->id);
    else if (m->damaged)
        f->settles = "whole copies of the members' files that are damaged";
    else if (m->unsaved)
        f->settles = arena_format(arena, "newer views of %s, whose files may be older than its membership",
                                  who(findings, cluster, index, m, SILENCE_UNSAVED));
    else
        f->settles = arena_format(arena, "a member's view that lists %.8s", node->id);
    bool returns = cluster->server.product == PRODUCT_VALKEY && server_compare(cluster->server, 8, 1, 0) >= 0;
    const char *silent = who(findings, cluster, index, m, m->forgot ? SILENCE_FORGOT : SILENCE_UNSAVED);
    f->detail = arena_format(arena, "silent: %s%s", silent,
                             returns ? "\nValkey 8.1 and newer: once it runs with this file, it introduces itself to the "
                                       "members again"
                                     : "");
    finding_shows_claim(findings, f, &node->claims[0]);
    if (m->former == FORMER_LOG)
        finding_shows(findings, f, m->former_line->file, m->former_line->place);
    if (m->former == FORMER_VIEW)
        finding_shows_claim(findings, f, m->former_claim);
    shows_views(findings, f, cluster, index, m, SILENCE_FORGOT);
}

static void report_half(struct findings *findings, const struct cluster *cluster, uint32_t index,
                        const struct membership *m)
{
    struct arena *arena = findings->arena;
    bool proved = m->former != FORMER_UNKNOWN && m->forgot_in_time;
    struct finding *f = findings_add(findings, FINDING_HALF_FORGOTTEN, proved ? CERTAINTY_PROVED : CERTAINTY_PROBABLE);
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    if (!proved)
        f->severity = SEVERITY_WARNING;
    if (cluster->nodes[index].instance != SIZE_MAX)
        f->goal = "rejoin";
    f->summary = arena_format(arena, "%zu member%s still list%s it, %zu ha%s forgotten it: it comes back by gossip once the ban ends.",
                              m->lists, m->lists == 1 ? "" : "s", m->lists == 1 ? "s" : "", m->forgot,
                              m->forgot == 1 ? "s" : "ve");
    f->rule = arena_format(arena, "files that do not list it were saved after it had become a member (%s)",
                           m->former == FORMER_UNKNOWN ? "another view's pong for it is older than their newest pong"
                                                       : membership_former_text(cluster, index, m, arena));
    f->settles = proved ? "newer views of the silent members that list it"
                        : "newer views of the silent members, or its log";
    f->detail = arena_format(arena, "listed by %s\nforgotten by %s%s%s", who(findings, cluster, index, m, SILENCE_LISTS),
                             who(findings, cluster, index, m, SILENCE_FORGOT), m->unsaved ? "\ncannot be told of " : "",
                             m->unsaved ? who(findings, cluster, index, m, SILENCE_UNSAVED) : "");
    shows_views(findings, f, cluster, index, m, SILENCE_LISTS);
    shows_views(findings, f, cluster, index, m, SILENCE_FORGOT);
    if (m->former == FORMER_LOG)
        finding_shows(findings, f, m->former_line->file, m->former_line->place);
}

static void report_unsaved(struct findings *findings, const struct cluster *cluster, uint32_t index,
                           const struct membership *m)
{
    const struct node *node = &cluster->nodes[index];
    struct finding *f = findings_add(findings, FINDING_MEMBER_UNSAVED, CERTAINTY_PROBABLE);
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    f->summary = arena_format(findings->arena, "%zu of %zu files do not list it yet: they were saved before it is known to have joined.",
                              m->unsaved, m->unsaved + m->lists);
    f->rule = "from Redis 5.0.10 and 6.0.5 and in Valkey, gossip adds a node without saving the file";
    f->settles = "CLUSTER NODES of the silent members";
    f->detail = arena_format(findings->arena, "not yet in the files of %s", who(findings, cluster, index, m, SILENCE_UNSAVED));
    if (node->claim_count)
        finding_shows_claim(findings, f, &node->claims[0]);
    shows_views(findings, f, cluster, index, m, SILENCE_LISTS);
}

/* The newest saved file of an instance whose state is a capture: what its memory was to be written to. */
static const struct view *file_of(const struct cluster *cluster, const struct instance *instance)
{
    for (size_t h = 0; instance->view->source == VIEW_CLUSTER_NODES && h < instance->history_count; h++) {
        const struct view *view = instance->history[h];
        if (view->source == VIEW_NODESCONF && !cluster->evidence->files[view->file].temporary)
            return view_may_have_lost(view) ? NULL : view;
    }
    return NULL;
}

/* Memory knows the node, the file of the same instance does not: the next save writes it. A file that was saved after
 * the node had become known to the instance would hold it, so there is nothing that was forgotten. */
static void check_memory(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    struct finding *f = NULL;
    const char *names = "";
    size_t count = 0;
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *instance = &cluster->evidence->instances[cluster->core[i]];
        const struct view *file = instance->node == node->number ? NULL : file_of(cluster, instance);
        const struct sighting *known = file ? view_find(instance->view, node->number) : NULL;
        if (!known || !sighting_names(known) || view_find(file, node->number))
            continue;
        if (!f && !(f = findings_add(findings, FINDING_MEMBER_UNSAVED, CERTAINTY_PROVED)))
            return;
        if (count++ < 6)
            names = arena_format(findings->arena, "%s%s%s", names ? names : "", count > 1 ? ", " : "", instance->name);
        finding_shows(findings, f, instance->view->file, (struct place){known->offset, known->length, known->line});
        finding_shows_vars(findings, f, file);
    }
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    f->summary = arena_format(findings->arena, "%zu member%s list%s it in CLUSTER NODES and not yet in the nodes.conf: a restart now would forget it until gossip brings it back.",
                              count, count == 1 ? "" : "s", count == 1 ? "s" : "");
    f->rule = "memory is newer than the file: from Redis 5.0.10 and 6.0.5 and in Valkey, gossip adds a node without saving the file";
    f->settles = "the files of these members after their next save";
    f->detail = arena_format(findings->arena, "not yet in the files of %s%s", names ? names : "", count > 6 ? ", ..." : "");
}

/* The line of the primary's newest INFO that shows the node as a connected replica, or NULL. */
static const struct status_replica *connected_replica(const struct cluster *cluster, const struct node *primary,
                                                      const struct node *node, size_t *file)
{
    const struct instance *instance = primary->instance == SIZE_MAX ? NULL : &cluster->evidence->instances[primary->instance];
    for (size_t s = 0; instance && node->entry && s < instance->status_count; s++) {
        const struct status *status = instance->statuses[s];
        *file = status->file;
        for (size_t r = 0; r < status->replica_count; r++)
            if (status->replicas[r].online && status->replicas[r].port == node->entry->port &&
                strcmp(status->replicas[r].ip, node->entry->ip) == 0)
                return &status->replicas[r];
        if (status->words[STATUS_ROLE].known)
            return NULL;
    }
    return NULL;
}

/* A replica that nobody lists still copies from its primary: SYNC asks for no membership. */
static void report_shadow(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    if (!node->replica || node->follows == NO_NODE || cluster->nodes[node->follows].standing != STANDING_MEMBER)
        return;
    const struct node *primary = &cluster->nodes[node->follows];
    const struct logbook_line *sync = NULL;
    if (primary->instance != SIZE_MAX) {
        const struct instance *instance = &cluster->evidence->instances[primary->instance];
        for (size_t b = 0; b < instance->logbook_count; b++)
            for (size_t l = 0; l < instance->logbooks[b]->count; l++) {
                const struct logbook_line *line = &instance->logbooks[b]->lines[l];
                if (line->event == LOGBOOK_REPLICA_SYNC && line->text && strcmp(line->text, node->name) == 0)
                    sync = line;
            }
    }
    size_t file = SIZE_MAX;
    const struct status_replica *connected = connected_replica(cluster, primary, node, &file);
    struct finding *f = findings_add(findings, FINDING_SHADOW_REPLICA, CERTAINTY_PROBABLE);
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    f->goal = "rejoin";
    f->summary = arena_format(findings->arena, "It is configured as a replica of %s (%.8s), whose cluster does not list it: where it runs, it copies unseen.",
                              primary->name, primary->id);
    f->rule = "its own view makes it a replica of a member, and replication asks for no membership";
    f->settles = arena_format(findings->arena, "INFO replication of %s: a replica at %s", primary->name, node->name);
    finding_shows_claim(findings, f, &node->claims[0]);
    if (connected) {
        f->certainty = CERTAINTY_PROVED;
        f->rule = "its own view makes it a replica of a member, and INFO of that member shows it connected";
        f->settles = "a newer INFO of the member without it";
        finding_shows(findings, f, file, connected->place);
    }
    if (sync)
        finding_shows(findings, f, sync->file, sync->place);
}

struct winning {
    const struct cluster *cluster;
    const struct entry *entry;
    bool claimed[SLOT_COUNT];
};

static bool wins(const void *context, unsigned slot)
{
    const struct winning *w = context;
    uint32_t owner = w->cluster->slots[slot].node;
    return w->claimed[slot] &&
           (owner == NO_NODE || w->cluster->nodes[owner].entry->config_epoch < w->entry->config_epoch);
}

static void report_winning_claim(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    struct winning w = {.cluster = cluster, .entry = node->entry};
    if (!node->primary)
        return;
    for (uint32_t r = 0; r < node->entry->range_count; r++)
        for (unsigned slot = node->entry->ranges[r].first; slot <= node->entry->ranges[r].last && slot < SLOT_COUNT; slot++)
            w.claimed[slot] = true;
    const char *slots = slots_text(findings->arena, wins, &w);
    if (!slots || !*slots)
        return;
    struct finding *f = findings_add(findings, FINDING_STALE_CLAIM_WINS, CERTAINTY_PROVED);
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    f->slots = slots;
    f->summary = arena_format(findings->arena, "If it rejoined now, its claim at configEpoch %llu would take slots from the members.",
                              (unsigned long long)node->entry->config_epoch);
    f->rule = "a slot goes to the claim with the higher configEpoch, and to any claim when it is unassigned";
    f->settles = "newer views of the owners with a higher configEpoch";
    finding_shows_claim(findings, f, node->stands);
}

void check_membership(struct findings *findings, const struct cluster *cluster)
{
    for (uint32_t index = 0; index < cluster->node_count; index++) {
        const struct node *node = &cluster->nodes[index];
        if (node->standing == STANDING_GHOST)
            continue;
        check_memory(findings, cluster, index);
        struct membership m = membership_of(cluster, index, findings->arena);
        if (node->standing == STANDING_OUTSIDER) {
            if (!node->claim_count || !node->claims[0].own)
                continue; /* its own file has no line of its own: told as nodesconf-corrupt */
            if (m.forgot || long_in_touch(cluster, node))
                report_stale(findings, cluster, index, &m);
            else if (m.unsaved)
                report_unsaved(findings, cluster, index, &m);
            if (m.forgot || long_in_touch(cluster, node))
                report_shadow(findings, cluster, index);
            report_winning_claim(findings, cluster, index);
        } else if (m.lists && m.forgot) {
            report_half(findings, cluster, index, &m);
        } else if (m.lists && m.unsaved) {
            report_unsaved(findings, cluster, index, &m);
        }
    }
}
