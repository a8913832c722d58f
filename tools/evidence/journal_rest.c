/* Behind the place at which servers stop: whether whole commands follow, and how many. */
#include "tools/evidence/journal_private.h"

enum { MOST_GAPS = 64 };

/* Where commands begin at or behind `from`. */
static bool find_commands(struct source *source, uint64_t from, uint64_t *at)
{
    *at = from;
    bool found = source && source_skip(source, from) && aof_resume(source, at) && !source_why(source);
    source_close(source);
    return found;
}

/* Reads from `at` on as far as it goes, which is `to`; true when that is not the end. */
static bool read_commands(struct journal_rest *rest, struct source *source, uint64_t at, uint64_t *to)
{
    struct aof *reader = source && source_skip(source, at) ? aof_open_tail(source, at) : NULL;
    struct aof_item item;
    enum parse_step step = PARSE_END;
    while (reader && ((step = aof_next(reader, &item)) == PARSE_ITEM || step == PARSE_DAMAGE))
        rest->commands += step == PARSE_ITEM && item.kind == AOF_COMMAND;
    *to = reader ? aof_complete_to(reader) : at;
    bool stopped = reader && (aof_stop(reader) == AOF_STOP_FORMAT || aof_stop(reader) == AOF_STOP_TRUNCATED);
    aof_close(reader);
    source_close(source);
    return stopped && *to > at;
}

void journal_find_rest(struct journal *journal, struct source *(*reopen)(void *context), void *context)
{
    struct journal_rest *rest = &journal->rest;
    bool in_dump = journal->stop == AOF_STOP_RDB;
    if (journal->stop != AOF_STOP_FORMAT && journal->stop != AOF_STOP_TRUNCATED && !in_dump)
        return;
    /* The command that cannot be read may have swallowed others. */
    uint64_t to = in_dump ? journal->stopped_at : journal->complete_to, at;
    while (rest->gaps <= MOST_GAPS && find_commands(reopen(context), to + 1, &at)) {
        rest->skipped += at - to;
        if (!rest->at)
            rest->at = at;
        else
            rest->gaps++;
        if (!read_commands(rest, reopen(context), at, &to))
            return;
    }
}
