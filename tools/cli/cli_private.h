/* What the files of tools/cli/ share: the option rows of one command, its own before those of every command. */
#ifndef RCF_CLI_PRIVATE_H
#define RCF_CLI_PRIVATE_H

#include "tools/cli/cli.h"

enum { CLI_MOST_ROWS = CLI_MOST_OPTIONS + 12 };

struct cli_row {
    struct cli_option option;
    void *config; /* what the offset counts from */
    const char *(*take)(void *config, int id, const char *value);
};

struct cli_rows {
    size_t count;
    struct cli_row row[CLI_MOST_ROWS];
    const char *formats[FORMAT_COUNT + 1]; /* names of the formats that the command offers */
};

/* What the command line asked for. */
enum cli_request { CLI_REQUEST_WORK, CLI_REQUEST_USAGE, CLI_REQUEST_HELP, CLI_REQUEST_VERSION, CLI_REQUEST_WORDS };

void cli_collect_rows(struct cli_rows *rows, struct cli *cli, void *config);

/* Reads argv into the targets of the rows and the operands of `cli`; bad usage is said before it returns. */
enum cli_request cli_read_arguments(struct cli *cli, const struct cli_rows *rows, int argc, char **argv);

void cli_write_help(struct cli *cli, const struct cli_rows *rows);
void cli_write_version(struct cli *cli);

/* The words that a shell may complete, one a line: "--format=", "--format=csv", "-f". */
void cli_write_words(struct cli *cli, const struct cli_rows *rows);

#endif
