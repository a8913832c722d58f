/* What every command does the same way: options, help, messages, progress, exit codes.
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct config config = {.top = 10};
 *         struct cli cli;
 *         if (!cli_start(&cli, &command, argc, argv, &config))
 *             return cli_finish(&cli, cli.exit_code);
 *         ...                                          output goes to cli.out
 *         return cli_finish(&cli, found ? CLI_FOUND : CLI_OK);
 *     }
 *
 * A command declares its own options in one table; these rows are added to each: -f --format, --json, --csv, --color,
 * -q --quiet, -v --verbose, -h --help, -V --version. Options may follow operands, `--` ends them, long options may be
 * shortened while they stay unambiguous. Messages never carry a byte to the terminal that it could interpret.
 */
#ifndef RCF_CLI_H
#define RCF_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parsers/parse.h"
#include "tools/render/format.h"
#include "tools/render/out.h"
#include "tools/render/table.h"

enum cli_exit {
    CLI_OK = 0,    /* nothing wrong, no difference, empty */
    CLI_FOUND = 1, /* a finding, a difference, not empty, a damaged file; a plan refused */
    CLI_FAILED = 2 /* the job could not be done */
};

/* What an option does with its value. The target is the member of the config at `offset`. */
enum cli_kind {
    CLI_FLAG,   /* bool: true. The only kind without an argument, besides CLI_TAKE with `argument` NULL */
    CLI_STRING, /* const char *: the value; the last one wins */
    CLI_NUMBER, /* uint64_t: decimal digits, `least` to `most` (0: no limit) */
    CLI_CHOICE, /* unsigned: the index in `words` */
    CLI_TAKE    /* the command's take(), with `id`: repeatable options and values with a grammar of their own */
};

struct cli_option {
    char letter;          /* 0: none */
    const char *name;     /* without the dashes; NULL ends a table */
    const char *argument; /* what --help calls the value, "NODE"; NULL takes none */
    const char *help;     /* a sentence without a full stop; the `words` are added to it; NULL hides the option */
    enum cli_kind kind;
    size_t offset;
    const char *const *words; /* NULL-terminated: the values there are, of CLI_CHOICE and, if it likes, CLI_TAKE */
    uint64_t least, most;
    int id;
};

enum {
    CLI_MANY = -1,
    CLI_MOST_OPTIONS = 40 /* rows that a command may have of its own */
};

/* A command, all of it constant. NULL members are left out of the help, except where a default is given. */
struct cli_command {
    const char *name;            /* "rcf-nodes" */
    const char *const *synopsis; /* what follows the name, a string a form: "[OPTION]... FILE..." */
    const char *summary;         /* one sentence */
    const struct cli_option *options; /* ended by a row without a name, or NULL */
    int least_operands;
    int most_operands;                        /* or CLI_MANY */
    unsigned formats;                         /* FORMAT_BIT()s; 0 is text only */
    const struct record_type *const *records; /* NULL-terminated: their fields are listed */
    const char *notes;                        /* paragraphs, broken into lines by hand */
    const char *exit_codes[3];                /* what 0, 1 and 2 mean; a NULL 1 is not used, 0 and 2 have defaults */
    const char *const *examples;              /* command lines that can be run; NULL-terminated */

    /* For CLI_TAKE: stores a value (NULL for none) and gives NULL, or what was expected instead: "NODE=SECONDS". */
    const char *(*take)(void *config, int id, const char *value);
};

struct cli {
    const struct cli_command *command;
    enum format format;
    bool colour; /* already told to `out` */
    bool quiet; /* `out` is silent already */
    unsigned verbose;
    char **operands; /* borrowed words of argv; NULL-terminated */
    int operand_count;
    struct out *out; /* standard output */
    int exit_code;   /* when cli_start() was false */

    /* The rest is cli.c's own. */
    struct out *err;
    unsigned colour_when;
    uint64_t progress_due; /* monotonic milliseconds; 0: never */
    bool progress_shown;
};

/* Reads the command line into `cli` and the config. False when there is nothing more to do (help, version) or to be
 * done (bad usage, said on stderr): then cli_finish(cli, cli->exit_code) still must be called. Ignores SIGPIPE. */
bool cli_start(struct cli *cli, const struct cli_command *command, int argc, char **argv, void *config);

/* Bad usage found by the command itself: the message, the hint at --help, CLI_FAILED to return. */
int cli_usage(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `tool: what happened` on stderr. Lower case, no full stop; evidence bytes may be passed as they are. */
void cli_error(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `tool: file:line: what`, or `tool: file:offset: what` when the place has no line, or `tool: file: what` for NULL. */
void cli_error_at(struct cli *cli, const char *file, const struct place *place, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* `detail: ...` and `hint: ...` lines after an error. */
void cli_detail(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
void cli_hint(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `tool: note: ...`: what should be known although nothing failed. Not with -q. */
void cli_note(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A line that says how far the work is: on a terminal only, not with -q, after one second, then ten times a second;
 * otherwise cheap. It disappears before anything else is written. */
void cli_progress(struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the command: flushes and closes standard output, frees, and gives the exit code: `code`, or CLI_FAILED with a
 * message when output was lost (without one when the reader of a pipe went away). */
int cli_finish(struct cli *cli, int code);

#endif
