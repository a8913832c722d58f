#include "tools/history/pairs.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { ALIKE_MAX = 48 /* events of one content that are combined */, WHOLE_WEIGHT = 64, REPLID_LENGTH = 40 };

/* One side of a pair. */
struct side {
    uint64_t content;
    enum pair_kind kind;
    bool second;
    uint32_t clock;
    int64_t ms;
};

struct looking {
    const struct history *history;
    struct arena *arena;
    struct side *sides;
    size_t count, cap;
    struct pairs *pairs;
    size_t pair_cap;
    uint32_t clock; /* of the occurrence that is looked at */
    const struct occurrence *occurrence;
};

static uint32_t strength_of(enum pair_kind kind)
{
    static const uint32_t strengths[] = {
#define PAIR(id, strength, meaning) strength,
#include "tools/history/pairs.def"
#undef PAIR
    };
    return strengths[kind];
}

/* The occurrence is one side of a pair that `name`, `other` and `number` tell apart from others. */
static bool is_side(struct looking *looking, enum pair_kind kind, bool second, const char *name, const char *other,
                    int64_t number)
{
    if (!name || !other)
        return true;
    uint64_t content = XXH3_64bits_withSeed(name, strlen(name), kind + 1u);
    content = XXH3_64bits_withSeed(other, strlen(other), content);
    content = XXH3_64bits_withSeed(&number, sizeof(number), content);
    struct side *sides = arena_grow(looking->arena, looking->sides, looking->count, &looking->cap, sizeof(*sides));
    if (!sides)
        return false;
    looking->sides = sides;
    sides[looking->count++] = (struct side){content, kind, second, looking->clock, looking->occurrence->when.ms};
    return true;
}

static bool is_first(struct looking *looking, enum pair_kind kind, const char *name, const char *other, int64_t number)
{
    return is_side(looking, kind, false, name, other, number);
}

static bool is_second(struct looking *looking, enum pair_kind kind, const char *name, const char *other, int64_t number)
{
    return is_side(looking, kind, true, name, other, number);
}

/* The address by which a primary names this replica. */
static const char *own_address(const struct looking *looking)
{
    size_t number = looking->occurrence->instance;
    const struct instance *instance = number == SIZE_MAX ? NULL : &looking->history->evidence->instances[number];
    if (!instance || !instance->ip[0] || !instance->port)
        return NULL;
    return arena_format(looking->arena, "%s:%u", instance->ip, instance->port);
}

/* NULL also for "?", which a replica asks for that has none. */
static const char *replid_of(const struct occurrence *line)
{
    const char *replid = occurrence_field(line, LOG_FIELD_REPLID);
    return replid && strlen(replid) == REPLID_LENGTH ? replid : NULL;
}

/* Which sides a line is. */
static bool look(struct looking *looking)
{
    const struct occurrence *line = looking->occurrence;
    const char *replid = replid_of(line);
    switch (line->event) {
    case LOG_ELECTION_STARTED:
        return is_first(looking, PAIR_VOTE_ASKED, line->writer, "", line->epoch);
    case LOG_VOTE_GRANTED:
        return is_second(looking, PAIR_VOTE_ASKED, line->node, "", line->epoch) &&
               is_first(looking, PAIR_VOTE_COUNTED, line->node, "", line->epoch);
    case LOG_EPOCH_WON:
        return is_second(looking, PAIR_VOTE_COUNTED, line->writer, "", line->epoch) &&
               is_first(looking, PAIR_ELECTION_TOLD, line->writer, "", line->epoch);
    case LOG_MEMBER_FAILED_OVER:
        return is_second(looking, PAIR_ELECTION_TOLD, line->peer, "", line->epoch);
    case LOG_FAILED_BY_QUORUM:
        return is_first(looking, PAIR_FAILURE_TOLD, line->writer, line->node, 0);
    case LOG_FAILED_BY_MESSAGE:
        return is_second(looking, PAIR_FAILURE_TOLD, line->peer, line->node, 0);
    case LOG_SYNC_PARTIAL_TRIED:
        return is_first(looking, PAIR_SYNC_ASKED, own_address(looking), "", 0) &&
               is_first(looking, PAIR_RESYNC_ASKED, own_address(looking), "", line->offset) &&
               is_first(looking, PAIR_RESYNC_ASKED, replid, "", 0);
    case LOG_SYNC_ASKED:
        return is_second(looking, PAIR_SYNC_ASKED, line->address, "", 0);
    case LOG_SYNC_PARTIAL_SENT:
        return is_second(looking, PAIR_RESYNC_ASKED, line->address, "", line->offset) &&
               is_first(looking, PAIR_SYNC_ANSWERED, line->address, "", 0);
    case LOG_SYNC_PARTIAL_REFUSED:
        return is_second(looking, PAIR_RESYNC_ASKED, replid, "", 0);
    case LOG_SYNC_PARTIAL_DONE:
        return is_second(looking, PAIR_SYNC_ANSWERED, own_address(looking), "", 0);
    case LOG_FAILOVER_REQUESTED:
        return is_first(looking, PAIR_HANDOVER_ASKED, line->writer, "", 0);
    case LOG_FAILOVER_ASKED:
        return is_second(looking, PAIR_HANDOVER_ASKED, line->node, "", 0) &&
               is_first(looking, PAIR_HANDOVER_ANSWERED, line->node, "", 0);
    case LOG_MEET_REQUESTED:
        return is_first(looking, PAIR_MEETING, line->writer, line->address, 0);
    case LOG_HANDSHAKE:
        return is_second(looking, PAIR_MEETING, line->node, own_address(looking), 0);
    case LOG_EPOCH_SET:
        return is_first(looking, PAIR_EPOCH_GIVEN, "", "", line->epoch) &&
               is_second(looking, PAIR_EPOCH_GIVEN, "", "", line->epoch - 1);
    case LOG_FAILOVER_OFFSET:
        return is_second(looking, PAIR_HANDOVER_ANSWERED, line->writer, "", 0);
    default:
        return true;
    }
}

