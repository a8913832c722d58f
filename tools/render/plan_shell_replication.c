/* Bodies of steps about who follows whom. */
#include "tools/render/plan_shell.h"

#define REPLICATE \
    "    if ! ask \"$target_ip\" \"$target_port\" CLUSTER NODES | follows \"$target_id\" \"$primary_id\"; then\n" \
    "        tell CLUSTER REPLICATE \"$primary_id\"\n" \
    "    fi\n"

const char *const plan_shell_replication[ACTIONS] = {
    [ACTION_VERIFY_VACANT] =
        "    if ! ask \"$target_ip\" \"$target_port\" CLUSTER NODES | follows \"$target_id\" \"$primary_id\"; then\n"
        "        info=$(ask \"$target_ip\" \"$target_port\" INFO)\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field role)\" = master ] || stop 'its role is not master'\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field connected_slaves)\" = 0 ] || "
        "stop 'a replica is connected to it'\n"
        "        [ -z \"$(printf '%s\\n' \"$info\" | keyspace)\" ] || stop 'it holds keys'\n"
        "    fi\n",
    [ACTION_VERIFY_IN_SYNC] =
        "    info=$(ask \"$target_ip\" \"$target_port\" INFO replication)\n"
        "    nodes=$(ask \"$target_ip\" \"$target_port\" CLUSTER NODES)\n"
        "    if ! printf '%s\\n' \"$nodes\" | follows \"$target_id\" \"$primary_id\"; then\n"
        "        printf '%s\\n' \"$nodes\" | follows \"$target_id\" \"$old_primary\" || "
        "stop \"it is no replica of $old_primary\"\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field role)\" = slave ] || stop 'its role is not slave'\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field master_link_status)\" = up ] ||\n"
        "            stop 'it is not in step with its primary: what it holds may exist nowhere else'\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field connected_slaves)\" = 0 ] || "
        "stop 'a replica is connected to it'\n"
        "    fi\n",
    [ACTION_REPLICATE] = REPLICATE,
    [ACTION_REPLICATE_OVER] =
        "    confirm \"CLUSTER REPLICATE on $target_ip:$target_port ($target_id) replaces all its keys by its new "
        "primary's.\"\n"
        REPLICATE,
    [ACTION_VERIFY_READY] =
        "    is_node \"$source_ip\" \"$source_port\" \"$source_id\"\n"
        "    is_node \"$owner_ip\" \"$owner_port\" \"$owner_id\"\n"
        "    if [ \"$(role_of \"$owner_ip\" \"$owner_port\")\" = master ]; then\n"
        "        printf '     done before\\n'\n"
        "    else\n"
        "        ask \"$owner_ip\" \"$owner_port\" CLUSTER NODES | follows \"$owner_id\" \"$source_id\" ||\n"
        "            stop \"$owner_ip:$owner_port is no replica of $source_id\"\n"
        "        [ \"$(role_of \"$source_ip\" \"$source_port\")\" = master ] || "
        "stop \"$source_ip:$source_port is no primary\"\n"
        "        in_step() {\n"
        "            there=$(ask \"$source_ip\" \"$source_port\" INFO replication | field master_repl_offset)\n"
        "            info=$(ask \"$owner_ip\" \"$owner_port\" INFO replication)\n"
        "            [ \"$(printf '%s\\n' \"$info\" | field master_link_status)\" = up ] &&\n"
        "                [ \"$(printf '%s\\n' \"$info\" | field slave_repl_offset)\" -ge \"$there\" ] 2>/dev/null\n"
        "        }\n"
        "        wait_for 60 in_step || stop \"$owner_ip:$owner_port is not in step with its primary\"\n"
        "    fi\n",
    [ACTION_FAIL_OVER] =
        "    if [ \"$(role_of \"$owner_ip\" \"$owner_port\")\" = slave ]; then\n"
        "        answer=$(ask \"$owner_ip\" \"$owner_port\" CLUSTER FAILOVER)\n"
        "        [ \"$answer\" = OK ] || stop \"CLUSTER FAILOVER on $owner_ip:$owner_port was answered with: "
        "$answer\"\n"
        "    fi\n",
    [ACTION_WAIT_PROMOTED] =
        "    promoted() { [ \"$(role_of \"$owner_ip\" \"$owner_port\")\" = master ]; }\n"
        "    wait_for 30 promoted || stop \"$owner_ip:$owner_port was not promoted: its log says why\"\n",
    [ACTION_VERIFY_HANDED_OVER] =
        "    handed_over() {\n"
        "        for member in $everyone; do\n"
        "            nodes=$(ask \"${member%,*}\" \"${member##*,}\" CLUSTER NODES)\n"
        "            printf '%s\\n' \"$nodes\" | follows \"$source_id\" \"$owner_id\" || return 1\n"
        "            printf '%s\\n' \"$nodes\" | awk -v id=\"$owner_id\" -v epoch=\"$old_epoch\" '\n"
        "                $1 == id && $3 ~ /master/ && $3 !~ /fail/ && $7 + 0 > epoch + 0 { found = 1 }\n"
        "                END { exit !found }' || return 1\n"
        "        done\n"
        "        [ \"$(ask \"$source_ip\" \"$source_port\" INFO replication | field master_link_status)\" = up ]\n"
        "    }\n"
        "    wait_for 60 handed_over || stop 'not every member shows both in their new roles, or the former primary "
        "does not follow'\n",
    [ACTION_WAIT_SYNC] =
        "    synchronized() {\n"
        "        info=$(ask \"$target_ip\" \"$target_port\" INFO replication)\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field role)\" = slave ] &&\n"
        "            [ \"$(printf '%s\\n' \"$info\" | field master_link_status)\" = up ] &&\n"
        "            [ \"$(printf '%s\\n' \"$info\" | field master_sync_in_progress)\" = 0 ]\n"
        "    }\n"
        "    wait_for \"${RCF_SYNC_WAIT:-600}\" synchronized || stop 'it has not synchronized with its primary'\n",
    [ACTION_VERIFY_REPLICA] =
        "    everywhere() {\n"
        "        for member in $members; do\n"
        "            ask \"${member%,*}\" \"${member##*,}\" CLUSTER NODES | follows \"$target_id\" \"$primary_id\" "
        "|| return 1\n"
        "        done\n"
        "    }\n"
        "    wait_for 60 everywhere || stop 'not every member lists it as a replica of its primary'\n",
};
