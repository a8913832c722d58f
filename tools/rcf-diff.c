/* rcf-diff: how views of one cluster differ, and who holds with whom. */
#include <string.h>

#include "tools/cli/cli.h"
#include "tools/cli/unread.h"
#include "tools/evidence/evidence.h"
#include "tools/render/diff_output.h"
#include "tools/render/escape.h"

static const char *const synopsis[] = {"[OPTION]... CASE", "[OPTION]... FILE FILE...", NULL};

static const struct record_type *const records[] = {&diff_record, NULL};

static const char *const examples[] = {
    "rcf-diff fixtures/story-redis-4.0.1/06-stale-restarted",
    "rcf-diff fixtures/seed-document/06-restarted.nodes_7000.conf fixtures/seed-document/06-restarted.nodes_7002.conf",
    "rcf-diff --json fixtures/story-redis-4.0.1/05-deleted fixtures/story-redis-4.0.1/06-stale-restarted",
    NULL,
};

static const struct cli_command command = {
    .name = "rcf-diff",
    .synopsis = synopsis,
    .summary = "Compare what nodes.conf files, captured replies and outputs of the cluster tools say about one cluster.",
    .least_operands = 1,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES,
    .records = records,
    .notes = "A file is one view; a directory gives the newest view of each instance in it.\n"
             "\n"
             "Compared: members, addresses, roles, primaries, slots, epochs, flags. Never\n"
             "compared, because healthy views differ in them: ping, pong, link, line order,\n"
             "myself, a replica's own epoch. An own line without an ip differs from nothing.\n"
             "What a reply never says (CLUSTER SLOTS: epochs, failed nodes) is no difference.\n"
             "\n"
             "The baseline is what most views agree on; where no two agree, the view with the\n"
             "highest epoch. Lines with + - ~ tell what other views have more, less or other.\n"
             "-v adds file and line to each, and shortens no list.",
    .exit_codes = {"all views agree", "views differ", "fewer than two views, unreadable evidence, bad usage"},
    .examples = examples,
};

/* The views that are compared. */
struct selection {
    struct diff_operand *operands;
    size_t count;
    bool *taken; /* by file */
    bool trouble;
};

static void select_view(struct selection *selection, const char *name, const struct view *view)
{
    selection->operands[selection->count++] = (struct diff_operand){name, view};
    selection->taken[view->file] = true;
}

/* The path without slashes at its end, as the walk takes it. */
static size_t path_length(const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    return len;
}

static bool is_below(const struct evidence_file *file, const char *path, size_t len)
{
    return file->named == len && file->where[len] && strncmp(file->where, path, len) == 0;
}

/* The newest view of an instance that lies below the directory. */
static const struct view *newest_below(const struct evidence *evidence, const struct instance *instance,
                                       const char *path, size_t len)
{
    if (instance->view && is_below(&evidence->files[instance->view->file], path, len))
        return instance->view;
    for (size_t h = 0; h < instance->history_count; h++)
        if (is_below(&evidence->files[instance->history[h]->file], path, len))
            return instance->history[h];
    return NULL;
}

static void select_file(struct cli *cli, const struct evidence *evidence, struct selection *selection, size_t number)
{
    const struct evidence_file *file = &evidence->files[number];
    selection->taken[number] = true;
    if (file->view && file->view->count) {
        select_view(selection, file->path, file->view);
    } else if (!file->unread) {
        cli_error_at(cli, file->path, NULL, "not a view of a cluster, but %s", evidence_kind_meaning(file->kind));
        selection->trouble = true;
    }
}

