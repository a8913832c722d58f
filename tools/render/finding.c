#include "tools/render/finding.h"

#include <string.h>

#include "tools/plan/plan.h"
#include "tools/render/escape.h"

enum { EXCERPT_MOST = 4096, PLACES_SHOWN = 3 };

const char *novelty_word(enum novelty novelty)
{
    static const char *const words[] = {NULL, "new", "unchanged", "gone"};
    return words[novelty];
}

static enum out_style style_of(enum severity severity)
{
    static const enum out_style styles[] = {OUT_CYAN, OUT_YELLOW, OUT_RED};
    return styles[severity];
}

static void safe(struct out *out, const char *text)
{
    escape_terminal(out, escape_string(text));
}

/* A paragraph's line: a label in a column of its own, the text behind it. */
static void labelled(struct out *out, const char *label, const char *text)
{
    if (!text || !*text)
        return;
    out_format(out, "       %-9s ", label);
    safe(out, text);
    out_byte(out, '\n');
}

static void place_text(struct out *out, const struct evidence *evidence, const struct exhibit *exhibit)
{
    safe(out, evidence->files[exhibit->file].path);
    if (exhibit->place.line)
        out_format(out, ":%u", exhibit->place.line);
    else
        out_format(out, ", offset %llu", (unsigned long long)exhibit->place.offset);
}

static void seen_in(struct out *out, const struct findings *findings, const struct finding *finding, bool verbose)
{
    size_t shown = verbose || finding->exhibit_count <= PLACES_SHOWN ? finding->exhibit_count : PLACES_SHOWN;
    for (size_t e = 0; e < shown; e++) {
        out_format(out, "       %-9s ", e ? "" : "seen in");
        place_text(out, findings->evidence, &finding->exhibits[e]);
        if (e + 1 == shown && shown < finding->exhibit_count)
            out_format(out, " and %zu more (-v lists them)", finding->exhibit_count - shown);
        out_byte(out, '\n');
    }
}

/* A word of a command line to be copied, or else the other. */
static void word(struct out *out, const char *text, const char *otherwise)
{
    if (!escape_shell(out, escape_string(text)) && !escape_shell(out, escape_string(otherwise)))
        out_text(out, "NODE");
}

static void next_command(struct out *out, const struct finding *finding, const char *case_path)
{
    static const char *const of_node[] = {"rejoin", "remove"};
    if (!finding->goal)
        return;
    bool needs_node = false;
    for (size_t i = 0; i < sizeof(of_node) / sizeof(of_node[0]); i++)
        needs_node |= strcmp(finding->goal, of_node[i]) == 0;
    if (!needs_node || !finding->node)
        return;
    out_format(out, "       %-9s rcf-plan %s ", "do", finding->goal);
    word(out, finding->node, finding->node_id);
    out_byte(out, ' ');
    word(out, case_path, "CASE");
    out_text(out, "     (or: remove)\n");
}

/* The goal of rcf-plan that answers it; NULL where none does, and for what is gone. */
static const char *remedy(const struct finding *finding, enum novelty novelty)
{
    if (novelty == NOVELTY_GONE)
        return NULL;
    return finding->goal || !plan_repairs(finding->id) ? finding->goal : "repair";
}

void finding_repair_text(struct out *out, const struct findings *findings, const char *case_path)
{
    bool repaired = false;
    for (size_t i = 0; i < findings->count && !repaired; i++)
        repaired = findings->all[i].severity != SEVERITY_INFO && plan_repairs(findings->all[i].id);
    if (!repaired)
        return;
    out_text(out, "do  rcf-plan repair ");
    word(out, case_path, "CASE");
    out_text(out, "     (all that has a safe remedy, in the right order)\n");
}

