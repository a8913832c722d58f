#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/nodes.h"
#include "tools/render/nodes_private.h"
#include "tools/render/time.h"

enum { SHOWN_CONDITIONS = 20 };

static void write_head(struct out *out, const struct nodes_file *file)
{
    const struct view *view = file->view;
    const struct sighting *own = view_own(view);
    out_style(out, OUT_BOLD);
    escape_printable(out, escape_string(file->path));
    out_style(out, OUT_PLAIN);
    out_format(out, ": %s", view_source_name(view->source));
    if (own) {
        out_text(out, " of ");
        escape_printable(out, escape_string(nodes_address(file->arena, own->entry)));
    }
    out_text(out, ", ");
    out_count(out, view->count, "node", "nodes");
    out_text(out, ", ");
    out_count(out, nodes_slots(view), "slot", "slots");
    if (view->limits) {
        out_format(out, "\n  %s\n", view_limits_text(view));
        return;
    }
    out_text(out, "\n ");
    if (view->has_current_epoch)
        out_format(out, " currentEpoch %llu,", (unsigned long long)view->current_epoch);
    if (view->has_last_vote_epoch)
        out_format(out, " lastVoteEpoch %llu,", (unsigned long long)view->last_vote_epoch);
    char time[TIME_SIZE];
    out_format(out, " newest pong %s\n", view->newest_pong_ms ? time_write(time, view->newest_pong_ms) : "none");
}

static void write_nodes(struct out *out, const struct nodes_file *file, bool verbose)
{
    struct column columns[NODE_COLUMNS];
    struct record_type record = nodes_node_record;
    memcpy(columns, record.columns, sizeof(columns));
    if (verbose)
        columns[NODE_ID].width = columns[NODE_PRIMARY_ID].width = 0;
    if (!file->view->any_hostname)
        columns[NODE_HOSTNAME].flags |= COLUMN_MACHINE;
    record.columns = columns;
    out_byte(out, '\n');
    struct table *table = table_open(out, &record, FORMAT_TEXT);
    if (!table)
        return;
    table_indent(table, 2);
    nodes_node_rows(table, file);
    table_close(table);
}

static void write_place(struct out *out, const struct nodes_file *file, struct place place)
{
    out_text(out, "  ");
    escape_printable(out, escape_string(file->path));
    out_format(out, ":%u: ", place.line);
}

static void write_found(struct out *out, const char *expected, const char *found)
{
    out_format(out, "expected %s, found %s", expected, found);
}

static void write_fact(struct out *out, const struct nodes_file *file, const struct startup_fact *fact)
{
    write_place(out, file, fact->place);
    out_styled(out, startup_class(fact->condition) <= STARTUP_BROKEN ? OUT_RED : OUT_YELLOW,
               startup_means(fact->condition));
    if (fact->before)
        out_format(out, " (line %u)", fact->before);
    if (fact->expected) {
        out_text(out, " (");
        write_found(out, fact->expected, fact->found);
        out_byte(out, ')');
    }
    out_byte(out, '\n');
}

static void write_conditions(struct out *out, const struct nodes_file *file, bool verbose)
{
    const struct startup *startup = file->startup;
    size_t count = startup ? startup->fact_count : file->view->defect_count, shown = 0, hidden = 0;
    for (size_t i = 0; i < count; i++) {
        if (startup && startup_class(startup->facts[i].condition) == STARTUP_NEWER)
            continue;
        if (shown == SHOWN_CONDITIONS && !verbose) {
            hidden++;
            continue;
        }
        if (!shown++)
            out_byte(out, '\n');
        if (startup) {
            write_fact(out, file, &startup->facts[i]);
        } else {
            write_place(out, file, file->view->defects[i].place);
            write_found(out, file->view->defects[i].expected, file->view->defects[i].found);
            out_byte(out, '\n');
        }
    }
    if (hidden)
        out_format(out, "  and %zu more; -v lists them\n", hidden);
}

static void write_startup(struct out *out, const struct nodes_file *file)
{
    static const struct {
        const char *word;
        enum out_style style;
    } outcomes[] = {
        [STARTUP_RIGHT] = {"starts", OUT_GREEN},
        [STARTUP_WRONG] = {"starts wrong", OUT_YELLOW},
        [STARTUP_REFUSES] = {"refuses", OUT_RED},
        [STARTUP_CRASHES] = {"crashes", OUT_RED},
    };
    struct startup_group groups[GENERATIONS];
    size_t count = startup_groups(file->startup, groups);
    out_byte(out, '\n');
    for (size_t i = 0; i < count; i++) {
        const struct startup_verdict *verdict = groups[i].verdict;
        const char *generations = startup_generations(file->arena, groups[i].generations);
        out_text(out, "  ");
        out_styled(out, outcomes[verdict->outcome].style, outcomes[verdict->outcome].word);
        out_repeat(out, ' ', sizeof("starts wrong  ") - 1 - strlen(outcomes[verdict->outcome].word));
        out_text(out, generations ? generations : "");
        if (verdict->fact)
            out_format(out, ": %s (line %u)", verdict->sentence, verdict->fact->place.line);
        out_byte(out, '\n');
    }
}

void nodes_text(struct out *out, const struct nodes_file *file, bool verbose)
{
    write_head(out, file);
    if (file->view->count)
        write_nodes(out, file, verbose);
    write_conditions(out, file, verbose);
    if (file->startup)
        write_startup(out, file);
}
