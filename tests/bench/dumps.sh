#!/bin/sh
# How fast the commands for dumps go through one of 10 million strings and one of 3 million mixed values, against
# redis-check-rdb and cat on the same files in the same run. Needs redis-server, 2 GB of memory and 1 GB of disk; most of
# its time is the making of the dumps. They are kept and used again where RCF_BENCH_DUMPS names a folder for them.
#
#   RCF_BUILD=build/gcc tests/bench/dumps.sh [STRINGS [MIXED [RUNS]]]
set -eu
export LC_ALL=C
here=$(dirname "$0")
build=${RCF_BUILD:-build/gcc}
strings=${1:-10000000}
mixed=${2:-3000000}
runs=${3:-5}
work=$(mktemp -d "${TMPDIR:-/tmp}/rcf-bench-rdb.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

# measure COMMAND...: sets `seconds` (the best run) and `peak` (KiB, of one more run) of a command whose output nobody
# reads. The peak is asked of the running process: what wait4() tells includes the interpreter that started it.
measure() {
    /usr/bin/python3 - "$runs" "$@" >"$work/measured" <<'PYTHON'
import re
import subprocess
import sys
import time

runs, command = int(sys.argv[1]), sys.argv[2:]
best = None
for _ in range(runs):
    start = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    seconds = time.monotonic() - start
    best = seconds if best is None else min(best, seconds)
process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
peak = 0
while process.poll() is None:
    with open("/proc/%d/status" % process.pid, encoding="ascii", errors="replace") as status:
        found = re.search(r"VmHWM:\s+(\d+)", status.read())
    peak = max(peak, int(found[1])) if found else peak
    time.sleep(0.001)
print("%.4f %d" % (best, peak))
PYTHON
    read -r seconds peak <"$work/measured"
}

# report NAME: a line about what was measured last.
report() {
    awk -v name="$1" -v s="$seconds" -v peak="$peak" -v bytes="$bytes" -v keys="$found" -v redis="$redis" 'BEGIN {
        printf "  %-30s %7.3f s %7.0f MB/s %6.0f ns/key %5.1f MiB  %6.1f times as fast\n", name, s, bytes / 1e6 / s,
            s * 1e9 / keys, peak / 1024, redis / s }'
}

dumps=${RCF_BENCH_DUMPS:-$work}
for kind in strings mixed; do
    dump=$dumps/$kind.rdb
    keys=$strings
    [ $kind = strings ] || keys=$mixed
    [ -f "$dump" ] || /usr/bin/python3 "$here/make_dumps.py" --kind "$kind" --keys "$keys" "$dump"
    bytes=$(wc -c <"$dump")
    found=$("$build/rcf-rdb-check" --csv "$dump" | awk -F, 'NR == 2 { print $7 }')
    echo "$kind: $found keys, $(awk -v b="$bytes" 'BEGIN { printf "%.0f MB", b / 1e6 }')"
    all_runs=$runs
    runs=2
    measure redis-check-rdb "$dump"
    runs=$all_runs
    redis=$seconds
    report redis-check-rdb
    measure "$build/rcf-rdb-check" "$dump"
    report rcf-rdb-check
    measure "$build/rcf-rdb-check" --checksum-only "$dump"
    report "rcf-rdb-check --checksum-only"
    measure cat "$dump"
    report cat
    measure "$build/rcf-rdb-keys" --csv "$dump"
    report "rcf-rdb-keys --csv"
    measure "$build/rcf-rdb-stat" "$dump"
    report rcf-rdb-stat
    runs=2
    measure "$build/rcf-rdb-keys" --values --json "$dump"
    report "rcf-rdb-keys --values --json"
    measure "$build/rcf-rdb-diff" --counts "$dump" "$dump"
    report "rcf-rdb-diff with itself"
    runs=$all_runs
    [ "$dumps" != "$work" ] || rm "$dump"
done
