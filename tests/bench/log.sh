#!/bin/sh
# How fast rcf-log reads logs that are mostly lines of no interest, against grep -c -F -f of the fixed parts of all events'
# wordings on the same file: user seconds, best of five, and the ratio. Then many logs at once, and a storm of events.
# Needs about 3 GB in TMPDIR. Targets: not slower than grep; 1 GB/s a core; 512 MiB for any number of logs.
#
#   RCF_BUILD=build/gcc tests/bench/log.sh [BYTES [LOGS]]
set -eu
export LC_ALL=C
here=$(dirname "$0")
build=${RCF_BUILD:-build/gcc}
bytes=${1:-400000000}
logs=${2:-20}
work=$(mktemp -d "${TMPDIR:-/tmp}/rcf-bench-log.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

# The longest run of words of each wording that is an event's, one a line.
/usr/bin/python3 - "$here/../../parsers/log/log_wordings.def" >"$work/words" <<'PYTHON'
import re
import sys

found = set()
for event, text in re.findall(r'LOG_WORDING\((\w+), "[^"]*", "[^"]*",\s+"((?:[^"\\]|\\.)*)"\)', open(sys.argv[1]).read()):
    if event != 'OTHER':
        text = text.replace('\\"', '"').replace('\\\\', '\\')
        found.add(max(re.split(r'\{\w+\}', re.sub(r'\{\w+=([^}]*)\}', r'\1', text)), key=len))
print('\n'.join(sorted(found)))
PYTHON

# best NAME COMMAND...: sets `cpu`, `seconds` and `peak` (KiB) of the best of five runs, and reports them.
best() {
    name=$1
    shift
    /usr/bin/python3 - "$@" >"$work/measured" <<'PYTHON'
import os
import subprocess
import sys
import time

best = None
sink = subprocess.Popen(['cat'], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL).stdin  # grep stops early on /dev/null
for _ in range(5):
    start = time.monotonic()
    process = subprocess.Popen(sys.argv[1:], stdout=sink, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 1):
        sys.exit('%s: exit code %d' % (sys.argv[1], code))
    run = (used.ru_utime + used.ru_stime, time.monotonic() - start, used.ru_maxrss)
    best = run if best is None else min(best, run)
print('%.3f %.3f %d' % best)
PYTHON
    read -r cpu seconds peak <"$work/measured"
    awk -v name="$name" -v cpu="$cpu" -v seconds="$seconds" -v peak="$peak" -v bytes="$size" 'BEGIN {
        printf "%-44s %6.2f s cpu %6.2f s %6.0f MB/s of cpu %5.0f MiB\n", name, cpu, seconds, bytes / 1e6 / cpu, peak / 1024 }'
}

ratio() {
    awk -v ours="$1" -v theirs="$2" 'BEGIN { printf "%-44s %6.2f times as fast as grep -c -F -f\n", "", theirs / ours }'
}

for form in legacy yearless iso8601 compose; do
    /usr/bin/python3 "$here/make_logs.py" --bytes "$bytes" --form "$form" "$work/log"
    size=$(stat -c %s "$work/log")
    cat "$work/log" >/dev/null
    echo "$form, $((size / 1000000)) MB, 1 event in 1,000 lines"
    best "grep -c -F -f, $(wc -l <"$work/words") fixed parts" grep -c -F -f "$work/words" "$work/log"
    grep_cpu=$cpu
    best "rcf-log --summary" "$build/rcf-log" --summary "$work/log"
    ratio "$cpu" "$grep_cpu"
    best "rcf-log --csv" "$build/rcf-log" --csv "$work/log"
    ratio "$cpu" "$grep_cpu"
done

/usr/bin/python3 "$here/make_logs.py" --bytes "$bytes" --events 1000000 "$work/log"
size=$(stat -c %s "$work/log")
echo "a storm, $((size / 1000000)) MB, events only"
best "grep -c -F -f" grep -c -F -f "$work/words" "$work/log"
grep_cpu=$cpu
best "rcf-log --summary" "$build/rcf-log" --summary "$work/log"
ratio "$cpu" "$grep_cpu"

/usr/bin/python3 "$here/make_logs.py" --bytes 100000000 "$work/log"
size=0
set --
while [ $# -lt "$logs" ]; do
    ln "$work/log" "$work/log.$#"
    set -- "$@" "$work/log.$#"
    size=$((size + 100000000))
done
echo "$logs logs of 100 MB"
best "rcf-log --summary" "$build/rcf-log" --summary "$@"
best "rcf-log --csv" "$build/rcf-log" --csv "$@"
