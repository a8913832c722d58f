/* The CSV that Timesketch and plaso import as it is: message, timestamp in microseconds since 1970, datetime and
 * timestamp_desc, then columns of ours. */
#include "tools/render/escape.h"
#include "tools/render/timeline_output.h"

enum {
    P_MESSAGE, P_TIMESTAMP, P_DATETIME, P_DESC, P_RECORD, P_KIND, P_HOST, P_INSTANCE, P_NODE, P_PEER, P_EPOCH, P_SLOTS, P_RAW, P_ERROR,
    P_CERTAINTY, P_BASIS, P_COUNT, P_FILE, P_LINE, PLASO_COLUMNS
};

enum { MICROSECONDS = 1000 };

static const struct column columns[] = {
    [P_MESSAGE] = {"message", COLUMN_TEXT, .help = "kind, who, and what happened"},
    [P_TIMESTAMP] = {"timestamp", COLUMN_COUNT, .help = "microseconds since 1970 on the one clock"},
    [P_DATETIME] = {"datetime", COLUMN_TIME, .help = "the same as ISO 8601"},
    [P_DESC] = {"timestamp_desc", COLUMN_TEXT, .help = "what the time is the time of"},
    [P_RECORD] = {"record", COLUMN_TEXT, .help = "episode or event"},
    [P_KIND] = {"kind", COLUMN_TEXT, .help = "word of the episode or event"},
    [P_HOST] = {"host", COLUMN_TEXT, .help = "host of the instance"},
    [P_INSTANCE] = {"instance", COLUMN_TEXT, .help = "ip:port of the instance"},
    [P_NODE] = {"node_id", COLUMN_TEXT, .help = "id of the node that it is about"},
    [P_PEER] = {"peer_id", COLUMN_TEXT, .help = "id of the other node"},
    [P_EPOCH] = {"epoch", COLUMN_COUNT, .help = "config epoch"},
    [P_SLOTS] = {"slots", COLUMN_TEXT, .help = "slots, as ranges"},
    [P_RAW] = {"raw_time", COLUMN_TEXT, .help = "as it was written"},
    [P_ERROR] = {"error_ms", COLUMN_COUNT, .help = "half width of what is known about the time"},
    [P_CERTAINTY] = {"certainty", COLUMN_TEXT, .help = "stated, inferred or gap"},
    [P_BASIS] = {"basis", COLUMN_TEXT, .help = "what an inferred statement rests on"},
    [P_COUNT] = {"count", COLUMN_U64, .help = "how many lines alike, or events of the episode"},
    [P_FILE] = {"file", COLUMN_TEXT, .help = "where it stands"},
    [P_LINE] = {"line", COLUMN_COUNT, .help = "line in the file"},
};

const struct record_type timeline_plaso_record = {"rcf-timeline-plaso", 1, "rows", columns, PLASO_COLUMNS};

static void fill_moment(struct timeline_writing *w, struct table *table, const struct moment *moment)
{
    table_count(table, P_TIMESTAMP, moment->ms * MICROSECONDS);
    table_time(table, P_DATETIME, moment->ms);
    table_text(table, P_RAW, timeline_raw_text(moment, w->arena));
    if (moment->error_ms < INT64_MAX)
        table_count(table, P_ERROR, moment->error_ms);
}

static void fill_place(struct timeline_writing *w, struct table *table, const struct occurrence *occurrence)
{
    table_text(table, P_FILE, w->history->evidence->files[occurrence->file].path);
    if (occurrence->place.line)
        table_count(table, P_LINE, occurrence->place.line);
}

static const char *fill_instance(struct timeline_writing *w, struct table *table, size_t number)
{
    const struct instance *instance = timeline_instance(w->history, number);
    table_text(table, P_HOST, instance ? instance->host : NULL);
    table_text(table, P_INSTANCE, instance ? instance->name : NULL);
    return instance ? instance->name : "-";
}

