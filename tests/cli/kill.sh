#!/bin/sh
# kill.sh PROGRAM COUNT [SEED] - runs are killed with SIGKILL at random moments of warm-up, sampling, steps and writing, resumed (and
# sometimes killed again), and must end as the run that was never stopped: draws, statistics, states, entries, bit for bit.
# Differences are looked for by `credence diff`. The moments come from SEED; those that fall behind the end of a run do not count.
set -u
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
count=$2
seed=${3:-1}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

fail() {
    echo "run $i, for $count kills ($kind, after $delay s): $1"
    sed 's/^/    /' err
    exit 1
}

awk 'BEGIN { print "x,y"; for (i = 0; i < 40; i++) printf "%.3f,%.3f\n", i / 10, sin(i / 5) }' >data.csv
# One unit that can follow any of three flanks: the plan of auto changes from nuts to mclmc on the way.
awk 'BEGIN { print "x,y"; for (i = 0; i < 60; i++) printf "%.3f,%.3f\n", i / 59, sin(i / 59 * 6.28 * 1.5) }' >flanks.csv

table() { # table KIND: what it learns from
    case $1 in
    auto) echo flanks.csv ;;
    *) echo data.csv ;;
    esac
}

# What steps are added to.
"$program" fit data.csv --target y --seed 1 --quiet --save-every 0.01 --out base.crd --method svi --steps 300 --restarts 3 || exit 1

options() { # options KIND
    case $1 in
    nuts) echo "--hidden 4 --chains 2 --warmup 400 --draws 800" ;;
    dense) echo "--hidden 3 --method hmc --metric dense --chains 2 --warmup 300 --draws 100 --thin 3" ;;
    one) echo "--hidden 3 --chains 3 --threads 1 --warmup 300 --draws 300 --save-warmup --keep f" ;;
    rule) echo "--hidden none --method nuts --chains 3 --threads 2 --warmup 300 --draws 20000 --until ess=6000,rhat=1.05,of=f" ;;
    mclmc) echo "--hidden 3 --method mclmc --chains 2 --warmup 400 --draws 600" ;;
    mams) echo "--hidden 3 --method mams --metric fisher --integrator leapfrog --chains 2 --warmup 400 --draws 600" ;;
    sgld) echo "--hidden 3 --method sgld --batch 8 --control-variates --chains 2 --warmup 500 --draws 1500" ;;
    sghmc) echo "--hidden 3 --method sghmc --batch 8 --cyclical 10 --chains 2 --warmup 500 --draws 500" ;;
    split) echo "--hidden 3 --method split_hmc --batches 3 --chains 2 --warmup 200 --draws 200" ;;
    trained) echo "--hidden 4 --chains 3 --threads 2 --start ensemble --start-steps 15000 --start-patience 15000 --warmup 200 --draws 300" ;;
    pupils) echo "--hidden 3 --method sgld --batch 8 --chains 2 --start ensemble --start-steps 20000 --start-patience 20000 --warmup 300 --draws 500" ;;
    svi) echo "--method svi --steps 60000 --restarts 3" ;;
    added) echo "--steps 120000" ;;
    batches) echo "--method svi --batch 8 --steps 60000 --guide multivariate_normal" ;;
    map) echo "--method map --validation 0.2 --steps 80000 --patience 50000 --restarts 2" ;;
    ensemble) echo "--method ensemble --members 3 --prior none --steps 60000" ;;
    smc) echo "--hidden 3 --method smc --chains 3 --threads 2 --particles 40 --pilot 30 --anneal 1" ;;
    ais) echo "--hidden 3 --method ais --chains 2 --particles 30 --pilot 30 --anneal 2 --keep f" ;;
    tempering) echo "--hidden 1 --method tempering --chains 2 --temperatures 3 --warmup 1000 --draws 2000" ;;
    levels) echo "--hidden none --method tempering --chains 2 --temperatures 3 --warmup 300 --draws 4000 --until ess=900,of=f" ;;
    laplace) echo "--method laplace --tune noise --draws 4000" ;;
    pathfinder) echo "--method pathfinder --draws 4000" ;;
    auto) echo "--hidden 1 --noise half_normal:0.02" ;;
    esac
}

start() { # start KIND FILE: in the background
    # shellcheck disable=SC2046
    case $1 in
    added) "$program" continue base.crd --quiet --out "$2" $(options "$1") >out 2>err & ;;
    *) "$program" fit "$(table "$1")" --target y --seed 1 --quiet --save-every 0.01 --out "$2" $(options "$1") >out 2>err & ;;
    esac
}

kinds="nuts dense one rule mclmc mams sgld sghmc split trained pupils svi added batches map ensemble smc ais tempering levels laplace pathfinder auto"

whole() { # whole KIND: the run that is not stopped, made when it is first asked for
    [ ! -d "$1" ] || return 0
    mkdir "$1"
    begin=$(date +%s.%N)
    (cd "$1" && cp ../*.csv ../base.crd . && start "$1" run.crd && wait $!) || { echo "$1: the whole run fails"; exit 1; }
    echo "$begin $(date +%s.%N)" | awk '{ print $2 - $1 }' >"$1/seconds"
}

killed=0
i=0
while [ "$killed" -lt "$count" ]; do
    i=$((i + 1))
    kind=$(echo "$kinds" | awk -v i="$i" '{ print $(5 * (i - 1) % NF + 1) }') # of all sorts, if there are few
    whole "$kind"
    delay=$(awk -v seed="$seed" -v i="$i" -v of="$(cat "$kind/seconds")" \
        'BEGIN { srand(seed * 100003 + i); rand(); printf "%.4f", rand() * of }')
    mkdir again
    cp ./*.csv base.crd again
    cd again || exit 1
    start "$kind" run.crd
    run=$!
    sleep "$delay"
    kill -KILL "$run" 2>/dev/null && killed=$((killed + 1))
    wait "$run" 2>/dev/null
    if [ $((i % 3)) -eq 0 ] && [ -e run.crd ]; then # killed again while it goes on
        "$program" resume run.crd --quiet >out 2>err &
        run=$!
        sleep "$(echo "$delay" | awk '{ print $1 / 2 }')"
        kill -KILL "$run" 2>/dev/null && killed=$((killed + 1))
        wait "$run" 2>/dev/null
    fi
    if [ -e run.crd ]; then
        "$program" resume run.crd --quiet >out 2>err || fail "resume fails"
    else # killed before there was a file
        start "$kind" run.crd
        wait $! || fail "a run after a killed one fails"
    fi
    "$program" diff "../$kind/run.crd" run.crd >out 2>err || { cat out; fail "another end than that of the whole run"; }
    cd ..
    rm -r again
done
echo "$killed kills, all runs ended as if there had been none"
