/* rcf-prejoin: may an instance join a cluster: empty, not empty, cannot tell - and why. */
#include <string.h>

#include "tools/cli/cli.h"
#include "tools/cli/unread.h"
#include "tools/cluster/prejoin.h"
#include "tools/evidence/evidence.h"
#include "tools/render/escape.h"

struct config {
    const char *cluster, *hosts, *instance;
};

static const struct cli_option options[] = {
    {0, "cluster", "CASE", "the files of the cluster to join: does a member list its id or address", CLI_STRING,
     offsetof(struct config, cluster), NULL, 0, 0, 0},
    {0, "instance", "NODE", "judge only this instance of several: ip:port, node id, or 8 or more characters of it",
     CLI_STRING, offsetof(struct config, instance), NULL, 0, 0, 0},
    {0, "hosts", "FILE", "CSV of address,host[,zone]: what is lost together", CLI_STRING,
     offsetof(struct config, hosts), NULL, 0, 0, 0},
    {0},
};

enum reason_column {
    IN_INSTANCE,
    IN_VERDICT,
    IN_TOOL,
    IN_EFFECT,
    IN_SUBJECT,
    IN_TEXT,
    IN_FILE,
    IN_LINE,
    IN_OFFSET,
    IN_LENGTH,
    IN_SHA256
};

static const struct column columns[] = {
    [IN_INSTANCE] = {"instance", COLUMN_BYTES, NULL, 0, 0, "the instance, ip:port where known"},
    [IN_VERDICT] = {"verdict", COLUMN_TEXT, NULL, 0, 0,
                    "empty, not-empty or cannot-tell: of the instance, the same in all its rows"},
    [IN_TOOL] = {"tool_verdict", COLUMN_TEXT, NULL, 0, 0, "what redis-trib.rb, redis-cli or valkey-cli would find"},
    [IN_EFFECT] = {"effect", COLUMN_TEXT, NULL, 0, 0,
                   "against: it is not empty; open: it cannot be told; note: neither"},
    [IN_SUBJECT] = {"subject", COLUMN_TEXT, NULL, 0, 0,
                    "what the reason is about; the verdict on a start when it is `start`"},
    [IN_TEXT] = {"text", COLUMN_BYTES, NULL, 0, 0, "the reason"},
    [IN_FILE] = {"file", COLUMN_BYTES, NULL, 0, 0, "the file that shows it; absent when it is about what is absent"},
    [IN_LINE] = {"line", COLUMN_COUNT, NULL, 0, 0, "line in a text file"},
    [IN_OFFSET] = {"offset", COLUMN_U64, NULL, 0, 0, "where in the file, after decompression"},
    [IN_LENGTH] = {"length", COLUMN_U64, NULL, 0, 0, "how many bytes"},
    [IN_SHA256] = {"sha256", COLUMN_TEXT, NULL, 0, COLUMN_MACHINE, "of the file"},
};

static const struct record_type reason_record = {"rcf-prejoin", 1, "instances", columns,
                                                 sizeof(columns) / sizeof(*columns)};

static const struct cli_command command = {
    .name = "rcf-prejoin",
    .synopsis = (const char *const[]){"[OPTION]... DIR...", NULL},
    .summary = "Says whether an instance may join a cluster: empty, not empty, or cannot tell, and why.",
    .options = options,
    .least_operands = 1,
    .most_operands = CLI_MANY,
    .formats = FORMAT_TABLES,
    .records = (const struct record_type *const[]){&reason_record, NULL},
    .notes = "DIR is the directory of an instance, or its files; of several instances each gets a\n"
             "verdict. CSV has a row a reason, json and jsonl an object an instance.\n"
             "\n"
             "Empty is an instance that knows no other node, owns no slot and has no open one,\n"
             "whose server would load no key in any database and no function, and overwrites\n"
             "no file with keys in it. With --cluster no member may list its id, or its address\n"
             "under another id.\n"
             "\n"
             "The tools of the server ask the running process for cluster_known_nodes:1 and no\n"
             "db0; their answer is shown where it differs. Both are about these files: a process\n"
             "that still runs may hold more, and its command line may override redis.conf.",
    .exit_codes = {"empty", "not empty", "cannot tell, or the job could not be done"},
    .examples =
        (const char *const[]){"rcf-prejoin fixtures/incidents-redis-7.0.15/instances/hosts/127.0.13.6/7100",
                              "rcf-prejoin --cluster fixtures/story-redis-4.0.1/07-reset "
                              "fixtures/story-redis-4.0.1/07-reset/hosts/127.0.0.6/7002",
                              "rcf-prejoin --json --instance 127.0.13.6:7102 fixtures/incidents-redis-7.0.15/instances",
                              NULL},
};

