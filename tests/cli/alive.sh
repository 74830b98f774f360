#!/bin/sh
# alive.sh PROGRAM - a run that is being written: every command that reads runs works on it or says that there are no draws yet,
# `credence watch` follows it, and neither changes a bit of what it ends with.
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

awk 'BEGIN { print "x,y"; for (i = 0; i < 40; i++) printf "%.3f,%.3f\n", i / 10, sin(i / 5) }' >data.csv
printf 'x\n0.5\n' >new.csv

start() { # start FILE: in the background
    "$program" fit data.csv --target y --hidden 3 --chains 3 --threads 2 --warmup 300 --draws 2500 --seed 1 --quiet \
        --save-every 0.05 --out "$1" >fit.out 2>fit.err &
    run=$!
}

looks=0
none=0
look() { # look COMMAND ...: exit code 0, or that of a run without draws
    "$program" "$@" >out 2>err
    code=$?
    kill -0 "$run" 2>/dev/null && looks=$((looks + 1))
    [ "$code" -ne 0 ] || return 0
    grep -Eq '^credence: (run|link).crd: (holds|there are) no draws' err || fail "$*: exit code $code"
    none=$((none + 1))
}

start whole.crd
wait "$run" || fail "the run fails"

ln -s run.crd link.crd
start run.crd
until [ -e run.crd ]; do kill -0 "$run" 2>/dev/null || fail "the run ended by itself"; sleep 0.01; done
"$program" watch run.crd --every 0.1 >watched 2>watch.err &
watcher=$!
once=0
passes=0
while kill -0 "$run" 2>/dev/null; do
    passes=$((passes + 1))
    look summary run.crd
    look plot run.crd trace --out trace.svg --force
    look export run.crd --out draws.csv --force
    look export run.crd --to netcdf --prior-draws 0 --out draws.nc --force
    look predict link.crd new.csv
    look diagnose run.crd
    look check run.crd
    look watch link.crd --once --site 'net/*' --format json
    grep -q '"state":"running"' out && once=$((once + 1))
    look watch run.crd --once
done
wait "$run" || fail "the run that was looked at fails"
wait "$watcher" || { cp watch.err err; fail "watch fails"; }
[ "$looks" -ge 8 ] || fail "only $looks looks at a run that was being written, of $passes passes"
[ "$once" -ge 1 ] || fail "watch --once has never seen it running"
[ ! -s watch.err ] || { cp watch.err err; fail "watch has something to complain of"; }
grep -Eq '^running: [0-9]+ of 7500 draws, [0-9]+ divergent' watched || fail "watch has not followed the draws"
grep -Eq '^complete: 7500 of 7500 draws' watched || fail "watch has not seen the end"
tail -1 watched | grep -q '^run.crd: complete$' || fail "watch does not say how it ended"
"$program" diff whole.crd run.crd >out 2>err || { cat out; fail "a run that was looked at has another end"; }
for leftover in run.crd-lock run.crd.part; do # who reads for long at the very end may keep the log
    [ ! -e "$leftover" ] || fail "$leftover is left"
done

# One that is killed while it is watched.
start dead.crd
until [ -e dead.crd ]; do kill -0 "$run" 2>/dev/null || fail "the run ended by itself"; sleep 0.01; done
"$program" watch dead.crd --every 0.1 >watched 2>watch.err &
watcher=$!
sleep 0.3
kill -KILL "$run"
wait "$run" 2>/dev/null
wait "$watcher" || { cp watch.err err; fail "watch of a killed run fails"; }
"$program" summary dead.crd >out 2>err; grep -Eq "(killed)|stopped in its warm-up" out err || fail "summary does not say that the run was killed"
tail -1 watched | grep -q '^dead.crd: killed: it says that it runs, and nobody writes it; credence resume dead.crd goes on$' ||
    fail "watch does not say that the run was killed: $(tail -1 watched)"
"$program" check dead.crd >out 2>err; grep -q '^format: .*; its log beside it, -wal, is a part of it: [1-9][0-9]* bytes$' out ||
    fail "check does not say that the log is a part of a killed run: $(cat out)"
"$program" resume dead.crd --quiet >out 2>err || fail "resume fails"
"$program" check dead.crd 2>&1 | grep -q -e -wal && fail "a complete run has a log"
"$program" diff whole.crd dead.crd >out 2>err || { cat out; fail "killed, watched and resumed: another end"; }

# Steps: where they are and what the loss is; Ctrl-C ends the watch, not the run.
"$program" fit data.csv --target y --method svi --steps 100000000 --restarts 2 --seed 1 --quiet --save-every 0.05 --out svi.crd >out 2>err &
run=$!
tries=0
until "$program" watch svi.crd --once 2>/dev/null | grep -Eq '^fit 0: 0% [1-9][0-9]*/100000000, fitting, .*, loss [0-9.-]+$'; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { kill -KILL "$run"; fail "no loss after a minute"; }
    kill -0 "$run" 2>/dev/null || fail "the fit ended by itself"
    sleep 0.2
done
"$program" watch svi.crd --every 0.1 >watched 2>watch.err &
watcher=$!
sleep 0.5
kill -INT "$watcher"
wait "$watcher" || fail "watch does not end well by a signal"
kill -0 "$run" 2>/dev/null || fail "the fit ended with its watch"
grep -Eq '^running: [0-9]+ of 200000000 steps, least loss [0-9.-]+, [0-9]+:[0-9]+<' watched || fail "watch has not followed the steps: $(tail -1 watched)"
kill -TERM "$run"
wait "$run"
[ $? -eq 40 ] || fail "SIGTERM: exit code is not 40"
"$program" watch svi.crd | tail -1 | grep -q '^svi.crd: interrupted: it was told to stop; credence resume svi.crd goes on$' ||
    fail "watch does not say why the fit ended"
echo "$looks looks, $none before there were draws"

# One killed run copied over another, whose log stays beside it: it is refused, and what is refused stays as it is. Where the log holds all pages
# of its run, or none that count any more, what is read is whole, one run or the other: then it is tried again.
copied_over() {
    rm -f a.crd* b.crd*
    for k in a b; do
        "$program" fit data.csv --target y --hidden 2 --method nuts --chains 2 --warmup 50 --draws 5000000 --seed "$(printf '%d' "'$k")" --quiet \
            --save-every 0.05 --out $k.crd >out 2>err &
        run=$!
        tries=0
        until [ -e $k.crd ] && [ "$(wc -c <$k.crd)" -gt 1000000 ]; do
            tries=$((tries + 1))
            [ "$tries" -lt 1200 ] || fail "no draws were folded into the file in two minutes"
            sleep 0.1
        done
        sleep 0.5
        kill -KILL "$run"
        wait "$run" 2>/dev/null
    done
    cp a.crd b.crd && cat b.crd b.crd-wal >before
    "$program" resume b.crd --time 0.2 --quiet >out 2>err
}
for round in 1 2 3 4 5; do
    copied_over
    code=$?
    [ $code -ne 8 ] || break
    [ $code -eq 0 ] && "$program" check b.crd >out 2>err || fail "a run with the log of another: round $round, code $code"
done
[ $code -eq 8 ] || fail "a run with the log of another is not refused"
cat b.crd b.crd-wal | cmp -s - before || fail "what was refused has changed"
