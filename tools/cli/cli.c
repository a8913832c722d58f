#include "tools/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/cli/cli_private.h"
#include "tools/render/escape.h"

enum {
    PROGRESS_DELAY_MS = 1000,
    PROGRESS_PERIOD_MS = 100,
    PROGRESS_WIDTH = 79
};

/* A standard descriptor that the parent closed would be given to the first file that is opened, which may be evidence.
 * It is occupied by /dev/null, opened the wrong way round, so that to use it still fails. */
static void occupy_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
}

/* A reader of our output that goes away is then a write error like any other. */
static void ignore_broken_pipes(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
}

static bool is_capable_terminal(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term && strcmp(term, "dumb") != 0;
}

/* no-color.org: NO_COLOR counts when it is set and not empty. */
static bool wants_colour(const struct cli *cli)
{
    enum { AUTO, ALWAYS, NEVER };
    const char *no_colour = getenv("NO_COLOR");
    if (cli->format != FORMAT_TEXT || cli->colour_when == NEVER)
        return false;
    return cli->colour_when == ALWAYS || (is_capable_terminal(STDOUT_FILENO) && !(no_colour && *no_colour));
}

static uint64_t monotonic_ms(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC_COARSE, &now) != 0)
        return 0;
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void hide_progress(void *context)
{
    struct cli *cli = context;
    if (cli->progress_shown) {
        cli->progress_shown = false;
        out_text(cli->err, "\r\033[K");
        out_flush(cli->err);
    }
}

static void plan_progress(struct cli *cli)
{
    if (cli->quiet || !is_capable_terminal(STDERR_FILENO))
        return;
    cli->progress_due = monotonic_ms() + PROGRESS_DELAY_MS;
    if (isatty(STDOUT_FILENO))
        out_on_flush(cli->out, hide_progress, cli);
}

bool cli_start(struct cli *cli, const struct cli_command *command, int argc, char **argv, void *config)
{
    occupy_standard_descriptors();
    ignore_broken_pipes();
    *cli = (struct cli){.command = command, .exit_code = CLI_FAILED};
    cli->err = out_open(STDERR_FILENO);
    cli->out = out_open(STDOUT_FILENO);
    if (!cli->err || !cli->out) {
        cli_error(cli, "out of memory");
        return false;
    }

    struct cli_rows rows;
    cli_collect_rows(&rows, cli, config);
    switch (cli_read_arguments(cli, &rows, argc, argv)) {
    case CLI_REQUEST_USAGE: return false;
    case CLI_REQUEST_HELP: cli_write_help(cli, &rows); break;
    case CLI_REQUEST_VERSION: cli_write_version(cli); break;
    case CLI_REQUEST_WORDS: cli_write_words(cli, &rows); break;
    case CLI_REQUEST_WORK:
        cli->colour = wants_colour(cli);
        out_colour(cli->out, cli->colour);
        if (cli->quiet)
            out_silence(cli->out);
        plan_progress(cli);
        return true;
    }
    cli->exit_code = CLI_OK;
    return false;
}

/* One message line. `file` NULL: no place; `label`: "detail", ... or NULL. Errors and notes begin with the tool's name,
 * the lines that belong to them do not. */
struct heading {
    const char *tool;
    const char *file;
    const struct place *place;
    const char *label;
};

static void write_heading(struct out *err, const struct heading *heading)
{
    if (heading->tool)
        out_format(err, "%s: ", heading->tool);
    if (heading->file) {
        escape_printable(err, escape_string(heading->file));
        if (heading->place) {
            out_byte(err, ':');
            out_u64(err, heading->place->line ? heading->place->line : heading->place->offset);
        }
        out_text(err, ": ");
    }
    if (heading->label)
        out_format(err, "%s: ", heading->label);
}

static void write_message(struct cli *cli, struct heading heading, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

static void write_message(struct cli *cli, struct heading heading, const char *format, va_list arguments)
{
    struct out *text = out_open_memory();
    if (!text || !cli->err) {
        /* Without memory nothing from evidence can be escaped, so only the format, which is ours, is shown. */
        dprintf(STDERR_FILENO, "%s: %s\n", cli->command->name, format);
        out_close(text);
        return;
    }
    hide_progress(cli);
    out_vformat(text, format, arguments);
    write_heading(cli->err, &heading);
    escape_terminal(cli->err, out_held(text));
    out_byte(cli->err, '\n');
    out_flush(cli->err);
    out_close(text);
}

void cli_error(struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_message(cli, (struct heading){.tool = cli->command->name}, format, arguments);
    va_end(arguments);
}

void cli_error_at(struct cli *cli, const char *file, const struct place *place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_message(cli, (struct heading){cli->command->name, file, place, NULL}, format, arguments);
    va_end(arguments);
}

void cli_detail(struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_message(cli, (struct heading){.label = "detail"}, format, arguments);
    va_end(arguments);
}

void cli_hint(struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_message(cli, (struct heading){.label = "hint"}, format, arguments);
    va_end(arguments);
}

void cli_note(struct cli *cli, const char *format, ...)
{
    if (cli->quiet)
        return;
    va_list arguments;
    va_start(arguments, format);
    write_message(cli, (struct heading){.tool = cli->command->name, .label = "note"}, format, arguments);
    va_end(arguments);
}

int cli_usage(struct cli *cli, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_message(cli, (struct heading){.tool = cli->command->name}, format, arguments);
    va_end(arguments);
    out_format(cli->err, "Try '%s --help' for more information.\n", cli->command->name);
    out_flush(cli->err);
    return CLI_FAILED;
}

void cli_progress(struct cli *cli, const char *format, ...)
{
    if (cli->progress_due == 0)
        return;
    uint64_t now = monotonic_ms();
    if (now < cli->progress_due)
        return;
    cli->progress_due = now + PROGRESS_PERIOD_MS;

    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    out_byte(cli->err, '\r');
    escape_cut(cli->err, escape_string(text), PROGRESS_WIDTH);
    out_text(cli->err, "\033[K");
    out_flush(cli->err);
    cli->progress_shown = true;
}

/* NFS and quotas report lost writes at close. */
static int end_standard_output(struct out *out)
{
    out_flush(out);
    if (close(STDOUT_FILENO) != 0 && errno != EBADF)
        out_fail(out, errno);
    return out_error(out);
}

int cli_finish(struct cli *cli, int code)
{
    if (cli->out && cli->err) {
        hide_progress(cli);
        int error = end_standard_output(cli->out);
        if (error && error != EPIPE)
            cli_error(cli, "standard output: %s", strerror(error));
        if (error)
            code = CLI_FAILED;
    } else {
        code = CLI_FAILED;
    }
    out_close(cli->out);
    out_close(cli->err);
    free(cli->operands);
    *cli = (struct cli){.command = cli->command};
    return code;
}
