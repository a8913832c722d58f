/* rcf-check: what is wrong with the cluster of a case, by whose testimony and by which rule. */
#include <string.h>
#include <sys/stat.h>

#include "tools/cli/cli.h"
#include "tools/cli/unread.h"
#include "tools/evidence/evidence.h"
#include "tools/findings/baseline.h"
#include "tools/findings/explain.h"
#include "tools/findings/findings.h"
#include "tools/render/escape.h"
#include "tools/render/finding.h"
#include "tools/render/overview.h"

struct config {
    const char *baseline, *explain, *hosts;
    unsigned fail_on; /* index in fail_words */
    bool list;
};

static const char *const fail_words[] = {"error", "warning", "info", NULL};
static const enum severity fail_severity[] = {SEVERITY_ERROR, SEVERITY_WARNING, SEVERITY_INFO};

static const struct cli_option options[] = {
    {0, "fail-on", "SEVERITY", "exit 1 for findings of this severity or above (default error)", CLI_CHOICE,
     offsetof(struct config, fail_on), fail_words, 0, 0, 0},
    {0, "baseline", "OLD", "compare with an older case, or with a report saved as json or jsonl", CLI_STRING,
     offsetof(struct config, baseline), NULL, 0, 0, 0},
    {0, "hosts", "FILE", "CSV of address,host[,zone]: what is lost together", CLI_STRING, offsetof(struct config, hosts), NULL, 0, 0, 0},
    {0, "explain", "ID", "print what the catalogue says about a finding", CLI_STRING, offsetof(struct config, explain), NULL, 0, 0, 0},
    {0, "list-findings", NULL, "list every finding there is", CLI_FLAG, offsetof(struct config, list), NULL, 0, 0, 0},
    {0},
};

static const struct cli_command command = {
    .name = "rcf-check",
    .synopsis = (const char *const[]){"[OPTION]... CASE...", "--explain ID", "--list-findings", NULL},
    .summary = "Reports what is wrong with the cluster whose files a case holds.",
    .options = options,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES,
    .records = (const struct record_type *const[]){&finding_record, NULL},
    .notes = "A CASE is a directory in any layout, or several files: nodes.conf, dumps, AOFs, logs, redis.conf and\n"
             "captures of CLUSTER NODES are recognised by their content.",
    .exit_codes = {"no finding at or above --fail-on", "findings at or above --fail-on",
                   "the job could not be done, or a file could not be read to its end"},
    .examples = (const char *const[]){"rcf-check fixtures/story-redis-4.0.1/06-stale-restarted",
                                      "rcf-check --format=jsonl --fail-on=warning fixtures/incidents-redis-7.0.15/uncovered",
                                      "rcf-check --explain stale-self-membership", NULL},
};

static int explain(struct cli *cli, const char *word)
{
    enum finding_id id = finding_by_word(word);
    struct bytes text = id == FINDING_IDS ? (struct bytes){NULL, 0} : explain_finding(id);
    if (!text.len) {
        cli_error(cli, "no finding is called %s", word);
        cli_hint(cli, "rcf-check --list-findings lists them");
        return CLI_FAILED;
    }
    out_bytes(cli->out, text.at, text.len);
    return CLI_OK;
}

static int list(struct cli *cli)
{
    for (int id = 0; id < FINDING_IDS; id++)
        out_format(cli->out, "%-26s %-8s %s\n", finding_word((enum finding_id)id),
                   severity_word(finding_severity((enum finding_id)id)), finding_title((enum finding_id)id));
    return CLI_OK;
}

static void progress(void *context, size_t done, size_t total)
{
    cli_progress(context, "reading %zu of %zu files", done, total);
}

/* The evidence, its clusters and their findings: one state of a case. */
struct judgement {
    struct evidence *evidence;
    struct clusters *clusters;
    struct findings *findings;
};

static bool judge(struct cli *cli, const struct config *config, char *const *paths, size_t count, struct arena *arena,
                  struct judgement *judgement)
{
    struct evidence_options how = {.hosts = config->hosts, .progress = progress, .context = cli};
    struct evidence *evidence = judgement->evidence = evidence_open(paths, count, &how);
    if (evidence && evidence->problem) {
        cli_error(cli, "%s", evidence->problem);
        return false;
    }
    if (evidence)
        cli_say_unread(cli, evidence);
    judgement->clusters = evidence ? clusters_build(evidence, arena) : NULL;
    struct history *history = judgement->clusters ? history_build(evidence, judgement->clusters, NULL, arena) : NULL;
    judgement->findings = history ? findings_of(evidence, judgement->clusters, history, arena) : NULL;
    if (!judgement->findings)
        cli_error(cli, "out of memory");
    return judgement->findings;
}

