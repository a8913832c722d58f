#include "parsers/log/tally.h"

#include <string.h>

#include "parsers/bytes/cursor.h"
#include "parsers/log/stamp.h"

enum {
    LEAP_YEAR = 2000,
    DAYS_PER_YEAR = 366,
    BACK_DAYS = 2, /* clocks are set back by less; a log that is silent until the same days of the next year is rare */
};

/* The day in a leap year. */
static int64_t day_of(const struct log_time *time)
{
    struct log_time day = {.known = true, .month = time->month, .day = time->day};
    return log_unix_ms(&day, LEAP_YEAR, 0) / 86400000;
}

void log_tally_yearless(struct log_tally *tally, const struct log_time *time)
{
    struct log_counts *counts = &tally->counts;
    if (!time->known || time->has_year)
        return;
    if (counts->yearless) {
        int64_t ahead = day_of(time) - day_of(&tally->yearless);
        if (ahead < -BACK_DAYS)
            counts->turns++;
        else if (ahead >= DAYS_PER_YEAR - BACK_DAYS && counts->turns)
            counts->turns--; /* set back over New Year */
    }
    counts->yearless = true;
    tally->yearless = *time;
}

void log_tally_date(struct log_tally *tally, const uint8_t date[6])
{
    if (memcmp(tally->date, date, sizeof(tally->date)) == 0)
        return;
    memcpy(tally->date, date, sizeof(tally->date));
    uint8_t text[] = "DD Mon 00:00:00";
    memcpy(text, date, sizeof(tally->date));
    struct cursor in = cursor_over((struct bytes){text, sizeof(text) - 1});
    struct log_time time;
    if (log_stamp_day_first(&in, &time))
        log_tally_yearless(tally, &time);
}

/* The year in which the time is nearest to a moment. */
static int nearest_year(const struct log_time *time, int64_t unix_ms)
{
    struct log_time then;
    if (time->has_year || !log_time_of_unix_ms((uint64_t)unix_ms, &then))
        return time->year;
    int best = then.year;
    for (int year = then.year - 1; year <= then.year + 1; year++) {
        int64_t distance = log_unix_ms(time, year, 0) - unix_ms, least = log_unix_ms(time, best, 0) - unix_ms;
        if ((distance < 0 ? -distance : distance) < (least < 0 ? -least : least))
            best = year;
    }
    return best;
}

/* The same moment by the server's clock and in Unix time. */
static void pair(struct log_tally *tally, const struct log_time *local, int64_t unix_ms)
{
    struct log_counts *counts = &tally->counts;
    if (!local->known || local->has_zone || unix_ms < 0)
        return;
    int year = nearest_year(local, unix_ms);
    if (!local->has_year && !counts->anchored) {
        counts->anchored = true;
        counts->anchor_year = (int16_t)year;
        counts->anchor_turn = counts->turns;
    }
    log_offset_add(&counts->zone, log_unix_ms(local, year, 0), unix_ms);
}

void log_tally_prefix(struct log_tally *tally, const struct log_prefix *prefix)
{
    if (prefix->from_signal_handler) {
        tally->signal_ms = log_unix_ms(&prefix->time, 0, 0);
        tally->signal_pid = prefix->pid;
        return;
    }
    /* What a signal asks for is done within a tenth of a second, so its next line tells the local time. */
    if (tally->signal_pid && tally->signal_pid == prefix->pid)
        pair(tally, &prefix->time, tally->signal_ms);
    tally->signal_pid = 0;
}

void log_tally_received(struct log_tally *tally, const struct log_time *own, const struct log_time *received)
{
    if (received->has_zone)
        pair(tally, own, log_unix_ms(received, 0, 0));
}

static uint64_t *unknown_of(struct log_counts *counts, char level)
{
    static const char levels[] = ".-*#";
    const char *at = level ? strchr(levels, level) : NULL;
    return &counts->unknown[at ? at - levels : 4];
}

void log_tally_unknown(struct log_tally *tally, uint32_t line, char level, struct bytes message)
{
    struct log_counts *counts = &tally->counts;
    uint8_t kind[16] = {0};
    size_t at = 0;
    memcpy(kind, message.at, message.len < sizeof(kind) ? message.len : sizeof(kind));
    ++*unknown_of(counts, level);
    while (at < counts->sample_count && memcmp(tally->kinds[at], kind, sizeof(kind)) != 0)
        at++;
    if (at == LOG_SAMPLES_MAX) {
        counts->left_out++;
        return;
    }
    struct log_sample *sample = &counts->samples[at];
    if (at == counts->sample_count) {
        counts->sample_count++;
        memcpy(tally->kinds[at], kind, sizeof(kind));
        sample->line = line;
        sample->level = level;
        sample->length = (uint8_t)(message.len < LOG_SAMPLE_LENGTH ? message.len : LOG_SAMPLE_LENGTH);
        memcpy(sample->text, message.at, sample->length);
    }
    sample->count++;
}
