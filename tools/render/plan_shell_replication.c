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
        "        [ \"$(printf '%s\\n' \"$info\" | field connected_slaves)\" = 0 ] || stop 'a replica is connected to it'\n"
        "        [ -z \"$(printf '%s\\n' \"$info\" | keyspace)\" ] || stop 'it holds keys'\n"
        "    fi\n",
    [ACTION_VERIFY_IN_SYNC] =
        "    info=$(ask \"$target_ip\" \"$target_port\" INFO replication)\n"
        "    nodes=$(ask \"$target_ip\" \"$target_port\" CLUSTER NODES)\n"
        "    if ! printf '%s\\n' \"$nodes\" | follows \"$target_id\" \"$primary_id\"; then\n"
        "        printf '%s\\n' \"$nodes\" | follows \"$target_id\" \"$old_primary\" || stop \"it is no replica of $old_primary\"\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field role)\" = slave ] || stop 'its role is not slave'\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field master_link_status)\" = up ] ||\n"
        "            stop 'it is not in step with its primary: what it holds may exist nowhere else'\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field connected_slaves)\" = 0 ] || stop 'a replica is connected to it'\n"
        "    fi\n",
    [ACTION_REPLICATE] = REPLICATE,
    [ACTION_REPLICATE_OVER] =
        "    confirm \"CLUSTER REPLICATE on $target_ip:$target_port ($target_id) replaces all its keys by its new primary's.\"\n"
        REPLICATE,
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
        "            ask \"${member%,*}\" \"${member##*,}\" CLUSTER NODES | follows \"$target_id\" \"$primary_id\" || return 1\n"
        "        done\n"
        "    }\n"
        "    wait_for 60 everywhere || stop 'not every member lists it as a replica of its primary'\n",
};
