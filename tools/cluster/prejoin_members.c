/* Whether the cluster to join knows the instance already: by its id, or its address under another one. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "tools/cluster/prejoin_private.h"

struct asking {
    struct judging *judging;
    const struct evidence *members;
    const char *id; /* "" when unknown */
    uint32_t node;  /* its number in the members' store, or NO_NODE */
    size_t listing, conflicts;
    struct prejoin_reason listed, address; /* the first of each */
    const char *other_id;
};

static struct bytes of_string(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* IPv6 has many spellings. */
static bool same_ip(const char *a, const char *b)
{
    struct in6_addr left, right;
    if (inet_pton(AF_INET6, a, &left) == 1 && inet_pton(AF_INET6, b, &right) == 1)
        return memcmp(&left, &right, sizeof(left)) == 0;
    return strcasecmp(a, b) == 0;
}

static bool has_address(const struct instance *instance, const struct entry *entry)
{
    return instance->port && instance->ip[0] && entry->ip[0] && !(entry->flags & NODE_NOADDR) &&
           (entry->port == instance->port || (entry->tls_port && entry->tls_port == instance->port)) &&
           same_ip(entry->ip, instance->ip);
}

/* The case may hold files of the instance itself: the same file, or another copy of its own view. */
static bool is_itself(const struct asking *asking, const struct instance *member)
{
    const struct judging *judging = asking->judging;
    const struct view *own = judging->prejoin->view;
    if (own &&
        strcmp(judging->evidence->files[own->file].sha256, asking->members->files[member->view->file].sha256) == 0)
        return true;
    return member->node != NO_NODE && member->node == asking->node && member->port == judging->instance->port &&
           (!member->ip[0] || !judging->instance->ip[0] || same_ip(member->ip, judging->instance->ip));
}

static struct prejoin_reason shown_by(const struct asking *asking, const struct view *view,
                                      const struct sighting *sighting)
{
    return (struct prejoin_reason){
        .in = asking->members,
        .file = view->file,
        .place = {sighting->offset, sighting->length, sighting->line},
    };
}

static void ask_view(struct asking *asking, const struct view *view)
{
    bool lists = false, conflicts = false;
    for (size_t i = 0; i < view->count; i++) {
        const struct sighting *sighting = &view->sightings[i];
        bool same_node = asking->node != NO_NODE && sighting->entry->node == asking->node;
        if (same_node && !lists && asking->listing++ == 0)
            asking->listed = shown_by(asking, view, sighting);
        lists |= same_node;
        if (same_node || !has_address(asking->judging->instance, sighting->entry))
            continue;
        if (!conflicts && asking->conflicts++ == 0) {
            asking->address = shown_by(asking, view, sighting);
            asking->other_id = view_store_id(asking->members->store, sighting->entry->node);
        }
        conflicts = true;
    }
}

static void ask_cluster(struct asking *asking, const struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->core_count; i++) {
        const struct instance *member = &asking->members->instances[cluster->core[i]];
        if (!member->view || is_itself(asking, member))
            continue;
        asking->judging->prejoin->members_read++;
        ask_view(asking, member->view);
    }
}

static void say_found(struct asking *asking)
{
    struct judging *judging = asking->judging;
    size_t read = judging->prejoin->members_read;
    const struct instance *instance = judging->instance;
    if (asking->listing)
        prejoin_say(judging, PREJOIN_LISTED, PREJOIN_AGAINST, asking->members, asking->listed.file,
                    &asking->listed.place,
                    arena_format(judging->arena, "%zu of %zu members' files list its id %.8s", asking->listing, read,
                                 asking->id));
    if (asking->conflicts)
        prejoin_say(judging, PREJOIN_ADDRESS, PREJOIN_AGAINST, asking->members, asking->address.file,
                    &asking->address.place,
                    arena_format(judging->arena, "%zu of %zu members' files list %s:%u under another id, %.8s",
                                 asking->conflicts, read, instance->ip, instance->port, asking->other_id));
    if (!instance->ip[0] || !instance->port)
        prejoin_say(judging, PREJOIN_ADDRESS, PREJOIN_NOTE, judging->evidence, SIZE_MAX, NULL,
                    "its own address is not known, so it was not looked for in the members' files");
}

/* Members that list each other and of whom no file is here. */
static void say_missing(struct judging *judging, const struct clusters *members)
{
    size_t missing = 0, all = 0;
    for (size_t c = 0; c < members->count; c++) {
        missing += members->all[c].missing_count;
        all += members->all[c].member_count;
    }
    if (missing)
        prejoin_say(
            judging, PREJOIN_MEMBERS, PREJOIN_NOTE, judging->evidence, SIZE_MAX, NULL,
            arena_format(judging->arena,
                         "of %zu of %zu members no nodes.conf is in the case: whether they list it is not known",
                         missing, all));
}

void prejoin_ask_members(struct judging *judging, const struct evidence *members_case, const struct clusters *members)
{
    const char *id = view_store_id(judging->evidence->store, judging->instance->node);
    struct asking asking = {
        .judging = judging,
        .members = members_case,
        .id = id,
        .node = *id ? view_store_find(members_case->store, of_string(id)) : NO_NODE,
    };
    judging->prejoin->members_asked = true;
    for (size_t c = 0; c < members->count; c++)
        ask_cluster(&asking, &members->all[c]);
    say_found(&asking);
    say_missing(judging, members);
    if (!judging->prejoin->members_read)
        prejoin_say(judging, PREJOIN_MEMBERS, PREJOIN_OPEN, judging->evidence, SIZE_MAX, NULL,
                    "the case holds no member's view: the members' nodes.conf would settle whether they list it");
    if (members_case->unreadable)
        prejoin_say(judging, PREJOIN_MEMBERS, PREJOIN_OPEN, judging->evidence, SIZE_MAX, NULL,
                    "some files of the members could not be read to their end");
}
