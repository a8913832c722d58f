#include "parsers/log/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every event lies behind the one before it, in the file, and its values in it. */
static void read_log(const uint8_t *data, size_t size, unsigned flags)
{
    struct source *source = source_memory(data, size);
    struct log *reader = source ? log_open(source, flags) : NULL;
    struct log_clock clock = {.has_year = true, .year = 2024};
    struct log_event event;
    enum parse_step step;
    uint64_t items = 0;
    while (reader && ((step = log_next(reader, &event)) == PARSE_ITEM || step == PARSE_DAMAGE)) {
        if (step != PARSE_ITEM)
            continue;
        items++;
        if (event.id >= LOG_EVENTS || event.message.len > LOG_LINE_MAX || event.field_count > LOG_FIELDS_MAX ||
            event.place.offset > size || event.place.length > size - event.place.offset)
            __builtin_trap();
        for (size_t i = 0; i < event.field_count; i++)
            if (event.fields[i].id >= LOG_FIELD_IDS || event.fields[i].text.len > LOG_LINE_MAX)
                __builtin_trap();
        if (event.time.known && event.time.has_year && !log_clock_instant(&clock, &event.time, event.turn).known)
            __builtin_trap();
    }
    if (reader && log_counts(reader)->sample_count > LOG_SAMPLES_MAX)
        __builtin_trap();
    log_close(reader);
    source_close(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool doubtful;
    read_log(data, size, 0);
    read_log(data, size, LOG_ALL_LINES);
    if (log_likeness((struct bytes){data, size}) > 100)
        __builtin_trap();
    struct log_zone *zone = log_zone_read((struct bytes){data, size});
    for (int64_t at = -4000000000; zone && at < 8000000000; at += 399999999)
        log_zone_offset(zone, at, &doubtful);
    log_zone_free(zone);
    return 0;
}
