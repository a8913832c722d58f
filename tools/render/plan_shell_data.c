/* Bodies of steps about the memory and the disk of one server. */
#include "tools/render/plan_shell.h"

const char *const plan_shell_data[ACTIONS] = {
    [ACTION_VERIFY_CONTENT] =
        "    info=$(ask \"$target_ip\" \"$target_port\" INFO)\n"
        "    [ \"$(printf '%s\\n' \"$info\" | field role)\" = \"$target_role\" ] || "
        "stop \"its role is not $target_role\"\n"
        "    [ \"$(printf '%s\\n' \"$info\" | field connected_slaves)\" = 0 ] || stop 'a replica is connected to it'\n"
        "    keys=$(printf '%s\\n' \"$info\" | keyspace)\n"
        "    if [ \"$keys\" != \"$target_keys\" ]; then\n"
        "        { [ -z \"$keys\" ] && begun_before; } || stop \"its memory holds other keys than its dump: take "
        "them with $client --rdb first\"\n"
        "    elif [ \"$(printf '%s\\n' \"$info\" | field rdb_changes_since_last_save)\" != 0 ]; then\n"
        "        { [ -z \"$keys\" ] && begun_before; } ||\n"
        "            stop \"its memory has changes that its dump lacks: take them with $client --rdb, then let it "
        "BGSAVE\"\n"
        "    fi\n",
    [ACTION_KEEP_FILES] =
        "    data_dir\n"
        "    keep=rcf-keep-$fingerprint line=\"cd $dir\"\n"
        "    if [ \"$dump_unseen\" = yes ] && [ \"$target_state\" != down ]; "
        "then # no dump is in the evidence: what lies on the host is kept all the same\n"
        "        dump=$(ask \"$target_ip\" \"$target_port\" CONFIG GET dbfilename | tail -n 1)\n"
        "        case $dump in ''|-*|*[!A-Za-z0-9._-]*) stop 'the name of the dump is not one that this script "
        "passes on' ;; esac\n"
        "        files_if_there=\"$files_if_there $dump\"\n"
        "    fi\n"
        "    for f in $files; do line=\"$line && { [ -e $f.$keep ] || cp -Rp $f $f.$keep; }\"; done\n"
        "    for f in $files_if_there; do line=\"$line && { [ ! -e $f ] || [ -e $f.$keep ] || cp -Rp $f $f.$keep; "
        "}\"; done\n"
        "    [ -z \"$dump_sha256\" ] || line=\"$line && echo '$dump_sha256  $dump_file.$keep' | sha256sum -c -\"\n"
        "    on_host \"$line\"\n",
    [ACTION_RESCUE_KEYS] =
        "    for row in $rescued; do\n"
        "        key=${row##*,} row=${row%,*}\n"
        "        owner=${row##*,} row=${row%,*}\n"
        "        port=${row##*,} row=${row%,*}\n"
        "        carry \"${row%%,*}\" \"${row#*,}\" \"$port\" \"$owner\" \"$(printf '%s' \"$key\" | quoted)\"\n"
        "    done\n",
    [ACTION_FLUSH_ALL] =
        "    confirm \"FLUSHALL on $target_ip:$target_port ($target_id) destroys all its keys.\"\n"
        "    tell FLUSHALL\n",
    [ACTION_FLUSH_FUNCTIONS] =
        "    confirm \"FUNCTION FLUSH on $target_ip:$target_port destroys its functions.\"\n"
        "    tell FUNCTION FLUSH\n",
    [ACTION_SAVE] =
        "    tell SAVE\n",
    [ACTION_REWRITE_AOF] =
        "    answer=$(ask \"$target_ip\" \"$target_port\" BGREWRITEAOF)\n"
        "    case $answer in *rewriting*started*|*rewriting*scheduled*) ;; "
        "*) stop \"BGREWRITEAOF was answered with: $answer\" ;; esac\n",
    [ACTION_WAIT_AOF] =
        "    rewritten() {\n"
        "        info=$(ask \"$target_ip\" \"$target_port\" INFO persistence)\n"
        "        [ \"$(printf '%s\\n' \"$info\" | field aof_rewrite_in_progress)\" = 0 ] &&\n"
        "            [ \"$(printf '%s\\n' \"$info\" | field aof_rewrite_scheduled)\" = 0 ] &&\n"
        "            [ \"$(printf '%s\\n' \"$info\" | field aof_last_bgrewrite_status)\" = ok ]\n"
        "    }\n"
        "    wait_for 60 rewritten || stop 'the AOF was not rewritten'\n",
    [ACTION_SHUTDOWN] =
        "    data_dir\n"
        "    ask \"$target_ip\" \"$target_port\" SHUTDOWN SAVE || :\n"
        "    silent() { [ \"$(ask \"$target_ip\" \"$target_port\" PING 2>/dev/null)\" != PONG ]; }\n"
        "    wait_for 30 silent || stop 'it still answers: is a supervisor starting it again?'\n",
    [ACTION_VERIFY_DOWN] =
        "    id=$(ask \"$target_ip\" \"$target_port\" CLUSTER MYID 2>/dev/null)\n"
        "    [ \"$id\" != \"$target_id\" ] || stop 'it runs: make the plan again with --target=running'\n"
        "    if [ -n \"$id\" ]; then\n"
        "        begun_before || stop \"another server answers at $target_ip:$target_port: $id\"\n"
        "        progress=reset\n"
        "        [ \"$(ask \"$target_ip\" \"$target_port\" CLUSTER INFO | field cluster_known_nodes)\" = 1 ] || "
        "progress=added\n"
        "        printf '     the target is %s already\\n' \"$progress\"\n"
        "    fi\n",
    [ACTION_VERIFY_FILES] =
        "    data_dir\n"
        "    if [ \"$progress\" = fresh ] && ! on_host_if \"grep -q '^$target_id .*myself' $dir/$config_file\"; then\n"
        "        begun_before || stop \"the command on host $target_host found no $config_file of $target_id in "
        "$dir\"\n"
        "        progress=aside\n"
        "    fi\n"
        "    [ -z \"$dump_sha256\" ] || [ \"$progress\" != fresh ] || on_host \"cd $dir && "
        "echo '$dump_sha256  $dump_file' | sha256sum -c -\"\n",
    [ACTION_MOVE_DATA_ASIDE] =
        "    if ! runs_again; then\n"
        "        line=\"cd $dir\" aside=rcf-removed-$fingerprint\n"
        "        for f in $dump_file $files_if_there $aof_file; do\n"
        "            line=\"$line && { [ ! -e $f ] || [ -e $f.$aside ] || mv $f $f.$aside; }\"\n"
        "        done\n"
        "        on_host \"$line\"\n"
        "    fi\n",
    [ACTION_START] =
        "    if runs_again; then\n"
        "        :\n"
        "    elif [ -n \"${RCF_START-}\" ]; then\n"
        "        on_host \"$(printf '%s' \"$RCF_START\" | sed \"s/{port}/$target_port/g\")\"\n"
        "    else\n"
        "        printf 'Start the server %s:%s on host %s now.\\n' \"$target_ip\" \"$target_port\" \"$target_host\" "
        ">&2\n"
        "    fi\n"
        "    started() {\n"
        "        id=$(ask \"$target_ip\" \"$target_port\" CLUSTER MYID 2>/dev/null)\n"
        "        is_id \"$id\" && [ \"$id\" != \"$target_id\" ]\n"
        "    }\n"
        "    wait_for \"${RCF_START_WAIT:-600}\" started || stop 'it was not started, or not as a new node'\n",
    [ACTION_MOVE_ASIDE] =
        "    on_host \"cd $dir && { [ -e $config_file.rcf-removed-$fingerprint ] || "
        "mv $config_file $config_file.rcf-removed-$fingerprint; }\"\n",
};
