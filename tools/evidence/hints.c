#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/evidence/group.h"

enum { DEFAULT_PORT = 6379, PORTS = UINT16_MAX + 1 };

/* Ports that some content states: a number in a name is believed when it is one of them. */
struct known_ports {
    bool any;
    uint8_t bits[PORTS / 8];
};

static const enum role roles[EVIDENCE_KINDS] = {
    [EVIDENCE_EMPTY] = ROLE_OTHER,
    [EVIDENCE_NODESCONF] = ROLE_VIEW,
    [EVIDENCE_CLUSTER_NODES] = ROLE_CAPTURE,
    [EVIDENCE_RDB] = ROLE_DATA,
    [EVIDENCE_AOF] = ROLE_DATA,
    [EVIDENCE_AOF_MANIFEST] = ROLE_DATA,
    [EVIDENCE_CONF] = ROLE_CONF,
    [EVIDENCE_LOG] = ROLE_LOG,
    [EVIDENCE_CLUSTER_INFO] = ROLE_OTHER,
    [EVIDENCE_INFO] = ROLE_OTHER,
    [EVIDENCE_ACL] = ROLE_OTHER,
};

static void know(struct known_ports *known, uint16_t port)
{
    if (port) {
        known->any = true;
        known->bits[port / 8] |= (uint8_t)(1u << port % 8);
    }
}

static bool is_known(const struct known_ports *known, uint16_t port)
{
    return known->bits[port / 8] >> port % 8 & 1;
}

static uint16_t conf_port(const struct settings *settings)
{
    static const char *const names[] = {"port", "tls-port"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        const char *text = settings_text(settings, names[i], "");
        uint64_t port;
        if (text_u64((struct bytes){(const uint8_t *)text, strlen(text)}, &port) && port && port <= UINT16_MAX)
            return (uint16_t)port;
    }
    return 0;
}

static uint32_t log_node(const struct evidence *evidence, const struct logbook *logbook)
{
    if (!logbook->id)
        return NO_NODE;
    return view_store_node(evidence->store, (struct bytes){(const uint8_t *)logbook->id, strlen(logbook->id)});
}

static void hint_content(const struct evidence *evidence, const struct evidence_file *file, struct hint *hint)
{
    const struct sighting *own = file->view ? view_own(file->view) : NULL;
    if (own) {
        hint->node = own->entry->node;
        hint->ip = own->entry->ip;
        hint->said = own->entry->port ? own->entry->port : own->entry->tls_port;
    }
    if (file->logbook) {
        hint->node = log_node(evidence, file->logbook);
        hint->said = file->logbook->port;
    }
    if (file->settings)
        hint->said = conf_port(file->settings);
    if (file->status && file->status->numbers[STATUS_TCP_PORT].number <= UINT16_MAX)
        hint->said = (uint16_t)file->status->numbers[STATUS_TCP_PORT].number;
}

/* A port that many files state, and that peers state about a node, is as good as one in the own line. */
static void know_content(struct known_ports *known, const struct evidence_file *file, const struct hint *hint)
{
    know(known, hint->said);
    for (size_t i = 0; file->view && i < file->view->count; i++) {
        know(known, file->view->sightings[i].entry->port);
        know(known, file->view->sightings[i].entry->tls_port);
    }
}

/* The last known port in a name, else the last number that nothing but an ending follows. */
static uint16_t named_port(const struct known_ports *known, struct bytes stem)
{
    uint16_t port, found = 0, firm_one = 0;
    bool firm;
    names_is_unfinished_nodesconf(stem, &stem);
    if (names_is_unfinished_data(stem))
        return 0;
    for (size_t at = 0; names_next_port(stem, &at, &port, &firm);) {
        if (is_known(known, port))
            found = port;
        else if (firm || !known->any)
            firm_one = port;
    }
    return found ? found : firm_one;
}

/* The innermost folder that is called by a port ("7000", "10.0.0.1_7000"), or has a known port in its name
 * ("redis-7000"). */
static uint16_t placed_port(const struct known_ports *known, struct bytes folder)
{
    uint16_t port;
    bool firm;
    struct bytes ip;
    for (; folder.len; folder = names_parent(folder)) {
        struct bytes last = names_last(folder);
        if (names_is_port(last, &port) || names_is_address(last, &ip, &port))
            return port;
        for (size_t at = 0; names_next_port(last, &at, &port, &firm);)
            if (is_known(known, port))
                return port;
    }
    return 0;
}

static uint16_t first_of(uint16_t a, uint16_t b, uint16_t c)
{
    return a ? a : b ? b : c;
}

/* Which of the ports counts. A nodes.conf states the port that is announced, which need not be the one that the server
 * listens on, and a copied file states another server's; so its place goes first. A capture has no place. */
static uint16_t port_that_counts(const struct hint *hint)
{
    switch (hint->role) {
    case ROLE_VIEW:
        return first_of(hint->named, hint->placed, hint->said);
    case ROLE_CONF:
        return hint->said ? hint->said : first_of(hint->named, hint->placed, DEFAULT_PORT);
    case ROLE_CAPTURE:
        return first_of(hint->said, hint->named, 0);
    case ROLE_NONE:
    case ROLE_LOG:
    case ROLE_DATA:
    case ROLE_OTHER:
        return first_of(hint->said, hint->named, hint->placed);
    }
    return 0;
}

/* The folder directly above the innermost one that is called by a port; empty when there is none. */
static struct bytes above_port(const struct path_parts *parts)
{
    uint16_t port;
    for (struct bytes folder = parts->folder; folder.len; folder = names_parent(folder))
        if (names_is_port(names_last(folder), &port))
            return names_parent(folder);
    return (struct bytes){parts->name.at, 0};
}

