#include "parsers/rdb/rdb_word.h"

#include "parsers/rdb/rdb_words.h"

#include <stdlib.h>

enum {
    FEW = 64,           /* words that need no slots: bits of their hashes show that most are new */
    BITS = 1024,
    FIRST_SLOTS = 256,  /* at most half of them are in use */
    SLOTS_MOST = 65536,
    EXACT_MOST = 4096,  /* words that are compared as they come */
    CROWD = 24,         /* looks at slots for one word: somebody makes words collide */
    FIRST_MARKS = 1024,
    BUCKETS = 256,      /* marks are sorted into these first, */
    BUCKETS_FROM = 512  /* and those with so many into further ones */
};

/* Instead of the length of a text. */
enum { INTEGER = -1, TOLD = -2 };

struct exact {
    union {
        const uint8_t *at;
        int64_t number;
    };
    int32_t len; /* or INTEGER; TOLD: it was there before */
    uint32_t hash;
};

/* 96 bits of hash and the number of the word. */
struct mark {
    uint32_t hash[3];
    uint32_t number;
};

struct rdb_words {
    uint64_t count; /* words so far */
    bool exact;
    bool failed;
    bool looked; /* for twins */
    uint64_t bits[BITS / 64];
    struct exact *seen;
    size_t seen_cap;
    uint16_t *slots; /* number of a word or mark, from 1 */
    size_t slot_cap, slot_mask;

    struct mark *marks;
    size_t mark_count, mark_cap;
    size_t at; /* of rdb_words_twins() */
};

struct rdb_words *rdb_words_new(void)
{
    return calloc(1, sizeof(struct rdb_words));
}

void rdb_words_free(struct rdb_words *words)
{
    if (!words)
        return;
    free(words->seen);
    free(words->slots);
    free(words->marks);
    free(words);
}

static bool larger(void **at, size_t *cap, size_t count, size_t size)
{
    if (count <= *cap)
        return true;
    void *grown = realloc(*at, count * size);
    if (!grown)
        return false;
    *at = grown;
    *cap = count;
    return true;
}

static bool slots_for(struct rdb_words *words, size_t cap)
{
    void *slots = words->slots;
    if (!larger(&slots, &words->slot_cap, cap, sizeof(*words->slots)))
        return false;
    words->slots = slots;
    words->slot_mask = cap - 1;
    memset(words->slots, 0, cap * sizeof(*words->slots));
    return true;
}

static bool seen_for(struct rdb_words *words, size_t cap)
{
    void *seen = words->seen;
    bool enough = larger(&seen, &words->seen_cap, cap, sizeof(*words->seen));
    words->seen = seen;
    return enough;
}

void rdb_words_begin(struct rdb_words *words, bool stay)
{
    words->count = words->mark_count = words->at = 0;
    words->looked = words->failed = false;
    words->exact = stay && seen_for(words, FEW);
    if (words->exact)
        memset(words->bits, 0, sizeof(words->bits));
}

static void keep_mark(struct rdb_words *words, XXH128_hash_t hash, uint64_t number)
{
    if (words->mark_count == words->mark_cap) {
        void *marks = words->marks;
        words->failed |= !larger(&marks, &words->mark_cap, words->mark_cap ? 2 * words->mark_cap : FIRST_MARKS,
                                 sizeof(*words->marks));
        words->marks = marks;
    }
    if (words->failed)
        return;
    words->marks[words->mark_count++] =
        (struct mark){{(uint32_t)hash.high64, (uint32_t)(hash.high64 >> 32), (uint32_t)hash.low64}, (uint32_t)number};
}

/* From here on words are marked; those that were compared so far are so now. */
static void mark_all(struct rdb_words *words, uint64_t count)
{
    words->exact = false;
    for (uint64_t i = 0; i < count; i++) {
        const struct exact *seen = &words->seen[i];
        struct rdb_scalar word = {.integer = seen->len == INTEGER};
        if (word.integer)
            word.number = seen->number;
        else if (seen->len != TOLD)
            word.text = (struct bytes){seen->at, (size_t)seen->len};
        if (seen->len != TOLD)
            keep_mark(words, rdb_word_hash(&word), i);
    }
}

