#include "tools/cluster/membership.h"

#include <inttypes.h>
#include <string.h>

/* ------------------------------------------------------------------ the clock of a log */

static bool known_offset(int64_t difference_ms, int32_t *zone_s)
{
    const int64_t quarter = 15 * 60 * 1000;
    int64_t steps = (difference_ms + (difference_ms >= 0 ? quarter / 2 : -quarter / 2)) / quarter;
    int64_t rest = difference_ms - steps * quarter;
    if (rest < -2000 || rest > 2000 || steps < -14 * 4 || steps > 14 * 4)
        return false;
    *zone_s = (int32_t)(steps * quarter / 1000);
    return true;
}

static int year_of(int64_t unix_s)
{
    /* Mean Gregorian years are exact enough: the neighbours are tried too. */
    return (int)(1970 + unix_s / 31556952);
}

bool instance_log_zone(const struct instance *instance, int32_t *zone_s, int *year)
{
    if (!instance->dump || !instance->dump->has_ctime)
        return false;
    const struct logbook_line *saved = NULL; /* the last one: it wrote the dump that is here */
    for (size_t b = 0; b < instance->logbook_count; b++)
        for (size_t l = 0; l < instance->logbooks[b]->count; l++)
            if (instance->logbooks[b]->lines[l].event == LOGBOOK_SAVED && instance->logbooks[b]->lines[l].time.known)
                saved = &instance->logbooks[b]->lines[l];
    if (!saved)
        return false;
    int middle = saved->time.has_year ? saved->time.year : year_of(instance->dump->ctime_s);
    for (int y = middle - 1; y <= middle + 1; y++)
        if (known_offset(log_unix_ms(&saved->time, y, 0) - instance->dump->ctime_s * 1000, zone_s)) {
            *year = y;
            return true;
        }
    return false;
}

/* The zone of an instance's logs, else that of another instance on its host: a host has one local time. */
static bool host_log_zone(const struct evidence *evidence, const struct instance *instance, int32_t *zone_s, int *year)
{
    if (instance_log_zone(instance, zone_s, year))
        return true;
    for (size_t i = 0; i < evidence->instance_count; i++)
        if (strcmp(evidence->instances[i].host, instance->host) == 0 && instance_log_zone(&evidence->instances[i], zone_s, year))
            return true;
    return false;
}

int64_t membership_birth_ms(const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    const struct instance *instance = node->instance == SIZE_MAX ? NULL : &cluster->evidence->instances[node->instance];
    int32_t zone;
    int year;
    if (!instance || !host_log_zone(cluster->evidence, instance, &zone, &year))
        return 0;
    for (size_t b = 0; b < instance->logbook_count; b++)
        for (size_t l = 0; l < instance->logbooks[b]->count; l++) {
            const struct logbook_line *line = &instance->logbooks[b]->lines[l];
            bool its = line->text && view_store_find(cluster->evidence->store, (struct bytes){(const uint8_t *)line->text, 40}) == node->number;
            if ((line->event == LOGBOOK_NEW_IDENTITY || line->event == LOGBOOK_RESET_IDENTITY) && its && line->time.known)
                return log_unix_ms(&line->time, year, zone);
        }
    return 0;
}

/* The first line in which the node saw a working cluster under this id; `last`: the last such line. `started` gets the line of
 * the start before it. */
static const struct logbook_line *joined_line(const struct instance *instance, uint32_t node, const struct view_store *store,
                                              bool last, const struct logbook_line **started)
{
    const struct logbook_line *found = NULL, *start = NULL;
    for (size_t b = 0; b < instance->logbook_count; b++) {
        const char *id = NULL; /* whose the following lines are */
        for (size_t l = 0; l < instance->logbooks[b]->count; l++) {
            const struct logbook_line *line = &instance->logbooks[b]->lines[l];
            if (line->event == LOGBOOK_NEW_IDENTITY || line->event == LOGBOOK_LOADED_IDENTITY ||
                line->event == LOGBOOK_RESET_IDENTITY) {
                id = line->text;
                start = line;
            }
            bool its = !id || view_store_find(store, (struct bytes){(const uint8_t *)id, 40}) == node;
            if (line->event == LOGBOOK_CLUSTER_OK && its && (last || !found)) {
                found = line;
                *started = start;
            }
        }
    }
    return found;
}

/* A primary says "ok" two seconds after its start at the earliest: where no more than a few seconds lie between, it was in the
 * cluster from its start on. */
static int64_t joining_ms(const struct logbook_line *joined, const struct logbook_line *started, int year, int32_t zone_s)
{
    const int64_t few_seconds = 5000;
    int64_t ok = log_unix_ms(&joined->time, year, zone_s);
    int64_t start = started && started->time.known ? log_unix_ms(&started->time, year, zone_s) : ok;
    return ok >= start && ok - start <= few_seconds ? start : ok;
}

