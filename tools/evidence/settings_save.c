/* Effective save points. Three generations of config.c read the same lines in three ways:
 *
 *   up to 6.0      a configuration starts without save points; "save S C" adds one, save "" drops all, any other line
 *                  is ignored
 *   6.2            it starts with the compiled-in ones; the first save line of each file drops all, then as before
 *   7.0, Valkey    it starts with the compiled-in ones; the first save line of all drops all before it adds, and so
 *                  does each line after an include has ended; a line holds pairs, anything else is refused
 */
#include <string.h>

#include "tools/evidence/settings.h"

enum era { ERA_6_0, ERA_6_2, ERA_7_0, ERAS };

enum { NESTING_MAX = 32 };

/* The state of the reading at a line. */
struct save_state {
    enum save_points points;
    const char *why;
    const struct setting *decisive;
    size_t files[NESTING_MAX]; /* that are open, the innermost last */
    bool loaded[NESTING_MAX];  /* 6.2: a save line of this file was read */
    size_t depth;
    bool any_loaded;    /* 7.0: a save line was read */
    bool unbroken;      /* 7.0: no include has ended since this file began */
    bool after_include; /* the line before is an include */
    bool refused;
};

static const char *const default_points[ERAS] = {
    [ERA_6_0] = "no save line: up to Redis 6.0 a configuration file without one means no save points",
    [ERA_6_2] = "no save line: the compiled-in save points 3600 1, 300 100 and 60 10000 are in effect",
    [ERA_7_0] = "no save line: the compiled-in save points 3600 1, 300 100 and 60 10000 are in effect",
};

static void decide(struct save_state *state, enum save_points points, const char *why, const struct setting *setting)
{
    state->points = points;
    state->why = why;
    state->decisive = setting;
}

static bool is_pair(const char *seconds, const char *changes)
{
    return seconds[strspn(seconds, "0")] >= '1' && seconds[strspn(seconds, "0")] <= '9' && changes[0] >= '0' &&
           changes[0] <= '9';
}

static void refuse(struct save_state *state, const struct setting *setting)
{
    state->refused = true;
    decide(state, SAVE_POINTS_UNKNOWN, "a save line that the server refuses: it does not start with this configuration",
           setting);
}

static bool is_empty_word(const struct setting *setting)
{
    return setting->words && setting->word_count == 1 && !setting->words[0][0];
}

static void drop_all(struct save_state *state, const struct setting *setting)
{
    decide(state, SAVE_POINTS_NONE, is_empty_word(setting) ? "save \"\" turns all save points off"
                                                           : "a save line without a valid pair drops all save points",
           setting);
}

static void add_point(struct save_state *state, const struct setting *setting)
{
    decide(state, SAVE_POINTS_SOME, "a save line sets a save point", setting);
}

/* "save S C" and save "", as up to 6.2; every other shape is ignored. */
static void apply_single(struct save_state *state, const struct setting *setting)
{
    if (is_empty_word(setting))
        drop_all(state, setting);
    else if (setting->word_count == 2 && is_pair(setting->words[0], setting->words[1]))
        add_point(state, setting);
    else if (setting->word_count == 2)
        refuse(state, setting);
}

static void save_6_0(struct save_state *state, const struct setting *setting)
{
    apply_single(state, setting);
}

static void save_6_2(struct save_state *state, const struct setting *setting)
{
    bool *loaded = &state->loaded[state->depth - 1];
    if (!*loaded)
        drop_all(state, setting);
    *loaded = true;
    apply_single(state, setting);
}

/* How many numbers a word holds, `blanks` between them being allowed; false when there is anything else, or when a
 * number of seconds, which stands at even places, is 0. */
static bool count_numbers(const char *at, bool blanks, size_t *numbers)
{
    const char *const gap = blanks ? " \t" : "";
    for (at += strspn(at, gap); *at; at += strspn(at, gap)) {
        size_t len = strspn(at, "0123456789");
        bool zero = strspn(at, "0") == len;
        if (!len || (at[len] && !strchr(gap, at[len])) || (zero && *numbers % 2 == 0))
            return false;
        ++*numbers;
        at += len;
    }
    return true;
}

/* The pairs of a line, which may all stand in one quoted word; -1 when it does not hold pairs of numbers. */
static int count_pairs(const struct setting *setting)
{
    size_t numbers = 0;
    for (size_t i = 0; i < setting->word_count; i++)
        if (!count_numbers(setting->words[i], setting->word_count == 1, &numbers))
            return -1;
    return numbers % 2 ? -1 : (int)(numbers / 2);
}

