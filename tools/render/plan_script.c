/* A plan as a POSIX shell script.
 *
 * The script consists of fixed text and of values that were checked against a form here: node ids, addresses, ports, slot
 * ranges, counts, plain file names. Nothing else of the evidence reaches it, not even in a comment. What live servers answer is
 * compared, and used only after it was checked by the script itself. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <string.h>

#include "parsers/bytes/text.h"
#include "tools/render/escape.h"
#include "tools/render/plan.h"

/* ------------------------------------------------------------------ what may stand in a script */

static bool only(const char *text, const char *allowed)
{
    return text && *text && strspn(text, allowed) == strlen(text);
}

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

/* An IP address, or a host name of RFC 1123: labels of letters, digits and inner hyphens. */
static bool is_address(const char *text)
{
    unsigned char raw[16];
    if (!text || strlen(text) > 253)
        return false;
    if (inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1)
        return true;
    if (!only(text, LETTERS DIGITS ".-"))
        return false;
    for (const char *label = text; *label;) {
        size_t len = strcspn(label, ".");
        if (len == 0 || len > 63 || label[0] == '-' || label[len - 1] == '-')
            return false;
        label += len + (label[len] == '.');
    }
    return true;
}

static bool is_file_name(const char *text)
{
    return only(text, LETTERS DIGITS "._-") && text[0] != '-' && text[0] != '.' && strlen(text) < 200;
}

static bool is_id(const char *text)
{
    return text && text_is_node_id(escape_string(text));
}

static bool fits(const struct plan *plan, const char **why)
{
    const struct cluster *cluster = plan->cluster;
    *why = "the target's address is not an IP address or a host name";
    if (!is_address(plan->target_ip) || !plan->target_port)
        return false;
    *why = "the target's host is not an IP address or a host name";
    if (!is_address(plan->target_host))
        return false;
    *why = "a node id is not 40 hexadecimal digits";
    if ((plan->target_id && !is_id(plan->target_id)) || (plan->primary_id && !is_id(plan->primary_id)))
        return false;
    for (size_t n = 0; n < cluster->member_count; n++)
        if (!is_id(cluster->nodes[n].id))
            return false;
    *why = "a member's address is not an IP address or a host name";
    for (size_t n = 0; n < cluster->member_count; n++)
        if (!cluster->nodes[n].failed && (!cluster->nodes[n].entry || !is_address(cluster->nodes[n].entry->ip) || !cluster->nodes[n].entry->port))
            return false;
    *why = "the name of its nodes.conf, dump or AOF is not a plain file name";
    return is_file_name(plan->config_file) && (!plan->dump_file || is_file_name(plan->dump_file)) &&
           (!plan->aof_name || is_file_name(plan->aof_name));
}

/* ------------------------------------------------------------------ writing */

static void assign(struct out *out, const char *name, const char *value)
{
    out_format(out, "%s=", name);
    escape_shell(out, escape_string(value ? value : ""));
    out_byte(out, '\n');
}

static bool has(const struct plan *plan, enum action action)
{
    for (size_t s = 0; s < plan->step_count; s++)
        if (plan->steps[s].action == action)
            return true;
    return false;
}

/* What must be there to be kept, what is kept where it is there, and the dump that the plan was made for. A nodes.conf is
 * written again and again while its node runs, so its hash would prove nothing. */
static void kept_files(struct out *out, const struct plan *plan)
{
    out_format(out, "files='%s", plan->config_file);
    if (plan->dump_file)
        out_format(out, " %s", plan->dump_file);
    if (plan->aof_name && plan->aof_certain)
        out_format(out, " %s", plan->aof_name);
    out_text(out, "'\n");
    assign(out, "files_if_there", plan->aof_certain ? NULL : plan->aof_name);
    out_format(out, "dump_unseen=%s\n", plan->dump_file ? "no" : "yes");
    assign(out, "dump_file", plan->dump_file);
    assign(out, "dump_sha256", plan->dump_sha256);
}

