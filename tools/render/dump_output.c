#include <errno.h>
#include <stdlib.h>

#include "parsers/bytes/hex.h"
#include "tools/render/dump_output_private.h"

enum { SHA256_TEXT = 65 };

const char *dump_writer(const struct dump_checked *checked)
{
    const struct dump *dump = checked->dump;
    static const char *const products[] = {
        [PRODUCT_UNKNOWN] = "unknown", [PRODUCT_REDIS] = "Redis", [PRODUCT_VALKEY] = "Valkey"};
    return dump->writer_text ? arena_format(checked->arena, "%s %s", products[dump->writer.product], dump->writer_text)
                             : NULL;
}

bool dump_written(const struct dump *dump, int64_t *ms)
{
    if (!dump->has_ctime || dump->ctime_s > INT64_MAX / 1000 || dump->ctime_s < INT64_MIN / 1000)
        return false;
    *ms = dump->ctime_s * 1000;
    return true;
}

unsigned dump_slots(const struct dump *dump)
{
    unsigned count = 0;
    for (size_t slot = 0; dump->slot_keys && slot < SLOT_COUNT; slot++)
        count += dump->slot_keys[slot] > 0;
    return count;
}

const char *dump_sha256(const struct dump_checked *checked)
{
    char *text = arena_alloc(checked->arena, SHA256_TEXT);
    if (text)
        hex_encode(text, (struct bytes){checked->facts.sha256, sizeof(checked->facts.sha256)});
    return text;
}

struct dump_writing *dump_output_open(struct out *out, enum format format, bool slots, bool whole)
{
    struct dump_writing *writing = calloc(1, sizeof(*writing));
    if (!writing) {
        out_fail(out, ENOMEM);
        return NULL;
    }
    writing->out = out;
    writing->slots = slots;
    writing->whole = whole;
    writing->json = format == FORMAT_JSON || format == FORMAT_JSONL;
    if (format != FORMAT_TEXT)
        writing->table = dump_open_table(out, format);
    return writing;
}

void dump_output_file(struct dump_writing *writing, const struct dump_checked *checked)
{
    writing->files[checked->verdict.state]++;
    writing->file_count++;
    writing->keys += checked->dump ? checked->dump->keys : 0;
    writing->structure |= checked->structure;
    if (writing->table)
        dump_write_row(writing, checked);
    else
        dump_write_text(writing, checked);
    if (checked->arena && arena_failed(checked->arena))
        out_fail(writing->out, ENOMEM);
}

void dump_output_close(struct dump_writing *writing)
{
    if (!writing)
        return;
    if (!writing->table && writing->file_count > 1)
        dump_write_totals(writing);
    table_close(writing->table);
    free(writing);
}
