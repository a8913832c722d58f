#include "parsers/bytes/text.h"
#include "parsers/log/log.h"

static const struct {
    const char *word, *meaning;
} events[] = {
#define LOG_EVENT(id, word, meaning) {word, meaning},
#include "parsers/log/log_events.def"
#undef LOG_EVENT
};

const char *log_event_word(enum log_event_id id)
{
    return (unsigned)id < LOG_EVENTS ? events[id].word : NULL;
}

const char *log_event_meaning(enum log_event_id id)
{
    return (unsigned)id < LOG_EVENTS ? events[id].meaning : NULL;
}

enum log_event_id log_event_of(struct bytes word)
{
    unsigned id = 0;
    while (id < LOG_EVENTS && !text_is(word, events[id].word))
        id++;
    return (enum log_event_id)id;
}
