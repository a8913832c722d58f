/* Dumps: when each was begun, by the clock of its host, and at which replication offset. */
#include <string.h>

#include "tools/history/history_private.h"

enum { WHOLE_SECOND_MS = 1000 };

/* Captures of one dump are one dump. */
static bool is_repeated(const struct evidence *evidence, size_t number)
{
    const struct evidence_file *file = &evidence->files[number];
    for (size_t f = 0; f < number; f++)
        if (evidence->files[f].dump && evidence->files[f].instance == file->instance && file->sha256[0] &&
            strcmp(evidence->files[f].sha256, file->sha256) == 0)
            return true;
    return false;
}

static bool add_dump(struct gathering *gathering, size_t number)
{
    const struct evidence *evidence = gathering->evidence;
    const struct evidence_file *file = &evidence->files[number];
    const struct dump *dump = file->dump;
    struct occurrence occurrence = occurrence_blank(OCCURRENCE_DUMP_WRITTEN);
    struct occurrence_field replid = {LOG_FIELD_REPLID, dump->repl_id};
    struct arena *arena = gathering->history->arena;
    if (file->instance < evidence->instance_count) {
        occurrence.instance = file->instance;
        if (evidence->instances[file->instance].node != NO_NODE)
            occurrence.node = view_store_id(evidence->store, evidence->instances[file->instance].node);
    }
    occurrence.text = arena_format(arena, "dump of %s%llu %s begun", dump->stop == RDB_STOP_NONE ? "" : "at least ",
                                   (unsigned long long)dump->keys, dump->keys == 1 ? "key" : "keys");
    occurrence.offset = dump->has_repl_offset ? dump->repl_offset : -1;
    occurrence.field_count = dump->repl_id != NULL;
    occurrence.fields = &replid;
    occurrence.when = moment_epoch(dump->ctime_s * WHOLE_SECOND_MS, WHOLE_SECOND_MS);
    occurrence.when.flags |= MOMENT_WHOLE_SECONDS;
    occurrence.file = number;
    return gathering_add(gathering, &occurrence);
}

bool gather_dumps(struct gathering *gathering)
{
    for (size_t f = 0; f < gathering->evidence->file_count; f++) {
        const struct dump *dump = gathering->evidence->files[f].dump;
        if (dump && dump->has_ctime && dump->ctime_s > 0 && dump->ctime_s < INT64_MAX / (2 * WHOLE_SECOND_MS) &&
            !is_repeated(gathering->evidence, f) && !add_dump(gathering, f))
            return false;
    }
    return true;
}
