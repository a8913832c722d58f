/* The functions that steps are made of. What live servers answer is compared, and used only after it was checked
 * here. */
#include "tools/render/plan_shell.h"

const char *plan_shell_body(enum action action)
{
    static const char *const *const tables[] = {plan_shell_data,  plan_shell_membership, plan_shell_replication,
                                                plan_shell_slots, plan_shell_create,     plan_shell_return};
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
     "picture() { # CLUSTER NODES on standard input: ids and slots; without the target, a node in its place, and "
     "nodes without slots that members differ in\n"
     "    awk -v skip=\"$target_id $unsettled\" -v at=\"${target_ip-}:${target_port-}@\" '\n"
     "        BEGIN { n = split(skip, ids, \" \"); for (i = 1; i <= n; i++) left_out[ids[i]] = 1 }\n"
     "        $1 in left_out || (NF <= 8 && (index($2, at) == 1 || $3 ~ /noaddr|handshake/)) { next }\n"
     "        { s = $1; for (i = 9; i <= NF; i++) if ($i !~ /^\\[/) s = s \" \" $i; print s }' | sort\n"
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
    {"role_of",
     "role_of() { # ip port: master or slave\n"
     "    ask \"$1\" \"$2\" INFO replication | field role\n"
     "}\n"},
    {"follows",
     "follows() { # id primary: CLUSTER NODES on standard input lists the id as a connected replica of the primary\n"
     "    awk -v id=\"$1\" -v primary=\"$2\" '$1 == id && $3 ~ /slave/ && $3 !~ /fail|handshake|noaddr/ && "
     "$4 == primary && $8 == \"connected\" { found = 1 } END { exit !found }'\n"
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
     "        if lists \"${member%,*}\" \"${member##*,}\" \"$1\"; then stop \"${member%,*}:${member##*,} lists $1\"; "
     "fi\n"
     "    done\n"
     "}\n"},
    {"data_dir",
     "data_dir() { # sets dir; a server that is down cannot say it\n"
     "    dir=$(ask \"$target_ip\" \"$target_port\" CONFIG GET dir 2>/dev/null | tail -n 1)\n"
     "    [ -n \"$dir\" ] || dir=${RCF_DIR:-${conf_dir-}}\n"
     "    [ -n \"$dir\" ] || stop \"the directory of its files on host $target_host is not known: set RCF_DIR\"\n"
     "    case $dir in /*) ;; *) stop 'the data directory is not an absolute path' ;; esac\n"
     "    case $dir in *[!A-Za-z0-9._/+@=,-]*) stop 'the data directory has characters that this script does not "
     "pass on' ;; esac\n"
     "}\n"},
    {"on_host_if",
     "on_host_if() { # command line; true when it succeeds\n"
     "    if [ -z \"${RCF_ON_HOST-}\" ]; then\n"
     "        printf 'to be run on host %s: %s\\n' \"$target_host\" \"$1\"\n"
     "        stop 'RCF_ON_HOST is not set, so this script cannot run it'\n"
     "    fi\n"
     "    runner=$(printf '%s' \"$RCF_ON_HOST\" | sed \"s/{host}/$target_host/g\")\n"
     "    # shellcheck disable=SC2086\n"
     "    $runner \"$1\"\n"
     "}\n"},
    {"on_host",
     "on_host() { # command line\n"
     "    on_host_if \"$1\" || stop \"the command on host $target_host failed\"\n"
     "}\n"},
    {"begun_before",
     "begun_before() { # this plan has kept the target's files already: what it has become since, this plan has made "
     "of it\n"
     "    [ -n \"${config_file-}\" ] && [ -n \"$target_id\" ] && [ -n \"${RCF_ON_HOST-}\" ] || return 1\n"
     "    data_dir\n"
     "    on_host_if \"grep -q '^$target_id .*myself' $dir/$config_file.rcf-keep-$fingerprint\" 2>/dev/null || "
     "return 1\n"
     "    printf '     this plan was begun before: going on from there\\n'\n"
     "}\n"},
    {"runs_again",
     "runs_again() { # a server that was down has been started again by this plan\n"
     "    case $progress in reset|added) printf '     done before\\n' ;; *) return 1 ;; esac\n"
     "}\n"},
    {"still_itself",
     "still_itself() { # steps on the target as it was are done only as long as it is that\n"
     "    [ \"$progress\" = fresh ] || { printf '     done before\\n'; return 1; }\n"
     "}\n"},
    {"quoted",
     "quoted() { # hexadecimal digits on standard input, as a word for the client's own reader: no byte of it is "
     "read by a shell\n"
     "    sed 's/../\\\\x&/g; s/.*/\"&\"/'\n"
     "}\n"},
    {"speak",
     "speak() { # ip port: commands on standard input, their answers without carriage returns\n"
     "    # shellcheck disable=SC2086\n"
     "    \"$client\" ${RCF_CLI_OPTIONS-} -h \"$1\" -p \"$2\" | tr -d '\\r'\n"
     "}\n"},
    {"migrate_auth",
     "migrate_auth() { # what MIGRATE is to say to the other server, without showing it to anybody\n"
     "    password=${RCF_MIGRATE_AUTH-${REDISCLI_AUTH-}}\n"
     "    [ -n \"$password\" ] || return 0\n"
     "    word=$(printf '%s' \"$password\" | od -An -v -tx1 | tr -d ' \\n' | quoted)\n"
     "    if [ -n \"${RCF_MIGRATE_USER-}\" ]; then\n"
     "        printf 'AUTH2 %s %s ' \"$(printf '%s' \"$RCF_MIGRATE_USER\" | od -An -v -tx1 | tr -d ' \\n' | "
     "quoted)\" \"$word\"\n"
     "    else\n"
     "        printf 'AUTH %s ' \"$word\"\n"
     "    fi\n"
     "}\n"},
    {"value_of",
     "# The SHA-1 of a value: of its serialized form, but of sorted elements where servers keep no order.\n"
     "digest=\"local k,p,w=KEYS[1],{},1 local t=redis.call('TYPE',k)['ok'] local v \"\n"
     "digest=\"${digest}if t=='hash' then v=redis.call('HGETALL',k) w=2 elseif t=='set' then "
     "v=redis.call('SMEMBERS',k) \"\n"
     "digest=\"${digest}else return redis.sha1hex(t..redis.call('DUMP',k)) end \"\n"
     "digest=\"${digest}for i=1,#v,w do p[#p+1]=#v[i]..':'..v[i]..(w==2 and #v[i+1]..':'..v[i+1] or '') end \"\n"
     "digest=\"${digest}table.sort(p) return redis.sha1hex(t..table.concat(p))\"\n"
     "value_of() { # ip port key; sets value\n"
     "    value=$(printf 'ASKING\\nEVAL \"%s\" 1 %s\\n' \"$digest\" \"$3\" | speak \"$1\" \"$2\" | tail -n 1)\n"
     "    is_id \"$value\" || stop \"the value of $3 on $1:$2 cannot be compared: $value\"\n"
     "}\n"},
    {"migrate_copy",
     "migrate_copy() { # ip port key: sends a key of the target, which keeps it\n"
     "    printf 'MIGRATE %s %s \"\" 0 5000 COPY %sKEYS %s\\n' \"$1\" \"$2\" \"$(migrate_auth)\" \"$3\" | speak "
     "\"$target_ip\" \"$target_port\"\n"
     "}\n"},
    {"carry",
     "carry() { # slot ip port owner key: from the target to the owner of its slot; nothing is replaced\n"
     "    there=$(printf 'EXISTS %s\\n' \"$5\" | speak \"$2\" \"$3\")\n"
     "    if [ \"$there\" = 1 ]; then\n"
     "        value_of \"$target_ip\" \"$target_port\" \"$5\"\n"
     "        mine=$value\n"
     "        value_of \"$2\" \"$3\" \"$5\"\n"
     "        [ \"$mine\" = \"$value\" ] ||\n"
     "            stop \"$2:$3 has the key $5 by now, with another value\"\n"
     "        return\n"
     "    fi\n"
     "    [ \"$there\" = 0 ] || stop \"EXISTS $5 on $2:$3 was answered with: $there\"\n"
     "    answer=$(migrate_copy \"$2\" \"$3\" \"$5\")\n"
     "    case $answer in MOVED*) # it knows the owner, and is not importing the slot yet\n"
     "        tell CLUSTER SETSLOT \"$1\" IMPORTING \"$4\"\n"
     "        answer=$(migrate_copy \"$2\" \"$3\" \"$5\") ;;\n"
     "    esac\n"
     "    [ \"$answer\" = OK ] || stop \"MIGRATE of $5 to $2:$3 was answered with: $answer\"\n"
     "    there=$(printf 'EXISTS %s\\n' \"$5\" | speak \"$2\" \"$3\")\n"
     "    [ \"$there\" = 1 ] || stop \"$2:$3 does not have the key $5 after MIGRATE\"\n"
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