static void save_7_0(struct save_state *state, const struct setting *setting)
{
    int pairs = count_pairs(setting);
    if (pairs < 0) {
        refuse(state, setting);
        return;
    }
    if (is_empty_word(setting) || !state->any_loaded || !state->unbroken)
        drop_all(state, setting);
    state->any_loaded = true;
    if (pairs)
        add_point(state, setting);
}

static void (*const save_line[ERAS])(struct save_state *state, const struct setting *setting) = {
    [ERA_6_0] = save_6_0,
    [ERA_6_2] = save_6_2,
    [ERA_7_0] = save_7_0,
};

/* Follows the files that `setting` comes from: one that is not open has just been included, one that is has gone on. */
static void enter_file(struct save_state *state, const struct setting *setting)
{
    for (size_t i = state->depth; i > 0; i--) {
        if (state->files[i - 1] != setting->file)
            continue;
        if (i < state->depth || state->after_include)
            state->unbroken = false;
        state->depth = i;
        return;
    }
    if (state->depth < NESTING_MAX)
        state->depth++;
    state->files[state->depth - 1] = setting->file;
    state->loaded[state->depth - 1] = false;
    state->unbroken = true;
}

/* Missing includes stand in the order of their settings and share their words. */
static bool is_missing(const struct settings *settings, const struct setting *include, size_t *at)
{
    if (*at == settings->missing_include_count || !include->words ||
        settings->missing_includes[*at] != include->words[0])
        return false;
    ++*at;
    return true;
}

static struct save_state read_as(enum era era, const struct settings *settings)
{
    struct save_state state = {.depth = 1, .files = {settings->file}, .unbroken = true};
    decide(&state, era == ERA_6_0 ? SAVE_POINTS_NONE : SAVE_POINTS_SOME, default_points[era], NULL);
    size_t missing = 0;
    for (size_t i = 0; i < settings->count && !state.refused; i++) {
        const struct setting *setting = &settings->all[i];
        enter_file(&state, setting);
        state.after_include = strcmp(setting->name, "include") == 0;
        if (state.after_include && is_missing(settings, setting, &missing))
            decide(&state, SAVE_POINTS_UNKNOWN, "an included file is not in the case, it may hold save lines", setting);
        else if (strcmp(setting->name, "save") == 0)
            save_line[era](&state, setting);
    }
    return state;
}

static enum era era_of(struct server server)
{
    if (server_compare(server, 6, 2, 0) < 0)
        return ERA_6_0;
    return server_compare(server, 7, 0, 0) < 0 ? ERA_6_2 : ERA_7_0;
}

/* What an unknown server leaves open, by the readings of 6.0, 6.2 and 7.0: bit 0, 1 and 2 for save points. */
static const char *const disagreement[1 << ERAS] = {
    [1] = "the server's version is not known: up to Redis 6.0 there are save points, later versions have none",
    [2] = "the server's version is not known: Redis 6.2 has save points, other versions have none",
    [3] = "the server's version is not known: up to Redis 6.2 there are save points, later versions have none",
    [4] = "the server's version is not known: from Redis 7.0 on and in Valkey there are save points, else none",
    [5] = "the server's version is not known: Redis 6.2 has no save points, other versions have some",
    [6] = "the server's version is not known: up to Redis 6.0 there are no save points, later versions have some",
};

static enum save_points by_all_versions(const struct settings *settings, const char **why,
                                        const struct setting **decisive)
{
    struct save_state states[ERAS];
    unsigned some = 0;
    for (unsigned era = 0; era < ERAS; era++) {
        states[era] = read_as((enum era)era, settings);
        if (states[era].points == SAVE_POINTS_UNKNOWN) {
            *why = states[era].why;
            *decisive = states[era].decisive;
            return SAVE_POINTS_UNKNOWN;
        }
        if (states[era].points == SAVE_POINTS_SOME)
            some |= 1U << era;
    }
    *decisive = states[ERA_7_0].decisive;
    *why = disagreement[some] ? disagreement[some] : states[ERA_7_0].why;
    return disagreement[some] ? SAVE_POINTS_UNKNOWN : states[ERA_7_0].points;
}

enum save_points settings_save_points(const struct settings *settings, struct server server, const char **why,
                                      const struct setting **decisive)
{
    *decisive = NULL;
    *why = "no configuration of this instance is in the case";
    if (!settings)
        return SAVE_POINTS_UNKNOWN;
    if (server.product == PRODUCT_UNKNOWN)
        return by_all_versions(settings, why, decisive);
    struct save_state state = read_as(era_of(server), settings);
    *why = state.why;
    *decisive = state.decisive;
    return state.points;
}
