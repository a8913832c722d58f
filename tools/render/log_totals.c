#include "tools/render/escape.h"
#include "tools/render/log_private.h"

enum { TOTAL_EVENT, TOTAL_COUNT, TOTAL_FIRST, TOTAL_LAST, TOTAL_ZONE, TOTAL_MEANING, TOTAL_COLUMNS };

static const struct column columns[TOTAL_COLUMNS] = {
    [TOTAL_EVENT] = {"event", COLUMN_TEXT, NULL, 0, 0, "what happened"},
    [TOTAL_COUNT] = {"count", COLUMN_U64, NULL, 0, COLUMN_GROUPED, "how often"},
    [TOTAL_FIRST] = {"first", COLUMN_TEXT, NULL, 0, 0, "the earliest; without Z it is local time of an unknown zone"},
    [TOTAL_LAST] = {"last", COLUMN_TEXT, NULL, 0, 0, "the latest"},
    [TOTAL_ZONE] = {"zone_known", COLUMN_BOOL, NULL, 0, COLUMN_MACHINE, "both are UTC"},
    [TOTAL_MEANING] = {"meaning", COLUMN_TEXT, NULL, 0, 0, "of the event"},
};

const struct record_type log_summary_record = {"rcf-log-summary", 1, "totals", columns, TOTAL_COLUMNS};

enum { UNKNOWN_FILE, UNKNOWN_LINE, UNKNOWN_LEVEL, UNKNOWN_COUNT, UNKNOWN_MESSAGE, UNKNOWN_COLUMNS };

static const struct column unknown_columns[UNKNOWN_COLUMNS] = {
    [UNKNOWN_FILE] = {"file", COLUMN_BYTES, NULL, 0, 0, "as named"},
    [UNKNOWN_LINE] = {"line", COLUMN_COUNT, NULL, 0, 0, "of the first that begins so"},
    [UNKNOWN_LEVEL] = {"level", COLUMN_TEXT, NULL, 0, 0, "debug, verbose, notice, warning"},
    [UNKNOWN_COUNT] = {"count", COLUMN_U64, NULL, 0, COLUMN_GROUPED, "how many begin so"},
    [UNKNOWN_MESSAGE] = {"message", COLUMN_BYTES, NULL, 100, 0, "the first of them, its first 200 bytes"},
};

const struct record_type log_unknown_record = {"rcf-log-unknown", 1, "unknown", unknown_columns, UNKNOWN_COLUMNS};

static struct log_moment moment_of(const struct log_fact *fact)
{
    bool zoned = !(fact->when.flags & LOG_ZONE_UNKNOWN);
    return (struct log_moment){fact->when.known, zoned, fact->when.unix_ms};
}

static void take_moment(struct log_moment *kept, struct log_moment other, bool later)
{
    if (other.known && (!kept->known || (later ? other.ms > kept->ms : other.ms < kept->ms)))
        *kept = other;
}

void log_totals_add(struct log_totals *totals, const struct log_fact *fact)
{
    struct log_total *total = &totals->events[fact->event->id];
    total->count++;
    take_moment(&total->first, moment_of(fact), false);
    take_moment(&total->last, moment_of(fact), true);
}

void log_totals_merge(struct log_totals *totals, const struct log_totals *more, const struct log_counts *counts)
{
    for (size_t i = 0; i < LOG_EVENTS; i++) {
        totals->events[i].count += more->events[i].count;
        take_moment(&totals->events[i].first, more->events[i].first, false);
        take_moment(&totals->events[i].last, more->events[i].last, true);
    }
    for (size_t i = 0; i < 5; i++)
        totals->unknown[i] += counts->unknown[i];
    totals->lines += counts->lines;
    totals->prefixed += counts->prefixed;
    totals->unprefixed += counts->unprefixed;
    totals->other += counts->other;
}

static void write_moment(struct table *table, size_t column, char text[TIME_SIZE], struct log_moment moment)
{
    if (!moment.known)
        return;
    time_write(text, moment.ms);
    if (!moment.zoned)
        text[strlen(text) - 1] = '\0';
    table_text(table, column, text);
}

static void write_row(struct table *table, const char *word, const struct log_total *total, const char *meaning)
{
    char first[TIME_SIZE], last[TIME_SIZE];
    table_text(table, TOTAL_EVENT, word);
    table_u64(table, TOTAL_COUNT, total->count);
    write_moment(table, TOTAL_FIRST, first, total->first);
    write_moment(table, TOTAL_LAST, last, total->last);
    if (total->first.known)
        table_bool(table, TOTAL_ZONE, total->first.zoned && total->last.zoned);
    table_text(table, TOTAL_MEANING, meaning);
    table_row(table);
}

void log_totals_write(const struct log_totals *totals, struct out *out, enum format format)
{
    struct table *table = table_open(out, &log_summary_record, format);
    for (unsigned id = LOG_OTHER + 1; id < LOG_EVENTS; id++)
        if (totals->events[id].count)
            write_row(table, log_event_word(id), &totals->events[id], log_event_meaning(id));
    struct log_total unknown = {.count = 0}, other = {.count = totals->other}, without = {.count = totals->unprefixed};
    for (size_t i = 0; i < 5; i++)
        unknown.count += totals->unknown[i];
    write_row(table, "other", &other, log_event_meaning(LOG_OTHER));
    write_row(table, "unknown", &unknown, log_event_meaning(LOG_UNKNOWN));
    write_row(table, "without-prefix", &without, "A line that no server began: a logo, a continuation, another program.");
    table_close(table);
}

void log_unknown_rows(struct table *table, const char *file, const struct log_counts *counts)
{
    for (size_t i = 0; i < counts->sample_count; i++) {
        const struct log_sample *sample = &counts->samples[i];
        table_bytes(table, UNKNOWN_FILE, escape_string(file));
        table_count(table, UNKNOWN_LINE, sample->line);
        table_text(table, UNKNOWN_LEVEL, log_level_name(sample->level));
        table_u64(table, UNKNOWN_COUNT, sample->count);
        table_bytes(table, UNKNOWN_MESSAGE, (struct bytes){sample->text, sample->length});
        table_row(table);
    }
}
