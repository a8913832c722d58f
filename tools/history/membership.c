/* Membership: who joined, was removed, came back; who asks to get in, and who still believes to be a member. */
#include <string.h>

#include "tools/history/chronicle.h"

static const char *const verbs[] = {
    [PASSAGE_JOINED] = "joined the cluster",
    [PASSAGE_LEFT] = "was removed from the cluster",
    [PASSAGE_RETURNED] = "came back with its old nodes.conf, although it had been removed",
};

/* Joined once, and now again. */
static bool is_again(const struct chronicle *chronicle, const struct passage *passage)
{
    const struct passage *left = passage->way == PASSAGE_JOINED
                                     ? passage_before(chronicle, PASSAGE_LEFT, passage->id, passage->low_ms - 1)
                                     : NULL;
    return left;
}

static void set_moments(struct chronicle *chronicle, struct draft *draft, const struct passage *passage)
{
    struct moment moment = chronicle_at(chronicle, passage->lines.at[0])->when;
    int64_t begin = passage->low_ms, end = passage->high_ms;
    for (size_t i = 0; i < passage->lines.count; i++) { /* a line is better than a bound */
        const struct occurrence *line = chronicle_at(chronicle, passage->lines.at[i]);
        if (line->when.ms == begin)
            moment = line->when;
    }
    moment.raw_ms += begin - moment.ms;
    moment.ms = begin;
    draft->episode.begin = moment;
    moment.raw_ms += end - begin;
    moment.ms = end;
    draft->episode.end = moment;
}

static void tell_witnesses(struct chronicle *chronicle, struct draft *draft, const struct passage *passage)
{
    const char *names = "";
    size_t count = 0;
    for (size_t i = 0; i < passage->lines.count; i++) {
        const struct occurrence *line = chronicle_at(chronicle, passage->lines.at[i]);
        if (occurrence_field(line, LOG_FIELD_CLIENT))
            draft_detail(chronicle, draft, "%s", line->text);
        bool told =
            line->kind == OCCURRENCE_LOG || line->instance == SIZE_MAX || line->instance == draft->episode.instance;
        for (size_t k = 0; k < i && !told; k++)
            told = chronicle_at(chronicle, passage->lines.at[k])->kind != OCCURRENCE_LOG &&
                   chronicle_at(chronicle, passage->lines.at[k])->instance == line->instance;
        if (!told && count < 16)
            names = chronicle_text(chronicle, "%s%s%s", names, count++ ? ", " : "",
                                   chronicle->evidence->instances[line->instance].name);
    }
    if (count)
        draft_detail(chronicle, draft, "seen in the views of %s", names);
}

static void add_passage(struct chronicle *chronicle, const struct passage *passage)
{
    struct draft *draft =
        passage->lines.count ? draft_new(chronicle, EPISODE_MEMBERSHIP, passage->stated ? BASIS_STATED : BASIS_INFERRED)
                             : NULL;
    if (!draft)
        return;
    draft->episode.node = passage->id;
    draft->episode.instance = chronicle_instance(chronicle, passage->id);
    draft_shows_all(chronicle, draft, &passage->lines);
    set_moments(chronicle, draft, passage);
    draft->episode.title = chronicle_text(chronicle, "%s %s%s", chronicle_name(chronicle, passage->id),
                                          verbs[passage->way], is_again(chronicle, passage) ? " again" : "");
    draft->episode.basis = passage->stated ? NULL : passage->basis;
    tell_witnesses(chronicle, draft, passage);
}

/* ------------------------------------------------------------------ strangers */

/* Lines of one kind about one node. */
struct stranger {
    enum log_event_id event;
    const char *id;
    struct draft *draft;
    uint64_t count;
};

static const char *stranger_title(struct chronicle *chronicle, const struct stranger *stranger,
                                  const struct occurrence *line)
{
    const char *name = chronicle_name(chronicle, stranger->id);
    const char *writer = line->instance == SIZE_MAX ? "a member" : chronicle->evidence->instances[line->instance].name;
    unsigned long long count = stranger->count;
    if (stranger->event == LOG_UNKNOWN_SENDER)
        return chronicle_text(chronicle, "%s believes to be a member, and members do not know it: %llu %s", name, count,
                              count == 1 ? "message" : "messages");
    if (stranger->event == LOG_MEET_SENT)
        return chronicle_text(chronicle, "%s asks members to be let in, %llu %s", name, count,
                              count == 1 ? "time" : "times");
    if (stranger->event == LOG_NODE_ID_MISMATCH)
        return chronicle_text(chronicle, "at the address of %s another node answers", name);
    return chronicle_text(chronicle, "a handshake of %s with %s was not answered", writer,
                          line->address ? line->address : "a node");
}

static void take_stranger(struct chronicle *chronicle, struct stranger **all, size_t *count, size_t *cap, size_t number)
{
    const struct occurrence *line = chronicle_at(chronicle, number);
    const char *id = line->event == LOG_UNKNOWN_SENDER     ? occurrence_field(line, LOG_FIELD_SENDER)
                     : line->event == LOG_MEET_SENT        ? line->writer
                     : line->event == LOG_HANDSHAKE_FAILED ? line->address
                                                           : line->node;
    struct stranger *stranger = NULL;
    for (size_t s = 0; s < *count && !stranger; s++)
        stranger = (*all)[s].event == line->event && same_id((*all)[s].id, id) ? &(*all)[s] : NULL;
    if (!stranger) {
        struct stranger *grown = arena_grow(chronicle->arena, *all, *count, cap, sizeof(**all));
        struct draft *draft = grown ? draft_new(chronicle, EPISODE_MEMBERSHIP, BASIS_STATED) : NULL;
        if (!draft)
            return;
        *all = grown;
        stranger = &grown[(*count)++];
        *stranger = (struct stranger){line->event, id, draft, 0};
        draft_begins(chronicle, draft, number);
        draft->episode.node = line->event == LOG_HANDSHAKE_FAILED ? NULL : id;
        draft->episode.instance = chronicle_instance(chronicle, draft->episode.node);
        draft->episode.peer = line->writer;
    }
    stranger->count += line->count;
    draft_ends(chronicle, stranger->draft, number);
    stranger->draft->episode.title = stranger_title(chronicle, stranger, line);
}

