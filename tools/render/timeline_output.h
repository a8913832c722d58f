/* A history as people and programs read it. */
#ifndef RCF_TIMELINE_OUTPUT_H
#define RCF_TIMELINE_OUTPUT_H

#include "tools/history/clocks.h"
#include "tools/history/selection.h"
#include "tools/render/table.h"

extern const struct record_type timeline_record, timeline_clock_record, timeline_plaso_record;

struct timeline_writing {
    struct out *out;
    const struct history *history;
    const struct history_selection *selection;
    struct arena *arena; /* for words; ends after the writing */
    bool whole;          /* every event of an episode, not only the first ones */
};

/* The story: clocks, then episodes with their events; `events`: the events alone, one a line. */
void timeline_write_text(struct timeline_writing *writing, bool events);

/* All records: clocks, episodes, events. FORMAT_CSV, FORMAT_JSON or FORMAT_JSONL. */
void timeline_write_records(struct timeline_writing *writing, enum format format);

/* The CSV that Timesketch and plaso import: what has a time, in its order. */
void timeline_write_plaso(struct timeline_writing *writing);

/* A row a clock, of timeline_clock_record. */
void timeline_clock_rows(struct timeline_writing *writing, struct table *table);

/* "+4321.00 s", the total offset of a log clock; "unknown" when nothing tells it. */
const char *timeline_offset_text(const struct host_clock *clock, struct arena *arena);

/* What is to be said about a moment: "year-inferred", ...; at most TIMELINE_MARKS words. */
enum { TIMELINE_MARKS = 10 };
size_t timeline_marks(const struct moment *moment, struct bytes *words);

/* The time as it was written: with Z where the writer has named its zone. NULL without a time. */
const char *timeline_raw_text(const struct moment *moment, struct arena *arena);

/* The host, name and node of what happened, NULL when nobody of the case. */
const struct instance *timeline_instance(const struct history *history, size_t number);

#endif
