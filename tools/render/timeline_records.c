#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/time.h"
#include "tools/render/timeline_output.h"

enum {
    T_RECORD, T_KIND, T_TIME, T_ERROR, T_END, T_RAW, T_CLOCK, T_MARKS, T_CERTAINTY, T_HOST, T_INSTANCE, T_NODE, T_PEER, T_EPOCH,
    T_SLOTS, T_OFFSET, T_SUMMARY, T_CAUSE, T_BASIS, T_COUNT, T_LAST, T_FILE, T_LINE, T_POSITION, TIMELINE_COLUMNS
};

static const struct column columns[] = {
    [T_RECORD] = {"record", COLUMN_TEXT, .help = "clock, episode or event"},
    [T_KIND] = {"kind", COLUMN_TEXT, .help = "of an episode: failover, election, ...; of an event: the word of rcf-log, or view-saved, ..."},
    [T_TIME] = {"time", COLUMN_TIME, .help = "when, or since when, on the one clock; absent when nothing tells"},
    [T_ERROR] = {"error_ms", COLUMN_COUNT, .help = "half width of what is known about it; absent when unknown"},
    [T_END] = {"end", COLUMN_TIME, .help = "of an episode, its end on the one clock"},
    [T_RAW] = {"raw_time", COLUMN_TEXT, .help = "as it was written: with Z where the writer named its zone"},
    [T_CLOCK] = {"clock", COLUMN_TEXT, .help = "which clock wrote it: log or epoch"},
    [T_MARKS] = {"marks", COLUMN_LIST, .help = "what was done to get from raw_time to time, and what is doubtful"},
    [T_CERTAINTY] = {"certainty", COLUMN_TEXT, .help = "stated, inferred, or gap: it happened, and nothing tells what exactly"},
    [T_HOST] = {"host", COLUMN_TEXT, .help = "host of the instance"},
    [T_INSTANCE] = {"instance", COLUMN_TEXT, .help = "ip:port of the instance that wrote it, or that it is about"},
    [T_NODE] = {"node_id", COLUMN_TEXT, .help = "id of the node that it is about"},
    [T_PEER] = {"peer_id", COLUMN_TEXT, .help = "id of the other node"},
    [T_EPOCH] = {"epoch", COLUMN_COUNT, .help = "config epoch"},
    [T_SLOTS] = {"slots", COLUMN_TEXT, .help = "slots, as ranges"},
    [T_OFFSET] = {"offset", COLUMN_COUNT, .help = "replication offset"},
    [T_SUMMARY] = {"summary", COLUMN_TEXT, .help = "what happened; of a line its message"},
    [T_CAUSE] = {"cause", COLUMN_TEXT, .help = "why, where a rule tells"},
    [T_BASIS] = {"basis", COLUMN_TEXT, .help = "what an inferred statement rests on"},
    [T_COUNT] = {"count", COLUMN_U64, .help = "of an event: how many lines alike; of an episode: its events; of a clock: its pairs"},
    [T_LAST] = {"last", COLUMN_TIME, .help = "of several lines alike: the last"},
    [T_FILE] = {"file", COLUMN_TEXT, .help = "where it stands; of an episode its first event"},
    [T_LINE] = {"line", COLUMN_COUNT, .help = "line in the file, absent in binary formats"},
    [T_POSITION] = {"position", COLUMN_U64, .help = "byte offset in the decoded file"},
};

const struct record_type timeline_record = {"rcf-timeline", 1, "events", columns, TIMELINE_COLUMNS};

enum {
    C_RECORD, C_HOST, C_OFFSET, C_OFFSET_MS, C_ERROR, C_PAIRS, C_OTHERS, C_ANCHORS, C_AGAINST, C_BASIS, C_ZONE, C_EPOCH_CLOCK,
    C_EVENTS, CLOCK_COLUMNS
};