/* Folders above port folders that hold a nodes.conf: hosts. (Where data/7000, log/7000 and etc/7000 stand side by side,
 * only one of them does.) */
struct hosts {
    struct bytes *folders;
    size_t count;
};

static int by_bytes(const void *a, const void *b)
{
    return names_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static bool find_hosts(const struct grouping *grouping, struct hosts *hosts)
{
    hosts->folders = arena_array(grouping->arena, grouping->count, sizeof(*hosts->folders));
    hosts->count = 0;
    for (size_t i = 0; hosts->folders && i < grouping->count; i++) {
        struct bytes host = above_port(&grouping->hints[i].parts);
        if (grouping->hints[i].role == ROLE_VIEW && host.len)
            hosts->folders[hosts->count++] = host;
    }
    if (hosts->count)
        qsort(hosts->folders, hosts->count, sizeof(*hosts->folders), by_bytes);
    return hosts->folders;
}

/* The innermost IP address among the folders, else a host folder, else an IP address in the file's own name. */
static struct bytes scope_of(const struct hosts *hosts, const struct path_parts *parts)
{
    uint16_t port;
    struct bytes ip;
    for (struct bytes folder = parts->folder; folder.len; folder = names_parent(folder)) {
        struct bytes last = names_last(folder);
        if (names_is_address(last, &ip, &port))
            return ip;
        if (names_is_ip(last))
            return last;
    }
    struct bytes host = above_port(parts);
    if (host.len && hosts->count && bsearch(&host, hosts->folders, hosts->count, sizeof(host), by_bytes))
        return host;
    return names_find_ip(parts->stem, &ip) ? ip : (struct bytes){parts->name.at, 0};
}

/* A configuration that another one includes is no server's own. */
static void drop_included(struct grouping *grouping)
{
    struct evidence *evidence = grouping->evidence;
    for (size_t i = 0; i < grouping->count; i++) {
        const struct settings *settings = evidence->files[i].settings;
        for (size_t k = 0; settings && k < settings->count; k++) {
            const struct setting *setting = &settings->all[k];
            if (strcmp(setting->name, "include") != 0 || !setting->words || !setting->word_count)
                continue;
            struct bytes target = names_split(setting->words[0]).name;
            for (size_t f = 0; f < grouping->count; f++)
                if (f != i && grouping->hints[f].role == ROLE_CONF && !grouping->hints[f].said &&
                    names_compare(grouping->hints[f].parts.stem, target) == 0)
                    grouping->hints[f].role = ROLE_OTHER;
        }
    }
}

/* A reply that does not say who gave it, and a port or an address in its place: the node that it lists there. */
static void own_by_place(struct evidence_file *file, struct hint *hint)
{
    uint16_t port = hint->named ? hint->named : hint->placed;
    struct bytes ip = names_is_ip(hint->scope) ? hint->scope : (struct bytes){hint->scope.at, 0};
    if (!port && !ip.len) {
        hint->role = view_own(file->view) ? ROLE_CAPTURE : ROLE_NONE;
        return;
    }
    if (!view_own(file->view))
        view_set_own(file->view, ip, port);
    hint->role = view_own(file->view) ? ROLE_CAPTURE : ROLE_OTHER;
}

static void start_group(struct grouping *grouping, size_t number)
{
    const struct hint *hint = &grouping->hints[number];
    const struct evidence_file *file = &grouping->evidence->files[number];
    bool identified = hint->role == ROLE_VIEW || hint->role == ROLE_CAPTURE;
    grouping->groups[number] = (struct group){
        .files = 1,
        .conf = hint->role == ROLE_CONF ? number : SIZE_MAX,
        .view = hint->role == ROLE_VIEW && !file->temporary ? number : SIZE_MAX,
        .log = hint->role == ROLE_LOG ? number : SIZE_MAX,
        .status = file->status != NULL,
        .capture = hint->role == ROLE_CAPTURE,
        .dump = file->kind == EVIDENCE_RDB && !file->temporary,
        .port = hint->port,
        .said = identified ? hint->said : 0,
        .node = hint->node,
        .ip = identified ? hint->ip : "",
        .scope = hint->scope,
        .folder = hint->parts.folder,
        .placed = hint->role != ROLE_CAPTURE,
    };
}

bool group_hints(struct grouping *grouping)
{
    struct evidence *evidence = grouping->evidence;
    struct known_ports *known = arena_alloc(grouping->arena, sizeof(*known));
    grouping->count = evidence->file_count;
    grouping->hints = arena_array(grouping->arena, grouping->count, sizeof(*grouping->hints));
    grouping->groups = arena_array(grouping->arena, grouping->count, sizeof(*grouping->groups));
    if (!known || !grouping->hints || !grouping->groups)
        return false;
    for (size_t i = 0; i < grouping->count; i++) {
        const struct evidence_file *file = &evidence->files[i];
        struct hint *hint = &grouping->hints[i];
        *hint = (struct hint){.role = roles[file->kind], .node = NO_NODE, .ip = "", .parent = i};
        hint->parts = names_split(file->path);
        hint_content(evidence, file, hint);
        know_content(known, file, hint);
    }
    struct hosts hosts;
    if (!find_hosts(grouping, &hosts))
        return false;
    drop_included(grouping);
    for (size_t i = 0; i < grouping->count; i++) {
        struct hint *hint = &grouping->hints[i];
        hint->scope = scope_of(&hosts, &hint->parts);
        hint->named = named_port(known, hint->parts.stem);
        hint->placed = placed_port(known, hint->parts.folder);
        if (evidence->files[i].view && evidence->files[i].view->limits) {
            own_by_place(&evidence->files[i], hint);
            hint_content(evidence, &evidence->files[i], hint);
        }
        hint->port = port_that_counts(hint);
        start_group(grouping, i);
    }
    return !arena_failed(evidence->arena);
}
