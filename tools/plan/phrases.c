/* How steps are said: where they run, what a person would type, what to expect. The words themselves are in
 * phrases_*.c. */
#include <stdarg.h>
#include <string.h>

#include "tools/plan/making.h"

enum { MOST_WORDS = 24 };

static const struct phrase *const tables[] = {phrases_data,  phrases_membership, phrases_replication,
                                              phrases_slots, phrases_create,     phrases_return};

const char *phrase_client(enum plan_dialect dialect)
{
    return dialect == DIALECT_VALKEY_CLI ? "valkey-cli" : "redis-cli";
}

const char *const *phrase_command(struct making *m, const struct step *step, const char *const *words, size_t count)
{
    const char **argv = arena_array(m->arena, 5 + count + 1, sizeof(*argv)), *ip = "{ip}";
    const char *port = "{port}";
    uint16_t number;
    size_t n = 0;
    if (!argv)
        return NULL;
    if (step->place == PLACE_NODE && step->on == m->stage->target.instance) {
        ip = m->stage->target.ip;
        port = arena_format(m->arena, "%u", m->stage->target.port);
    } else if (step->place == PLACE_NODE && target_address(m, step->on, &ip, &number)) {
        port = arena_format(m->arena, "%u", number);
    }
    argv[n++] = phrase_client(m->plan->dialect);
    argv[n++] = "-h";
    argv[n++] = ip;
    argv[n++] = "-p";
    argv[n++] = port;
    for (size_t w = 0; w < count; w++)
        argv[n++] = words[w];
    return port ? argv : NULL;
}

const char *const *phrase_words(struct arena *arena, ...)
{
    const char **argv = arena_array(arena, MOST_WORDS + 1, sizeof(*argv));
    size_t n = 0;
    va_list list;
    va_start(list, arena);
    for (const char *word; argv && n < MOST_WORDS && (word = va_arg(list, const char *));)
        argv[n++] = word;
    va_end(list);
    return argv;
}

static const char *where(struct making *m, const struct step *step)
{
    switch (step->place) {
    case PLACE_NODE: return making_name(m, step->on);
    case PLACE_HOST: return arena_format(m->arena, "host %s", m->scene->evidence->instances[step->on].host);
    case PLACE_EVERY: return "every member";
    case PLACE_EVERY_LISTING: return "every member that lists it";
    case PLACE_HERE: return "here";
    }
    return NULL;
}

static const struct phrase *phrase_of(enum action action)
{
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        if (tables[t][action].expect || tables[t][action].more)
            return &tables[t][action];
    return NULL;
}

struct step *making_step_on(struct making *m, enum action action, size_t on, size_t peer, const struct slot_set *slots)
{
    const struct phrase *phrase = phrase_of(action);
    struct step *step = phrase ? stage_add(m->stage, m->arena, action) : NULL;
    size_t count = 0;
    if (!step)
        return NULL;
    while (count < sizeof(phrase->words) / sizeof(phrase->words[0]) && phrase->words[count])
        count++;
    step->on = on;
    step->peer = peer;
    step->slots = slots;
    step->place = phrase->place;
    step->where = where(m, step);
    step->expect = phrase->expect;
    step->undo = phrase->undo;
    if (count)
        step->argv = phrase_command(m, step, phrase->words, count);
    if (phrase->more && !phrase->more(m, step))
        return NULL;
    return step->argv && step->where && step->expect ? step : NULL;
}

struct step *making_step(struct making *m, enum action action)
{
    return making_step_on(m, action, m->stage->target.instance, SIZE_MAX, NULL);
}
