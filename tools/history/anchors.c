#include "tools/history/anchors.h"

#include <stdlib.h>
#include <string.h>

#include "tools/history/captures.h"

enum {
    SECOND_MS = 1000,
    SIGNAL_MS = 200,       /* between a signal's line and the server's next one */
    LOAD_MS = 20,          /* between the load of a nodes.conf and its line */
    SAVES_MOST = 64,       /* of an instance, from the last one back */
    LAST_WEIGHT = 4,       /* the last save of the log is most likely the one that left the dump */
    LEAST_WEIGHT = 4,
    BEFORE_MS = 200, BEHIND_MS = 2000, /* a view's newest pong before the line about the change that saved it */
    FARTHEST = 56, ZONES = 2 * FARTHEST + 1, /* quarters of an hour */
    LEAST_VOTES = 2,
};

/* A save that the log tells of. */
struct save {
    size_t instance;
    uint32_t clock;
    int64_t begun_ms, done_ms;
    bool last; /* of its instance, and nothing came after that replaces a dump */
};

/* What two lines, or a line and a file, say together. */
struct candidate {
    uint32_t clock;
    size_t of;               /* what it is of: a file, or a signal's line; only one candidate of it can be right */
    int64_t low_ms, high_ms; /* the offset lies between: ctime is cut to whole seconds */
    uint32_t weight;
};

struct anchoring {
    const struct history *history;
    const uint32_t *clock_of;
    struct arena *arena;
    struct save *saves;
    size_t save_count, save_cap;
    struct candidate *candidates;
    size_t candidate_count, candidate_cap;
};

int64_t anchor_quarters(int64_t ms)
{
    int64_t half = QUARTER_MS / 2;
    return (ms + (ms < 0 ? -half : half)) / QUARTER_MS * QUARTER_MS;
}

static bool add_save(struct anchoring *anchoring, const struct occurrence *line, uint32_t clock, int64_t begun_ms)
{
    struct save *saves = arena_grow(anchoring->arena, anchoring->saves, anchoring->save_count, &anchoring->save_cap, sizeof(*saves));
    if (!saves)
        return false;
    anchoring->saves = saves;
    saves[anchoring->save_count++] = (struct save){line->instance, clock, begun_ms, line->when.ms, true};
    return true;
}

/* The saves of all logs, by instance: logs were gathered in that order. */
static bool find_saves(struct anchoring *anchoring)
{
    int64_t begun_ms = INT64_MIN;
    size_t begun_by = SIZE_MAX;
    for (size_t i = 0; i < anchoring->history->count; i++) {
        const struct occurrence *line = &anchoring->history->occurrences[i];
        if (anchoring->clock_of[i] == UINT32_MAX || line->instance == SIZE_MAX)
            continue;
        struct save *latest = anchoring->save_count ? &anchoring->saves[anchoring->save_count - 1] : NULL;
        bool same = latest && latest->instance == line->instance;
        if (line->event == LOG_SAVE_STARTED) {
            begun_ms = line->when.ms;
            begun_by = line->instance;
        } else if (line->event == LOG_SAVED) {
            if (same)
                latest->last = false;
            bool known = begun_by == line->instance && begun_ms <= line->when.ms;
            if (!add_save(anchoring, line, anchoring->clock_of[i], known ? begun_ms : line->when.ms))
                return false;
            begun_by = SIZE_MAX;
        } else if (line->event == LOG_SYNC_LOADING && same) {
            latest->last = false; /* the dump may be the primary's now */
        }
    }
    return true;
}

/* NULL without memory. */
static struct candidate *add_candidate(struct anchoring *anchoring, uint32_t clock, size_t of)
{
    struct candidate *all = arena_grow(anchoring->arena, anchoring->candidates, anchoring->candidate_count,
                                       &anchoring->candidate_cap, sizeof(*all));
    if (!all)
        return NULL;
    anchoring->candidates = all;
    all[anchoring->candidate_count] = (struct candidate){.clock = clock, .of = of};
    return &all[anchoring->candidate_count++];
}

