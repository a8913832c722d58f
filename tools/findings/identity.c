/* Tests:     ids and addresses: who carries an id, who sits at an address, who is marked as failed.
 * Relies on: the standing claims of tools/cluster.
 * Reports:   duplicate-node-id, address-conflict, address-mismatch, noaddr-member, handshake-member, failed-member. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "tools/findings/checks.h"

static bool same_ip(const char *a, const char *b)
{
    unsigned char x[16], y[16];
    if (strcmp(a, b) == 0)
        return true;
    return inet_pton(AF_INET6, a, x) == 1 && inet_pton(AF_INET6, b, y) == 1 && memcmp(x, y, 16) == 0;
}

static void check_duplicates(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    if (node->instance_count < 2)
        return;
    struct finding *f = findings_add(findings, FINDING_DUPLICATE_NODE_ID, CERTAINTY_PROVED);
    if (!f)
        return;
    const char *places = "";
    finding_about(findings, f, cluster, index);
    for (size_t i = 0; i < cluster->evidence->instance_count; i++) {
        const struct instance *instance = &cluster->evidence->instances[i];
        if (instance->node != node->number || !instance->view)
            continue;
        places = arena_format(findings->arena, "%s%s%s", places ? places : "", places && *places ? ", " : "",
                              instance->folder && *instance->folder ? instance->folder : instance->name);
        const struct sighting *own = view_own(instance->view);
        if (own)
            finding_shows(findings, f, instance->view->file, (struct place){own->offset, own->length, own->line});
    }
    f->summary = arena_format(findings->arena, "%zu instances carry this id: %s. The cluster follows whichever announced itself last.",
                              node->instance_count, places ? places : "");
    f->rule = "an own line (myself) with the same id in the files of different instances";
    f->settles = "only one of them running, and the other's files being a copy";
}

static bool addressed(const struct entry *entry)
{
    return *entry->ip && entry->port && !(entry->flags & (NODE_NOADDR | NODE_HANDSHAKE | NODE_NOFLAGS));
}

/* Two members whose standing claims name one address; and entries of one view that do. */
static void check_conflicts(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    if (!node->entry || !addressed(node->entry))
        return;
    for (uint32_t other = index + 1; other < cluster->member_count; other++) {
        const struct node *rival = &cluster->nodes[other];
        /* Members are ordered by name, so those at one address are neighbours. */
        if (strcmp(rival->name, node->name) != 0)
            break;
        if (!rival->entry || !addressed(rival->entry))
            continue;
        struct finding *f = findings_add(findings, FINDING_ADDRESS_CONFLICT, CERTAINTY_PROVED);
        if (!f)
            return;
        finding_about(findings, f, cluster, index);
        f->summary = arena_format(findings->arena, "Members' views list two ids at %s: %.8s and %.8s.", node->name, node->id,
                                  rival->id);
        f->rule = "one address can belong to one node: the other id is of a node that was there before";
        f->settles = arena_format(findings->arena, "CLUSTER MYID of %s", node->name);
        finding_shows_claim(findings, f, node->stands);
        finding_shows_claim(findings, f, rival->stands);
    }
}

/* Files of different hosts that give one id different addresses. A capture's port depends on the client, so only its
 * address counts; an own line may not know its own address. */
static bool differs(const struct claim *a, const struct claim *b)
{
    const struct entry *x = a->sighting->entry, *y = b->sighting->entry;
    if (!addressed(x) || !addressed(y))
        return false;
    if (!same_ip(x->ip, y->ip))
        return true;
    return x->port != y->port && !a->view->capture && !b->view->capture && x->port != y->tls_port && x->tls_port != y->port;
}

static void check_addresses(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    const struct claim *one = node->stands, *other = NULL;
    if (node->instance_count > 1)
        return; /* told as duplicate-node-id */
    for (size_t c = 0; one && !other && c < node->claim_count; c++)
        if (differs(one, &node->claims[c]))
            other = &node->claims[c];
    if (!other)
        return;
    struct finding *f = findings_add(findings, FINDING_ADDRESS_MISMATCH, CERTAINTY_PROVED);
    if (!f)
        return;
    size_t count = 0;
    finding_about(findings, f, cluster, index);
    finding_shows_claim(findings, f, one);
    for (size_t c = 0; c < node->claim_count; c++)
        if (differs(one, &node->claims[c])) {
            finding_shows_claim(findings, f, &node->claims[c]);
            count++;
        }
    f->summary = arena_format(findings->arena, "%s says %s:%u, %zu other view%s say%s %s:%u.",
                              one->own ? "Its own file" : cluster->evidence->instances[one->instance].name,
                              one->sighting->entry->ip, one->sighting->entry->port, count, count == 1 ? "" : "s",
                              count == 1 ? "s" : "", other->sighting->entry->ip, other->sighting->entry->port);
    f->rule = "one id, different addresses in members' views";
    f->settles = "newer views of the members, which learn an address by gossip";
}

static bool wildcard(const char *bind)
{
    static const char *const open[] = {"0.0.0.0", "::", "*", "-::*", "::*", "127.0.0.1", "::1", "-::1", "localhost", NULL};
    for (size_t i = 0; open[i]; i++)
        if (strcmp(bind, open[i]) == 0)
            return true;
    unsigned char raw[16];
    const char *plain = *bind == '-' ? bind + 1 : bind;
    return inet_pton(AF_INET, plain, raw) != 1 && inet_pton(AF_INET6, plain, raw) != 1;
}