static void header(struct out *out, const struct plan *plan)
{
    const struct cluster *cluster = plan->cluster;
    size_t failed = 0;
    out_format(out, "#!/bin/sh\n# rcf-plan %s, fingerprint %s\n", plan_goal_word(plan->goal), plan->fingerprint);
    out_text(out, "# Verifies each precondition, stops at the first surprise, asks before it destroys anything.\n"
                  "#   DRY_RUN=1          prints the steps only\n"
                  "#   RCF_ON_HOST=...    runs a command on the target's host, such as 'ssh {host}'\n"
                  "#   RCF_CLI_OPTIONS    options for every call of the client, such as --tls; passwords by REDISCLI_AUTH\n"
                  "#   RCF_YES=");
    out_format(out, "%s  answers yes to every question of this very plan\nset -eu\nLC_ALL=C\nexport LC_ALL\n\n", plan->fingerprint);
    assign(out, "fingerprint", plan->fingerprint);
    assign(out, "target_ip", plan->target_ip);
    out_format(out, "target_port=%u\n", plan->target_port);
    assign(out, "target_id", plan->target_id);
    assign(out, "target_host", plan->target_host);
    assign(out, "target_role", plan->target_replica ? "slave" : "master");
    if (plan->db0_keys)
        out_format(out, "target_keys='db0:keys=%" PRIu64 "'\n", plan->db0_keys);
    else
        out_text(out, "target_keys=''\n");
    if (has(plan, ACTION_KEEP_FILES))
        kept_files(out, plan);
    if (has(plan, ACTION_MOVE_ASIDE))
        assign(out, "config_file", plan->config_file);
    out_format(out, "client=${RCF_CLI:-%s}\n", plan->dialect == DIALECT_VALKEY_CLI ? "valkey-cli" : "redis-cli");
    out_text(out, "members='");
    for (size_t n = 0, first = 1; n < cluster->member_count; n++) {
        const struct node *node = &cluster->nodes[n];
        failed += node->failed;
        if (node->failed || node->instance == plan->target || (plan->target_id && strcmp(node->id, plan->target_id) == 0))
            continue;
        out_format(out, "%s%s,%u", first ? "" : " ", node->entry->ip, node->entry->port);
        first = 0;
    }
    out_text(out, "'\n");
    if (failed)
        out_format(out, "# %zu failed member%s not asked.\n", failed, failed == 1 ? " is" : "s are");
}

/* What the plan rests on, besides members and slots: who lists the target. A rejoining node that every member lists is a
 * member, one that was listed by nobody and is listed now has come back: both need no plan, and would be harmed by one. */
static void premise(struct out *out, const struct plan *plan)
{
    out_text(out, "listing=0 silent=0\n\npremise() {\n");
    if (plan->goal == GOAL_REMOVE)
        out_text(out, "    :\n");
    else if (plan->listed)
        out_text(out, "    [ \"$silent\" -gt 0 ] || stop 'every member lists it: it is a member, and there is nothing to repair'\n");
    else
        out_text(out, "    [ \"$listing\" -eq 0 ] || stop \"$listing members list it again: the evidence is out of date\"\n");
    out_text(out, "}\n");
}

static void expected_picture(struct out *out, const struct plan *plan, struct arena *arena)
{
    const struct cluster *cluster = plan->cluster;
    out_text(out, "\n# Every member and its slots, by id.\nexpected=$(sort <<'END'\n");
    for (uint32_t n = 0; n < cluster->member_count; n++) {
        if (plan->target_id && strcmp(cluster->nodes[n].id, plan->target_id) == 0)
            continue;
        char *slots = cluster_slots_of(cluster, n, arena);
        for (char *c = slots; c && *c; c++)
            if (*c == ',')
                *c = ' ';
        out_format(out, "%s%s%s\n", cluster->nodes[n].id, slots && *slots ? " " : "", slots ? slots : "");
    }
    out_text(out, "END\n)\n");
}

