/* The functions that steps are made of. What live servers answer is compared, and used only after it was checked here. */
#include "tools/render/plan_shell.h"

const char *plan_shell_body(enum action action)
{
    static const char *const *const tables[] = {plan_shell_data, plan_shell_membership, plan_shell_replication, plan_shell_slots, plan_shell_create};
    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        if (tables[t][action])
            return tables[t][action];
    return NULL;
}

const struct shell_function plan_shell_functions[] = {
    {"stop",
     "stop() {\n"
     "    printf 'stopped: %s\\n' \"$1\" >&2\n"
     "    printf 'hint: collect the files again and make the plan anew\\n' >&2\n"
     "    exit 1\n"
     "}\n"},
    {"step",
     "step() { # number kind where what; true when it is to be done\n"
     "    printf '%3s  %-8s %-24s %s\\n' \"$1\" \"$2\" \"$3\" \"$4\"\n"
     "    [ \"${DRY_RUN-}\" != 1 ]\n"
     "}\n"},
    {"confirm",
     "confirm() { # what is about to be destroyed\n"
     "    [ \"${RCF_YES-}\" = \"$fingerprint\" ] && return\n"
     "    printf '%s\\nType yes to go on: ' \"$1\" >&2\n"
     "    read -r reply || reply=\n"
     "    [ \"$reply\" = yes ] || stop 'not confirmed'\n"
     "}\n"},
    {"ask",
     "ask() { # ip port word...: one command, its answer without carriage returns\n"
     "    ip=$1 port=$2\n"
     "    shift 2\n"
     "    # shellcheck disable=SC2086\n"
     "    \"$client\" ${RCF_CLI_OPTIONS-} -h \"$ip\" -p \"$port\" \"$@\" </dev/null | tr -d '\\r'\n"
     "}\n"},
    {"tell",
     "tell() { # word...: a command for the target that must answer OK\n"
     "    answer=$(ask \"$target_ip\" \"$target_port\" \"$@\")\n"
     "    [ \"$answer\" = OK ] || stop \"$* was answered with: $answer\"\n"
     "}\n"},
    {"field",
     "field() { # name: its value in INFO or CLUSTER INFO on standard input\n"
     "    sed -n \"s/^$1://p\" | head -n 1\n"
     "}\n"},
    {"keyspace",
     "keyspace() { sed -n 's/^\\(db[0-9]*:keys=[0-9]*\\),.*/\\1/p'; }\n"},
    {"picture",
     "picture() { # CLUSTER NODES on standard input: ids and slots of all but the target\n"
     "    awk -v skip=\"$target_id\" '$1 != skip { s = $1; for (i = 9; i <= NF; i++) if ($i !~ /^\\[/) s = s \" \" $i; print s }' | sort\n"
     "}\n"},
    {"holds_slots",
     "holds_slots() { # CLUSTER NODES on standard input: the target's line assigns slots to it\n"
     "    awk -v id=\"$target_id\" '$1 == id && NF > 8 { found = 1 } END { exit !found }'\n"
     "}\n"},
    {"is_id",
     "is_id() {\n"
     "    case $1 in *[!0-9a-f]*) return 1 ;; esac\n"
     "    [ ${#1} -eq 40 ]\n"
     "}\n"},
    {"follows",
     "follows() { # id primary: CLUSTER NODES on standard input lists the id as a connected replica of the primary\n"
     "    awk -v id=\"$1\" -v primary=\"$2\" '$1 == id && $3 ~ /slave/ && $3 !~ /fail|handshake|noaddr/ && $4 == primary && $8 == \"connected\" { found = 1 } END { exit !found }'\n"
     "}\n"},
    {"lists",
     "lists() { # ip port id: the node lists the id\n"
     "    nodes=$(ask \"$1\" \"$2\" CLUSTER NODES)\n"
     "    [ -n \"$nodes\" ] || stop \"$1:$2 does not answer CLUSTER NODES\"\n"
     "    printf '%s\\n' \"$nodes\" | grep -q \"^$3 \"\n"
     "}\n"},
    {"nobody_lists",
     "nobody_lists() { # id\n"
     "    for member in $members; do\n"
     "        if lists \"${member%,*}\" \"${member##*,}\" \"$1\"; then stop \"${member%,*}:${member##*,} lists $1\"; fi\n"
     "    done\n"
     "}\n"},
    {"data_dir",
     "data_dir() { # sets dir; a server that is down cannot say it\n"
     "    if [ \"$target_state\" = down ]; then\n"
     "        dir=${RCF_DIR:-$conf_dir}\n"
     "        [ -n \"$dir\" ] || stop \"the directory of its files on host $target_host is not known: set RCF_DIR\"\n"
     "    else\n"
     "        dir=$(ask \"$target_ip\" \"$target_port\" CONFIG GET dir | tail -n 1)\n"
     "    fi\n"
     "    case $dir in /*) ;; *) stop 'the data directory is not an absolute path' ;; esac\n"
     "    case $dir in *[!A-Za-z0-9._/+@=,-]*) stop 'the data directory has characters that this script does not pass on' ;; esac\n"
     "}\n"},
    {"on_host",
     "on_host() { # command line\n"
     "    if [ -z \"${RCF_ON_HOST-}\" ]; then\n"
     "        printf 'to be run on host %s: %s\\n' \"$target_host\" \"$1\"\n"
     "        stop 'RCF_ON_HOST is not set, so this script cannot run it'\n"
     "    fi\n"
     "    runner=$(printf '%s' \"$RCF_ON_HOST\" | sed \"s/{host}/$target_host/g\")\n"
     "    # shellcheck disable=SC2086\n"
     "    $runner \"$1\" || stop \"the command on host $target_host failed\"\n"
     "}\n"},
    {"wait_for",
     "wait_for() { # seconds function: until the function is true\n"
     "    left=$1\n"
     "    until \"$2\"; do\n"
     "        left=$((left - 1))\n"
     "        [ \"$left\" -gt 0 ] || return 1\n"
     "        sleep 1\n"
     "    done\n"
     "}\n"},
    {NULL, NULL},
};
