/* Totals of dumps as a document to be merged: tools/keyspace/partial.h reads it back. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/hex.h"
#include "tools/keyspace/partial.h"
#include "tools/render/escape.h"
#include "tools/render/stat_output.h"

/* A string of any bytes: KEY when it is UTF-8, else its digits as KEY_hex. */
static void write_bytes(struct json *json, const char *key, struct bytes bytes)
{
    if (escape_is_utf8(bytes)) {
        json_string(json, key, bytes);
        return;
    }
    char name[32];
    char *digits = malloc(HEX_SIZE(bytes.len));
    snprintf(name, sizeof(name), "%s_hex", key);
    if (digits)
        json_text(json, name, hex_encode(digits, bytes));
    else
        out_fail(json->out, ENOMEM);
    free(digits);
}

static void write_string(struct json *json, const char *key, const char *text)
{
    if (text)
        write_bytes(json, key, escape_string(text));
    else
        json_null(json, key);
}

static void write_members(struct json *json, const struct stat_sum *sum)
{
    json_u64(json, "keys", sum->keys);
    json_u64(json, "expires", sum->expires);
    json_u64(json, "elements", sum->elements);
    json_u64(json, "bytes", sum->bytes);
    json_u64(json, "memory", sum->memory);
}

static void write_sum(struct json *json, const char *key, const struct stat_sum *sum)
{
    json_object(json, key);
    write_members(json, sum);
    json_end(json);
}

/* Ends a row that was begun with what names it. */
static void end_row(struct json *json, const struct stat_sum *sum)
{
    write_members(json, sum);
    json_end(json);
}

static void write_classes(struct json *json, const struct key_stat *stat)
{
    json_array(json, "encodings");
    for (size_t i = 0; i < stat->encoding_count; i++) {
        json_object(json, NULL);
        json_text(json, "type", stat->encodings[i].type);
        json_text(json, "encoding", stat->encodings[i].encoding);
        end_row(json, &stat->encodings[i].sum);
    }
    json_end(json);
    json_array(json, "expiries");
    for (int expiry = 0; expiry < STAT_EXPIRIES; expiry++) {
        json_object(json, NULL);
        json_text(json, "expires_in", stat_expiry_word((enum stat_expiry)expiry));
        end_row(json, &stat->expiries[expiry]);
    }
    json_end(json);
    json_array(json, "sizes");
    for (size_t size = 0; size < STAT_SIZES; size++) {
        json_object(json, NULL);
        json_u64(json, "most", stat_size_limit(size));
        end_row(json, &stat->sizes[size]);
    }
    json_end(json);
}

static void write_dbs(struct json *json, const struct key_stat *stat)
{
    size_t count;
    const struct sum_row *dbs = sum_table_rows(stat->dbs, SUM_BY_NAME, &count);
    if (!dbs)
        out_fail(json->out, ENOMEM);
    json_array(json, "databases");
    for (size_t i = 0; dbs && i < count; i++) {
        json_object(json, NULL);
        json_number(json, "db", stat_db_number(dbs[i].name));
        end_row(json, &dbs[i].sum);
    }
    json_end(json);
    write_sum(json, "database_other", sum_table_others(stat->dbs));
}

static void write_prefixes(struct json *json, const struct key_stat *stat)
{
    size_t count;
    const struct sum_row *prefixes = sum_table_rows(stat->prefixes, SUM_BY_BYTES, &count);
    if (!prefixes)
        out_fail(json->out, ENOMEM);
    json_array(json, "prefixes");
    for (size_t i = 0; prefixes && i < count; i++) {
        json_object(json, NULL);
        write_bytes(json, "prefix", prefixes[i].name);
        end_row(json, &prefixes[i].sum);
    }
    json_end(json);
    write_sum(json, "prefix_none", sum_table_none(stat->prefixes));
    write_sum(json, "prefix_other", sum_table_others(stat->prefixes));
}

