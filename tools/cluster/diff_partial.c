/* Views that leave facts out by rule (view->limits), made comparable: what their source never says is taken from a view
 * that says it, so that it can make no difference. What they do say stays as it is. */
#include <string.h>

#include "tools/cluster/diff_private.h"

enum { ROLE_FLAGS = NODE_PRIMARY | NODE_REPLICA };

static bool is_partial(const struct comparing *comparing, size_t operand)
{
    return comparing->operands[operand].view->limits != 0;
}

/* The view that most of the whole ones agree with. NULL without memory. */
static const struct view *of_most(struct comparing *comparing, size_t whole)
{
    struct diff_operand *operands = arena_array(comparing->scratch, whole, sizeof(*operands));
    struct diff diff = {.store = comparing->store};
    size_t count = 0;
    if (!operands)
        return NULL;
    for (size_t i = 0; i < comparing->count; i++)
        if (!is_partial(comparing, i))
            operands[count++] = comparing->operands[i];
    struct comparing some = *comparing;
    some.operands = operands;
    some.count = count;
    some.arena = comparing->scratch;
    some.diff = &diff;
    bool done = diff_complete_own_lines(&some) && diff_make_groups(&some);
    return done ? operands[diff.groups[0].views[0]].view : NULL;
}

/* Among partial views alone, the one that says most: SHARDS, then SLOTS, then a check; of these the longest. */
static const struct view *richest(const struct comparing *comparing)
{
    const struct view *best = comparing->operands[0].view;
    for (size_t i = 1; i < comparing->count; i++) {
        const struct view *view = comparing->operands[i].view;
        if (view->source < best->source || (view->source == best->source && view->count > best->count))
            best = view;
    }
    return best;
}

/* The port shows the client's side only; where both name the same, or one is the other's port for TLS, the bus is the same. */
static bool same_port(const struct entry *a, const struct entry *b)
{
    return a->port == b->port || (b->tls_port && a->port == b->tls_port) || (a->tls_port && a->tls_port == b->tls_port);
}

/* A view's words about a node, completed by another view's words about it. */
static const struct entry *complete(struct comparing *comparing, const struct view *view, const struct entry *said,
                                    const struct entry *known)
{
    unsigned shown = ROLE_FLAGS | (view->source == VIEW_CLUSTER_SHARDS ? (unsigned)NODE_FAIL : 0);
    struct entry draft = *said;
    if (view->limits & VIEW_NO_FLAGS)
        draft.flags = (said->flags & shown) | (known->flags & ~shown);
    if (view->limits & VIEW_NO_EPOCHS)
        draft.config_epoch = known->config_epoch;
    if (view->limits & VIEW_NO_BUS && same_port(said, known))
        draft.bus_port = known->bus_port;
    if (!*said->hostname)
        draft.hostname = known->hostname;
    if (!*said->ip)
        draft.ip = known->ip;
    if (said->flags & NODE_REPLICA && said->primary == NO_NODE)
        draft.primary = known->primary;
    return view_store_intern(comparing->store, &draft);
}

static struct view *completed(struct comparing *comparing, const struct view *view, const struct view *reference)
{
    struct view *copy = arena_alloc(comparing->scratch, sizeof(*copy));
    struct sighting *sightings = arena_array(comparing->scratch, view->count + reference->count, sizeof(*sightings));
    if (!copy || !sightings)
        return NULL;
    *copy = *view;
    copy->sightings = sightings;
    for (size_t s = 0; s < view->count; s++) {
        const struct sighting *known = view_find(reference, view->sightings[s].entry->node);
        sightings[s] = view->sightings[s];
        if (known)
            sightings[s].entry = complete(comparing, view, view->sightings[s].entry, known->entry);
        if (!sightings[s].entry)
            return NULL;
    }
    for (size_t s = 0; view->limits & VIEW_SOME_NODES && s < reference->count; s++)
        if (!view_find(view, reference->sightings[s].entry->node)) {
            sightings[copy->count] = reference->sightings[s];
            sightings[copy->count++].myself = false;
        }
    return view_index(copy, comparing->scratch) ? copy : NULL;
}

bool diff_complete_partial(struct comparing *comparing)
{
    size_t whole = 0;
    for (size_t i = 0; i < comparing->count; i++)
        whole += !is_partial(comparing, i);
    if (whole == comparing->count)
        return true;
    const struct view *reference = whole ? of_most(comparing, whole) : richest(comparing);
    struct diff_operand *operands = arena_array(comparing->scratch, comparing->count, sizeof(*operands));
    if (!operands || !reference)
        return false;
    for (size_t i = 0; i < comparing->count; i++) {
        operands[i] = comparing->operands[i];
        if (!is_partial(comparing, i) || operands[i].view == reference)
            continue;
        operands[i].view = completed(comparing, operands[i].view, reference);
        if (!operands[i].view)
            return false;
    }
    comparing->operands = operands;
    return true;
}