void finding_text(struct out *out, const struct findings *findings, const struct finding *finding, enum novelty novelty,
                  const char *case_path, bool verbose)
{
    out_styled(out, style_of(finding->severity), severity_word(finding->severity));
    out_repeat(out, ' ', 9 - strlen(severity_word(finding->severity)));
    out_styled(out, OUT_BOLD, finding_word(finding->id));
    if (finding->node) {
        out_text(out, "  ");
        safe(out, finding->node);
        if (finding->node_id) {
            out_text(out, " (");
            escape_short_id(out, finding->node_id);
            out_byte(out, ')');
        }
    } else if (finding->host) {
        out_text(out, "  host ");
        safe(out, finding->host);
    }
    if (finding->slots && *finding->slots) {
        bool one = !strpbrk(finding->slots, ",-");
        size_t len = strlen(finding->slots);
        out_format(out, "  slot%s %.*s%s", one ? "" : "s", verbose || len < 60 ? (int)len : 56, finding->slots,
                   verbose || len < 60 ? "" : "...");
    }
    out_format(out, "  %s", certainty_word(finding->certainty));
    if (novelty_word(novelty))
        out_format(out, "  %s", novelty_word(novelty));
    out_text(out, "\n       ");
    safe(out, finding->summary);
    out_byte(out, '\n');
    labelled(out, "why", finding->rule);
    seen_in(out, findings, finding, verbose);
    for (const char *line = finding->detail; line && *line;) {
        size_t len = strcspn(line, "\n");
        out_format(out, "       %-9s ", "");
        escape_terminal(out, (struct bytes){(const uint8_t *)line, len});
        out_byte(out, '\n');
        line += len + (line[len] == '\n');
    }
    labelled(out, "settles", finding->settles);
    next_command(out, finding, case_path);
}

static void exhibit_json(struct json *json, const struct findings *findings, const struct exhibit *exhibit, struct arena *arena)
{
    const struct evidence_file *file = &findings->evidence->files[exhibit->file];
    uint64_t length = exhibit->place.length < EXCERPT_MOST ? exhibit->place.length : EXCERPT_MOST;
    struct bytes excerpt = evidence_excerpt(findings->evidence, exhibit->file, exhibit->place.offset, length, EXCERPT_MOST, arena);
    json_object(json, NULL);
    json_text(json, "file", file->path);
    json_text(json, "sha256", file->sha256);
    if (exhibit->place.line)
        json_number(json, "line", exhibit->place.line);
    else
        json_null(json, "line");
    json_u64(json, "offset", exhibit->place.offset);
    json_u64(json, "length", excerpt.len);
    json_bytes(json, "excerpt", excerpt);
    json_end(json);
}

void finding_json(struct json *json, const char *key, const struct findings *findings, const struct finding *finding,
                  enum novelty novelty)
{
    json_object(json, key);
    json_text(json, "finding", finding_word(finding->id));
    json_text(json, "severity", severity_word(finding->severity));
    json_text(json, "certainty", certainty_word(finding->certainty));
    if (novelty != NOVELTY_NONE)
        json_text(json, "baseline", novelty_word(novelty));
    json_text(json, "node", finding->node);
    json_text(json, "node_id", finding->node_id);
    json_text(json, "host", finding->host);
    json_text(json, "slots", finding->slots);
    if (finding->has_keys)
        json_u64(json, "keys", finding->keys);
    else
        json_null(json, "keys");
    json_text(json, "summary", finding->summary);
    json_text(json, "rule", finding->rule);
    json_text(json, "settles", finding->settles);
    json_text(json, "detail", finding->detail);
    json_array(json, "evidence");
    struct arena *arena = arena_new();
    for (size_t e = 0; arena && e < finding->exhibit_count; e++)
        exhibit_json(json, findings, &finding->exhibits[e], arena);
    arena_free(arena);
    json_end(json);
    json_text(json, "remedy", remedy(finding, novelty));
    json_end(json);
}

