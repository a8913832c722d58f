#include "tools/evidence/choose.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/evidence/condition.h"
#include "tools/evidence/names.h"
#include "tools/evidence/repeated.h"

/* The instance being filled. */
struct choosing {
    struct evidence *evidence;
    const struct known *known;
    struct instance *instance;
    const size_t *members;
    size_t count;
    const char *last_id; /* that a log states, or NULL */
    struct bytes place;  /* folder of the newest nodes.conf: of several captures, the newest lies there; empty when none */
};

static const struct evidence_file *member(const struct choosing *choosing, size_t i)
{
    return &choosing->evidence->files[choosing->members[i]];
}

static struct bytes of_string(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* What speaks for a view being the newest, in the order in which it counts. */
struct age {
    bool finished; /* no temporary file: what it holds never became the server's */
    bool full;     /* it leaves nothing out: what others leave out they cannot replace */
    bool is_last;  /* its own id is the last one that the log states: other ids were given up */
    bool alone;    /* it knows no other node, so it holds no time: it was saved before all joins, or after a reset */
    int64_t pong_ms;
    bool captured; /* memory is never older than the file that was saved from it */
    uint64_t epoch;
    bool current;         /* the tool did not go on to change what it had shown */
    int64_t collected_ms; /* for views without times: as the manifest of the collection states, 0 when none does */
    unsigned limits;
    const struct view *view;
};

/* Positive: `a` is the better one. */
static int compare_ages(const struct age *a, const struct age *b)
{
#define PREFER(what)                         \
    if (a->what != b->what)                  \
        return a->what > b->what ? 1 : -1
    PREFER(finished);
    PREFER(full);
    PREFER(is_last);
    PREFER(alone);
    PREFER(pong_ms);
    PREFER(captured);
    PREFER(epoch);
    PREFER(collected_ms);
    PREFER(current);
#undef PREFER
    return a->limits == b->limits ? 0 : a->limits < b->limits ? 1 : -1;
}

static int newest_first(const void *a, const void *b)
{
    const struct age *left = a, *right = b;
    int order = compare_ages(right, left);
    return order ? order : (left->view->file > right->view->file) - (left->view->file < right->view->file);
}

/* When the files in and below a folder were collected, by the innermost manifest that says so; 0 when none does. */
static int64_t collected_ms(const struct evidence *evidence, const struct evidence_file *file)
{
    struct bytes folder = names_split(file->path).folder;
    size_t depth = 0;
    int64_t ms = 0;
    for (size_t i = 0; i < evidence->file_count; i++) {
        const struct collection *collection = evidence->files[i].collection;
        struct bytes above = names_split(evidence->files[i].path).folder;
        if (collection && collection->has_time && names_is_below(folder, above) && (!ms || above.len >= depth)) {
            ms = collection->collected_ms;
            depth = above.len;
        }
    }
    return ms;
}

/* A nodes.conf under its own name, not a copy of one. */
static bool is_in_place(const struct choosing *choosing, const struct evidence_file *file)
{
    struct bytes stem = names_split(file->path).stem;
    const char *stated = settings_text(choosing->instance->settings, "cluster-config-file", NULL);
    return file->kind == EVIDENCE_NODESCONF &&
           (stated ? names_compare(stem, names_split(stated).name) == 0 : text_ends(stem, ".conf"));
}

static struct age age_of(const struct choosing *choosing, const struct evidence_file *file)
{
    const struct sighting *own = view_own(file->view);
    const char *id = own ? view_store_id(choosing->evidence->store, own->entry->node) : "";
    return (struct age){
        .finished = !file->temporary,
        .full = !file->view->limits,
        .is_last = choosing->last_id && strcmp(id, choosing->last_id) == 0,
        .alone = file->view->newest_pong_ms == 0 && is_in_place(choosing, file),
        .pong_ms = file->view->newest_pong_ms,
        .captured = file->view->capture,
        .epoch = file->view->current_epoch,
        .current = !file->view->outdated,
        .collected_ms = file->view->limits ? collected_ms(choosing->evidence, file) : 0,
        .limits = file->view->limits,
        .view = file->view,
    };
}

static bool choose_views(struct choosing *choosing)
{
    struct instance *instance = choosing->instance;
    struct arena *arena = choosing->evidence->arena;
    struct age *ages = arena_array(arena, choosing->count, sizeof(*ages));
    const struct view **views = arena_array(arena, choosing->count, sizeof(*views));
    size_t count = 0;
    if (!ages || !views)
        return false;
    for (size_t i = 0; i < choosing->count; i++)
        if (member(choosing, i)->view)
            ages[count++] = age_of(choosing, member(choosing, i));
    if (!count)
        return true;
    qsort(ages, count, sizeof(*ages), newest_first);
    size_t usable = ages[0].finished, partial = 0;
    for (size_t i = usable; i < count; i++)
        partial += !ages[i].full;
    instance->view = usable ? ages[0].view : NULL;
    instance->history = views;
    instance->partial = views + (count - usable - partial);
    for (size_t i = usable; i < count; i++) {
        if (ages[i].full)
            views[instance->history_count++] = ages[i].view;
        else
            instance->partial[instance->partial_count++] = ages[i].view;
    }
    return true;
}

struct dated_status {
    const struct status *status;
    int64_t collected_ms;
};

static int newest_status(const void *a, const void *b)
{
    const struct dated_status *left = a, *right = b;
    int order = status_compare(left->status, right->status);
    if (order)
        return order;
    if (left->collected_ms != right->collected_ms)
        return left->collected_ms > right->collected_ms ? -1 : 1;
    return (left->status->file > right->status->file) - (left->status->file < right->status->file);
}

static bool choose_statuses(struct choosing *choosing)
{
    struct instance *instance = choosing->instance;
    struct arena *arena = choosing->evidence->arena;
    struct dated_status *dated = arena_array(arena, choosing->count, sizeof(*dated));
    const struct status **statuses = arena_array(arena, choosing->count, sizeof(*statuses));
    size_t count = 0;
    if (!dated || !statuses)
        return false;
    for (size_t i = 0; i < choosing->count; i++) {
        const struct evidence_file *file = member(choosing, i);
        if (file->status && !file->temporary)
            dated[count++] = (struct dated_status){file->status, collected_ms(choosing->evidence, file)};
    }
    if (count)
        qsort(dated, count, sizeof(*dated), newest_status);
    for (size_t i = 0; i < count; i++)
        statuses[i] = dated[i].status;
    instance->statuses = statuses;
    instance->status_count = count;
    return true;
}

static bool in_place(const struct choosing *choosing, const struct evidence_file *file)
{
    return choosing->place.len && names_compare(names_split(file->path).folder, choosing->place) == 0;
}

/* The folder of the newest nodes.conf under its own name. */
static void choose_place(struct choosing *choosing)
{
    const struct instance *instance = choosing->instance;
    const struct view *view = instance->view;
    for (size_t h = 0; view && view->capture; h++)
        view = h < instance->history_count ? instance->history[h] : NULL;
    if (view)
        choosing->place = names_split(choosing->evidence->files[view->file].path).folder;
}

/* Of several configurations that of the newest capture, then the one under a plain name, the others being copies. */
static void choose_settings(struct choosing *choosing)
{
    enum { PLACE = 4, PORT = 2, PLAIN = 1 };
    const struct evidence_file *best = NULL;
    int best_rank = -1;
    for (size_t i = 0; i < choosing->count; i++) {
        const struct evidence_file *file = member(choosing, i);
        if (file->kind != EVIDENCE_CONF || !file->settings)
            continue;
        int rank = (in_place(choosing, file) ? PLACE : 0) + (settings_find(file->settings, "port") ? PORT : 0) +
                   (text_ends(names_split(file->path).stem, ".conf") ? PLAIN : 0);
        if (rank > best_rank) {
            best = file;
            best_rank = rank;
        }
    }
    choosing->instance->settings = best ? best->settings : NULL;
}

static int64_t log_begin(const struct logbook *logbook, bool *has_year)
{
    *has_year = logbook->count && logbook->lines[0].time.known && logbook->lines[0].time.has_year;
    return *has_year ? log_unix_ms(&logbook->lines[0].time, 0, 0) : 0;
}

/* By the first event where the year is written; else rotated logs (x.log.2, x.log.1) before the current one (x.log). */
static int oldest_first(const void *a, const void *b, void *context)
{
    const struct logbook *left = *(const struct logbook *const *)a, *right = *(const struct logbook *const *)b;
    const struct evidence *evidence = context;
    bool left_year, right_year;
    int64_t left_ms = log_begin(left, &left_year), right_ms = log_begin(right, &right_year);
    if (left_year && right_year && left_ms != right_ms)
        return left_ms < right_ms ? -1 : 1;
    struct bytes left_stem = names_split(evidence->files[left->file].path).stem;
    struct bytes right_stem = names_split(evidence->files[right->file].path).stem;
    if (names_extends(left_stem, right_stem) != names_extends(right_stem, left_stem))
        return names_extends(left_stem, right_stem) ? -1 : 1;
    if (left_stem.len != right_stem.len)
        return left_stem.len > right_stem.len ? -1 : 1;
    int order = names_compare(right_stem, left_stem);
    return order ? order : (left->file > right->file) - (left->file < right->file);
}

/* A log that is the beginning of another one was collected earlier: it says nothing that the other does not say. */
static void drop_repeated(struct choosing *choosing)
{
    struct instance *instance = choosing->instance;
    size_t kept = 0;
    for (size_t i = 0; i < instance->logbook_count; i++) {
        const struct logbook *logbook = instance->logbooks[i];
        struct evidence_file *file = &choosing->evidence->files[logbook->file];
        size_t whole = SIZE_MAX;
        for (size_t j = 0; j < instance->logbook_count && whole == SIZE_MAX; j++) {
            const struct logbook *other = instance->logbooks[j];
            bool longer = other->total_lines > logbook->total_lines || (other->total_lines == logbook->total_lines && j > i);
            if (longer && repeated_in(choosing->evidence, logbook->file, other->file))
                whole = other->file;
        }
        if (whole == SIZE_MAX)
            instance->logbooks[kept++] = logbook;
        else if (!file->note)
            file->note = "collected earlier: another log of this instance begins with it";
    }
    instance->logbook_count = kept;
}

static bool choose_logs(struct choosing *choosing)
{
    struct instance *instance = choosing->instance;
    instance->logbooks = arena_array(choosing->evidence->arena, choosing->count, sizeof(*instance->logbooks));
    if (!instance->logbooks)
        return false;
    for (size_t i = 0; i < choosing->count; i++)
        if (member(choosing, i)->logbook)
            instance->logbooks[instance->logbook_count++] = member(choosing, i)->logbook;
    qsort_r(instance->logbooks, instance->logbook_count, sizeof(*instance->logbooks), oldest_first, choosing->evidence);
    drop_repeated(choosing);
    for (size_t i = 0; i < instance->logbook_count; i++)
        if (instance->logbooks[i]->id)
            choosing->last_id = instance->logbooks[i]->id;
    return true;
}

/* What speaks for a file being the dump that the server would find; 0 for temporary files. */
static unsigned dump_rank(const struct choosing *choosing, const struct evidence_file *file)
{
    enum { STATED = 16, PORT = 8, DEFAULT = 4, BESIDE = 2, ANY = 1 };
    struct bytes stem = names_split(file->path).stem;
    const char *stated = settings_text(choosing->instance->settings, "dbfilename", NULL);
    unsigned rank = ANY;
    uint16_t port;
    bool firm;
    if (file->temporary)
        return 0;
    if (stated && names_compare(stem, names_split(stated).name) == 0)
        rank += STATED;
    for (size_t at = 0; names_next_port(stem, &at, &port, &firm);)
        if (port == choosing->known->port && !(rank & PORT) && text_ends(stem, ".rdb"))
            rank += PORT;
    if (text_is(stem, "dump.rdb"))
        rank += DEFAULT;
    if (in_place(choosing, file))
        rank += BESIDE;
    return rank;
}

/* The only one that is called so, or simply the only one; equal ranks decide nothing. */
static bool choose_dump(struct choosing *choosing)
{
    struct instance *instance = choosing->instance;
    const struct dump *best = NULL;
    unsigned best_rank = 0;
    size_t equal = 0;
    instance->other_dumps = arena_array(choosing->evidence->arena, choosing->count, sizeof(*instance->other_dumps));
    if (!instance->other_dumps)
        return false;
    for (size_t i = 0; i < choosing->count; i++) {
        const struct evidence_file *file = member(choosing, i);
        unsigned rank = file->dump ? dump_rank(choosing, file) : 0;
        if (!rank || rank < best_rank)
            continue;
        equal = rank == best_rank ? equal + 1 : 1;
        best = file->dump;
        best_rank = rank;
    }
    instance->dump = equal == 1 ? best : NULL;
    for (size_t i = 0; i < choosing->count; i++) {
        const struct dump *dump = member(choosing, i)->dump;
        if (dump && dump != instance->dump)
            instance->other_dumps[instance->other_dump_count++] = dump;
    }
    return true;
}

static void choose_manifest(struct choosing *choosing)
{
    const char *append = settings_text(choosing->instance->settings, "appendfilename", "appendonly.aof");
    for (size_t i = 0; i < choosing->count; i++) {
        const struct evidence_file *file = member(choosing, i);
        struct bytes stem = names_split(file->path).stem;
        if (!file->manifest || file->temporary)
            continue;
        bool named = names_begins(stem, of_string(append)) && text_ends(stem, ".manifest");
        if (!choosing->instance->manifest || (named && (!choosing->place.len || names_is_below(names_split(file->path).folder, choosing->place))))
            choosing->instance->manifest = file->manifest;
    }
}

static void choose_server(struct instance *instance)
{
    for (size_t i = instance->logbook_count; i > 0; i--)
        if (instance->logbooks[i - 1]->server.product) {
            instance->server = instance->logbooks[i - 1]->server;
            instance->server_basis = "log";
            return;
        }
    for (size_t i = 0; i < instance->status_count; i++)
        if (instance->statuses[i]->server.product) {
            instance->server = instance->statuses[i]->server;
            instance->server_basis = "INFO";
            return;
        }
    if (instance->dump && instance->dump->writer.product) {
        instance->server = instance->dump->writer;
        instance->server_basis = "dump";
    } else if (instance->view) {
        instance->server = condition_grammar(instance->view, &instance->server_basis);
    }
}

static void choose_node(const struct choosing *choosing)
{
    struct instance *instance = choosing->instance;
    const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
    instance->node = NO_NODE;
    if (own)
        instance->node = own->entry->node;
    else if (choosing->last_id)
        instance->node = view_store_node(choosing->evidence->store, of_string(choosing->last_id));
}

static uint16_t own_port(const struct sighting *own)
{
    if (!own)
        return 0;
    return own->entry->port ? own->entry->port : own->entry->tls_port;
}

static bool choose_address(const struct choosing *choosing)
{
    struct instance *instance = choosing->instance;
    const struct sighting *own = instance->view ? view_own(instance->view) : NULL;
    instance->port = own_port(own) ? own_port(own) : choosing->known->port;
    instance->ip = own ? own->entry->ip : "";
    if (!instance->ip[0])
        instance->ip = settings_address(instance->settings);
    if (!instance->ip[0] && names_is_ip(choosing->known->scope))
        instance->ip = arena_copy(choosing->evidence->arena, choosing->known->scope.at, choosing->known->scope.len);
    return instance->ip;
}

/* Where the server's own files lie: those it rewrites first. */
static bool choose_folder(const struct choosing *choosing)
{
    static const enum evidence_kind order[] = {EVIDENCE_NODESCONF, EVIDENCE_RDB, EVIDENCE_CONF,
                                               EVIDENCE_LOG,       EVIDENCE_AOF, EVIDENCE_AOF_MANIFEST};
    const struct instance *instance = choosing->instance;
    size_t chosen = choosing->members[0];
    bool found = instance->view && !instance->view->capture;
    if (found)
        chosen = instance->view->file;
    for (size_t k = 0; k < sizeof(order) / sizeof(*order) && !found; k++)
        for (size_t i = 0; i < choosing->count && !found; i++)
            if (member(choosing, i)->kind == order[k]) {
                chosen = choosing->members[i];
                found = true;
            }
    struct bytes folder = names_split(choosing->evidence->files[chosen].path).folder;
    choosing->instance->folder = arena_copy(choosing->evidence->arena, folder.at, folder.len);
    return choosing->instance->folder;
}

bool choose(struct evidence *evidence, const struct known *known, const size_t *members, size_t count,
            struct instance *instance)
{
    struct choosing choosing = {.evidence = evidence, .known = known, .instance = instance, .members = members, .count = count};
    choose_settings(&choosing);
    if (!choose_logs(&choosing) || !choose_views(&choosing) || !choose_statuses(&choosing))
        return false;
    choose_place(&choosing);
    choose_settings(&choosing);
    if (!choose_dump(&choosing))
        return false;
    choose_manifest(&choosing);
    choose_server(instance);
    choose_node(&choosing);
    return choose_address(&choosing) && choose_folder(&choosing);
}
