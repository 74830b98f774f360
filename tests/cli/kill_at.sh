#!/bin/sh
# kill_at.sh PROGRAM SHIM STEP DURABLE - commands that write a run file are killed before the k-th call that changes files, for k = 1 and every
# STEP-th (STEP 0: twelve of each, whatever it has), until they come to their end. Whatever was killed: `check` can read what is there, a plain
# resume of it goes well, the command typed again makes the run of the one that was never killed (`credence diff`), and nothing is left beside it.
# SHIM is kill_at.c, loaded before the program; DURABLE is examples/durable, whose model is its own. kill.sh kills at random times, which rarely meet the end of a run.
set -u
program=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shim=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
step=$3
durable=$(cd "$(dirname "$4")" && pwd)/$(basename "$4")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

awk 'BEGIN { print "x,y"; for (i = 0; i < 40; i++) printf "%.3f,%.3f\n", i / 10, sin(i / 5) }' >data.csv
line="data.csv --target y --hidden none --warmup 100 --seed 1 --quiet --save-every 0.01"
net="data.csv --target y --hidden 2 --seed 1 --quiet --save-every 0.01"

before() { # before KIND: what stands there already
    case $1 in
    forced | more | further) # another run of more chains, which the new one must not take for its own
        # shellcheck disable=SC2086
        case $1 in
        forced) "$program" fit $line --method nuts --chains 4 --draws 1000 --out run.crd ;;
        *) "$program" fit $line --method nuts --chains 2 --draws 3000 --until ess=100 --out run.crd ;;
        esac
        ;;
    continued | copied) # shellcheck disable=SC2086
        "$program" fit $net --method svi --steps 300 --draws 50 --out from.crd
        [ "$1" = copied ] || cp from.crd run.crd
        ;;
    finished) # one that was stopped
        # shellcheck disable=SC2086
        "$program" fit $net --method svi --steps 500000000 --restarts 2 --threads 1 --draws 50 --time 0.1 --out run.crd
        ;;
    esac
}

words() { # words KIND: the command
    case $1 in
    program) echo "$durable run.crd 300"; return ;;
    esac
    printf '%s ' "$program"
    case $1 in
    rule) echo "fit $line --method nuts --chains 3 --draws 3000 --until ess=200 --out run.crd --force" ;;
    forced) echo "fit $line --method nuts --chains 2 --draws 3000 --until ess=200 --out run.crd --force" ;;
    more) echo "resume run.crd --quiet --draws 400" ;;
    further) echo "resume run.crd --quiet --until ess=1500" ;;
    tempered) echo "fit $line --chains 2 --method tempering --temperatures 3 --draws 2000 --until ess=200,of=f --out run.crd --force" ;;
    laplace) echo "fit $net --method laplace --tune all --draws 4000 --map-starts 2 --out run.crd --force" ;;
    pathfinder) echo "fit $net --method pathfinder --draws 1000 --out run.crd --force" ;;
    svi) echo "fit $net --method svi --steps 2000 --restarts 2 --draws 100 --out run.crd --force" ;;
    finished) echo "resume run.crd --quiet --finish" ;;
    continued) echo "continue run.crd --steps 500 --quiet" ;;
    copied) echo "continue from.crd --steps 500 --quiet --out run.crd --force" ;;
    smc) echo "fit $net --method smc --chains 2 --particles 40 --pilot 30 --anneal 1 --out run.crd --force" ;;
    esac
}

fail() {
    echo "$kind, killed at $k of $calls: $1"
    sed 's/^/    /' err
    exit 1
}

begin() { # begin KIND: an empty folder with what stands there before
    rm -rf at
    cp -r "$1/before" at
    cd at || exit 1
}

# What is left is whole, and goes on, or needs nothing.
look() {
    [ -e run.crd ] || return 0
    "$program" check run.crd >out 2>err || fail "check cannot read what is left"
    case $kind in
    program) return ;;
    finished) finish=--finish ;;
    *) finish= ;;
    esac
    # shellcheck disable=SC2086
    "$program" resume run.crd --quiet $finish >out 2>err || fail "a plain resume fails"
}

# Whether what stands there is what stood there before.
is_old() {
    old=../$kind/before/run.crd
    [ "$kind" != copied ] || old=../copied/before/from.crd
    [ -e "$old" ] && "$program" diff "$old" run.crd >out 2>err
}

# A fit that had begun has been gone on with; what had not, and what went on with another run, is typed again.
again() {
    case $kind in
    more | further | finished | program) ;;
    *) [ ! -e run.crd ] || is_old || return ;;
    esac
    # shellcheck disable=SC2046
    $(words "$kind") >out 2>err || fail "the same command again fails"
}

total=0 tried=0
for kind in rule forced more further tempered laplace pathfinder svi continued copied finished smc program; do
    mkdir -p "$kind/before"
    cd "$kind/before" || exit 1
    cp ../../data.csv .
    k=0 calls=0
    before "$kind" >out 2>err || fail "what is to stand there before"
    rm -f out err
    cd .. && cp -r before whole && cd whole || exit 1
    # shellcheck disable=SC2046
    LD_PRELOAD=$shim KILL_COUNT=count $(words "$kind") >out 2>err || fail "the whole run fails"
    calls=$(cat count)
    [ "$calls" -gt 30 ] || fail "the calls are not counted"
    cd ../..
    every=$step
    [ "$every" -gt 0 ] || every=$((calls / 12 + 1))
    k=1
    while [ "$k" -le "$calls" ]; do
        begin "$kind"
        # shellcheck disable=SC2046
        LD_PRELOAD=$shim KILL_AT=$k $(words "$kind") >out 2>err
        [ $? -ne 137 ] || total=$((total + 1)) # threads do not always make as many calls
        tried=$((tried + 1))
        look
        again
        "$program" diff "../$kind/whole/run.crd" run.crd >err 2>&1 || fail "another end than that of the whole run"
        for left in run.crd?*; do
            case $left in
            *-shm) ;; # of a kill behind the log's end; SQLite takes no notice of it
            *) [ ! -e "$left" ] || fail "$left is left beside the run" ;;
            esac
        done
        cd ..
        k=$((k + every))
    done
done
[ "$total" -ge $((tried * 3 / 4)) ] || { echo "only $total of $tried commands were killed"; exit 1; }
echo "$total kills before a change of files, all ended as if there had been none"