static uint32_t short_hash(const struct rdb_scalar *plain)
{
    if (!plain->integer)
        return (uint32_t)XXH3_64bits(plain->text.at, plain->text.len);
    return (uint32_t)((uint64_t)plain->number * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static bool same(const struct exact *seen, const struct rdb_scalar *plain, uint32_t hash)
{
    if (seen->hash != hash)
        return false;
    if (plain->integer)
        return seen->len == INTEGER && seen->number == plain->number;
    return seen->len == (int32_t)plain->text.len && (!seen->len || !memcmp(seen->at, plain->text.at, plain->text.len));
}

/* A slot for the word, its twin's where it has one; false where too many had to be looked at. */
static bool find_slot(const struct rdb_words *words, const struct rdb_scalar *plain, uint32_t hash, size_t *slot)
{
    for (unsigned looks = 0; looks < CROWD; looks++) {
        *slot = (hash + looks) & words->slot_mask;
        if (!words->slots[*slot] || same(&words->seen[words->slots[*slot] - 1], plain, hash))
            return true;
    }
    return false;
}

/* More slots, or the first. */
static bool widen(struct rdb_words *words)
{
    size_t cap = words->count == FEW ? FIRST_SLOTS : 2 * (words->slot_mask + 1);
    if (cap > 2 * EXACT_MOST || !seen_for(words, cap / 2) || !slots_for(words, cap))
        return false;
    for (uint64_t i = 0; i < words->count; i++) {
        if (words->seen[i].len == TOLD)
            continue;
        size_t slot = words->seen[i].hash & words->slot_mask;
        for (unsigned looks = 0; words->slots[slot]; looks++, slot = (slot + 1) & words->slot_mask)
            if (looks == CROWD)
                return false;
        words->slots[slot] = (uint16_t)(i + 1);
    }
    return true;
}

/* Whether one of a few is the same. */
static bool among_few(struct rdb_words *words, const struct rdb_scalar *plain, uint32_t hash, uint64_t *twin)
{
    uint64_t *bits = &words->bits[hash % BITS / 64], bit = UINT64_C(1) << hash % 64;
    if (!(*bits & bit)) {
        *bits |= bit;
        return false;
    }
    for (*twin = 0; *twin < words->count; ++*twin)
        if (same(&words->seen[*twin], plain, hash))
            return true;
    return false;
}

static bool among_many(struct rdb_words *words, size_t slot, uint64_t *twin)
{
    if (words->slots[slot]) {
        *twin = words->slots[slot] - 1u;
        return true;
    }
    words->slots[slot] = (uint16_t)(words->count + 1);
    return false;
}

static inline bool add_exact(struct rdb_words *words, const struct rdb_scalar *word, uint64_t *twin)
{
    struct rdb_scalar plain = rdb_word_plain(*word);
    uint32_t hash = short_hash(&plain);
    size_t slot = 0;
    bool few = words->count < FEW;
    bool roomy = few || (words->count > FEW && words->count < (words->slot_mask + 1) / 2) || widen(words);
    if (plain.text.len > INT32_MAX || !roomy || (!few && !find_slot(words, &plain, hash, &slot))) {
        mark_all(words, words->count);
        keep_mark(words, rdb_word_hash(word), words->count++);
        return false;
    }
    bool twice = few ? among_few(words, &plain, hash, twin) : among_many(words, slot, twin);
    struct exact *seen = &words->seen[words->count++];
    seen->hash = hash;
    seen->len = twice ? TOLD : plain.integer ? INTEGER : (int32_t)plain.text.len;
    if (plain.integer)
        seen->number = plain.number;
    else
        seen->at = plain.text.at;
    return twice;
}

bool rdb_words_add(struct rdb_words *words, const struct rdb_scalar *word, uint64_t *twin)
{
    if (words->exact)
        return add_exact(words, word, twin);
    keep_mark(words, rdb_word_hash(word), words->count++);
    return false;
}

static bool same_hash(const struct mark *a, const struct mark *b)
{
    return !memcmp(a->hash, b->hash, sizeof(a->hash));
}

/* Whether there may be twins: what does not fit into the slots, or crowds, is not known to have none. */
static bool maybe_twins(struct rdb_words *words)
{
    size_t cap = FIRST_SLOTS;
    while (cap < 2 * words->mark_count && cap < SLOTS_MOST)
        cap *= 2;
    if (words->mark_count > cap / 2 || !slots_for(words, cap))
        return true;
    for (size_t i = 0; i < words->mark_count; i++) {
        size_t slot = words->marks[i].hash[0] & words->slot_mask;
        for (unsigned looks = 0; words->slots[slot]; looks++, slot = (slot + 1) & words->slot_mask)
            if (looks == CROWD || same_hash(&words->marks[words->slots[slot] - 1], &words->marks[i]))
                return true;
        words->slots[slot] = (uint16_t)(i + 1);
    }
    return false;
}

static bool before(const struct mark *a, const struct mark *b)
{
    for (size_t i = 0; i < 3; i++)
        if (a->hash[i] != b->hash[i])
            return a->hash[i] < b->hash[i];
    return a->number < b->number;
}

static void swap(struct mark *a, struct mark *b)
{
    struct mark third = *a;
    *a = *b;
    *b = third;
}

static void sift(struct mark *heap, size_t at, size_t count)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        child += child + 1 < count && before(&heap[child], &heap[child + 1]);
        if (!before(&heap[at], &heap[child]))
            return;
        swap(&heap[at], &heap[child]);
    }
}