static bool add_dump(struct anchoring *anchoring, const struct save *save, size_t file, int64_t ctime_ms)
{
    struct candidate *candidate = add_candidate(anchoring, save->clock, file);
    if (!candidate)
        return false;
    candidate->low_ms = save->begun_ms - ctime_ms - SECOND_MS;
    candidate->high_ms = save->done_ms - ctime_ms;
    candidate->weight = save->last ? LAST_WEIGHT : 1;
    return true;
}

/* Whether another file of the instance states the same ctime: captures of one dump count once. */
static bool is_repeated(const struct evidence *evidence, size_t file)
{
    for (size_t f = 0; f < file; f++)
        if (evidence->files[f].dump && evidence->files[f].instance == evidence->files[file].instance &&
            evidence->files[f].dump->has_ctime && evidence->files[f].dump->ctime_s == evidence->files[file].dump->ctime_s)
            return true;
    return false;
}

static bool find_candidates(struct anchoring *anchoring)
{
    const struct evidence *evidence = anchoring->history->evidence;
    for (size_t f = 0; f < evidence->file_count; f++) {
        const struct evidence_file *file = &evidence->files[f];
        const struct dump *dump = file->dump;
        if (!dump || !dump->has_ctime || dump->captured || dump->aof_base || dump->ctime_s <= 0 ||
            dump->ctime_s > INT64_MAX / 2000 || file->instance == SIZE_MAX || is_repeated(evidence, f))
            continue;
        size_t taken = 0;
        for (size_t s = anchoring->save_count; s > 0 && taken < SAVES_MOST; s--) {
            const struct save *save = &anchoring->saves[s - 1];
            taken += save->instance == file->instance;
            if (save->instance == file->instance && !add_dump(anchoring, save, f, dump->ctime_s * SECOND_MS))
                return false;
        }
    }
    return true;
}

/* The occurrences of an instance's logs, which were gathered one behind the other. */
struct lines {
    size_t from, to;
};

static struct lines *find_lines(const struct anchoring *anchoring)
{
    const struct history *history = anchoring->history;
    struct lines *lines = arena_array(anchoring->arena, history->evidence->instance_count, sizeof(*lines));
    for (size_t i = 0; lines && i < history->count; i++) {
        size_t instance = history->occurrences[i].instance;
        if (history->occurrences[i].kind != OCCURRENCE_LOG || instance == SIZE_MAX)
            continue;
        if (!lines[instance].to)
            lines[instance].from = i;
        lines[instance].to = i + 1;
    }
    return lines;
}

static bool add_load(struct anchoring *anchoring, uint32_t clock, const struct occurrence *line, size_t file, int64_t loaded_ms)
{
    struct candidate *candidate = add_candidate(anchoring, clock, file);
    if (!candidate)
        return false;
    candidate->low_ms = line->when.ms - loaded_ms - LOAD_MS;
    candidate->high_ms = line->when.ms - loaded_ms + LOAD_MS;
    candidate->weight = LAST_WEIGHT;
    return true;
}

/* Views that tell when their nodes.conf was loaded, against the lines that tell it. */
static bool find_loads(struct anchoring *anchoring, const struct lines *lines)
{
    const struct evidence *evidence = anchoring->history->evidence;
    for (size_t f = 0; f < evidence->file_count; f++) {
        const struct evidence_file *file = &evidence->files[f];
        int64_t loaded_ms = file->view && !file->temporary ? capture_loaded_ms(file->view) : 0;
        if (!loaded_ms || file->instance == SIZE_MAX)
            continue;
        size_t taken = 0;
        for (size_t i = lines[file->instance].to; i > lines[file->instance].from && taken < SAVES_MOST; i--) {
            const struct occurrence *line = &anchoring->history->occurrences[i - 1];
            if (line->event != LOG_NODE_LOADED || anchoring->clock_of[i - 1] == UINT32_MAX)
                continue;
            taken++;
            if (!add_load(anchoring, anchoring->clock_of[i - 1], line, f, loaded_ms))
                return false;
        }
    }
    return true;
}

