#!/bin/sh
# interrupt.sh PROGRAM - Ctrl-C: a run that is stopped ends at once with code 40 and keeps what was drawn.
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
# More draws than fit in any patience: only the signal ends this.
"$program" fit data.csv --target y --hidden 3 --chains 3 --threads 2 --warmup 50 --draws 2000000 --seed 1 \
    --out run.crd >out 2>err &
run=$!
tries=0
until [ "$("$program" export run.crd 2>/dev/null | head -100 | wc -l)" -eq 100 ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { kill -KILL "$run"; fail "no draws after a minute"; }
    kill -0 "$run" 2>/dev/null || fail "the run ended by itself"
    sleep 0.2
done
kill -INT "$run"
wait "$run"
code=$?
[ "$code" -eq 40 ] || fail "exit code $code, expected 40"
grep -Eq '^credence: stopped; run.crd keeps the [1-9][0-9]* draws made so far; credence resume run.crd goes on$' err || fail "no line says what is kept"
mv out end
grep -Eq '^chain 2: .* stopped' err || fail "no line says that chain 2 was stopped"
for leftover in run.crd-lock run.crd-wal run.crd-shm run.crd.part; do
    [ ! -e "$leftover" ] || fail "$leftover is left"
done

# The third chain had no thread yet, and of the two others one may be far behind: how many are summarised is chance.
"$program" summary run.crd >out 2>err || fail "summary failed"
grep -Eq '^nuts: [12] chains? of [1-9][0-9]* draws after 50 of warm-up \(interrupted\); [12] chains? with fewer draws left out$' out ||
    fail "the summary does not say what it is of"
# The end and the summary talk of the same draws.
of_end=$(sed -n 's/^ *of these .* are summarised, \([0-9]* of [0-9]* chains*\); .*/\1/p' end)
[ -n "$of_end" ] || of_end=$(sed -n 's/^draws: *\([0-9]*\) from 1 of 3 chains .*/\1 of 1 chain/p' end)
of_summary=$(sed -n 's/^nuts: \([0-9]* chains*\) of \([0-9]*\) draws .*/\2 of \1/p' out)
[ -n "$of_end" ] && [ "$of_end" = "$of_summary" ] || fail "the end is of '$of_end', the summary of '$of_summary'"
[ "$(sed -n 's/^divergences: *//p' end)" = "$(sed -n 's/^Number of divergences: //p' out)" ] || fail "divergences differ"
kept=$("$program" export run.crd | wc -l)
[ "$kept" -gt 100 ] || fail "$kept lines of draws"
"$program" predict run.crd data.csv >out 2>err || fail "predict failed"

# In warm-up there is nothing to keep, and the file says so.
"$program" fit data.csv --target y --warmup 50000000 --seed 1 --quiet --format json --out warm.crd >out 2>err &
run=$!
tries=0
until [ -e warm.crd ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { kill -KILL "$run"; fail "no file after a minute"; }
    sleep 0.2
done
kill -INT "$run"
wait "$run"
code=$?
[ "$code" -eq 40 ] || fail "in warm-up: exit code $code, expected 40"
grep -q '^credence: stopped in warm-up; warm.crd holds no draws; credence resume warm.crd goes on$' err || fail "in warm-up: no line says so"
grep -q '"interrupted":true' out || fail "in warm-up: the JSON does not say that it was interrupted"
"$program" summary warm.crd >out 2>err && fail "in warm-up: a summary of nothing"
grep -q '^credence: warm.crd: holds no draws: the run was stopped in its warm-up$' err || fail "in warm-up: summary's message"

# A file that was to be replaced stays until there are draws.
cp run.crd before
"$program" fit data.csv --target y --warmup 50000000 --seed 1 --quiet --force --out run.crd >out 2>err &
run=$!
sleep 1
kill -INT "$run"
wait "$run"
code=$?
[ "$code" -eq 40 ] || fail "with --force in warm-up: exit code $code, expected 40"
cmp -s run.crd before || fail "with --force in warm-up: the older file is gone"
grep -q '^credence: stopped in warm-up; run.crd is left as it was; credence resume run.crd goes on$' err ||
    fail "with --force in warm-up: no line says so"
[ -e run.crd.part ] || fail "what is to be resumed is gone"
"$program" check run.crd >out 2>err || fail "with --force in warm-up: the older file is not whole"
grep -q '^resume:     goes on with run.crd.part, a newer run (--force, continue, or a plan that auto changed) that takes' out ||
    fail "with --force in warm-up: check does not say what resume goes on with"
mv run.crd aside && "$program" check run.crd >out 2>err && fail "a file that is gone is whole"
grep -q '^credence: run.crd: .*; credence resume goes on with a newer run beside it, run.crd.part$' err ||
    fail "the file gone: check does not say what resume goes on with"
mv aside run.crd
for leftover in run.crd-lock run.crd.part-wal run.crd.part-shm; do
    [ ! -e "$leftover" ] || fail "$leftover is left"
done
# That run is what resume goes on with, and the older file still stands.
"$program" resume run.crd --quiet >out 2>err &
run=$!
sleep 1
kill -INT "$run"
wait "$run"
[ $? -eq 40 ] || fail "a resumed run: exit code is not 40"
cmp -s run.crd before || fail "resumed in warm-up: the older file is gone"
"$program" fit data.csv --target y --init-radius 1e100 --quiet --force --out run.crd >out 2>err && fail "a bad start ran"
cmp -s run.crd before || fail "an error before the first draw: the older file is gone"
[ ! -e run.crd.part ] || fail "a new run leaves what an older one was to be resumed from"

# Steps that are added to a fit are kept, and resume makes the others.
adding() { # adding RUN STEPS TOTAL: adds steps in the background, until watch sees some, with their loss
    "$program" continue "$1" --steps "$2" --quiet >out 2>err &
    run=$!
    tries=0
    until "$program" watch "$1" --once 2>/dev/null | grep -Eq "^fit 0: [0-9]+% [1-9][0-9]*/$3, fitting, .*, loss [0-9.-]+\$"; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || { kill -KILL "$run"; fail "watch shows no added steps"; }
        kill -0 "$run" 2>/dev/null || fail "continue ended by itself"
        sleep 0.05
    done
}
"$program" fit data.csv --target y --hidden 2 --method svi --steps 300 --draws 50 --seed 1 --quiet --save-every 0.02 --out steps.crd || fail "svi"
cp steps.crd once.crd
"$program" continue once.crd --steps 300000 --quiet >out 2>err || fail "continue"
adding steps.crd 300000 300300
kill -INT "$run"
wait "$run"
[ $? -eq 40 ] || fail "continue: exit code is not 40"
grep -q '^credence: stopped; steps.crd holds 50 draws of the guide as it was then; credence resume steps.crd goes on$' err ||
    fail "continue does not say what it has left"
"$program" continue steps.crd --steps 1 --quiet >out 2>err && fail "continue goes on with what was stopped"
"$program" resume steps.crd --quiet >out 2>err || fail "added steps that were stopped: resume fails"
"$program" diff steps.crd once.crd >out 2>err || fail "added steps, stopped and resumed, are not those that were not stopped"
# Killed, they stand beside the file, and are dropped only if that is asked for.
for end in resume drop; do
    cp once.crd steps.crd
    adding steps.crd 300000 600300
    kill -KILL "$run"
    wait "$run" 2>/dev/null
    cmp -s steps.crd once.crd || fail "killed, the older file has changed"
    "$program" continue steps.crd --steps 1 --quiet >out 2>err
    [ $? -eq 7 ] && grep -q '^credence: steps.crd: a run that is to stand there was stopped, .*--force drops it$' err ||
        fail "what was killed is dropped unasked"
    case $end in
    resume) "$program" resume steps.crd --quiet >out 2>err || fail "killed: resume fails" ;;
    drop) "$program" continue steps.crd --steps 300000 --force --quiet >out 2>err || fail "killed: --force fails" ;;
    esac
    mv steps.crd $end.crd
    [ ! -e steps.crd.part ] || fail "$end: the killed one is still there"
