/* rcf-log: the events of server logs. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/cli/cli.h"
#include "tools/evidence/in_order.h"
#include "tools/evidence/zones.h"
#include "tools/render/escape.h"
#include "tools/render/log_output.h"
#include "tools/render/time.h"

enum { NODES_MAX = 64, THREADS_MAX = 8, PAGE_MAX = 4 * 1024 * 1024 /* rows of a file that wait for its turn */ };

enum { TAKE_SINCE, TAKE_UNTIL, TAKE_EVENT, TAKE_NODE, TAKE_TZ };

static const char *const level_words[] = {"debug", "verbose", "notice", "warning", NULL};

struct config {
    struct log_selection selection;
    const char *nodes[NODES_MAX];
    struct zones zones;
    unsigned level;
    uint64_t year;
    bool summary, unknown, all, events;
};

static const struct cli_option options[] = {
    {0, "since", "TIME", "only events at or after this time (UTC)", CLI_TAKE, .id = TAKE_SINCE},
    {0, "until", "TIME", "only events before this time (UTC)", CLI_TAKE, .id = TAKE_UNTIL},
    {'e', "event", "EVENT", "only events of this word; may be repeated", CLI_TAKE, .id = TAKE_EVENT},
    {'n', "node", "NODE", "only events that name this id (or its beginning) or address, or that this id wrote; may be repeated",
     CLI_TAKE, .id = TAKE_NODE},
    {0, "level", "LEVEL", "only events of this level or a higher one", CLI_CHOICE, offsetof(struct config, level),
     level_words, 0, 0, 0},
    {0, "tz", "[HOST=]ZONE", "time zone of the servers, or of those below a folder of this name: +02:00, Europe/Berlin",
     CLI_TAKE, .id = TAKE_TZ},
    {0, "year", "YEAR", "year of the first line, where lines have none (Redis up to 4.0)", CLI_NUMBER,
     offsetof(struct config, year), NULL, 1970, 9999, 0},
    {'s', "summary", NULL, "how often each event came, first and last", CLI_FLAG, offsetof(struct config, summary), NULL,
     0, 0, 0},
    {0, "unknown", NULL, "messages that no known version writes, a sample of each file", CLI_FLAG,
     offsetof(struct config, unknown), NULL, 0, 0, 0},
    {'a', "all", NULL, "every line: unknown ones and those of no consequence too", CLI_FLAG,
     offsetof(struct config, all), NULL, 0, 0, 0},
    {0},
};

static const char *take_time(const char *value, bool *has, int64_t *ms)
{
    *has = time_read(escape_string(value), ms);
    return *has ? NULL : "a time as 2026-11-22T14:52:25Z";
}

static const char *take(void *context, int id, const char *value)
{
    struct config *config = context;
    struct log_selection *selection = &config->selection;
    if (id == TAKE_SINCE)
        return take_time(value, &selection->has_since, &selection->since_ms);
    if (id == TAKE_UNTIL)
        return take_time(value, &selection->has_until, &selection->until_ms);
    if (id == TAKE_TZ)
        return zones_add(&config->zones, value) ? NULL : "ZONE or HOST=ZONE, as +02:00 or a name of /usr/share/zoneinfo";
    if (id == TAKE_NODE) {
        if (selection->node_count == NODES_MAX || !*value)
            return "a node id, its beginning, or an address; at most 64";
        config->nodes[selection->node_count++] = value;
        return NULL;
    }
    enum log_event_id event = log_event_of(escape_string(value));
    if (event == LOG_EVENTS)
        return "an event, as rcf-log --summary names them (docs/formats/log.md lists all)";
    selection->by_event = selection->events[event] = true;
    return NULL;
}

static const struct cli_command command = {
    .name = "rcf-log",
    .synopsis = (const char *const[]){"[OPTION]... FILE...", NULL},
    .summary = "Shows what server logs say about the cluster and its data, an event a row.",
    .options = options,
    .least_operands = 1,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES,
    .records = (const struct record_type *const[]){&log_event_record, &log_summary_record, &log_unknown_record, NULL},
    .notes =
        "A FILE may be compressed with gzip, lz4 or zstd; - is standard input. Read are the logs of Redis 2.8 to 8 and\n"
        "Valkey 7.2 to 9 in all their forms, also behind docker, kubernetes, syslog and journald. Files are shown one\n"
        "after the other; memory does not depend on their size.\n"
        "\n"
        "Servers write local time. Without --tz a time is shown as it stands, with ? on a screen and without \"time\" in\n"
        "the other formats; --since and --until take it for UTC. Where a logging system has added its own time with a\n"
        "zone, that is taken. Years that lines do not have are inferred from the age of the file and the New Years that\n"
        "it passes, and marked; in standard input they stay unknown without --year.",
    .exit_codes = {"every log was read to its end", "a log is damaged: what could be read is shown",
                   "a file could not be read, is no log of a server, or changed meanwhile"},
    .examples = (const char *const[]){
        "rcf-log fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7002/redis_7002.log",
        "rcf-log --tz=UTC --event=cluster-state --csv fixtures/story-redis-4.0.1/06-stale-restarted/hosts/*/*/*.log",
        "rcf-log --summary fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7000/redis_7000.log",
        NULL},
    .take = take,
};

/* What all files share; what is not constant belongs to the file whose turn it is. */
struct work {
    struct cli *cli;
    const struct config *config;
    struct log_output *output;  /* rows of events, */
    struct table *table;        /* or of unknown messages, */
    struct log_totals *totals;  /* or counts */
    bool damaged, failed, atime_moved, zone_unknown, year_unknown;
};

