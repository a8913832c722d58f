/* What the first records of a dump say of its server. */
#include <stdio.h>

#include "parsers/bytes/text.h"
#include "tools/keyspace/stat_scan_private.h"

static void take_aux(struct stat_head *head, struct bytes name, struct bytes value)
{
    int64_t number;
    if (text_is(name, "redis-ver") && head->writer.product != PRODUCT_VALKEY)
        server_parse(PRODUCT_REDIS, value, &head->writer);
    else if (text_is(name, "valkey-ver"))
        server_parse(PRODUCT_VALKEY, value, &head->writer);
    else if (text_is(name, "ctime"))
        head->has_ctime = text_i64(value, &head->ctime_s);
    else if (text_is(name, "used-mem"))
        head->has_used = text_i64(value, &head->used);
    else if (text_is(name, "repl-offset"))
        head->replicated = text_i64(value, &number) && number > 0;
    else if (text_is(name, "slot-info"))
        head->clustered = true;
}

struct stat_head stat_head_read(struct source *source)
{
    struct stat_head head = {0};
    struct bytes start = source_peek(source, SOURCE_PEEK_MAX);
    struct source *copy = source_memory(start.at, start.len);
    struct rdb *reader = copy ? rdb_open(copy, 0) : NULL;
    enum parse_step step = PARSE_ITEM;
    struct rdb_item item = {.kind = RDB_HEADER};
    while (reader && (step == PARSE_ITEM || step == PARSE_DAMAGE) && item.kind != RDB_KEY) {
        step = rdb_next(reader, &item);
        if (step != PARSE_ITEM)
            continue;
        if (item.kind == RDB_HEADER) {
            head.version = item.version;
            head.valkey_magic = item.valkey_magic;
        } else if (item.kind == RDB_AUX) {
            take_aux(&head, item.name, item.value);
        }
    }
    if (reader)
        rdb_close(reader);
    source_close(copy);
    return head;
}

/* libc's malloc leaves odd numbers in used-mem; jemalloc's classes are multiples of eight. */
static enum memory_allocator allocator_of(const struct stat_options *options, const struct stat_head *head)
{
    return options->allocator == MEMORY_BUNDLED && head->has_used && head->used % 8 ? MEMORY_LIBC : options->allocator;
}

void stat_head_take(struct stat_scan *scan, struct stat_head head)
{
    struct stat_file *file = &scan->file;
    scan->head = head;
    scan->model = memory_model_of(head.writer, head.version, head.valkey_magic,
                                  allocator_of(&scan->stat->options, &head));
    file->rdb_version = head.version;
    file->writer = head.writer.product == PRODUCT_UNKNOWN ? NULL : server_name(head.writer, scan->writer);
    snprintf(scan->model_text, sizeof(scan->model_text), "%s, %s", memory_model_name(&scan->model),
             memory_allocator_name(scan->model.allocator));
    file->model = scan->model_text;
    file->has_ctime = head.has_ctime && !__builtin_mul_overflow(head.ctime_s, INT64_C(1000), &file->ctime_ms);
    if (!file->has_ctime)
        file->ctime_ms = 0;
    file->has_used = head.has_used && head.used > 0;
    file->used = file->has_used ? (uint64_t)head.used : 0;
}