/* The functions that steps are made of; no value of the evidence in them. */
static const char library[] =
    "\n"
    "stop() {\n"
    "    printf 'stopped: %s\\n' \"$1\" >&2\n"
    "    printf 'hint: collect the files again and make the plan anew\\n' >&2\n"
    "    exit 1\n"
    "}\n"
    "\n"
    "step() { # number kind where what; true when it is to be done\n"
    "    printf '%3s  %-8s %-24s %s\\n' \"$1\" \"$2\" \"$3\" \"$4\"\n"
    "    [ \"${DRY_RUN-}\" != 1 ]\n"
    "}\n"
    "\n"
    "confirm() { # what is about to be destroyed\n"
    "    [ \"${RCF_YES-}\" = \"$fingerprint\" ] && return\n"
    "    printf '%s\\nType yes to go on: ' \"$1\" >&2\n"
    "    read -r reply || reply=\n"
    "    [ \"$reply\" = yes ] || stop 'not confirmed'\n"
    "}\n"
    "\n"
    "ask() { # ip port word...: one command, its answer without carriage returns\n"
    "    ip=$1 port=$2\n"
    "    shift 2\n"
    "    # shellcheck disable=SC2086\n"
    "    \"$client\" ${RCF_CLI_OPTIONS-} -h \"$ip\" -p \"$port\" \"$@\" </dev/null | tr -d '\\r'\n"
    "}\n"
    "\n"
    "tell() { # word...: a command for the target that must answer OK\n"
    "    answer=$(ask \"$target_ip\" \"$target_port\" \"$@\")\n"
    "    [ \"$answer\" = OK ] || stop \"$* was answered with: $answer\"\n"
    "}\n"
    "\n"
    "field() { # name: its value in INFO or CLUSTER INFO on standard input\n"
    "    sed -n \"s/^$1://p\" | head -n 1\n"
    "}\n"
    "\n"
    "keyspace() { sed -n 's/^\\(db[0-9]*:keys=[0-9]*\\),.*/\\1/p'; }\n"
    "\n"
    "picture() { # CLUSTER NODES on standard input: ids and slots of all but the target\n"
    "    awk -v skip=\"$target_id\" '$1 != skip { s = $1; for (i = 9; i <= NF; i++) if ($i !~ /^\\[/) s = s \" \" $i; print s }' | sort\n"
    "}\n"
    "\n"
    "holds_slots() { # CLUSTER NODES on standard input: the target's line assigns slots to it\n"
    "    awk -v id=\"$target_id\" '$1 == id && NF > 8 { found = 1 } END { exit !found }'\n"
    "}\n"
    "\n"
    "is_id() {\n"
    "    case $1 in *[!0-9a-f]*) return 1 ;; esac\n"
    "    [ ${#1} -eq 40 ]\n"
    "}\n"
    "\n"
    "lists() { # ip port id: the node lists the id\n"
    "    nodes=$(ask \"$1\" \"$2\" CLUSTER NODES)\n"
    "    [ -n \"$nodes\" ] || stop \"$1:$2 does not answer CLUSTER NODES\"\n"
    "    printf '%s\\n' \"$nodes\" | grep -q \"^$3 \"\n"
    "}\n"
    "\n"
    "nobody_lists() { # id\n"
    "    for member in $members; do\n"
    "        if lists \"${member%,*}\" \"${member##*,}\" \"$1\"; then stop \"${member%,*}:${member##*,} lists $1\"; fi\n"
    "    done\n"
    "}\n"
    "\n"
    "data_dir() { # sets dir\n"
    "    dir=$(ask \"$target_ip\" \"$target_port\" CONFIG GET dir | tail -n 1)\n"
    "    case $dir in /*) ;; *) stop 'CONFIG GET dir gave no absolute path' ;; esac\n"
    "    case $dir in *[!A-Za-z0-9._/+@=,-]*) stop 'the data directory has characters that this script does not pass on' ;; esac\n"
    "}\n"
    "\n"
    "on_host() { # command line\n"
    "    if [ -z \"${RCF_ON_HOST-}\" ]; then\n"
    "        printf 'to be run on host %s: %s\\n' \"$target_host\" \"$1\"\n"
    "        stop 'RCF_ON_HOST is not set, so this script cannot run it'\n"
    "    fi\n"
    "    runner=$(printf '%s' \"$RCF_ON_HOST\" | sed \"s/{host}/$target_host/g\")\n"
    "    # shellcheck disable=SC2086\n"
    "    $runner \"$1\" || stop \"the command on host $target_host failed\"\n"
    "}\n"
    "\n"
    "wait_for() { # seconds function: until the function is true\n"
    "    left=$1\n"
    "    until \"$2\"; do\n"
    "        left=$((left - 1))\n"
    "        [ \"$left\" -gt 0 ] || return 1\n"
    "        sleep 1\n"
    "    done\n"
    "}\n";

