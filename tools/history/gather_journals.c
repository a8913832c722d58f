/* Append-only files: when the first and the last of their annotated commands were written. */
#include "tools/history/history_private.h"

enum { WHOLE_SECOND_MS = 1000 };

static bool add_stamp(struct gathering *gathering, size_t number, int64_t time_s, struct place place, const char *text)
{
    const struct evidence *evidence = gathering->evidence;
    const struct evidence_file *file = &evidence->files[number];
    struct occurrence occurrence = occurrence_blank(OCCURRENCE_AOF_STAMP);
    if (time_s <= 0 || time_s > INT64_MAX / (2 * WHOLE_SECOND_MS))
        return true;
    if (file->instance < evidence->instance_count) {
        occurrence.instance = file->instance;
        if (evidence->instances[file->instance].node != NO_NODE)
            occurrence.node = view_store_id(evidence->store, evidence->instances[file->instance].node);
    }
    occurrence.text = text;
    occurrence.when = moment_epoch(time_s * WHOLE_SECOND_MS, WHOLE_SECOND_MS);
    occurrence.when.flags |= MOMENT_WHOLE_SECONDS;
    occurrence.file = number;
    occurrence.place = place;
    return gathering_add(gathering, &occurrence);
}

bool gather_journals(struct gathering *gathering)
{
    for (size_t f = 0; f < gathering->evidence->file_count; f++) {
        const struct journal *journal = gathering->evidence->files[f].journal;
        if (!journal || !journal->has_time)
            continue;
        if (!add_stamp(gathering, f, journal->first_time_s, journal->first_time, "first annotated command of the AOF") ||
            (journal->last_time_s != journal->first_time_s &&
             !add_stamp(gathering, f, journal->last_time_s, journal->last_time, "last annotated command of the AOF")))
            return false;
    }
    return true;
}
