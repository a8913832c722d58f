/* Totals of dumps for people: the answer first, then what may be wrong with it, then tables. */
#include <inttypes.h>
#include <stdint.h>

#include "tools/render/escape.h"
#include "tools/render/stat_output.h"

enum {
    SHOWN = 15, /* rows of a table */
    MARGIN = 2,
    KIBIBYTE = 1024,
    LARGE = 64 * KIBIBYTE * KIBIBYTE, /* so much memory is mostly keys */
    TOLERABLE = 4,                    /* percent */
};

/* "1.4 GiB": for the eye; tables have the bytes. */
static void write_size(struct out *out, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    double size = (double)bytes / KIBIBYTE;
    if (bytes < KIBIBYTE) {
        out_count(out, bytes, "byte", "bytes");
        return;
    }
    for (; size >= 999.95 && unit + 1 < sizeof(units) / sizeof(*units); unit++)
        size /= KIBIBYTE;
    out_format(out, "%.1f %s", size, units[unit]);
}

static size_t files_read(const struct key_stat *stat)
{
    size_t count = 0;
    for (size_t i = 0; i < stat->file_count; i++)
        count += !stat->files[i].unread;
    return count;
}

static void write_answer(struct out *out, const struct key_stat *stat)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < stat->file_count; i++)
        seen += stat->files[i].seen;
    out_style(out, OUT_BOLD);
    out_count(out, stat->total.keys, "key", "keys");
    out_style(out, OUT_PLAIN);
    if (stat->options.selection_text) {
        out_text(out, " of ");
        out_grouped(out, seen);
    }
    out_text(out, " in ");
    out_count(out, key_stat_slots(stat), "slot", "slots");
    out_text(out, ", ");
    out_count(out, files_read(stat), "dump", "dumps");
    out_text(out, ": ");
    write_size(out, stat->total.bytes);
    out_text(out, " serialised, ");
    write_size(out, stat->total.memory);
    out_text(out, " of memory by the model, ");
    out_grouped(out, stat->total.expires);
    out_text(out, " with expiry\n");
    if (stat->options.selection_text) {
        out_text(out, "only: ");
        escape_printable(out, escape_string(stat->options.selection_text));
        out_byte(out, '\n');
    }
}

static void write_memory(struct out *out, const struct key_stat *stat)
{
    uint64_t modelled, used;
    size_t files;
    out_text(out, "memory: ");
    if (!key_stat_memory(stat, &modelled, &used, &files)) {
        out_text(out, stat->options.selection_text ? "not compared with the servers': keys were filtered\n"
                                                   : "no dump that was read whole states what its server used\n");
        return;
    }
    out_text(out, "whole servers by the model ");
    write_size(out, modelled);
    out_text(out, ", as the servers said ");
    write_size(out, used);
    out_format(out, ": error %.1f %%", 100.0 * ((double)modelled - (double)used) / (double)used);
    if (files < stat->file_count)
        out_format(out, " (%zu of %zu dumps)", files, stat->file_count);
    out_byte(out, '\n');
    if (used >= LARGE && stat_error_percent(modelled, used) < -TOLERABLE && stat->options.allocator == MEMORY_BUNDLED)
        out_text(out, "  a server of a distribution takes more for the same: --allocator=system\n");
}

static void write_fullest(struct out *out, const struct key_stat *stat)
{
    size_t fullest = 0;
    for (size_t slot = 1; slot < SLOT_COUNT; slot++)
        if (stat->slots[slot].bytes > stat->slots[fullest].bytes)
            fullest = slot;
    if (!stat->slots[fullest].keys)
        return;
    out_format(out, "fullest slot: %zu with ", fullest);
    out_count(out, stat->slots[fullest].keys, "key", "keys");
    out_text(out, ", ");
    write_size(out, stat->slots[fullest].bytes);
    out_format(out, ", %.1f %% of all bytes\n",
               100.0 * (double)stat->slots[fullest].bytes / (double)stat->total.bytes);
}

static void begin_warning(struct out *out, const char *word)
{
    out_styled(out, OUT_YELLOW, word);
    out_text(out, ": ");
}

static void write_warnings(struct out *out, const struct key_stat *stat)
{
    unsigned shared = key_stat_shared_slots(stat);
    if (shared) {
        begin_warning(out, "counted twice");
        out_count(out, shared, "slot has", "slots have");
        out_text(out, " keys in more than one dump, as of a replica beside its primary; each dump counts\n");
    }
    for (size_t i = 0; i < stat->file_count; i++) {
        const struct stat_file *file = &stat->files[i];
        if (!file->stopped && !file->damages)
            continue;
        begin_warning(out, file->unread ? "not counted" : file->stopped ? "incomplete" : "damaged");
        escape_printable(out, escape_string(file->path));
        if (file->stopped) {
            if (!file->unread)
                out_format(out, ":%" PRIu64, file->stopped_at);
            out_text(out, ": ");
            escape_terminal(out, escape_string(file->stopped));
        } else if (file->damage_count) {
            out_format(out, ":%" PRIu64 ": ", file->damage[0].offset);
            escape_terminal(out, escape_string(file->damage[0].text));
        }
        if (file->damages > 1) {
            out_text(out, "; ");
            out_count(out, file->damages, "defect", "defects");
        }
        out_byte(out, '\n');
    }
}

static void write_section(const struct stat_writing *writing, enum stat_table which, const char *title, size_t most)
{
    struct out *out = writing->out;
    out_byte(out, '\n');
    out_styled(out, OUT_BOLD, title);
    out_byte(out, '\n');
    struct table *table = table_open(out, &stat_records[which], FORMAT_TEXT);
    if (!table)
        return;
    table_indent(table, MARGIN);
    size_t count = stat_rows(writing, table, which, most), shown = table_rows(table);
    table_close(table);
    if (count > shown) {
        out_repeat(out, ' ', MARGIN);
        out_text(out, "and ");
        out_grouped(out, count - shown);
        out_format(out, " more: --table=%s\n", stat_records[which].array);
    }
}

void stat_write_overview(const struct stat_writing *writing, bool whole)
{
    static const struct {
        enum stat_table which;
        const char *title;
        bool cut;
    } sections[] = {
        {STAT_TABLE_FILES, "Dumps", true},
        {STAT_TABLE_ENCODINGS, "Types and encodings", false},
        {STAT_TABLE_PREFIXES, "Prefixes, most bytes first", true},
        {STAT_TABLE_EXPIRY, "Expiry", false},
        {STAT_TABLE_SIZES, "Bytes of a serialised value", false},
        {STAT_TABLE_DBS, "Databases", true},
        {STAT_TABLE_BIGGEST, "Biggest keys", false},
    };
    const struct key_stat *stat = writing->stat;
    struct stat_writing overview = *writing;
    overview.brief = true;
    write_answer(writing->out, stat);
    write_memory(writing->out, stat);
    write_fullest(writing->out, stat);
    write_warnings(writing->out, stat);
    for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
        if (stat->total.keys || sections[i].which == STAT_TABLE_FILES)
            write_section(&overview, sections[i].which, sections[i].title, sections[i].cut && !whole ? SHOWN : SIZE_MAX);
}
