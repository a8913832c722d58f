#include "tools/cli/unread.h"

#include "tools/evidence/condition.h"

void cli_say_unread(struct cli *cli, const struct evidence *evidence)
{
    for (size_t f = 0; f < evidence->file_count; f++) {
        const struct evidence_file *file = &evidence->files[f];
        if (file->changed)
            cli_error_at(cli, file->path, NULL, "changed while it was read");
        else if (file->unread && !file->skipped)
            cli_error_at(cli, file->path, NULL, "%s", file->unread);
        else if (file->skipped && cli->verbose)
            cli_note(cli, "%s: %s", file->path, file->unread);
    }
    if (!evidence->atime_kept)
        cli_note(cli, "access times may have moved: opening files without that is their owner's right");
}

void cli_say_damaged(struct cli *cli, const struct evidence *evidence)
{
    const char *why;
    for (size_t f = 0; f < evidence->file_count; f++)
        if (condition_of(evidence, f, &why) == CONDITION_DAMAGED)
            cli_note(cli, "%s: damaged, told as far as it can be read: %s", evidence->files[f].path, why);
}