static int by_content(const void *a, const void *b)
{
    const struct side *left = a, *right = b;
    if (left->content != right->content)
        return left->content < right->content ? -1 : 1;
    if (left->second != right->second)
        return left->second ? 1 : -1;
    if (left->clock != right->clock)
        return left->clock < right->clock ? -1 : 1;
    return (left->ms > right->ms) - (left->ms < right->ms);
}

static bool combine(struct looking *looking, const struct side *first, const struct side *second, uint32_t weight)
{
    struct pairs *pairs = looking->pairs;
    if (first->clock == second->clock)
        return true;
    struct pair *all = arena_grow(looking->arena, pairs->all, pairs->count, &looking->pair_cap, sizeof(*all));
    if (!all)
        return false;
    pairs->all = all;
    all[pairs->count++] = (struct pair){
        .first_clock = first->clock,
        .second_clock = second->clock,
        .kind = first->kind,
        .weight = weight,
        .apart_ms = second->ms - first->ms,
    };
    return true;
}

/* Events of one content: `firsts` of them are first sides. */
static bool combine_all(struct looking *looking, const struct side *sides, size_t firsts, size_t count)
{
    size_t seconds = count - firsts, most = firsts > seconds ? firsts : seconds;
    if (!firsts || !seconds)
        return true;
    uint32_t strength = strength_of(sides->kind);
    uint32_t weight = strength * WHOLE_WEIGHT / (uint32_t)(most < WHOLE_WEIGHT ? most : WHOLE_WEIGHT);
    for (size_t f = 0; f < firsts && f < ALIKE_MAX; f++)
        for (size_t s = 0; s < seconds && s < ALIKE_MAX; s++)
            if (!combine(looking, &sides[f], &sides[firsts + s], weight))
                return false;
    return true;
}

bool pairs_find(const struct history *history, const uint32_t *clock_of, struct arena *arena, struct pairs *pairs)
{
    struct looking looking = {.history = history, .arena = arena, .pairs = pairs};
    *pairs = (struct pairs){.count = 0};
    for (size_t i = 0; i < history->count; i++) {
        const struct occurrence *occurrence = &history->occurrences[i];
        looking.occurrence = occurrence;
        looking.clock = clock_of[i];
        if (clock_of[i] != UINT32_MAX && !(occurrence->when.flags & MOMENT_OF_NEIGHBOUR) && !look(&looking))
            return false;
    }
    if (looking.count)
        qsort(looking.sides, looking.count, sizeof(*looking.sides), by_content);
    for (size_t i = 0, end; i < looking.count; i = end) {
        size_t firsts = 0;
        for (end = i; end < looking.count && looking.sides[end].content == looking.sides[i].content; end++)
            firsts += !looking.sides[end].second;
        if (!combine_all(&looking, &looking.sides[i], firsts, end - i))
            return false;
    }
    return !arena_failed(arena);
}
