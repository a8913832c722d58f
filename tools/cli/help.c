#include <errno.h>
#include <string.h>

#include "tools/cli/cli_private.h"

#ifndef RCF_VERSION
#define RCF_VERSION "unversioned"
#endif

enum {
    WIDTH = 79,
    HELP_COLUMN = 27 /* where explanations stand */
};

/* Words of `text` from column `at` on, later lines from `column`. */
static void write_wrapped(struct out *out, const char *text, size_t at, size_t column)
{
    while (*text) {
        size_t word = strcspn(text, " ");
        if (at > column && at + 1 + word > WIDTH) {
            out_byte(out, '\n');
            out_repeat(out, ' ', column);
            at = column;
        } else if (at > column) {
            out_byte(out, ' ');
            at++;
        }
        out_bytes(out, text, word);
        at += word;
        text += word;
        text += strspn(text, " ");
    }
    out_byte(out, '\n');
}

/* The help being written, and memory outputs for one term and its explanation at a time. */
struct page {
    struct out *out;
    struct out *term;
    struct out *explanation;
};

static void begin_entry(struct page *page)
{
    out_empty(page->term);
    out_empty(page->explanation);
}

/* The term at the left and the explanation in a column of its own, below the term when that is too long. */
static void end_entry(struct page *page)
{
    struct bytes term = out_held(page->term);
    out_bytes(page->out, term.at, term.len);
    if (out_held(page->explanation).len > 0) {
        bool fits = term.len + 2 <= HELP_COLUMN;
        out_text(page->out, fits ? "" : "\n");
        out_repeat(page->out, ' ', fits ? HELP_COLUMN - term.len : HELP_COLUMN);
    }
    out_byte(page->explanation, '\0');
    write_wrapped(page->out, (const char *)out_held(page->explanation).at, HELP_COLUMN, HELP_COLUMN);
}

static void write_section(struct out *out, const char *title)
{
    out_format(out, "\n%s:\n", title);
}

static void write_synopsis(struct out *out, const struct cli_command *command)
{
    static const char *const any[] = {"[OPTION]...", NULL};
    const char *const *forms = command->synopsis ? command->synopsis : any;
    for (size_t i = 0; forms[i]; i++)
        out_format(out, "%s%s %s\n", i == 0 ? "Usage: " : "       ", command->name, forms[i]);
}

static void write_option(struct page *page, const struct cli_option *option)
{
    begin_entry(page);
    if (option->letter)
        out_format(page->term, "  -%c, --%s", option->letter, option->name);
    else
        out_format(page->term, "      --%s", option->name);
    if (option->argument)
        out_format(page->term, "=%s", option->argument);
    out_text(page->explanation, option->help);
    for (size_t i = 0; option->words && option->words[i]; i++)
        out_format(page->explanation, "%s%s", i == 0 ? " (" : ", ", option->words[i]);
    if (option->words)
        out_byte(page->explanation, ')');
    end_entry(page);
}

static void write_fields(struct page *page, const struct record_type *type)
{
    out_format(page->out, "\nFields of %s:\n", type->array);
    for (size_t i = 0; i < type->count; i++) {
        begin_entry(page);
        out_format(page->term, "  %s", type->columns[i].key);
        out_text(page->explanation, type->columns[i].help ? type->columns[i].help : "");
        end_entry(page);
    }
}

static void write_exit_codes(struct out *out, const struct cli_command *command)
{
    static const char *const otherwise[3] = {
        [CLI_OK] = "nothing wrong",
        [CLI_FAILED] = "the job could not be done: usage, unreadable evidence, out of memory, write error",
    };
    write_section(out, "Exit status");
    for (size_t code = 0; code < 3; code++) {
        const char *meaning = command->exit_codes[code] ? command->exit_codes[code] : otherwise[code];
        if (!meaning)
            continue;
        out_format(out, "  %zu  ", code);
        write_wrapped(out, meaning, 5, 5);
    }
}

static void write_page(struct page *page, const struct cli_command *command, const struct cli_rows *rows)
{
    write_synopsis(page->out, command);
    write_wrapped(page->out, command->summary, 0, 0);
    write_section(page->out, "Options");
    for (size_t i = 0; i < rows->count; i++)
        if (rows->row[i].option.help)
            write_option(page, &rows->row[i].option);
    if (command->notes)
        out_format(page->out, "\n%s\n", command->notes);
    for (size_t i = 0; command->records && command->records[i]; i++)
        write_fields(page, command->records[i]);
    write_exit_codes(page->out, command);
    if (command->examples)
        write_section(page->out, "Examples");
    for (size_t i = 0; command->examples && command->examples[i]; i++)
        out_format(page->out, "  %s\n", command->examples[i]);
}

void cli_write_help(struct cli *cli, const struct cli_rows *rows)
{
    struct page page = {cli->out, out_open_memory(), out_open_memory()};
    if (page.term && page.explanation)
        write_page(&page, cli->command, rows);
    else
        out_fail(cli->out, ENOMEM);
    out_close(page.term);
    out_close(page.explanation);
}

void cli_write_version(struct cli *cli)
{
    out_format(cli->out, "%s (rcf) %s\n", cli->command->name, RCF_VERSION);
}

void cli_write_words(struct cli *cli, const struct cli_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct cli_option *option = &rows->row[i].option;
        if (!option->help)
            continue;
        out_format(cli->out, "--%s%s\n", option->name, option->argument ? "=" : "");
        for (size_t word = 0; option->words && option->words[word]; word++)
            out_format(cli->out, "--%s=%s\n", option->name, option->words[word]);
        if (option->letter)
            out_format(cli->out, "-%c\n", option->letter);
    }
}
