/* rcf-timeline: what happened, when, in which order, on which evidence. */
#include <string.h>

#include "tools/cli/cli.h"
#include "tools/cli/unread.h"
#include "tools/history/history.h"
#include "tools/render/escape.h"
#include "tools/render/time.h"
#include "tools/render/timeline_output.h"

enum { TAKE_SINCE, TAKE_UNTIL, TAKE_AROUND, TAKE_NODE, TAKE_SLOT, TAKE_KIND, TAKE_TZ };

enum { WITHIN_S = 60, SECOND_MS = 1000, MOST_WITHIN_S = 366 * 86400 };

struct config {
    struct history_selection selection;
    struct zones zones;
    const char *hosts;
    uint64_t within_s;
    bool around, plaso, events;
    int64_t around_ms;
};

static const struct cli_option options[] = {
    {0, "since", "TIME", "only what was at or after this time (UTC)", CLI_TAKE, .id = TAKE_SINCE},
    {0, "until", "TIME", "only what was before this time (UTC)", CLI_TAKE, .id = TAKE_UNTIL},
    {'a', "around", "TIME", "only what was near this time (UTC)", CLI_TAKE, .id = TAKE_AROUND},
    {0, "within", "SECONDS", "how near, with --around (default 60)", CLI_NUMBER, offsetof(struct config, within_s), NULL, 1,
     MOST_WITHIN_S, 0},
    {'n', "node", "NODE", "only what is about this ip:port or node id (or its beginning); may be repeated", CLI_TAKE, .id = TAKE_NODE},
    {0, "slot", "SLOT", "only what names this slot", CLI_TAKE, .id = TAKE_SLOT},
    {'k', "kind", "KIND", "only this kind of episode (failover, election, ...) or event; may be repeated", CLI_TAKE, .id = TAKE_KIND},
    {0, "tz", "[HOST=]ZONE", "time zone of all logs, or of those of a host: +02:00, Europe/Berlin", CLI_TAKE, .id = TAKE_TZ},
    {0, "hosts", "FILE", "CSV of address,host[,zone] that says what is lost together", CLI_STRING, offsetof(struct config, hosts)},
    {'e', "events", NULL, "the events themselves, one a line, instead of the story", CLI_FLAG, offsetof(struct config, events)},
    {0, "plaso", NULL, "CSV that Timesketch and plaso import as it is", CLI_FLAG, offsetof(struct config, plaso)},
    {0},
};

static const char *take_time(const char *value, bool *has, int64_t *ms)
{
    *has = time_read(escape_string(value), ms);
    return *has ? NULL : "a time as 2026-11-22T14:52:25Z";
}

static const char *take_node(struct history_selection *selection, const char *value)
{
    if (selection->node_count == HISTORY_NODES_MAX || !*value)
        return "ip:port, a node id or its beginning; at most 64";
    selection->nodes[selection->node_count++] = value;
    return NULL;
}

static const char *take_slot(struct history_selection *selection, const char *value)
{
    unsigned slot = 0;
    for (const char *at = value; *at; at++) {
        if (*at < '0' || *at > '9' || (slot = slot * 10 + (unsigned)(*at - '0')) >= SLOT_COUNT)
            return "a slot, 0 to 16383";
    }
    selection->slot = slot;
    selection->has_slot = *value;
    return *value ? NULL : "a slot, 0 to 16383";
}

static const char *take(void *context, int id, const char *value)
{
    struct config *config = context;
    struct history_selection *selection = &config->selection;
    switch (id) {
    case TAKE_SINCE:
        return take_time(value, &selection->has_since, &selection->since_ms);
    case TAKE_UNTIL:
        return take_time(value, &selection->has_until, &selection->until_ms);
    case TAKE_AROUND:
        return take_time(value, &config->around, &config->around_ms);
    case TAKE_NODE:
        return take_node(selection, value);
    case TAKE_SLOT:
        return take_slot(selection, value);
    case TAKE_KIND:
        return history_select_kind(selection, value) ? NULL : "a kind of episode or event; docs/timeline.md lists all";
    default:
        return zones_add(&config->zones, value) ? NULL : "ZONE or HOST=ZONE, as +02:00 or a name of /usr/share/zoneinfo";
    }
}

