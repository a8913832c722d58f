/* Dumps and redis.conf: what was written, and what could not be. Saves that follow each other in one process are
 * one episode: servers with save points write a dump every minute for years. */
#include "tools/history/chronicle.h"

enum { FAILURES_SHOWN = 8 };

/* Saves of one process, so far. */
struct saving {
    size_t instance;
    struct numbers good, bad;
};

static bool is_good(const struct occurrence *line)
{
    return line->event == LOG_SAVED;
}

static void add_good(struct chronicle *chronicle, const struct saving *saving)
{
    const char *name = chronicle->evidence->instances[saving->instance].name;
    uint64_t count = 0;
    for (size_t i = 0; i < saving->good.count; i++)
        count += chronicle_at(chronicle, saving->good.at[i])->count;
    struct draft *draft = count ? draft_new(chronicle, EPISODE_SAVE, BASIS_STATED) : NULL;
    if (!draft)
        return;
    draft_begins(chronicle, draft, saving->good.at[0]);
    draft_shows_all(chronicle, draft, &saving->good);
    draft_ends(chronicle, draft, saving->good.at[saving->good.count - 1]);
    draft->episode.node = chronicle_at(chronicle, saving->good.at[0])->writer;
    draft->episode.instance = saving->instance;
    draft->episode.title = count == 1
                               ? chronicle_text(chronicle, "%s wrote a dump", name)
                               : chronicle_text(chronicle, "%s wrote %llu dumps", name, (unsigned long long)count);
}

static void add_bad(struct chronicle *chronicle, const struct saving *saving)
{
    const char *name = chronicle->evidence->instances[saving->instance].name;
    struct draft *draft = saving->bad.count ? draft_new(chronicle, EPISODE_SAVE, BASIS_STATED) : NULL;
    if (!draft)
        return;
    const struct occurrence *first = chronicle_at(chronicle, saving->bad.at[0]);
    draft_begins(chronicle, draft, saving->bad.at[0]);
    draft_shows_all(chronicle, draft, &saving->bad);
    draft_ends(chronicle, draft, saving->bad.at[saving->bad.count - 1]);
    draft->episode.node = first->writer;
    draft->episode.instance = saving->instance;
    draft->episode.title = chronicle_text(chronicle, "%s could not write a dump", name);
    draft->episode.cause = first->text;
    for (size_t i = 0; i < saving->bad.count && i < FAILURES_SHOWN; i++)
        draft_detail(chronicle, draft, "%s", chronicle_at(chronicle, saving->bad.at[i])->text);
}

static void finish(struct chronicle *chronicle, struct saving *saving, bool good, bool bad)
{
    if (good) {
        add_good(chronicle, saving);
        saving->good = (struct numbers){0};
    }
    if (bad) {
        add_bad(chronicle, saving);
        saving->bad = (struct numbers){0};
    }
}

static void add_rewrite(struct chronicle *chronicle, size_t instance, size_t number)
{
    const struct occurrence *line = chronicle_at(chronicle, number);
    struct draft *draft = draft_new(chronicle, EPISODE_CONFIG_REWRITE, BASIS_STATED);
    if (!draft)
        return;
    draft_begins(chronicle, draft, number);
    draft_ends(chronicle, draft, number);
    draft->episode.node = line->writer;
    draft->episode.instance = instance;
    draft->episode.title = chronicle_text(chronicle, "%s %s redis.conf", chronicle->evidence->instances[instance].name,
                                          line->event == LOG_CONFIG_REWRITTEN ? "rewrote" : "could not rewrite");
    if (line->event == LOG_CONFIG_REWRITE_FAILED)
        draft->episode.cause = line->text;
}

static void follow(struct chronicle *chronicle, size_t instance)
{
    const struct numbers *track = &chronicle->tracks[instance];
    struct saving saving = {.instance = instance};
    for (size_t p = 0; p < track->count; p++) {
        const struct occurrence *line = chronicle_at(chronicle, track->at[p]);
        if (line->event == LOG_STARTING || line->event == LOG_START)
            finish(chronicle, &saving, true, true);
        else if (line->event == LOG_CONFIG_REWRITTEN || line->event == LOG_CONFIG_REWRITE_FAILED)
            add_rewrite(chronicle, instance, track->at[p]);
        else if (line->event == LOG_SAVE_FAILED) {
            finish(chronicle, &saving, true, false);
            numbers_add(chronicle, &saving.bad, track->at[p]);
        } else if (is_good(line)) {
            finish(chronicle, &saving, false, true);
            numbers_add(chronicle, &saving.good, track->at[p]);
        }
    }
    finish(chronicle, &saving, true, true);
}

void build_saves(struct chronicle *chronicle)
{
    for (size_t i = 0; i < chronicle->evidence->instance_count; i++)
        follow(chronicle, i);
}
