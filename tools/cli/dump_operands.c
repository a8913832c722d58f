#include "tools/cli/dump_operands.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/render/escape.h"

/* One file on its way through a job. */
struct pass {
    struct dump_operands *operands;
    int index;
    const struct scan_job *job;
    uint64_t items, damages;
    struct place first; /* of the first damage that makes the dump corrupt */
    char expected[128], found[192];
};

/* A batch of the job, and what is counted beside it. */
struct batch {
    const struct scan_job *job;
    void *own;
    uint64_t items, damages;
    struct place first;
    char expected[128], found[192];
};

static void *begin(void *context)
{
    struct pass *pass = context;
    struct batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return NULL;
    batch->job = pass->job;
    batch->own = pass->job->begin(pass->job->context);
    if (batch->own)
        return batch;
    free(batch);
    return NULL;
}

static bool take_item(void *context, struct rdb *reader, const struct rdb_item *item)
{
    struct batch *batch = context;
    batch->items++;
    return batch->job->item(batch->own, reader, item);
}

static bool take_plain(void *context, const struct rdb_plain *run)
{
    struct batch *batch = context;
    batch->items += run->count;
    return batch->job->plain(batch->own, run);
}

static void keep_text(char *to, size_t room, const char *text)
{
    size_t len = text ? strlen(text) : 0;
    if (len >= room)
        len = room - 1;
    memcpy(to, text ? text : "", len);
    to[len] = '\0';
}

static bool take_damage(void *context, const struct damage *damage, struct bytes key)
{
    struct batch *batch = context;
    if (rdb_defect_is_corruption(damage->code) || damage->code == RDB_UNREAD_BYTES) {
        if (batch->damages++ == 0) {
            batch->first = damage->place;
            keep_text(batch->expected, sizeof(batch->expected), damage->expected);
            keep_text(batch->found, sizeof(batch->found), damage->found);
        }
    }
    return !batch->job->damage || batch->job->damage(batch->own, damage, key);
}

static bool merge(void *context, void *merged)
{
    struct pass *pass = context;
    struct batch *batch = merged;
    if (pass->damages == 0 && batch->damages > 0) {
        pass->first = batch->first;
        memcpy(pass->expected, batch->expected, sizeof(pass->expected));
        memcpy(pass->found, batch->found, sizeof(pass->found));
    }
    pass->items += batch->items;
    pass->damages += batch->damages;
    struct cli *cli = pass->operands->cli;
    cli_progress(cli, "reading %d of %d: %s: %" PRIu64 " records", pass->index + 1, cli->operand_count,
                 cli->operands[pass->index], pass->items);
    bool more = pass->job->merge(pass->job->context, batch->own);
    free(batch);
    return more;
}

static void drop(void *context, void *dropped)
{
    struct pass *pass = context;
    struct batch *batch = dropped;
    pass->job->drop(pass->job->context, batch->own);
    free(batch);
}

struct dump_operands dump_operands_of(struct cli *cli)
{
    return (struct dump_operands){.cli = cli};
}

static bool is_standard_input(const struct dump_operands *operands, int index)
{
    return strcmp(operands->cli->operands[index], "-") == 0;
}

const char *dump_operands_name(const struct dump_operands *operands, int index)
{
    return is_standard_input(operands, index) ? "<stdin>" : operands->cli->operands[index];
}

static enum dump_operand out_of_memory(struct dump_operands *operands)
{
    cli_error(operands->cli, "out of memory");
    operands->failed = true;
    return DUMP_OPERAND_ENDED;
}

static void say_damage(const struct pass *pass, const char *name)
{
    struct cli *cli = pass->operands->cli;
    cli_error_at(cli, name, &pass->first, "damaged: expected %s, found %s", pass->expected, pass->found);
    if (pass->damages > 1)
        cli_detail(cli, "%" PRIu64 " more %s", pass->damages - 1, pass->damages == 2 ? "defect" : "defects");
    cli_hint(cli, "rcf-rdb-check lists them all");
}