/* The body of each step, between `if step ...; then` and `fi`. Values come from the variables of the header. */
static const char *const bodies[ACTIONS] = {
    [ACTION_VERIFY_MEMBERS] =
        "    for member in $members; do\n"
        "        nodes=$(ask \"${member%,*}\" \"${member##*,}\" CLUSTER NODES)\n"
        "        [ -n \"$nodes\" ] || stop \"${member%,*}:${member##*,} does not answer\"\n"
        "        [ \"$(printf '%s\\n' \"$nodes\" | picture)\" = \"$expected\" ] ||\n"
        "            stop \"${member%,*}:${member##*,} shows other members or slot owners than the evidence\"\n"
        "        printf '%s\\n' \"$nodes\" | holds_slots && stop \"${member%,*}:${member##*,} assigns slots to the target\"\n"
        "        if [ -n \"$target_id\" ] && printf '%s\\n' \"$nodes\" | grep -q \"^$target_id \"; then\n"
        "            listing=$((listing + 1))\n"
        "        else\n"
        "            silent=$((silent + 1))\n"
        "        fi\n"
        "    done\n"
        "    premise\n",
    [ACTION_VERIFY_IDENTITY] =
        "    [ \"$(ask \"$target_ip\" \"$target_port\" CLUSTER MYID)\" = \"$target_id\" ] ||\n"
        "        stop \"$target_ip:$target_port does not answer, or is another node\"\n",
    [ACTION_VERIFY_CONTENT] =
        "    info=$(ask \"$target_ip\" \"$target_port\" INFO)\n"
        "    [ \"$(printf '%s\\n' \"$info\" | field role)\" = \"$target_role\" ] || stop \"its role is not $target_role\"\n"
        "    [ \"$(printf '%s\\n' \"$info\" | field connected_slaves)\" = 0 ] || stop 'a replica is connected to it'\n"
        "    [ \"$(printf '%s\\n' \"$info\" | keyspace)\" = \"$target_keys\" ] ||\n"
        "        stop \"its memory holds other keys than its dump: take them with $client --rdb first\"\n"
        "    [ \"$(printf '%s\\n' \"$info\" | field rdb_changes_since_last_save)\" = 0 ] ||\n"
        "        stop \"its memory has changes that its dump lacks: take them with $client --rdb, then let it BGSAVE\"\n",
    [ACTION_KEEP_FILES] =
        "    data_dir\n"
        "    keep=rcf-keep-$fingerprint line=\"cd $dir\"\n"
        "    if [ \"$dump_unseen\" = yes ]; then # no dump is in the evidence: what lies on the host is kept all the same\n"
        "        dump=$(ask \"$target_ip\" \"$target_port\" CONFIG GET dbfilename | tail -n 1)\n"
        "        case $dump in ''|-*|*[!A-Za-z0-9._-]*) stop 'the name of the dump is not one that this script passes on' ;; esac\n"
        "        files_if_there=\"$files_if_there $dump\"\n"
        "    fi\n"
        "    for f in $files; do line=\"$line && { [ -e $f.$keep ] || cp -Rp $f $f.$keep; }\"; done\n"
        "    for f in $files_if_there; do line=\"$line && { [ ! -e $f ] || [ -e $f.$keep ] || cp -Rp $f $f.$keep; }\"; done\n"
        "    [ -z \"$dump_sha256\" ] || line=\"$line && echo '$dump_sha256  $dump_file.$keep' | sha256sum -c -\"\n"
        "    on_host \"$line\"\n",
    [ACTION_FLUSH_ALL] =
        "    confirm \"FLUSHALL on $target_ip:$target_port ($target_id) destroys all its keys.\"\n"
        "    tell FLUSHALL\n",
    [ACTION_FLUSH_FUNCTIONS] =
        "    confirm \"FUNCTION FLUSH on $target_ip:$target_port destroys its functions.\"\n"
        "    tell FUNCTION FLUSH\n",
    [ACTION_RESET] =
        "    tell CLUSTER RESET HARD\n",
    [ACTION_RESET_REPLICA] =
        "    confirm \"CLUSTER RESET HARD on $target_ip:$target_port ($target_id), a replica, empties its memory.\"\n"
        "    tell CLUSTER RESET HARD\n",
    [ACTION_SAVE] =
        "    tell SAVE\n",
    [ACTION_REWRITE_AOF] =
        "    answer=$(ask \"$target_ip\" \"$target_port\" BGREWRITEAOF)\n"
        "    case $answer in *rewriting*started*|*rewriting*scheduled*) ;; *) stop \"BGREWRITEAOF was answered with: $answer\" ;; esac\n",
    [ACTION_WAIT_AOF] =
        "    rewritten() {\n"
        "        info=$(ask \"$target_ip\" \"$target_port\" INFO persistence)\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field aof_rewrite_in_progress)\" = 0 ] &&\n"
        "            [ \"$(printf '%s\\n' \"$info\" | field aof_rewrite_scheduled)\" = 0 ] &&\n"
        "            [ \"$(printf '%s\\n' \"$info\" | field aof_last_bgrewrite_status)\" = ok ]\n"
        "    }\n"
        "    wait_for 60 rewritten || stop 'the AOF was not rewritten'\n",
    [ACTION_VERIFY_EMPTY] =
        "    [ \"$(ask \"$target_ip\" \"$target_port\" CLUSTER INFO | field cluster_known_nodes)\" = 1 ] || stop 'it knows other nodes'\n"
        "    [ -z \"$(ask \"$target_ip\" \"$target_port\" INFO keyspace | keyspace)\" ] || stop 'it holds keys'\n",
    [ACTION_SHUTDOWN] =
        "    data_dir\n"
        "    ask \"$target_ip\" \"$target_port\" SHUTDOWN SAVE || :\n"
        "    silent() { [ \"$(ask \"$target_ip\" \"$target_port\" PING 2>/dev/null)\" != PONG ]; }\n"
        "    wait_for 30 silent || stop 'it still answers: is a supervisor starting it again?'\n",
    [ACTION_MOVE_ASIDE] =
        "    on_host \"cd $dir && { [ -e $config_file.rcf-removed-$fingerprint ] || mv $config_file $config_file.rcf-removed-$fingerprint; }\"\n",
    [ACTION_FORGET] =
        "    for member in $members; do\n"
        "        if lists \"${member%,*}\" \"${member##*,}\" \"$target_id\"; then\n"
        "            answer=$(ask \"${member%,*}\" \"${member##*,}\" CLUSTER FORGET \"$target_id\")\n"
        "            [ \"$answer\" = OK ] || stop \"CLUSTER FORGET on ${member%,*}:${member##*,} was answered with: $answer\"\n"
        "        fi\n"
        "    done\n",
    [ACTION_VERIFY_FORGOTTEN] =
        "    [ -z \"$target_id\" ] || nobody_lists \"$target_id\"\n",
    [ACTION_WAIT_BAN] =
        "    sleep \"$ban_wait\"\n",
    [ACTION_VERIFY_STAYED_FORGOTTEN] =
        "    [ -z \"$target_id\" ] || nobody_lists \"$target_id\"\n",
    [ACTION_ADD_NODE] =
        "    new_id=$(ask \"$target_ip\" \"$target_port\" CLUSTER MYID)\n"
        "    is_id \"$new_id\" || stop 'the node does not say its id'\n"
        "    nobody_lists \"$new_id\"\n"
        "    output=$(add_node 2>&1) || { printf '%s\\n' \"$output\"; stop 'add-node failed'; }\n"
        "    case $output in *'[OK] New node added correctly.'*) ;; *) printf '%s\\n' \"$output\"; stop 'add-node did not say OK' ;; esac\n",
    [ACTION_VERIFY_JOINED] =
        "    new_id=$(ask \"$target_ip\" \"$target_port\" CLUSTER MYID)\n"
        "    is_id \"$new_id\" || stop 'the node does not say its id'\n"
        "    everywhere() {\n"
        "        for member in $members; do\n"
        "            ask \"${member%,*}\" \"${member##*,}\" CLUSTER NODES |\n"
        "                awk -v id=\"$new_id\" -v role=\"$joins_as\" '$1 == id && $8 == \"connected\" && $3 ~ role && $3 !~ /fail|handshake|noaddr/ { found = 1 } END { exit !found }' || return 1\n"
        "        done\n"
        "    }\n"
        "    wait_for 60 everywhere || stop 'not every member lists it as connected'\n",
};

