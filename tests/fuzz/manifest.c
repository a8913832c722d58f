#include "parsers/aof/aof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {data, size};
    struct manifest *reader = manifest_open(text);
    struct manifest_item item;
    enum parse_step step;
    if (!reader)
        return 0;
    while ((step = manifest_next(reader, &item)) != PARSE_END) {
        struct place place = step == PARSE_ITEM ? item.place : manifest_damage(reader)->place;
        if (place.offset + place.length > size || (step == PARSE_ITEM && item.name.len > place.length))
            __builtin_trap();
    }
    manifest_close(reader);
    if (manifest_likeness(text) > 100)
        __builtin_trap();
    return 0;
}