static const struct cli_command command = {
    .name = "rcf-timeline",
    .synopsis = (const char *const[]){"[OPTION]... CASE...", NULL},
    .summary = "Tells what happened to a cluster: all events of all instances on one clock, and what they add up to.",
    .options = options,
    .least_operands = 1,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES,
    .records = (const struct record_type *const[]){&timeline_record, &timeline_clock_record, &timeline_plaso_record, NULL},
    .notes =
        "Sources are logs, nodes.conf files and captures, dumps, append-only files, and the differences between several\n"
        "captures of one instance: give the folders of all stages. Servers log local time of a zone that they do not\n"
        "name, and clocks are wrong: from events that two hosts have both written, and from what a host dates by its log\n"
        "and by its dumps, the offset of each log clock is found. Times as written stay in raw_time. --tz names zones\n"
        "that are known. docs/timeline.md says how it works and what marks mean.",
    .exit_codes = {"the story is told", NULL, "nothing to tell of, unreadable evidence, bad usage"},
    .examples = (const char *const[]){
        "rcf-timeline fixtures/story-redis-4.0.1/10-recovered",
        "rcf-timeline --around=2026-11-22T14:53:44Z --within=20 fixtures/story-redis-4.0.1/10-recovered",
        "rcf-timeline --events --kind=election-won --kind=vote-granted fixtures/story-redis-7.0.15/10-recovered",
        "rcf-timeline --plaso fixtures/story-redis-7.0.15/10-recovered",
        NULL},
    .take = take,
};

static void write_answer(struct cli *cli, const struct config *config, struct timeline_writing *writing)
{
    if (config->plaso)
        timeline_write_plaso(writing);
    else if (cli->format == FORMAT_TEXT)
        timeline_write_text(writing, config->events);
    else
        timeline_write_records(writing, cli->format);
}

/* What is not in the rows. */
static void say_limits(struct cli *cli, const struct history *history)
{
    bool unknown = false;
    for (size_t c = 0; c < history->clock_count; c++)
        unknown |= history->clocks[c].zone == ZONE_UNKNOWN && history->clocks[c].basis == OFFSET_UNKNOWN;
    if (unknown)
        cli_note(cli, "some log clocks are tied to nothing: their times are taken for UTC (--tz names a zone)");
    if (history->left_out)
        cli_note(cli, "%llu lines are only counted, in runs of their event: logs that repeat themselves had filled their memory",
                 (unsigned long long)history->left_out);
}

static int tell(struct cli *cli, const struct config *config, const struct evidence *evidence, struct arena *arena)
{
    struct history_options how = {.zones = &config->zones};
    cli_say_unread(cli, evidence);
    struct clusters *clusters = clusters_build(evidence, arena);
    struct history *history = clusters ? history_build(evidence, clusters, &how, arena) : NULL;
    if (!history) {
        cli_error(cli, "out of memory");
        return CLI_FAILED;
    }
    if (!history->count) {
        cli_error(cli, "nothing in the case tells of a time");
        cli_hint(cli, "logs, nodes.conf files, captures, dumps and append-only files do; rcf-identify shows what the files are");
        return CLI_FAILED;
    }
    struct timeline_writing writing = {cli->out, history, &config->selection, arena, cli->verbose > 0};
    write_answer(cli, config, &writing);
    cli_say_damaged(cli, evidence);
    say_limits(cli, history);
    if (arena_failed(arena)) {
        cli_error(cli, "out of memory");
        return CLI_FAILED;
    }
    return evidence->unreadable ? CLI_FAILED : CLI_OK;
}

static void progress(void *context, size_t done, size_t total)
{
    cli_progress(context, "reading %zu of %zu files", done, total);
}

static int run(struct cli *cli, struct config *config)
{
    struct evidence_options reading = {.hosts = config->hosts, .progress = progress, .context = cli};
    struct evidence *evidence = evidence_open(cli->operands, (size_t)cli->operand_count, &reading);
    int code = CLI_FAILED;
    if (!evidence)
        cli_error(cli, "out of memory");
    else if (evidence->problem)
        cli_error(cli, "%s", evidence->problem);
    else
        code = tell(cli, config, evidence, evidence->arena);
    evidence_close(evidence);
    return code;
}

int main(int argc, char **argv)
{
    struct config config = {.within_s = WITHIN_S};
    struct cli cli;
    int code;
    if (!cli_start(&cli, &command, argc, argv, &config)) {
        code = cli.exit_code;
    } else if (config.plaso && cli.format != FORMAT_TEXT && cli.format != FORMAT_CSV) {
        code = cli_usage(&cli, "--plaso is a CSV of its own");
    } else if (config.around && (config.selection.has_since || config.selection.has_until)) {
        code = cli_usage(&cli, "--around and --since or --until are two answers");
    } else {
        struct history_selection *selection = &config.selection;
        int64_t within_ms = (int64_t)config.within_s * SECOND_MS;
        if (config.around) {
            selection->has_since = selection->has_until = true;
            selection->since_ms = config.around_ms > INT64_MIN + within_ms ? config.around_ms - within_ms : INT64_MIN;
            selection->until_ms = config.around_ms < INT64_MAX - within_ms - 1 ? config.around_ms + within_ms + 1 : INT64_MAX;
        }
        code = run(&cli, &config);
    }
    zones_free(&config.zones);
    return cli_finish(&cli, code);
}
