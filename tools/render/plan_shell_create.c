/* Bodies of steps that make a cluster of empty servers. Each looks first whether it was done by a run that was
 * interrupted. */
#include "tools/render/plan_shell.h"

const char *const plan_shell_create[ACTIONS] = {
    [ACTION_VERIFY_BLANK] =
        "    nodes=$(ask \"$node_ip\" \"$node_port\" CLUSTER NODES)\n"
        "    case $nodes in *myself*) ;; *) stop \"$node_ip:$node_port does not answer CLUSTER NODES\" ;; esac\n"
        "    [ -z \"$(ask \"$node_ip\" \"$node_port\" INFO keyspace | keyspace)\" ] || "
        "stop \"$node_ip:$node_port holds keys\"\n"
        "    for known in $(printf '%s\\n' \"$nodes\" | awk '$3 !~ /myself/ { sub(/@.*/, \"\", $2); print $2 }'); do\n"
        "        case \" $everyone \" in\n"
        "        *\" ${known%:*},${known##*:} \"*) ;;\n"
        "        *) stop \"$node_ip:$node_port knows $known, which is not part of this cluster\" ;;\n"
        "        esac\n"
        "    done\n"
        "    mine=$(own_slots \"$node_ip\" \"$node_port\")\n"
        "    [ -z \"$mine\" ] || [ \"$mine\" = \"$(each \"$slots\")\" ] || "
        "stop \"$node_ip:$node_port has slots that this plan does not give it\"\n",
    [ACTION_TAKE_SLOTS] =
        "    if [ -z \"$(own_slots \"$node_ip\" \"$node_port\")\" ]; then\n"
        "        # shellcheck disable=SC2046\n"
        "        answer=$(ask \"$node_ip\" \"$node_port\" CLUSTER ADDSLOTS $(each \"$slots\"))\n"
        "        [ \"$answer\" = OK ] || stop \"CLUSTER ADDSLOTS on $node_ip:$node_port was answered with: $answer\"\n"
        "    fi\n",
    [ACTION_SET_EPOCH] =
        "    if [ \"$(ask \"$node_ip\" \"$node_port\" CLUSTER NODES | awk '$3 ~ /myself/ { print $7 }')\" = 0 ]; then\n"
        "        answer=$(ask \"$node_ip\" \"$node_port\" CLUSTER SET-CONFIG-EPOCH \"$epoch\")\n"
        "        [ \"$answer\" = OK ] || stop \"CLUSTER SET-CONFIG-EPOCH on $node_ip:$node_port was answered with: "
        "$answer\"\n"
        "    fi\n",
    [ACTION_MEET] =
        "    answer=$(ask \"$node_ip\" \"$node_port\" CLUSTER MEET \"$peer_ip\" \"$peer_port\")\n"
        "    [ \"$answer\" = OK ] || stop \"CLUSTER MEET on $node_ip:$node_port was answered with: $answer\"\n",
    [ACTION_WAIT_MET] =
        "    met() {\n"
        "        for member in $everyone; do\n"
        "            ask \"${member%,*}\" \"${member##*,}\" CLUSTER NODES | awk -v number=\"$number\" '\n"
        "                $3 !~ /handshake|noaddr|fail/ && $8 == \"connected\" { n++ } END { exit n != number || "
        "NR != number }' || return 1\n"
        "        done\n"
        "    }\n"
        "    wait_for 60 met || stop 'not every node knows all others'\n",
    [ACTION_FOLLOW] =
        "    peer_id=$(ask \"$peer_ip\" \"$peer_port\" CLUSTER MYID)\n"
        "    is_id \"$peer_id\" || stop \"$peer_ip:$peer_port does not say its id\"\n"
        "    if [ \"$(ask \"$node_ip\" \"$node_port\" CLUSTER NODES | awk '$3 ~ /myself/ { "
        "print $4 }')\" != \"$peer_id\" ]; then\n"
        "        answer=$(ask \"$node_ip\" \"$node_port\" CLUSTER REPLICATE \"$peer_id\")\n"
        "        [ \"$answer\" = OK ] || stop \"CLUSTER REPLICATE on $node_ip:$node_port was answered with: $answer\"\n"
        "    fi\n",
    [ACTION_VERIFY_CREATED] =
        "    created() {\n"
        "        for member in $everyone; do\n"
        "            info=$(ask \"${member%,*}\" \"${member##*,}\" CLUSTER INFO)\n"
        "            [ \"$(printf '%s\\n' \"$info\" | field cluster_state)\" = ok ] || return 1\n"
        "            [ \"$(printf '%s\\n' \"$info\" | field cluster_slots_assigned)\" = 16384 ] || return 1\n"
        "            [ \"$(printf '%s\\n' \"$info\" | field cluster_known_nodes)\" = \"$number\" ] || return 1\n"
        "            link=$(ask \"${member%,*}\" \"${member##*,}\" INFO replication | field master_link_status)\n"
        "            case $link in ''|up) ;; *) return 1 ;; esac\n"
        "        done\n"
        "    }\n"
        "    wait_for 90 created || stop 'the cluster is not complete'\n",
};