/* What is judged, and against which members. */
struct question {
    struct evidence *evidence, *members_case;
    struct clusters *members;
};

static const char *tool_name(struct server server)
{
    if (server.product == PRODUCT_VALKEY)
        return "valkey-cli";
    return server.product == PRODUCT_REDIS && server_compare(server, 5, 0, 0) < 0 ? "redis-trib.rb" : "redis-cli";
}

static const char *save_points_word(enum save_points save_points)
{
    static const char *const words[] = {"unknown", "none", "some"};
    return words[save_points];
}

static void safe(struct out *out, const char *text)
{
    escape_terminal(out, escape_string(text));
}

static void label(struct out *out, const char *word, enum out_style style)
{
    out_text(out, "  ");
    out_styled(out, style, word);
    out_repeat(out, ' ', strlen(word) < 14 ? 14 - strlen(word) : 1);
}

static void text_reason(struct out *out, const struct prejoin_reason *reason)
{
    static const enum out_style styles[] = {
        [PREJOIN_NOTE] = OUT_DIM, [PREJOIN_AGAINST] = OUT_RED, [PREJOIN_OPEN] = OUT_YELLOW};
    label(out, prejoin_effect_word(reason->effect), styles[reason->effect]);
    if (reason->file != SIZE_MAX) {
        safe(out, reason->in->files[reason->file].path);
        if (reason->place.line)
            out_format(out, ":%u", reason->place.line);
        else if (reason->place.offset || reason->place.length)
            out_format(out, ", offset %llu", (unsigned long long)reason->place.offset);
        out_text(out, ": ");
    }
    safe(out, reason->text);
    out_byte(out, '\n');
}

static void text_prejoin(struct out *out, const struct question *question, const struct prejoin *prejoin)
{
    static const enum out_style styles[] = {OUT_GREEN, OUT_RED, OUT_YELLOW};
    const struct instance *instance = &question->evidence->instances[prejoin->instance];
    const struct start *start = prejoin->start;
    char server[40];
    safe(out, instance->name);
    out_text(out, "  ");
    out_styled(out, styles[prejoin->verdict], prejoin_verdict_word(prejoin->verdict));
    out_byte(out, '\n');
    for (size_t i = 0; i < prejoin->reason_count; i++)
        text_reason(out, &prejoin->reasons[i]);
    label(out, "start", OUT_PLAIN);
    safe(out, start->verdict);
    out_byte(out, '\n');
    label(out, "node", OUT_PLAIN);
    if (prejoin->view) {
        escape_short_id(out, view_store_id(question->evidence->store, instance->node));
        out_text(out, ", ");
    }
    out_count(out, prejoin->known_nodes, "known node", "known nodes");
    out_format(out, " (itself among them), %u slots, currentEpoch %llu; ", prejoin->slots,
               (unsigned long long)prejoin->current_epoch);
    safe(out, server_name(instance->server, server));
    if (instance->server_basis) {
        out_text(out, " by ");
        safe(out, instance->server_basis);
    }
    out_byte(out, '\n');
    label(out, "save points", OUT_PLAIN);
    out_format(out, "%s: %s\n", save_points_word(start->save_points), start->save_why);
    if (prejoin->tool != prejoin->verdict) {
        label(out, tool_name(instance->server), OUT_PLAIN);
        out_format(out, "%s by its own rule: %s\n", prejoin_verdict_word(prejoin->tool), prejoin->tool_why);
    }
}

static void json_reason(struct json *json, const struct prejoin_reason *reason)
{
    bool has_file = reason->file != SIZE_MAX;
    const struct evidence_file *file = has_file ? &reason->in->files[reason->file] : NULL;
    json_object(json, NULL);
    json_text(json, "effect", prejoin_effect_word(reason->effect));
    json_text(json, "subject", prejoin_subject_word(reason->subject));
    json_text(json, "text", reason->text);
    json_text(json, "file", has_file ? file->path : NULL);
    json_text(json, "sha256", has_file && file->sha256[0] ? file->sha256 : NULL);
    if (has_file && reason->place.line)
        json_number(json, "line", reason->place.line);
    else
        json_null(json, "line");
    if (has_file) {
        json_u64(json, "offset", reason->place.offset);
        json_u64(json, "length", reason->place.length);
    } else {
        json_null(json, "offset");
        json_null(json, "length");
    }
    json_end(json);
}

