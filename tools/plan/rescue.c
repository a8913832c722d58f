/* Carrying keys that exist only on a node to the owners of their slots, before anything on it is destroyed.
 *
 * MIGRATE ... COPY is a command of the running node: it works for slots that the node believes to own and for those
 * that it has marked as importing, which a start with keys of foreign slots does by itself. It never replaces: where
 * the owner has the key by now, the script goes on only if both values are the same. */
#include <inttypes.h>
#include <string.h>

#include "tools/plan/making.h"

enum {
    MOST_NAME = 900, /* clients up to 4.0 read 4096 bytes of a line, and a byte of a name takes four of them */
};

static const char *hex_of(struct bytes name, struct arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(arena, 2 * name.len + 1);
    for (size_t i = 0; text && i < name.len; i++) {
        text[2 * i] = digits[name.at[i] >> 4];
        text[2 * i + 1] = digits[name.at[i] & 15];
    }
    return text;
}

/* Why this key cannot be carried, or NULL. */
static const char *objection(const struct stage *stage, const struct copied_key *key, struct arena *arena)
{
    uint32_t owner = stage->cluster->slots[key->slot].node;
    if (owner == NO_NODE)
        return arena_format(arena, "slot %u has no owner: cover it first", key->slot);
    const struct node *node = &stage->cluster->nodes[owner];
    if (node->failed || !node->entry || !*node->entry->ip)
        return arena_format(arena, "%s, which owns slot %u, is failed or has no address", node->name, key->slot);
    if (key->db)
        return arena_format(arena, "a key is in database %u, and a cluster has none but 0", key->db);
    return key->name.len > MOST_NAME || key->name.len == 0
               ? "a key's name is empty or too long for a line of the client"
               : NULL;
}

bool check_rescue(struct making *m)
{
    const struct stage *stage = m->stage;
    const struct copies *copies = stage->copies;
    const char *why = NULL;
    if (stage->target.down)
        why = "it does not run, and only a running server can hand out its keys";
    else if (stage->target.replica)
        why = "it is a replica, and a replica refuses MIGRATE";
    for (size_t k = 0; k < copies->listed && !why; k++)
        why = objection(stage, &copies->keys[k], m->arena);
    if (why)
        return making_stop(m, PLAN_REFUSED,
                           arena_format(m->arena, "its keys cannot be carried to the owners of their slots: %s", why),
                           stage->target.down      ? "start it on its files, nobody lists it; then --target=running"
                           : stage->target.replica ? RESCUE_BY_HAND
                                                   : NULL);
    if (copies->only_here > copies->listed)
        return making_stop(
            m, PLAN_REFUSED,
            arena_format(m->arena, "%" PRIu64 " keys exist only here: a script carries %zu at most", copies->only_here,
                         copies->listed),
            "load a copy of its dump into a server without cluster mode, delete there what rcf-rdb-diff shows to exist "
            "on members, "
            "and carry the rest with --cluster import ENTRY --cluster-from SERVER --cluster-copy; then collect again");
    return true;
}

/* "slot,ip,port,id,name in hexadecimal", a blank between two. */
static const char *rows_of(const struct stage *stage, struct arena *arena)
{
    const struct copies *copies = stage->copies;
    const char **rows = arena_array(arena, copies->listed, sizeof(*rows));
    size_t len = 0, at = 0;
    for (size_t k = 0; rows && k < copies->listed; k++) {
        const struct copied_key *key = &copies->keys[k];
        const struct node *owner = &stage->cluster->nodes[stage->cluster->slots[key->slot].node];
        const char *name = hex_of(key->name, arena);
        rows[k] = name ? arena_format(arena, "%u,%s,%u,%s,%s", key->slot, owner->entry->ip, owner->entry->port,
                                      owner->id, name)
                       : NULL;
        len += rows[k] ? strlen(rows[k]) + 1 : 0;
    }
    char *text = arena_alloc(arena, len + 1);
    for (size_t k = 0; rows && text && k < copies->listed; k++) {
        size_t size = rows[k] ? strlen(rows[k]) : 0;
        memcpy(text + at, rows[k] ? rows[k] : "", size);
        at += size;
        text[at++] = k + 1 < copies->listed ? ' ' : '\0';
    }
    return arena_failed(arena) ? NULL : text;
}

bool rescue_bind(struct making *m, struct step *step)
{
    const char *rows = rows_of(m->stage, m->arena);
    return rows && making_bind_step(m, step, "rescued", FORM_RESCUE, rows, false);
}
