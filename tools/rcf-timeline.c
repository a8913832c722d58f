/* rcf-timeline: what happened, when, in which order, on which evidence. */
#include "tools/cli/cli.h"
#include "tools/cli/unread.h"
#include "tools/history/clocks.h"
#include "tools/history/history.h"
#include "tools/render/time.h"
int main(int argc, char **argv)
{
    static const struct cli_command command = {.name = "rcf-timeline", .least_operands = 1, .most_operands = CLI_MANY};
    struct cli cli;
    if (!cli_start(&cli, &command, argc, argv, NULL))
        return cli_finish(&cli, cli.exit_code);
    struct evidence *evidence = evidence_open(cli.operands, (size_t)cli.operand_count, NULL);
    struct clusters *clusters = clusters_build(evidence, evidence->arena);
    struct history *history = history_build(evidence, clusters, NULL, evidence->arena);
    for (size_t c = 0; c < history->clock_count; c++) {
        const struct host_clock *k = &history->clocks[c];
        out_format(cli.out, "clock %s %+.3f +-%.3f pairs %zu others %zu anchors %zu zone %s basis %s epoch %+.3f\n", k->host, (double)k->offset_ms/1000, (double)k->error_ms/1000, k->pairs, k->others, k->anchors, zone_basis_text(k->zone), offset_basis_text(k->basis), (double)k->epoch_offset_ms/1000);
    }
    for (size_t i = 0; i < history->count; i++) {
        const struct occurrence *o = &history->occurrences[i];
        char text[TIME_SIZE];
        out_format(cli.out, "%s %s %s x%llu %s\n", time_write(text, o->when.ms), o->instance == SIZE_MAX ? "-" : evidence->instances[o->instance].name, occurrence_word(o), (unsigned long long)o->count, o->text);
    }
    int code = cli_finish(&cli, 0);
    evidence_close(evidence);
    return code;
}