static bool has_timestamp(const struct moment *moment)
{
    return moment->source != CLOCK_NONE && moment->ms < INT64_MAX / MICROSECONDS && moment->ms > INT64_MIN / MICROSECONDS;
}

static void write_event(struct timeline_writing *w, struct table *table, const struct occurrence *event)
{
    static const char *const descriptions[OCCURRENCE_KINDS] = {
        [OCCURRENCE_LOG] = "Log line",         [OCCURRENCE_VIEW_SAVED] = "View saved", [OCCURRENCE_LAST_SIGHTING] = "Last pong",
        [OCCURRENCE_DUMP_WRITTEN] = "Dump begun", [OCCURRENCE_AOF_STAMP] = "Command written",
    };
    const char *name = fill_instance(w, table, event->instance);
    fill_moment(w, table, &event->when);
    fill_place(w, table, event);
    table_text(table, P_MESSAGE, arena_format(w->arena, "[%s] %s: %s", occurrence_word(event), name, event->text ? event->text : ""));
    table_text(table, P_DESC, descriptions[event->kind] ? descriptions[event->kind] : "Seen by a later capture");
    table_text(table, P_RECORD, "event");
    table_text(table, P_KIND, occurrence_word(event));
    table_text(table, P_NODE, event->node);
    table_text(table, P_PEER, event->peer);
    if (event->epoch >= 0)
        table_count(table, P_EPOCH, event->epoch);
    table_text(table, P_SLOTS, event->slots);
    table_text(table, P_CERTAINTY, episode_basis_word(descriptions[event->kind] ? BASIS_STATED : BASIS_INFERRED));
    table_u64(table, P_COUNT, event->count);
    table_row(table);
}

static void write_episode(struct timeline_writing *w, struct table *table, const struct episode *episode)
{
    bool begins = has_timestamp(&episode->begin);
    fill_instance(w, table, episode->instance);
    fill_moment(w, table, begins ? &episode->begin : &episode->end);
    if (episode->occurrence_count)
        fill_place(w, table, &w->history->occurrences[episode->occurrences[0]]);
    table_text(table, P_MESSAGE, arena_format(w->arena, "[%s] %s", episode_word(episode->kind), episode->title));
    table_text(table, P_DESC, begins ? "Begin of episode" : "End of episode");
    table_text(table, P_RECORD, "episode");
    table_text(table, P_KIND, episode_word(episode->kind));
    table_text(table, P_NODE, episode->node);
    table_text(table, P_PEER, episode->peer);
    if (episode->epoch >= 0)
        table_count(table, P_EPOCH, episode->epoch);
    table_text(table, P_SLOTS, episode->slots);
    table_text(table, P_CERTAINTY, episode_basis_word(episode->how));
    table_text(table, P_BASIS, episode->basis);
    table_u64(table, P_COUNT, episode->occurrence_count);
    table_row(table);
}

static const struct moment *moment_of(const struct episode *episode)
{
    return has_timestamp(&episode->begin) ? &episode->begin : &episode->end;
}

void timeline_write_plaso(struct timeline_writing *w)
{
    const struct history *history = w->history;
    struct table *table = table_open(w->out, &timeline_plaso_record, FORMAT_CSV);
    size_t e = 0;
    for (size_t i = 0; i <= history->count && !out_error(w->out); i++) {
        const struct occurrence *event = i < history->count ? &history->occurrences[i] : NULL;
        bool dated = event && has_timestamp(&event->when);
        for (; e < history->episode_count; e++) {
            const struct episode *episode = &history->episodes[e];
            if (dated && has_timestamp(moment_of(episode)) && moment_of(episode)->ms > event->when.ms)
                break;
            if (has_timestamp(moment_of(episode)) && history_wants_episode(history, w->selection, episode))
                write_episode(w, table, episode);
        }
        if (dated && history_wants_event(history, w->selection, event))
            write_event(w, table, event);
    }
    table_close(table);
}
