#include "parsers/aof/aof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Words lie in the item, and no more keys are given than there are words. */
static void look_at(const struct aof_item *item)
{
    struct aof_words words = aof_words_of(item);
    struct aof_key_walk walk = aof_keys_of(item);
    struct bytes word;
    bool whole;
    uint64_t count = 0, keys = 0, bytes = 0;
    while (aof_word_next(&words, &word, &whole)) {
        bytes += word.len;
        count++;
    }
    while (aof_key_next(&walk, &word, &whole))
        keys++;
    if (count > item->argument_count || bytes > item->place.length || keys > count || item->kept > AOF_ARGUMENTS ||
        (item->words.len && count != item->argument_count))
        __builtin_trap();
}

/* Where commands begin again, one can be read or is cut. */
static void look_behind(const uint8_t *data, size_t size)
{
    struct source *source = source_memory(data, size);
    uint64_t at = 0;
    bool found = source && aof_resume(source, &at);
    source_close(source);
    if (!found)
        return;
    if (at >= size)
        __builtin_trap();
    source = source_memory(data + at, size - at);
    struct aof *reader = source ? aof_open_tail(source, at) : NULL;
    struct aof_item item;
    if (reader && aof_next(reader, &item) == PARSE_ITEM && (item.place.offset != at || !item.command))
        __builtin_trap();
    aof_close(reader);
    source_close(source);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source *source = source_memory(data, size);
    struct aof *reader = source ? aof_open(source, RDB_CHECK_VALUES) : NULL;
    struct aof_item item;
    enum parse_step step;
    uint64_t end = 0;
    while (reader && ((step = aof_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE)) {
        if (step == PARSE_DAMAGE && !aof_damage(reader)->expected)
            __builtin_trap();
        if (step != PARSE_ITEM || item.kind == AOF_RDB)
            continue;
        if (item.place.offset < end)
            __builtin_trap();
        end = item.place.offset + item.place.length;
        if (aof_complete_to(reader) > end)
            __builtin_trap();
        if (item.kind == AOF_COMMAND)
            look_at(&item);
    }
    aof_close(reader);
    source_close(source);
    look_behind(data, size);
    if (aof_likeness((struct bytes){data, size}) > 100)
        __builtin_trap();
    return 0;
}