static void tool(struct out *out, const struct plan *plan)
{
    if (has(plan, ACTION_WAIT_BAN))
        out_format(out, "ban_wait=%u\n", plan->ban_wait_s);
    if (!has(plan, ACTION_ADD_NODE))
        return;
    assign(out, "entry", plan->entry);
    out_format(out, "joins_as=%s\n", plan->primary_id ? "slave" : "master");
    out_text(out, "\nadd_node() {\n");
    if (plan->dialect == DIALECT_TRIB) {
        out_text(out, "    \"${RCF_TRIB:-redis-trib.rb}\" add-node ");
        if (plan->primary_id)
            out_format(out, "--slave --master-id %s ", plan->primary_id);
        out_format(out, "\"$target_ip:$target_port\" \"$entry\"\n}\n");
        return;
    }
    out_text(out, "    # shellcheck disable=SC2086\n    \"$client\" ${RCF_CLI_OPTIONS-} --cluster add-node \"$target_ip:$target_port\" \"$entry\"");
    if (plan->primary_id)
        out_format(out, " --cluster-slave --cluster-master-id %s", plan->primary_id);
    out_text(out, " </dev/null\n}\n");
}

/* What a person would type, as one quoted word to be printed; its values were checked by fits(). */
static void say_command(struct out *out, const struct step *step)
{
    out_byte(out, '\'');
    for (size_t w = 0; step->argv[w]; w++)
        out_format(out, "%s%s", w ? " " : "", step->argv[w]);
    out_byte(out, '\'');
}

