#include "tools/evidence/hosts.h"

#include <csv.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/evidence/names.h"

enum { TABLE_LIMIT = 16 * 1024 * 1024, COLUMNS = 3 };

/* A host table while libcsv reads it. */
struct table {
    struct arena *arena;
    struct host_row *rows;
    size_t count, cap;
    size_t line, column;
    const char *cells[COLUMNS];
    const char *problem;
    bool failed;
};

static void take_cell(void *bytes, size_t len, void *context)
{
    struct table *table = context;
    if (table->column < COLUMNS) {
        struct bytes cell = text_trim((struct bytes){bytes, len});
        table->cells[table->column] = arena_copy(table->arena, cell.at, cell.len);
        table->failed |= !table->cells[table->column];
    }
    table->column++;
}

static void take_row(int end, void *context)
{
    struct table *table = context;
    (void)end;
    size_t columns = table->column;
    table->column = 0;
    table->line++;
    if (table->failed || table->problem || !columns)
        return;
    bool header = table->line == 1 && strcmp(table->cells[0], "address") == 0;
    if (header || table->cells[0][0] == '#')
        return;
    if (columns < 2 || columns > COLUMNS || !table->cells[0][0] || !table->cells[1][0]) {
        table->problem = arena_format(table->arena, "row %zu is not address,host or address,host,zone", table->line);
        return;
    }
    table->rows = arena_grow(table->arena, table->rows, table->count, &table->cap, sizeof(*table->rows));
    if (table->rows)
        table->rows[table->count++] =
            (struct host_row){table->cells[0], table->cells[1], columns == COLUMNS ? table->cells[2] : ""};
    table->failed |= !table->rows;
}

static int by_address(const void *a, const void *b)
{
    const struct host_row *left = a, *right = b;
    return strcmp(left->address, right->address);
}

static void parse(struct table *table, struct bytes text)
{
    struct csv_parser parser;
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        table->failed = true;
        return;
    }
    if (csv_parse(&parser, text.at, text.len, take_cell, take_row, table) != text.len ||
        csv_fini(&parser, take_cell, take_row, table) != 0) {
        if (csv_error(&parser) == CSV_ENOMEM)
            table->failed = true;
        else if (!table->problem)
            table->problem = csv_strerror(csv_error(&parser));
    }
    csv_free(&parser);
    if (table->count)
        qsort(table->rows, table->count, sizeof(*table->rows), by_address);
}

static bool read_table(struct table *table, const char *file)
{
    struct source *source = source_open(AT_FDCWD, file, SOURCE_FOLLOW);
    struct bytes text;
    if (!source)
        return false;
    if (source_slurp(source, TABLE_LIMIT, &text))
        parse(table, text);
    else
        table->problem = source_why(source) ? arena_string(table->arena, source_why(source)) : "larger than 16 MiB";
    source_close(source);
    return !table->failed;
}

static const struct host_row *look_up(const struct evidence *evidence, const char *address)
{
    struct host_row key = {.address = address};
    return evidence->host_row_count
               ? bsearch(&key, evidence->host_rows, evidence->host_row_count, sizeof(key), by_address)
               : NULL;
}

static const struct host_row *row_of(const struct evidence *evidence, const char *ip, uint16_t port)
{
    char address[300];
    snprintf(address, sizeof(address), "%s:%u", ip, port);
    const struct host_row *row = look_up(evidence, address);
    return row || !*ip ? row : look_up(evidence, ip);
}

const char *hosts_named(const struct evidence *evidence, const char *ip, uint16_t port)
{
    const struct host_row *row = row_of(evidence, ip, port);
    return row ? row->host : NULL;
}

const char *hosts_zone(const struct evidence *evidence, const char *ip, uint16_t port)
{
    const struct host_row *row = row_of(evidence, ip, port);
    return row && *row->zone ? row->zone : NULL;
}

/* What decides about an instance's host. */
enum basis { BY_TABLE, BY_FOLDER, BY_IP };

/* A folder and how many instances lie in or below it. */
struct folder {
    struct bytes path;
    size_t instances;
};

static int by_path(const void *a, const void *b)
{
    const struct folder *left = a, *right = b;
    return names_compare(left->path, right->path);
}

/* The folders above instances with their counts. */
static struct folder *count_folders(const struct evidence *evidence, struct arena *scratch, size_t *count)
{
    struct folder *folders = NULL;
    size_t listed = 0, cap = 0;
    *count = 0;
    for (size_t i = 0; i < evidence->instance_count; i++) {
        const char *own = evidence->instances[i].folder;
        struct bytes path = {(const uint8_t *)own, strlen(own)};
        for (; path.len; path = names_parent(path)) {
            folders = arena_grow(scratch, folders, listed, &cap, sizeof(*folders));
            if (!folders)
                return NULL;
            folders[listed++] = (struct folder){path, 1};
        }
    }
    if (listed)
        qsort(folders, listed, sizeof(*folders), by_path);
    for (size_t i = 0; i < listed; i++)
        if (*count && by_path(&folders[*count - 1], &folders[i]) == 0)
            folders[*count - 1].instances++;
        else
            folders[(*count)++] = folders[i];
    return folders;
}

static size_t instances_in(const struct folder *folders, size_t count, struct bytes path)
{
    struct folder key = {.path = path};
    const struct folder *folder = count ? bsearch(&key, folders, count, sizeof(key), by_path) : NULL;
    return folder ? folder->instances : 0;
}

/* The folder of an instance's host: the innermost that is called by an IP address, stands directly above a folder
 * called by a port, or holds several instances; but none that holds all of the case. Of folders around the same
 * instances it is the outermost (hostA, not hostA/data). */
