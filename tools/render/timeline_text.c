/* The story as people read it at night: clocks first, then a block an episode, newest last. */
#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/time.h"
#include "tools/render/timeline_output.h"

enum {
    EVENTS_SHOWN = 8,
    EVENTS_OF_ROUTINE = 1,
    MESSAGE_SHOWN = 110, /* columns */
    KIND_WIDTH = 16,
    REMARKS_AT = 14,
    ERROR_SHOWN_MS = 1000,
    ID_LENGTH = 40,
    DAY_MS = 86400000
};

static int64_t day_of(const struct moment *moment)
{
    return moment->ms / DAY_MS - (moment->ms % DAY_MS < 0);
}

/* "15:05:44.312", with the date before it on another day than the heading's. */
static void write_clock(struct out *out, const struct moment *moment, int64_t day)
{
    char text[TIME_SIZE];
    if (moment->source == CLOCK_NONE) {
        out_text(out, "time unknown");
        return;
    }
    char *end = time_put(text, moment->ms), *clock = memchr(text, 'T', (size_t)(end - text));
    *clock = ' ';
    const char *begin = day_of(moment) == day ? clock + 1 : text;
    out_bytes(out, begin, (size_t)(end - 1 - begin));
}

static void write_day(struct out *out, const struct moment *moment, int64_t *day)
{
    char text[TIME_SIZE];
    if (moment->source == CLOCK_NONE || day_of(moment) == *day)
        return;
    *day = day_of(moment);
    char *end = time_put(text, moment->ms);
    out_byte(out, '\n');
    out_style(out, OUT_BOLD);
    out_bytes(out, text, (size_t)((const char *)memchr(text, 'T', (size_t)(end - text)) - text));
    out_style(out, OUT_PLAIN);
    out_text(out, " UTC\n");
}

static bool is_id(const char *text)
{
    return strspn(text, "0123456789abcdef") == ID_LENGTH;
}

/* A message with node ids as the names of their instances, or cut. */
static const char *readable(const struct timeline_writing *w, const char *message)
{
    const char *text = "";
    for (const char *at = message; *at;) {
        const char *begin = at;
        while (*at && !(is_id(at) && (at == message || !strchr("0123456789abcdef", at[-1]))))
            at++;
        text = arena_format(w->arena, "%s%.*s%s", text, (int)(at - begin), begin, *at ? history_node_name(w->history, arena_copy(w->arena, at, ID_LENGTH)) : "");
        if (!text)
            return "";
        at += *at ? ID_LENGTH : 0;
    }
    return text;
}

static void write_place(struct timeline_writing *w, const struct occurrence *event)
{
    out_style(w->out, OUT_DIM);
    out_text(w->out, "  (");
    escape_printable(w->out, escape_string(w->history->evidence->files[event->file].path));
    if (event->place.line)
        out_format(w->out, ":%u", event->place.line);
    out_byte(w->out, ')');
    out_style(w->out, OUT_PLAIN);
}

static void write_event(struct timeline_writing *w, const struct occurrence *event, int64_t day, bool with_kind)
{
    const struct instance *instance = timeline_instance(w->history, event->instance);
    write_clock(w->out, &event->when, day);
    out_text(w->out, "  ");
    escape_printable(w->out, escape_string(instance ? instance->name : "-"));
    if (with_kind)
        out_format(w->out, "  %-*s", KIND_WIDTH, occurrence_word(event));
    out_text(w->out, "  ");
    escape_cut(w->out, escape_string(event->text ? readable(w, event->text) : ""), MESSAGE_SHOWN);
    if (event->slots && event->kind != OCCURRENCE_LOG) {
        out_text(w->out, ": ");
        escape_cut(w->out, escape_string(event->slots), MESSAGE_SHOWN / 2);
    }
    if (event->count > 1) {
        out_format(w->out, "  (%llu times, until ", (unsigned long long)event->count);
        write_clock(w->out, &event->until, day);
        out_byte(w->out, ')');
    }
    write_place(w, event);
    out_byte(w->out, '\n');
}

static void write_remark(struct timeline_writing *w, const char *label, const char *text)
{
    if (!text)
        return;
    out_repeat(w->out, ' ', REMARKS_AT);
    out_text(w->out, label);
    escape_terminal(w->out, escape_string(readable(w, text)));
    out_byte(w->out, '\n');
}

/* What happens all the time: the place where it begins will do. */
static bool is_routine(enum episode_kind kind)
{
    return kind == EPISODE_LIFETIME || kind == EPISODE_SAVE || kind == EPISODE_RESYNC || kind == EPISODE_CONFIG_REWRITE;
}