static const struct column clock_columns[] = {
    [C_RECORD] = {"record", COLUMN_TEXT, .flags = COLUMN_MACHINE, .help = "clock"},
    [C_HOST] = {"host", COLUMN_TEXT, .help = "whose log clock"},
    [C_OFFSET] = {"offset", COLUMN_TEXT, .flags = COLUMN_RIGHT, .help = "what it shows too much in all, zone included: +4321.00 s"},
    [C_OFFSET_MS] = {"offset_ms", COLUMN_COUNT, .flags = COLUMN_MACHINE, .help = "the same in milliseconds"},
    [C_ERROR] = {"error_ms", COLUMN_COUNT, "+- ms", .help = "half width of what is known about it; absent when unknown"},
    [C_PAIRS] = {"pairs", COLUMN_COUNT, .help = "paired events that agree on it"},
    [C_OTHERS] = {"others", COLUMN_COUNT, .flags = COLUMN_MACHINE, .help = "combinations of events alike that do not"},
    [C_ANCHORS] = {"anchors", COLUMN_COUNT, .help = "dumps and loads of nodes.conf that both clocks of the host date, and that agree"},
    [C_AGAINST] = {"against", COLUMN_TEXT, .flags = COLUMN_MACHINE, .help = "the host whose clock the others are measured by"},
    [C_BASIS] = {"basis", COLUMN_TEXT, "known by", .help = "reference, paired events, dumps and pongs, or unknown"},
    [C_ZONE] = {"zone", COLUMN_TEXT, .help = "how its zone is known: given, stated, inferred, unknown"},
    [C_EPOCH_CLOCK] = {"epoch_clock_ms", COLUMN_COUNT, .flags = COLUMN_MACHINE,
                       .help = "what the clock of its dumps and pongs shows too much; 0 unless it contradicts the others"},
    [C_EVENTS] = {"events", COLUMN_COUNT, .flags = COLUMN_GROUPED, .help = "events dated by it"},
};

const struct record_type timeline_clock_record = {"rcf-timeline", 1, "clocks", clock_columns, CLOCK_COLUMNS};

/* ---------------------------------------------------------------- words */

const char *timeline_offset_text(const struct host_clock *clock, struct arena *arena)
{
    int64_t ms = clock->offset_ms, half = ms < 0 ? -5 : 5;
    int64_t hundredths = (ms + half) / 10;
    uint64_t size = hundredths < 0 ? (uint64_t)-hundredths : (uint64_t)hundredths;
    if (clock->basis == OFFSET_UNKNOWN && !clock->zone_ms)
        return "unknown";
    return arena_format(arena, "%c%llu.%02llu s", hundredths < 0 ? '-' : '+', (unsigned long long)size / 100,
                        (unsigned long long)size % 100);
}

size_t timeline_marks(const struct moment *moment, struct bytes *words)
{
    static const struct {
        unsigned flag;
        const char *word;
    } marks[TIMELINE_MARKS] = {
        {MOMENT_YEAR_INFERRED, "year-inferred"}, {MOMENT_ZONE_INFERRED, "zone-inferred"}, {MOMENT_ZONE_UNKNOWN, "zone-unknown"},
        {MOMENT_ZONE_STATED, "zone-stated"},     {MOMENT_SKEW_APPLIED, "skew-applied"},   {MOMENT_WHOLE_SECONDS, "whole-seconds"},
        {MOMENT_ORDERED_BY_EPOCH, "ordered-by-epoch"}, {MOMENT_DOUBTFUL, "clock-change"}, {MOMENT_OF_NEIGHBOUR, "of-line-before"},
        {MOMENT_RECEIVED, "received"},
    };
    size_t count = 0;
    for (size_t i = 0; i < TIMELINE_MARKS; i++)
        if (moment->flags & marks[i].flag)
            words[count++] = escape_string(marks[i].word);
    return count;
}

const char *timeline_raw_text(const struct moment *moment, struct arena *arena)
{
    char text[TIME_SIZE];
    if (moment->source == CLOCK_NONE)
        return NULL;
    char *end = time_put(text, moment->raw_ms);
    if (moment->source == CLOCK_LOG && !(moment->flags & MOMENT_ZONE_STATED))
        end--;
    return arena_copy(arena, text, (size_t)(end - text));
}

const struct instance *timeline_instance(const struct history *history, size_t number)
{
    return number < history->evidence->instance_count ? &history->evidence->instances[number] : NULL;
}

/* ---------------------------------------------------------------- cells */

