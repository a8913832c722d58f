#include <string.h>
#include <xxhash.h>

#include "parsers/bytes/text.h"
#include "tools/history/history_private.h"

const char *texts_intern(struct texts *texts, struct bytes text)
{
    uint64_t hash = XXH3_64bits(text.len ? (const void *)text.at : "", text.len);
    size_t at = hash;
    uint32_t number;
    while (numbering_next(&texts->numbering, hash, &at, &number))
        if (text_is(text, texts->all[number]))
            return texts->all[number];
    const char **all = arena_grow(texts->arena, texts->all, texts->count, &texts->cap, sizeof(*all));
    const char *copy = arena_copy(texts->arena, text.at, text.len);
    if (!all || !copy || !numbering_add(&texts->numbering, texts->arena, hash, (uint32_t)texts->count))
        return NULL;
    texts->all = all;
    return texts->all[texts->count++] = copy;
}

const char *texts_string(struct texts *texts, const char *text)
{
    return text ? texts_intern(texts, (struct bytes){(const uint8_t *)text, strlen(text)}) : NULL;
}

struct occurrence occurrence_blank(enum occurrence_kind kind)
{
    return (struct occurrence){
        .kind = kind,
        .event = LOG_UNKNOWN,
        .instance = SIZE_MAX,
        .epoch = -1,
        .offset = -1,
        .slot = -1,
        .last_slot = -1,
        .count = 1,
    };
}

struct moment moment_epoch(int64_t ms, int64_t error_ms)
{
    return (struct moment){.source = CLOCK_EPOCH, .raw_ms = ms, .ms = ms, .error_ms = error_ms};
}

static bool copy_fields(struct gathering *gathering, struct occurrence *occurrence)
{
    struct arena *arena = gathering->history->arena;
    struct occurrence_field *fields = arena_array(arena, occurrence->field_count, sizeof(*fields));
    if (!fields)
        return false;
    for (size_t i = 0; i < occurrence->field_count; i++) {
        fields[i] = occurrence->fields[i];
        fields[i].text = texts_string(&gathering->texts, fields[i].text);
    }
    occurrence->fields = fields;
    return true;
}

bool gathering_add(struct gathering *gathering, const struct occurrence *draft)
{
    struct history *history = gathering->history;
    struct texts *texts = &gathering->texts;
    struct occurrence *all = arena_grow(history->arena, history->occurrences, history->count, &gathering->cap, sizeof(*all));
    if (!all)
        return false;
    history->occurrences = all;
    struct occurrence *occurrence = &all[history->count];
    *occurrence = *draft;
    occurrence->writer = texts_string(texts, draft->writer);
    occurrence->node = texts_string(texts, draft->node);
    occurrence->peer = texts_string(texts, draft->peer);
    occurrence->address = texts_string(texts, draft->address);
    occurrence->slots = texts_string(texts, draft->slots);
    occurrence->text = texts_string(texts, draft->text);
    if (draft->until.source == CLOCK_NONE)
        occurrence->until = draft->when;
    history->count++;
    return copy_fields(gathering, occurrence) && !arena_failed(history->arena);
}
