/* rcf-topology: the topology that the views of a case add up to. */
#include <string.h>

#include "tools/cli/cli.h"
#include "tools/cli/unread.h"
#include "tools/evidence/evidence.h"
#include "tools/render/topology_output.h"

static const char *const synopsis[] = {"[OPTION]... CASE...", NULL};

static const struct record_type *const records[] = {
    &topology_records[TOPOLOGY_NODES],     &topology_records[TOPOLOGY_SLOTS],
    &topology_records[TOPOLOGY_REPLICAS],  &topology_records[TOPOLOGY_VIEWS],
    &topology_records[TOPOLOGY_TOTALS],    &topology_records[TOPOLOGY_TOLERANCE],
    &topology_records[TOPOLOGY_TAKEOVERS], &topology_records[TOPOLOGY_PAIRS],
    NULL,
};

static const char *const table_words[] = {"nodes",  "slots",     "replicas",  "views",
                                          "totals", "tolerance", "takeovers", "pairs", NULL};

struct config {
    bool table_chosen;
    unsigned table; /* enum topology_table */
    bool dot;
    const char *hosts;
};

enum { TAKE_TABLE = 1 };

static const char *take(void *context, int id, const char *value)
{
    struct config *config = context;
    if (id != TAKE_TABLE)
        return NULL;
    for (unsigned i = 0; table_words[i]; i++) {
        if (strcmp(value, table_words[i]) != 0)
            continue;
        config->table = i;
        config->table_chosen = true;
        return NULL;
    }
    return "a table";
}

static const struct cli_option options[] = {
    {'t', "table", "TABLE", "which table; without it nodes, in text an overview, in JSON all", CLI_TAKE,
     .words = table_words, .id = TAKE_TABLE},
    {0, "dot", NULL, "short for --format=dot", CLI_FLAG, offsetof(struct config, dot)},
    {0, "hosts", "FILE", "CSV of address,host[,zone] that says what is lost together", CLI_STRING,
     offsetof(struct config, hosts)},
    {0},
};

static const char *const examples[] = {
    "rcf-topology fixtures/story-redis-4.0.1/06-stale-restarted",
    "rcf-topology --csv --table=slots fixtures/story-redis-4.0.1/10-recovered",
    "rcf-topology --table=tolerance fixtures/story-redis-4.0.1/10-recovered",
    "rcf-topology --dot fixtures/story-redis-4.0.1/10-recovered",
    NULL,
};

static const struct cli_command command = {
    .name = "rcf-topology",
    .synopsis = synopsis,
    .summary = "Show the topology that the views of a case add up to.",
    .options = options,
    .least_operands = 1,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES | FORMAT_BIT(FORMAT_DOT),
    .records = records,
    .notes = "Where views disagree, a node's own file stands unless a member's view has a higher\n"
             "configEpoch for it; of several claims to a slot the highest configEpoch wins.\n"
             "rcf-diff shows the disagreement itself, rcf-check judges it.\n\n"
             "tolerance, takeovers and pairs say what would be left after the loss of a host, a zone\n"
             "(--hosts), or two instances; totals sums them up.",
    .exit_codes = {"shown", NULL, "no view in the case, unreadable evidence, bad usage"},
    .examples = examples,
    .take = take,
};

static void write_answer(struct cli *cli, const struct config *config, struct topology_writing *writing)
{
    if (config->dot || cli->format == FORMAT_DOT)
        topology_write_dot(writing);
    else if (cli->format == FORMAT_JSON && !config->table_chosen)
        topology_write_document(writing);
    else if (cli->format != FORMAT_TEXT)
        topology_write_table(writing, (enum topology_table)config->table, cli->format);
    else if (config->table_chosen)
        topology_write_text(writing, (enum topology_table)config->table);
    else
        topology_write_overview(writing, cli->verbose > 0);
}

static int show(struct cli *cli, const struct config *config, const struct evidence *evidence)
{
    cli_say_unread(cli, evidence);
    struct clusters *clusters = clusters_build(evidence, evidence->arena);
    struct topologies *topologies = clusters ? topologies_of(evidence, clusters, evidence->arena) : NULL;
    if (!topologies) {
        cli_error(cli, "out of memory");
        return CLI_FAILED;
    }
    if (topologies->view_count == 0) {
        cli_error(cli, "no view of a cluster in the case");
        cli_hint(cli, "a view is a nodes.conf or a capture of CLUSTER NODES; rcf-identify shows what the files are");
        return CLI_FAILED;
    }
    struct topology_writing writing = {cli->out, evidence, topologies, evidence->arena, NULL};
    write_answer(cli, config, &writing);
    cli_say_damaged(cli, evidence);
    if (arena_failed(evidence->arena)) {
        cli_error(cli, "out of memory");
        return CLI_FAILED;
    }
    return evidence->unreadable ? CLI_FAILED : CLI_OK;
}

static void report_progress(void *context, size_t done, size_t total)
{
    cli_progress(context, "%zu of %zu files", done, total);
}

int main(int argc, char **argv)
{
    struct config config = {0};
    struct cli cli;
    if (!cli_start(&cli, &command, argc, argv, &config))
        return cli_finish(&cli, cli.exit_code);

    if (config.dot && cli.format != FORMAT_TEXT && cli.format != FORMAT_DOT)
        return cli_finish(&cli, cli_usage(&cli, "--dot and another format exclude each other"));
    if (config.table_chosen && (config.dot || cli.format == FORMAT_DOT))
        return cli_finish(&cli, cli_usage(&cli, "a graph has no --table"));

    struct evidence_options reading = {.hosts = config.hosts, .progress = report_progress, .context = &cli};
    struct evidence *evidence = evidence_open(cli.operands, (size_t)cli.operand_count, &reading);
    int code = CLI_FAILED;
    if (!evidence)
        cli_error(&cli, "out of memory");
    else if (evidence->problem)
        cli_error(&cli, "%s", evidence->problem);
    else
        code = show(&cli, &config, evidence);

    code = cli_finish(&cli, code);
    evidence_close(evidence);
    return code;
}