static struct cell text_cell(const char *text)
{
    return (struct cell){.present = text != NULL, .bytes = escape_string(text)};
}

static struct cell count_cell(int64_t count, bool present)
{
    return (struct cell){.present = present, .count = count};
}

static struct cell time_cell(const struct moment *moment)
{
    return (struct cell){.present = moment->source != CLOCK_NONE, .ms = moment->ms};
}

struct row_cells {
    struct cell cells[TIMELINE_COLUMNS];
    struct bytes marks[TIMELINE_MARKS];
};

static void fill_moment(struct row_cells *row, const struct moment *moment, struct arena *arena)
{
    static const char *const clocks[] = {NULL, "log", "epoch"};
    row->cells[T_TIME] = time_cell(moment);
    row->cells[T_ERROR] = count_cell(moment->error_ms, moment->source != CLOCK_NONE && moment->error_ms < INT64_MAX);
    row->cells[T_RAW] = text_cell(timeline_raw_text(moment, arena));
    row->cells[T_CLOCK] = text_cell(clocks[moment->source]);
    row->cells[T_MARKS] = (struct cell){.present = true, .list = {row->marks, timeline_marks(moment, row->marks)}};
}

static void fill_place(struct row_cells *row, const struct history *history, const struct occurrence *occurrence)
{
    row->cells[T_FILE] = text_cell(history->evidence->files[occurrence->file].path);
    row->cells[T_LINE] = count_cell(occurrence->place.line, occurrence->place.line > 0);
    row->cells[T_POSITION] = (struct cell){.present = true, .u64 = occurrence->place.offset};
}

static void fill_instance(struct row_cells *row, const struct instance *instance)
{
    row->cells[T_HOST] = text_cell(instance ? instance->host : NULL);
    row->cells[T_INSTANCE] = text_cell(instance ? instance->name : NULL);
}

static bool is_change(enum occurrence_kind kind)
{
    return kind == OCCURRENCE_MEMBER_NEW || kind == OCCURRENCE_MEMBER_GONE || kind == OCCURRENCE_SLOTS_CHANGED ||
           kind == OCCURRENCE_EPOCH_RAISED || kind == OCCURRENCE_ROLE_CHANGED || kind == OCCURRENCE_IDENTITY_CHANGED;
}

static void fill_event(struct row_cells *row, const struct history *history, const struct occurrence *event, struct arena *arena)
{
    memset(row, 0, sizeof(*row));
    fill_moment(row, &event->when, arena);
    fill_place(row, history, event);
    fill_instance(row, timeline_instance(history, event->instance));
    row->cells[T_RECORD] = text_cell("event");
    row->cells[T_KIND] = text_cell(occurrence_word(event));
    row->cells[T_CERTAINTY] = text_cell(is_change(event->kind) ? "inferred" : "stated");
    row->cells[T_NODE] = text_cell(event->node);
    row->cells[T_PEER] = text_cell(event->peer);
    row->cells[T_EPOCH] = count_cell(event->epoch, event->epoch >= 0);
    row->cells[T_OFFSET] = count_cell(event->offset, event->offset >= 0);
    row->cells[T_SUMMARY] = text_cell(event->text);
    row->cells[T_COUNT] = (struct cell){.present = true, .u64 = event->count};
    if (event->count > 1)
        row->cells[T_LAST] = time_cell(&event->until);
    const char *slots = event->slots;
    if (!slots && event->slot >= 0)
        slots = event->slot == event->last_slot ? arena_format(arena, "%d", (int)event->slot)
                                                : arena_format(arena, "%d-%d", (int)event->slot, (int)event->last_slot);
    row->cells[T_SLOTS] = text_cell(slots);
}