done
"$program" diff resume.crd drop.crd >out 2>err || fail "killed and resumed is not made at once"

# Stopped before its end it is what it has come to, and can be left so; another optimiser may follow.
"$program" fit data.csv --target y --hidden 2 --method svi --steps 300 --restarts 3 --draws 50 --seed 2 --quiet --save-every 0.02 --out three.crd ||
    fail "three restarts"
"$program" summary three.crd | grep -q '^restarts: *fit [12] of 0 to 2 kept' || fail "the first restart is kept: another seed is needed"
cp three.crd stopped.crd
adding stopped.crd 500000000 500000300
kill -INT "$run"
wait "$run"
loss=$("$program" summary stopped.crd | sed -nE 's/^loss: +([0-9.-]+).*/\1/p')
"$program" watch stopped.crd --once | grep -q "stopped, .*, loss $loss\$" || fail "watch shows the loss of another restart"
"$program" resume stopped.crd --time 0.001 --quiet >out 2>err || fail "resumed for a moment"
"$program" check stopped.crd | grep -q '^chain 0: *50 draws' || fail "resumed for a moment, the draws are gone"
"$program" resume stopped.crd --finish --quiet >out 2>err || fail "resume is not content with the steps that were made"
"$program" resume stopped.crd --finish --quiet >out 2>err || fail "a complete run cannot be finished"
made=$("$program" summary stopped.crd | sed -nE 's/^guide: .* ([0-9]+) steps \(stopped\)$/\1/p')
[ -n "$made" ] && [ "$made" -gt 300 ] || fail "what was stopped is not complete with what it has"
"$program" continue stopped.crd --steps 10 --optimizer adam:0.001 --quiet >out 2>err || fail "continue with another optimiser"
"$program" summary stopped.crd | grep -q "^guide: .* $((made + 10)) steps" || fail "ten steps are not added"
# So can a fit; restarts and members that have not begun are not begun.
for how in "svi --restarts 3" "map --restarts 3" "ensemble --members 3"; do
    # shellcheck disable=SC2086
    "$program" fit data.csv --target y --hidden 2 --method $how --steps 500000000 --threads 1 --seed 1 --quiet --save-every 0.02 --force --out plain.crd \
        >out 2>err &
    run=$!
    sleep 1
    kill -KILL "$run"
    wait "$run" 2>/dev/null
    "$program" resume plain.crd --finish --quiet >out 2>err || fail "$how: is not content with the steps that were made"
    "$program" check plain.crd | grep -q '^status: *complete' || fail "$how: finished, but not complete"
    "$program" watch plain.crd --once >out
    [ "$(grep -Ec '^fit 0: 100% ([1-9][0-9]+)/\1, done' out)" -eq 1 ] && [ "$(grep -Ec '^fit [12]: ' out)" -eq 2 ] &&
        ! grep -Eq '^fit [12]: .*[1-9]/' out || { cat out; fail "$how: watch does not say how many steps were made"; }
