#include "tools/evidence/dump_scan.h"

#include <stdio.h>

enum { BATCH_ITEMS = 4096 };

static bool read_batch(struct rdb *reader, const struct scan_job *job, void *batch, bool *more)
{
    struct rdb_item item;
    bool ok = true;
    *more = true;
    for (size_t i = 0; ok && *more && i < BATCH_ITEMS; i++) {
        switch (rdb_next(reader, &item)) {
        case PARSE_ITEM:
            ok = job->item(batch, reader, &item);
            break;
        case PARSE_DAMAGE:
            ok = job->damage(batch, rdb_damage(reader), rdb_damage_key(reader));
            break;
        case PARSE_END:
        case PARSE_STOP:
            *more = false;
        }
    }
    return ok;
}

bool dump_scan(struct source *source, const struct scan_options *options, const struct scan_job *job,
               struct scan_end *end)
{
    struct rdb *reader = rdb_open(source, job->flags);
    *end = (struct scan_end){.stop = RDB_STOP_MEMORY};
    if (!reader)
        return false;
    if (options->expect_end)
        rdb_expect_end(reader);
    bool ok = true, more = true;
    while (ok && more) {
        void *batch = job->begin(job->context);
        ok = batch && read_batch(reader, job, batch, &more);
        if (ok)
            ok = job->merge(job->context, batch);
        else if (batch)
            job->drop(job->context, batch);
    }
    end->stop = rdb_stop(reader);
    end->offset = rdb_offset(reader);
    end->interrupted = !ok;
    snprintf(end->why, sizeof(end->why), "%s", rdb_why(reader) ? rdb_why(reader) : "");
    rdb_close(reader);
    return ok;
}
