#include <errno.h>
#include <stdlib.h>

#include "tools/render/diff_output.h"
#include "tools/render/escape.h"

enum { NODE_ID, NODE, ASPECT, VALUE, BASELINE, VIEW_COUNT, VIEWS, FILE_PATH, LINE };

static const struct column columns[] = {
    [NODE_ID] = {"node_id", COLUMN_TEXT, .help = "id of the node about which views disagree"},
    [NODE] = {"node", COLUMN_TEXT, .help = "its ip:port, by the baseline where that lists it"},
    [ASPECT] = {"aspect", COLUMN_TEXT, .help = "member, address, role, primary, slots, epoch or flags"},
    [VALUE] = {"value", COLUMN_TEXT, .help = "what the views say; listed or not listed for member"},
    [BASELINE] = {"baseline", COLUMN_BOOL, .help = "the baseline group is among the views"},
    [VIEW_COUNT] = {"view_count", COLUMN_COUNT, .help = "how many views hold this value"},
    [VIEWS] = {"views", COLUMN_LIST, .help = "their names"},
    [FILE_PATH] = {"file", COLUMN_TEXT, .help = "file of the first of these views"},
    [LINE] = {"line", COLUMN_COUNT, .help = "line about the node in that file; absent when it has none"},
};

const struct record_type diff_record = {"rcf-diff", 1, "differences", columns, sizeof(columns) / sizeof(*columns)};

static void write_rows(struct out *out, const struct evidence *evidence, const struct diff *diff, enum format format)
{
    struct bytes *names = calloc(diff->operand_count, sizeof(*names));
    if (!names) {
        out_fail(out, ENOMEM);
        return;
    }
    struct table *table = table_open(out, &diff_record, format);
    for (size_t d = 0; d < diff->difference_count; d++) {
        const struct difference *difference = &diff->differences[d];
        for (size_t v = 0; v < difference->value_count; v++) {
            const struct diff_value *value = &difference->values[v];
            size_t count = 0;
            for (size_t g = 0; g < value->group_count; g++)
                for (size_t i = 0; i < diff->groups[value->groups[g]].count; i++)
                    names[count++] = escape_string(diff->operands[diff->groups[value->groups[g]].views[i]].name);
            const struct view *first = diff->operands[diff_first_holder(diff, value)].view;
            const struct sighting *sighting = view_find(first, difference->node);
            table_text(table, NODE_ID, view_store_id(diff->store, difference->node));
            table_text(table, NODE, difference->name);
            table_text(table, ASPECT, diff_aspect_word(difference->aspect));
            table_text(table, VALUE, value->text);
            table_bool(table, BASELINE, difference->baseline && v == 0);
            table_count(table, VIEW_COUNT, (int64_t)value->views);
            table_list(table, VIEWS, names, count);
            table_text(table, FILE_PATH, evidence->files[first->file].path);
            if (sighting)
                table_count(table, LINE, sighting->line);
            table_row(table);
        }
    }
    table_close(table);
    free(names);
}

static void write_group(struct json *json, const struct evidence *evidence, const struct diff *diff, size_t number)
{
    const struct diff_group *group = &diff->groups[number];
    json_object(json, NULL);
    json_number(json, "group", (int64_t)number);
    json_bool(json, "baseline", number == 0);
    json_number(json, "view_count", (int64_t)group->count);
    json_number(json, "node_count", (int64_t)group->nodes);
    json_u64(json, "epoch", group->epoch);
    if (group->pong_ms)
        json_time(json, "newest_pong", group->pong_ms);
    else
        json_null(json, "newest_pong");
    json_array(json, "views");
    for (size_t i = 0; i < group->count; i++) {
        const struct diff_operand *operand = &diff->operands[group->views[i]];
        const struct evidence_file *file = &evidence->files[operand->view->file];
        json_object(json, NULL);
        json_text(json, "name", operand->name);
        json_text(json, "file", file->path);
        json_text(json, "sha256", file->sha256);
        json_end(json);
    }
    json_end(json);
    json_end(json);
}

static void write_value(struct json *json, const struct evidence *evidence, const struct diff *diff,
                        const struct difference *difference, size_t number)
{
    const struct diff_value *value = &difference->values[number];
    const struct view *first = diff->operands[diff_first_holder(diff, value)].view;
    const struct sighting *sighting = view_find(first, difference->node);
    json_object(json, NULL);
    json_text(json, "value", value->text);
    json_bool(json, "baseline", difference->baseline && number == 0);
    json_number(json, "view_count", (int64_t)value->views);
    json_array(json, "groups");
    for (size_t g = 0; g < value->group_count; g++)
        json_number(json, NULL, value->groups[g]);
    json_end(json);
    json_text(json, "file", evidence->files[first->file].path);
    if (sighting)
        json_number(json, "line", sighting->line);
    else
        json_null(json, "line");
    json_end(json);
}

static void write_document(struct out *out, const struct evidence *evidence, const struct diff *diff)
{
    struct json json = json_on(out, JSON_INDENTED);
    json_object(&json, NULL);
    json_text(&json, "schema", diff_record.schema);
    json_number(&json, "version", diff_record.version);
    json_bool(&json, "equal", diff->group_count == 1);
    json_number(&json, "view_count", (int64_t)diff->operand_count);
    json_array(&json, "groups");
    for (size_t g = 0; g < diff->group_count; g++)
        write_group(&json, evidence, diff, g);
    json_end(&json);
    json_array(&json, diff_record.array);
    for (size_t d = 0; d < diff->difference_count; d++) {
        const struct difference *difference = &diff->differences[d];
        json_object(&json, NULL);
        json_text(&json, "node_id", view_store_id(diff->store, difference->node));
        json_text(&json, "node", difference->name);
        json_text(&json, "aspect", diff_aspect_word(difference->aspect));
        json_array(&json, "values");
        for (size_t v = 0; v < difference->value_count; v++)
            write_value(&json, evidence, diff, difference, v);
        json_end(&json);
        json_end(&json);
    }
    json_end(&json);
    json_end(&json);
}

void diff_write_records(struct out *out, const struct evidence *evidence, const struct diff *diff, enum format format)
{
    if (format == FORMAT_JSON)
        write_document(out, evidence, diff);
    else
        write_rows(out, evidence, diff, format);
}
