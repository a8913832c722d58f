/* rcf-plan: ordered, guarded, rehearsed steps that repair a cluster; nothing here executes them. */
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/cli/cli.h"
#include "tools/cli/unread.h"
#include "tools/plan/plan.h"
#include "tools/render/escape.h"
#include "tools/render/plan.h"

enum { MOST_MISSING = 4096, OPTION_MISSING_OK = 1, OPTION_ACCEPT_LOSS, OPTION_TARGET };

struct config {
    const char *hosts;
    uint64_t accepted_loss;
    enum plan_life life;
    bool rescue;
    char *missing_ok[MOST_MISSING];
    size_t missing_ok_count;
    const char *from, *to, *slots, *case_path;
    uint64_t replicas;
};

static const char *take(void *context, int id, const char *value)
{
    struct config *config = context;
    if (id == OPTION_ACCEPT_LOSS)
        return text_u64(escape_string(value), &config->accepted_loss) ? NULL : "the exact number of keys";
    if (id == OPTION_TARGET) {
        config->life = strcmp(value, "running") == 0 ? LIFE_RUNNING
                       : strcmp(value, "down") == 0  ? LIFE_DOWN
                                                     : LIFE_BY_EVIDENCE;
        return config->life == LIFE_BY_EVIDENCE ? "running or down" : NULL;
    }
    /* A list with commas; the words of argv are the process's own to cut. */
    for (char *at = (char *)(uintptr_t)value, *comma; at; at = comma) {
        comma = strchr(at, ',');
        if (comma)
            *comma++ = '\0';
        if (config->missing_ok_count == MOST_MISSING)
            return "fewer members";
        config->missing_ok[config->missing_ok_count++] = at;
    }
    return NULL;
}

static const struct cli_option options[] = {
    {0, "missing-ok", "NODE,...", "go without the files of these members (repeatable)", CLI_TAKE, 0, NULL, 0, 0,
     OPTION_MISSING_OK},
    {0, "accept-loss", "N", "give up the N keys of the plan that exist nowhere else; exactly that number", CLI_TAKE, 0, NULL, 0, 0,
     OPTION_ACCEPT_LOSS},
    {0, "rescue", NULL, "first carry keys that exist nowhere else to the owners of their slots", CLI_FLAG,
     offsetof(struct config, rescue), NULL, 0, 0, 0},
    {0, "target", "running|down", "whether NODE runs, where the evidence does not show it", CLI_TAKE, 0, NULL, 0, 0,
     OPTION_TARGET},
    {0, "from", "NODE,...|all", "reshard: the nodes that give slots", CLI_STRING, offsetof(struct config, from), NULL,
     0, 0, 0},
    {0, "to", "NODE", "reshard: the node that gets them", CLI_STRING, offsetof(struct config, to), NULL, 0, 0, 0},
    {0, "slots", "N|RANGES", "reshard: how many slots, or which: 0-99,200-200", CLI_STRING,
     offsetof(struct config, slots), NULL, 0, 0, 0},
    {0, "replicas", "N", "create: so many replicas of each primary (0)", CLI_NUMBER, offsetof(struct config, replicas),
     NULL, 0, 16, 0},
    {0, "case", "CASE", "create: what the case holds of these nodes", CLI_STRING, offsetof(struct config, case_path),
     NULL, 0, 0, 0},
    {0, "hosts", "FILE", "CSV of address,host[,zone]: what is lost together", CLI_STRING,
     offsetof(struct config, hosts), NULL, 0, 0, 0},
    {0},
};

static const struct cli_command command = {
    .name = "rcf-plan",
    .synopsis = (const char *const[]){"rejoin NODE CASE...", "remove NODE CASE...", "add ADDR CASE...",
                                      "replicate NODE PRIMARY CASE...",
                                      "reshard --from NODE[,NODE...]|all --to NODE --slots N|RANGES CASE...",
                                      "create --replicas N ADDR... [--case CASE]", "repair CASE...", NULL},
    .summary = "Makes a plan of steps that repairs a cluster without losing data; it executes nothing.",
    .options = options,
    .least_operands = 2,
    .most_operands = CLI_MANY,
    .formats = FORMAT_BIT(FORMAT_TEXT) | FORMAT_BIT(FORMAT_JSON) | FORMAT_BIT(FORMAT_SH),
    .notes = "NODE is ip:port, a node id, or a unique prefix of it of 8 characters or more.\n"
             "\n"
             "  rejoin  re-adds a node that was removed or half forgotten and still believes it is a member\n"
             "  remove  takes a node out for good: it is stopped with its data saved, forgotten by every member,\n"
             "          and its nodes.conf is moved aside\n"
             "  add     adds an empty node; ADDR is ip:port, and the case need not hold files of it\n"
             "  replicate  lets a member follow PRIMARY, as a replica\n"
             "  reshard moves slots with their keys: so many as the tools would take, or those that are named\n"
             "  create  makes a cluster of empty nodes, replicas away from their primaries\n"
             "  repair  all findings that have a safe remedy, in an order that is explained; the others are named\n"
             "          with the reason\n"
             "\n"
             "A plan that would lose keys, or rests on evidence that is damaged, missing or silent by its kind, is\n"
             "refused: the message says what is missing. docs/plans.md has every refusal.\n"
             "\n"
             "Every plan is rehearsed: each step is applied to a model of the instances, and the same checks as\n"
             "rcf-check's run on the outcome. --format=sh gives a script that verifies before it acts, stops at the\n"
             "first surprise and asks before it destroys; DRY_RUN=1 makes it print only.",
    .exit_codes = {"a plan, or nothing to do",
                   "refused: the reasons are on standard error (in json on standard output)",
                   "the question cannot be answered from this case"},
    .examples =
        (const char *const[]){
            "rcf-plan rejoin 127.0.0.6:7002 fixtures/story-redis-4.0.1/06-stale-restarted",
            "rcf-plan rejoin --format=sh 127.0.0.6:7002 fixtures/story-redis-4.0.1/06-stale-restarted",
            "rcf-plan remove b9ff0e9b fixtures/story-redis-4.0.1/06-stale-restarted",
            "rcf-plan reshard --from all --to 127.0.4.6:7002 --slots 100 fixtures/story-redis-7.0.15/10-recovered",
            "rcf-plan create --replicas 1 10.0.0.1:7000 10.0.0.2:7000 10.0.0.3:7000 10.0.0.1:7001 10.0.0.2:7001 "
            "10.0.0.3:7001",
            "rcf-plan repair fixtures/incidents-redis-7.0.15/split-brain", NULL},
    .take = take,
};

