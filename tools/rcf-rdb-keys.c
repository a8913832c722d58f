/* rcf-rdb-keys: the keys of dumps, one row each. */
#include <inttypes.h>

#include "tools/cli/cli.h"
#include "tools/cli/dump_operands.h"
#include "tools/cli/key_options.h"
#include "tools/render/keys.h"

struct config {
    struct selection selection;
    bool values;
};

static const struct cli_option options[] = {
    KEY_OPTION_ROWS,
    {0, "values", NULL, "with json and jsonl: the whole value of each key", CLI_FLAG, offsetof(struct config, values),
     NULL, 0, 0, 0},
    {0},
};

static const char *take(void *config, int id, const char *value)
{
    return key_options_take(&((struct config *)config)->selection, id, value);
}

static const struct cli_command command = {
    .name = "rcf-rdb-keys",
    .synopsis = (const char *const[]){"[OPTION]... FILE...", NULL},
    .summary = "Lists the keys of RDB dumps, a row each, in the order of the file.",
    .options = options,
    .least_operands = 1,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES,
    .records = (const struct record_type *const[]){&keys_file_record, NULL},
    .notes =
        "A FILE may be compressed with gzip, lz4 or zstd; - is standard input. Memory does not depend on its size.\n"
        "Keys that have expired are listed too. What a damaged dump still gives is listed, the damage is said. Behind\n"
        "damage that loses the position the next records are searched (rcf-rdb-check --help), but not in standard input.\n"
        "\n" KEY_OPTION_NOTES "\n"
        "\n"
        "--values adds \"value\", an object whose members follow the type: string; items (each with item); members\n"
        "(member, of a zset score too, expires where it has one); fields (field, value, expires); entries, groups and\n"
        "facts of a stream; module and values; opaque_base64 for what has no known inside. A text of evidence is the\n"
        "exact string when it is UTF-8, else the printable form with the bytes beside it in a member named _base64.\n"
        "Scores, counts and stream ids are strings, so that no digit is lost. \"sound\" is false where the value\n"
        "contradicts itself or could not be read to its end.",
    .exit_codes = {"every dump was read to its end",
                   "a dump is damaged, or not supported: what could be read is listed",
                   "a file could not be read, is no dump, or changed meanwhile"},
    .examples = (const char *const[]){
        "rcf-rdb-keys fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7000/dump_7000.rdb",
        "rcf-rdb-keys --csv --db=0 fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7000/dump_7000.rdb",
        "rcf-rdb-keys --json --values fixtures/story-redis-4.0.1/06-stale-restarted/hosts/127.0.0.6/7001/dump_7001.rdb",
        NULL},
    .take = take,
};

/* Damage among elements, which the walk through a dump leaves to whoever reads them. */
static void say_damages(struct cli *cli, struct dump_operands *operands, const struct keys_output *output, int index)
{
    struct place place;
    const char *expected, *found;
    uint64_t count = keys_output_damages(output, &place, &expected, &found);
    if (!count)
        return;
    cli_error_at(cli, dump_operands_name(operands, index), &place, "damaged value: expected %s, found %s", expected,
                 found);
    if (count > 1)
        cli_detail(cli, "%" PRIu64 " more %s inside values", count - 1, count == 2 ? "defect" : "defects");
    operands->damaged = true;
}

static int run(struct cli *cli, const struct config *config)
{
    unsigned flags = (cli->operand_count > 1 ? KEYS_FILES : 0) | (config->values ? KEYS_VALUES : 0);
    struct keys_output *output = keys_output_open(cli->out, cli->format, &config->selection, flags);
    struct dump_operands operands = dump_operands_of(cli);
    enum dump_operand outcome = DUMP_OPERAND_WHOLE;
    for (int i = 0; output && i < cli->operand_count && outcome != DUMP_OPERAND_ENDED; i++) {
        struct scan_job job;
        keys_output_file(output, dump_operands_name(&operands, i), &job);
        outcome = dump_operands_scan(&operands, i, &job);
        say_damages(cli, &operands, output, i);
    }
    keys_output_close(output);
    return dump_operands_exit(&operands, CLI_OK);
}

int main(int argc, char **argv)
{
    struct config config = {.values = false};
    struct cli cli;
    if (!cli_start(&cli, &command, argc, argv, &config))
        return cli_finish(&cli, cli.exit_code);
    if (config.values && cli.format != FORMAT_JSON && cli.format != FORMAT_JSONL)
        return cli_finish(&cli, cli_usage(&cli, "--values goes with --format=json and --format=jsonl"));
    return cli_finish(&cli, run(&cli, &config));
}
