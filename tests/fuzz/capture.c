/* Any bytes as each captured reply and as an output of the cluster tools: read to the end, every place within the text. */
#include <stdlib.h>

#include "parsers/capture/info.h"
#include "parsers/capture/shards.h"
#include "parsers/capture/slots.h"
#include "parsers/trib/trib.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define READ_ALL(reader_type, name, item_type, text)                                              \
    do {                                                                                          \
        struct reader_type *reader = name##_open(text);                                           \
        struct item_type item;                                                                    \
        for (enum parse_step step; reader && (step = name##_next(reader, &item)) != PARSE_END;) { \
            struct place place = step == PARSE_ITEM ? item.place : name##_damage(reader)->place;  \
            if (place.offset > (text).len || place.length > (text).len - place.offset)            \
                abort();                                                                          \
        }                                                                                         \
        name##_close(reader);                                                                     \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes text = {data, size};
    READ_ALL(slots_reader, slots, slots_item, text);
    READ_ALL(shards_reader, shards, shards_item, text);
    READ_ALL(info_reader, info, info_item, text);
    READ_ALL(trib, trib, trib_item, text);
    if (slots_likeness(text) > 100 || shards_likeness(text) > 100)
        abort();
    return 0;
}