/* ------------------------------------------------------------------ proofs of membership */

/* The highest epoch that a node is known to have taken part in, or 0; `how` prefers its own config epoch. */
static uint64_t took_part(const struct cluster *cluster, const struct node *node, enum former *how)
{
    uint64_t epoch = 0;
    for (size_t c = 0; c < node->claim_count && node->claims[c].own; c++) {
        const struct claim *claim = &node->claims[c];
        uint64_t vote = claim->view->has_last_vote_epoch ? claim->view->last_vote_epoch : 0;
        /* A replica's line shows its primary's epoch from 6.0.6 on, so it proves nothing about the replica. */
        uint64_t config = claim->sighting->entry->flags & NODE_PRIMARY ? claim->sighting->entry->config_epoch : 0;
        if (vote && vote <= cluster->current_epoch) {
            epoch = vote > epoch ? vote : epoch;
            *how = *how == FORMER_CONFIG_EPOCH ? *how : FORMER_VOTE;
        }
        if (config && config <= cluster->current_epoch) {
            epoch = config > epoch ? config : epoch;
            *how = FORMER_CONFIG_EPOCH;
        }
    }
    return epoch;
}

static const struct claim *older_view(const struct cluster *cluster, const struct node *node, struct arena *arena)
{
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *instance = &cluster->evidence->instances[cluster->core[i]];
        if (instance->node == node->number)
            continue;
        for (size_t h = 0; h < instance->history_count; h++) {
            const struct sighting *sighting = view_find(instance->history[h], node->number);
            struct claim *claim = sighting ? arena_alloc(arena, sizeof(*claim)) : NULL;
            if (claim) {
                *claim = (struct claim){cluster->core[i], instance->history[h], sighting, false};
                return claim;
            }
        }
    }
    return NULL;
}

enum { SKEW_MS = 60 * 1000 };

static const char *host_of(const struct cluster *cluster, size_t instance)
{
    return cluster->evidence->instances[instance].host;
}

/* A moment at which the node was in the cluster, by the clock of `witness`, is earlier than the newest pong of a view, by the
 * clock of its own host. Two hosts' clocks may differ by `skew_ms`. */
static bool before(const struct cluster *cluster, int64_t moment_ms, size_t witness, size_t instance, int64_t skew_ms)
{
    int64_t newest = cluster->evidence->instances[instance].view->newest_pong_ms;
    bool one_clock = strcmp(host_of(cluster, witness), host_of(cluster, instance)) == 0;
    return moment_ms && newest > moment_ms + (one_clock ? 0 : skew_ms);
}

/* The clock of pongs; see the header. */
static bool forgot_in_time(const struct cluster *cluster, const struct node *node, size_t instance,
                           const struct membership *membership, int64_t skew_ms)
{
    const struct claim *former = membership->former_claim;
    if (node->instance != SIZE_MAX && before(cluster, membership->log_ms, node->instance, instance, skew_ms))
        return true;
    if (former && before(cluster, former->sighting->pong_ms, former->instance, instance, skew_ms))
        return true;
    for (size_t c = 0; c < node->claim_count; c++) {
        const struct claim *claim = &node->claims[c];
        /* Of a node that nobody lists, its own view: when it was last in contact, it was a member in its own eyes. */
        int64_t moment = !claim->own ? claim->sighting->pong_ms
                         : node->standing == STANDING_OUTSIDER ? claim->view->newest_pong_ms : 0;
        if (before(cluster, moment, claim->instance, instance, skew_ms))
            return true;
    }
    return false;
}

/* The clock of epochs; see the header. */
static bool forgot_by_epoch(const struct cluster *cluster, const struct node *node, size_t instance)
{
    enum former how = FORMER_UNKNOWN;
    uint64_t epoch = took_part(cluster, node, &how);
    return epoch && view_epoch(cluster->evidence->instances[instance].view) >= epoch;
}

bool view_may_have_lost(const struct view *view)
{
    static const enum nodesconf_defect harmless[] = {NODESCONF_LINE_CR, NODESCONF_LINK, NODESCONF_AUX_UNKNOWN,
                                                     NODESCONF_AUX_VALUE, NODESCONF_HANDSHAKE_SAVED, NODESCONF_VARS_UNKNOWN};
    if (!view->capture && !view->has_vars)
        return true;
    for (size_t d = 0; d < view->defect_count; d++) {
        bool harmful = true;
        for (size_t h = 0; h < sizeof(harmless) / sizeof(harmless[0]); h++)
            harmful &= view->defects[d].code != harmless[h];
        if (harmful)
            return true;
    }
    return false;
}

