#!/bin/sh
# check.sh PROGRAM COMPILER FOLDER [record] - counts instructions with valgrind's callgrind and compares them with those of
# FOLDER/COMPILER.txt: more than 5 % up fails, more than 5 % down says so. With `record` the file is written instead.
# Skips (77), saying so, where valgrind is missing, the processor has no AVX2, or this compiler has no record.
set -u
program=$1
compiler=$2
record=$3/$compiler.txt
again="cmake --build build/release --target record_instructions"
command -v valgrind >/dev/null || { echo "valgrind is not installed"; exit 77; }
[ "${4:-}" = record ] || [ -f "$record" ] || { echo "no record for $compiler; to make one: $again"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CREDENCE_KERNELS=avx2 valgrind --tool=callgrind --callgrind-out-file="$work/out" '--toggle-collect=region_*' \
    --dump-after=region_gradient --dump-after=region_transition "$program" >"$work/regions" 2>"$work/log"
code=$?
if [ $code -eq 77 ]; then
    cat "$work/regions"
    exit 77
elif [ $code -ne 0 ]; then
    cat "$work/log"
    exit 1
fi

# Call k of the program is part k of the output; NAME WHAT COUNT -> NAME WHAT INSTRUCTIONS-FOR-ONE.
part=0
while read -r name what count; do
    part=$((part + 1))
    total=$(sed -n 's/^totals: //p' "$work/out.$part")
    [ "${total:-0}" -gt 0 ] || { echo "nothing was counted for $name $what"; exit 1; }
    echo "$name $what $((total / count))"
done <"$work/regions" >"$work/counts" || exit 1
[ -s "$work/counts" ] || { echo "nothing was counted"; exit 1; }

if [ "${4:-}" = record ]; then
    {
        echo "# Instructions of one gradient and of one leapfrog step of NUTS, everything in a transition counted: AVX2"
        echo "# kernels, release build, $compiler. Made by: $again"
        cat "$work/counts"
    } >"$record"
    cat "$record"
    exit 0
fi
grep -v '^#' "$record" | awk -v again="$again" '
    NR == FNR { was[$1 " " $2] = $3; next }
    {
        key = $1 " " $2
        now[key] = $3
        if (!(key in was)) {
            print key ": " $3 " instructions, not in the record. Record again: " again
            bad = 1
            next
        }
        change = 100 * ($3 / was[key] - 1)
        note = ""
        if (change > 5) {
            note = "   <- more than 5 % up. If that is meant: " again
            bad = 1
        } else if (change < -5)
            note = "   <- more than 5 % down: " again
        printf "%-28s %9d instructions, %9d in the record, %+.1f %%%s\n", key, $3, was[key], change, note
    }
    END {
        for (key in was)
            if (!(key in now)) {
                print key ": in the record, not counted. Record again: " again
                bad = 1
            }
        exit bad
    }' - "$work/counts"
