/* Bodies of steps about who serves which slots, and the functions that only they need.
 *
 * Keys are named by clients in quotes with escapes, one a line, and go back to a client in the same form on its
 * standard input: no byte of a key is ever read by the shell as more than a piece of a string. */
#include "tools/render/plan_shell.h"

const struct shell_function plan_shell_slot_functions[] = {
    {"each",
     "each() { # slot ranges: each slot on a line\n"
     "    for range in $1; do\n"
     "        at=${range%-*}\n"
     "        while [ \"$at\" -le \"${range#*-}\" ]; do\n"
     "            echo \"$at\"\n"
     "            at=$((at + 1))\n"
     "        done\n"
     "    done\n"
     "}\n"},
    {"converse",
     "converse() { # ip port: commands on standard input, one a line; answers in the client's quotes\n"
     "    # shellcheck disable=SC2086\n"
     "    \"$client\" ${RCF_CLI_OPTIONS-} --no-raw -h \"$1\" -p \"$2\"\n"
     "}\n"},
    {"cluster_picture",
     "cluster_picture() { # CLUSTER NODES on standard input: ids and slots without those that are moving; open slots\n"
     "    awk -v moving=\"$moving\" -v skip=\"$unsettled\" '\n"
     "        function fill(range, set, b, s) { split(range, b, \"-\"); if (b[2] == \"\") b[2] = b[1]; "
     "for (s = b[1] + 0; s <= b[2] + 0; s++) set[s] = 1 }\n"
     "        BEGIN { n = split(moving, r, \" \"); for (i = 1; i <= n; i++) fill(r[i], away); "
     "n = split(skip, r, \" \"); for (i = 1; i <= n; i++) left_out[r[i]] = 1 }\n"
     "        $1 in left_out || (NF <= 8 && $3 ~ /noaddr|handshake/) { next }\n"
     "        {\n"
     "            for (s in has) delete has[s]\n"
     "            line = $1; open = \"\"\n"
     "            for (i = 9; i <= NF; i++)\n"
     "                if ($i !~ /^\\[/) fill($i, has)\n"
     "                else { split(substr($i, 2), b, \"-\"); if (!(b[1] in away)) open = open \" [\" b[1] }\n"
     "            for (s = 0; s < 16384; s++) {\n"
     "                if (!(s in has) || s in away) continue\n"
     "                for (e = s; (e + 1) in has && !((e + 1) in away); e++) ;\n"
     "                line = line \" \" (e > s ? s \"-\" e : s)\n"
     "                s = e\n"
     "            }\n"
     "            print line open\n"
     "        }' | sort\n"
     "}\n"},
    {"own_slots",
     "own_slots() { # ip port: the slots of its own line, one a line\n"
     "    each \"$(ask \"$1\" \"$2\" CLUSTER NODES | awk '$3 ~ /myself/ { for (i = 9; i <= NF; "
     "i++) if ($i !~ /^\\[/) printf \"%s \", $i }')\"\n"
     "}\n"},
    {"is_node",
     "is_node() { # ip port id\n"
     "    [ \"$(ask \"$1\" \"$2\" CLUSTER MYID)\" = \"$3\" ] || stop \"$1:$2 does not answer, or is another node\"\n"
     "}\n"},
    {"setslot",
     "setslot() { # ip port slot word...\n"
     "    told=\"$1:$2\"\n"
     "    answer=$(ask \"$1\" \"$2\" CLUSTER SETSLOT \"$3\" \"$4\" ${5+\"$5\"})\n"
     "    [ \"$answer\" = OK ] || stop \"CLUSTER SETSLOT $3 $4 on $told was answered with: $answer\"\n"
     "}\n"},
    {"count_in",
     "count_in() { # ip port slot\n"
     "    count=$(ask \"$1\" \"$2\" CLUSTER COUNTKEYSINSLOT \"$3\")\n"
     "    case $count in ''|*[!0-9]*) stop \"CLUSTER COUNTKEYSINSLOT $3 was answered with: $count\" ;; esac\n"
     "}\n"},
    {"migrate",
     "migrate() { # names of keys, one a line; more words before KEYS: from $from_ip:$from_port to $to_ip:$to_port\n"
     "    printf 'MIGRATE %s %s \"\" 0 60000%s %sKEYS %s\\n' \"$to_ip\" \"$to_port\" \"${2-}\" \"$(migrate_auth)\" \\\n"
     "        \"$(printf '%s' \"$1\" | tr '\\n' ' ')\" | converse \"$from_ip\" \"$from_port\"\n"
     "}\n"},
    {"same_value",
     "same_value() { # name of a key: both sides hold the same value\n"
     "    here=$(printf 'DUMP %s\\n' \"$1\" | converse \"$from_ip\" \"$from_port\")\n"
     "    there=$(printf 'ASKING\\nDUMP %s\\n' \"$1\" | converse \"$to_ip\" \"$to_port\" | sed 1d)\n"
     "    case $here in '\"'*) [ \"$here\" = \"$there\" ] ;; *) false ;; esac\n"
     "}\n"},
    {"carry_keys",
     "carry_keys() { # names of keys, one a line. A key that is on both sides is compared, and never overwritten if "
     "it differs\n"
     "    answer=$(migrate \"$1\")\n"
     "    case $answer in\n"
     "    OK|NOKEY) return ;;\n"
     "    *BUSYKEY*) ;;\n"
     "    *) stop \"MIGRATE from $from_ip:$from_port to $to_ip:$to_port was answered with: $answer\" ;;\n"
     "    esac\n"
     "    printf '%s\\n' \"$1\" | while read -r name; do\n"
     "        answer=$(migrate \"$name\")\n"
     "        case $answer in\n"
     "        OK|NOKEY) continue ;;\n"
     "        *BUSYKEY*) same_value \"$name\" || stop \"key $name has one value on $from_ip:$from_port and another "
     "on $to_ip:$to_port\" ;;\n"
     "        *) stop \"MIGRATE was answered with: $answer\" ;;\n"
     "        esac\n"
     "        answer=$(migrate \"$name\" ' REPLACE')\n"
     "        [ \"$answer\" = OK ] || stop \"MIGRATE of a key that is equal on both sides was answered with: "
     "$answer\"\n"
     "    done\n"
     "}\n"},
    {"carry_slot",
     "carry_slot() { # slot: all its keys\n"
     "    while :; do\n"
     "        names=$(printf 'CLUSTER GETKEYSINSLOT %s 100\\n' \"$1\" | converse \"$from_ip\" \"$from_port\" |\n"
     "            sed -n 's/^ *[0-9]*) \\(\".*\"\\)$/\\1/p')\n"
     "        [ -n \"$names\" ] || break\n"
     "        carry_keys \"$names\"\n"
     "    done\n"
     "    count_in \"$from_ip\" \"$from_port\" \"$1\"\n"
     "    [ \"$count\" = 0 ] || stop \"$count keys of slot $1 stay on $from_ip:$from_port\"\n"
     "}\n"},
    {NULL, NULL},
};