static void json_start(struct json *json, const struct question *question, const struct start *start)
{
    json_object(json, "start");
    json_text(json, "source", start_source_word(start->source));
    json_text(json, "keys", start_keys_word(start->keys));
    json_text(json, "verdict", start->verdict);
    json_u64(json, "provable_keys", start->provable_keys);
    json_u64(json, "held_keys", start->held_keys);
    json_u64(json, "ignored_keys", start->ignored_keys);
    json_bool(json, "ignored_may", start->ignored_may);
    json_u64(json, "functions", start->functions);
    json_bool(json, "functions_may", start->functions_may);
    json_bool(json, "other_db", start->other_db);
    json_text(json, "appendonly", !start->appendonly_known ? NULL : start->appendonly ? "yes" : "no");
    json_text(json, "save_points", save_points_word(start->save_points));
    json_text(json, "save_points_why", start->save_why);
    json_bool(json, "assumed", start->assumed);
    json_array(json, "loaded");
    for (size_t i = 0; i < start->loaded_count; i++)
        json_text(json, NULL, question->evidence->files[start->loaded[i]].path);
    json_end(json);
    json_end(json);
}

static void json_prejoin(struct json *json, const struct question *question, const struct prejoin *prejoin)
{
    const struct instance *instance = &question->evidence->instances[prejoin->instance];
    const char *id = view_store_id(question->evidence->store, instance->node);
    char server[40];
    json_object(json, NULL);
    json_text(json, "instance", instance->name);
    json_text(json, "verdict", prejoin_verdict_word(prejoin->verdict));
    json_text(json, "node_id", id[0] ? id : NULL);
    json_text(json, "host", instance->host);
    json_text(json, "folder", instance->folder);
    json_text(json, "server",
              instance->server.product == PRODUCT_UNKNOWN ? NULL : server_name(instance->server, server));
    json_text(json, "server_basis", instance->server_basis);
    json_bool(json, "has_nodes_conf", prejoin->view != NULL);
    json_number(json, "known_nodes", (int64_t)prejoin->known_nodes);
    json_number(json, "slots", prejoin->slots);
    json_number(json, "open_slots", prejoin->marks);
    json_u64(json, "current_epoch", prejoin->current_epoch);
    json_u64(json, "config_epoch", prejoin->config_epoch);
    json_u64(json, "last_vote_epoch", prejoin->last_vote_epoch);
    if (prejoin->members_asked)
        json_number(json, "members_read", (int64_t)prejoin->members_read);
    else
        json_null(json, "members_read");
    json_start(json, question, prejoin->start);
    json_object(json, "tool_rule");
    json_text(json, "tool", tool_name(instance->server));
    json_text(json, "verdict", prejoin_verdict_word(prejoin->tool));
    json_text(json, "why", prejoin->tool_why);
    json_bool(json, "agrees", prejoin->tool == prejoin->verdict);
    json_end(json);
    json_array(json, "reasons");
    for (size_t i = 0; i < prejoin->reason_count; i++)
        json_reason(json, &prejoin->reasons[i]);
    json_end(json);
    json_end(json);
}

static void begin_row(struct table *table, const struct question *question, const struct prejoin *prejoin)
{
    table_bytes(table, IN_INSTANCE, escape_string(question->evidence->instances[prejoin->instance].name));
    table_text(table, IN_VERDICT, prejoin_verdict_word(prejoin->verdict));
    table_text(table, IN_TOOL, prejoin_verdict_word(prejoin->tool));
}

static void rows_prejoin(struct table *table, const struct question *question, const struct prejoin *prejoin)
{
    begin_row(table, question, prejoin);
    table_text(table, IN_EFFECT, prejoin_effect_word(PREJOIN_NOTE));
    table_text(table, IN_SUBJECT, "start");
    table_bytes(table, IN_TEXT, escape_string(prejoin->start->verdict));
    table_row(table);
    for (size_t i = 0; i < prejoin->reason_count; i++) {
        const struct prejoin_reason *reason = &prejoin->reasons[i];
        begin_row(table, question, prejoin);
        table_text(table, IN_EFFECT, prejoin_effect_word(reason->effect));
        table_text(table, IN_SUBJECT, prejoin_subject_word(reason->subject));
        table_bytes(table, IN_TEXT, escape_string(reason->text));
        if (reason->file != SIZE_MAX) {
            const struct evidence_file *file = &reason->in->files[reason->file];
            table_bytes(table, IN_FILE, escape_string(file->path));
            if (reason->place.line)
                table_count(table, IN_LINE, reason->place.line);
            table_u64(table, IN_OFFSET, reason->place.offset);
            table_u64(table, IN_LENGTH, reason->place.length);
            table_text(table, IN_SHA256, file->sha256[0] ? file->sha256 : NULL);
        }
        table_row(table);
    }
}

