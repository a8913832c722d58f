/* Each wording of the table, written as a server would write it, comes back as its event with the values put in. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/log/value.h"
#include "parsers/log/words.h"
#include "tests/unit/trials.h"

enum { MESSAGE_MAX = 2048 };

/* Four values of each kind as servers may write them; ? is another digit at each place of a message. */
static const char *const written[][4] = {
    [LOG_KIND_ID] = {"c7482a602b74ca798cc9048a9fb4d5b9d0169f7?", "000000000000000000000000000000000000000?",
                     "ffffffffffffffffffffffffffffffffffffff?f", "?7482a602b74ca798cc9048a9fb4d5b9d0169f77"},
    [LOG_KIND_TEXT] = {"a text of ?", "?", "/a/path?.rdb", "\xC3\xA9\x01?"},
    [LOG_KIND_ADDRESS] = {"10.0.0.?:7000", "::1:700?", ":?", "fe80::1:?@17000"},
    [LOG_KIND_REPLICA] = {"10.0.0.?:7000", "client id #?", "host-?.example.org:7000", "[::1]:700?"},
    [LOG_KIND_NUMBER] = {"?", "-?", "1844674407370955161?", "0?"},
    [LOG_KIND_DECIMAL] = {"?", "0.00?", "?.5", "-?.25"},
};

static void write_value(char to[96], enum log_kind kind, size_t place, unsigned variant)
{
    snprintf(to, 96, "%s", written[kind][variant]);
    *strchr(to, '?') = (char)('0' + place % 8);
}

struct expected {
    char message[MESSAGE_MAX];
    size_t len;
    struct {
        enum log_field_id id;
        char text[96];
    } values[LOG_FIELDS_MAX];
    size_t count;
};

static void write_message(struct expected *expected, const char *text, unsigned variant)
{
    size_t at = 0;
    struct log_part part;
    expected->len = expected->count = 0;
    while (log_part_next(text, &at, &part)) {
        char value[96];
        if (part.words)
            snprintf(value, sizeof(value), "%.*s", (int)part.len, part.words);
        else
            write_value(value, log_field_kind(part.field), expected->count, variant);
        const char *piece = part.words ? part.words : value;
        size_t len = part.words ? part.len : strlen(value);
        cr_assert_lt(expected->len + len, MESSAGE_MAX);
        memcpy(expected->message + expected->len, piece, len);
        expected->len += len;
        if (part.field != LOG_FIELD_IDS) {
            cr_assert_lt(expected->count, (size_t)LOG_FIELDS_MAX, "%s", text);
            expected->values[expected->count].id = part.field;
            memcpy(expected->values[expected->count++].text, value, sizeof(value));
        }
    }
}

/* A text may hold the words behind it; what is asked is that wordings with plain values are found as themselves. */
Test(log_wordings, come_back_with_their_values)
{
    struct log_words *words = log_words_new();
    struct expected *expected = malloc(sizeof(*expected));
    struct log_values values;
    size_t rows = 0;
    cr_assert(words && expected);
    for (unsigned row = 0; log_wording(row).text; row++, rows++) {
        struct log_wording wording = log_wording(row);
        for (unsigned variant = 0; variant < 4; variant++) {
            write_message(expected, wording.text, wording.event == LOG_OTHER ? 1 : variant);
            struct bytes message = {(const uint8_t *)expected->message, expected->len};
            int found = log_words_find(words, message, &values);
            cr_expect_neq(found, LOG_NO_WORDING, "not found: %s\n  as %.*s", wording.text, (int)message.len, message.at);
            if (found != (int)row) {
                bool same = found >= 0 && log_wording((unsigned)found).event == wording.event;
                cr_expect(same, "%s\n  was taken for %s", wording.text, found < 0 ? "" : log_wording((unsigned)found).text);
                continue;
            }
            cr_assert_eq(values.count, wording.event == LOG_OTHER ? 0 : expected->count, "%s", wording.text);
            for (size_t i = 0; i < values.count; i++) {
                cr_expect_eq(values.fields[i].id, expected->values[i].id, "%s", wording.text);
                struct bytes got = values.fields[i].text;
                cr_expect(got.len == strlen(expected->values[i].text) &&
                              memcmp(got.at, expected->values[i].text, got.len) == 0,
                          "%s: %s is %.*s", wording.text, expected->values[i].text, (int)got.len, got.at);
            }
        }
    }
    cr_expect_gt(rows, 1000);
    free(expected);
    log_words_free(words);
}