bool plan_script(struct out *out, const struct plan *plan, const char **why)
{
    const char *lacking = NULL;
    struct arena *arena = arena_new();
    if (!arena) {
        *why = "out of memory";
        return false;
    }
    if (!plan_guarded(plan, &lacking)) {
        *why = "the plan lacks a verification";
        arena_free(arena);
        return false;
    }
    if (!fits(plan, why)) {
        arena_free(arena);
        return false;
    }
    header(out, plan);
    premise(out, plan);
    expected_picture(out, plan, arena);
    out_text(out, library);
    tool(out, plan);
    for (size_t s = 0; s < plan->step_count; s++) {
        const struct step *step = &plan->steps[s];
        bool host = step->action == ACTION_KEEP_FILES || step->action == ACTION_MOVE_ASIDE;
        bool here = step->action == ACTION_WAIT_BAN, every = strncmp(step->where, "every", 5) == 0;
        out_format(out, "\nif step %zu %s ", s + 1, step->kind == STEP_DESTROY ? "DESTROY" : step_kind_word(step->kind));
        out_text(out, host ? "\"host $target_host\"" : here ? "here" : every ? "'every member'" : "\"$target_ip:$target_port\"");
        out_byte(out, ' ');
        say_command(out, step);
        out_format(out, "; then\n%sfi\n", bodies[step->action]);
    }
    out_text(out, "\nif [ \"${DRY_RUN-}\" = 1 ]; then echo 'dry run: nothing was done'; else echo 'done'; fi\n");
    arena_free(arena);
    return true;
}
