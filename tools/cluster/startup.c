#include "tools/cluster/startup.h"

#include <stdlib.h>
#include <string.h>

#include "tools/cluster/startup_private.h"

static const struct condition {
    const char *word, *means;
    enum startup_class class;
} conditions[STARTUP_CONDITIONS] = {
#define STARTUP_CONDITION(id, text, kind, meaning) [STARTUP_##id] = {text, meaning, STARTUP_##kind},
#define STARTUP_RULE(condition, first, last, outcome, basis, sentence)
#include "tools/cluster/startup.def"
#undef STARTUP_CONDITION
#undef STARTUP_RULE
};

enum basis { BY_RULE, TRIED };

static const struct rule {
    enum startup_condition condition;
    enum generation first, last;
    enum startup_outcome outcome;
    enum basis basis;
    const char *sentence;
} rules[] = {
#define STARTUP_CONDITION(id, word, class, means)
#define STARTUP_RULE(on, from, to, result, proof, text) \
    {STARTUP_##on, GENERATION_##from, GENERATION_##to, STARTUP_##result, proof, text},
#include "tools/cluster/startup.def"
#undef STARTUP_CONDITION
#undef STARTUP_RULE
};

static const char *const outcome_words[] = {
    [STARTUP_RIGHT] = "starts",
    [STARTUP_WRONG] = "starts",
    [STARTUP_REFUSES] = "refuses",
    [STARTUP_CRASHES] = "crashes",
};

static const enum generation tried_on = GENERATION_REDIS_7_0;

const char *startup_word(enum startup_condition condition)
{
    return conditions[condition].word;
}

const char *startup_means(enum startup_condition condition)
{
    return conditions[condition].means;
}

enum startup_class startup_class(enum startup_condition condition)
{
    return conditions[condition].class;
}

const char *startup_outcome_word(enum startup_outcome outcome)
{
    return outcome_words[outcome];
}

enum startup_outcome startup_rule(enum startup_condition condition, enum generation generation, const char **sentence,
                                  bool *tried)
{
    const struct rule *rule = rules, *end = rules + sizeof(rules) / sizeof(rules[0]);
    while (rule < end - 1 && (rule->condition != condition || generation < rule->first || generation > rule->last))
        rule++;
    if (sentence)
        *sentence = rule->sentence;
    if (tried)
        *tried = rule->basis == TRIED && generation == tried_on;
    return rule->outcome;
}

void startup_note(struct startup_work *work, uint64_t at, struct startup_fact fact)
{
    if (work->kept[fact.condition]++ >= STARTUP_FACTS_KEPT)
        return;
    struct startup_order *facts = arena_grow(work->scratch, work->facts, work->count, &work->cap, sizeof(*facts));
    if (!facts)
        return;
    work->facts = facts;
    facts[work->count++] = (struct startup_order){at, fact};
}

static int by_effect(const void *a, const void *b)
{
    const struct startup_order *left = a, *right = b;
    if (left->at != right->at)
        return left->at < right->at ? -1 : 1;
    if (left->fact.condition != right->fact.condition)
        return left->fact.condition < right->fact.condition ? -1 : 1;
    uint64_t from = left->fact.place.offset, to = right->fact.place.offset;
    return (from > to) - (from < to);
}

/* The first fact that stops the server, else the first that gives it a wrong view. */
static struct startup_verdict judge(const struct startup *startup, enum generation generation)
{
    struct startup_verdict verdict = {STARTUP_RIGHT, NULL, "starts with what the file says", false};
    for (size_t i = 0; i < startup->fact_count && verdict.outcome <= STARTUP_WRONG; i++) {
        const char *sentence;
        bool tried;
        enum startup_outcome outcome = startup_rule(startup->facts[i].condition, generation, &sentence, &tried);
        if (outcome > verdict.outcome)
            verdict = (struct startup_verdict){outcome, &startup->facts[i], sentence, tried};
    }
    return verdict;
}

static struct startup *conclude(struct startup_work *work)
{
    struct startup *startup = arena_alloc(work->arena, sizeof(*startup));
    struct startup_fact *facts = arena_array(work->arena, work->count, sizeof(*facts));
    if (!startup || !facts || arena_failed(work->scratch))
        return NULL;
    if (work->count)
        qsort(work->facts, work->count, sizeof(*work->facts), by_effect);
    for (size_t i = 0; i < work->count; i++) {
        facts[i] = work->facts[i].fact;
        facts[i].expected = arena_string(work->arena, facts[i].expected);
        facts[i].found = arena_string(work->arena, facts[i].found);
    }
    startup->facts = facts;
    startup->fact_count = work->count;
    for (enum generation g = 0; g < GENERATIONS; g++)
        startup->of[g] = judge(startup, g);
    return arena_failed(work->arena) ? NULL : startup;
}

struct startup *startup_of(const struct view *view, const struct view_store *store, struct bytes text,
                           struct arena *arena)
{
    struct startup_work work = {.arena = arena, .scratch = arena_new(), .view = view};
    struct startup *startup = NULL;
    if (work.scratch && startup_look(&work, store, text)) {
        startup_words(&work);
        startup_lines(&work);
        startup = conclude(&work);
    }
    arena_free(work.scratch);
    return startup;
}

static bool same_reason(const struct startup_verdict *a, const struct startup_verdict *b)
{
    return a->outcome == b->outcome && a->fact == b->fact && strcmp(a->sentence, b->sentence) == 0;
}

size_t startup_groups(const struct startup *startup, struct startup_group groups[GENERATIONS])
{
    size_t count = 0;
    for (int outcome = STARTUP_CRASHES; outcome >= STARTUP_RIGHT; outcome--)
        for (enum generation g = 0; g < GENERATIONS; g++) {
            size_t i = 0;
            if ((int)startup->of[g].outcome != outcome)
                continue;
            while (i < count && !same_reason(groups[i].verdict, &startup->of[g]))
                i++;
            if (i == count)
                groups[count++] = (struct startup_group){&startup->of[g], 0};
            groups[i].generations |= 1u << g;
        }
    return count;
}

/* The last generation of the product that follows `first` in a set without a gap. */
static enum generation run_end(unsigned set, enum generation first)
{
    enum generation last = first;
    while (last + 1 < GENERATIONS && set >> (last + 1) & 1 &&
           generation_product(last + 1) == generation_product(first))
        last++;
    return last;
}

/* "7.0" of "Redis 7.0". */
static const char *version_of(enum generation generation)
{
    const char *name = generation_name(generation), *blank = strchr(name, ' ');
    return blank ? blank + 1 : name;
}

char *startup_generations(struct arena *arena, unsigned generations)
{
    if (generations == (1u << GENERATIONS) - 1)
        return arena_string(arena, "every version");
    char *text = arena_string(arena, "");
    enum product named = PRODUCT_UNKNOWN;
    for (enum generation first = 0; first < GENERATIONS && text; first++) {
        if (!(generations >> first & 1))
            continue;
        enum generation last = run_end(generations, first);
        const char *name = named == generation_product(first) ? version_of(first) : generation_name(first);
        text = arena_format(arena, first == last ? "%s%s%s" : "%s%s%s to %s", text, *text ? ", " : "", name,
                            version_of(last));
        named = generation_product(first);
        first = last;
    }
    return text;
}

bool startup_damaged(const struct startup *startup)
{
    for (size_t i = 0; i < startup->fact_count; i++) {
        enum startup_condition condition = startup->facts[i].condition;
        enum startup_class class = startup_class(condition);
        if (class == STARTUP_CUT || class == STARTUP_BROKEN)
            return true;
        for (enum generation g = 0; g < GENERATIONS && class != STARTUP_NEWER; g++)
            if (startup_rule(condition, g, NULL, NULL) > STARTUP_RIGHT)
                return true;
    }
    return false;
}
