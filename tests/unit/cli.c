#include "tools/cli/cli.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* A command with an option of each kind. It writes what it understood. */

struct config {
    bool all;
    const char *baseline;
    uint64_t top;
    unsigned table;
    unsigned skews;
};

static const char *const tables[] = {"nodes", "slots", NULL};

static const char *take(void *config, int id, const char *value)
{
    struct config *sample = config;
    if (id != 1 || !strchr(value, '='))
        return "NODE=SECONDS";
    sample->skews++;
    return NULL;
}

static const struct cli_option options[] = {
    {'a', "all", NULL, "everything", CLI_FLAG, offsetof(struct config, all)},
    {0, "baseline", "OLD", "what was found before", CLI_STRING, offsetof(struct config, baseline)},
    {'n', "top", "N", "the N biggest", CLI_NUMBER, offsetof(struct config, top), .least = 1, .most = 100},
    {'t', "table", "TABLE", "which table", CLI_CHOICE, offsetof(struct config, table), tables},
    {0, "skew", "NODE=SECONDS", "a clock that is ahead; may be repeated", CLI_TAKE, .id = 1},
    {0},
};

static const struct column columns[] = {{"key", COLUMN_BYTES, NULL, 0, 0, "the name of the key"}};
static const struct record_type keys = {"rcf-sample", 1, "keys", columns, 1};

static const struct cli_command command = {
    .name = "rcf-sample",
    .synopsis = (const char *const[]){"[OPTION]... FILE...", NULL},
    .summary = "Says what it was told.",
    .options = options,
    .least_operands = 1,
    .most_operands = 3,
    .formats = FORMAT_TABLES,
    .records = (const struct record_type *const[]){&keys, NULL},
    .exit_codes = {"all is well", "something was found"},
    .examples = (const char *const[]){"rcf-sample --top=5 dump.rdb", NULL},
    .take = take,
};

static int say(struct cli *cli, const struct config *config)
{
    out_format(cli->out, "%d%d%u %d %s %d %u %u:", cli->format, cli->quiet, cli->verbose, config->all,
               config->baseline ? config->baseline : "-", (int)config->top, config->table, config->skews);
    for (int i = 0; i < cli->operand_count; i++)
        out_format(cli->out, " %s", cli->operands[i]);
    out_byte(cli->out, '\n');
    return CLI_OK;
}

static int complain(struct cli *cli, const struct config *config)
{
    (void)config;
    cli_error(cli, "cannot read '%s': %s", "a\x1b[31m\nb", "no");
    cli_error_at(cli, "dir/f\x07.rdb", &(struct place){.offset = 77}, "length %d, but %d are left", 5, 4);
    cli_error_at(cli, "nodes.conf", &(struct place){.offset = 77, .line = 3}, "no such flag");
    cli_error_at(cli, "nodes.conf", NULL, "is empty");
    cli_detail(cli, "a detail");
    cli_hint(cli, "a hint");
    cli_note(cli, "a note");
    return CLI_FOUND;
}

static int flood(struct cli *cli, const struct config *config)
{
    (void)config;
    for (unsigned i = 0; i < 100000 && !out_error(cli->out); i++)
        out_text(cli->out, "0123456789");
    return CLI_OK;
}

static int show_progress(struct cli *cli, const struct config *config)
{
    (void)config;
    for (unsigned i = 0; i < 13; i++) {
        usleep(100000);
        cli_progress(cli, "%u of %u", i, 13u);
    }
    return CLI_OK;
}

static int run_command(int argc, char **argv, int (*work)(struct cli *cli, const struct config *config))
{
    struct config config = {.top = 10};
    struct cli cli;
    if (!cli_start(&cli, &command, argc, argv, &config))
        return cli_finish(&cli, cli.exit_code);
    return cli_finish(&cli, work(&cli, &config));
}

/* What a run of the command left behind. */
struct run {
    char out[8192];
    char err[8192];
    int code;
};

enum { MOST_WORDS = 16 };