/* What a signal asks for is logged at once by the process that got it; the handler's own line has whole seconds. */
static bool find_signals(struct anchoring *anchoring)
{
    const struct history *history = anchoring->history;
    for (size_t i = 0; i + 1 < history->count; i++) {
        const struct occurrence *signal = &history->occurrences[i], *next = &signal[1];
        if (signal->event != LOG_SHUTDOWN_SIGNAL || signal->when.source != CLOCK_EPOCH || next->file != signal->file ||
            next->pid != signal->pid || anchoring->clock_of[i + 1] == UINT32_MAX)
            continue;
        struct candidate *candidate = add_candidate(anchoring, anchoring->clock_of[i + 1], SIZE_MAX - i);
        if (!candidate)
            return false;
        candidate->low_ms = next->when.ms - signal->when.ms - SECOND_MS - SIGNAL_MS;
        candidate->high_ms = next->when.ms - signal->when.ms;
        candidate->weight = LAST_WEIGHT;
    }
    return true;
}

static int by_clock(const void *a, const void *b)
{
    const struct candidate *left = a, *right = b;
    if (left->clock != right->clock)
        return left->clock < right->clock ? -1 : 1;
    if (left->of != right->of)
        return left->of < right->of ? -1 : 1;
    return (left->low_ms > right->low_ms) - (left->low_ms < right->low_ms);
}

/* How much the candidates say for an offset: the best of each thing that they are of, by which they stand. */
static uint64_t weight_at(const struct candidate *all, size_t count, int64_t ms, size_t *dumps)
{
    uint64_t weight = 0;
    *dumps = 0;
    for (size_t i = 0, end; i < count; i = end) {
        uint32_t best = 0;
        for (end = i; end < count && all[end].of == all[i].of; end++)
            if (all[end].low_ms <= ms && ms <= all[end].high_ms && all[end].weight > best)
                best = all[end].weight;
        weight += best;
        *dumps += best > 0;
    }
    return weight;
}

