#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/cli/cli_private.h"
#include "tools/render/escape.h"

static const char *const format_name[FORMAT_COUNT] = {
    [FORMAT_TEXT] = "text",   [FORMAT_CSV] = "csv", [FORMAT_JSON] = "json",
    [FORMAT_JSONL] = "jsonl", [FORMAT_DOT] = "dot", [FORMAT_SH] = "sh",
};

static const char *const colour_words[] = {"auto", "always", "never", NULL};

enum shared_id { TAKE_FORMAT = 1, TAKE_JSON, TAKE_CSV, TAKE_VERBOSE, ASK_HELP, ASK_VERSION, ASK_WORDS };

/* Their config is the struct cli. Rows with an id of ASK_* end the reading at once. */
static const struct cli_option shared_options[] = {
    {'f', "format", "FORMAT", "how to write the answer; text is the default", CLI_TAKE, .id = TAKE_FORMAT},
    {0, "json", NULL, "short for --format=json", CLI_TAKE, .id = TAKE_JSON},
    {0, "csv", NULL, "short for --format=csv", CLI_TAKE, .id = TAKE_CSV},
    {0, "color", "WHEN", "colour in text; auto is for a terminal without NO_COLOR", CLI_CHOICE,
     offsetof(struct cli, colour_when), colour_words},
    {'q', "quiet", NULL, "no answer and no notes, only errors and the exit status", CLI_FLAG,
     offsetof(struct cli, quiet)},
    {'v', "verbose", NULL, "say more; may be repeated", CLI_TAKE, .id = TAKE_VERBOSE},
    {'h', "help", NULL, "this text", CLI_TAKE, .id = ASK_HELP},
    {'V', "version", NULL, "the version", CLI_TAKE, .id = ASK_VERSION},
    {0, "cli-words", NULL, NULL, CLI_TAKE, .id = ASK_WORDS},
    {0},
};

static const char *take_shared(void *config, int id, const char *value)
{
    struct cli *cli = config;
    if (id == TAKE_VERBOSE) {
        cli->verbose++;
        return NULL;
    }
    const char *name = id == TAKE_FORMAT ? value : format_name[id == TAKE_JSON ? FORMAT_JSON : FORMAT_CSV];
    for (unsigned format = 0; format < FORMAT_COUNT; format++) {
        if ((cli->command->formats & FORMAT_BIT(format)) && strcmp(name, format_name[format]) == 0) {
            cli->format = (enum format)format;
            return NULL;
        }
    }
    return "a format";
}

static bool is_offered(const struct cli_command *command, const struct cli_option *shared)
{
    switch (shared->id) {
    case TAKE_FORMAT: return command->formats != 0;
    case TAKE_JSON: return command->formats & FORMAT_BIT(FORMAT_JSON);
    case TAKE_CSV: return command->formats & FORMAT_BIT(FORMAT_CSV);
    default: return true;
    }
}

static struct cli_option *add_row(struct cli_rows *rows, struct cli_row row)
{
    if (rows->count == CLI_MOST_ROWS)
        return NULL;
    rows->row[rows->count] = row;
    return &rows->row[rows->count++].option;
}

void cli_collect_rows(struct cli_rows *rows, struct cli *cli, void *config)
{
    const struct cli_command *command = cli->command;
    *rows = (struct cli_rows){0};
    for (const struct cli_option *own = command->options; own && own->name && rows->count < CLI_MOST_OPTIONS; own++)
        add_row(rows, (struct cli_row){*own, config, command->take});

    size_t formats = 0;
    for (unsigned format = 0; format < FORMAT_COUNT; format++)
        if (command->formats & FORMAT_BIT(format))
            rows->formats[formats++] = format_name[format];

    for (const struct cli_option *shared = shared_options; shared->name; shared++) {
        if (!is_offered(command, shared))
            continue;
        struct cli_option *row = add_row(rows, (struct cli_row){*shared, cli, take_shared});
        if (row && shared->id == TAKE_FORMAT)
            row->words = rows->formats;
    }
}