static struct baseline *read_baseline(struct cli *cli, const struct config *config, struct arena *arena,
                                      struct judgement *older)
{
    struct stat state;
    if (stat(config->baseline, &state) == 0 && S_ISREG(state.st_mode)) {
        const char *why;
        struct baseline *baseline = baseline_load(config->baseline, arena, &why);
        if (!baseline)
            cli_error_at(cli, config->baseline, NULL, "%s", why);
        return baseline;
    }
    char *path[] = {(char *)(uintptr_t)config->baseline, NULL};
    return judge(cli, config, path, 1, arena, older) ? baseline_of(older->findings, arena) : NULL;
}

struct tally {
    size_t of[SEVERITY_ERROR + 1];
};

static void summary_line(struct out *out, const struct tally *tally)
{
    out_byte(out, '\n');
    out_count(out, tally->of[SEVERITY_ERROR], "error", "errors");
    out_text(out, ", ");
    out_count(out, tally->of[SEVERITY_WARNING], "warning", "warnings");
    if (tally->of[SEVERITY_INFO])
        out_format(out, ", %zu info", tally->of[SEVERITY_INFO]);
    out_byte(out, '\n');
}

static struct tally report(struct cli *cli, const struct judgement *now, struct baseline *baseline, struct arena *arena)
{
    struct tally tally = {{0}};
    struct json json = json_on(cli->out, cli->format == FORMAT_JSON ? JSON_INDENTED : JSON_LINE);
    struct table *table = cli->format == FORMAT_CSV ? table_open(cli->out, &finding_record, FORMAT_CSV) : NULL;
    if (cli->format == FORMAT_JSON) {
        json_object(&json, NULL);
        json_text(&json, "schema", "rcf-check");
        json_number(&json, "version", 1);
        overview_json(&json, now->evidence, now->clusters, arena);
        json_array(&json, "findings");
    } else if (cli->format == FORMAT_TEXT) {
        overview_text(cli->out, now->evidence, now->clusters, arena, cli->verbose);
    }
    struct finding gone;
    size_t position = 0;
    for (size_t f = 0;; f++) {
        const struct finding *finding = f < now->findings->count ? &now->findings->all[f] : &gone;
        enum novelty novelty = NOVELTY_NONE;
        if (finding == &gone && !(baseline && baseline_gone(baseline, &position, &gone)))
            break;
        if (baseline)
            novelty = finding == &gone ? NOVELTY_GONE : baseline_has(baseline, finding) ? NOVELTY_UNCHANGED : NOVELTY_NEW;
        if (finding != &gone)
            tally.of[finding->severity]++;
        if (cli->format == FORMAT_TEXT) {
            out_byte(cli->out, '\n');
            finding_text(cli->out, now->findings, finding, novelty, cli->operands[0], cli->verbose);
        } else if (table) {
            finding_row(table, now->findings, finding, novelty);
        } else {
            finding_json(&json, NULL, now->findings, finding, novelty);
        }
    }
    if (cli->format == FORMAT_TEXT && now->evidence->instance_count) {
        summary_line(cli->out, &tally);
        finding_repair_text(cli->out, now->findings, cli->operands[0]);
    }
    if (cli->format == FORMAT_JSON) {
        json_end(&json);
        json_end(&json);
    }
    table_close(table);
    return tally;
}

static int check(struct cli *cli, const struct config *config, struct arena *arena)
{
    struct judgement now = {NULL}, older = {NULL};
    struct baseline *baseline = NULL;
    int code = CLI_FAILED;
    if (!judge(cli, config, cli->operands, (size_t)cli->operand_count, arena, &now) ||
        (config->baseline && !(baseline = read_baseline(cli, config, arena, &older))))
        goto done;
    struct tally tally = report(cli, &now, baseline, arena);
    code = CLI_OK;
    for (int severity = fail_severity[config->fail_on]; severity <= SEVERITY_ERROR; severity++)
        if (tally.of[severity])
            code = CLI_FOUND;
    if (!now.evidence->instance_count && !now.findings->count) {
        cli_error(cli, "no file shows an instance: nothing was judged");
        cli_hint(cli, "rcf-identify lists what each file is");
        code = CLI_FAILED;
    }
    if (now.evidence->unreadable) {
        cli_hint(cli, "what could not be read is not judged");
        code = CLI_FAILED;
    }
done:
    evidence_close(now.evidence);
    evidence_close(older.evidence);
    return code;
}

int main(int argc, char **argv)
{
    struct config config = {.fail_on = 0};
    struct cli cli;
    if (!cli_start(&cli, &command, argc, argv, &config))
        return cli_finish(&cli, cli.exit_code);
    if (config.explain)
        return cli_finish(&cli, explain(&cli, config.explain));
    if (config.list)
        return cli_finish(&cli, list(&cli));
    if (cli.operand_count == 0)
        return cli_finish(&cli, cli_usage(&cli, "no CASE given"));
    struct arena *arena = arena_new();
    int code = arena ? check(&cli, &config, arena) : CLI_FAILED;
    arena_free(arena);
    return cli_finish(&cli, code);
}