/* ------------------------------------------------------------------ ids that nobody lists any more */

/* A line by which its writer treats the node as a member. */
static bool names_member(enum log_event_id event)
{
    return event == LOG_FAILED_BY_QUORUM || event == LOG_FAILED_BY_MESSAGE || event == LOG_FAILURE_CLEARED ||
           event == LOG_VOTE_GRANTED || event == LOG_POSSIBLY_FAILING || event == LOG_HANDSHAKE ||
           event == LOG_MEMBER_FOLLOWS || event == LOG_MEMBER_FAILED_OVER || event == LOG_FAILOVER_ASKED ||
           event == LOG_ADDRESS_CHANGED;
}

/* Once named, or joined, and no newest file of a member lists it: it was removed after that. */
static void add_vanished(struct chronicle *chronicle, const struct actor *actor, size_t named)
{
    const struct occurrence *last = chronicle_at(chronicle, named);
    size_t view = NONE;
    for (size_t v = chronicle->view_count; v-- > 0 && view == NONE;) {
        const struct saved_view *saved = &chronicle->views[v];
        const struct cluster *cluster = clusters_of(chronicle->history->clusters, saved->instance);
        if (cluster && cluster_testifies(cluster, saved->instance) && saved->ms > last->until.ms &&
            saved->view->count > 1)
            view = saved->occurrence;
    }
    if (view == NONE || passage_before(chronicle, PASSAGE_LEFT, actor->id, INT64_MAX))
        return;
    struct draft *draft = draft_new(chronicle, EPISODE_MEMBERSHIP, BASIS_INFERRED);
    if (!draft)
        return;
    draft_begins(chronicle, draft, named);
    draft_ends(chronicle, draft, view);
    for (size_t r = 0; r < chronicle->reset_count; r++) {
        const struct reset *reset = &chronicle->resets[r];
        if ((same_id(reset->id, actor->id) || same_id(reset->old_id, actor->id)) && reset->low_ms > last->when.ms &&
            reset->moment != NONE)
            draft_ends(chronicle, draft, reset->moment); /* afterwards it is not the node that it was */
    }
    draft->episode.node = actor->id;
    draft->episode.instance = actor->instance;
    draft->episode.title = chronicle_text(chronicle, "%s (%.8s) was removed or forgotten", actor->name, actor->id);
    draft->episode.basis = "it was a member then, by the lines, and no member's newest file lists it";
}

static void build_vanished(struct chronicle *chronicle)
{
    size_t *named = arena_array(chronicle->arena, chronicle->actor_count, sizeof(*named));
    if (!named)
        return;
    for (size_t a = 0; a < chronicle->actor_count; a++)
        named[a] = NONE;
    for (size_t o = 0; o < chronicle->history->count; o++) {
        const struct occurrence *line = chronicle_at(chronicle, o);
        const struct cluster *cluster = line->node && names_member(line->event) && line->instance != SIZE_MAX
                                            ? clusters_of(chronicle->history->clusters, line->instance)
                                            : NULL;
        const struct actor *actor =
            cluster && cluster_testifies(cluster, line->instance) ? chronicle_actor(chronicle, line->node) : NULL;
        if (line->event == LOG_VOTE_GRANTED && line->writer) { /* who votes is one, too */
            const struct actor *voter = chronicle_actor(chronicle, line->writer);
            if (voter)
                named[voter - chronicle->actors] = o;
        }
        if (actor)
            named[actor - chronicle->actors] = o;
    }
    for (size_t p = 0; p < chronicle->passage_count; p++) {
        const struct passage *passage = &chronicle->passages[p];
        const struct actor *actor = passage->way == PASSAGE_JOINED ? chronicle_actor(chronicle, passage->id) : NULL;
        size_t last = passage->lines.count ? passage->lines.at[passage->lines.count - 1] : NONE;
        if (actor && last != NONE &&
            (named[actor - chronicle->actors] == NONE || named[actor - chronicle->actors] < last))
            named[actor - chronicle->actors] = last;
    }
    for (size_t a = 0; a < chronicle->actor_count; a++)
        if (named[a] != NONE && !is_member_now(chronicle, chronicle->actors[a].id))
            add_vanished(chronicle, &chronicle->actors[a], named[a]);
}

void build_membership(struct chronicle *chronicle)
{
    struct stranger *strangers = NULL;
    size_t count = 0, cap = 0;
    for (size_t p = 0; p < chronicle->passage_count; p++)
        add_passage(chronicle, &chronicle->passages[p]);
    for (size_t o = 0; o < chronicle->history->count; o++) {
        enum log_event_id event = chronicle_at(chronicle, o)->event;
        if (event == LOG_UNKNOWN_SENDER || event == LOG_MEET_SENT || event == LOG_HANDSHAKE_FAILED ||
            event == LOG_NODE_ID_MISMATCH)
            take_stranger(chronicle, &strangers, &count, &cap, o);
    }
    build_vanished(chronicle);
}
