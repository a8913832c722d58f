/* What the files of startup share.
 *
 *   startup.c         the table, verdicts, groups
 *   startup_seen.c    the file as the loader sees it
 *   startup_words.c   conditions of words and lines: the reader's defects, and the form of flags
 *   startup_lines.c   conditions across lines
 */
#ifndef RCF_STARTUP_PRIVATE_H
#define RCF_STARTUP_PRIVATE_H

#include "parsers/bytes/text.h"
#include "tools/cluster/startup.h"

enum { STARTUP_FACTS_KEPT = 1000 };

/* A fact, and when the loader comes to it. */
struct startup_order {
    uint64_t at; /* UINT64_MAX: after the last line */
    struct startup_fact fact;
};

struct startup_work {
    struct arena *arena;          /* for what stays */
    struct arena *scratch;        /* ends with the judgement */
    const struct view *view;      /* as it was read */
    const struct view *seen;      /* as the loader sees it; often the same */
    const struct view_store *store; /* of `seen` */
    struct bytes text;            /* of `seen`, at the offsets of the file; empty when it cannot be had */
    struct startup_order *facts;
    size_t count, cap;
    size_t kept[STARTUP_CONDITIONS];
};

/* Notes a fact that takes effect at `at`. Failures show in arena_failed(). */
void startup_note(struct startup_work *work, uint64_t at, struct startup_fact fact);

/* Fills `seen`, `store` and `text`, and notes what the loader does not see. False without memory. */
bool startup_look(struct startup_work *work, const struct view_store *store, struct bytes text);

void startup_words(struct startup_work *work);
void startup_lines(struct startup_work *work);

/* 40 characters a to z or digits, as servers from 7.0 on take for a node id. */
bool startup_is_id(struct bytes word);

static inline struct place startup_line(const struct sighting *sighting)
{
    return (struct place){sighting->offset, sighting->length, sighting->line};
}

/* The bytes of a place; an empty run when they cannot be had. */
static inline struct bytes startup_bytes(const struct startup_work *work, struct place place)
{
    if (place.offset > work->text.len || place.length > work->text.len - place.offset)
        return (struct bytes){NULL, 0};
    return (struct bytes){work->text.at + place.offset, (size_t)place.length};
}

#endif