/* One file. */
struct pass {
    struct work *work;
    struct in_order *order;
    size_t number;
    struct log_page *page;
    struct log_totals *totals;
};

static const char *name_of(const struct work *work, size_t number)
{
    const char *operand = work->cli->operands[number];
    return strcmp(operand, "-") == 0 ? "<stdin>" : operand;
}

static bool receive(void *context, const struct log_fact *fact)
{
    struct pass *pass = context;
    if (pass->totals)
        log_totals_add(pass->totals, fact);
    if (!pass->page)
        return true;
    log_page_add(pass->page, fact);
    if (log_page_size(pass->page) < PAGE_MAX / 16)
        return true;
    if (log_page_size(pass->page) >= PAGE_MAX)
        in_order_wait(pass->order, pass->number);
    if (!in_order_is_turn(pass->order, pass->number))
        return true;
    log_page_flush(pass->page);
    return !out_error(pass->work->cli->out);
}

static void say(struct work *work, size_t number, const struct log_outcome *outcome)
{
    struct cli *cli = work->cli;
    const char *name = name_of(work, number);
    work->damaged |= outcome->condition == LOG_FILE_DAMAGED;
    work->failed |= outcome->condition == LOG_FILE_LOST;
    work->atime_moved |= !outcome->atime_kept;
    work->zone_unknown |= outcome->zone_unknown;
    work->year_unknown |= outcome->year_unknown;
    if (outcome->condition != LOG_FILE_WHOLE && outcome->condition != LOG_FILE_ENDED)
        cli_error_at(cli, name, NULL, "%s", outcome->why);
    if (outcome->counts.long_lines && cli->verbose)
        cli_note(cli, "%s: %" PRIu64 " lines of more than 64 KiB, read by their first 64 KiB", name,
                 outcome->counts.long_lines);
    cli_progress(cli, "%zu of %d logs", number + 1, cli->operand_count);
}

/* After the file was read, and all files before it. */
static void deliver(struct pass *pass, const struct log_outcome *outcome)
{
    struct work *work = pass->work;
    if (pass->page)
        log_page_flush(pass->page);
    if (pass->totals)
        log_totals_merge(work->totals, pass->totals, &outcome->counts);
    if (work->table)
        log_unknown_rows(work->table, name_of(work, pass->number), &outcome->counts);
    say(work, pass->number, outcome);
}

static void read_log(void *context, struct in_order *order, size_t number)
{
    struct work *work = context;
    const struct config *config = work->config;
    const char *operand = work->cli->operands[number];
    struct pass pass = {.work = work, .order = order, .number = number};
    struct log_outcome *outcome = calloc(1, sizeof(*outcome));
    pass.page = work->output ? log_page_begin(work->output, name_of(work, number)) : NULL;
    pass.totals = work->totals ? calloc(1, sizeof(*pass.totals)) : NULL;
    bool ready = outcome && (pass.page || !work->output) && (pass.totals || !work->totals);
    if (ready) {
        struct log_request request = {
            .path = strcmp(operand, "-") == 0 ? NULL : operand,
            .zone = zones_of(&config->zones, operand),
            .has_year = config->year != 0,
            .first_year = (int16_t)config->year,
            .selection = &config->selection,
            .all_lines = config->all,
        };
        log_file_read(&request, receive, &pass, outcome);
        ready = outcome->condition != LOG_FILE_ENDED || out_error(work->cli->out);
    }
    in_order_wait(order, number);
    if (!ready) {
        cli_error(work->cli, "out of memory");
        work->failed = true;
    } else {
        deliver(&pass, outcome);
    }
    log_page_end(pass.page);
    free(pass.totals);
    free(outcome);
}

static int run(struct cli *cli, struct config *config)
{
    struct work work = {.cli = cli, .config = config};
    struct log_totals totals = {.lines = 0};
    config->selection.nodes = config->nodes;
    config->selection.level = ".-*#"[config->level];
    if (config->summary)
        work.totals = &totals;
    else if (config->unknown)
        work.table = table_open(cli->out, &log_unknown_record, cli->format);
    else
        work.output = log_output_open(cli->out, cli->format, cli->operand_count > 1);
    in_order_run((size_t)cli->operand_count, THREADS_MAX, read_log, &work);
    if (config->summary)
        log_totals_write(&totals, cli->out, cli->format);
    table_close(work.table);
    log_output_close(work.output);
    if (work.zone_unknown && !config->summary && !config->unknown)
        cli_note(cli, "times without Z are local times of the servers: --tz names their zone");
    if (work.year_unknown)
        cli_note(cli, "lines without a year are shown without one: --year names that of the first line");
    if (work.atime_moved)
        cli_note(cli, "access times may have moved: opening files without that is their owner's right");
    return work.failed ? CLI_FAILED : work.damaged ? CLI_FOUND : CLI_OK;
}

int main(int argc, char **argv)
{
    struct config config = {.summary = false};
    struct cli cli;
    int code;
    if (!cli_start(&cli, &command, argc, argv, &config))
        code = cli.exit_code;
    else if (config.summary && config.unknown)
        code = cli_usage(&cli, "--summary and --unknown are two answers");
    else
        code = run(&cli, &config);
    zones_free(&config.zones);
    return cli_finish(&cli, code);
}