const char *const plan_shell_slots[ACTIONS] = {
    [ACTION_VERIFY_CLUSTER] =
        "    expected=$(printf '%s\\n' \"$picture\" | sort)\n"
        "    for member in $everyone; do\n"
        "        nodes=$(ask \"${member%,*}\" \"${member##*,}\" CLUSTER NODES)\n"
        "        [ -n \"$nodes\" ] || stop \"${member%,*}:${member##*,} does not answer\"\n"
        "        [ \"$(printf '%s\\n' \"$nodes\" | cluster_picture)\" = \"$expected\" ] ||\n"
        "            stop \"${member%,*}:${member##*,} shows other members, slot owners or open slots than the "
        "evidence\"\n"
        "    done\n",
    [ACTION_MOVE_SLOTS] =
        "    is_node \"$source_ip\" \"$source_port\" \"$source_id\"\n"
        "    is_node \"$owner_ip\" \"$owner_port\" \"$owner_id\"\n"
        "    from_ip=$source_ip from_port=$source_port to_ip=$owner_ip to_port=$owner_port\n"
        "    arrived=$(own_slots \"$to_ip\" \"$to_port\")\n"
        "    for slot in $(each \"$slots\"); do\n"
        "        if ! printf '%s\\n' \"$arrived\" | grep -qx \"$slot\"; then\n"
        "            setslot \"$to_ip\" \"$to_port\" \"$slot\" IMPORTING \"$source_id\"\n"
        "            setslot \"$from_ip\" \"$from_port\" \"$slot\" MIGRATING \"$owner_id\"\n"
        "            carry_slot \"$slot\"\n"
        "            setslot \"$to_ip\" \"$to_port\" \"$slot\" NODE \"$owner_id\"\n"
        "        fi\n"
        "        count_in \"$from_ip\" \"$from_port\" \"$slot\"\n"
        "        [ \"$count\" = 0 ] || stop \"slot $slot has arrived, and $count keys of it have not\"\n"
        "        for member in \"$source_ip,$source_port\" $primaries; do\n"
        "            [ \"$member\" = \"$owner_ip,$owner_port\" ] || setslot \"${member%,*}\" \"${member##*,}\" "
        "\"$slot\" NODE \"$owner_id\"\n"
        "        done\n"
        "    done\n",
    [ACTION_VERIFY_OWNER] =
        "    owned() {\n"
        "        epoch=$(ask \"$owner_ip\" \"$owner_port\" CLUSTER NODES | awk '$3 ~ /myself/ { print $7 }')\n"
        "        for member in $everyone; do\n"
        "            ask \"${member%,*}\" \"${member##*,}\" CLUSTER NODES | awk -v id=\"$owner_id\" -v "
        "slots=\"$slots\" -v epoch=\"$epoch\" '\n"
        "                function fill(range, set, b, s) { split(range, b, \"-\"); if (b[2] == \"\") b[2] = b[1]; "
        "for (s = b[1] + 0; s <= b[2] + 0; s++) set[s] = 1 }\n"
        "                $1 == id && $7 != epoch { late = 1 }\n"
        "                { for (i = 9; i <= NF; i++) if ($i !~ /^\\[/) { if ($1 == id) fill($i, has) } else { "
        "split(substr($i, 2), b, \"-\"); open[b[1]] = 1 } }\n"
        "                END { if (late) exit 1; n = split(slots, r, \" \"); for (i = 1; i <= n; "
        "i++) fill(r[i], want); for (s in want) if (!(s in has) || s in open) exit 1 }' || return 1\n"
        "        done\n"
        "    }\n"
        "    wait_for 60 owned || stop 'not every member shows these slots where they are to be'\n",
    [ACTION_GATHER_KEYS] =
        "    is_node \"$source_ip\" \"$source_port\" \"$source_id\"\n"
        "    is_node \"$owner_ip\" \"$owner_port\" \"$owner_id\"\n"
        "    from_ip=$source_ip from_port=$source_port to_ip=$owner_ip to_port=$owner_port\n"
        "    for slot in $(each \"$slots\"); do\n"
        "        count_in \"$from_ip\" \"$from_port\" \"$slot\"\n"
        "        [ \"$count\" = 0 ] && continue\n"
        "        setslot \"$from_ip\" \"$from_port\" \"$slot\" IMPORTING \"$owner_id\"\n"
        "        carry_slot \"$slot\"\n"
        "    done\n",
    [ACTION_CLOSE_SLOTS] =
        "    is_node \"$source_ip\" \"$source_port\" \"$source_id\"\n"
        "    mine=$(own_slots \"$source_ip\" \"$source_port\")\n"
        "    for slot in $(each \"$slots\"); do\n"
        "        if ! printf '%s\\n' \"$mine\" | grep -qx \"$slot\"; then\n"
        "            count_in \"$source_ip\" \"$source_port\" \"$slot\"\n"
        "            [ \"$count\" = 0 ] || stop \"$source_ip:$source_port holds $count keys of slot $slot, which is "
        "not its own: more than its dump has\"\n"
        "        fi\n"
        "        setslot \"$source_ip\" \"$source_port\" \"$slot\" STABLE\n"
        "    done\n",
    [ACTION_ADD_SLOTS] =
        "    is_node \"$owner_ip\" \"$owner_port\" \"$owner_id\"\n"
        "    mine=$(own_slots \"$owner_ip\" \"$owner_port\")\n"
        "    for slot in $(each \"$slots\"); do\n"
        "        printf '%s\\n' \"$mine\" | grep -qx \"$slot\" && continue\n"
        "        answer=$(ask \"$owner_ip\" \"$owner_port\" CLUSTER ADDSLOTS \"$slot\")\n"
        "        case $answer in\n"
        "        OK) ;;\n"
        "        *'already busy'*) setslot \"$owner_ip\" \"$owner_port\" \"$slot\" NODE \"$owner_id\" ;;\n"
        "        *) stop \"CLUSTER ADDSLOTS $slot on $owner_ip:$owner_port was answered with: $answer\" ;;\n"
        "        esac\n"
        "    done\n"
        "    answer=$(ask \"$owner_ip\" \"$owner_port\" CLUSTER BUMPEPOCH)\n"
        "    case $answer in BUMPED*|STILL*) ;; *) stop \"CLUSTER BUMPEPOCH on $owner_ip:$owner_port was answered "
        "with: $answer\" ;; esac\n",
};