/* Those with keys: slot, keys, bytes, memory, files. */
static void write_slots(struct json *json, const struct key_stat *stat)
{
    json_array(json, "slots");
    for (size_t slot = 0; slot < SLOT_COUNT; slot++) {
        const struct stat_slot *of = &stat->slots[slot];
        if (!of->keys)
            continue;
        json_array(json, NULL);
        json_number(json, NULL, (int64_t)slot);
        json_u64(json, NULL, of->keys);
        json_u64(json, NULL, of->bytes);
        json_u64(json, NULL, of->memory);
        json_u64(json, NULL, of->files);
        json_end(json);
    }
    json_end(json);
}

static void write_time(struct json *json, const char *key, bool has, int64_t ms)
{
    if (has)
        json_number(json, key, ms);
    else
        json_null(json, key);
}

static void write_optional(struct json *json, const char *key, bool has, uint64_t value)
{
    if (has)
        json_u64(json, key, value);
    else
        json_null(json, key);
}

static void write_biggest(struct json *json, const struct key_stat *stat)
{
    json_object(json, "biggest");
    for (int order = 0; order < STAT_ORDERS; order++) {
        json_array(json, stat_order_word((enum stat_order)order));
        for (size_t i = 0; i < stat->big[order].count; i++) {
            const struct stat_big *big = &stat->big[order].at[i];
            json_object(json, NULL);
            write_string(json, "file", big->file);
            json_number(json, "db", big->db);
            write_bytes(json, "key", big->name);
            json_text(json, "type", big->type);
            json_text(json, "encoding", big->encoding);
            json_u64(json, "offset", big->offset);
            json_u64(json, "bytes", big->bytes);
            json_u64(json, "elements", big->elements);
            json_u64(json, "memory", big->memory);
            write_time(json, "expires_ms", big->has_expiry, big->expire_ms);
            json_end(json);
        }
        json_end(json);
    }
    json_end(json);
}

static void write_file(struct json *json, const struct stat_file *file)
{
    json_object(json, NULL);
    write_string(json, "file", file->path);
    json_text(json, "writer", file->writer);
    json_number(json, "rdb_version", file->rdb_version);
    json_text(json, "model", file->model);
    write_time(json, "ctime_ms", file->has_ctime, file->ctime_ms);
    json_u64(json, "keys_seen", file->seen);
    write_members(json, &file->sum);
    json_u64(json, "slots", file->slots);
    json_bool(json, "clustered", file->clustered);
    write_optional(json, "used", file->has_used, file->used);
    write_optional(json, "modelled", file->has_modelled, file->modelled);
    json_u64(json, "damages", file->damages);
    json_array(json, "damage");
    for (size_t i = 0; i < file->damage_count; i++) {
        json_object(json, NULL);
        json_u64(json, "offset", file->damage[i].offset);
        write_string(json, "text", file->damage[i].text);
        json_end(json);
    }
    json_end(json);
    write_string(json, "stopped", file->stopped);
    json_u64(json, "stopped_at", file->stopped_at);
    json_bool(json, "unread", file->unread);
    json_end(json);
}

void stat_write_partial(struct out *out, const struct key_stat *stat)
{
    struct json writer = json_on(out, JSON_INDENTED), *json = &writer;
    json_object(json, NULL);
    json_text(json, "schema", PARTIAL_SCHEMA);
    json_number(json, "version", PARTIAL_VERSION);
    json_number(json, "prefix_depth", stat->options.depth);
    json_number(json, "top", (int64_t)stat->options.top);
    write_string(json, "selection", stat->options.selection_text);
    write_sum(json, "total", &stat->total);
    write_dbs(json, stat);
    write_classes(json, stat);
    write_slots(json, stat);
    write_prefixes(json, stat);
    write_biggest(json, stat);
    json_array(json, "files");
    for (size_t i = 0; i < stat->file_count; i++)
        write_file(json, &stat->files[i]);
    json_end(json);
    json_end(json);
}