/* How well a time is known, where it is not known to the second. */
static void write_error(struct out *out, const struct moment *moment)
{
    if (moment->source == CLOCK_NONE || moment->error_ms <= ERROR_SHOWN_MS)
        return;
    if (moment->error_ms == INT64_MAX)
        out_text(out, "  [clock not known]");
    else
        out_format(out, "  [+- %lld s]", (long long)((moment->error_ms + 999) / 1000));
}

static void write_episode(struct timeline_writing *w, const struct episode *episode, int64_t day)
{
    static const char *const basis[] = {"on: ", "inferred: ", "gap: "};
    write_clock(w->out, episode->begin.source != CLOCK_NONE ? &episode->begin : &episode->end, day);
    out_text(w->out, "  ");
    out_style(w->out, OUT_BOLD);
    out_format(w->out, "%-*s", KIND_WIDTH, episode_word(episode->kind));
    out_style(w->out, OUT_PLAIN);
    out_text(w->out, "  ");
    escape_terminal(w->out, escape_string(readable(w, episode->title ? episode->title : "")));
    if (episode->how != BASIS_STATED) {
        out_style(w->out, OUT_YELLOW);
        out_format(w->out, " (%s)", episode_basis_word(episode->how));
        out_style(w->out, OUT_PLAIN);
    }
    if (episode->end.source != CLOCK_NONE && episode->begin.source != CLOCK_NONE && episode->end.ms != episode->begin.ms) {
        out_text(w->out, ", until ");
        write_clock(w->out, &episode->end, day);
    }
    write_error(w->out, episode->begin.source != CLOCK_NONE ? &episode->begin : &episode->end);
    out_byte(w->out, '\n');
    write_remark(w, "why: ", episode->cause);
    write_remark(w, basis[episode->how], episode->basis);
    for (size_t d = 0; d < episode->detail_count; d++)
        write_remark(w, "", episode->details[d]);
    size_t shown = w->whole ? SIZE_MAX : is_routine(episode->kind) ? EVENTS_OF_ROUTINE : EVENTS_SHOWN;
    for (size_t i = 0; i < episode->occurrence_count && i < shown; i++) {
        out_repeat(w->out, ' ', 4);
        write_event(w, &w->history->occurrences[episode->occurrences[i]], day, false);
    }
    if (episode->occurrence_count > shown)
        out_format(w->out, "    and %zu more (-v)\n", episode->occurrence_count - shown);
}

static void write_clocks(struct timeline_writing *w)
{
    const struct history *history = w->history;
    struct out *out = w->out;
    if (!history->clock_count) {
        out_text(out, "No log in the case.\n");
        return;
    }
    out_text(out, "Clock skew: what the log of each host shows too much, its zone included");
    if (history->reference != SIZE_MAX && history->clock_count > 1) {
        out_text(out, ", against ");
        escape_printable(out, escape_string(history->clocks[history->reference].host));
    }
    out_text(out, ".\n\n");
    struct table *table = table_open(out, &timeline_clock_record, FORMAT_TEXT);
    table_indent(table, 2);
    timeline_clock_rows(w, table);
    table_close(table);
    for (size_t c = 0; c < history->clock_count; c++) {
        const struct host_clock *clock = &history->clocks[c];
        if (!clock->epoch_offset_ms)
            continue;
        out_text(out, "\nThe clock that dates dumps and pongs on ");
        escape_printable(out, escape_string(clock->host));
        out_format(out, " is %+.2f s off too.\n", (double)clock->epoch_offset_ms / 1000);
    }
}

static void write_events(struct timeline_writing *w)
{
    int64_t day = INT64_MIN;
    for (size_t i = 0; i < w->history->count && !out_error(w->out); i++) {
        const struct occurrence *event = &w->history->occurrences[i];
        if (!history_wants_event(w->history, w->selection, event))
            continue;
        write_day(w->out, &event->when, &day);
        write_event(w, event, day, true);
    }
}

static void write_episodes(struct timeline_writing *w)
{
    int64_t day = INT64_MIN;
    size_t shown = 0;
    for (size_t e = 0; e < w->history->episode_count && !out_error(w->out); e++) {
        const struct episode *episode = &w->history->episodes[e];
        if (!history_wants_episode(w->history, w->selection, episode))
            continue;
        write_day(w->out, episode->begin.source != CLOCK_NONE ? &episode->begin : &episode->end, &day);
        write_episode(w, episode, day);
        shown++;
    }
    if (!shown)
        out_text(w->out, "\nNo episode is selected; --events shows events.\n");
}

void timeline_write_text(struct timeline_writing *w, bool events)
{
    write_clocks(w);
    if (events || !w->history->episode_count)
        write_events(w);
    else
        write_episodes(w);
}