enum { C_FINDING, C_SEVERITY, C_CERTAINTY, C_BASELINE, C_NODE, C_NODE_ID, C_HOST, C_SLOTS, C_KEYS, C_SUMMARY, C_RULE, C_SETTLES,
       C_FILE, C_SHA256, C_LINE, C_OFFSET, C_LENGTH, C_PLACES, C_REMEDY };

static const struct column columns[] = {
    [C_FINDING] = {"finding", COLUMN_TEXT, .help = "the finding's id, a permanent word"},
    [C_SEVERITY] = {"severity", COLUMN_TEXT, .help = "error, warning or info"},
    [C_CERTAINTY] = {"certainty", COLUMN_TEXT, .help = "proved or probable"},
    [C_BASELINE] = {"baseline", COLUMN_TEXT, .help = "new, unchanged or gone, with --baseline"},
    [C_NODE] = {"node", COLUMN_TEXT, .help = "ip:port of the node it is about"},
    [C_NODE_ID] = {"node_id", COLUMN_TEXT, .help = "its id"},
    [C_HOST] = {"host", COLUMN_TEXT, .help = "the host it is about, or on which the node lives"},
    [C_SLOTS] = {"slots", COLUMN_TEXT, .help = "ranges"},
    [C_KEYS] = {"keys", COLUMN_U64, .help = "how many keys it is about"},
    [C_SUMMARY] = {"summary", COLUMN_TEXT, .help = "what is the case"},
    [C_RULE] = {"rule", COLUMN_TEXT, .help = "which rule decided"},
    [C_SETTLES] = {"settles", COLUMN_TEXT, .help = "what would refute or prove it"},
    [C_FILE] = {"file", COLUMN_TEXT, .help = "the file of the first place that shows it"},
    [C_SHA256] = {"sha256", COLUMN_TEXT, .help = "its hash"},
    [C_LINE] = {"line", COLUMN_COUNT, .help = "the line in it"},
    [C_OFFSET] = {"offset", COLUMN_U64, .help = "the offset in it"},
    [C_LENGTH] = {"length", COLUMN_U64, .help = "the length of the excerpt"},
    [C_PLACES] = {"places", COLUMN_COUNT, .help = "how many places show it; JSON lists them"},
    [C_REMEDY] = {"remedy", COLUMN_TEXT, .help = "rejoin: rcf-plan has the steps; repair: --explain says what to do"},
};

const struct record_type finding_record = {"rcf-check", 1, "findings", columns, sizeof(columns) / sizeof(columns[0])};

void finding_row(struct table *table, const struct findings *findings, const struct finding *finding, enum novelty novelty)
{
    table_text(table, C_FINDING, finding_word(finding->id));
    table_text(table, C_SEVERITY, severity_word(finding->severity));
    table_text(table, C_CERTAINTY, certainty_word(finding->certainty));
    table_text(table, C_BASELINE, novelty_word(novelty));
    table_text(table, C_NODE, finding->node);
    table_text(table, C_NODE_ID, finding->node_id);
    table_text(table, C_HOST, finding->host);
    table_text(table, C_SLOTS, finding->slots);
    if (finding->has_keys)
        table_u64(table, C_KEYS, finding->keys);
    table_text(table, C_SUMMARY, finding->summary);
    table_text(table, C_RULE, finding->rule);
    table_text(table, C_SETTLES, finding->settles);
    if (finding->exhibit_count) {
        const struct exhibit *first = &finding->exhibits[0];
        table_text(table, C_FILE, findings->evidence->files[first->file].path);
        table_text(table, C_SHA256, findings->evidence->files[first->file].sha256);
        if (first->place.line)
            table_count(table, C_LINE, first->place.line);
        table_u64(table, C_OFFSET, first->place.offset);
        table_u64(table, C_LENGTH, first->place.length);
    }
    table_count(table, C_PLACES, (int64_t)finding->exhibit_count);
    table_text(table, C_REMEDY, remedy(finding, novelty));
    table_row(table);
}
