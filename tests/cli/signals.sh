#!/bin/sh
# signals.sh PROGRAM - SIGTERM stops a run as SIGINT does; a second signal ends it at once. Both can be resumed to the end of the run
# that was never stopped.
set -u
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

fail() {
    echo "$1"
    [ ! -e err ] || sed 's/^/    /' err
    exit 1
}

awk 'BEGIN { print "x,y"; for (i = 0; i < 400; i++) printf "%.3f,%.3f\n", i / 100, sin(i / 50) }' >data.csv

# Transitions of 2^k steps so small that trees never turn: long enough for a second signal to come within one.
start() { # start FILE
    "$program" fit data.csv --target y --hidden 20 --chains 2 --threads 2 --warmup 0 --step-size 1e-7 --max-depth 13 --draws 8 \
        --seed 1 --quiet --save-every 0.05 --out "$1" >out 2>err &
    run=$!
}

wait_for_draws() { # wait_for_draws FILE
    tries=0
    until [ "$("$program" export "$1" 2>/dev/null | wc -l)" -gt 1 ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || { kill -KILL "$run"; fail "no draws after a minute"; }
        kill -0 "$run" 2>/dev/null || return 0
        sleep 0.1
    done
}

start whole.crd
wait "$run" || fail "the run fails"

# One SIGTERM: in good order.
start run.crd
wait_for_draws run.crd
kill -TERM "$run"
wait "$run"
code=$?
[ "$code" -eq 40 ] || fail "SIGTERM: exit code $code, expected 40"
grep -Eq '^credence: stopped; run.crd keeps the [1-9][0-9]* draws made so far; credence resume run.crd goes on$' err || fail "SIGTERM: no line says what is kept"
"$program" check run.crd >out 2>err && grep -q '^status: *interrupted$' out && grep -q '^ended: *it was told to stop$' out || { cat out; fail "SIGTERM: check"; }
"$program" resume run.crd --quiet >out 2>err || fail "resume after SIGTERM fails"
"$program" diff whole.crd run.crd >out 2>err || { cat out; fail "after SIGTERM: another end"; }

# Two, of whatever kind: at once. The second comes while the first is still being obeyed; where a transition ended just between, again.
ended=0
for first in TERM INT TERM INT TERM INT TERM INT; do
    rm -f two.crd two.crd-wal two.crd-shm two.crd-lock
    start two.crd
    wait_for_draws two.crd
    kill -"$first" "$run"
    sleep 0.02
    kill -INT "$run" 2>/dev/null
    wait "$run"
    code=$?
    [ "$code" -eq 40 ] || fail "two signals: exit code $code, expected 40"
    grep -q '^credence: stopped at once$' err && ended=1 && break
done
[ "$ended" -eq 1 ] || fail "no second signal came in time"
"$program" check two.crd >out 2>err || fail "two signals: the file is damaged"
grep -q '^status: *killed' out || { cat out; fail "two signals: check does not say that it was ended at once"; }
"$program" resume two.crd --quiet >out 2>err || fail "resume after two signals fails"
"$program" diff whole.crd two.crd >out 2>err || { cat out; fail "after two signals: another end"; }
