#!/bin/sh
# How fast rcf-timeline reads many logs, and in how much memory: logs that are mostly lines of no interest, then logs that are
# events only, on hosts of their own. The same bytes stand under many names, so little disk is needed: about 700 MB in TMPDIR.
# Targets: 1,000 logs of 100 MB in minutes on two cores, below 512 MiB.
#
#   RCF_BUILD=build/gcc tests/bench/timeline.sh [LOGS [STORMS]]
set -eu
export LC_ALL=C
here=$(dirname "$0")
build=${RCF_BUILD:-build/gcc}
logs=${1:-20}
storms=${2:-200}
work=$(mktemp -d "${TMPDIR:-/tmp}/rcf-bench-timeline.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

# spread FILE CASE COUNT: the file as the log of so many hosts.
spread() {
    at=0
    while [ "$at" -lt "$3" ]; do
        folder="$2/hosts/10.0.$((at / 250)).$((at % 250))/7000"
        mkdir -p "$folder"
        ln "$1" "$folder/redis_7000.log"
        at=$((at + 1))
    done
}

# measure NAME MEGABYTES CASE
measure() {
    /usr/bin/python3 - "$@" "$build/rcf-timeline" <<'PYTHON'
import os
import subprocess
import sys
import time

name, megabytes, case, command = sys.argv[1], float(sys.argv[2]), sys.argv[3], sys.argv[4]
start = time.monotonic()
process = subprocess.Popen([command, '--quiet', case], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, used = os.wait4(process.pid, 0)
passed, cpu = time.monotonic() - start, used.ru_utime + used.ru_stime
if os.waitstatus_to_exitcode(status):
    sys.exit('%s: exit code %d' % (name, os.waitstatus_to_exitcode(status)))
print('%-44s %6.1f s cpu %6.1f s %6.0f MB/s %5.0f MiB' % (name, cpu, passed, megabytes / passed, used.ru_maxrss / 1024))
PYTHON
}

/usr/bin/python3 "$here/make_logs.py" --bytes 100000000 "$work/log"
spread "$work/log" "$work/case" "$logs"
measure "$logs logs of 100 MB, 1 event in 1,000 lines" "$((logs * 100))" "$work/case"
/usr/bin/python3 "$here/make_logs.py" --bytes 4000000 --events 1000000 "$work/storm"
spread "$work/storm" "$work/storms" "$storms"
measure "$storms logs of 4 MB, events only" "$((storms * 4))" "$work/storms"
/usr/bin/python3 "$here/make_logs.py" --bytes 400000000 --events 1000000 "$work/long"
spread "$work/long" "$work/one" 1
measure "1 log of 400 MB, events only" 400 "$work/one"
