/* Bodies of steps about who knows whom. */
#include "tools/render/plan_shell.h"

const char *const plan_shell_membership[ACTIONS] = {
    [ACTION_VERIFY_MEMBERS] =
        "    listing=0 silent=0 expected=$(printf '%s\\n' \"$expected\" | sort)\n"
        "    for member in $members; do\n"
        "        nodes=$(ask \"${member%,*}\" \"${member##*,}\" CLUSTER NODES)\n"
        "        [ -n \"$nodes\" ] || stop \"${member%,*}:${member##*,} does not answer\"\n"
        "        [ \"$(printf '%s\\n' \"$nodes\" | picture)\" = \"$expected\" ] ||\n"
        "            stop \"${member%,*}:${member##*,} shows other members or slot owners than the evidence\"\n"
        "        printf '%s\\n' \"$nodes\" | holds_slots && stop \"${member%,*}:${member##*,} assigns slots to the "
        "target\"\n"
        "        if [ -n \"$target_id\" ] && printf '%s\\n' \"$nodes\" | grep -q \"^$target_id \"; then\n"
        "            listing=$((listing + 1))\n"
        "        else\n"
        "            silent=$((silent + 1))\n"
        "        fi\n"
        "    done\n"
        "    case $premise in\n"
        "    half-listed) [ \"$silent\" -gt 0 ] || stop 'every member lists it: it is a member, and there is nothing "
        "to repair' ;;\n"
        "    listed) [ \"$silent\" -eq 0 ] || stop \"$silent members do not list it: the evidence is out of date\" ;;\n"
        "    unlisted) [ \"$listing\" -eq 0 ] || stop \"$listing members list it again: the evidence is out of "
        "date\" ;;\n"
        "    esac\n",
    [ACTION_VERIFY_IDENTITY] =
        "    id=$(ask \"$target_ip\" \"$target_port\" CLUSTER MYID)\n"
        "    if [ \"$id\" != \"$target_id\" ] && begun_before; then\n"
        "        progress=reset\n"
        "        [ -n \"$id\" ] || progress=stopped\n"
        "        [ \"$(ask \"$target_ip\" \"$target_port\" CLUSTER INFO 2>/dev/null | field cluster_known_nodes)\" "
        "-le 1 ] 2>/dev/null || [ -z \"$id\" ] || progress=added\n"
        "        printf '     the target is %s already\\n' \"$progress\"\n"
        "    elif [ -z \"$id\" ]; then\n"
        "        stop \"$target_ip:$target_port does not answer: where it does not run, make the plan with "
        "--target=down\"\n"
        "    elif [ \"$id\" != \"$target_id\" ]; then\n"
        "        stop \"$target_ip:$target_port is another node: $id\"\n"
        "    fi\n",
    [ACTION_RESET] =
        "    tell CLUSTER RESET HARD\n",
    [ACTION_RESET_REPLICA] =
        "    confirm \"CLUSTER RESET HARD on $target_ip:$target_port ($target_id), a replica, empties its memory.\"\n"
        "    tell CLUSTER RESET HARD\n",
    [ACTION_VERIFY_EMPTY] =
        "    if [ \"$progress\" != added ]; then\n"
        "        info=$(ask \"$target_ip\" \"$target_port\" CLUSTER INFO)\n"
        "        [ -n \"$info\" ] || stop 'it does not answer'\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field cluster_known_nodes)\" = 1 ] || stop 'it knows other nodes'\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field cluster_slots_assigned)\" = 0 ] || "
        "stop 'slots are assigned to it'\n"
        "        [ \"$(ask \"$target_ip\" \"$target_port\" INFO replication | field role)\" = master ] || "
        "stop 'it is a replica'\n"
        "        [ -z \"$(ask \"$target_ip\" \"$target_port\" INFO keyspace | keyspace)\" ] || stop 'it holds keys'\n"
        "    fi\n",
    [ACTION_FORGET] =
        "    for member in $members; do\n"
        "        if lists \"${member%,*}\" \"${member##*,}\" \"$target_id\"; then\n"
        "            answer=$(ask \"${member%,*}\" \"${member##*,}\" CLUSTER FORGET \"$target_id\")\n"
        "            [ \"$answer\" = OK ] || stop \"CLUSTER FORGET on ${member%,*}:${member##*,} was answered with: "
        "$answer\"\n"
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
        "    [ \"$progress\" = added ] || nobody_lists \"$new_id\"\n"
        "    add_node() {\n"
        "        if [ \"$dialect\" = trib ]; then\n"
        "            set -- \"${RCF_TRIB:-redis-trib.rb}\" add-node\n"
        "            [ -z \"$primary_id\" ] || set -- \"$@\" --slave --master-id \"$primary_id\"\n"
        "            \"$@\" \"$target_ip:$target_port\" \"$entry\"\n"
        "            return\n"
        "        fi\n"
        "        set -- --cluster add-node \"$target_ip:$target_port\" \"$entry\"\n"
        "        [ -z \"$primary_id\" ] || set -- \"$@\" --cluster-slave --cluster-master-id \"$primary_id\"\n"
        "        # shellcheck disable=SC2086\n"
        "        \"$client\" ${RCF_CLI_OPTIONS-} \"$@\" </dev/null\n"
        "    }\n"
        "    if [ \"$progress\" != added ]; then\n"
        "        output=$(add_node 2>&1) || { printf '%s\\n' \"$output\"; stop 'add-node failed'; }\n"
        "        case $output in *'[OK] New node added correctly.'*) ;; *) printf '%s\\n' \"$output\"; "
        "stop 'add-node did not say OK' ;; esac\n"
        "    fi\n",
    [ACTION_VERIFY_JOINED] =
        "    new_id=$(ask \"$target_ip\" \"$target_port\" CLUSTER MYID)\n"
        "    is_id \"$new_id\" || stop 'the node does not say its id'\n"
        "    everywhere() {\n"
        "        for member in $members; do\n"
        "            ask \"${member%,*}\" \"${member##*,}\" CLUSTER NODES |\n"
        "                awk -v id=\"$new_id\" -v role=\"$joins_as\" '$1 == id && $8 == \"connected\" && "
        "$3 ~ role && $3 !~ /fail|handshake|noaddr/ { found = 1 } END { exit !found }' || return 1\n"
        "        done\n"
        "    }\n"
        "    wait_for 60 everywhere || stop 'not every member lists it as connected'\n",
};
