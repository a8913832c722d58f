#include "tools/history/chronicle.h"

static const char *const words[] = {
#define EPISODE(id, word, meaning) word,
#include "tools/history/episodes.def"
#undef EPISODE
};

static const char *const meanings[] = {
#define EPISODE(id, word, meaning) meaning,
#include "tools/history/episodes.def"
#undef EPISODE
};

const char *episode_word(enum episode_kind kind)
{
    return words[kind];
}

const char *episode_meaning(enum episode_kind kind)
{
    return meanings[kind];
}

const char *episode_basis_word(enum episode_basis basis)
{
    static const char *const all[] = {"stated", "inferred", "gap"};
    return all[basis];
}

bool episodes_build(struct history *history)
{
    static void (*const parts[])(struct chronicle *) = {
        chronicle_lifetimes, chronicle_failures, chronicle_ends, chronicle_downs, chronicle_elections,
        chronicle_moves, chronicle_resets, chronicle_passages,
        /* and from these: */
        build_creation, build_lifetimes, build_elections, build_outages, build_downs, build_imports, build_moves,
        build_membership, build_resets, build_resyncs, build_saves, build_shadows, build_clock_steps,
    };
    struct chronicle chronicle;
    if (!chronicle_open(&chronicle, history))
        return false;
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        parts[i](&chronicle);
    return chronicle_close(&chronicle);
}
