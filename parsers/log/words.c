#include "parsers/log/words.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/cursor.h"

static const struct log_wording wordings[] = {
#define LOG_WORDING(event, levels, versions, text) {LOG_##event, levels, versions, text},
#include "parsers/log/log_wordings.def"
#undef LOG_WORDING
};

enum {
    WORDINGS = sizeof(wordings) / sizeof(*wordings),
    KEY = 4,       /* bytes of a message by which it is found, */
    LONG_KEY = 10, /* or so many, where a wording has them */
    BUCKET_BITS = 12,
    BUCKETS = 1 << BUCKET_BITS,
};

struct row {
    struct log_part *parts; /* NULL until the bucket was used */
    uint16_t count;
    uint16_t shared; /* characters of the text that are those of the row before it in the bucket */
};

struct bucket {
    uint16_t from, count; /* in `rows` */
    bool ready;           /* in order and compiled */
};

struct log_words {
    struct bucket long_heads[BUCKETS], heads[BUCKETS], tails[BUCKETS];
    uint16_t rows[WORDINGS]; /* by bucket */
    struct row compiled[WORDINGS];
    size_t used;
    struct log_part parts[]; /* as many as there can be */
};

struct log_wording log_wording(unsigned row)
{
    return row < WORDINGS ? wordings[row] : (struct log_wording){LOG_EVENTS, NULL, NULL, NULL};
}

static size_t bucket_number(uint64_t key)
{
    return (size_t)((key * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - BUCKET_BITS));
}

/* The first or the last `wanted` bytes of all messages of a wording; false when a value is among them. */
static bool fixed_bytes(const char *text, bool last, size_t wanted, uint8_t bytes[LONG_KEY])
{
    size_t at = 0, count = 0;
    struct log_part part;
    while ((last || count < wanted) && log_part_next(text, &at, &part)) {
        if (!part.words && !last)
            return false;
        if (!part.words)
            count = 0;
        for (size_t i = 0; i < part.len && (last || count < wanted); i++) {
            if (count == wanted)
                memmove(bytes, bytes + 1, --count);
            bytes[count++] = (uint8_t)part.words[i];
        }
    }
    return count == wanted;
}

static struct bucket *bucket_by(struct bucket buckets[BUCKETS], struct bytes key)
{
    struct cursor in = cursor_over(key);
    if (key.len == KEY)
        return &buckets[bucket_number(cursor_le32(&in))];
    uint64_t first = cursor_le64(&in);
    return &buckets[bucket_number(first ^ (uint64_t)cursor_le16(&in) << 17)];
}

/* By the first bytes, many or few, else by the last. A wording with neither is never found: a test forbids it. */
static struct bucket *home_of(struct log_words *words, const char *text)
{
    uint8_t key[LONG_KEY];
    if (fixed_bytes(text, false, LONG_KEY, key))
        return bucket_by(words->long_heads, (struct bytes){key, LONG_KEY});
    if (fixed_bytes(text, false, KEY, key))
        return bucket_by(words->heads, (struct bytes){key, KEY});
    return fixed_bytes(text, true, KEY, key) ? bucket_by(words->tails, (struct bytes){key, KEY}) : NULL;
}

static size_t most_parts(void)
{
    size_t parts = WORDINGS;
    for (size_t i = 0; i < WORDINGS; i++)
        for (const char *at = wordings[i].text; (at = strchr(at, '{')); at++)
            parts += 2;
    return parts;
}

static size_t place_buckets(struct bucket buckets[BUCKETS], size_t from)
{
    for (size_t b = 0; b < BUCKETS; b++) {
        buckets[b].from = (uint16_t)from;
        from += buckets[b].count;
        buckets[b].count = 0;
    }
    return from;
}

struct log_words *log_words_new(void)
{
    struct log_words *words = calloc(1, sizeof(*words) + most_parts() * sizeof(struct log_part));
    struct bucket **homes = calloc(WORDINGS, sizeof(*homes));
    if (words && homes) {
        for (size_t i = 0; i < WORDINGS; i++)
            if ((homes[i] = home_of(words, wordings[i].text)))
                homes[i]->count++;
        place_buckets(words->tails, place_buckets(words->heads, place_buckets(words->long_heads, 0)));
        for (size_t i = 0; i < WORDINGS; i++)
            if (homes[i])
                words->rows[homes[i]->from + homes[i]->count++] = (uint16_t)i;
    }
    if (!homes) {
        free(words);
        words = NULL;
    }
    free(homes);
    return words;
}

void log_words_free(struct log_words *words)
{
    free(words);
}

/* The order in which wordings are tried: words before values, what goes on before what ends. */
static int compare(const char *left, const char *right, uint16_t *shared)
{
    size_t same = 0;
    while (left[same] && left[same] == right[same])
        same++;
    *shared = (uint16_t)same;
    int a = left[same] ? (uint8_t)left[same] : 256, b = right[same] ? (uint8_t)right[same] : 256;
    return a - b;
}

static void make_ready(struct log_words *words, struct bucket *bucket)
{
    uint16_t *rows = words->rows + bucket->from, shared;
    for (size_t i = 1; i < bucket->count; i++) {
        uint16_t row = rows[i];
        size_t to = i;
        for (; to && compare(wordings[row].text, wordings[rows[to - 1]].text, &shared) < 0; to--)
            rows[to] = rows[to - 1];
        rows[to] = row;
    }
    for (size_t i = 0; i < bucket->count; i++) {
        struct row *row = &words->compiled[rows[i]];
        size_t at = 0;
        row->parts = words->parts + words->used;
        while (log_part_next(wordings[rows[i]].text, &at, &row->parts[row->count]))
            row->count++;
        words->used += row->count;
        if (i)
            compare(wordings[rows[i - 1]].text, wordings[rows[i]].text, &row->shared);
    }
    bucket->ready = true;
}

static int find_in(struct log_words *words, struct bucket *bucket, struct bytes message, struct log_values *values)
{
    if (!bucket->ready)
        make_ready(words, bucket);
    const uint16_t *rows = words->rows + bucket->from;
    size_t reach = 0;
    for (size_t i = 0; i < bucket->count; i++) {
        const struct row *row = &words->compiled[rows[i]];
        if (i && row->shared > reach)
            continue; /* begins like one that failed there */
        bool wanted = wordings[rows[i]].event != LOG_OTHER;
        if (!log_wording_match(row->parts, row->count, message, wanted ? values : NULL, &reach))
            continue;
        if (!wanted)
            values->count = 0;
        return rows[i];
    }
    return LOG_NO_WORDING;
}

int log_words_find(struct log_words *words, struct bytes message, struct log_values *values)
{
    struct cursor head = cursor_over(message), tail = head;
    int row = LOG_NO_WORDING;
    if (message.len < KEY)
        return row;
    cursor_take(&tail, message.len - KEY);
    if (message.len >= LONG_KEY) {
        struct bucket *bucket = bucket_by(words->long_heads, (struct bytes){message.at, LONG_KEY});
        row = bucket->count ? find_in(words, bucket, message, values) : row;
    }
    struct bucket *const by_head = bucket_by(words->heads, cursor_take(&head, KEY));
    if (row == LOG_NO_WORDING && by_head->count)
        row = find_in(words, by_head, message, values);
    struct bucket *const by_tail = bucket_by(words->tails, cursor_take(&tail, KEY));
    if (row == LOG_NO_WORDING && by_tail->count)
        row = find_in(words, by_tail, message, values);
    return row;
}