static void progress(void *context, size_t done, size_t total)
{
    cli_progress(context, "reading %zu of %zu files", done, total);
}

static int say_no(struct cli *cli, const struct plan *plan)
{
    cli_error(cli, "%s%s", plan->outcome == PLAN_REFUSED ? "refused: " : "", plan->why);
    for (size_t d = 0; d < plan->detail_count; d++)
        cli_detail(cli, "%s", plan->details[d]);
    if (plan->hint)
        cli_hint(cli, "%s", plan->hint);
    return plan->outcome == PLAN_REFUSED ? CLI_FOUND : CLI_FAILED;
}

static int show(struct cli *cli, const struct plan *plan, struct arena *arena)
{
    static const int codes[] = {
        [PLAN_READY] = CLI_OK, [PLAN_NOTHING] = CLI_OK, [PLAN_REFUSED] = CLI_FOUND, [PLAN_IMPOSSIBLE] = CLI_FAILED};
    const char *why;
    if (cli->format == FORMAT_JSON) {
        struct json json = json_on(cli->out, JSON_INDENTED);
        plan_json(&json, plan);
        return codes[plan->outcome];
    }
    if (plan->outcome == PLAN_REFUSED || plan->outcome == PLAN_IMPOSSIBLE)
        return say_no(cli, plan);
    if (plan->outcome == PLAN_NOTHING) {
        out_text(cli->out, cli->format == FORMAT_SH ? "#!/bin/sh\n# Nothing to do.\n" : "Nothing to do: ");
        if (cli->format == FORMAT_TEXT) {
            escape_terminal(cli->out, escape_string(plan->why));
            out_byte(cli->out, '\n');
        }
        return CLI_OK;
    }
    if (cli->format == FORMAT_TEXT) {
        plan_text(cli->out, plan, cli->verbose);
        return CLI_OK;
    }
    if (plan_script(cli->out, plan, arena, &why))
        return CLI_OK;
    cli_error(cli, "refused: no script can be made of this plan: %s", why);
    cli_hint(cli, "the plan as text is there for a person: leave out --format=sh");
    return CLI_FOUND;
}

static int make(struct cli *cli, const struct config *config, enum plan_goal goal, struct arena *arena)
{
    struct evidence_options how = {.hosts = config->hosts, .progress = progress, .context = cli};
    size_t operands = (size_t)cli->operand_count - 1, named = plan_goal_operands(goal);
    bool all = named == PLAN_ALL_OPERANDS;
    char *option = (char *)(uintptr_t)config->case_path, *const *paths = all ? &option : cli->operands + 1 + named;
    named = all ? operands : named;
    struct evidence *evidence = evidence_open(paths, all ? config->case_path != NULL : operands - named, &how);
    int code = CLI_FAILED;
    if (evidence)
        cli_say_unread(cli, evidence);
    if (evidence && evidence->unreadable) {
        cli_hint(cli,
                 "no plan is made of evidence that cannot be read; what is left out of the case is treated as missing");
        evidence_close(evidence);
        return code;
    }
    struct plan_wish wish = {.goal = goal,
                             .operands = cli->operands + 1,
                             .operand_count = named,
                             .life = config->life,
                             .rescue = config->rescue,
                             .accepted_loss = config->accepted_loss,
                             .missing_ok = config->missing_ok,
                             .missing_ok_count = config->missing_ok_count,
                             .from = config->from,
                             .to = config->to,
                             .slots = config->slots,
                             .replicas = config->replicas};
    struct plan *plan = evidence && !evidence->problem ? plan_make(evidence, &wish, arena) : NULL;
    if (plan)
        code = show(cli, plan, arena);
    else
        cli_error(cli, "%s", evidence && evidence->problem ? evidence->problem : "out of memory");
    evidence_close(evidence);
    return code;
}

int main(int argc, char **argv)
{
    struct config config = {0};
    struct cli cli;
    if (!cli_start(&cli, &command, argc, argv, &config))
        return cli_finish(&cli, cli.exit_code);
    enum plan_goal goal = plan_goal_by_word(cli.operands[0]);
    if (goal == GOALS)
        return cli_finish(&cli, cli_usage(&cli, "no such goal: %s", cli.operands[0]));
    size_t named = plan_goal_operands(goal) == PLAN_ALL_OPERANDS ? 0 : plan_goal_operands(goal);
    if ((size_t)cli.operand_count < named + 2)
        return cli_finish(&cli, cli_usage(&cli, "%s: too few operands", cli.operands[0]));
    struct arena *arena = arena_new();
    int code = arena ? make(&cli, &config, goal, arena) : CLI_FAILED;
    arena_free(arena);
    return cli_finish(&cli, code);
}
