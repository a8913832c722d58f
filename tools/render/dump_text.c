/* Checked dumps for people: a line a file, then its defects. */
#include <inttypes.h>
#include <string.h>

#include "tools/render/dump_output_private.h"
#include "tools/render/escape.h"
#include "tools/render/time.h"

enum {
    SHOWN = 20, /* defects of a file */
    MAGIC = 9,  /* bytes; behind them stands the first record */
    DATABASES = 16, /* named one by one; as many as a server has by default */
};

static const enum out_style severity_styles[] = {
    [SEVERITY_INFO] = OUT_CYAN, [SEVERITY_WARNING] = OUT_YELLOW, [SEVERITY_ERROR] = OUT_RED};

/* The verdict in a column of its own, then the path. */
static void write_verdict(struct out *out, const struct dump_checked *checked)
{
    const char *word = dump_state_word(checked->verdict.state);
    out_styled(out, checked->verdict.state == DUMP_OK ? OUT_GREEN : OUT_RED, word);
    out_repeat(out, ' ', sizeof("unsupported  ") - 1 - strlen(word));
    out_style(out, OUT_BOLD);
    escape_printable(out, escape_string(checked->path));
    out_style(out, OUT_PLAIN);
    out_text(out, ": ");
}

static void write_keys(struct out *out, const struct dump *dump)
{
    out_text(out, ", ");
    if (!dump->keys) {
        out_text(out, dump->stop ? "no keys read" : "no keys");
        return;
    }
    if (dump->db_count > DATABASES) {
        out_count(out, dump->keys, "key", "keys");
        out_text(out, " in ");
        out_count(out, dump->db_count, "database", "databases");
    } else {
        for (size_t i = 0; i < dump->db_count; i++) {
            out_format(out, "%sdb%" PRIu32 " ", i ? ", " : "", dump->dbs[i].db);
            out_count(out, dump->dbs[i].keys, "key", "keys");
        }
    }
    out_text(out, dump->stop ? " read in " : " in ");
    out_count(out, dump_slots(dump), "slot", "slots");
    if (!dump->losses)
        return;
    out_text(out, " at least (");
    out_count(out, dump->losses, "loss", "losses");
    out_text(out, ", ");
    out_count(out, dump->lost_bytes, "byte", "bytes");
    out_text(out, " skipped)");
}

static void write_summary(struct out *out, const struct dump_checked *checked)
{
    static const struct {
        const char *word, *text;
    } checksums[] = {
        {"valid", "checksum valid"},       {"mismatch", "checksum wrong"},
        {"disabled", "checksum disabled"}, {"none", "no checksum in this version"},
        {"unread", "checksum not reached"},
    };
    const struct dump *dump = checked->dump;
    const char *writer = dump_writer(checked);
    int64_t written;
    char time[TIME_SIZE];
    out_format(out, "%s %" PRIu32, dump->valkey_magic ? "Valkey RDB" : "RDB", dump->version);
    if (writer) {
        out_text(out, ", ");
        escape_printable(out, escape_string(writer));
    }
    if (dump_written(dump, &written))
        out_format(out, ", written %s", time_write(time, written));
    if (checked->structure)
        write_keys(out, dump);
    if (dump->functions) {
        out_text(out, ", ");
        out_count(out, dump->functions, "function library", "function libraries");
    }
    if (dump->duplicates_limited) {
        out_text(out, ", only the first ");
        out_count(out, dump->duplicates_unchecked_from, "key", "keys");
        out_text(out, " compared with each other");
    }
    for (size_t i = 0; i < sizeof(checksums) / sizeof(*checksums); i++)
        if (strcmp(checksums[i].word, dump_checksum_word(dump)) == 0)
            out_format(out, ", %s", checksums[i].text);
}

static void write_origin(struct out *out, const struct dump_checked *checked)
{
    const struct dump *dump = checked->dump;
    const char *sha256 = dump_sha256(checked);
    out_text(out, "  ");
    out_count(out, checked->facts.size, "byte", "bytes");
    if (checked->facts.coding != SOURCE_PLAIN) {
        out_format(out, " (%s of ", source_coding_name(checked->facts.coding));
        out_grouped(out, checked->facts.decoded);
        out_byte(out, ')');
    }
    out_format(out, ", sha256 %s", sha256 ? sha256 : "");
    if (dump->repl_id) {
        out_text(out, ", repl-id ");
        escape_printable(out, escape_string(dump->repl_id));
    }
    if (dump->has_repl_offset)
        out_format(out, ", repl-offset %" PRId64, dump->repl_offset);
    out_text(out, dump->aof_base ? ", base of an AOF\n" : "\n");
}

