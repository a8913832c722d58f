#include "parsers/aof/aof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source *source = source_memory(data, size);
    struct aof *reader = source ? aof_open(source, 0) : NULL;
    struct aof_item item;
    enum parse_step step;
    uint64_t end = 0;
    while (reader && ((step = aof_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE)) {
        if (step != PARSE_ITEM || item.kind == AOF_RDB)
            continue;
        if (item.place.offset < end || item.kept > AOF_ARGUMENTS)
            __builtin_trap();
        end = item.place.offset + item.place.length;
        if (aof_complete_to(reader) > end)
            __builtin_trap();
    }
    aof_close(reader);
    source_close(source);
    if (aof_likeness((struct bytes){data, size}) > 100)
        __builtin_trap();
    return 0;
}
