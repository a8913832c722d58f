#!/bin/sh
# How fast the commands for dumps go through one of 10 million strings and one of 3 million mixed values, against
# redis-check-rdb and cat on the same files in the same run, each the best of several rounds. Needs redis-server, 2 GB of
# memory and 1 GB of disk; most of its time is the making of the dumps. They are kept and used again where
# RCF_BENCH_DUMPS names a folder for them.
#
#   RCF_BUILD=build/gcc tests/bench/dumps.sh [STRINGS [MIXED [ROUNDS]]]
set -eu
export LC_ALL=C
here=$(dirname "$0")
build=${RCF_BUILD:-build/gcc}
strings=${1:-10000000}
mixed=${2:-3000000}
rounds=${3:-5}
work=$(mktemp -d "${TMPDIR:-/tmp}/rcf-bench-rdb.XXXXXX")
trap 'rm -rf "$work"' EXIT INT TERM

dumps=${RCF_BENCH_DUMPS:-$work}
for kind in strings mixed; do
    dump=$dumps/$kind.rdb
    keys=$strings
    [ $kind = strings ] || keys=$mixed
    [ -f "$dump" ] || /usr/bin/python3 "$here/make_dumps.py" --kind "$kind" --keys "$keys" "$dump"
    bytes=$(wc -c <"$dump")
    found=$("$build/rcf-rdb-check" --csv "$dump" | awk -F, 'NR == 2 { print $7 }')
    echo "$kind: $found keys, $(awk -v b="$bytes" 'BEGIN { printf "%.0f MB", b / 1e6 }')"
    /usr/bin/python3 "$here/in_turn.py" "$rounds" <<END |
redis-check-rdb	redis-check-rdb '$dump'
rcf-rdb-check	'$build/rcf-rdb-check' '$dump'
rcf-rdb-check --checksum-only	'$build/rcf-rdb-check' --checksum-only '$dump'
cat	cat '$dump'
rcf-rdb-keys --csv	'$build/rcf-rdb-keys' --csv '$dump'
rcf-rdb-stat	'$build/rcf-rdb-stat' '$dump'
rcf-rdb-keys --values --json	'$build/rcf-rdb-keys' --values --json '$dump'
rcf-rdb-diff with itself	'$build/rcf-rdb-diff' --counts '$dump' '$dump'
END
        awk -F '\t' -v bytes="$bytes" -v keys="$found" 'NR == 1 { redis = $2 } {
            printf "  %-30s %7.3f s %7.0f MB/s %6.0f ns/key %5.1f MiB  %6.1f times as fast\n", $1, $2, bytes / 1e6 / $2,
                $2 * 1e9 / keys, $3 / 1024, redis / $2 }'
    [ "$dumps" != "$work" ] || rm "$dump"
done