/* A copy of the words in the first argument, which blanks separate. */
static int split_words(char *line, char *words[MOST_WORDS + 1])
{
    int count = 0;
    for (char *at = line; *at && count < MOST_WORDS;) {
        words[count++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    words[count] = NULL;
    return count;
}

static void read_back(int fd, char *text, size_t size)
{
    ssize_t len = pread(fd, text, size - 1, 0);
    text[len > 0 ? len : 0] = '\0';
}

/* Runs in a child process with `out` as its standard output, or a memory file for a negative one. */
static struct run run_on(int out, const char *line, int (*work)(struct cli *cli, const struct config *config))
{
    struct run run = {.code = -1};
    int kept = memfd_create("out", MFD_CLOEXEC);
    int err = memfd_create("err", MFD_CLOEXEC);
    cr_assert(kept >= 0 && err >= 0);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        char copy[512];
        char *words[MOST_WORDS + 1];
        snprintf(copy, sizeof copy, "%s", line);
        dup2(out < 0 ? kept : out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        int count = split_words(copy, words);
        _exit(run_command(count, words, work));
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    run.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    read_back(kept, run.out, sizeof run.out);
    read_back(err, run.err, sizeof run.err);
    close(kept);
    close(err);
    return run;
}

static struct run run_line(const char *line)
{
    return run_on(-1, line, say);
}

Test(cli, options_of_each_kind)
{
    static const struct {
        const char *line, *out;
    } rows[] = {
        {"x a", "000 0 - 10 0 0: a\n"},
        {"x a b c", "000 0 - 10 0 0: a b c\n"},
        {"x a -a --baseline=old b --top 5 -t slots", "000 1 old 5 1 0: a b\n"},
        {"x -avn7 -tslots --baseline old a", "001 1 old 7 1 0: a\n"},
        {"x --skew=a=1 --skew b=2 a", "000 0 - 10 0 2: a\n"},
        {"x -vv --verbose a", "003 0 - 10 0 0: a\n"},
        {"x --json a", "200 0 - 10 0 0: a\n"},
        {"x --csv a", "100 0 - 10 0 0: a\n"},
        {"x -f jsonl a", "300 0 - 10 0 0: a\n"},
        {"x -fcsv --format=text a", "000 0 - 10 0 0: a\n"},
        {"x --form=json a", "200 0 - 10 0 0: a\n"},
        {"x a -- -a --top", "000 0 - 10 0 0: a -a --top\n"},
        {"x - -- --", "000 0 - 10 0 0: - --\n"},
        {"x --color=always a", "000 0 - 10 0 0: a\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = run_line(rows[i].line);
        cr_expect_eq(run.code, CLI_OK, "%s", rows[i].line);
        cr_expect_str_eq(run.out, rows[i].out, "%s", rows[i].line);
        cr_expect_str_empty(run.err, "%s", rows[i].line);
    }
}

Test(cli, operands_before_options_whatever_the_environment_says)
{
    setenv("POSIXLY_CORRECT", "1", 1);
    struct run run = run_line("x a --all b");
    cr_expect_str_eq(run.out, "000 1 - 10 0 0: a b\n");
}

Test(cli, bad_usage)
{
    static const struct {
        const char *line, *what;
    } rows[] = {
        {"x", "missing operand"},
        {"x a b c d", "unexpected operand 'd'"},
        {"x --nothing a", "unknown option '--nothing'"},
        {"x --nothing=5 a", "unknown option '--nothing'"},
        {"x -az a", "unknown option '-z'"},
        {"x -\xff a", "unknown option '-\\xff'"},
        {"x --\x1b[31m a", "unknown option '--\\x1b[31m'"},
        {"x --ver a", "option '--ver' is ambiguous: --verbose or --version"},
        {"x --top", "option '--top' needs an argument: N"},
        {"x a -n", "option '--top' needs an argument: N"},
        {"x --all=5 a", "option '--all' takes no argument"},
        {"x --json=5 a", "option '--json' takes no argument"},
        {"x -n 0 a", "--top: expected a whole number from 1 to 100, not '0'"},
        {"x -n 101 a", "--top: expected a whole number from 1 to 100, not '101'"},
        {"x -n 5x a", "--top: expected a whole number from 1 to 100, not '5x'"},
        {"x -n -5 a", "--top: expected a whole number from 1 to 100, not '-5'"},
        {"x -t keys a", "--table: expected nodes or slots, not 'keys'"},
        {"x --skew=5 a", "--skew: expected NODE=SECONDS, not '5'"},
        {"x -f dot a", "--format: expected text, csv, json or jsonl, not 'dot'"},
        {"x --color=blue a", "--color: expected auto, always or never, not 'blue'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct run run = run_line(rows[i].line);
        char expected[256];
        snprintf(expected, sizeof expected, "rcf-sample: %s\nTry 'rcf-sample --help' for more information.\n",
                 rows[i].what);
        cr_expect_eq(run.code, CLI_FAILED, "%s", rows[i].line);
        cr_expect_str_eq(run.err, expected, "%s", rows[i].line);
        cr_expect_str_empty(run.out, "%s", rows[i].line);
    }
}

Test(cli, help)
{
    struct run run = run_line("x --help");
    cr_expect_eq(run.code, CLI_OK);
    cr_expect_str_empty(run.err);
    cr_expect_str_eq(run.out, "Usage: rcf-sample [OPTION]... FILE...\n"
                              "Says what it was told.\n"
                              "\n"
                              "Options:\n"
                              "  -a, --all                everything\n"
                              "      --baseline=OLD       what was found before\n"
                              "  -n, --top=N              the N biggest\n"
                              "  -t, --table=TABLE        which table (nodes, slots)\n"
                              "      --skew=NODE=SECONDS  a clock that is ahead; may be repeated\n"
                              "  -f, --format=FORMAT      how to write the answer; text is the default (text,\n"
                              "                           csv, json, jsonl)\n"
                              "      --json               short for --format=json\n"
                              "      --csv                short for --format=csv\n"
                              "      --color=WHEN         colour in text; auto is for a terminal without\n"
                              "                           NO_COLOR (auto, always, never)\n"
                              "  -q, --quiet              no answer and no notes, only errors and the exit\n"
                              "                           status\n"
                              "  -v, --verbose            say more; may be repeated\n"
                              "  -h, --help               this text\n"
                              "  -V, --version            the version\n"
                              "\n"
                              "Fields of keys:\n"
                              "  key                      the name of the key\n"
                              "\n"
                              "Exit status:\n"
                              "  0  all is well\n"
                              "  1  something was found\n"
                              "  2  the job could not be done: usage, unreadable evidence, out of memory,\n"
                              "     write error\n"
                              "\n"
                              "Examples:\n"
                              "  rcf-sample --top=5 dump.rdb\n");
    struct run with_operands = run_line("x a -h --nothing");
    cr_expect_str_eq(with_operands.out, run.out);
    cr_expect_eq(with_operands.code, CLI_OK);
}

Test(cli, version_and_words)
{
    struct run run = run_line("x -V");
    cr_expect_eq(run.code, CLI_OK);
    cr_expect_str_eq(run.out, "rcf-sample (rcf) " RCF_VERSION "\n");
    run = run_line("x --cli-words");
    cr_expect_eq(run.code, CLI_OK);
    cr_expect_not_null(strstr(run.out, "--table=\n--table=nodes\n--table=slots\n-t\n"));
    cr_expect_not_null(strstr(run.out, "--help\n-h\n"));
    cr_expect_null(strstr(run.out, "cli-words"));
}

Test(cli, messages_are_safe_and_have_places)
{
    struct run run = run_on(-1, "x a", complain);
    cr_expect_eq(run.code, CLI_FOUND);
    cr_expect_str_eq(run.err, "rcf-sample: cannot read 'a\\x1b[31m\\x0ab': no\n"
                              "rcf-sample: dir/f\\x07.rdb:77: length 5, but 4 are left\n"
                              "rcf-sample: nodes.conf:3: no such flag\n"
                              "rcf-sample: nodes.conf: is empty\n"
                              "detail: a detail\n"
                              "hint: a hint\n"
                              "rcf-sample: note: a note\n");
}

Test(cli, quiet_leaves_errors_and_the_exit_code)
{
    struct run run = run_line("x -q a");
    cr_expect_str_empty(run.out);
    cr_expect_eq(run.code, CLI_OK);
    run = run_on(-1, "x -q a", complain);
    cr_expect_eq(run.code, CLI_FOUND);
    cr_expect_null(strstr(run.err, "note"));
    cr_expect_not_null(strstr(run.err, "is empty"));
}

Test(cli, a_full_disk_is_said)
{
    static const char *const lines[] = {"x a", "x --help", "x --version", "x --cli-words"};
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cr_assert(full >= 0);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct run run = run_on(full, lines[i], say);
        cr_expect_eq(run.code, CLI_FAILED, "%s", lines[i]);
        cr_expect_str_eq(run.err, "rcf-sample: standard output: No space left on device\n", "%s", lines[i]);
    }
    cr_expect_eq(run_on(full, "x a", flood).code, CLI_FAILED);
    close(full);
}

Test(cli, a_reader_that_went_away_is_no_crash)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    close(ends[0]);
    struct run run = run_on(ends[1], "x a", flood);
    cr_expect_eq(run.code, CLI_FAILED);
    cr_expect_str_empty(run.err);
    close(ends[1]);
}

/* A descriptor that is open for reading only stands for one that the parent closed. */
Test(cli, output_that_nobody_can_take_is_said)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    cr_assert(null >= 0);
    struct run run = run_on(null, "x a", say);
    cr_expect_eq(run.code, CLI_FAILED);
    cr_expect_str_eq(run.err, "rcf-sample: standard output: Bad file descriptor\n");
    close(null);
}

/* The first file that a command opens must not become its standard output. */
Test(cli, closed_standard_descriptors_are_occupied)
{
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        close(STDIN_FILENO);
        close(STDOUT_FILENO);
        char name[] = "x", operand[] = "a";
        char *words[] = {name, operand, NULL};
        struct config config = {0};
        struct cli cli;
        bool started = cli_start(&cli, &command, 2, words, &config);
        int first = open("/dev/null", O_RDONLY | O_CLOEXEC);
        cli_finish(&cli, CLI_OK);
        _exit(started && first > STDERR_FILENO ? 0 : 1);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* On a terminal after a second, and gone in the end. */
Test(cli, progress)
{
    struct run run = run_on(-1, "x a", show_progress);
    cr_expect_str_empty(run.err, "no terminal, no progress");

    setenv("TERM", "xterm", 1);
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert(terminal >= 0);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        char name[] = "x", operand[] = "a";
        char *words[] = {name, operand, NULL};
        dup2(terminal, STDERR_FILENO);
        _exit(run_command(2, words, show_progress));
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    close(terminal); /* nobody holds the other end any more: reading ends with an error */
    char text[1024];
    ssize_t len = 0, got;
    while (len < (ssize_t)sizeof text - 1 && (got = read(master, text + len, sizeof text - 1 - (size_t)len)) > 0)
        len += got;
    text[len] = '\0';
    static const char first[] = "\r0 of 13", last[] = "\r\033[K";
    cr_expect_null(strstr(text, first));
    cr_expect_not_null(strstr(text, " of 13\033[K"));
    cr_expect(len > 4 && strcmp(text + len - (ssize_t)strlen(last), last) == 0);
    close(master);
}

static int say_colour(struct cli *cli, const struct config *config)
{
    (void)config;
    out_styled(cli->out, OUT_GREEN, "ok");
    return CLI_OK;
}

Test(cli, colour_by_option_terminal_and_environment)
{
    setenv("TERM", "xterm", 1);
    cr_expect_str_eq(run_on(-1, "x a", say_colour).out, "ok");
    cr_expect_str_eq(run_on(-1, "x --color=always a", say_colour).out, "\033[32mok\033[0m");
    cr_expect_str_eq(run_on(-1, "x --color=always --json a", say_colour).out, "ok");

    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    cr_assert(terminal >= 0);
    static const struct {
        const char *line, *term, *no_colour, *expected;
    } rows[] = {
        {"x a", "xterm", "", "\033[32mok\033[0m"},
        {"x a", "xterm", "1", "ok"},
        {"x a", "dumb", "", "ok"},
        {"x --color=never a", "xterm", "", "ok"},
        {"x --color=always a", "dumb", "1", "\033[32mok\033[0m"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        setenv("TERM", rows[i].term, 1);
        setenv("NO_COLOR", rows[i].no_colour, 1);
        cr_expect_eq(run_on(terminal, rows[i].line, say_colour).code, CLI_OK);
        char text[64] = "";
        ssize_t len = read(master, text, sizeof text - 1);
        text[len > 0 ? len : 0] = '\0';
        cr_expect_str_eq(text, rows[i].expected, "%zu", i);
    }
    close(terminal);
    close(master);
}