static struct bytes host_folder(const struct evidence *evidence, const struct instance *instance,
                                const struct folder *folders, size_t count)
{
    uint16_t port;
    struct bytes path = {(const uint8_t *)instance->folder, strlen(instance->folder)}, below = {0};
    for (; path.len; below = path, path = names_parent(path)) {
        size_t held = instances_in(folders, count, path);
        if (names_is_ip(names_last(path)))
            return path;
        if (held == evidence->instance_count || (held < 2 && !(below.len && names_is_port(names_last(below), &port))))
            continue;
        struct bytes above = names_parent(path);
        while (above.len && instances_in(folders, count, above) == held) {
            path = above;
            above = names_parent(path);
        }
        return path;
    }
    return path;
}

struct chosen {
    struct bytes folder; /* empty: none */
    enum basis by;
};

static enum basis assign(const struct evidence *evidence, struct instance *instance, struct bytes folder)
{
    const char *host = hosts_named(evidence, instance->ip, instance->port);
    if (host) {
        instance->host = host;
        return BY_TABLE;
    }
    if (folder.len)
        return BY_FOLDER;
    instance->host = instance->ip[0] ? instance->ip : instance->name;
    return BY_IP;
}

static int by_last(const void *a, const void *b)
{
    const struct bytes *left = a, *right = b;
    int order = names_compare(names_last(*left), names_last(*right));
    return order ? order : names_compare(*left, *right);
}

/* Host folders are called by their last part, or by all of the path where two of them share it. An IP address is one
 * host wherever it stands. */
static bool name_folders(struct evidence *evidence, const struct chosen *chosen, struct arena *scratch)
{
    struct bytes *sorted = arena_array(scratch, evidence->instance_count, sizeof(*sorted));
    size_t count = 0;
    for (size_t i = 0; sorted && i < evidence->instance_count; i++)
        if (chosen[i].by == BY_FOLDER)
            sorted[count++] = chosen[i].folder;
    if (count)
        qsort(sorted, count, sizeof(*sorted), by_last);
    for (size_t i = 0; sorted && i < evidence->instance_count; i++) {
        if (chosen[i].by != BY_FOLDER)
            continue;
        struct bytes folder = chosen[i].folder, last = names_last(folder);
        const struct bytes *at = bsearch(&folder, sorted, count, sizeof(*sorted), by_last);
        const struct bytes *low = at, *high = at;
        while (low > sorted && names_compare(low[-1], folder) == 0)
            low--;
        while (high + 1 < sorted + count && names_compare(high[1], folder) == 0)
            high++;
        bool shared = (low > sorted && names_compare(names_last(low[-1]), last) == 0) ||
                      (high + 1 < sorted + count && names_compare(names_last(high[1]), last) == 0);
        struct bytes name = shared && !names_is_ip(last) ? folder : last;
        evidence->instances[i].host = arena_copy(evidence->arena, name.at, name.len);
    }
    return sorted;
}

/* An instance that only captures show lies in no host's folder, but its neighbours at the same IP address may. */
static void join_neighbours(const struct evidence *evidence, struct chosen *chosen)
{
    for (size_t i = 0; i < evidence->instance_count; i++) {
        const char *ip = evidence->instances[i].ip;
        for (size_t k = 0; chosen[i].by == BY_IP && ip[0] && k < evidence->instance_count; k++)
            if (chosen[k].by == BY_FOLDER && strcmp(evidence->instances[k].ip, ip) == 0)
                chosen[i] = chosen[k];
    }
}

static const char *basis_text(const struct chosen *chosen, size_t count)
{
    static const char *const texts[8] = {
        [0] = "IP addresses",
        [1 << BY_TABLE] = "--hosts",
        [1 << BY_FOLDER] = "host folders of the case",
        [1 << BY_IP] = "IP addresses",
        [1 << BY_TABLE | 1 << BY_FOLDER] = "--hosts, else host folders of the case",
        [1 << BY_TABLE | 1 << BY_IP] = "--hosts, else IP addresses",
        [1 << BY_FOLDER | 1 << BY_IP] = "host folders of the case, else IP addresses",
        [1 << BY_TABLE | 1 << BY_FOLDER | 1 << BY_IP] = "--hosts, else host folders of the case, else IP addresses",
    };
    unsigned set = 0;
    for (size_t i = 0; i < count; i++)
        set |= 1u << chosen[i].by;
    return texts[set];
}

bool hosts_assign(struct evidence *evidence, const char *file, struct arena *scratch)
{
    struct table table = {.arena = evidence->arena};
    size_t count, instances = evidence->instance_count;
    struct folder *folders = count_folders(evidence, scratch, &count);
    struct chosen *chosen = arena_array(scratch, instances, sizeof(*chosen));
    if (!chosen || (!folders && count) || (file && !read_table(&table, file)))
        return false;
    evidence->host_rows = table.rows;
    evidence->host_row_count = table.count;
    if (table.problem)
        evidence->problem = arena_format(evidence->arena, "--hosts %s: %s", file, table.problem);
    for (size_t i = 0; i < instances; i++) {
        chosen[i].folder = host_folder(evidence, &evidence->instances[i], folders, count);
        chosen[i].by = assign(evidence, &evidence->instances[i], chosen[i].folder);
    }
    join_neighbours(evidence, chosen);
    evidence->host_basis = basis_text(chosen, instances);
    return name_folders(evidence, chosen, scratch) && !arena_failed(evidence->arena) && !arena_failed(scratch);
}
