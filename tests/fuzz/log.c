#include "parsers/log/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source *source = source_memory(data, size);
    struct log *reader = source ? log_open(source) : NULL;
    struct log_line line;
    enum parse_step step;
    uint64_t end = 0;
    while (reader && ((step = log_next(reader, &line)) == PARSE_ITEM || step == PARSE_DAMAGE)) {
        if (step != PARSE_ITEM)
            continue;
        if (line.place.offset < end || line.message.len > LOG_LINE_MAX)
            __builtin_trap();
        end = line.place.offset + line.place.length;
        if (line.time.known && log_unix_ms(&line.time, 2024, 0) == INT64_MIN)
            __builtin_trap();
    }
    log_close(reader);
    source_close(source);
    if (log_likeness((struct bytes){data, size}) > 100)
        __builtin_trap();
    return 0;
}