/* "auto, always or never" */
static void write_words(struct out *out, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        out_text(out, i == 0 ? "" : words[i + 1] ? ", " : " or ");
        out_text(out, words[i]);
    }
}

static void write_expected(struct out *out, const struct cli_option *option, const char *otherwise)
{
    if (option->words) {
        write_words(out, option->words);
    } else if (option->kind != CLI_NUMBER) {
        out_text(out, otherwise);
    } else {
        out_text(out, "a whole number");
        if (option->least && option->most)
            out_format(out, " from %llu to %llu", (unsigned long long)option->least, (unsigned long long)option->most);
        else if (option->least)
            out_format(out, " of at least %llu", (unsigned long long)option->least);
        else if (option->most)
            out_format(out, " of at most %llu", (unsigned long long)option->most);
    }
}

static void refuse_value(struct cli *cli, const struct cli_option *option, const char *value, const char *otherwise)
{
    struct out *text = out_open_memory();
    if (!text) {
        cli_error(cli, "out of memory");
        return;
    }
    write_expected(text, option, otherwise);
    struct bytes expected = out_held(text);
    cli_usage(cli, "--%s: expected %.*s, not '%s'", option->name, (int)expected.len, (const char *)expected.at, value);
    out_close(text);
}

static bool choose(const struct cli_option *option, const char *value, unsigned *target)
{
    for (unsigned i = 0; option->words[i]; i++) {
        if (strcmp(option->words[i], value) == 0) {
            *target = i;
            return true;
        }
    }
    return false;
}

static bool read_number(const struct cli_option *option, const char *value, uint64_t *target)
{
    uint64_t number;
    if (!text_u64(escape_string(value), &number) || number < option->least || (option->most && number > option->most))
        return false;
    *target = number;
    return true;
}

/* Stores a value where its row says. False when it is none, with what was expected for a CLI_TAKE. */
static bool store(const struct cli_row *row, const char *value, const char **expected)
{
    const struct cli_option *option = &row->option;
    void *target = (char *)row->config + option->offset;
    switch (option->kind) {
    case CLI_FLAG: *(bool *)target = true; return true;
    case CLI_STRING: *(const char **)target = value; return true;
    case CLI_NUMBER: return read_number(option, value, target);
    case CLI_CHOICE: return choose(option, value, target);
    case CLI_TAKE: *expected = row->take(row->config, option->id, value); return !*expected;
    }
    return false;
}

/* getopt's values for long options begin here, past every letter. */
enum { ROW_VALUE = 256 };

static const struct cli_row *row_of(const struct cli_rows *rows, int value)
{
    if (value >= ROW_VALUE)
        return &rows->row[value - ROW_VALUE];
    for (size_t i = 0; value > 0 && i < rows->count; i++)
        if (rows->row[i].option.letter == value)
            return &rows->row[i];
    return NULL;
}

static void prepare_getopt(const struct cli_rows *rows, struct option longs[static CLI_MOST_ROWS + 1],
                           char letters[static 2 * CLI_MOST_ROWS + 3])
{
    size_t at = 0;
    letters[at++] = '-'; /* operands come in their order as value 1, whatever POSIXLY_CORRECT says */
    letters[at++] = ':'; /* a missing argument is told from an unknown option */
    for (size_t i = 0; i < rows->count; i++) {
        const struct cli_option *option = &rows->row[i].option;
        int has_argument = option->argument ? required_argument : no_argument;
        longs[i] = (struct option){option->name, has_argument, NULL, ROW_VALUE + (int)i};
        if (option->letter)
            letters[at++] = option->letter;
        if (option->letter && option->argument)
            letters[at++] = ':';
    }
    letters[at] = '\0';
    longs[rows->count] = (struct option){0};
}