static void write_problem(struct out *out, const char *path, const struct dump_problem *problem)
{
    enum severity severity = finding_severity(problem->finding);
    out_text(out, "  ");
    escape_printable(out, escape_string(path));
    out_format(out, ":%" PRIu64 ": ", problem->place.offset);
    out_styled(out, severity_styles[severity], severity_word(severity));
    out_format(out, " %s: ", finding_word(problem->finding));
    if (!problem->stop)
        out_format(out, "expected %s, found ", problem->expected);
    out_text(out, problem->found);
    if (problem->key.len) {
        out_text(out, ", in key ");
        escape_printable(out, problem->key);
    }
    out_byte(out, '\n');
}

static bool same_loading(const struct loader *a, const struct loader *b)
{
    bool same_why = a->why && b->why ? strcmp(a->why, b->why) == 0 : a->why == b->why;
    return a->outcome == b->outcome && a->proved == b->proved && same_why;
}

/* Servers that do the same for the same reason share a line. */
static void write_servers(struct out *out, const struct loader *loaders)
{
    static const char *const said[LOADER_OUTCOMES] = {
        [LOADER_LOADS] = "loads in", [LOADER_DIFFERS] = "loads, but not as it is, in", [LOADER_UNSURE] = "cannot tell for",
        [LOADER_REFUSES] = "refused by"};
    for (size_t i = 0, to; i < loaders_count(); i = to) {
        const struct loader *first = &loaders[i];
        out_format(out, "  %s ", said[first->outcome]);
        for (to = i; to < loaders_count() && same_loading(first, &loaders[to]); to++)
            out_format(out, "%s%s", to == i ? "" : ", ", loaders[to].server);
        if (first->why) {
            out_text(out, ": ");
            escape_printable(out, escape_string(first->why));
        }
        out_text(out, first->proved ? " (seen on such a server)\n" : " (by rule)\n");
    }
}

/* A checksum tells bytes that were changed from bytes that were written so; the walk did not come to it. */
static void write_hint(struct out *out, const struct dump_checked *checked)
{
    const struct dump *dump = checked->dump;
    bool unread_end = !dump->losses && (dump->stop == RDB_STOP_CORRUPT || dump->stop == RDB_STOP_UNSUPPORTED);
    if (checked->structure && unread_end && dump->version && dump->stopped_at > MAGIC)
        out_text(out, "  --checksum-only tells whether these are the bytes that the server wrote\n");
}

void dump_write_text(struct dump_writing *writing, const struct dump_checked *checked)
{
    struct out *out = writing->out;
    const struct dump_verdict *verdict = &checked->verdict;
    write_verdict(out, checked);
    if (checked->cause) {
        escape_terminal(out, escape_string(checked->cause));
    } else if (checked->dump->version) {
        write_summary(out, checked);
    } else {
        out_count(out, checked->facts.decoded, "byte", "bytes");
        out_text(out, ", no header of a dump");
    }
    out_byte(out, '\n');
    if (!checked->cause && writing->whole)
        write_origin(out, checked);
    size_t shown = writing->whole || verdict->count <= SHOWN ? verdict->count : SHOWN;
    for (size_t i = 0; i < shown; i++)
        write_problem(out, checked->path, &verdict->problems[i]);
    if (shown < verdict->count) {
        out_text(out, "  and ");
        out_grouped(out, verdict->count - shown);
        out_text(out, " more; -v lists them\n");
    }
    if (verdict->unlisted) {
        out_text(out, "  and ");
        out_grouped(out, verdict->unlisted);
        out_text(out, " more of the same kinds, counted only\n");
    }
    if (checked->loaders)
        write_servers(out, checked->loaders);
    if (!checked->cause)
        write_hint(out, checked);
}

void dump_write_totals(struct dump_writing *writing)
{
    struct out *out = writing->out;
    bool first = true;
    out_count(out, writing->file_count, "file", "files");
    for (int state = 0; state < DUMP_STATES; state++) {
        if (!writing->files[state])
            continue;
        out_text(out, first ? ": " : ", ");
        out_grouped(out, writing->files[state]);
        out_format(out, " %s", dump_state_word((enum dump_state)state));
        first = false;
    }
    if (writing->structure) {
        out_text(out, "; ");
        out_count(out, writing->keys, "key", "keys");
    }
    out_byte(out, '\n');
}
