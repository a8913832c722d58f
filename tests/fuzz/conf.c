#include "parsers/conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {data, size};
    struct conf *reader = conf_open(text);
    struct conf_directive directive;
    enum parse_step step;
    uint64_t end = 0;
    if (!reader)
        return 0;
    while ((step = conf_next(reader, &directive)) != PARSE_END) {
        if (step != PARSE_ITEM)
            continue;
        if (directive.place.offset < end || directive.place.offset + directive.place.length > size)
            __builtin_trap();
        end = directive.place.offset + directive.place.length;
    }
    conf_close(reader);
    if (conf_likeness(text) > 100)
        __builtin_trap();
    (void)conf_is_sentinel(text);
    return 0;
}