done

# Killed on its way to its place, it is not dropped unasked, and goes by the name of the place.
cp three.crd killed.crd
adding killed.crd 500000000 500000300
kill -KILL "$run"
wait "$run" 2>/dev/null
rm killed.crd
for command in "continue three.crd --out killed.crd" "fit data.csv --target y --out killed.crd"; do
    # shellcheck disable=SC2086
    "$program" $command --quiet >out 2>err
    [ $? -eq 7 ] && grep -q '^credence: .*killed.crd: a run that is to stand there was stopped, ' err || fail "$command: drops what was killed"
done
for command in "resume killed.crd.part" "continue killed.crd.part"; do
    # shellcheck disable=SC2086
    "$program" $command >out 2>err
    [ $? -eq 2 ] && grep -q 'goes by the name of that: killed.crd$' err || fail "$command: takes what stands beside a run for one"
done
"$program" check killed.crd.part | grep -q '^resume: *not possible: it is on its way to its place, and goes by the name of that$' ||
    fail "check says that what stands beside a run can be resumed"
"$program" resume killed.crd --finish --quiet >out 2>err || fail "what was killed on its way is not resumed"
[ ! -e killed.crd.part ] || fail "what was killed has not come to its place"

# Restarts that had not begun when a fit was stopped have not failed.
"$program" fit data.csv --target y --hidden 2 --method svi --steps 500000000 --restarts 3 --threads 1 --seed 1 --out few.crd >out 2>err &
run=$!
sleep 2
kill -INT "$run"
wait "$run"
[ $? -eq 40 ] || fail "restarts: exit code is not 40"
grep -q '^restarts: .* 2 not begun$' out && ! grep -q failed out || fail "restarts that had not begun: $(grep restarts out)"
