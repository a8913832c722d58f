#!/bin/sh
# The main job on a fixture: usage: demo.sh FOLDER-OF-THE-COMMANDS
set -eu
export PATH="$1:$PATH"
case=fixtures/story-redis-4.0.1/06-stale-restarted
run() {
    printf '\n$ %s\n' "$*"
    "$@" || [ $? -eq 1 ]
}
run rcf-topology $case
run rcf-check $case
run rcf-plan rejoin 127.0.0.6:7002 $case
