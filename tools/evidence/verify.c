#include "tools/evidence/verify.h"

#include <stdlib.h>
#include <string.h>

static const char *plain(const char *path)
{
    while (path[0] == '.' && path[1] == '/')
        path += 2;
    return path;
}

static int by_path(const void *a, const void *b)
{
    const struct verify_row *left = a, *right = b;
    int order = strcmp(left->path, right->path);
    if (order)
        return order;
    if (left->state != right->state)
        return left->state < right->state ? -1 : 1;
    return (left->file > right->file) - (left->file < right->file);
}

/* Before comparing, listed files are VERIFY_MISSING and found ones VERIFY_NEW, so that of one path the listed come
 * first. */
static size_t collect(const struct evidence *evidence, const struct collection *list, const char *list_sha256,
                      struct verify_row *rows)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        rows[count++] = (struct verify_row){VERIFY_MISSING, plain(list->files[i].path), &list->files[i], SIZE_MAX};
    for (size_t i = 0; i < evidence->file_count; i++) {
        const struct evidence_file *file = &evidence->files[i];
        bool is_list = file->kind == EVIDENCE_COLLECTION && strcmp(file->sha256, list_sha256) == 0;
        if (!file->unread && !is_list)
            rows[count++] = (struct verify_row){VERIFY_NEW, plain(file->path), NULL, i};
    }
    if (count)
        qsort(rows, count, sizeof(*rows), by_path);
    return count;
}

bool verify(const struct evidence *evidence, const struct collection *list, const char *list_sha256,
            struct arena *arena, struct verify *verify)
{
    struct verify_row *rows = arena_array(arena, list->count + evidence->file_count, sizeof(*rows));
    if (!rows)
        return false;
    size_t count = collect(evidence, list, list_sha256, rows);
    *verify = (struct verify){.rows = rows};
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && strcmp(rows[to].path, rows[from].path) == 0; to++)
            continue;
        const struct verify_row *last = &rows[to - 1];
        bool found = last->state == VERIFY_NEW, listed = rows[from].state == VERIFY_MISSING;
        for (size_t i = from; i < to; i++) {
            struct verify_row row = rows[i];
            if (row.listed && found) {
                row.file = last->file;
                bool same = strcmp(row.listed->sha256, evidence->files[row.file].sha256) == 0;
                row.state = same ? VERIFY_MATCHED : VERIFY_CHANGED;
            } else if (!row.listed && listed) {
                continue;
            }
            rows[verify->count++] = row;
            verify->counts[row.state]++;
        }
    }
    return true;
}

const char *verify_state_name(enum verify_state state)
{
    static const char *const names[VERIFY_STATES] = {"matched", "changed", "missing", "new"};
    return names[state];
}