static void sort(struct mark *marks, size_t count)
{
    for (size_t i = count / 2; i > 0; i--)
        sift(marks, i - 1, count);
    for (size_t left = count; left > 1; left--) {
        swap(&marks[0], &marks[left - 1]);
        sift(marks, 0, left - 1);
    }
}

static size_t bucket_of(const struct mark *mark, unsigned shift)
{
    return mark->hash[0] >> shift & (BUCKETS - 1);
}

/* In place, by eight bits of the hash. ends[i] is behind the last mark of bucket i. */
static void scatter(struct mark *marks, size_t count, unsigned shift, size_t ends[BUCKETS])
{
    size_t next[BUCKETS], sum = 0;
    memset(ends, 0, BUCKETS * sizeof(ends[0]));
    for (size_t i = 0; i < count; i++)
        ends[bucket_of(&marks[i], shift)]++;
    for (size_t i = 0; i < BUCKETS; i++) {
        next[i] = sum;
        ends[i] = sum += ends[i];
    }
    for (size_t i = 0; i < BUCKETS; i++)
        while (next[i] < ends[i]) {
            size_t bucket = bucket_of(&marks[next[i]], shift);
            swap(&marks[next[i]], &marks[next[bucket]]);
            next[bucket]++;
        }
}

/* Marks that have their upper eight bits in common. */
static void sort_bucket(struct mark *marks, size_t count)
{
    size_t ends[BUCKETS], start = 0;
    if (count < BUCKETS_FROM) {
        sort(marks, count);
        return;
    }
    scatter(marks, count, 16, ends);
    for (size_t i = 0; i < BUCKETS; start = ends[i++])
        sort(marks + start, ends[i] - start);
}

/* First into buckets whose order is that of the whole, twice if they are large: hashes spread evenly, unless somebody
 * saw to it that they do not; then the time is still that of sort(). */
static void sort_all(struct mark *marks, size_t count)
{
    size_t ends[BUCKETS], start = 0;
    scatter(marks, count, 24, ends);
    for (size_t i = 0; i < BUCKETS; start = ends[i++])
        sort_bucket(marks + start, ends[i] - start);
}

bool rdb_words_twins(struct rdb_words *words, uint64_t *first, uint64_t *again)
{
    if (!words->looked && maybe_twins(words))
        sort_all(words->marks, words->mark_count);
    else if (!words->looked)
        words->mark_count = 0;
    words->looked = true;
    while (++words->at < words->mark_count) {
        const struct mark *mark = &words->marks[words->at];
        if (same_hash(mark - 1, mark)) {
            *first = mark[-1].number;
            *again = mark->number;
            return true;
        }
    }
    words->at = words->mark_count;
    return false;
}

bool rdb_words_failed(const struct rdb_words *words)
{
    return words->failed;
}