static void fill_episode(struct row_cells *row, const struct history *history, const struct episode *episode, struct arena *arena)
{
    memset(row, 0, sizeof(*row));
    fill_moment(row, &episode->begin, arena);
    if (episode->occurrence_count)
        fill_place(row, history, &history->occurrences[episode->occurrences[0]]);
    fill_instance(row, timeline_instance(history, episode->instance));
    row->cells[T_RECORD] = text_cell("episode");
    row->cells[T_KIND] = text_cell(episode_word(episode->kind));
    row->cells[T_END] = time_cell(&episode->end);
    row->cells[T_CERTAINTY] = text_cell(episode_basis_word(episode->how));
    row->cells[T_NODE] = text_cell(episode->node);
    row->cells[T_PEER] = text_cell(episode->peer);
    row->cells[T_EPOCH] = count_cell(episode->epoch, episode->epoch >= 0);
    row->cells[T_SLOTS] = text_cell(episode->slots);
    row->cells[T_SUMMARY] = text_cell(episode->title);
    row->cells[T_CAUSE] = text_cell(episode->cause);
    row->cells[T_BASIS] = text_cell(episode->basis);
    row->cells[T_COUNT] = (struct cell){.present = true, .u64 = episode->occurrence_count};
}

static void fill_clock(struct cell cells[CLOCK_COLUMNS], const struct host_clock *clock, struct arena *arena)
{
    bool known = clock->error_ms < INT64_MAX;
    cells[C_RECORD] = text_cell("clock");
    cells[C_HOST] = text_cell(clock->zoned ? arena_format(arena, "%s (with zone)", clock->host) : clock->host);
    cells[C_OFFSET] = text_cell(timeline_offset_text(clock, arena));
    cells[C_OFFSET_MS] = count_cell(clock->offset_ms, true);
    cells[C_ERROR] = count_cell(clock->error_ms, known);
    cells[C_PAIRS] = count_cell((int64_t)clock->pairs, true);
    cells[C_OTHERS] = count_cell((int64_t)clock->others, true);
    cells[C_ANCHORS] = count_cell((int64_t)clock->anchors, true);
    cells[C_AGAINST] = text_cell(clock->against);
    cells[C_BASIS] = text_cell(offset_basis_text(clock->basis));
    cells[C_ZONE] = text_cell(zone_basis_text(clock->zone));
    cells[C_EPOCH_CLOCK] = count_cell(clock->epoch_offset_ms, true);
    cells[C_EVENTS] = count_cell((int64_t)clock->lines, true);
}

void timeline_clock_rows(struct timeline_writing *w, struct table *table)
{
    for (size_t c = 0; c < w->history->clock_count; c++) {
        struct cell cells[CLOCK_COLUMNS];
        memset(cells, 0, sizeof(cells));
        fill_clock(cells, &w->history->clocks[c], w->arena);
        table_cells(table, cells);
    }
}

/* A clock among the rows of the one CSV table. */
static void fill_clock_row(struct row_cells *row, const struct host_clock *clock, struct arena *arena)
{
    memset(row, 0, sizeof(*row));
    row->cells[T_RECORD] = text_cell("clock");
    row->cells[T_KIND] = text_cell(offset_basis_text(clock->basis));
    row->cells[T_HOST] = text_cell(clock->host);
    row->cells[T_ERROR] = count_cell(clock->error_ms, clock->error_ms < INT64_MAX);
    row->cells[T_COUNT] = (struct cell){.present = true, .u64 = clock->pairs};
    row->cells[T_SUMMARY] = text_cell(arena_format(arena, "log clock %s against %s, zone %s", timeline_offset_text(clock, arena),
                                                   clock->against ? clock->against : "nothing", zone_basis_text(clock->zone)));
}

/* ---------------------------------------------------------------- documents */

static void write_csv(struct timeline_writing *w)
{
    const struct history *history = w->history;
    struct table *table = table_open(w->out, &timeline_record, FORMAT_CSV);
    struct row_cells row;
    for (size_t c = 0; c < history->clock_count; c++) {
        fill_clock_row(&row, &history->clocks[c], w->arena);
        table_cells(table, row.cells);
    }
    for (size_t e = 0; e < history->episode_count; e++) {
        if (!history_wants_episode(history, w->selection, &history->episodes[e]))
            continue;
        fill_episode(&row, history, &history->episodes[e], w->arena);
        table_cells(table, row.cells);
    }
    for (size_t i = 0; i < history->count && !out_error(w->out); i++) {
        if (!history_wants_event(history, w->selection, &history->occurrences[i]))
            continue;
        fill_event(&row, history, &history->occurrences[i], w->arena);
        table_cells(table, row.cells);
    }
    table_close(table);
}