Test(log_wordings, table_is_sound)
{
    bool used[LOG_EVENTS] = {false}, fields[LOG_FIELD_IDS] = {false};
    for (unsigned row = 0; log_wording(row).text; row++) {
        struct log_wording wording = log_wording(row);
        struct log_part part, before = {.words = ""};
        size_t at = 0, values = 0;
        used[wording.event] = true;
        cr_expect(*wording.levels && strspn(wording.levels, ".-*#") == strlen(wording.levels), "%s", wording.text);
        cr_expect(wording.versions[0] == 'R' || wording.versions[0] == 'V', "%s", wording.text);
        for (unsigned other = 0; other < row; other++)
            cr_expect_str_neq(log_wording(other).text, wording.text);
        while (log_part_next(wording.text, &at, &part)) {
            cr_expect(part.words || before.words, "two values touch: %s", wording.text);
            cr_expect(!part.words || part.len, "no words: %s", wording.text);
            cr_expect(!part.words || part.field != LOG_FIELD_IDS || !memchr(part.words, '}', part.len), "%s", wording.text);
            values += part.field != LOG_FIELD_IDS;
            if (part.field != LOG_FIELD_IDS)
                fields[part.field] = true;
            before = part;
        }
        cr_expect_leq(values, (size_t)LOG_FIELDS_MAX, "%s", wording.text);
    }
    for (unsigned id = 0; id < LOG_EVENTS; id++) {
        bool made = id == LOG_UNKNOWN || id == LOG_PROCESS || id == LOG_CRASH;
        cr_expect_eq(used[id], !made, "%s", log_event_word(id));
        const char *word = log_event_word(id);
        cr_expect_eq(log_event_of((struct bytes){(const uint8_t *)word, strlen(word)}), id, "%s", word);
    }
    for (unsigned id = 0; id < LOG_FIELD_IDS; id++)
        cr_expect(fields[id], "no wording has %s", log_field_word(id));
    cr_expect_eq(log_wording(1000000).event, LOG_EVENTS);
    cr_expect_null(log_event_word(LOG_EVENTS));
}

static int find(struct log_words *words, const char *message, struct log_values *values)
{
    return log_words_find(words, (struct bytes){(const uint8_t *)message, strlen(message)}, values);
}

Test(log_wordings, near_misses_are_unknown)
{
    static const char *const messages[] = {
        "",
        "FAI",
        "FAIL message received from 1234 about 5678",
        "FAIL message received from 0123456789012345678901234567890123456789 about 0123456789012345678901234567890123456789x",
        "FAIL message received from 0123456789012345678901234567890123456789 about 012345678901234567890123456789012345678G",
        "New configEpoch set to seven",
        "New configEpoch set to ",
        "New configEpoch set to 7 ",
        "Cluster state changed",
        "DB saved on disk!",
        "Connecting to MASTER 10.0.0.1",
        "xDB saved on disk",
        "seconds. Saving...",
    };
    struct log_words *words = log_words_new();
    struct log_values values;
    for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
        cr_expect_eq(find(words, messages[i], &values), LOG_NO_WORDING, "%s", messages[i]);
    log_words_free(words);
}

Test(log_wordings, numbers_have_their_values)
{
    static const struct {
        enum log_field_id id;
        const char *text;
        int64_t number;
    } cases[] = {
        {LOG_FIELD_EPOCH, "17", 17},
        {LOG_FIELD_OFFSET, "-1", -1},
        {LOG_FIELD_EPOCH, "18446744073709551615", INT64_MAX},
        {LOG_FIELD_OFFSET, "-99999999999999999999", INT64_MIN},
        {LOG_FIELD_SECONDS, "0.012", 12},
        {LOG_FIELD_SECONDS, "3", 3000},
        {LOG_FIELD_SECONDS, "3.5", 3500},
        {LOG_FIELD_SECONDS, "1.23456", 1234},
        {LOG_FIELD_SECONDS, "-2.5", -2500},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct bytes text = {(const uint8_t *)cases[i].text, strlen(cases[i].text)};
        cr_expect_eq(log_value(cases[i].id, text).number, cases[i].number, "%s", cases[i].text);
        cr_expect_eq((size_t)log_value_length(log_field_kind(cases[i].id), text), text.len, "%s", cases[i].text);
    }
}

/* Texts that could end at each of thousands of places do not take the time that trying all of them would. */
Test(log_wordings, attacks_take_no_time, .timeout = 20)
{
    struct log_words *words = log_words_new();
    struct log_values values;
    static char message[LOG_LINE_MAX];
    static const char *const starts[] = {"Partial resynchronization not accepted: Replication ID mismatch (Replica asked for '",
                                         "Processing UPDATE message received from 0123456789012345678901234567890123456789 (",
                                         "Slot migration ", "DB "};
    static const char *const fillings[] = {"', my replication IDs are '", ") in shard 0123456789012345678901234567890123456789 ",
                                           " state transition: -> ", ": keys ( volatile) in "};
    for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
        size_t len = strlen(starts[i]), filling = strlen(fillings[i]);
        memcpy(message, starts[i], len);
        for (; len + filling < sizeof(message); len += filling)
            memcpy(message + len, fillings[i], filling);
        for (unsigned again = 0; again < 100; again++)
            log_words_find(words, (struct bytes){(const uint8_t *)message, len}, &values);
    }
    log_words_free(words);
}
