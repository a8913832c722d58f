#include <errno.h>
#include <string.h>

#include "tools/render/escape.h"
#include "tools/render/topology_output.h"

/* A quoted string of the DOT language: only quotes need a backslash there, but labels read backslashes as escapes too,
 * so those of the printable form are doubled. */
static void write_quoted(struct out *out, struct out *scratch, const char *const *lines, size_t count)
{
    out_byte(out, '"');
    for (size_t i = 0; i < count; i++) {
        if (!lines[i])
            continue;
        out_text(out, i ? "\\n" : "");
        out_empty(scratch);
        escape_printable(scratch, escape_string(lines[i]));
        struct bytes text = out_held(scratch);
        for (size_t b = 0; b < text.len; b++) {
            if (text.at[b] == '"' || text.at[b] == '\\')
                out_byte(out, '\\');
            out_byte(out, (char)text.at[b]);
        }
    }
    out_byte(out, '"');
}

static void write_id(struct out *out, struct out *scratch, const char *text)
{
    write_quoted(out, scratch, &text, 1);
}

static const char *style_of(const struct node *node)
{
    if (node->standing == STANDING_GHOST)
        return "dotted";
    return node->standing == STANDING_OUTSIDER ? "dashed" : "solid";
}

static void write_node(struct topology_writing *w, struct out *scratch, const struct topology *topology, uint32_t n)
{
    const struct node *node = &topology->cluster->nodes[n];
    const char *slots = topology_slots(w, topology, n);
    if (slots && strlen(slots) > 60)
        slots = arena_format(w->arena, "%u slots: %.40s...", node->slots_owned, slots);
    const char *lines[] = {
        node->name,
        arena_format(w->arena, "%.8s", node->id),
        slots,
        node->standing == STANDING_OUTSIDER ? "outsider" : node->standing == STANDING_GHOST ? "ghost" : NULL,
        node->failed ? "failed" : NULL,
    };
    out_text(w->out, "      ");
    write_id(w->out, scratch, node->id);
    out_text(w->out, " [label=");
    write_quoted(w->out, scratch, lines, sizeof(lines) / sizeof(*lines));
    out_format(w->out, ", shape=%s, style=%s%s];\n", node->replica ? "ellipse" : "box", style_of(node),
               node->failed ? ", color=red" : "");
}

static void write_cluster(struct topology_writing *w, struct out *scratch, const struct topology *topology)
{
    const struct cluster *cluster = topology->cluster;
    out_format(w->out, "  subgraph \"cluster_%zu\" {\n", topology->number);
    out_format(w->out, "    label=\"cluster %zu\";\n", topology->number);
    bool *done = arena_array(w->arena, cluster->node_count, sizeof(*done));
    for (uint32_t n = 0; done && n < cluster->node_count; n++) {
        if (done[n])
            continue;
        const char *host = cluster->nodes[n].host;
        out_format(w->out, "    subgraph \"cluster_%zu_%u\" {\n      label=", topology->number, n);
        write_id(w->out, scratch, host);
        out_text(w->out, ";\n");
        for (uint32_t other = n; other < cluster->node_count; other++) {
            if (done[other] || strcmp(cluster->nodes[other].host, host) != 0)
                continue;
            done[other] = true;
            write_node(w, scratch, topology, other);
        }
        out_text(w->out, "    }\n");
    }
    for (uint32_t n = 0; n < cluster->node_count; n++) {
        const struct node *node = &cluster->nodes[n];
        if (!node->replica || node->entry->primary == NO_NODE)
            continue;
        out_text(w->out, "    ");
        write_id(w->out, scratch, node->id);
        out_text(w->out, " -> ");
        write_id(w->out, scratch, view_store_id(w->evidence->store, node->entry->primary));
        out_format(w->out, " [style=%s];\n", style_of(node));
    }
    out_text(w->out, "  }\n");
}

void topology_write_dot(struct topology_writing *w)
{
    struct out *scratch = out_open_memory();
    if (!scratch) {
        out_fail(w->out, ENOMEM);
        return;
    }
    out_text(w->out, "digraph topology {\n  rankdir=LR;\n");
    for (size_t c = 0; c < w->topologies->clusters->count; c++)
        write_cluster(w, scratch, &w->topologies->all[c]);
    out_text(w->out, "}\n");
    out_close(scratch);
}