struct membership membership_of(const struct cluster *cluster, uint32_t index, struct arena *arena)
{
    const struct node *node = &cluster->nodes[index];
    struct membership m = {.former = FORMER_UNKNOWN};
    took_part(cluster, node, &m.former);
    if (node->instance != SIZE_MAX) {
        const struct instance *instance = &cluster->evidence->instances[node->instance];
        /* A node that is listed may have been away and come back: then only its latest time in the cluster counts. */
        bool listed = node->standing == STANDING_MEMBER;
        const struct logbook_line *started = NULL;
        m.former_line = joined_line(instance, node->number, cluster->evidence->store, listed, &started);
        if (m.former_line && m.former == FORMER_UNKNOWN)
            m.former = FORMER_LOG;
        int32_t zone;
        int year;
        if (m.former_line && m.former_line->time.known && host_log_zone(cluster->evidence, instance, &zone, &year))
            m.log_ms = joining_ms(m.former_line, started, year, zone);
    }
    m.former_claim = older_view(cluster, node, arena);
    if (m.former_claim) {
        if (m.former == FORMER_UNKNOWN)
            m.former = FORMER_VIEW;
    }
    for (size_t i = 0; i < cluster->core_count; i++) {
        if (cluster->evidence->instances[cluster->core[i]].node == node->number)
            continue;
        enum silence silence = membership_silence(cluster, index, cluster->core[i], &m);
        m.damaged += silence != SILENCE_LISTS && silence != SILENCE_BY_RULE && view_may_have_lost(cluster->evidence->instances[cluster->core[i]].view);
        switch (silence) {
        case SILENCE_LISTS: m.lists++; break;
        case SILENCE_FORGOT:
            m.forgot++;
            /* Where epochs and pongs say the same, the clocks need no tolerance. */
            m.forgot_in_time += forgot_in_time(cluster, node, cluster->core[i], &m, SKEW_MS) ||
                                (forgot_by_epoch(cluster, node, cluster->core[i]) &&
                                 forgot_in_time(cluster, node, cluster->core[i], &m, 0));
            break;
        case SILENCE_UNSAVED: m.unsaved++; break;
        case SILENCE_BY_RULE: break;
        }
    }
    return m;
}

enum silence membership_silence(const struct cluster *cluster, uint32_t index, size_t instance,
                                const struct membership *membership)
{
    const struct node *node = &cluster->nodes[index];
    const struct view *view = cluster->evidence->instances[instance].view;
    const struct sighting *sighting = view_find(view, node->number);
    if (sighting && (node->standing != STANDING_OUTSIDER || sighting_names(sighting)))
        return SILENCE_LISTS;
    if (view->limits & VIEW_SOME_NODES)
        return SILENCE_BY_RULE;
    /* That damage took just this line from every file is not to be believed of a node that nobody lists. */
    if (view_may_have_lost(view) && node->standing != STANDING_OUTSIDER)
        return SILENCE_UNSAVED;
    if (forgot_in_time(cluster, node, instance, membership, SKEW_MS) || forgot_by_epoch(cluster, node, instance))
        return SILENCE_FORGOT;
    /* Nobody lists it, and its log says that it saw a working cluster: without a dated line to compare, or on another
     * host's clock, the order of saving is taken as it stands. */
    if (node->standing == STANDING_OUTSIDER && membership->log_ms && view->newest_pong_ms > membership->log_ms)
        return SILENCE_FORGOT;
    /* An older view of the same instance lists it: what was saved is gone. */
    const struct instance *owner = &cluster->evidence->instances[instance];
    for (size_t h = 0; h < owner->history_count; h++)
        if (view_find(owner->history[h], node->number))
            return SILENCE_FORGOT;
    return SILENCE_UNSAVED;
}

const char *membership_former_text(const struct cluster *cluster, uint32_t index, const struct membership *membership,
                                   struct arena *arena)
{
    const struct node *node = &cluster->nodes[index];
    const struct claim *own = node->claim_count && node->claims[0].own ? &node->claims[0] : NULL;
    switch (membership->former) {
    case FORMER_CONFIG_EPOCH:
        return arena_format(arena, "a member once: its own configEpoch is %" PRIu64 ", and the members have reached %" PRIu64,
                            own->sighting->entry->config_epoch, cluster->current_epoch);
    case FORMER_VOTE:
        return arena_format(arena, "a member once: it voted in epoch %" PRIu64 ", and the members have reached %" PRIu64,
                            own->view->last_vote_epoch, cluster->current_epoch);
    case FORMER_LOG:
        return "a member once: its log says \"Cluster state changed: ok\"";
    case FORMER_VIEW:
        return "a member once: an older view of a member names it";
    case FORMER_UNKNOWN:
        break;
    }
    return "nothing proves that it was a member before";
}