/* getopt does not tell an unknown long option from one shortened too far. */
static void refuse_long(struct cli *cli, const struct cli_rows *rows, const char *word)
{
    struct bytes name = escape_string(word + 2);
    struct bytes value;
    text_split(name, '=', &name, &value);
    const char *matches[2];
    size_t count = 0;
    for (size_t i = 0; i < rows->count && count < 2; i++) {
        const struct cli_option *option = &rows->row[i].option;
        if (option->help && strncmp(option->name, word + 2, name.len) == 0)
            matches[count++] = option->name;
    }
    if (count == 2)
        cli_usage(cli, "option '--%.*s' is ambiguous: --%s or --%s", (int)name.len, word + 2, matches[0], matches[1]);
    else
        cli_usage(cli, "unknown option '--%.*s'", (int)name.len, word + 2);
}

static void refuse_option(struct cli *cli, const struct cli_rows *rows, int code, const char *word)
{
    const struct cli_row *row = row_of(rows, optopt);
    if (code == ':' && row)
        cli_usage(cli, "option '--%s' needs an argument: %s", row->option.name, row->option.argument);
    else if (row)
        cli_usage(cli, "option '--%s' takes no argument", row->option.name);
    else if (optopt)
        cli_usage(cli, "unknown option '-%c'", optopt);
    else
        refuse_long(cli, rows, word);
}

static bool check_operands(struct cli *cli)
{
    if (cli->operand_count < cli->command->least_operands) {
        cli_usage(cli, cli->operand_count ? "too few operands" : "missing operand");
        return false;
    }
    if (cli->command->most_operands != CLI_MANY && cli->operand_count > cli->command->most_operands) {
        cli_usage(cli, "unexpected operand '%s'", cli->operands[cli->command->most_operands]);
        return false;
    }
    int standard = 0;
    for (int i = 0; i < cli->operand_count; i++)
        standard += strcmp(cli->operands[i], "-") == 0;
    if (standard > 1)
        cli_usage(cli, "standard input can be read once only");
    return standard <= 1;
}

static enum cli_request request_of(const struct cli_row *row)
{
    if (row->take == take_shared && row->option.id == ASK_HELP)
        return CLI_REQUEST_HELP;
    if (row->take == take_shared && row->option.id == ASK_VERSION)
        return CLI_REQUEST_VERSION;
    if (row->take == take_shared && row->option.id == ASK_WORDS)
        return CLI_REQUEST_WORDS;
    return CLI_REQUEST_WORK;
}

enum cli_request cli_read_arguments(struct cli *cli, const struct cli_rows *rows, int argc, char **argv)
{
    cli->operands = calloc((size_t)argc + 1, sizeof *cli->operands);
    if (!cli->operands) {
        cli_error(cli, "out of memory");
        return CLI_REQUEST_USAGE;
    }

    struct option longs[CLI_MOST_ROWS + 1];
    char letters[2 * CLI_MOST_ROWS + 3];
    prepare_getopt(rows, longs, letters);
    opterr = 0;
    optind = 0; /* in glibc a fresh start, which reads the first characters of `letters` anew */
    for (int code; (code = getopt_long(argc, argv, letters, longs, NULL)) != -1;) {
        if (code == 1) {
            cli->operands[cli->operand_count++] = optarg;
            continue;
        }
        const struct cli_row *row = row_of(rows, code);
        if (!row) { /* `?` or `:` */
            refuse_option(cli, rows, code, argv[optind - 1]);
            return CLI_REQUEST_USAGE;
        }
        if (request_of(row) != CLI_REQUEST_WORK)
            return request_of(row);
        const char *expected = NULL;
        if (!store(row, optarg, &expected)) {
            refuse_value(cli, &row->option, optarg ? optarg : "", expected);
            return CLI_REQUEST_USAGE;
        }
    }
    while (optind < argc)
        cli->operands[cli->operand_count++] = argv[optind++];
    return check_operands(cli) ? CLI_REQUEST_WORK : CLI_REQUEST_USAGE;
}