static int by_ms(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* The anchor of one clock, of its candidates: the widest run of offsets for which most is said. */
static bool agree(const struct candidate *all, size_t count, struct arena *arena, struct anchor *anchor)
{
    int64_t *ends = arena_array(arena, 2 * count, sizeof(*ends));
    uint64_t most = LEAST_WEIGHT - 1, before = 0;
    int64_t begin = 0;
    if (!ends)
        return false;
    for (size_t i = 0; i < count; i++) {
        ends[2 * i] = all[i].low_ms;
        ends[2 * i + 1] = all[i].high_ms;
    }
    qsort(ends, 2 * count, sizeof(*ends), by_ms);
    for (size_t i = 0; i + 1 < 2 * count; i++) {
        size_t dumps;
        uint64_t weight = weight_at(all, count, ends[i] + (ends[i + 1] - ends[i]) / 2, &dumps);
        if (weight != before)
            begin = ends[i];
        before = weight;
        if (weight < most || (weight == most && ends[i + 1] - begin <= anchor->high_ms - anchor->low_ms) || weight < LEAST_WEIGHT)
            continue;
        most = weight;
        *anchor = (struct anchor){.dumps = dumps, .low_ms = begin, .high_ms = ends[i + 1]};
    }
    return true;
}

/* A line about a change that an instance saves its nodes.conf for. */
static bool saves_view(enum log_event_id event)
{
    static const enum log_event_id events[] = {
        LOG_VOTE_GRANTED, LOG_ELECTION_WON,  LOG_EPOCH_WON,     LOG_EPOCH_SET,         LOG_EPOCH_BUMPED,     LOG_EPOCH_IMPORTED,
        LOG_NODE_RESET,   LOG_FAILED_BY_QUORUM, LOG_FAILED_BY_MESSAGE, LOG_FAILURE_CLEARED, LOG_BECAME_REPLICA, LOG_EPOCH_COLLISION,
        LOG_NODESCONF_SAVED,
    };
    for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
        if (events[i] == event)
            return true;
    return false;
}

/* One vote of a view for each zone in which a line of its instance stands right behind its newest pong. */
static void vote(const struct anchoring *anchoring, struct lines lines, const struct view *view, uint32_t (*votes)[ZONES])
{
    uint32_t clock = UINT32_MAX;
    bool voted[ZONES] = {false};
    for (size_t i = lines.from; i < lines.to; i++) {
        const struct occurrence *line = &anchoring->history->occurrences[i];
        if (anchoring->clock_of[i] == UINT32_MAX || !saves_view(line->event))
            continue;
        int64_t apart = line->when.ms - view->newest_pong_ms, zone = anchor_quarters(apart - BEHIND_MS / 2);
        int64_t quarters = zone / QUARTER_MS;
        if (quarters < -FARTHEST || quarters > FARTHEST || apart - zone < -BEFORE_MS || apart - zone > BEHIND_MS)
            continue;
        clock = anchoring->clock_of[i];
        voted[quarters + FARTHEST] = true;
    }
    for (size_t z = 0; clock != UINT32_MAX && z < ZONES; z++)
        votes[clock][z] += voted[z];
}

/* The zone with most votes, if no other has half as many. */
static void count_votes(const uint32_t *votes, struct anchor *anchor)
{
    size_t best = 0;
    uint32_t second = 0;
    for (size_t z = 1; z < ZONES; z++)
        if (votes[z] > votes[best])
            best = z;
    for (size_t z = 0; z < ZONES; z++)
        if (z != best && votes[z] > second)
            second = votes[z];
    anchor->has_zone = votes[best] >= LEAST_VOTES && votes[best] > 2 * second;
    anchor->zone_ms = ((int64_t)best - FARTHEST) * QUARTER_MS;
}

static bool find_zones(const struct anchoring *anchoring, const struct lines *lines, struct anchor *anchors, size_t count)
{
    const struct evidence *evidence = anchoring->history->evidence;
    uint32_t(*votes)[ZONES] = arena_array(anchoring->arena, count, sizeof(*votes));
    if (!votes)
        return false;
    for (size_t i = 0; i < evidence->instance_count; i++) {
        const struct instance *instance = &evidence->instances[i];
        for (size_t h = 0; h <= instance->history_count; h++) {
            const struct view *view = h ? instance->history[h - 1] : instance->view;
            if (view && !view->capture && view->newest_pong_ms > 0)
                vote(anchoring, lines[i], view, votes);
        }
    }
    for (size_t c = 0; c < count; c++)
        count_votes(votes[c], &anchors[c]);
    return true;
}

bool anchors_find(const struct history *history, const uint32_t *clock_of, struct arena *arena, struct anchor *anchors,
                  size_t count)
{
    struct anchoring anchoring = {.history = history, .clock_of = clock_of, .arena = arena};
    const struct lines *lines = find_lines(&anchoring);
    if (!lines || !find_saves(&anchoring) || !find_candidates(&anchoring) || !find_loads(&anchoring, lines) ||
        !find_signals(&anchoring))
        return false;
    if (anchoring.candidate_count)
        qsort(anchoring.candidates, anchoring.candidate_count, sizeof(*anchoring.candidates), by_clock);
    for (size_t i = 0, end; i < anchoring.candidate_count; i = end) {
        for (end = i; end < anchoring.candidate_count && anchoring.candidates[end].clock == anchoring.candidates[i].clock; end++)
            continue;
        if (!agree(&anchoring.candidates[i], end - i, arena, &anchors[anchoring.candidates[i].clock]))
            return false;
    }
    return find_zones(&anchoring, lines, anchors, count) && !arena_failed(arena);
}