/* Every instance in its turn; the exit code is the worst. */
static int report(struct cli *cli, const struct question *question, size_t from, size_t to, struct arena *arena)
{
    static const int codes[] = {
        [PREJOIN_EMPTY] = CLI_OK, [PREJOIN_NOT_EMPTY] = CLI_FOUND, [PREJOIN_CANNOT_TELL] = CLI_FAILED};
    struct json json = json_on(cli->out, cli->format == FORMAT_JSON ? JSON_INDENTED : JSON_LINE);
    struct table *table = cli->format == FORMAT_CSV ? table_open(cli->out, &reason_record, FORMAT_CSV) : NULL;
    int worst = CLI_OK;
    if (cli->format == FORMAT_JSON) {
        json_object(&json, NULL);
        json_text(&json, "schema", reason_record.schema);
        json_number(&json, "version", reason_record.version);
        json_array(&json, reason_record.array);
    }
    for (size_t i = from; i < to; i++) {
        cli_progress(cli, "judging %zu of %zu instances", i + 1 - from, to - from);
        const struct prejoin *prejoin =
            prejoin_of(question->evidence, i, question->members_case, question->members, arena);
        if (!prejoin) {
            cli_error(cli, "out of memory");
            worst = CLI_FAILED;
            break;
        }
        worst = codes[prejoin->verdict] > worst ? codes[prejoin->verdict] : worst;
        if (cli->format == FORMAT_TEXT && i > from)
            out_byte(cli->out, '\n');
        if (cli->format == FORMAT_TEXT)
            text_prejoin(cli->out, question, prejoin);
        else if (table)
            rows_prejoin(table, question, prejoin);
        else
            json_prejoin(&json, question, prejoin);
    }
    if (cli->format == FORMAT_JSON) {
        json_end(&json);
        json_end(&json);
    }
    table_close(table);
    return worst;
}

static void progress(void *context, size_t done, size_t total)
{
    cli_progress(context, "reading %zu of %zu files", done, total);
}

static struct evidence *open_case(struct cli *cli, const struct config *config, char *const *paths, size_t count)
{
    struct evidence_options how = {.hosts = config->hosts, .progress = progress, .context = cli};
    struct evidence *evidence = evidence_open(paths, count, &how);
    if (!evidence) {
        cli_error(cli, "out of memory");
    } else if (evidence->problem) {
        cli_error_at(cli, paths[0], NULL, "%s", evidence->problem);
        evidence_close(evidence);
        return NULL;
    } else {
        cli_say_unread(cli, evidence);
    }
    return evidence;
}

/* Which instances: all, or the one that was asked for. */
static bool select_instances(struct cli *cli, const struct config *config, const struct evidence *evidence,
                             size_t *from, size_t *to)
{
    const char *why;
    *from = 0;
    *to = evidence->instance_count;
    if (!*to) {
        cli_error(cli, "no file shows an instance");
        cli_hint(
            cli,
            "an instance is shown by its nodes.conf, redis.conf, log or dump; rcf-identify lists what each file is");
        return false;
    }
    if (!config->instance)
        return true;
    *from = evidence_instance(evidence, config->instance, &why);
    if (*from == SIZE_MAX) {
        cli_error(cli, "%s: %s", config->instance, why);
        return false;
    }
    *to = *from + 1;
    return true;
}

static int answer(struct cli *cli, const struct config *config, struct arena *arena)
{
    struct question question = {0};
    size_t from, to;
    int code = CLI_FAILED;
    question.evidence = open_case(cli, config, cli->operands, (size_t)cli->operand_count);
    if (!question.evidence || !select_instances(cli, config, question.evidence, &from, &to))
        goto done;
    if (config->cluster) {
        char *path[] = {(char *)(uintptr_t)config->cluster, NULL};
        question.members_case = open_case(cli, config, path, 1);
        question.members = question.members_case ? clusters_build(question.members_case, arena) : NULL;
        if (!question.members) {
            if (question.members_case)
                cli_error(cli, "out of memory");
            goto done;
        }
    }
    code = report(cli, &question, from, to, arena);
    if (question.evidence->unreadable || (question.members_case && question.members_case->unreadable))
        code = CLI_FAILED;
done:
    evidence_close(question.evidence);
    evidence_close(question.members_case);
    return code;
}

int main(int argc, char **argv)
{
    struct config config = {NULL};
    struct cli cli;
    if (!cli_start(&cli, &command, argc, argv, &config))
        return cli_finish(&cli, cli.exit_code);
    struct arena *arena = arena_new();
    int code = CLI_FAILED;
    if (arena)
        code = answer(&cli, &config, arena);
    else
        cli_error(&cli, "out of memory");
    arena_free(arena);
    return cli_finish(&cli, code);
}
