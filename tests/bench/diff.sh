#!/bin/sh
# How fast rcf-diff compares 2,000 views of 2,000 nodes, alike and each different in one thing, against cat and
# sha256sum of the same files: seconds that passed, and seconds of all processors, which a busy machine changes less.
# Then the commands that judge the same case. Needs about 1 GB in TMPDIR; target: 5 s and 1 GiB on two cores.
#
#   RCF_BUILD=build/gcc tests/bench/diff.sh [VIEWS [NODES]]
set -eu
export LC_ALL=C
here=$(dirname "$0")
build=${RCF_BUILD:-build/gcc}
views=${1:-2000}
nodes=${2:-2000}
work=$(mktemp -d "${TMPDIR:-/tmp}/rcf-bench-diff.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

# measure HIGHEST_EXIT_CODE COMMAND...: sets `seconds`, `cpu` and `peak` (KiB) of a command whose output nobody reads.
measure() {
    /usr/bin/python3 - "$@" >"$work/measured" <<'PYTHON'
import resource
import subprocess
import sys
import time

most, command = int(sys.argv[1]), sys.argv[2:]
start = time.monotonic()
code = subprocess.call(command, stdout=subprocess.DEVNULL)
seconds = time.monotonic() - start
if code < 0 or code > most:
    sys.exit("%s: exit code %d" % (command[0], code))
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print("%.3f %.3f %d" % (seconds, used.ru_utime + used.ru_stime, used.ru_maxrss))
PYTHON
    read -r seconds cpu peak <"$work/measured"
}

# report NAME: a line about what was measured last.
report() {
    awk -v name="$1" -v seconds="$seconds" -v cpu="$cpu" -v peak="$peak" -v bytes="$bytes" \
        -v cat="$cat_seconds" -v sha="$sha_seconds" 'BEGIN {
        printf "%-24s %6.2f s %6.2f s cpu %6.0f MB/s %5.0f MiB %6.2f x cat %5.2f x sha256sum\n", name, seconds, cpu,
            bytes / 1e6 / seconds, peak / 1024, seconds / cat, seconds / sha }'
}

for differ in none each; do
    /usr/bin/python3 "$here/make_views.py" --views "$views" --nodes "$nodes" --differ "$differ" "$work/case"
    bytes=$(find "$work/case" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
    echo "$views views of $nodes nodes, differ=$differ: $(awk -v b="$bytes" 'BEGIN { printf "%.0f MB", b / 1e6 }')"
    # The first reading fills the page cache, so that all are measured alike.
    find "$work/case" -type f -exec cat {} + >/dev/null
    measure 0 find "$work/case" -type f -exec cat '{}' +
    cat_seconds=$seconds
    measure 0 find "$work/case" -type f -exec sha256sum '{}' +
    sha_seconds=$seconds
    report sha256sum
    for format in text json csv; do
        measure 1 "$build/rcf-diff" "--format=$format" "$work/case"
        report "rcf-diff --format=$format"
    done
    for command in identify topology check; do
        measure 1 "$build/rcf-$command" "$work/case"
        report "rcf-$command"
    done
    rm -rf "$work/case"
done