/* Takes the views of one operand. `alone`: no other operand, so that the names of instances are unique. */
static void select_operand(struct cli *cli, const struct evidence *evidence, struct selection *selection,
                           const char *path, bool alone)
{
    size_t len = path_length(path);
    for (size_t f = 0; f < evidence->file_count; f++) {
        const struct evidence_file *file = &evidence->files[f];
        if (!selection->taken[f] && !file->where[file->named] && file->named == len &&
            strncmp(file->where, path, len) == 0) {
            select_file(cli, evidence, selection, f);
            return;
        }
    }
    for (size_t i = 0; i < evidence->instance_count; i++) {
        const struct instance *instance = &evidence->instances[i];
        const struct view *view = newest_below(evidence, instance, path, len);
        if (view && view->count && !selection->taken[view->file])
            select_view(selection, alone ? instance->name : evidence->files[view->file].path, view);
    }
    for (size_t f = 0; f < evidence->file_count; f++) {
        const struct evidence_file *file = &evidence->files[f];
        if (file->view && file->view->count && file->instance == SIZE_MAX && !file->temporary &&
            !selection->taken[f] && is_below(file, path, len))
            select_view(selection, file->path, file->view);
    }
}

/* Says which files were not read or not whole. */
static void report_files(struct cli *cli, const struct evidence *evidence, const struct selection *selection)
{
    cli_say_unread(cli, evidence);
    for (size_t f = 0; f < evidence->file_count; f++) {
        const struct evidence_file *file = &evidence->files[f];
        if (!file->unread && !file->changed && selection->taken[f] && file->view && file->view->defect_total)
            cli_note(cli, "%s:%u: damaged, compared as far as it can be read", file->path,
                     (unsigned)file->view->defects[0].place.line);
    }
}

static void report_progress(void *context, size_t done, size_t total)
{
    cli_progress(context, "%zu of %zu files", done, total);
}

/* The next step is always to have the whole case judged. */
static void write_hint(struct cli *cli, const struct evidence *evidence)
{
    if (cli->operand_count != 1 || !evidence->instance_count)
        return;
    out_text(cli->out, "\nwhat it means: rcf-check ");
    if (!escape_shell(cli->out, escape_string(cli->operands[0])))
        out_text(cli->out, "CASE");
    out_byte(cli->out, '\n');
}

static int compare(struct cli *cli, struct evidence *evidence)
{
    struct selection selection = {
        .operands = arena_array(evidence->arena, evidence->file_count, sizeof(*selection.operands)),
        .taken = arena_array(evidence->arena, evidence->file_count, sizeof(*selection.taken)),
        .trouble = evidence->unreadable,
    };
    if (!selection.operands || !selection.taken) {
        cli_error(cli, "out of memory");
        return CLI_FAILED;
    }
    for (int i = 0; i < cli->operand_count; i++)
        select_operand(cli, evidence, &selection, cli->operands[i], cli->operand_count == 1);
    report_files(cli, evidence, &selection);
    if (selection.count < 2) {
        cli_error(cli, selection.count ? "one view alone: nothing to compare it with" : "no view of a cluster");
        if (selection.count)
            cli_detail(cli, "%s", selection.operands[0].name);
        cli_hint(cli, "name two nodes.conf files or captures (CLUSTER NODES, SLOTS, SHARDS, --cluster check), or a directory that holds them");
        return CLI_FAILED;
    }
    struct diff *diff = diff_views(evidence->store, selection.operands, selection.count, evidence->arena);
    if (!diff) {
        cli_error(cli, "out of memory");
        return CLI_FAILED;
    }
    if (cli->format == FORMAT_TEXT)
        diff_write_text(cli->out, evidence, diff, cli->verbose > 0);
    else
        diff_write_records(cli->out, evidence, diff, cli->format);
    if (cli->format == FORMAT_TEXT && diff->group_count > 1)
        write_hint(cli, evidence);
    return selection.trouble ? CLI_FAILED : diff->group_count > 1 ? CLI_FOUND : CLI_OK;
}

int main(int argc, char **argv)
{
    struct cli cli;
    if (!cli_start(&cli, &command, argc, argv, NULL))
        return cli_finish(&cli, cli.exit_code);

    struct evidence_options options = {.progress = report_progress, .context = &cli};
    struct evidence *evidence = evidence_open(cli.operands, (size_t)cli.operand_count, &options);
    int code = CLI_FAILED;
    if (!evidence)
        cli_error(&cli, "out of memory");
    else if (evidence->problem)
        cli_error(&cli, "%s", evidence->problem);
    else
        code = compare(&cli, evidence);

    code = cli_finish(&cli, code);
    evidence_close(evidence);
    return code;
}