/* The address that a configuration binds or announces against the one that the own line carries. */
static const struct setting *contradicting_setting(const struct instance *instance, const struct entry *own)
{
    const struct settings *settings = instance->settings;
    const struct setting *announce = settings_find(settings, "cluster-announce-ip");
    if (announce && announce->word_count && *announce->words[0])
        return *own->ip && !same_ip(announce->words[0], own->ip) ? announce : NULL;
    const struct setting *port = settings_find(settings, "port"), *announced = settings_find(settings, "cluster-announce-port");
    if (port && port->word_count && !(announced && announced->word_count && strcmp(announced->words[0], "0") != 0)) {
        unsigned long number = strtoul(port->words[0], NULL, 10);
        bool tls = settings_yes(settings, "tls-cluster", false);
        if (!tls && number && own->port && number != own->port)
            return port;
    }
    const struct setting *bind = settings_find(settings, "bind");
    if (!bind || !bind->word_count || !*own->ip)
        return NULL;
    for (size_t w = 0; w < bind->word_count; w++)
        if (wildcard(bind->words[w]) || same_ip(bind->words[w] + (*bind->words[w] == '-'), own->ip))
            return NULL;
    return bind;
}

static void check_stated_address(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    if (node->instance == SIZE_MAX || node->claim_count == 0 || !node->claims[0].own)
        return;
    const struct instance *instance = &cluster->evidence->instances[node->instance];
    const struct claim *own = node_claim(node, node->instance);
    if (!instance->settings || !own || own->view->capture)
        return;
    const struct setting *setting = contradicting_setting(instance, own->sighting->entry);
    if (!setting)
        return;
    struct finding *f = findings_add(findings, FINDING_ADDRESS_MISMATCH, CERTAINTY_PROBABLE);
    if (!f)
        return;
    finding_about(findings, f, cluster, index);
    f->summary = arena_format(findings->arena, "Its own file says %s:%u, its configuration says %s %s.",
                              own->sighting->entry->ip, own->sighting->entry->port, setting->name, setting->words[0]);
    f->rule = "the own line of a nodes.conf against port, bind and cluster-announce-* of the instance's configuration";
    f->settles = "the start of the instance with this configuration; address translation on the way";
    finding_shows_claim(findings, f, own);
    finding_shows(findings, f, setting->file, setting->place);
}

static void check_ghosts(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    static const struct {
        unsigned flag;
        enum finding_id id;
        const char *how, *rule, *settles;
    } kinds[] = {
        {NODE_NOADDR, FINDING_NOADDR_MEMBER, "without an address: its place was taken by another id, or its identity was reset",
         "the flag noaddr in a member's view", "a later view that lists it with an address"},
        {NODE_HANDSHAKE, FINDING_HANDSHAKE_MEMBER, "in handshake: nobody has confirmed this id",
         "the flag handshake in a member's view", "a later view without the flag"},
    };
    const struct node *node = &cluster->nodes[index];
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        struct finding *f = NULL;
        size_t count = 0;
        for (size_t c = 0; c < node->claim_count; c++) {
            if (node->claims[c].own || !(node->claims[c].sighting->entry->flags & kinds[k].flag))
                continue;
            if (!f && !(f = findings_add(findings, kinds[k].id, CERTAINTY_PROVED)))
                return;
            count++;
            finding_shows_claim(findings, f, &node->claims[c]);
        }
        if (!f)
            continue;
        finding_about(findings, f, cluster, index);
        f->summary = arena_format(findings->arena, "Listed by %zu of the members' views %s.", count, kinds[k].how);
        f->rule = kinds[k].rule;
        f->settles = kinds[k].settles;
    }
}

static void check_failed(struct findings *findings, const struct cluster *cluster, uint32_t index)
{
    const struct node *node = &cluster->nodes[index];
    if (!node->failed || node->standing != STANDING_MEMBER)
        return;
    struct finding *f = findings_add(findings, FINDING_FAILED_MEMBER, CERTAINTY_PROVED);
    if (!f)
        return;
    size_t marking = 0;
    finding_about(findings, f, cluster, index);
    finding_shows_claim(findings, f, node->failed_by);
    for (size_t c = 0; c < node->claim_count; c++)
        if (!node->claims[c].own && node->claims[c].sighting->entry->flags & NODE_FAIL) {
            marking++;
            finding_shows_claim(findings, f, &node->claims[c]);
        }
    f->summary = arena_format(findings->arena, "Marked as failed (FAIL) in %zu of %zu members' views%s.", marking, node->listing,
                              node->slots_owned ? ", and nobody has taken over its slots" : "");
    f->rule = "FAIL is the decision of a majority of voting primaries, and no later pong of another view refutes it";
    f->settles = "a later view that lists it without fail";
}

void check_identity(struct findings *findings, const struct cluster *cluster)
{
    for (uint32_t index = 0; index < cluster->node_count; index++) {
        check_duplicates(findings, cluster, index);
        if (index < cluster->member_count) {
            check_conflicts(findings, cluster, index);
            check_addresses(findings, cluster, index);
        }
        check_stated_address(findings, cluster, index);
        check_ghosts(findings, cluster, index);
        check_failed(findings, cluster, index);
    }
}
