#include "tools/keyspace/selection.h"

bool selection_add_pattern(struct selection *selection, struct bytes pattern)
{
    if (selection->pattern_count == SELECTION_MOST)
        return false;
    selection->patterns[selection->pattern_count++] = pattern;
    selection->narrow = true;
    return true;
}

bool selection_add_dbs(struct selection *selection, uint64_t first, uint64_t last)
{
    if (selection->db_count == SELECTION_MOST || first > last || last > UINT32_MAX)
        return false;
    selection->dbs[selection->db_count].first = (uint32_t)first;
    selection->dbs[selection->db_count].last = (uint32_t)last;
    selection->db_count++;
    selection->narrow = true;
    return true;
}

bool selection_add_slots(struct selection *selection, uint64_t first, uint64_t last)
{
    if (first > last || last >= SLOT_COUNT)
        return false;
    for (uint64_t slot = first; slot <= last; slot++)
        selection->slots[slot / 64] |= UINT64_C(1) << slot % 64;
    selection->by_slot = true;
    selection->narrow = true;
    return true;
}

void selection_add_type(struct selection *selection, enum rdb_datatype type)
{
    selection->types |= 1u << type;
    selection->narrow = true;
}

void selection_set_expiry(struct selection *selection, enum selection_expiry expiry, int64_t ms)
{
    selection->expiry = expiry;
    selection->expiry_ms = ms;
    selection->narrow = true;
}

void selection_set_least(struct selection *selection, uint64_t bytes)
{
    selection->has_least = true;
    selection->least = bytes;
    selection->narrow = true;
}

void selection_set_most(struct selection *selection, uint64_t bytes)
{
    selection->has_most = true;
    selection->most = bytes;
    selection->narrow = true;
}

static bool has_name(const struct selection *selection, struct bytes name)
{
    for (size_t i = 0; i < selection->pattern_count; i++)
        if (selection_glob(selection->patterns[i], name))
            return true;
    return selection->pattern_count == 0;
}

static bool has_db(const struct selection *selection, uint32_t db)
{
    for (size_t i = 0; i < selection->db_count; i++)
        if (db >= selection->dbs[i].first && db <= selection->dbs[i].last)
            return true;
    return selection->db_count == 0;
}

static bool has_slot(const struct selection *selection, unsigned slot)
{
    return !selection->by_slot || (selection->slots[slot / 64] >> slot % 64 & 1);
}

static bool has_expiry(const struct selection *selection, const struct rdb_key *key)
{
    switch (selection->expiry) {
    case SELECTION_EXPIRY_ANY: return true;
    case SELECTION_EXPIRY_NONE: return !key->has_expiry;
    case SELECTION_EXPIRY_SOME: return key->has_expiry;
    case SELECTION_EXPIRY_BEFORE: return key->has_expiry && key->expire_ms < selection->expiry_ms;
    case SELECTION_EXPIRY_AFTER: return key->has_expiry && key->expire_ms >= selection->expiry_ms;
    }
    return false;
}

bool selection_takes_size(const struct selection *selection, uint64_t bytes)
{
    return !(selection->has_least && bytes < selection->least) && !(selection->has_most && bytes > selection->most);
}

bool selection_takes_key(const struct selection *selection, const struct rdb_key *key, unsigned slot)
{
    if (!selection->narrow)
        return true;
    return (!selection->types || (selection->types >> key->datatype & 1)) && has_db(selection, key->db) &&
           has_slot(selection, slot) && has_expiry(selection, key) && has_name(selection, key->name);
}

bool selection_takes(const struct selection *selection, const struct rdb_key *key, unsigned slot)
{
    return selection_takes_size(selection, key->value_length) && selection_takes_key(selection, key, slot);
}

/* Whether `byte` is in the class whose first byte after the [ stands at *at, which moves behind its end. */
static bool in_class(struct bytes pattern, size_t *at, uint8_t byte)
{
    size_t i = *at;
    bool negated = i < pattern.len && pattern.at[i] == '^';
    bool found = false;
    for (i += negated; i < pattern.len && pattern.at[i] != ']'; i++) {
        uint8_t first = pattern.at[i], last = first;
        if (first == '\\' && i + 1 < pattern.len) {
            first = last = pattern.at[++i];
        } else if (i + 2 < pattern.len && pattern.at[i + 1] == '-') {
            last = pattern.at[i += 2];
        }
        found |= first <= last ? first <= byte && byte <= last : last <= byte && byte <= first;
    }
    *at = i < pattern.len ? i + 1 : i;
    return found != negated;
}

/* Whether what stands at *at of the pattern, which is no star, fits one byte; *at moves behind it. */
static bool fits_one(struct bytes pattern, size_t *at, uint8_t byte)
{
    uint8_t mark = pattern.at[(*at)++];
    if (mark == '?')
        return true;
    if (mark == '[')
        return in_class(pattern, at, byte);
    if (mark == '\\' && *at < pattern.len)
        mark = pattern.at[(*at)++];
    return mark == byte;
}

bool selection_glob(struct bytes pattern, struct bytes name)
{
    size_t at = 0, in = 0, behind_star = 0, taken = 0;
    bool star = false;
    while (in < name.len) {
        if (at < pattern.len && pattern.at[at] == '*') {
            star = true;
            behind_star = ++at;
            taken = in;
        } else if (at < pattern.len && fits_one(pattern, &at, name.at[in])) {
            in++;
        } else if (star) { /* the star takes one byte more */
            at = behind_star;
            in = ++taken;
        } else {
            return false;
        }
    }
    while (at < pattern.len && pattern.at[at] == '*')
        at++;
    return at == pattern.len;
}
