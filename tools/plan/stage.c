#include "tools/plan/stage.h"

static const struct {
    enum step_kind kind;
    uint64_t needs, gives;
    const char *name;
} actions[ACTIONS] = {
#define ACTION(id, kind, needs, gives, name) [ACTION_##id] = {kind, needs, gives, name},
#include "tools/plan/actions.def"
#undef ACTION
};

static const struct {
    const char *word;
    uint64_t needs;
} kinds[STAGES] = {
#define STAGE(id, word, needs) [STAGE_##id] = {word, needs},
#include "tools/plan/stages.def"
#undef STAGE
};

static const char *const fact_texts[FACTS] = {
#define FACT_ROW(id, text) [FACT_##id] = text,
#include "tools/plan/facts.def"
#undef FACT_ROW
};
_Static_assert(FACTS <= 64, "a fact is a bit of 64");

uint64_t action_needs(enum action action)
{
    return actions[action].needs;
}

uint64_t action_gives(enum action action)
{
    return actions[action].gives;
}

const char *action_name(enum action action)
{
    return actions[action].name;
}

enum step_kind action_kind(enum action action)
{
    return actions[action].kind;
}

const char *step_kind_word(enum step_kind kind)
{
    static const char *const words[] = {"verify", "keep", "change", "destroy", "wait"};
    return words[kind];
}

const char *stage_word(enum stage_kind kind)
{
    return kinds[kind].word;
}

static const char *first_text(uint64_t facts)
{
    for (unsigned f = 0; f < FACTS; f++)
        if (facts >> f & 1)
            return fact_texts[f];
    return "nothing";
}

bool stage_guarded(const struct stage *stage, const char **why)
{
    uint64_t facts = stage->given;
    for (size_t s = 0; s < stage->step_count; s++) {
        uint64_t lacking = actions[stage->steps[s].action].needs & ~facts;
        if (lacking) {
            *why = first_text(lacking);
            return false;
        }
        facts |= actions[stage->steps[s].action].gives;
    }
    uint64_t lacking = (kinds[stage->kind].needs | stage->needs) & ~facts;
    if (lacking)
        *why = first_text(lacking);
    return !lacking;
}

bool stage_bind(struct stage *stage, struct arena *arena, const char *name, enum binding_form form, const char *value,
                bool optional)
{
    struct binding *bindings = arena_grow(arena, stage->bindings, stage->binding_count, &stage->binding_cap,
                                          sizeof(*bindings));
    if (!bindings)
        return false;
    stage->bindings = bindings;
    bindings[stage->binding_count++] = (struct binding){name, form, value, optional};
    return true;
}

struct step *stage_add(struct stage *stage, struct arena *arena, enum action action)
{
    struct step *steps = arena_grow(arena, stage->steps, stage->step_count, &stage->step_cap, sizeof(*steps));
    if (!steps)
        return NULL;
    stage->steps = steps;
    struct step *step = &steps[stage->step_count++];
    *step = (struct step){.action = action, .kind = actions[action].kind, .place = PLACE_NODE, .where = "",
                          .on = stage->target.instance, .peer = SIZE_MAX, .expect = "", .answers = stage->answers};
    return step;
}