static void say_stop(const struct pass *pass, const char *name, const struct scan_end *end)
{
    struct cli *cli = pass->operands->cli;
    struct place stop = {.offset = end->offset};
    struct out *key = out_open_memory();
    if (key && end->key.len) {
        out_text(key, ", in key ");
        escape_printable(key, (struct bytes){end->key.at, end->key.len});
    }
    struct bytes held = key ? out_held(key) : (struct bytes){0};
    cli_error_at(cli, name, &stop, "nothing after this can be read: %s%.*s", end->why, (int)held.len,
                 held.len ? (const char *)held.at : "");
    out_close(key);
    if (is_standard_input(pass->operands, pass->index))
        cli_detail(cli, "what is behind it was not searched: standard input cannot be read twice");
}

/* What the end of a scan means for the file, and says it. */
static enum dump_operand judge(const struct pass *pass, const struct scan_end *end, bool whole, const char *why)
{
    struct dump_operands *operands = pass->operands;
    const char *name = dump_operands_name(operands, pass->index);
    if (end->stop == RDB_STOP_READ || end->stop == RDB_STOP_NOT_RDB || !whole) {
        const char *cause = why ? why : end->stop == RDB_STOP_NOT_RDB ? end->why : "changed while it was read";
        keep_text(operands->end.why, sizeof(operands->end.why), cause);
        cli_error_at(operands->cli, name, NULL, "%s", cause);
        operands->failed = true;
        return DUMP_OPERAND_LOST;
    }
    if (pass->damages > 0)
        say_damage(pass, name);
    if (end->stop != RDB_STOP_NONE)
        say_stop(pass, name, end);
    if (pass->damages == 0 && end->stop == RDB_STOP_NONE)
        return DUMP_OPERAND_WHOLE;
    operands->damaged = true;
    return DUMP_OPERAND_DAMAGED;
}

static struct source *reopen(void *context)
{
    struct source *source = source_open(AT_FDCWD, context, SOURCE_FOLLOW | SOURCE_UNHASHED);
    if (source && !source_why(source))
        return source;
    source_close(source);
    return NULL;
}

enum dump_operand dump_operands_scan(struct dump_operands *operands, int index, const struct scan_job *job)
{
    const char *path = operands->cli->operands[index];
    bool standard = is_standard_input(operands, index);
    struct source *source =
        standard ? source_descriptor_with(STDIN_FILENO, SOURCE_UNHASHED)
                 : source_open(AT_FDCWD, path, SOURCE_FOLLOW | SOURCE_UNHASHED);
    if (!source)
        return out_of_memory(operands);
    cli_progress(operands->cli, "reading %d of %d: %s", index + 1, operands->cli->operand_count, path);

    struct pass pass = {.operands = operands, .index = index, .job = job};
    const struct scan_job counted = {job->flags, &pass, begin, take_item, take_damage, merge, drop,
                                     job->plain ? take_plain : NULL};
    const struct scan_options options = {
        .threads = operands->threads,
        .expect_end = true,
        .reopen = standard ? NULL : reopen,
        .reopen_context = (void *)(uintptr_t)path,
    };
    struct scan_end end;
    struct source_facts facts;
    enum dump_operand outcome;
    if (operands->opened)
        operands->opened(operands->opened_context, source);
    bool complete = dump_scan(source, &options, &counted, &end);
    operands->end = end;
    if (!complete && end.stop == RDB_STOP_MEMORY) {
        outcome = out_of_memory(operands);
    } else if (!complete) {
        outcome = DUMP_OPERAND_ENDED;
    } else {
        bool whole = source_finish(source, &facts);
        operands->atime_moved |= !standard && whole && !facts.atime_kept;
        outcome = judge(&pass, &end, whole, source_why(source));
    }
    source_close(source);
    return outcome;
}

int dump_operands_exit(struct dump_operands *operands, int otherwise)
{
    if (operands->atime_moved)
        cli_note(operands->cli, "access times may have moved: O_NOATIME was refused, being the owner's right");
    return operands->failed ? CLI_FAILED : operands->damaged ? CLI_FOUND : otherwise;
}
