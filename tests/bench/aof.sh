#!/bin/sh
# How fast an append-only file of 5 million SET commands, 440 MB, is read and validated command by command, against
# redis-check-aof, sha256sum (rcf-identify hashes too, with --manifest nothing else) and cat on the same file in the same run. Needs 0.5 GB of disk.
#
#   RCF_BUILD=build/gcc tests/bench/aof.sh [COMMANDS [RUNS]]
set -eu
export LC_ALL=C
build=${RCF_BUILD:-build/gcc}
commands=${1:-5000000}
runs=${2:-5}
work=$(mktemp -d "${TMPDIR:-/tmp}/rcf-bench-aof.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM
aof=$work/appendonly.aof
/usr/bin/python3 - "$commands" "$aof" <<'PYTHON'
import sys

with open(sys.argv[2], "wb") as file:
    file.write(b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n")
    for number in range(int(sys.argv[1])):
        value = (b"value %d " % number * 8)[:48]
        file.write(b"*3\r\n$3\r\nSET\r\n$13\r\nkey:%09d\r\n$%d\r\n%s\r\n" % (number, len(value), value))
PYTHON

# report NAME COMMAND...: the least processor time and the least time of all runs.
report() {
    /usr/bin/python3 - "$runs" "$commands" "$(wc -c <"$aof")" "$@" <<'PYTHON'
import os
import subprocess
import sys
import time

runs, commands, size, name, command = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5:]
wall, cpu = [], []
for _ in range(runs):
    start, before = time.monotonic(), os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL)
    after = os.times()
    wall.append(time.monotonic() - start)
    cpu.append(after.children_user + after.children_system - before.children_user - before.children_system)
print("  %-28s %6.2f s, cpu %5.2f s %6.0f MB/s %5.0f ns of cpu a command"
      % (name, min(wall), min(cpu), size / 1e6 / min(wall), min(cpu) * 1e9 / commands))
PYTHON
}

echo "$commands commands, $(awk -v b="$(wc -c <"$aof")" 'BEGIN { printf "%.0f MB", b / 1e6 }')"
report redis-check-aof redis-check-aof "$aof"
report rcf-identify "$build/rcf-identify" "$aof"
report "rcf-identify --manifest" "$build/rcf-identify" --manifest "$aof"
report rcf-check "$build/rcf-check" "$aof"
report sha256sum sha256sum "$aof"
report cat cat "$aof"