static void write_cells(struct json *json, const struct record_type *type, const struct cell *cells)
{
    for (size_t c = 0; c < type->count; c++)
        cell_json(json, &type->columns[c], &cells[c]);
}

static void write_evidence(struct json *json, const struct history *history, const struct episode *episode)
{
    json_array(json, "details");
    for (size_t d = 0; d < episode->detail_count; d++)
        json_text(json, NULL, episode->details[d]);
    json_end(json);
    json_array(json, "evidence");
    for (size_t i = 0; i < episode->occurrence_count; i++) {
        const struct occurrence *occurrence = &history->occurrences[episode->occurrences[i]];
        json_object(json, NULL);
        json_text(json, "kind", occurrence_word(occurrence));
        if (occurrence->when.source == CLOCK_NONE)
            json_null(json, "time");
        else
            json_time(json, "time", occurrence->when.ms);
        json_text(json, "file", history->evidence->files[occurrence->file].path);
        if (occurrence->place.line)
            json_number(json, "line", occurrence->place.line);
        else
            json_null(json, "line");
        json_u64(json, "position", occurrence->place.offset);
        json_text(json, "text", occurrence->text);
        json_end(json);
    }
    json_end(json);
}

static void write_fields(struct json *json, const struct occurrence *event)
{
    json_object(json, "fields");
    for (size_t f = 0; f < event->field_count; f++)
        json_text(json, log_field_word(event->fields[f].id), event->fields[f].text);
    json_end(json);
}

static void write_clocks(struct timeline_writing *w, struct json *json)
{
    for (size_t c = 0; c < w->history->clock_count; c++) {
        struct cell cells[CLOCK_COLUMNS];
        memset(cells, 0, sizeof(cells));
        fill_clock(cells, &w->history->clocks[c], w->arena);
        json_object(json, NULL);
        write_cells(json, &timeline_clock_record, cells);
        json_end(json);
    }
}

static void write_episodes(struct timeline_writing *w, struct json *json)
{
    const struct history *history = w->history;
    struct row_cells row;
    for (size_t e = 0; e < history->episode_count; e++) {
        if (!history_wants_episode(history, w->selection, &history->episodes[e]))
            continue;
        fill_episode(&row, history, &history->episodes[e], w->arena);
        json_object(json, NULL);
        write_cells(json, &timeline_record, row.cells);
        write_evidence(json, history, &history->episodes[e]);
        json_end(json);
    }
}

static void write_events(struct timeline_writing *w, struct json *json)
{
    const struct history *history = w->history;
    struct row_cells row;
    for (size_t i = 0; i < history->count && !out_error(w->out); i++) {
        if (!history_wants_event(history, w->selection, &history->occurrences[i]))
            continue;
        fill_event(&row, history, &history->occurrences[i], w->arena);
        json_object(json, NULL);
        write_cells(json, &timeline_record, row.cells);
        write_fields(json, &history->occurrences[i]);
        json_end(json);
    }
}

static void write_json(struct timeline_writing *w)
{
    const struct history *history = w->history;
    struct json json = json_on(w->out, JSON_INDENTED);
    json_object(&json, NULL);
    json_text(&json, "schema", timeline_record.schema);
    json_number(&json, "version", timeline_record.version);
    json_text(&json, "reference", history->reference == SIZE_MAX ? NULL : history->clocks[history->reference].host);
    json_u64(&json, "log_lines", history->lines);
    json_u64(&json, "left_out", history->left_out);
    json_array(&json, "clocks");
    write_clocks(w, &json);
    json_end(&json);
    json_array(&json, "episodes");
    write_episodes(w, &json);
    json_end(&json);
    json_array(&json, "events");
    write_events(w, &json);
    json_end(&json);
    json_end(&json);
}

void timeline_write_records(struct timeline_writing *w, enum format format)
{
    struct json json = json_on(w->out, JSON_LINE);
    if (format == FORMAT_CSV) {
        write_csv(w);
    } else if (format == FORMAT_JSON) {
        write_json(w);
    } else {
        write_clocks(w, &json);
        write_episodes(w, &json);
        write_events(w, &json);
    }
}
