/* Bodies of steps that bring a member back, or wait until members agree. */
#include "tools/render/plan_shell.h"

const char *const plan_shell_return[ACTIONS] = {
    [ACTION_BRING_BACK] =
        "    if [ -n \"${RCF_START-}\" ]; then\n"
        "        on_host \"$(printf '%s' \"$RCF_START\" | sed \"s/{port}/$target_port/g\")\"\n"
        "    else\n"
        "        printf 'Start the server %s:%s on host %s now, on its own files.\\n' \"$target_ip\" "
        "\"$target_port\" \"$target_host\" >&2\n"
        "    fi\n"
        "    started() { [ \"$(ask \"$target_ip\" \"$target_port\" CLUSTER MYID 2>/dev/null)\" = \"$target_id\" ]; }\n"
        "    wait_for \"${RCF_START_WAIT:-600}\" started || stop 'it was not started, or not as the node that it "
        "was'\n",
    [ACTION_VERIFY_RETURNED] =
        "    returned() {\n"
        "        for member in $everyone; do\n"
        "            ask \"${member%,*}\" \"${member##*,}\" CLUSTER NODES |\n"
        "                awk -v id=\"$target_id\" '$1 == id && $3 !~ /fail|handshake|noaddr/ && "
        "$8 == \"connected\" { found = 1 } END { exit !found }' || return 1\n"
        "        done\n"
        "    }\n"
        "    wait_for 180 returned || stop 'not every member sees it again: is its bus port reachable?'\n",
    [ACTION_WAIT_AGREED] =
        "    agreed() {\n"
        "        first=''\n"
        "        for member in $everyone; do\n"
        "            nodes=$(ask \"${member%,*}\" \"${member##*,}\" CLUSTER NODES)\n"
        "            [ -n \"$nodes\" ] || return 1\n"
        "            now=$(printf '%s\\n' \"$nodes\" | cluster_picture; printf '%s\\n' \"$nodes\" | awk 'NF > 8 { "
        "print $1, $7 }' | sort)\n"
        "            [ -n \"$first\" ] || first=$now\n"
        "            [ \"$now\" = \"$first\" ] || return 1\n"
        "        done\n"
        "    }\n"
        "    wait_for 120 agreed || stop 'the members do not agree: can all of them reach the bus ports of all "
        "others?'\n",
};
